"""Writes CityGML 2.0: buildings with parts and installations, their surfaces, solids and attributes.

Objects of other kinds become generic city objects that name their type. What CityGML 2.0 has no
place for (points and lines, templates, appearances) is left out.
"""

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import Any, BinaryIO, cast
from xml.sax.saxutils import escape, quoteattr

import numpy as np
import orjson

from twin.model.cityobject import Address, CityFeature, CityObject
from twin.model.geometry import Geometry

_SPACE = "http://www.opengis.net/citygml"
_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<core:CityModel xmlns:core="{_SPACE}/2.0" xmlns:bldg="{_SPACE}/building/2.0"
  xmlns:gen="{_SPACE}/generics/2.0" xmlns:gml="http://www.opengis.net/gml"
  xmlns:xAL="urn:oasis:names:tc:ciq:xsdschema:xAL:2.0" xmlns:xlink="http://www.w3.org/1999/xlink">
"""
_CHILDREN = {"BuildingPart": "consistsOfBuildingPart", "BuildingInstallation": "outerBuildingInstallation"}
_STANDARD = (
    "class", "function", "usage", "yearOfConstruction", "yearOfDemolition", "roofType", "measuredHeight",
    "storeysAboveGround", "storeysBelowGround",
)  # fmt: skip
"""Attributes with elements of their own, in the order of the schema."""
_OPENINGS = frozenset({"Window", "Door"})
_SURFACES = frozenset(
    {
        "GroundSurface", "WallSurface", "RoofSurface", "OuterCeilingSurface", "OuterFloorSurface",
        "ClosureSurface", "InteriorWallSurface", "CeilingSurface", "FloorSurface", *_OPENINGS,
    }
)  # fmt: skip


def write(file: BinaryIO, features: Iterable[CityFeature], epsg: int | None, title: str) -> None:
    """A whole model, one feature in memory at a time; eastings come first."""
    file.write(f"{_HEAD}<gml:name>{escape(title)}</gml:name>\n".encode())
    if epsg is not None:
        reference = f'<gml:Envelope srsName="urn:ogc:def:crs:EPSG::{epsg}"/>'
        file.write(f"<gml:boundedBy>{reference}</gml:boundedBy>\n".encode())
    for feature in features:
        content = "".join(_object(feature, feature.root))
        file.write(f"<core:cityObjectMember>{content}</core:cityObjectMember>\n".encode())
    file.write(b"</core:CityModel>\n")


def _object(feature: CityFeature, item: CityObject) -> Iterator[str]:
    """An object with all that is below it."""
    is_building = item.type in ("Building", *_CHILDREN)
    tag = f"bldg:{item.type}" if is_building else "gen:GenericCityObject"
    yield f"<{tag} gml:id={quoteattr(item.id)}>"
    standard = {name: item.attributes[name] for name in _STANDARD if is_building and name in item.attributes}
    for name, value in item.attributes.items():
        if name not in standard:
            yield _generic(name, value)
    if not is_building:
        yield _generic("type", item.type)
    for name, value in standard.items():
        unit = ' uom="m"' if name == "measuredHeight" else ""
        yield f"<bldg:{name}{unit}>{_text(value)}</bldg:{name}>"
    prefix = "bldg" if is_building else "gen"
    for ordinal, geometry in enumerate(item.geometries):
        if geometry.dimension == 2:
            yield from _Written(item.id, ordinal, geometry, prefix).lines()
    for child in feature:
        if child.parent == item.id and child is not item:
            name = _CHILDREN.get(child.type, "consistsOfBuildingPart")
            yield f"<bldg:{name}>{''.join(_object(feature, child))}</bldg:{name}>"
    if is_building:
        yield from map(_address, item.addresses)
    yield f"</{tag}>"


def _text(value: Any) -> str:
    """A value as the text of an element; what has no plain text stands as JSON."""
    if value is None:
        return ""
    return escape(value if isinstance(value, str) else orjson.dumps(value).decode())


def _generic(name: str, value: Any) -> str:
    """A generic attribute; objects become sets, lists several attributes of one name."""
    label = quoteattr(name)
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        if members.keys() == {"value", "uom"}:
            unit = quoteattr(str(members["uom"] or ""))
            content = f"<gen:value uom={unit}>{_text(members['value'])}</gen:value>"
            return f"<gen:measureAttribute name={label}>{content}</gen:measureAttribute>"
        inner = "".join(_generic(key, member) for key, member in members.items())
        return f"<gen:genericAttributeSet name={label}>{inner}</gen:genericAttributeSet>"
    if isinstance(value, list) and len(cast("list[Any]", value)) > 1:
        return "".join(_generic(name, each) for each in cast("list[Any]", value))
    kind = "string"
    if isinstance(value, int | float) and not isinstance(value, bool):
        kind = "int" if isinstance(value, int) else "double"
    content = f"<gen:value>{_text(value)}</gen:value>"
    return f"<gen:{kind}Attribute name={label}>{content}</gen:{kind}Attribute>"


def _address(address: Address) -> str:
    parts = {name: escape(value) for name, value in address.parts().items()}
    road = _elements(parts, {"street": "ThoroughfareName", "house_number": "ThoroughfareNumber"})
    code = _elements(parts, {"postal_code": "PostalCodeNumber"})
    place = _elements(parts, {"locality": "LocalityName"})
    country = _elements(parts, {"country": "CountryName"})
    inner = f"{place}{_within('Thoroughfare', road)}{_within('PostalCode', code)}"
    details = _within("AddressDetails", _within("Country", country + _within("Locality", inner)))
    content = f"<core:Address><core:xalAddress>{details}</core:xalAddress></core:Address>"
    return f"<bldg:address>{content}</bldg:address>"


def _elements(parts: dict[str, str], names: dict[str, str]) -> str:
    return "".join(f"<xAL:{name}>{parts[part]}</xAL:{name}>" for part, name in names.items() if part in parts)


def _within(name: str, content: str) -> str:
    return f"<xAL:{name}>{content}</xAL:{name}>" if content else ""


class _Written:
    """One geometry: thematic surfaces that have the polygons, and what links to them."""

    def __init__(self, object_id: str, ordinal: int, geometry: Geometry, prefix: str) -> None:
        self._id = f"{object_id}_{ordinal}"
        self._geometry = geometry
        self._lod = int(float(geometry.lod))
        self._prefix = prefix
        self._semantic: list[int] = geometry.semantic.tolist()
        self._points: list[list[float]] = geometry.xyz.tolist()
        self._rings: list[int] = geometry.surface_start.tolist()
        self._starts: list[int] = geometry.ring_start.tolist()
        self._solids: list[int] = geometry.solid_start.tolist()

    def lines(self) -> Iterator[str]:
        """The elements of the geometry, in the order of the schema."""
        thematic = [
            index if self._prefix == "bldg" and surface.type in _SURFACES else -1
            for index, surface in enumerate(self._geometry.semantics)
        ]
        self._semantic = [thematic[index] if index >= 0 else -1 for index in self._semantic]
        if self._prefix == "bldg" and self._lod >= 2:
            yield self._own()
            yield from self._boundaries()
        else:
            self._semantic = [-1] * len(self._semantic)
            yield self._own()

    def _own(self) -> str:
        geometry = self._geometry
        faces = range(len(self._semantic))
        if self._lod == 0 and self._prefix == "bldg":
            inner = self._multi_surface(faces)
            return f"<bldg:lod0FootPrint>{inner}</bldg:lod0FootPrint>"
        if not geometry.is_solid:
            bare = [face for face in faces if self._semantic[face] < 0]
            name = "MultiSurface" if self._prefix == "bldg" else "Geometry"
            return self._property(name, self._multi_surface(bare)) if bare else ""
        solids = [self._solid(range(low, high)) for low, high in pairwise(self._solids)]
        content = (
            solids[0] if geometry.type == "Solid" else _collected("CompositeSolid", "solidMember", solids)
        )
        return self._property("Solid" if self._prefix == "bldg" else "Geometry", content)

    def _property(self, name: str, content: str) -> str:
        tag = f"{self._prefix}:lod{self._lod}{name}"
        return f"<{tag}>{content}</{tag}>"

    def _solid(self, shells: range) -> str:
        cuts: list[int] = self._geometry.shell_start.tolist()
        written: list[str] = []
        for shell in shells:
            side = "interior" if written else "exterior"
            members = [self._member(face) for face in range(cuts[shell], cuts[shell + 1])]
            surface = f"<gml:CompositeSurface>{''.join(members)}</gml:CompositeSurface>"
            written.append(f"<gml:{side}>{surface}</gml:{side}>")
        return f"<gml:Solid>{''.join(written)}</gml:Solid>"

    def _member(self, face: int) -> str:
        """A polygon, or a link to it where a thematic surface has it."""
        if self._semantic[face] < 0:
            return f"<gml:surfaceMember>{self._polygon(face)}</gml:surfaceMember>"
        return f"<gml:surfaceMember xlink:href={quoteattr(f'#{self._id}_{face}')}/>"

    def _multi_surface(self, faces: Iterable[int]) -> str:
        return _collected("MultiSurface", "surfaceMember", [self._polygon(face) for face in faces])

    def _polygon(self, face: int) -> str:
        rings = [self._ring(ring) for ring in range(self._rings[face], self._rings[face + 1])]
        inner = "".join(f"<gml:interior>{ring}</gml:interior>" for ring in rings[1:])
        name = quoteattr(f"{self._id}_{face}")
        return f"<gml:Polygon gml:id={name}><gml:exterior>{rings[0]}</gml:exterior>{inner}</gml:Polygon>"

    def _ring(self, ring: int) -> str:
        low, high = self._starts[ring], self._starts[ring + 1]
        points = [*self._points[low:high], self._points[low]]
        text = " ".join(repr(value) for point in points for value in point)
        return f"<gml:LinearRing><gml:posList>{text}</gml:posList></gml:LinearRing>"

    def _boundaries(self) -> Iterator[str]:
        """Thematic surfaces with their openings inside."""
        semantics = self._geometry.semantics
        used = set(self._semantic)
        nested = {i: s.attributes.get("parent") for i, s in enumerate(semantics) if s.type in _OPENINGS}
        for index, surface in enumerate(semantics):
            inside = [i for i, parent in nested.items() if parent == index and i in used]
            is_alone = nested.get(index) is None
            if is_alone and surface.type in _SURFACES and (index in used or inside):
                yield f"<bldg:boundedBy>{self._surface(index, inside)}</bldg:boundedBy>"

    def _surface(self, index: int, openings: Iterable[int]) -> str:
        surface = self._geometry.semantics[index]
        name = "" if surface.id is None else f" gml:id={quoteattr(surface.id)}"
        kept = {k: v for k, v in surface.attributes.items() if k not in ("parent", "children")}
        attributes = "".join(_generic(key, value) for key, value in kept.items())
        faces: list[int] = np.flatnonzero(np.array(self._semantic) == index).tolist()
        shape = self._property("MultiSurface", self._multi_surface(faces)) if faces else ""
        inner = "".join(f"<bldg:opening>{self._surface(i, ())}</bldg:opening>" for i in openings)
        return f"<bldg:{surface.type}{name}>{attributes}{shape}{inner}</bldg:{surface.type}>"


def _collected(name: str, member: str, parts: Iterable[str]) -> str:
    inner = "".join(f"<gml:{member}>{part}</gml:{member}>" for part in parts)
    return f"<gml:{name}>{inner}</gml:{name}>"
