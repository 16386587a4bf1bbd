"""One feature as CityGML 2.0: its objects, thematic surfaces and geometries, in the order of the schema."""

from collections import Counter
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any
from xml.sax.saxutils import quoteattr

from twin.formats.citygml_appearance import Looks
from twin.formats.citygml_attributes import Attributes
from twin.formats.citygml_gml import Gml, collected, is_triangulated, points
from twin.formats.citygml_schema import KINDS, OPENINGS, SURFACE_PROPERTIES, Kind, attributes_of
from twin.formats.citygml_templates import Shapes, outside
from twin.model.cityobject import Address, CityFeature, CityObject
from twin.model.geometry import Geometry, SemanticSurface

_GENERIC = KINDS["GenericCityObject"]
_FINEST = 4
_TERRAIN = "+TerrainIntersection"
_LIBRARY = "+ImplicitGeometry"


@dataclass(slots=True)
class _Surface:
    """A thematic surface over all the geometries that show it: polygons by level, openings inside."""

    surface: SemanticSurface
    polygons: dict[int, list[tuple[Gml, int]]] = field(default_factory=dict[int, "list[tuple[Gml, int]]"])
    openings: "list[_Surface]" = field(default_factory=list["_Surface"])

    def opening(self, surface: SemanticSurface) -> "_Surface":
        """The opening inside that is this surface, of whatever geometry."""
        for known in self.openings:
            if known.surface is surface or (surface.id is not None and known.surface.id == surface.id):
                return known
        self.openings.append(_Surface(surface))
        return self.openings[-1]


class Writer:
    """Writes features; ``ledger`` counts what CityGML 2.0 has no place for."""

    def __init__(self, ledger: Counter[str]) -> None:
        self.ledger = ledger
        self._attributes = Attributes(ledger)
        self.shapes = Shapes(ledger)

    def members(self, feature: CityFeature) -> Iterator[str]:
        """The elements of the feature, the root first; others are those that their parent cannot hold."""
        children: dict[str, list[CityObject]] = {}
        for item in feature.objects[1:]:
            children.setdefault(item.parent or "", []).append(item)
        apart = [feature.root]
        for item in apart:  # grows while it is walked
            yield self._object(item, self._kind(item), children, apart, is_apart=item is not feature.root)

    def _kind(self, item: CityObject) -> Kind:
        name = item.type.removeprefix("+")
        if name == "TINRelief" and not all(map(_is_tin, item.geometries)):
            return _GENERIC
        return KINDS.get(name, _GENERIC)

    def _object(
        self,
        item: CityObject,
        kind: Kind,
        children: Mapping[str, Sequence[CityObject]],
        apart: list[CityObject],
        *,
        is_apart: bool,
    ) -> str:
        """An object with all that is below it."""
        body = _Body(self, item, kind)
        attributes = dict(item.attributes)
        if is_apart:
            self.ledger[f"{item.type} apart from what it is in"] += 1
            attributes["parent"] = f"#{item.parent}"
        if kind is _GENERIC and item.type != "GenericCityObject":
            self.ledger[f"{item.type} as GenericCityObject"] += 1
            attributes["type"] = item.type
        for name in item.extra.keys() - {"children", "children_roles", "parents"}:
            self.ledger[f"member {name}"] += 1
        body.group(attributes)
        if "lod" in kind.properties:
            body.level(attributes)
        head, known = self._attributes.write(attributes, kind.prefix, attributes_of(kind))
        for name, text in known.items():
            body.add(name, text)
        body.geometries()
        for child in children.get(item.id, ()):
            holder = kind.children.get(child.type.removeprefix("+"))
            inner = self._kind(child)
            if holder is None or inner is _GENERIC:
                apart.append(child)
                continue
            name, element = holder
            inner = KINDS[element.partition(":")[2]] if ":Int" in element else inner
            content = self._object(child, inner, children, apart, is_apart=False)
            body.add(name, f"<{kind.prefix}:{name}>{content}</{kind.prefix}:{name}>")
        for address in item.addresses:
            body.address(self._address(address))
        name = quoteattr(item.id)
        return f"<{kind.element} gml:id={name}>{head}{body.looks.written()}{body.ordered()}</{kind.element}>"

    def _address(self, address: Address) -> str:
        location = "" if address.location is None else points(address.location.xyz)
        return self._attributes.address(
            address, f"<core:multiPoint>{location}</core:multiPoint>" if location else ""
        )

    def surface(self, entry: _Surface, prefix: str) -> str:
        """A thematic surface with its openings inside."""
        surface = entry.surface
        name = "" if surface.id is None else f" gml:id={quoteattr(surface.id)}"
        kept = {k: v for k, v in surface.attributes.items() if k not in ("parent", "children")}
        own = SURFACE_PROPERTIES[surface.type]
        head, known = self._attributes.write(kept, prefix, own)
        shapes = "".join(_shape(prefix, level, faces) for level, faces in sorted(entry.polygons.items()))
        inner = "".join(
            f"<{prefix}:opening>{self.surface(opening, prefix)}</{prefix}:opening>"
            for opening in entry.openings
        )
        content = f"{head}{''.join(known.values())}{shapes}{inner}"
        return f"<{prefix}:{surface.type}{name}>{content}</{prefix}:{surface.type}>"


@dataclass(slots=True)
class _Body:
    """The properties of one object by name, so that they can be put in the order of the schema."""

    writer: Writer
    item: CityObject
    kind: Kind
    looks: Looks = field(default_factory=Looks)
    _written: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    _apart: set[int] = field(default_factory=set[int])

    def add(self, name: str, text: str) -> None:
        """Add a property, whole."""
        self._written.setdefault(name, []).append(text)

    def ordered(self) -> str:
        """All properties in the order of the schema."""
        return "".join(text for name in self.kind.properties for text in self._written.get(name, ()))

    def _hold(self, name: str, content: str) -> None:
        self.add(name, f"<{self.kind.prefix}:{name}>{content}</{self.kind.prefix}:{name}>")

    def address(self, content: str) -> None:
        """An address, where the class has any."""
        if self.kind.has("address"):
            self._hold("address", content)
        else:
            self.writer.ledger[f"address of {self.item.type}"] += 1

    def group(self, attributes: dict[str, object]) -> None:
        """Members of a group with their roles, and what it belongs to."""
        if not self.kind.has("groupMember"):
            return
        members: list[str] = self.item.extra.get("children", [])
        roles: list[str | None] = self.item.extra.get("children_roles") or []
        for member, role in zip_longest(members, roles[: len(members)]):
            known = "" if role is None else f" role={quoteattr(str(role))}"
            self.add("groupMember", f"<grp:groupMember{known} xlink:href={quoteattr('#' + member)}/>")
        parent = attributes.get("parent")
        if isinstance(parent, str) and parent.startswith("#"):
            del attributes["parent"]
            self.add("parent", f"<grp:parent xlink:href={quoteattr(parent)}/>")

    def level(self, attributes: dict[str, object]) -> None:
        """The level of detail of relief, which has it as an attribute."""
        known = attributes.get("lod")
        levels = [geometry.lod for geometry in self.item.geometries]
        text = known if isinstance(known, str) and known.isdecimal() else (levels or ["0"])[0][:1]
        if known == text:
            del attributes["lod"]
        else:
            self.writer.ledger["level of relief as an attribute"] += 1
        self._hold("lod", text)

    def geometries(self) -> None:
        """Everything that has coordinates."""
        surfaces: dict[object, _Surface] = {}
        for ordinal, geometry in enumerate(map(self._in_place, self._chosen())):
            if not len(geometry.xyz):
                self.writer.ledger["empty geometry"] += 1
            elif geometry.dimension == 2:
                self._surfaces(f"{self.item.id}_{ordinal}", geometry, surfaces)
            elif not self._simple(geometry):
                self._lost(geometry)
        for entry in surfaces.values():
            holder = self.kind.surfaces[entry.surface.type]
            self._hold(holder, self.writer.surface(entry, self.kind.prefix))

    def _in_place(self, geometry: Geometry) -> Geometry:
        """A template as a geometry of its own where the class has no property for one."""
        if geometry.instance is None or self._first(f"lod{_level(geometry)}ImplicitRepresentation"):
            return geometry
        self.writer.ledger["template in place"] += 1
        return geometry.instance.placed(geometry.xyz[0])

    def _chosen(self) -> Iterator[Geometry]:
        """The geometries, of those with refined levels the finest, as a property can be there once."""
        finest: dict[tuple[int, str], str] = {}
        for geometry in self.item.geometries:
            key = _level(geometry), geometry.type
            finest[key] = max(finest.get(key, "0"), geometry.lod, key=float)
        for geometry in self.item.geometries:
            level = _level(geometry)
            if finest[level, geometry.type] != geometry.lod:
                self.writer.ledger[f"geometry of LoD {geometry.lod} beside a finer one"] += 1
            elif not 0 <= level <= _FINEST:
                self._lost(geometry)
            else:
                if geometry.lod != str(level):
                    self.writer.ledger[f"LoD {geometry.lod} as LoD {level}"] += 1
                yield geometry

    def _lost(self, geometry: Geometry) -> None:
        self.writer.ledger[f"geometry {geometry.type} of LoD {geometry.lod} of {self.item.type}"] += 1

    def _first(self, *names: str) -> str | None:
        """The first property that the class has and that is not taken."""
        return next((n for n in names if self.kind.has(n) and n not in self._written), None)

    def _simple(self, geometry: Geometry) -> bool:
        """Points, lines and templates; whether there is a property for them."""
        level = _level(geometry)
        types = {surface.type for surface in geometry.semantics}
        gml = Gml("", geometry)
        if geometry.instance is not None:
            name = self._first(f"lod{level}ImplicitRepresentation")
            content = self.writer.shapes.instance(geometry, geometry.instance, self.looks) if name else ""
        elif types == {_LIBRARY}:
            name, content = self._first(f"lod{level}ImplicitRepresentation"), outside(geometry)
        elif geometry.dimension == 0:
            name, content = self._first(f"lod{level}Geometry", "reliefPoints", "geometry"), gml.whole()
        elif types == {_TERRAIN}:
            name, content = self._first(f"lod{level}TerrainIntersection"), gml.curves()
        elif level == 0 and self.kind.has("lod0Network"):
            name, content = self._first("lod0Network"), gml.curves("GeometricComplex", "element")
        else:
            name = self._first(f"lod{level}MultiCurve", f"lod{level}Geometry", "breaklines", "geometry")
            content = gml.curves()
        if name is None:
            return False
        self._note_level(name, geometry)
        self.writer.ledger.update(f"surface {type_}" for type_ in types - {_LIBRARY, _TERRAIN})
        self._hold(name, content)
        return True

    def _surfaces(self, identifier: str, geometry: Geometry, surfaces: dict[object, _Surface]) -> None:
        """Faces at the thematic surfaces that they belong to, and what links to them or has the rest."""
        places = self._places(geometry)
        thematic = {face for face, place in enumerate(places) if place is not None}
        is_apart = geometry.type == "MultiSurface" and len(thematic) == len(places)
        name, form = (None, "") if is_apart else self._property(geometry, bool(thematic))
        if name is None and not is_apart:
            self._lost(geometry)
            return
        if form == "tin" and geometry.appearance is not None:
            self.writer.ledger["appearance of a TIN"] += 1
            geometry = replace(geometry, appearance=None)
        gml = self.writer.shapes.gml(identifier, geometry, self.looks, () if is_apart else thematic)
        level = _level(geometry)
        for face in sorted(thematic):
            entry = self._entry(geometry, places[face] or 0, identifier, surfaces)
            entry.polygons.setdefault(level, []).append((gml, face))
        bare_solids = {_level(g) for g in self.item.geometries if g.is_solid and not g.semantics}
        if is_apart and level in bare_solids:
            self.writer.ledger["surfaces of a solid twice"] += 1
        if is_apart:
            self._join(level)
        elif name is not None:
            self._hold(name, _FORMS[form](gml, thematic))

    def _join(self, level: int) -> None:
        """Surfaces without a property of their own are one geometry for each level."""
        if level in self._apart:
            self.writer.ledger[f"geometries of LoD {level} as one"] += 1
        self._apart.add(level)

    def _property(self, geometry: Geometry, is_thematic: bool) -> tuple[str | None, str]:
        """The property for a surface or solid, and how it is put there."""
        level, ledger = _level(geometry), self.writer.ledger
        anything = self._first(f"lod{level}Geometry", "geometry")
        if anything is not None:
            self._note_level(anything, geometry)
            return anything, "whole"
        if geometry.is_solid:
            return self._solid_property(geometry)
        if self.kind.has("tin"):
            return self._first("tin"), "tin"
        if geometry.type == "CompositeSurface":
            ledger["CompositeSurface as MultiSurface"] += 1
        if level or not self.kind.has("lod0FootPrint"):
            return self._first(f"lod{level}MultiSurface"), "surface"
        types = {surface.type for surface in geometry.semantics}
        said = any(surface.id or surface.attributes for surface in geometry.semantics)
        if said or is_thematic or types not in ({"RoofSurface"}, {"GroundSurface"}):
            ledger["LoD 0 as a footprint"] += 1
        return self._first("lod0RoofEdge" if types == {"RoofSurface"} else "lod0FootPrint"), "surface"

    def _note_level(self, name: str, geometry: Geometry) -> None:
        """The geometry of a group has no level of detail."""
        if name == "geometry" and geometry.lod != "0":
            self.writer.ledger[f"LoD {geometry.lod} of a group"] += 1

    def _solid_property(self, geometry: Geometry) -> tuple[str | None, str]:
        several = self._first(f"lod{_level(geometry)}MultiSolid")
        if several is not None:
            if geometry.type != "MultiSolid":
                self.writer.ledger[f"{geometry.type} as MultiSolid"] += 1
            return several, "solids"
        solid = self._first(f"lod{_level(geometry)}Solid")
        if solid is not None and geometry.type == "MultiSolid":
            self.writer.ledger["MultiSolid as CompositeSolid"] += 1
            return solid, "solid"
        return solid, "whole"

    def _places(self, geometry: Geometry) -> list[int | None]:
        """For each face the thematic surface that CityGML has for it, by its number."""
        possible = [self._place(geometry, index) for index in range(len(geometry.semantics))]
        indices: list[int] = geometry.semantic.tolist()
        has_footprint = _level(geometry) == 0 and self.kind.has("lod0FootPrint")
        for index in {i for i in indices if i >= 0 and possible[i] is None} if not has_footprint else ():
            self.writer.ledger[f"surface {geometry.semantics[index].type} of LoD {geometry.lod}"] += 1
        return [possible[index] if index >= 0 else None for index in indices]

    def _place(self, geometry: Geometry, index: int) -> int | None:
        surface, level = geometry.semantics[index], _level(geometry)
        if surface.type in OPENINGS:
            wall = _wall(geometry, index)
            return index if level >= 3 and wall is not None and wall.type in self.kind.surfaces else None
        return index if level >= 2 and surface.type in self.kind.surfaces else None

    def _entry(
        self, geometry: Geometry, index: int, identifier: str, surfaces: dict[object, _Surface]
    ) -> _Surface:
        surface = geometry.semantics[index]
        key = (surface.type, surface.id) if surface.id is not None else (identifier, index)
        if surface.type not in OPENINGS:
            return surfaces.setdefault(key, _Surface(surface))
        wall = self._entry(geometry, surface.attributes["parent"], identifier, surfaces)
        return wall.opening(surface)


def _solids(gml: Gml, linked: Container[int]) -> str:
    return collected("MultiSolid", "solidMember", gml.solids(linked))


_FORMS: Mapping[str, Callable[[Gml, Container[int]], str]] = {
    "whole": lambda gml, linked: gml.whole(linked),
    "surface": lambda gml, linked: gml.surface(gml.faces, linked),
    "solid": lambda gml, linked: gml.composite_solid(linked),
    "solids": _solids,
    "tin": lambda gml, _: gml.triangles(),
}


def _wall(geometry: Geometry, opening: int) -> SemanticSurface | None:
    """The surface that an opening is part of."""
    parent: Any = geometry.semantics[opening].attributes.get("parent")
    if not isinstance(parent, int) or not 0 <= parent < len(geometry.semantics):
        return None
    return geometry.semantics[parent]


def _shape(prefix: str, level: int, faces: Sequence[tuple[Gml, int]]) -> str:
    """The polygons of a surface at a level; those of water are one surface, not several."""
    is_water = prefix == "wtr"
    name, kind = ("Surface", "CompositeSurface") if is_water else ("MultiSurface", "MultiSurface")
    members = "".join(f"<gml:surfaceMember>{gml.polygon(face)}</gml:surfaceMember>" for gml, face in faces)
    tag = f"{prefix}:lod{level}{name}"
    return f"<{tag}><gml:{kind}>{members}</gml:{kind}></{tag}>"


def _level(geometry: Geometry) -> int:
    """The level of detail in whole numbers."""
    return int(float(geometry.lod))


def _is_tin(geometry: Geometry) -> bool:
    return geometry.dimension == 2 and not geometry.is_solid and is_triangulated(geometry)
