"""Geometry of GML 3.1 and 3.2: surfaces, solids and the links between them.

A feature's polygons are numbers into one pool, so that surfaces shared through ``xlink:href`` are
resolved once the whole feature was read, whichever way the link points.
"""

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NoReturn, TypeAlias, TypeVar

import numpy as np

from importers.gml_rings import RingPool
from importers.port import Refusal
from importers.xml_stream import Element, line, local_name, namespace
from twin.model.geometry import Geometry, Ints, SemanticSurface

GML_NAMESPACES = ("http://www.opengis.net/gml", "http://www.opengis.net/gml/3.2")
HREF = "{http://www.w3.org/1999/xlink}href"
_ID_KEYS = tuple(f"{{{space}}}id" for space in GML_NAMESPACES)
_ATOMS = frozenset({"Polygon", "Triangle", "Rectangle", "PolygonPatch"})
_SURFACES = {
    "MultiSurface": "MultiSurface", "CompositeSurface": "CompositeSurface", "Shell": "CompositeSurface",
    "Surface": "CompositeSurface", "PolyhedralSurface": "CompositeSurface", "Tin": "CompositeSurface",
    "TriangulatedSurface": "CompositeSurface", "OrientableSurface": "MultiSurface",
}  # fmt: skip
_MEMBERS = frozenset(
    {"surfaceMember", "surfaceMembers", "baseSurface", "patches", "polygonPatches", "trianglePatches"}
)
_SOLIDS = frozenset({"Solid", "CompositeSolid", "MultiSolid"})
AREAL = frozenset({*_ATOMS, *_SURFACES, *_SOLIDS})
"""What is a surface or a solid whatever it holds."""
_LONGEST_CHAIN = 50
_MOST_REPETITIONS = 100
_T = TypeVar("_T")


class GmlNames(dict[str, str]):
    """Tag to local name where it belongs to GML, "" for every other; filled as tags are met."""

    def __missing__(self, tag: str) -> str:
        name = local_name(tag) if namespace(tag) in GML_NAMESPACES else ""
        self[tag] = name
        return name


@dataclass(slots=True)
class Link:
    """A reference, made by ``element``, to a geometry elsewhere in the feature."""

    target: str
    element: Element
    reversed: bool = False


Surfaces: TypeAlias = list["int | Link"]
"""Polygons by number; a reversed one is ``~number``."""
Solid: TypeAlias = list[Surfaces]
"""Shells, the exterior first."""


@dataclass(frozen=True, slots=True)
class GmlGeometry:
    """A geometry as it stands in the file; a surface geometry is one solid of one shell.

    ``type`` is "" for a link whose target is not known yet.
    """

    type: str
    solids: list["Solid | Link"]


@dataclass(frozen=True, slots=True)
class ResolvedGeometry:
    """A geometry whose links were followed: polygon numbers by solid and shell."""

    type: str
    solids: list[list[list[int]]]

    def faces(self) -> list[int]:
        return [face for solid in self.solids for shell in solid for face in shell]


def gml_id(element: Element) -> str | None:
    """The gml:id of an element."""
    identifier = element.get(_ID_KEYS[0])
    return element.get(_ID_KEYS[1]) if identifier is None else identifier


@dataclass(slots=True)
class GmlPool:
    """All geometry of one feature; ``ledger`` counts geometry that is neither surface nor solid."""

    ledger: Counter[str]
    names: GmlNames = field(default_factory=GmlNames)
    rings: RingPool = field(default_factory=RingPool)
    face_start: list[int] = field(default_factory=lambda: [0])
    _surfaces: dict[str, Surfaces] = field(default_factory=dict[str, Surfaces])
    _solids: dict[str, GmlGeometry] = field(default_factory=dict[str, GmlGeometry])
    _followed: int = 0

    def property(self, element: Element) -> GmlGeometry | None:
        """The geometry in a property element; None (and a note in the ledger) where it is no surface."""
        if len(element):
            return self.geometry(element[0])
        href = element.get(HREF)
        return None if href is None else GmlGeometry("", [Link(href, element)])

    def geometry(self, element: Element) -> GmlGeometry | None:
        """A geometry element; None (and a note in the ledger) where it is no surface or solid."""
        name = self.names[element.tag]
        if name in _SOLIDS:
            geometry = GmlGeometry(name, [])
            geometry.solids.extend(
                [self._shells(element)] if name == "Solid" else self._solid_members(element)
            )
            _remember(element, self._solids, geometry)
            return geometry
        if name in _ATOMS or name in _SURFACES or not name:
            surfaces = self._surface(element)
            if surfaces or name:
                return GmlGeometry(_SURFACES.get(name, "MultiSurface"), [[surfaces]])
        self.ledger[f"geometry {name or local_name(element.tag)}"] += 1
        return None

    def _shells(self, element: Element) -> Solid:
        names = self.names
        return [self._boundary(child) for child in element if names[child.tag] in ("exterior", "interior")]

    def _boundary(self, element: Element) -> Surfaces:
        """The surfaces in a property element such as exterior, surfaceMember or baseSurface."""
        count = len(element)
        if count == 1:
            return self._surface(element[0])
        if count:
            return [surface for child in element for surface in self._surface(child)]
        href = element.get(HREF)
        return [] if href is None else [Link(href, element)]

    def _solid_members(self, element: Element) -> "Iterator[Solid | Link]":
        """The solids in a composite or multi solid, nested ones included."""
        for member in element:
            href = member.get(HREF)
            if href is not None:
                yield Link(href, member)
                continue
            for child in member:
                if self.names[child.tag] in _SOLIDS:
                    nested = self.geometry(child)
                    yield from nested.solids if nested else ()

    def _surface(self, element: Element) -> Surfaces:
        """The polygons of a surface element, depth first.

        An element of another namespace (the TexturedSurface of CityGML 1.0) wraps a surface.
        """
        names = self.names
        name = names[element.tag]
        if name in _ATOMS:
            surfaces: Surfaces = [self._polygon(element)]
        elif name in _SURFACES or not name:
            surfaces = []
            for child in element:
                if names[child.tag] in _MEMBERS:
                    surfaces.extend(self._boundary(child))
                elif not name and local_name(child.tag) == "appearance":
                    self.ledger[f"appearance {local_name(element.tag)}"] += 1
            if name == "OrientableSurface" and element.get("orientation") == "-":
                surfaces = [_reverse(surface) for surface in surfaces]
        else:
            raise Refusal(
                "unsupported-geometry", f"gml:{name} stands where a surface is expected",
                "export surfaces as polygons with linear rings", line(element),
            )  # fmt: skip
        _remember(element, self._surfaces, surfaces)
        return surfaces

    def _polygon(self, element: Element) -> int:
        names, rings = self.names, self.rings
        first = self.face_start[-1]
        for boundary in element if len(element) > 1 else (element[0],) if len(element) else ():
            name = names[boundary.tag]
            if name == "interior" and len(rings) == first:
                raise _broken_polygon(element, "a polygon has a hole before its exterior ring")
            if name in ("exterior", "interior") and len(boundary):
                ring = boundary[0]
                rings.add(ring, names[ring.tag], names)
        if len(rings) == first:
            raise _broken_polygon(element, "a polygon has no ring")
        self.face_start.append(len(rings))
        return len(self.face_start) - 2

    def faces_by_id(self, identifiers: Container[str]) -> Iterator[tuple[str, int]]:
        """The polygons of the surfaces with these ids; those of links that lead nowhere are left out."""
        for identifier, surfaces in self._surfaces.items():
            if identifier in identifiers:
                for surface in surfaces:
                    if isinstance(surface, int):
                        yield identifier, surface if surface >= 0 else ~surface

    def resolve(self, geometry: GmlGeometry) -> ResolvedGeometry:
        """Follow the links; Refusal where a target is missing or leads back to itself."""
        solids: list[list[list[int]]] = []
        type_ = self._follow_solids(geometry, solids, ())
        return ResolvedGeometry(type_, solids)

    def _follow_solids(
        self, geometry: GmlGeometry, found: list[list[list[int]]], seen: tuple[str, ...]
    ) -> str:
        """Append what the geometry consists of to ``found``; returns its type."""
        type_ = geometry.type
        for solid in geometry.solids:
            if not isinstance(solid, Link):
                found.append([self._follow(shell) for shell in solid])
                continue
            identifier = _target(solid, seen)
            if identifier in self._solids:
                target = self._follow_solids(self._solids[identifier], found, (*seen, identifier))
                type_ = type_ or target
            else:
                found.append([self._follow([solid])])
        return type_ or "MultiSurface"

    def _follow(self, surfaces: Surfaces, seen: tuple[str, ...] = ()) -> list[int]:
        """The polygons behind surfaces and links."""
        found: list[int] = []
        for surface in surfaces:
            if isinstance(surface, int):
                found.append(surface)
                continue
            identifier = _target(surface, seen)
            target = self._surfaces.get(identifier)
            if target is None:
                _refuse_link(surface, f"xlink:href #{identifier} leads to no surface of this feature")
            self._followed += len(target)
            if self._followed > _MOST_REPETITIONS * len(self.face_start):
                _refuse_link(surface, "links repeat the same surfaces over and over")
            faces = self._follow(target, (*seen, identifier))
            found.extend([~face for face in faces] if surface.reversed else faces)
        return found

    def build(
        self,
        geometry: ResolvedGeometry,
        lod: str,
        semantic: Mapping[int, int],
        semantics: tuple[SemanticSurface, ...],
    ) -> Geometry:
        """The arrays of a geometry; ``semantic`` maps polygons to indices into ``semantics``."""
        faces = geometry.faces()
        xyz, ring_lengths, surface_lengths = self.rings.select(faces, self.face_start)
        return Geometry(
            type=geometry.type,
            lod=lod,
            xyz=xyz,
            ring_start=_starts(ring_lengths),
            surface_start=_starts(surface_lengths),
            shell_start=_starts([len(shell) for solid in geometry.solids for shell in solid]),
            solid_start=_starts([len(solid) for solid in geometry.solids]),
            semantic=np.array(
                [semantic.get(face if face >= 0 else ~face, -1) for face in faces], dtype=np.int64
            ),
            semantics=semantics,
        )


def _starts(lengths: Sequence[int]) -> Ints:
    """Lengths to offsets that start at 0; quicker than numpy for the few of a building."""
    return np.array([0, *accumulate(lengths)], dtype=np.int64)


def _remember(element: Element, registry: dict[str, _T], value: _T) -> None:
    identifier = gml_id(element)
    if identifier is not None:
        registry[identifier] = value


def _reverse(surface: "int | Link") -> "int | Link":
    if isinstance(surface, int):
        return ~surface
    return Link(surface.target, surface.element, not surface.reversed)


def _target(link: Link, seen: tuple[str, ...]) -> str:
    """The id that a link names; only ids of the same file can be followed."""
    identifier = link.target.removeprefix("#")
    if identifier in seen or len(seen) > _LONGEST_CHAIN:
        _refuse_link(link, f"xlink:href #{identifier} leads back to itself", "cyclic-xlink")
    return identifier


def _refuse_link(link: Link, reason: str, code: str = "unresolved-xlink") -> NoReturn:
    raise Refusal(code, reason, "export the feature with all its surfaces", line(link.element))


def _broken_polygon(element: Element, reason: str) -> Refusal:
    return Refusal(
        "invalid-polygon",
        reason,
        "complete the polygon, its exterior ring first, or remove it",
        line(element),
    )
