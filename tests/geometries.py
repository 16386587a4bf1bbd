"""Canonical geometries with known measures, as builder functions."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from twin.model.geometry import Floats, Geometry, SemanticSurface, offsets

Point = tuple[float, float, float]
Ring = Sequence[Point]
Face = Sequence[Ring]

GROUND, WALL, ROOF = "GroundSurface", "WallSurface", "RoofSurface"


def boundary(
    faces: Sequence[Face], types: Sequence[str | None] | None = None, type: str = "Solid", lod: str = "2"
) -> Geometry:
    """A geometry of one shell from faces, each an exterior ring and its holes."""
    return shells([faces], types, type, lod)


def shells(
    boundaries: Sequence[Sequence[Face]],
    types: Sequence[str | None] | None = None,
    type: str = "Solid",
    lod: str = "2",
) -> Geometry:
    """A geometry of one solid from shells, the first being the exterior one."""
    faces = [face for shell in boundaries for face in shell]
    rings = [ring for face in faces for ring in face]
    names = list(dict.fromkeys(name for name in types or [] if name))
    numbers = [names.index(name) if name else -1 for name in types or [None] * len(faces)]
    return Geometry(
        type=type,
        lod=lod,
        xyz=np.array([point for ring in rings for point in ring], dtype=np.float64).reshape(-1, 3),
        ring_start=offsets([len(ring) for ring in rings]),
        surface_start=offsets([len(face) for face in faces]),
        shell_start=offsets([len(shell) for shell in boundaries]),
        solid_start=offsets([len(boundaries)]),
        semantic=np.array(numbers, dtype=np.int64),
        semantics=tuple(SemanticSurface(name) for name in names),
    )


def prism_faces(outline: Sequence[tuple[float, float]], low: float, high: float) -> list[Face]:
    """Outward faces of an upright prism over a counter-clockwise outline: ground, walls, roof."""
    floor = [(x, y, low) for x, y in outline]
    top = [(x, y, high) for x, y in outline]
    walls: list[Face] = []
    for i, j in _pairs(len(outline)):
        walls.append([[floor[i], floor[j], top[j], top[i]]])
    return [[floor[::-1]], *walls, [top]]


def prism(
    outline: Sequence[tuple[float, float]], low: float = 0.0, high: float = 1.0, named: bool = True
) -> Geometry:
    """An upright prism; V = area * height."""
    faces = prism_faces(outline, low, high)
    names = [GROUND, *[WALL] * len(outline), ROOF]
    return boundary(faces, names if named else None, lod="1")


def rectangle(x: float, y: float, width: float, depth: float) -> list[tuple[float, float]]:
    """A counter-clockwise rectangle from its lower left corner."""
    return [(x, y), (x + width, y), (x + width, y + depth), (x, y + depth)]


def cube(size: float = 1.0, named: bool = True) -> Geometry:
    """V = s³, A = 6 s²."""
    return prism(rectangle(0, 0, size, size), 0, size, named)


def gable(named: bool = True) -> Geometry:
    """10 x 8 m, eaves at 6 m, ridge along x at 9 m: V 600, walls 240 (gables 2 x 60, sides 2 x 60)."""
    a, b, c, d = [(x, y, 0.0) for x, y in rectangle(0, 0, 10, 8)]
    e, f, g, h = [(x, y, 6.0) for x, y in rectangle(0, 0, 10, 8)]
    west, east = (0.0, 4.0, 9.0), (10.0, 4.0, 9.0)
    faces: list[Face] = [
        [[d, c, b, a]],
        [[a, b, f, e]],
        [[b, c, g, east, f]],
        [[c, d, h, g]],
        [[d, a, e, west, h]],
        [[e, f, east, west]],
        [[g, h, west, east]],
    ]
    return boundary(faces, [GROUND, WALL, WALL, WALL, WALL, ROOF, ROOF] if named else None)


def hip(named: bool = True) -> Geometry:
    """12 x 8 m, eaves at 6 m, ridge of 4 m at 9 m: V 688, roof 120."""
    a, b, c, d = [(x, y, 0.0) for x, y in rectangle(0, 0, 12, 8)]
    e, f, g, h = [(x, y, 6.0) for x, y in rectangle(0, 0, 12, 8)]
    west, east = (4.0, 4.0, 9.0), (8.0, 4.0, 9.0)
    faces: list[Face] = [
        [[d, c, b, a]],
        [[a, b, f, e]],
        [[b, c, g, f]],
        [[c, d, h, g]],
        [[d, a, e, h]],
        [[e, f, east, west]],
        [[f, g, east]],
        [[g, h, west, east]],
        [[h, e, west]],
    ]
    return boundary(faces, [GROUND, *[WALL] * 4, *[ROOF] * 4] if named else None)


def shed(named: bool = True) -> Geometry:
    """6 x 4 m, from 3 m in the south to 5 m in the north: V 96."""
    low = [(x, y, 0.0) for x, y in rectangle(0, 0, 6, 4)]
    top = [(x, y, 3.0 + y / 2.0) for x, y, _ in low]
    walls: list[Face] = [[[low[i], low[j], top[j], top[i]]] for i, j in _pairs(4)]
    return boundary([[low[::-1]], *walls, [top]], [GROUND, *[WALL] * 4, ROOF] if named else None)


def hollow_cube() -> Geometry:
    """A cube of 4 m with a closed void of 2 m inside: V 56, A 120."""
    outer = prism_faces(rectangle(0, 0, 4, 4), 0, 4)
    void = [[ring[::-1] for ring in face] for face in prism_faces(rectangle(1, 1, 2, 2), 1, 3)]
    return shells([outer, void])


def l_shape(named: bool = True) -> Geometry:
    """An L of 48 m², 5 m high, with a concave corner: V 240, walls 180."""
    return prism([(0, 0), (10, 0), (10, 4), (2, 4), (2, 8), (0, 8)], 0.0, 5.0, named)


def courtyard(named: bool = True) -> Geometry:
    """10 x 10 m round a yard of 4 x 4 m, 6 m high: V 504, walls 336, footprint 84 m², outlines 56 m."""
    outer, yard = rectangle(0, 0, 10, 10), rectangle(3, 3, 4, 4)
    ground, *walls, roof = prism_faces(outer, 0, 6)
    hole_ground, *yard_walls, hole_roof = ([ring[::-1] for ring in face] for face in prism_faces(yard, 0, 6))
    faces = [[*ground, *hole_ground], *walls, *yard_walls, [*roof, *hole_roof]]
    return boundary(faces, [GROUND, *[WALL] * 8, ROOF] if named else None)


def moved(geometry: Geometry, offset: Iterable[float]) -> Geometry:
    """The geometry moved by an offset (3,)."""
    return with_points(geometry, geometry.xyz + np.array(list(offset)))


def with_points(geometry: Geometry, xyz: Floats) -> Geometry:
    """The geometry with its points replaced."""
    return replace(geometry, xyz=xyz)


def faces_of(geometry: Geometry) -> list[list[list[Point]]]:
    """The faces of a geometry as lists of rings of points."""
    rings = [
        [(float(x), float(y), float(z)) for x, y, z in geometry.xyz[a:b]]
        for a, b in zip(geometry.ring_start[:-1], geometry.ring_start[1:], strict=True)
    ]
    return [rings[a:b] for a, b in zip(geometry.surface_start[:-1], geometry.surface_start[1:], strict=True)]


def reordered(geometry: Geometry, order: Sequence[int], first_points: Sequence[int]) -> Geometry:
    """The geometry with its faces in another order and each ring starting at another point.

    ``first_points`` (surfaces,) turns the rings of each face of the result; single-shell only.
    """
    faces = faces_of(geometry)
    turned = [
        [[*ring[first % len(ring) :], *ring[: first % len(ring)]] for ring in faces[face]]
        for face, first in zip(order, first_points, strict=True)
    ]
    return _same_semantics(geometry, turned, [int(geometry.semantic[face]) for face in order])


def reversed_faces(geometry: Geometry, chosen: Iterable[int]) -> Geometry:
    """The geometry with all rings of the chosen faces running backwards; single-shell only."""
    turned = set(chosen)
    faces = [
        [ring[::-1] for ring in face] if number in turned else face
        for number, face in enumerate(faces_of(geometry))
    ]
    return _same_semantics(geometry, faces, [int(code) for code in geometry.semantic])


def without_faces(geometry: Geometry, dropped: Iterable[int]) -> Geometry:
    """The geometry without some faces: an open shell; single-shell only."""
    gone = set(dropped)
    kept = [number for number in range(len(geometry.semantic)) if number not in gone]
    faces = faces_of(geometry)
    return _same_semantics(
        geometry, [faces[number] for number in kept], [int(geometry.semantic[number]) for number in kept]
    )


def _same_semantics(geometry: Geometry, faces: Sequence[Face], semantic: Sequence[int]) -> Geometry:
    bare = boundary(faces, None, geometry.type, geometry.lod)
    return replace(bare, semantic=np.array(semantic, dtype=np.int64), semantics=geometry.semantics)


def _pairs(count: int) -> list[tuple[int, int]]:
    return [(i, (i + 1) % count) for i in range(count)]
