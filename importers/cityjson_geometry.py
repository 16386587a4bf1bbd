"""Geometries of CityJSON (2.0, section 3) as flat arrays, all those of a feature in one go."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import NoReturn

import numpy as np

from importers.cityjson_appearance import (
    NestedAppearance,
    Resources,
    appearance,
    flatten,
    nested_appearance,
)
from importers.json_values import Json, as_list, as_object
from importers.port import Refusal
from importers.rings import FARTHEST
from twin.model.geometry import Bools, Floats, Geometry, Instance, Ints, SemanticSurface, offsets
from twin.model.rings import fingerprints

_DEPTH = {
    "MultiPoint": 0, "MultiLineString": 0, "GeometryInstance": 0, "MultiSurface": 0, "CompositeSurface": 0,
    "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2,
}  # fmt: skip
"""How many levels of boundaries stand above the surfaces; points and lines count as surfaces."""


@dataclass(frozen=True, slots=True)
class NestedGeometry:
    """A geometry whose nesting is resolved while its points are still vertex numbers.

    ``rings`` are lists of vertex numbers, the lengths count rings by surface, surfaces by shell and
    shells by solid; ``semantic`` has an index into ``semantics`` for each surface, -1 for none.
    A line is a surface of one ring, a point one of a single vertex, as in ``Geometry``.
    """

    type: str
    lod: str
    rings: list[list[int]]
    surface_lengths: list[int]
    shell_lengths: list[int]
    solid_lengths: list[int]
    semantic: list[int]
    semantics: tuple[SemanticSurface, ...]
    appearance: NestedAppearance | None = None
    instance: Instance | None = None


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


def unnest(raw: Json, resources: Resources) -> NestedGeometry:
    """Resolve the nesting of a geometry; Refusal where it is none."""
    geometry = as_object(raw)
    if geometry is None:
        _refuse("invalid-geometry", "a geometry is no JSON object")
    type_ = geometry.get("type")
    depth = _DEPTH.get(type_) if isinstance(type_, str) else None
    if depth is None:
        _refuse("unknown-geometry", f"{type_!r} is no geometry type of CityJSON")
    try:
        return _unnest(geometry, str(type_), depth, resources)
    except (TypeError, ValueError):
        _refuse("invalid-boundaries", f"the boundaries are not nested as those of a {type_}")


def _unnest(geometry: Mapping[str, Json], type_: str, depth: int, resources: Resources) -> NestedGeometry:
    solids = _solids(type_, depth, geometry.get("boundaries"))
    shells = list(chain.from_iterable(solids))
    surfaces = list(chain.from_iterable(shells))
    rings = list(chain.from_iterable(surfaces))
    semantics, semantic = _semantics(geometry.get("semantics"), solids, depth)
    instance = _instance(geometry, resources) if type_ == "GeometryInstance" else None
    surface_lengths = list(map(len, surfaces))
    if not all(surface_lengths):
        _refuse("invalid-boundaries", "a surface has no ring")
    return NestedGeometry(
        type_,
        instance.template.lod if instance else _lod(geometry.get("lod")),
        rings,
        surface_lengths,
        list(map(len, shells)),
        list(map(len, solids)),
        semantic,
        semantics,
        _appearance(geometry, solids, depth),
        instance,
    )


def _appearance(geometry: Mapping[str, Json], solids: list[Json], depth: int) -> NestedAppearance | None:
    try:
        return nested_appearance(geometry, solids, depth)
    except (TypeError, ValueError):
        # A ring that no geometry has is noted as what does not fit once the geometry is built.
        return NestedAppearance(texture={"": []})


def _instance(geometry: Mapping[str, Json], resources: Resources) -> Instance:
    """The template of an instance with its matrix (section 3.4)."""
    number, listed = geometry.get("template"), as_list(geometry.get("transformationMatrix"))
    if not isinstance(number, int) or not 0 <= number < len(resources.templates):
        _refuse("template-out-of-range", f"there is no geometry template {number!r}")
    template = resources.templates[number]
    if isinstance(template, Refusal):
        raise template
    try:
        matrix = np.array(listed, dtype=np.float64).reshape(4, 4)
    except (TypeError, ValueError):
        matrix = np.full((4, 4), np.nan)
    if template.instance is not None or not np.isfinite(matrix).all() or not matrix[3].any():
        _refuse("invalid-instance", "an instance has no matrix of 16 numbers, or its template is one itself")
    return Instance(template, matrix)


def build(
    geometries: Sequence[NestedGeometry], vertices: Floats, ledger: Counter[str], resources: Resources
) -> list[Geometry]:
    """The arrays of geometries; Refusal where a ring is none or names a vertex that is not there."""
    rings = list(chain.from_iterable(geometry.rings for geometry in geometries))
    try:
        lengths = list(map(len, rings))
        ring_start = offsets(lengths)
        index = _indices(list(chain.from_iterable(rings)), len(vertices))
    except TypeError:
        _refuse("invalid-boundaries", "a ring is no list of vertex numbers")
    if not all(lengths):
        _refuse("invalid-boundaries", "a ring has no point")
    is_open = [g.type == "MultiLineString" for g in geometries]
    may_close = None
    if any(is_open):
        may_close = ~np.repeat(is_open, [len(g.rings) for g in geometries])
    xyz, ring_start = _without_closing(vertices[index], ring_start, may_close)
    if len(xyz) and not np.abs(xyz).max() < FARTHEST:
        _refuse("invalid-coordinates", "coordinates are outside of any reference system")
    built = _slices(geometries, xyz, ring_start)
    for place, (nested, geometry) in enumerate(zip(geometries, built, strict=True)):
        _check_counts(geometry)
        if nested.appearance is not None:
            found = appearance(nested.appearance, geometry, resources, ledger)
            built[place] = replace(geometry, appearance=found)
    return built


def _check_counts(geometry: Geometry) -> None:
    """Lines have two points at least, and an instance has one reference point."""
    if geometry.type == "MultiLineString" and (np.diff(geometry.ring_start) < 2).any():
        _refuse("invalid-boundaries", "a line has fewer than 2 points")
    if geometry.instance is not None and len(geometry.xyz) != 1:
        _refuse("invalid-boundaries", "an instance has not exactly one reference point")


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
                instance=geometry.instance,
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


def _solids(type_: str, depth: int, raw: Json) -> list[Json]:
    """Boundaries with all levels: solids, shells, surfaces, rings."""
    boundaries = as_list(raw)
    if boundaries is None:
        raise TypeError
    if type_ == "MultiLineString":
        return [[[[line] for line in boundaries]]]
    if type_ in ("MultiPoint", "GeometryInstance"):
        return [[[[[vertex]] for vertex in boundaries]]]
    if depth == 2:
        return boundaries
    return [boundaries] if depth else [[boundaries]]


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


def _without_closing(xyz: Floats, start: Ints, may_close: Bools | None) -> tuple[Floats, Ints]:
    """Rings without repetitions of their first point at the end, which CityJSON does not ask for."""
    if not len(xyz):
        return xyz, start
    key = fingerprints(xyz)
    last = start[1:] - 1
    first = start[:-1]
    closed = (key[first] == key[last]) & (last > first)
    if may_close is not None:
        closed &= may_close
    if not closed.any():
        return xyz, start
    closed &= (xyz[first] == xyz[last]).all(axis=1)
    if not closed.any():
        return xyz, start
    keep = np.ones(len(xyz), dtype=np.bool_)
    keep[last[closed]] = False
    return _without_closing(xyz[keep], offsets(np.diff(start) - closed), may_close)


def _semantics(raw: Json, solids: list[Json], depth: int) -> tuple[tuple[SemanticSurface, ...], list[int]]:
    """Semantic surfaces, and the index of each face's one."""
    faces = sum(len(shell) for solid in solids for shell in solid)
    if raw is None:
        return (), [-1] * faces
    content = as_object(raw)
    if content is None:
        _refuse("invalid-semantics", "the semantics of a geometry are no JSON object")
    surfaces = tuple(map(_semantic_surface, as_list(content.get("surfaces")) or []))
    try:
        flat = flatten(content.get("values"), solids, depth)
    except (TypeError, ValueError):
        _refuse("invalid-semantics", "the semantic values are not nested as the boundaries are")
    semantic = [-1 if value is None else value for value in flat]
    if len(semantic) != faces:
        _refuse("invalid-semantics", f"there are {len(semantic)} semantic values for {faces} surfaces")
    if not set(map(type, semantic)) <= {int} or not set(semantic) <= set(range(-1, len(surfaces))):
        _refuse("invalid-semantics", "a semantic value is no index of a listed surface")
    return surfaces, semantic


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
