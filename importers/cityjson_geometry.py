"""Geometries of CityJSON (2.0, section 3) as flat arrays."""

from collections import Counter
from collections.abc import Sequence
from itertools import chain
from typing import NoReturn

import numpy as np

from importers.json_values import Json, as_list, as_object
from importers.port import Refusal
from importers.rings import FARTHEST, without_degenerate
from twin.model.geometry import Floats, Geometry, Ints, SemanticSurface, offsets

_SURFACES = frozenset({"MultiSurface", "CompositeSurface"})
_SOLIDS = frozenset({"MultiSolid", "CompositeSolid"})
_NOT_STORED = frozenset({"MultiPoint", "MultiLineString", "GeometryInstance"})
_APPEARANCE = ("material", "texture")


def read_vertices(raw: Json, scale: Floats, translate: Floats) -> Floats:
    """Vertices as coordinates, shape (vertices, 3); Refusal where they are no points."""
    try:
        vertices = np.array(raw)
    except (ValueError, TypeError, OverflowError):
        _refuse("invalid-vertices", "the vertices are not lists of three numbers")
    if not isinstance(raw, list) or not raw:
        return np.zeros((0, 3))
    if vertices.dtype.kind not in "iuf" or vertices.ndim != 2 or vertices.shape[1] != 3:
        _refuse("invalid-vertices", "the vertices are not lists of three numbers")
    return vertices * scale + translate


def read_geometry(raw: Json, vertices: Floats, ledger: Counter[str]) -> Geometry | None:
    """One geometry; None (and a note in the ledger) for points, lines and template instances."""
    geometry = as_object(raw)
    if geometry is None:
        _refuse("invalid-geometry", "a geometry is no JSON object")
    type_ = geometry.get("type")
    if type_ in _NOT_STORED:
        ledger[f"geometry {type_}"] += 1
        return None
    for appearance in _APPEARANCE:
        if appearance in geometry:
            ledger[f"appearance {appearance}"] += 1
    lod = _lod(geometry.get("lod"))
    try:
        solids = _solids(type_, geometry.get("boundaries"))
        shells = list(chain.from_iterable(solids))
        surfaces = list(chain.from_iterable(shells))
        rings = list(chain.from_iterable(surfaces))
        indices = list(chain.from_iterable(rings))
    except TypeError:
        _refuse("invalid-boundaries", f"the boundaries are not nested as those of a {type_}")
    index, ring_start = _without_closing(_indices(indices, len(vertices)), offsets(_lengths(rings)))
    xyz = vertices[index]
    if not all(surfaces):
        _refuse("invalid-boundaries", "a surface has no ring")
    if not (np.abs(xyz) < FARTHEST).all():
        _refuse("invalid-coordinates", "coordinates are outside of any reference system")
    semantics, semantic = _semantics(geometry.get("semantics"), shells, solids, type_)
    built = Geometry(
        type=str(type_),
        lod=lod,
        xyz=xyz,
        ring_start=ring_start,
        surface_start=offsets(_lengths(surfaces)),
        shell_start=offsets(_lengths(shells)),
        solid_start=offsets(_lengths(solids)),
        semantic=semantic,
        semantics=semantics,
    )
    return without_degenerate(built, ledger)


def _refuse(code: str, reason: str, suggestion: str = "correct the geometry and import again") -> NoReturn:
    raise Refusal(code, reason, suggestion)


def _lod(raw: Json) -> str:
    """LoD as text; CityJSON 1.0 has numbers."""
    lod = str(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""
    if not lod.replace(".", "", 1).isdigit():
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


def _lengths(items: Sequence[Json]) -> list[int]:
    return list(map(len, items))


def _indices(raw: list[Json], vertices: int) -> Ints:
    try:
        index = np.array(raw)
    except (ValueError, OverflowError):
        _refuse("invalid-boundaries", "a ring is no list of vertex numbers")
    if not raw:
        return np.zeros(0, dtype=np.int64)
    if index.dtype.kind not in "iu" or index.ndim != 1:
        _refuse("invalid-boundaries", "a ring is no list of vertex numbers")
    low, high = int(index.min()), int(index.max())
    if low < 0 or high >= vertices:
        wrong = low if low < 0 else high
        _refuse("vertex-out-of-range", f"a ring uses vertex {wrong}, but there are {vertices} vertices")
    return index.astype(np.int64, copy=False)


def _without_closing(index: Ints, start: Ints) -> tuple[Ints, Ints]:
    """Rings without a repetition of their first vertex, which CityJSON does not ask for."""
    lengths = np.diff(start)
    some = lengths > 1
    last = start[1:][some] - 1
    closed = index[start[:-1][some]] == index[last]
    if not closed.any():
        return index, start
    keep = np.ones(len(index), dtype=np.bool_)
    keep[last[closed]] = False
    shorter = lengths.copy()
    shorter[np.flatnonzero(some)[closed]] -= 1
    return index[keep], offsets(shorter)


def _semantics(
    raw: Json, shells: list[Json], solids: list[Json], type_: Json
) -> tuple[tuple[SemanticSurface, ...], Ints]:
    """Semantic surfaces, and the index of each face's one (-1 for none)."""
    faces = sum(_lengths(shells))
    none = np.full(faces, -1, dtype=np.int64)
    if raw is None:
        return (), none
    content = as_object(raw)
    if content is None:
        _refuse("invalid-semantics", "the semantics of a geometry are no JSON object")
    surfaces = tuple(map(_semantic_surface, as_list(content.get("surfaces")) or []))
    values = content.get("values")
    if values is None:
        return surfaces, none
    try:
        flat = _flat_values(values, shells, solids, type_)
        semantic = np.array([-1 if value is None else value for value in flat], dtype=np.int64)
    except (TypeError, ValueError, OverflowError):
        _refuse("invalid-semantics", "the semantic values are not nested as the boundaries are")
    if len(semantic) != faces:
        _refuse("invalid-semantics", f"there are {len(semantic)} semantic values for {faces} surfaces")
    if faces and not (semantic.min() >= -1 and semantic.max() < len(surfaces)):
        _refuse("invalid-semantics", "a semantic value names a surface that is not listed")
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
    identifier = attributes.pop("id") if isinstance(attributes.get("id"), str) else None
    return SemanticSurface(type_, identifier, attributes)
