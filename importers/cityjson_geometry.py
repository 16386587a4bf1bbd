"""Geometries of CityJSON (2.0, section 3) as flat lists: their nesting resolved, their semantics read."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, NoReturn, cast

import numpy as np

from importers.cityjson_appearance import NestedAppearance, Resources, flatten, nested_appearance
from importers.json_values import Json, as_list, as_object
from importers.port import Refusal
from twin.model.geometry import Instance, SemanticSurface

_DEPTH = {
    "MultiPoint": 0, "MultiLineString": 0, "GeometryInstance": 0, "MultiSurface": 0, "CompositeSurface": 0,
    "Solid": 1, "MultiSolid": 2, "CompositeSolid": 2,
}  # fmt: skip
"""How many levels of boundaries stand above the surfaces; points and lines count as surfaces."""


@dataclass(slots=True)
class NestedGeometry:
    """A geometry whose nesting is resolved while its points are still vertex numbers.

    ``rings`` are lists of vertex numbers, the lengths count rings by surface, surfaces by shell and
    shells by solid; ``semantic`` has an index into ``semantics`` for each surface, -1 for none.
    A line is a surface of one ring, a point one of a single vertex, as in ``Geometry``.
    ``same_as`` is an earlier geometry with the same surfaces, whose lists these are.
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
    same_as: "NestedGeometry | None" = None


def unnest_all(listed: list[Json], resources: Resources) -> list[NestedGeometry]:
    """Resolve the nesting of the geometries of an object.

    Many deliveries give a solid and its surfaces once more by themselves: such faces are read once.
    """
    if len(listed) < 2:
        return [unnest(raw, resources) for raw in listed]
    found: list[NestedGeometry] = []
    known: list[tuple[Json, NestedGeometry]] = []
    for raw in listed:
        surfaces = _surfaces(raw)
        same = next((nested for other, nested in known if _equal(other, surfaces)), None)
        found.append(unnest(raw, resources, same))
        if same is None and surfaces is not None:
            known.append((surfaces, found[-1]))
    return found


def _equal(one: Json, other: Json) -> bool:
    try:
        return one == other
    except RecursionError:  # nested too deep for boundaries, as will be said
        return False


def _surfaces(raw: Json) -> Json:
    """The surfaces of a geometry where they stand in one list; None of any other."""
    if not isinstance(raw, dict):
        return None
    geometry = cast("dict[str, Json]", raw)
    boundaries = as_list(geometry.get("boundaries"))
    if geometry.get("type") in ("MultiSurface", "CompositeSurface"):
        return boundaries
    return boundaries[0] if geometry.get("type") == "Solid" and boundaries and len(boundaries) == 1 else None


def unnest(raw: Json, resources: Resources, same_as: NestedGeometry | None = None) -> NestedGeometry:
    """Resolve the nesting of a geometry; Refusal where it is none.

    ``same_as`` is an earlier one with the same surfaces.
    """
    geometry = as_object(raw)
    if geometry is None:
        refuse("invalid-geometry", "a geometry is no JSON object")
    type_ = geometry.get("type")
    depth = _DEPTH.get(type_) if isinstance(type_, str) else None
    if depth is None:
        refuse("unknown-geometry", f"{type_!r} is no geometry type of CityJSON")
    try:
        return _unnest(geometry, str(type_), resources, same_as)
    except (TypeError, ValueError):
        refuse("invalid-boundaries", f"the boundaries are not nested as those of a {type_}")


def _unnest(
    geometry: Mapping[str, Json], type_: str, resources: Resources, same_as: NestedGeometry | None
) -> NestedGeometry:
    depth = _DEPTH[type_]
    solids = _solids(type_, depth, geometry.get("boundaries"))
    shells = list(chain.from_iterable(solids))
    rings, surface_lengths = (same_as.rings, same_as.surface_lengths) if same_as else _rings(shells)
    semantics, semantic = _semantics(geometry.get("semantics"), solids, depth, len(surface_lengths))
    instance = _instance(geometry, resources) if type_ == "GeometryInstance" else None
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
        same_as,
    )


def _rings(shells: list[Json]) -> tuple[list[list[int]], list[int]]:
    """The rings of all surfaces, and how many each has."""
    surfaces = list(chain.from_iterable(shells))
    lengths = list(map(len, surfaces))
    if not all(lengths):
        refuse("invalid-boundaries", "a surface has no ring")
    return list(chain.from_iterable(surfaces)), lengths


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
        refuse("template-out-of-range", f"there is no geometry template {number!r}")
    template = resources.templates[number]
    if isinstance(template, Refusal):
        raise template
    try:
        matrix = np.array(listed, dtype=np.float64).reshape(4, 4)
    except (TypeError, ValueError):
        matrix = np.full((4, 4), np.nan)
    if template.instance is not None or not np.isfinite(matrix).all() or not matrix[3].any():
        refuse("invalid-instance", "an instance has no matrix of 16 numbers, or its template is one itself")
    return Instance(template, matrix)


def refuse(code: str, reason: str, suggestion: str = "correct the geometry and import again") -> NoReturn:
    """Say that a geometry cannot be read."""
    raise Refusal(code, reason, suggestion)


def _lod(raw: Json) -> str:
    """LoD as text; CityJSON 1.0 has numbers."""
    lod = str(raw) if isinstance(raw, str | int | float) and not isinstance(raw, bool) else ""
    if not lod.replace(".", "", 1).isdecimal():
        refuse("invalid-lod", f"the LoD of a geometry is {raw!r}", 'give it one, such as "lod": "2"')
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


def _semantics(
    raw: Json, solids: list[Json], depth: int, faces: int
) -> tuple[tuple[SemanticSurface, ...], list[int]]:
    """Semantic surfaces, and the index of each face's one."""
    if raw is None:
        return (), [-1] * faces
    content = as_object(raw)
    if content is None:
        refuse("invalid-semantics", "the semantics of a geometry are no JSON object")
    surfaces = _semantic_surfaces(as_list(content.get("surfaces")) or [])
    try:
        flat = flatten(content.get("values"), solids, depth)
    except (TypeError, ValueError):
        refuse("invalid-semantics", "the semantic values are not nested as the boundaries are")
    semantic = [-1 if value is None else value for value in flat] if None in flat else flat
    if len(semantic) != faces:
        refuse("invalid-semantics", f"there are {len(semantic)} semantic values for {faces} surfaces")
    if not set(map(type, semantic)) <= {int} or not set(semantic) <= set(range(-1, len(surfaces))):
        refuse("invalid-semantics", "a semantic value is no index of a listed surface")
    return surfaces, semantic


_tuple: Any = tuple.__new__  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
"""Makes a named tuple three times as fast as its class does."""


def _semantic_surfaces(listed: list[Json]) -> tuple[SemanticSurface, ...]:
    """Semantic surfaces; ``parent`` and ``children`` stay in their attributes.

    What is read is taken out of the objects, so that the rest need not be copied.
    """
    try:
        surfaces = tuple(
            [
                _tuple(
                    SemanticSurface,
                    (raw.pop("type"), raw.pop("id") if type(raw.get("id")) is str else None, raw),
                )
                for raw in listed
            ]
        )
    except (AttributeError, KeyError, TypeError):
        surfaces = None
    if surfaces is None or not set(map(type, [surface.type for surface in surfaces])) <= {str}:
        refuse("invalid-semantics", "a semantic surface has no type")
    return surfaces
