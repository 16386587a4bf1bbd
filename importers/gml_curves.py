"""Points and lines of GML, and templates that stand at a point (implicit geometry)."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from importers.citygml_names import Names
from importers.gml import HREF, GmlNames, GmlPool, gml_id
from importers.port import Refusal
from importers.rings import FARTHEST
from importers.xml_stream import Element, line
from twin.model.geometry import Floats, Geometry, Instance, SemanticSurface, curves, offsets, points

Dress: TypeAlias = Callable[[GmlPool, Geometry, Sequence[int]], Geometry]
"""Gives a geometry, whose polygons have numbers in a pool, what appearances say of it."""
_POINTS = frozenset({"Point", "MultiPoint"})
_LINES = frozenset(
    {"LineString", "Curve", "MultiCurve", "CompositeCurve", "GeometricComplex", "OrientableCurve"}
)
_ARCS = frozenset({"Arc", "ArcString", "Circle", "BSpline", "Bezier", "CubicSpline", "Clothoid"})
_LINE = frozenset({"LineString", "LineStringSegment"})
_COORDINATES = frozenset({"pos", "posList", "coordinates"})


def read_curves(element: Element, lod: str, names: GmlNames) -> Geometry | None:
    """A MultiPoint or MultiLineString; None where the element is neither points nor lines.

    None too where it holds arcs or links, which have no straight lines to keep.
    """
    name = names[element.tag]
    if name in _POINTS:
        found = [_numbers(inner) for inner in element.iter() if names[inner.tag] in _COORDINATES]
        return points("MultiPoint", lod, np.concatenate([np.zeros((0, 3)), *found])) if found else None
    if name not in _LINES:
        return None
    kinds = {names[inner.tag] for inner in element.iter()}
    is_linked = any(inner.get(HREF) is not None for inner in element.iter())
    if is_linked or kinds & _ARCS:
        return None
    lines = [_line(inner, names) for inner in element.iter() if names[inner.tag] in _LINE]
    if not lines:
        return None
    return curves("MultiLineString", lod, np.concatenate(lines), offsets([len(points) for points in lines]))


def _line(element: Element, names: GmlNames) -> Floats:
    found = [_numbers(inner) for inner in element.iter() if names[inner.tag] in _COORDINATES]
    xyz = np.concatenate([np.zeros((0, 3)), *found])
    if len(xyz) < 2:
        raise Refusal("invalid-coordinates", "a line has fewer than 2 points", _CORRECT, line(element))
    return xyz


_CORRECT = "correct the coordinates (three finite numbers a point) and import again"


def _numbers(element: Element) -> Floats:
    text = (element.text or "").replace(",", " ")
    try:
        values = np.array([float(token) for token in text.split()])
        xyz = values.reshape(-1, 3)
    except ValueError:
        reason = "the coordinates of a point or line are not three numbers a point"
        raise Refusal("invalid-coordinates", reason, _CORRECT, line(element)) from None
    if not len(xyz) or not np.abs(xyz).max() < FARTHEST:
        reason = "the coordinates of a point or line are outside of any reference system"
        raise Refusal("invalid-coordinates", reason, _CORRECT, line(element))
    return xyz


def named(geometry: Geometry, property_name: str) -> Geometry:
    """Lines that are where an object meets the terrain say so, as CityJSON has no other place for it."""
    if "TerrainIntersection" not in property_name:
        return geometry
    semantic = np.zeros(len(geometry.semantic), dtype=np.int64)
    return replace(geometry, semantic=semantic, semantics=(SemanticSurface("+TerrainIntersection"),))


def outside(parts: Mapping[str, Element], lod: str, place: Floats) -> Geometry | None:
    """The place of a template that is in another file or a library, which is named beside it."""
    library = parts.get("libraryObject")
    if library is None:
        return None
    attributes: dict[str, Any] = {"libraryObject": (library.text or "").strip() or library.get(HREF)}
    if "mimeType" in parts:
        attributes["mimeType"] = (parts["mimeType"].text or "").strip()
    attributes["transformationMatrix"] = _matrix(parts).reshape(-1).tolist()
    found = points("MultiPoint", lod, place)
    semantic = np.zeros(len(found.semantic), dtype=np.int64)
    return replace(
        found, semantic=semantic, semantics=(SemanticSurface("+ImplicitGeometry", None, attributes),)
    )


class Library:
    """Templates of a file by their gml:id: one object has the geometry, others link to it.

    ``missing`` is asked, with an id, for templates that were not met yet.
    """

    def __init__(self, missing: Callable[[str], Element | None] = lambda _: None) -> None:
        self._templates: dict[str, Geometry] = {}
        self._missing = missing

    def instance(
        self, element: Element, lod: str, names: Names, gml_names: GmlNames, dress: Dress
    ) -> Geometry | None:
        """The instance in an ImplicitGeometry; None where its template or its place is not there."""
        parts = {names[child.tag].local: child for child in element}
        shape = (
            parts["relativeGMLGeometry"] if "relativeGMLGeometry" in parts else parts.get("relativeGeometry")
        )
        template = self._template(shape, lod, gml_names, dress)
        reference = parts.get("referencePoint")
        place = None if reference is None or not len(reference) else read_curves(reference[0], lod, gml_names)
        if place is None or len(place.xyz) != 1:
            return None
        if template is None:
            return outside(parts, lod, place.xyz)
        return points("GeometryInstance", template.lod, place.xyz, Instance(template, _matrix(parts)))

    def _template(self, element: Element | None, lod: str, names: GmlNames, dress: Dress) -> Geometry | None:
        if element is None:
            return None
        if not len(element):
            return self._linked((element.get(HREF) or "").removeprefix("#"), lod, names, dress)
        found = _geometry(element[0], lod, names, dress)
        identifier = gml_id(element[0])
        if found is not None and identifier is not None:
            self._templates[identifier] = found
        return found

    def _linked(self, identifier: str, lod: str, names: GmlNames, dress: Dress) -> Geometry | None:
        if identifier not in self._templates and (element := self._missing(identifier)) is not None:
            found = _geometry(element, lod, names, dress)
            if found is not None:
                self._templates[identifier] = found
        return self._templates.get(identifier)


def _geometry(element: Element, lod: str, names: GmlNames, dress: Dress) -> Geometry | None:
    """A geometry by itself, in the coordinates of its template."""
    simple = read_curves(element, lod, names)
    if simple is not None:
        return simple
    pool = GmlPool(Counter(), names)
    found = pool.geometry(element)
    if found is None:
        return None
    resolved = pool.resolve(found)
    return dress(pool, pool.build(resolved, lod, {}, ()), resolved.faces())


def _matrix(parts: Mapping[str, Element]) -> Floats:
    """The matrix of 16 numbers; without one the template stands as it is."""
    element = parts.get("transformationMatrix")
    if element is None:
        return np.eye(4)
    try:
        matrix = np.array([float(token) for token in (element.text or "").split()]).reshape(4, 4)
    except ValueError:
        matrix = np.full((4, 4), np.nan)
    if not np.isfinite(matrix).all() or not matrix[3].any():
        reason = "the matrix of an implicit geometry has not 16 numbers"
        raise Refusal("invalid-instance", reason, "correct the matrix and import again", line(element))
    return matrix
