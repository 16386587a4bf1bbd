"""Buildings measured and meshed per second on one core, beside a naive loop over buildings.

Run ``python -m benchmarks.bench_processing``. The input is the 3DBAG sample of Delft where the
shared data is there (159 buildings, 47 faces each), else gabled and hipped houses.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks import naive
from importers.reader import open_model
from tests import geometries
from tests.fixtures import SHARED_DATA
from twin.model.cityobject import CityFeature, geometries_at, highest_lod
from twin.model.geometry import Floats, Geometry, GeometryBatch, concatenate
from twin.processing.compute import Measures, measure, measure_core
from twin.processing.derive import native
from twin.processing.hulls import hull_volumes
from twin.processing.mesh import ObjectMesh, build_meshes, decode
from twin.processing.neighbours import HALO_M, neighbour_values, parts_of, surroundings
from twin.processing.orientation import orient
from twin.processing.party_walls import party_walls

Buildings = list[list[Geometry]]
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
    expected = np.array([naive.core(building)["volume_m3"] for building in many])
    difference = float(np.abs(np.asarray(result.values["volume_m3"]) / expected - 1.0).max())
    around = naive.around(many, list(result.footprints))
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
            naive.core(building)

    def all_naively() -> None:
        core_naively()
        naive.around(many, list(result.footprints))

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
