"""Boundary representations as flat arrays.

A geometry of CityJSON nests points in rings, rings in surfaces, surfaces in shells and shells in
solids (CityJSON 2.0, section 3). Here each level is one array of offsets into the level below, so
that measuring a thousand buildings is a handful of numpy calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from itertools import accumulate, pairwise
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from twin.model.appearance import Appearance

Floats: TypeAlias = npt.NDArray[np.float64]
Ints: TypeAlias = npt.NDArray[np.int64]
Bools: TypeAlias = npt.NDArray[np.bool_]


class SurfaceType(IntEnum):
    """Semantic surface types of CityJSON 2.0 (section 3.3) as small codes, stored in meshes."""

    UNKNOWN = 0
    GROUND = 1
    WALL = 2
    ROOF = 3
    OUTER_CEILING = 4
    OUTER_FLOOR = 5
    CLOSURE = 6
    WINDOW = 7
    DOOR = 8
    INTERIOR_WALL = 9
    CEILING = 10
    FLOOR = 11

    @classmethod
    def from_name(cls, name: str | None) -> "SurfaceType":
        """The code of a CityJSON or CityGML surface class; UNKNOWN for every other name."""
        return _BY_NAME.get(name or "", cls.UNKNOWN)

    @property
    def cityjson_name(self) -> str | None:
        """The name in CityJSON, such as ``RoofSurface``; None for UNKNOWN."""
        return _TO_NAME.get(self)


_TO_NAME = {
    SurfaceType.GROUND: "GroundSurface",
    SurfaceType.WALL: "WallSurface",
    SurfaceType.ROOF: "RoofSurface",
    SurfaceType.OUTER_CEILING: "OuterCeilingSurface",
    SurfaceType.OUTER_FLOOR: "OuterFloorSurface",
    SurfaceType.CLOSURE: "ClosureSurface",
    SurfaceType.WINDOW: "Window",
    SurfaceType.DOOR: "Door",
    SurfaceType.INTERIOR_WALL: "InteriorWallSurface",
    SurfaceType.CEILING: "CeilingSurface",
    SurfaceType.FLOOR: "FloorSurface",
}
_BY_NAME = {name: code for code, name in _TO_NAME.items()}
_CODE = {name: int(code) for name, code in _BY_NAME.items()}


class SemanticSurface(NamedTuple):
    """A thematic surface: what several faces of a geometry are, with attributes of their own.

    There are more of them than of anything else, and no class is made faster than a tuple. Nothing
    changes attributes in place, so that those without any share them.
    """

    type: str
    id: str | None = None
    attributes: dict[str, Any] = {}  # noqa: RUF012 - nothing changes it


@dataclass(frozen=True, slots=True, eq=False)
class Geometry:
    """One geometry of one city object, in native coordinates: easting, northing, height.

    ``xyz`` (points, 3) holds the points of every ring in order, the closing point left out.
    ``ring_start`` (rings + 1) are offsets into ``xyz``; ``surface_start`` (surfaces + 1) into the
    rings, the first ring of a surface being its exterior; ``shell_start`` (shells + 1) into the
    surfaces; ``solid_start`` (solids + 1) into the shells, the first shell being the exterior.
    A MultiSurface or CompositeSurface is one solid of one shell.
    ``semantic`` (surfaces,) points into ``semantics``, -1 where a surface has none.

    In a MultiLineString each surface is a line of one open ring, in a MultiPoint a single point. A
    GeometryInstance is a MultiPoint of its reference point, with an ``instance``. Among the shapes of a
    feature, a template that was put in its place keeps its ``instance``.
    """

    type: str
    lod: str
    xyz: Floats
    ring_start: Ints
    surface_start: Ints
    shell_start: Ints
    solid_start: Ints
    semantic: Ints
    semantics: tuple[SemanticSurface, ...] = ()
    appearance: Appearance | None = None
    instance: "Instance | None" = None

    def __reduce__(self) -> tuple[Any, ...]:
        """For another process: two buffers instead of six arrays, which takes a fifth of the time."""
        levels = (self.ring_start, self.surface_start, self.shell_start, self.solid_start, self.semantic)
        numbers = np.concatenate(levels).tobytes()
        surfaces = tuple(map(tuple, self.semantics))
        state = (bytearray(self.xyz.tobytes()), bytearray(numbers), tuple(map(len, levels)), surfaces)
        return _restored, (self.type, self.lod, *state, self.appearance, self.instance)

    @property
    def dimension(self) -> int:
        """0 for points (instances too), 1 for lines, 2 for surfaces and solids."""
        return _DIMENSION.get(self.type, 2)

    @property
    def is_solid(self) -> bool:
        """Whether the type promises closed shells."""
        return self.type in {"Solid", "MultiSolid", "CompositeSolid"}

    def surface_types(self) -> Ints:
        """The SurfaceType code of each surface, shape (surfaces,)."""
        codes = [int(SurfaceType.from_name(surface.type)) for surface in self.semantics]
        return np.array([*codes, int(SurfaceType.UNKNOWN)], dtype=np.int64)[self.semantic]


def _restored(
    type: str,
    lod: str,
    xyz: bytearray,
    numbers: bytearray,
    lengths: tuple[int, ...],
    surfaces: tuple[tuple[str, str | None, dict[str, Any]], ...],
    *rest: Any,
) -> Geometry:
    flat = np.frombuffer(numbers, dtype=np.int64)
    cuts = [0, *accumulate(lengths)]
    ring, surface, shell, solid, semantic = (flat[a:b] for a, b in pairwise(cuts))
    points = np.frombuffer(xyz, dtype=np.float64).reshape(-1, 3)
    semantics = tuple(map(SemanticSurface._make, surfaces))
    return Geometry(type, lod, points, ring, surface, shell, solid, semantic, semantics, *rest)


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """A template put somewhere: ``matrix`` (4, 4) turns and scales it around the reference point.

    ``at`` is that point (3,) where this tells how a geometry came to its place.
    """

    template: Geometry
    matrix: Floats
    at: Floats | None = None

    def placed(self, reference_point: Floats) -> Geometry:
        """The template's geometry in native coordinates (CityJSON 2.0, section 3.4)."""
        homogeneous = np.column_stack([self.template.xyz, np.ones(len(self.template.xyz))])
        moved = homogeneous @ self.matrix.T
        return replace(self.template, xyz=moved[:, :3] / moved[:, 3:] + reference_point)


_DIMENSION = {"MultiPoint": 0, "GeometryInstance": 0, "MultiLineString": 1}


@dataclass(frozen=True, slots=True, eq=False)
class GeometryBatch:
    """The geometries of many objects in one set of arrays, each object around its own origin.

    ``origin`` (objects, 3) is added to ``xyz`` to get native coordinates; a local origin keeps
    volumes exact where eastings are 25.5 million. ``object_start`` (objects + 1) are offsets into
    the surfaces; ``surface_type`` (surfaces,) holds SurfaceType codes. An object without geometry
    has no surfaces.
    """

    origin: Floats
    xyz: Floats
    ring_start: Ints
    surface_start: Ints
    object_start: Ints
    surface_type: Ints

    @property
    def objects(self) -> int:
        return len(self.object_start) - 1

    @property
    def surfaces(self) -> int:
        return len(self.surface_start) - 1

    def ring_of_point(self) -> Ints:
        """The ring that each point belongs to, shape (points,)."""
        return _owner(self.ring_start)

    def surface_of_ring(self) -> Ints:
        """The surface that each ring belongs to, shape (rings,)."""
        return _owner(self.surface_start)

    def object_of_surface(self) -> Ints:
        """The object that each surface belongs to, shape (surfaces,)."""
        return _owner(self.object_start)


def _owner(start: Ints) -> Ints:
    return np.repeat(np.arange(len(start) - 1, dtype=np.int64), np.diff(start))


def offsets(lengths: Sequence[int] | Ints) -> Ints:
    """Lengths (n,) to offsets (n + 1,) that start at 0."""
    start = np.zeros(len(lengths) + 1, dtype=np.int64)
    np.cumsum(lengths, out=start[1:])
    return start


def _join(starts: Sequence[Ints]) -> Ints:
    """Several offset arrays as one, each moved behind the one before it."""
    first = np.cumsum([len(start) for start in starts])[:-1]
    # From the end of one array to the start of the next there is no length.
    return offsets(np.delete(np.diff(np.concatenate(starts)), first - 1))


def concatenate(objects: Sequence[Sequence[Geometry]]) -> GeometryBatch:
    """The geometries of each object, all objects in one batch."""
    flat = [geometry for geometries in objects for geometry in geometries]
    per_object = [sum(len(g.semantic) for g in geometries) for geometries in objects]
    points = [sum(len(g.xyz) for g in geometries) for geometries in objects]
    empty = np.zeros(1, dtype=np.int64)
    xyz = np.concatenate([np.zeros((0, 3)), *(g.xyz for g in flat)])
    origin = _local_origins(xyz, objects)
    return GeometryBatch(
        origin=origin,
        xyz=xyz - np.repeat(origin, points, axis=0),
        ring_start=_join([empty, *(g.ring_start for g in flat)]),
        surface_start=_join([empty, *(g.surface_start for g in flat)]),
        object_start=offsets(per_object),
        surface_type=_surface_types(flat),
    )


def _local_origins(xyz: Floats, objects: Sequence[Sequence[Geometry]]) -> Floats:
    """Whole metres below the first geometry with points of each object, shape (objects, 3); else 0."""
    sizes = [[len(g.xyz) for g in geometries] for geometries in objects]
    first = offsets([sum(size) for size in sizes])[:-1]
    leading = np.array([next(filter(None, size), 0) for size in sizes], dtype=np.int64)
    origin = np.zeros((len(objects), 3))
    present = np.flatnonzero(leading)
    if len(present):
        # Where a geometry begins and where it ends; what lies between two of them is not asked for.
        cuts = np.stack([first[present], first[present] + leading[present]], axis=1).ravel()
        cuts = cuts[:-1] if cuts[-1] == len(xyz) else cuts
        for axis, column in enumerate(xyz.T):
            origin[present, axis] = np.floor(np.minimum.reduceat(column, cuts)[::2])
    return np.where(np.isfinite(origin).all(axis=1, keepdims=True), origin, 0.0)


def _surface_types(geometries: Sequence[Geometry]) -> Ints:
    """The SurfaceType code of each surface of all geometries, one geometry after the other."""
    codes = [_CODE.get(surface.type, 0) for g in geometries for surface in g.semantics]
    first = offsets([len(g.semantics) for g in geometries])[:-1]
    counts = [len(g.semantic) for g in geometries]
    semantic = np.concatenate([np.zeros(0, dtype=np.int64), *(g.semantic for g in geometries)])
    index = np.where(semantic < 0, len(codes), semantic + np.repeat(first, counts))
    return np.array([*codes, int(SurfaceType.UNKNOWN)], dtype=np.int64)[index]


def points(type: str, lod: str, xyz: Floats, instance: Instance | None = None) -> Geometry:
    """A MultiPoint, or the reference point of an instance; ``xyz`` has the shape (points, 3)."""
    return curves(type, lod, xyz, np.arange(len(xyz) + 1, dtype=np.int64), instance)


def curves(type: str, lod: str, xyz: Floats, start: Ints, instance: Instance | None = None) -> Geometry:
    """Lines or points, each of them a surface of its own; ``start`` (n + 1) are offsets into ``xyz``."""
    count = len(start) - 1
    return Geometry(
        type=type,
        lod=lod,
        xyz=xyz,
        ring_start=start,
        surface_start=np.arange(count + 1, dtype=np.int64),
        shell_start=np.array([0, count], dtype=np.int64),
        solid_start=np.array([0, 1], dtype=np.int64),
        semantic=np.full(count, -1, dtype=np.int64),
        instance=instance,
    )
