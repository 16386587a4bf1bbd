"""Buildings measured and meshed per second on one core, beside a naive loop over buildings.

Run ``python -m benchmarks.bench_processing``. The input is the 3DBAG sample of Delft where the
shared data is there (159 buildings, 47 faces each), else gabled and hipped houses.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from scipy import spatial

from importers.reader import open_model
from tests import geometries
from tests.fixtures import SHARED_DATA
from twin.model.cityobject import CityFeature, geometries_at, highest_lod
from twin.model.geometry import Floats, Geometry, GeometryBatch, SurfaceType, concatenate
from twin.processing.compute import Measures, measure, measure_core
from twin.processing.derive import native
from twin.processing.hulls import hull_volumes
from twin.processing.mesh import ObjectMesh, build_meshes, decode
from twin.processing.neighbours import HALO_M, neighbour_values, parts_of, surroundings
from twin.processing.orientation import orient
from twin.processing.party_walls import party_walls

Buildings = list[list[Geometry]]
Point = tuple[float, float, float]

_AREAS: dict[int, str] = {
    SurfaceType.ROOF: "roof_area_m2",
    SurfaceType.WALL: "wall_area_m2",
    SurfaceType.GROUND: "ground_area_m2",
}

REPEATS = 5
RUN_S = 0.5
BATCH = 640
TILE = 150


@dataclass(frozen=True)
class Result:
    name: str
    per_second: float
    goal: float | None = None
    times: float | None = None
    """As many times as fast as the plain loop it is meant to be."""


def delft() -> Buildings:
    path = SHARED_DATA / "cityjson" / "3dbag_delft_319.city.json"
    features = [item for item in open_model(path) if isinstance(item, CityFeature)]
    return [list(geometries_at(f, highest_lod(f.objects))) for f in features]


def houses() -> Buildings:
    builders = (geometries.gable, geometries.hip, geometries.l_shape, geometries.courtyard)
    return [[geometries.moved(builders[i % 4](), (25_496_000.0 + 20 * i, 6.67e6, 5.0))] for i in range(160)]


def naive(building: Sequence[Geometry]) -> dict[str, Any]:
    """The same values by a loop over faces, rings and points, in plain Python: faster here than
    numpy on four points at a time."""
    sums = dict.fromkeys(_AREAS.values(), 0.0) | {"volume_m3": 0.0}
    edges: dict[tuple[Point, Point], int] = {}
    plans: list[shapely.Polygon] = []
    slopes: list[float] = []
    heights = [float(z) for geometry in building for z in geometry.xyz[:, 2]]
    origin = building[0].xyz[0].tolist()
    for geometry in building:
        types = geometry.surface_types().tolist()
        for code, rings in zip(types, rings_of(geometry, origin), strict=True):
            vectors = [ring_vector(ring) for ring in rings]
            x, y, z = (sum(vector[axis] for vector in vectors) for axis in range(3))
            area = math.sqrt(x * x + y * y + z * z)
            slopes.append(math.degrees(math.atan2(math.hypot(x, y), z)))
            sums["volume_m3"] += sum(dot(v, r[0]) for v, r in zip(vectors, rings, strict=True)) / 3.0
            if code in _AREAS:
                sums[_AREAS[code]] += area
            if code == SurfaceType.GROUND:
                plans.append(
                    shapely.Polygon([p[:2] for p in rings[0]], [[p[:2] for p in r] for r in rings[1:]])
                )
            count_edges(rings, edges)
    footprint: Any = plans[0] if len(plans) == 1 else shapely.union_all(plans)
    return {
        **sums,
        "closed": all(edges.get((b, a), 0) == count for (a, b), count in edges.items()),
        "height_m": max(heights) - min(heights),
        "footprint_area_m2": footprint.area,
        "footprint_perimeter_m": footprint.length,
        "slope_deg": slopes,
    }


def rings_of(geometry: Geometry, origin: Sequence[float]) -> list[list[list[Point]]]:
    """The rings of each face as lists of points around an origin."""
    x0, y0, z0 = origin
    points = [(x - x0, y - y0, z - z0) for x, y, z in geometry.xyz.tolist()]
    rings = [points[a:b] for a, b in pairwise(geometry.ring_start.tolist())]
    return [rings[a:b] for a, b in pairwise(geometry.surface_start.tolist())]


def ring_vector(ring: list[Point]) -> Point:
    x = y = z = 0.0
    for (ax, ay, az), (bx, by, bz) in zip(ring, [*ring[1:], ring[0]], strict=True):
        x += ay * bz - az * by
        y += az * bx - ax * bz
        z += ax * by - ay * bx
    return x / 2.0, y / 2.0, z / 2.0


def dot(a: Point, b: Point) -> float:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def count_edges(rings: list[list[Point]], edges: dict[tuple[Point, Point], int]) -> None:
    for ring in rings:
        snapped = [(round(x, 3), round(y, 3), round(z, 3)) for x, y, z in ring]
        for edge in zip(snapped, [*snapped[1:], snapped[0]], strict=True):
            edges[edge] = edges.get(edge, 0) + 1


def seconds(work: Callable[[], object], repeats: int = REPEATS) -> float:
    """CPU time of the best of several runs: what else the machine does only ever adds.

    Each run repeats the work until it has taken ``RUN_S``, so that long and short work are judged alike.
    """
    return min(_run(work) for _ in range(repeats))


def _run(work: Callable[[], object]) -> float:
    start, times, taken = time.process_time(), 0, 0.0
    while taken < RUN_S:
        work()
        times += 1
        taken = time.process_time() - start
    return taken / times


def naive_around(buildings: Buildings, footprints: Sequence[Any]) -> list[dict[str, Any]]:
    """Shape and surroundings of each building by a loop, with shapely and scipy for single ones."""
    tree = shapely.STRtree(footprints)
    faces = [upright_faces(building) for building in buildings]
    results: list[dict[str, Any]] = []
    for index, building in enumerate(buildings):
        outline = footprints[index]
        near = [int(i) for i in tree.query(outline.buffer(HALO_M)) if i != index]
        apart = [outline.distance(footprints[i]) for i in near]
        touching = [i for i, distance in zip(near, apart, strict=True) if distance < 0.1]
        results.append(
            {
                "box": outline.minimum_rotated_rectangle.area,
                "hull": spatial.ConvexHull(np.concatenate([g.xyz for g in building])).volume,
                "nearest_distance_m": min([HALO_M, *apart]),
                "neighbours_100m": sum(distance <= HALO_M for distance in apart),
                "party_wall_area_m2": sum(
                    covered(wall, [w for i in touching for w in faces[i]]) for wall in faces[index]
                ),
            }
        )
    return results


def upright_faces(building: Sequence[Geometry]) -> list[tuple[Any, Any]]:
    """Normal and points of each wall without holes."""
    found: list[tuple[Any, Any]] = []
    for geometry in building:
        for face, kind in enumerate(geometry.surface_types().tolist()):
            if kind == SurfaceType.WALL:
                ring = geometry.surface_start[face]
                points = geometry.xyz[geometry.ring_start[ring] : geometry.ring_start[ring + 1]]
                normal = np.cross(points - points[0], np.roll(points, -1, axis=0) - points[0]).sum(axis=0)
                if np.linalg.norm(normal) > 1e-4:
                    found.append((normal / np.linalg.norm(normal), points))
    return found


def covered(wall: tuple[Any, Any], others: Sequence[tuple[Any, Any]]) -> float:
    """Area of a wall that other walls cover, one pair at a time."""
    normal, points = wall
    level = np.array([-normal[1], normal[0], 0.0])
    axes = np.stack([level, np.cross(normal, level)]).T
    own = shapely.Polygon((points - points[0]) @ axes)
    pieces: list[Any] = []
    for other_normal, other_points in others:
        if normal @ other_normal < -0.985 and abs(normal @ (other_points.mean(axis=0) - points[0])) <= 0.05:
            piece: Any = own.intersection(shapely.Polygon((other_points - points[0]) @ axes))
            if piece.area > 0.0:
                pieces.append(piece)
    return float(shapely.union_all(pieces).area) if pieces else 0.0


def spread(buildings: Buildings) -> Buildings:
    """Copies of a town side by side until there are enough buildings; copies do not touch."""
    low, high = (f(np.concatenate([g.xyz for b in buildings for g in b]), axis=0) for f in (np.min, np.max))
    step = float(high[0] - low[0]) + 2 * HALO_M
    copies = -(-BATCH // len(buildings))
    many = [
        [geometries.moved(g, (copy * step, 0.0, 0.0)) for g in building]
        for copy in range(copies)
        for building in buildings
    ]
    return many[:BATCH]


def run(buildings: Buildings) -> tuple[list[Result], float, float]:
    """Speeds, milliseconds to decode a tile, and the largest relative difference in volume."""
    many = spread(buildings)
    batch = concatenate(many)
    result = measure(batch)
    meshes = build_meshes(batch, result.surface_type, _near(batch))
    blobs = [mesh.data for mesh in meshes if isinstance(mesh, ObjectMesh)][:TILE]
    expected = np.array([naive(building)["volume_m3"] for building in many])
    difference = float(np.abs(np.asarray(result.values["volume_m3"]) / expected - 1.0).max())
    around = naive_around(many, list(result.footprints))
    party = np.array([values["party_wall_area_m2"] for values in around])
    found = neighbour_values(many, len(many), result.footprints)["party_wall_area_m2"]
    print(f"party walls of both ways differ on {np.sum(np.abs(party - found) > 0.05)}")
    return speeds(many, batch, result), seconds(lambda: decode(blobs)) * 1000.0, difference


def _near(batch: GeometryBatch) -> Floats:
    """Stands in for the points on the ellipsoid, whose place is not what is timed."""
    return native(batch) - batch.origin.min(axis=0)


def speeds(many: Buildings, batch: GeometryBatch, result: Measures) -> list[Result]:
    """Buildings per second of every step, and of the plain loop beside it."""
    count, types, boundary = len(many), result.surface_type, result.boundary
    start = batch.ring_start[batch.surface_start[batch.object_start]]
    everybody = np.ones(count, dtype=np.bool_)

    def core_naively() -> None:
        for building in many:
            naive(building)

    def all_naively() -> None:
        core_naively()
        naive_around(many, list(result.footprints))

    def walls() -> object:
        return party_walls(batch, boundary.faces, types, parts_of(many), everybody)

    def result_of(
        title: str,
        work: Callable[[], object],
        goal: float | None = None,
        repeats: int = REPEATS,
        times: float | None = None,
    ) -> Result:
        return Result(title, count / seconds(work, repeats), goal, times)

    return [
        result_of("naive loop: core", core_naively, 400.0, 2),
        result_of("volumes, areas, closedness", lambda: orient(batch)),
        result_of("core: footprints, heights, roofs too", lambda: measure_core(batch), 10_000.0, times=25.0),
        result_of("hulls", lambda: hull_volumes(batch.xyz, start), 3_000.0),
        result_of("core and shape", lambda: measure(batch)),
        result_of("party walls", walls, 2_500.0),
        result_of("distances and counts", lambda: surroundings(result.footprints, count)),
        result_of("naive loop: all but validity", all_naively, None, 2),
        result_of(
            "all but validity",
            lambda: neighbour_values(many, count, measure(batch).footprints),
            1_000.0,
            times=2.5,
        ),
        result_of("meshes", lambda: build_meshes(boundary, types, _near(batch)), 3_000.0),
    ]


def main() -> None:
    real = SHARED_DATA.is_dir()
    buildings = delft() if real else houses()
    results, decoding, difference = run(buildings)
    print(f"{'3DBAG Delft' if real else 'houses'}: batches of {BATCH} buildings, one core")
    base = results[0].per_second
    whole = next(result.per_second for result in results if result.name == "naive loop: all but validity")
    for result in results:
        goal = f"goal {result.goal:,.0f}" if result.goal else ""
        goal += f", {result.times:g} x" if result.times else ""
        ratio = result.per_second / (whole if "all but validity" in result.name else base)
        print(f"{result.name:35} {result.per_second:10,.0f} buildings/s {ratio:7.1f} x  {goal}")
    print(f"{f'decoding {TILE} meshes':35} {decoding:10.2f} ms          goal 2")
    print(f"volumes of both ways differ by at most {difference:.1e}")


if __name__ == "__main__":
    main()
