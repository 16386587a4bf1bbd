"""Geometries of CityJSON (2.0, section 3) as flat arrays, all those of a feature in one go."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NoReturn

import numpy as np

from importers.json_values import Json, as_list, as_object
from importers.port import Refusal
from importers.rings import FARTHEST, degenerate, fingerprints, without_degenerate
from twin.model.geometry import Floats, Geometry, Ints, SemanticSurface, offsets

_SURFACES = frozenset({"MultiSurface", "CompositeSurface"})
_SOLIDS = frozenset({"MultiSolid", "CompositeSolid"})
_NOT_STORED = frozenset({"MultiPoint", "MultiLineString", "GeometryInstance"})


@dataclass(frozen=True, slots=True)
class NestedGeometry:
    """A geometry whose nesting is resolved while its points are still vertex numbers.

    ``rings`` are lists of vertex numbers, the lengths count rings by surface, surfaces by shell and
    shells by solid; ``semantic`` has an index into ``semantics`` for each surface, -1 for none.
    """

    type: str
    lod: str
    rings: list[list[int]]
    surface_lengths: list[int]
    shell_lengths: list[int]
    solid_lengths: list[int]
    semantic: list[int]
    semantics: tuple[SemanticSurface, ...]


def read_vertices(raw: Json, scale: Floats, translate: Floats) -> Floats:
    """Vertices as coordinates, shape (vertices, 3); Refusal where they are no points."""
    if not raw:
        return np.zeros((0, 3))
    try:
        numbers = np.array(list(chain.from_iterable(raw))) if set(map(len, raw)) == {3} else None
    except (ValueError, TypeError, OverflowError):
        numbers = None
    if numbers is None or numbers.dtype.kind not in "iuf" or numbers.ndim != 1:
        _refuse("invalid-vertices", "the vertices are not lists of three numbers")
    return numbers.reshape(-1, 3) * scale + translate


def unnest(raw: Json, ledger: Counter[str]) -> NestedGeometry | None:
    """Resolve the nesting; None (and a note in the ledger) for points, lines and template instances."""
    geometry = as_object(raw)
    if geometry is None:
        _refuse("invalid-geometry", "a geometry is no JSON object")
    type_ = geometry.get("type")
    if type_ in _NOT_STORED:
        ledger[f"geometry {type_}"] += 1
        return None
    for appearance in sorted(geometry.keys() & {"material", "texture"}):
        ledger[f"appearance {appearance}"] += 1
    try:
        solids = _solids(type_, geometry.get("boundaries"))
        shells = list(chain.from_iterable(solids))
        surfaces = list(chain.from_iterable(shells))
        rings = list(chain.from_iterable(surfaces))
        semantics, semantic = _semantics(geometry.get("semantics"), shells, solids, type_)
        nested = NestedGeometry(
            str(type_),
            _lod(geometry.get("lod")),
            rings,
            list(map(len, surfaces)),
            list(map(len, shells)),
            list(map(len, solids)),
            semantic,
            semantics,
        )
    except TypeError:
        _refuse("invalid-boundaries", f"the boundaries are not nested as those of a {type_}")
    if not all(nested.surface_lengths):
        _refuse("invalid-boundaries", "a surface has no ring")
    return nested


def build(geometries: Sequence[NestedGeometry], vertices: Floats, ledger: Counter[str]) -> list[Geometry]:
    """The arrays of geometries; Refusal where a ring is none or names a vertex that is not there."""
    rings = list(chain.from_iterable(geometry.rings for geometry in geometries))
    try:
        ring_start = offsets(list(map(len, rings)))
        index = _indices(list(chain.from_iterable(rings)), len(vertices))
    except TypeError:
        _refuse("invalid-boundaries", "a ring is no list of vertex numbers")
    xyz, ring_start = _without_closing(vertices[index], ring_start)
    if len(xyz) and not np.abs(xyz).max() < FARTHEST:
        _refuse("invalid-coordinates", "coordinates are outside of any reference system")
    built = _slices(geometries, xyz, ring_start)
    if len(rings) and degenerate(xyz, ring_start):
        return [without_degenerate(geometry, ledger) for geometry in built]
    return built


def _slices(geometries: Sequence[NestedGeometry], xyz: Floats, ring_start: Ints) -> list[Geometry]:
    """Each geometry's share of the arrays of all, its offsets counted from 0."""
    starts = [
        offsets(list(chain.from_iterable(lengths)))
        for lengths in (
            [geometry.surface_lengths for geometry in geometries],
            [geometry.shell_lengths for geometry in geometries],
            [geometry.solid_lengths for geometry in geometries],
        )
    ]
    semantic = np.array(list(chain.from_iterable(g.semantic for g in geometries)), dtype=np.int64)
    built: list[Geometry] = []
    ring = surface = shell = solid = 0
    for geometry in geometries:
        next_ring, next_surface = ring + len(geometry.rings), surface + len(geometry.surface_lengths)
        next_shell, next_solid = shell + len(geometry.shell_lengths), solid + len(geometry.solid_lengths)
        points = ring_start[ring : next_ring + 1]
        built.append(
            Geometry(
                type=geometry.type,
                lod=geometry.lod,
                xyz=xyz[points[0] : points[-1]],
                ring_start=points - points[0],
                surface_start=starts[0][surface : next_surface + 1] - ring,
                shell_start=starts[1][shell : next_shell + 1] - surface,
                solid_start=starts[2][solid : next_solid + 1] - shell,
                semantic=semantic[surface:next_surface],
                semantics=geometry.semantics,
            )
        )
        ring, surface, shell, solid = next_ring, next_surface, next_shell, next_solid
    return built


def _refuse(code: str, reason: str, suggestion: str = "correct the geometry and import again") -> NoReturn:
    raise Refusal(code, reason, suggestion)


def _lod(raw: Json) -> str:
    """LoD as text; CityJSON 1.0 has numbers."""
    lod = str(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""
    if not lod.replace(".", "", 1).isdecimal():
        _refuse("invalid-lod", f"the LoD of a geometry is {raw!r}", 'give it one, such as "lod": "2"')
    return lod


def _solids(type_: Json, raw: Json) -> list[Json]:
    """Boundaries with all levels: solids, shells, surfaces, rings."""
    boundaries = as_list(raw)
    if boundaries is None:
        raise TypeError
    if type_ in _SURFACES:
        return [[boundaries]]
    if type_ == "Solid":
        return [boundaries]
    if type_ in _SOLIDS:
        return boundaries
    _refuse("unknown-geometry", f"{type_!r} is no geometry type of CityJSON")


def _indices(raw: list[int], vertices: int) -> Ints:
    if not raw:
        return np.zeros(0, dtype=np.int64)
    try:
        index = np.array(raw)
    except (ValueError, OverflowError):
        index = np.zeros(0)
    if index.dtype.kind not in "iu" or index.ndim != 1:
        _refuse("invalid-boundaries", "a ring is no list of vertex numbers")
    low, high = int(index.min()), int(index.max())
    if low < 0 or high >= vertices:
        wrong = low if low < 0 else high
        _refuse("vertex-out-of-range", f"a ring uses vertex {wrong}, but there are {vertices} vertices")
    return index.astype(np.int64, copy=False)


def _without_closing(xyz: Floats, start: Ints) -> tuple[Floats, Ints]:
    """Rings without a repetition of their first point, which CityJSON does not ask for."""
    if not len(xyz):
        return xyz, start
    key = fingerprints(xyz)
    last = np.maximum(start[1:] - 1, 0)
    first = np.minimum(start[:-1], len(xyz) - 1)
    closed = (key[first] == key[last]) & (last > first)
    if not closed.any():
        return xyz, start
    closed &= (xyz[first] == xyz[last]).all(axis=1)
    keep = np.ones(len(xyz), dtype=np.bool_)
    keep[last[closed]] = False
    return xyz[keep], offsets(np.diff(start) - closed)


def _semantics(
    raw: Json, shells: list[Json], solids: list[Json], type_: Json
) -> tuple[tuple[SemanticSurface, ...], list[int]]:
    """Semantic surfaces, and the index of each face's one."""
    faces = sum(map(len, shells))
    if raw is None:
        return (), [-1] * faces
    content = as_object(raw)
    if content is None:
        _refuse("invalid-semantics", "the semantics of a geometry are no JSON object")
    surfaces = tuple(map(_semantic_surface, as_list(content.get("surfaces")) or []))
    values = content.get("values")
    if values is None:
        return surfaces, [-1] * faces
    try:
        flat = _flat_values(values, shells, solids, type_)
    except (TypeError, ValueError):
        _refuse("invalid-semantics", "the semantic values are not nested as the boundaries are")
    semantic = [-1 if value is None else value for value in flat]
    if len(semantic) != faces:
        _refuse("invalid-semantics", f"there are {len(semantic)} semantic values for {faces} surfaces")
    if not set(map(type, semantic)) <= {int} or not set(semantic) <= set(range(-1, len(surfaces))):
        _refuse("invalid-semantics", "a semantic value is no index of a listed surface")
    return surfaces, semantic


def _flat_values(values: Json, shells: list[Json], solids: list[Json], type_: Json) -> list[Json]:
    """Values face by face; null for a whole shell or solid stands for null for each of its faces."""
    if type_ in _SURFACES:
        return list(values)
    per_solid = [values] if type_ == "Solid" else list(values)
    per_shell: list[Json] = []
    for value, solid in zip(per_solid, solids, strict=True):
        per_shell.extend([None] * len(solid) if value is None else value)
    flat: list[Json] = []
    for value, shell in zip(per_shell, shells, strict=True):
        flat.extend([None] * len(shell) if value is None else value)
    return flat


def _semantic_surface(raw: Json) -> SemanticSurface:
    """A semantic surface; ``parent`` and ``children`` stay in its attributes."""
    attributes = dict(as_object(raw) or {})
    type_ = attributes.pop("type", None)
    if not isinstance(type_, str):
        _refuse("invalid-semantics", "a semantic surface has no type")
    identifier = attributes.get("id")
    if not isinstance(identifier, str):
        return SemanticSurface(type_, None, attributes)
    del attributes["id"]
    return SemanticSurface(type_, identifier, attributes)
