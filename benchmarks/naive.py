"""One building at a time, face by face: what measuring many of them at once is compared with.

It gives the same values by the same definitions, without anything that only batches need. Plain
Python throughout: on rings of four points it is faster than numpy.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import shapely
from scipy import spatial

from twin.model.attributes import FOOTPRINT_METHODS
from twin.model.geometry import Geometry, SurfaceType
from twin.processing.neighbours import HALO_M
from twin.processing.orientation import BALANCE, CONTRADICTION_M2
from twin.processing.roof import (
    ANNEX_SHARE,
    FLAT_SHARE,
    HIPPED_SHARE,
    LEVEL_SLOPE,
    SAME_LEVEL_M,
    SECTOR_DEGREES,
    TINY_SHARE,
)
from twin.processing.surfaces import FLAT_DEGREES, LEVEL_DEGREES

Point = tuple[float, float, float]
Ring = list[Point]
Edge = tuple[Point, Point]

_COS_FLAT = math.cos(math.radians(FLAT_DEGREES))
_SIN_LEVEL = math.sin(math.radians(LEVEL_DEGREES))
_UP = {SurfaceType.ROOF, SurfaceType.OUTER_FLOOR}
_DOWN = {SurfaceType.GROUND, SurfaceType.OUTER_CEILING}
_PLAN = _UP | _DOWN | {SurfaceType.CLOSURE}


@dataclass(slots=True)
class Face:
    """A face with its area vector, the integrals over it, and its range of heights."""

    code: int
    rings: list[Ring]
    vector: Point
    area: float
    moment: float
    volume: float
    low: float
    high: float
    at_hip: bool = False

    @property
    def is_flat(self) -> bool:
        return self.area > 0.0 and abs(self.vector[2]) >= _COS_FLAT * self.area

    def turn(self) -> None:
        """Let it look the other way."""
        x, y, z = self.vector
        self.vector, self.moment, self.volume = (-x, -y, -z), -self.moment, -self.volume
        self.rings = [ring[::-1] for ring in self.rings]


def core(building: Sequence[Geometry]) -> dict[str, Any]:
    """The values of ``twin.processing.compute.measure_core`` for a building whose surfaces are named."""
    origin = building[0].xyz[0].tolist()
    faces = [face for geometry in building for face in _faces(geometry, origin)]
    edges = _faces_of_edges(faces)
    closed = _is_closed(edges)
    if not closed:
        _turn_outward(faces, edges)
        closed = _is_closed(_faces_of_edges(faces))
    elif sum(face.volume for face in faces) < 0.0:
        for face in faces:
            face.turn()
    roofs = [face for face in faces if face.code == SurfaceType.ROOF]
    grounds = [face for face in faces if face.code == SurfaceType.GROUND]
    walls = [face for face in faces if face.code == SurfaceType.WALL]
    ground = min(face.low for face in grounds or faces)
    top = max(face.high for face in faces)
    ridges, hips, valleys = _roof_edges([face for face in roofs if face.area > 0.0 and not face.is_flat])
    ridge = max(ridges, default=(0.0, max((face.high for face in roofs), default=math.nan)))[1]
    footprint: Any = shapely.union_all([_plan(face) for face in grounds or roofs])
    flat = sum(face.area for face in roofs if face.is_flat)
    roof = sum(face.area for face in roofs)
    return {
        **_volumes(faces, ground, closed=closed),
        "height_m": top - ground,
        "height_ground_m": ground + origin[2],
        "height_eave_m": min((face.low for face in roofs), default=math.nan) + origin[2],
        "height_ridge_m": ridge + origin[2],
        "height_max_m": top + origin[2],
        "footprint_area_m2": footprint.area,
        "footprint_perimeter_m": footprint.length,
        "footprint_method": FOOTPRINT_METHODS[0 if grounds else 1],
        "roof_area_m2": roof,
        "roof_area_flat_m2": flat,
        "roof_area_sloped_m2": roof - flat,
        "wall_area_m2": sum(face.area for face in walls),
        "ground_area_m2": sum(face.area for face in grounds),
        "roof_type": _roof_type(roofs, hips, valleys),
        "surfaces": len(faces),
        "face_area_m2": [face.area for face in faces],
        "face_slope_deg": [_slope(face) for face in faces],
        "face_azimuth_deg": [_azimuth(face) for face in faces],
    }


def _faces(geometry: Geometry, origin: Sequence[float]) -> Iterator[Face]:
    """The faces around an origin."""
    x0, y0, z0 = origin
    points = [(x - x0, y - y0, z - z0) for x, y, z in geometry.xyz.tolist()]
    rings = [points[a:b] for a, b in pairwise(geometry.ring_start.tolist())]
    types = geometry.surface_types().tolist()
    for code, (a, b) in zip(types, pairwise(geometry.surface_start.tolist()), strict=True):
        yield _face(code, rings[a:b])


def _face(code: int, rings: list[Ring]) -> Face:
    x, y, z, moment = _fan(rings[0])
    ax, ay, az = rings[0][0]
    volume = x * ax + y * ay + z * az
    for hole in rings[1:]:
        hx, hy, hz, of_hole = _fan(hole)
        # Holes run against the outer ring, whichever way they are given.
        sign = -1.0 if hx * x + hy * y + hz * z > 0.0 else 1.0
        ax, ay, az = hole[0]
        x, y, z, moment = x + sign * hx, y + sign * hy, z + sign * hz, moment + sign * of_hole
        volume += sign * (hx * ax + hy * ay + hz * az)
    heights = [point[2] for ring in rings for point in ring]
    area = math.sqrt(x * x + y * y + z * z)
    return Face(code, rings, (x, y, z), area, moment, volume / 3.0, min(heights), max(heights))


def _fan(ring: Ring) -> tuple[float, float, float, float]:
    """Area vector of a ring, and the integral of z dA_z over the fan from its first point."""
    x0, y0, z0 = ring[0]
    x = y = z = moment = 0.0
    ax = ay = az = 0.0
    for px, py, pz in ring[1:]:
        bx, by, bz = px - x0, py - y0, pz - z0
        level = ax * by - ay * bx
        x += ay * bz - az * by
        y += az * bx - ax * bz
        z += level
        moment += level * (az + bz)
        ax, ay, az = bx, by, bz
    return x / 2.0, y / 2.0, z / 2.0, moment / 6.0 + z * z0 / 2.0


def _volumes(faces: list[Face], ground: float, *, closed: bool) -> dict[str, Any]:
    """The volume by both methods, how it was found, and how far it can be trusted."""
    divergence = sum(face.volume for face in faces)
    plan = [face for face in faces if face.code in _PLAN]
    balance = sum(face.vector[2] for face in plan)
    integral = sum(face.moment for face in plan) - ground * balance
    covered = abs(balance) <= BALANCE * sum(abs(face.vector[2]) for face in plan) / 2.0
    closed = closed and divergence > 0.0
    value = divergence if closed else integral
    return {
        "volume_m3": value,
        "volume_disagreement": abs(divergence - integral) / value,
        "closed": closed,
        "volume_method": "divergence" if closed else "roof-ground integral",
        "quality": "exact" if closed else "prism" if covered else "estimated",
    }


def _faces_of_edges(faces: list[Face]) -> dict[Edge, list[int]]:
    """The faces that run along each edge in its direction."""
    found: dict[Edge, list[int]] = {}
    for number, face in enumerate(faces):
        for ring in face.rings:
            for edge in _edges(ring):
                found.setdefault(edge, []).append(number)
    return found


def _is_closed(edges: dict[Edge, list[int]]) -> bool:
    """Whether every edge is met by as many the other way."""
    return all(len(edges.get((b, a), ())) == len(numbers) for (a, b), numbers in edges.items())


def _turn_outward(faces: list[Face], edges: dict[Edge, list[int]]) -> None:
    """Turn the faces of an open shell, patch by patch, as their names or heights have it."""
    beside = _beside(len(faces), edges)
    middle = (min(face.low for face in faces) + max(face.high for face in faces)) / 2.0
    sign: dict[int, float] = {}
    for first in range(len(faces)):
        if first in sign:
            continue
        sign[first], patch = 1.0, [first]
        for number in patch:  # grows while it is walked
            for other, side in beside[number]:
                if other not in sign:
                    sign[other] = sign[number] * side
                    patch.append(other)
        if _looks_inward([(faces[number], sign[number]) for number in patch], middle):
            sign.update((number, -sign[number]) for number in patch)
    for number, face in enumerate(faces):
        if sign[number] < 0.0:
            face.turn()


def _beside(count: int, edges: dict[Edge, list[int]]) -> list[list[tuple[int, float]]]:
    """The faces that share an edge with each face alone; -1.0 of those that run along it the same way."""
    found: list[list[tuple[int, float]]] = [[] for _ in range(count)]
    for (a, b), numbers in edges.items():
        others = edges.get((b, a), [])
        if len(numbers) == len(others) == 1:
            found[numbers[0]].append((others[0], 1.0))
        elif len(numbers) == 2 and not others:
            found[numbers[0]].append((numbers[1], -1.0))
            found[numbers[1]].append((numbers[0], -1.0))
    return found


def _looks_inward(patch: list[tuple[Face, float]], middle: float) -> bool:
    by_name = sum(sign * face.vector[2] * ((face.code in _UP) - (face.code in _DOWN)) for face, sign in patch)
    if abs(by_name) > CONTRADICTION_M2:
        return by_name < 0.0
    return sum(sign * (face.moment - middle * face.vector[2]) for face, sign in patch) < -CONTRADICTION_M2


def _edges(ring: Ring) -> Iterator[Edge]:
    """The edges between points to the millimetre."""
    snapped = [(round(x, 3), round(y, 3), round(z, 3)) for x, y, z in ring]
    return zip(snapped, [*snapped[1:], snapped[0]], strict=True)


def _slope(face: Face) -> float:
    x, y, z = face.vector
    return math.degrees(math.atan2(math.sqrt(x * x + y * y), z)) if face.area > 0.0 else math.nan


def _azimuth(face: Face) -> float:
    x, y, _ = face.vector
    if math.sqrt(x * x + y * y) <= _SIN_LEVEL * face.area:
        return math.nan
    return math.degrees(math.atan2(x, y)) % 360.0


def _plan(face: Face) -> Any:
    rings = [[point[:2] for point in ring] for ring in face.rings]
    return shapely.make_valid(shapely.Polygon(rings[0], rings[1:]))


def _roof_edges(sloped: list[Face]) -> tuple[list[tuple[float, float]], float, float]:
    """Length and height of each ridge, and the lengths of hips and of valleys in all."""
    found: dict[Edge, Face] = {}
    ridges: list[tuple[float, float]] = []
    hips = valleys = 0.0
    for face in sloped:
        for ring in face.rings:
            for a, b in _edges(ring):
                other = found.get((b, a))
                found[a, b] = face
                if other is None:
                    continue
                length = math.dist(a, b)
                bend = _bend(face, other, a, b)
                if abs(bend) <= 0.02 * length:
                    continue
                if bend < 0.0:
                    valleys += length
                elif abs(b[2] - a[2]) > LEVEL_SLOPE * length:
                    hips += length
                    face.at_hip = other.at_hip = True
                elif face.vector[0] * other.vector[0] + face.vector[1] * other.vector[1] < 0.0:
                    ridges.append((round(length, 3), max(a[2], b[2])))
    return ridges, hips, valleys


def _bend(face: Face, other: Face, a: Point, b: Point) -> float:
    """How far the roof bends along an edge of both faces; above 0 where it is convex."""
    (x, y, z), (u, v, w) = face.vector, other.vector
    dx, dy, dz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    cross = (y * w - z * v) * dx + (z * u - x * w) * dy + (x * v - y * u) * dz
    return cross / (face.area * other.area)


def _roof_type(roofs: list[Face], hips: float, valleys: float) -> str | None:
    total = sum(face.area for face in roofs)
    if total <= 0.0:
        return None
    shaping = [face for face in roofs if face.area >= TINY_SHARE * total]
    area = sum(face.area for face in shaping)
    flat = [face for face in shaping if face.is_flat]
    share = sum(face.area for face in flat) / area if area else 1.0
    if share >= FLAT_SHARE:
        middles = [(face.low + face.high) / 2.0 for face in flat]
        return "multiple flat" if middles and max(middles) - min(middles) > SAME_LEVEL_M else "flat"
    if share > ANNEX_SHARE:
        return "complex"
    return _sloped_type([face for face in shaping if not face.is_flat], hips, valleys)


def _sloped_type(faces: list[Face], hips: float, valleys: float) -> str:
    """By the directions that the faces look to, counted from that of the largest one."""
    azimuths = [math.degrees(math.atan2(face.vector[0], face.vector[1])) for face in faces]
    main = max(zip(faces, azimuths, strict=True), key=lambda known: known[0].area)[1]
    turns = [(azimuth - main + SECTOR_DEGREES) % 360.0 for azimuth in azimuths]
    if any(turn % 90.0 > 2.0 * SECTOR_DEGREES for turn in turns):
        return "complex"
    quarters = {int(turn // 90.0) for turn in turns}
    at_hip = sum(face.area for face in faces if face.at_hip)
    whole = at_hip >= HIPPED_SHARE * sum(face.area for face in faces) and valleys <= 0.1 * max(hips, 1.0)
    if whole and len(quarters) >= 3 and hips > 0.0:
        return "hipped"
    if quarters <= {0, 2}:
        return "gabled" if 2 in quarters else "shed"
    return "complex"


def around(buildings: Sequence[Sequence[Geometry]], footprints: Sequence[Any]) -> list[dict[str, Any]]:
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
