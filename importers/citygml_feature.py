"""One member of a CityGML model to a CityFeature: its objects, their surfaces and geometries."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from importers.citygml_appearance import Paint
from importers.citygml_assembly import ObjectDraft, SurfaceDraft, assemble
from importers.citygml_dressing import Dresser
from importers.citygml_groups import group_member, object_id
from importers.citygml_names import Name, Names, Role, lod_of
from importers.citygml_values import NESTED, Attributes, Values, add
from importers.gml import AREAL, HREF, GmlGeometry, GmlNames, GmlPool, gml_id
from importers.gml_curves import Library, named, read_curves
from importers.port import Refusal, Refused
from importers.xml_stream import Element, line
from twin.model.cityobject import CityFeature
from twin.model.geometry import Geometry

_LOD0_SURFACES = {"lod0FootPrint": "GroundSurface", "lod0RoofEdge": "RoofSurface"}
"""The properties of CityGML 2.0 that CityJSON tells apart by semantics."""
_BOUNDARIES = frozenset({"boundedBy", "boundary"})


class FeatureParser:
    """Turns members into features, one after the other.

    ``same_reference`` says whether an srsName is that of the whole model, ``paint`` are appearances
    of the whole model, ``library`` its templates.
    """

    def __init__(
        self,
        ledger: Counter[str],
        same_reference: Callable[[str], bool],
        paint: Paint | None = None,
        library: Library | None = None,
    ) -> None:
        self._paint = paint or Paint()
        self._names = Names()
        self._gml_names = GmlNames()
        self._ledger = ledger
        self._values = Values(self._names, ledger)
        self._same_reference = same_reference
        self._library = library or Library()

    def parse(self, element: Element) -> Iterator[CityFeature | Refused]:
        """The feature in a first-level element such as ``bldg:Building``, and those within a group.

        A feature that cannot be read is refused, which costs it alone.
        """
        waiting = [element]
        for first in waiting:  # grows while it is walked
            try:
                feature, members = self._feature(first)
                waiting.extend(members)
                yield feature
            except Refusal as refusal:
                yield refusal.refused(gml_id(first), line(first))

    def _feature(self, element: Element) -> tuple[CityFeature, list[Element]]:
        name = self._names[element.tag]
        notes: Counter[str] = Counter()
        member = _Member(
            self._names,
            self._values,
            GmlPool(notes, self._gml_names),
            notes,
            self._same_reference,
            self._library,
            (Paint(self._paint.folder), self._paint),
        )
        type_ = name.city_object or f"+{name.local}"
        if name.foreign is not None:
            notes[f"ADE {name.foreign}"] += 1
        member.object(element, type_, object_id(element), None)
        member.paints[0].settle(notes)
        objects = assemble(member.drafts, member.surfaces, member.pool, member.paints, notes)
        self._ledger.update(notes)
        return CityFeature(objects, line(element)), member.grouped


@dataclass(slots=True)
class _Member:
    """What is gathered while one member is read; its own appearances are the first of ``paints``."""

    names: Names
    values: Values
    pool: GmlPool
    ledger: Counter[str]
    same_reference: Callable[[str], bool]
    library: Library
    paints: tuple[Paint, Paint]
    drafts: list[ObjectDraft] = field(default_factory=list[ObjectDraft])
    surfaces: list[SurfaceDraft] = field(default_factory=list[SurfaceDraft])
    grouped: list[Element] = field(default_factory=list[Element])

    def object(self, element: Element, type_: str, identifier: str, parent: str | None) -> None:
        """A city object with everything below it."""
        draft = ObjectDraft(identifier, type_, parent)
        self.drafts.append(draft)
        names, values, attributes = self.names, self.values, draft.attributes
        for child in element:
            name = names[child.tag]
            if name.value_type:
                values.generic(child, name, attributes)
            elif name.role is Role.PROPERTY:
                self._property(child, name, draft)
            elif name.role is Role.ADDRESS:
                draft.addresses.extend(values.addresses(child))
            elif name.role is Role.GROUP_MEMBER:
                self._group_member(child, draft)
            elif name.role is Role.DYNAMIZER:
                self._dynamizer(child, name, draft)
            else:
                self._other(child, name, attributes)

    def _group_member(self, element: Element, draft: ObjectDraft) -> None:
        """A member by link, or in place: then it is a feature of its own."""
        member, role = group_member(element, self.names)
        children: list[str] = draft.extra.setdefault("children", [])
        if len(member):
            self.grouped.append(member[0])
            children.append(object_id(member[0]))
        else:
            children.append((member.get(HREF) or "").removeprefix("#"))
        if role is not None or "children_roles" in draft.extra:
            before: list[str | None] = [None] * (len(children) - 1)
            draft.extra.setdefault("children_roles", before).append(role)

    def _dynamizer(self, element: Element, name: Name, draft: ObjectDraft) -> None:
        """Values that change with time stay with the object, as they are."""
        self.ledger["dynamizer as attributes"] += 1
        add(draft.attributes, name.local, self.values.nested(element, self._keep_values))

    def _keep_values(self, element: Element, name: Name, within: str) -> Any:
        del element, name, within
        return NESTED

    def _other(self, element: Element, name: Name, attributes: Attributes) -> None:
        """Properties that objects and surfaces have alike."""
        role = name.role
        if role is Role.GENERIC_SET or role is Role.GENERIC_WRAPPER:
            self.values.any_generic(element, name, attributes)
        elif role is Role.EXTERNAL_REFERENCE:
            self.values.external_reference(element, attributes)
        elif role is Role.ENVELOPE:
            for envelope in element:
                self._check_reference(envelope)
        elif name.local in ("appearance", "appearanceMember"):
            for appearance in element:
                self.paints[0].take(appearance, self.ledger)
        else:
            self.ledger[name.local] += 1

    def _property(self, element: Element, name: Name, draft: ObjectDraft) -> None:
        if _is_simple(element):
            self._simple(element, name, draft)
        elif self._is_geometry(element, name):
            self._own_geometry(element, name, draft)
        elif not len(element):
            add(draft.attributes, name.local, element.get(HREF))
        else:
            self._content(element, name, draft)

    def _simple(self, element: Element, name: Name, draft: ObjectDraft) -> None:
        if name.foreign is not None:
            self.ledger[f"ADE {name.foreign}"] += 1
        if name.local == "lod" and "Relief" in draft.type:
            draft.lod = (element.text or "").strip()
        self.values.simple(element, name, draft.attributes)

    def _content(self, element: Element, name: Name, draft: ObjectDraft) -> None:
        """A property that holds a surface, another object, or something that is not known."""
        inner = self.names[element[0].tag]
        if inner.surface is not None or (name.local in _BOUNDARIES and inner.foreign is not None):
            for child in element:
                self._surface(child, self.names[child.tag], draft, None)
        elif inner.city_object is not None or _is_foreign_object(element[0], inner):
            for child in element:
                self._child(child, self.names[child.tag], draft)
        else:
            self._complex(element, name, inner, draft, draft.attributes)

    def _complex(
        self, element: Element, name: Name, inner: Name, draft: ObjectDraft, attributes: Attributes
    ) -> None:
        """Nested content of no known kind, as nested attributes; ADEs come this way."""
        foreign = name.foreign or inner.foreign
        if foreign is not None:
            self.ledger[f"ADE {foreign}"] += 1

        def take(child: Element, kind: Name, within: str) -> Any:
            return self._taken(child, kind, within, draft)

        content = self.values.nested(element, take)
        add(attributes, name.local, content)
        if name.local == "height" and inner.local == "Height":
            self.values.height(content, attributes)

    def _taken(self, element: Element, name: Name, within: str, draft: ObjectDraft) -> Any:
        """Objects in nested content become children, geometry becomes that of the object around it."""
        if name.is_gml and name.local[:1].isupper():
            self._nested_geometry(element, within, draft)
            return None
        is_object = name.city_object is not None or _is_foreign_object(element, name)
        if is_object and any(self.names[inner.tag].is_gml for inner in element.iter()):
            self._child(element, name, draft)
            return f"#{self.drafts[-1].id}" if gml_id(element) is None else f"#{gml_id(element)}"
        return NESTED

    def _nested_geometry(self, element: Element, within: str, draft: ObjectDraft) -> None:
        lod = lod_of(within) or draft.lod
        simple = read_curves(element, lod, self.pool.names)
        if simple is not None:
            draft.simple.append(simple)
        elif (geometry := self.pool.geometry(element)) is not None:
            draft.geometries.append((lod, geometry, len(self.surfaces)))
            self.surfaces.append(SurfaceDraft(f"+{within}"))

    def _is_geometry(self, element: Element, name: Name) -> bool:
        return name.lod is not None or (len(element) > 0 and self.names[element[0].tag].is_gml)

    def _own_geometry(self, element: Element, name: Name, draft: ObjectDraft) -> None:
        if self._simple_geometry(element, name, draft):
            return
        geometry = self._geometry(element)
        if geometry is None:
            return
        semantic = None
        if name.local in _LOD0_SURFACES:
            semantic = len(self.surfaces)
            self.surfaces.append(SurfaceDraft(_LOD0_SURFACES[name.local]))
        draft.geometries.append((name.lod or draft.lod, geometry, semantic))

    def _simple_geometry(self, element: Element, name: Name, draft: ObjectDraft) -> bool:
        """Whether the property holds points, lines or an instance of a template, taken up if so."""
        if not len(element):
            return False
        lod = name.lod or draft.lod
        if self.names[element[0].tag].local == "ImplicitGeometry":
            instance = self.library.instance(element[0], lod, self.names, self.pool.names, self._dress)
            if instance is None:
                self.ledger["geometry ImplicitGeometry"] += 1
            else:
                draft.simple.append(instance)
            return True
        found = read_curves(element[0], lod, self.pool.names)
        if found is None:
            return False
        self._check_reference(element[0])
        draft.simple.append(named(found, name.local))
        return True

    def _dress(self, pool: GmlPool, template: Geometry, faces: Sequence[int]) -> Geometry:
        """A template with what was said so far: appearances stand before geometry in the schema."""
        self.paints[0].settle(self.ledger)
        return Dresser(pool, self.paints, self.ledger).dress(template, faces)

    def _geometry(self, element: Element) -> GmlGeometry | None:
        if len(element):
            self._check_reference(element[0])
        return self.pool.property(element)

    def _check_reference(self, element: Element) -> None:
        reference = element.get("srsName")
        if reference is not None and not self.same_reference(reference):
            raise Refusal(
                "other-reference-system", f"its reference system {reference} is not that of the file",
                "put features of one reference system into a file each", line(element),
            )  # fmt: skip

    def _child(self, element: Element, name: Name, draft: ObjectDraft) -> None:
        if name.foreign is not None:
            self.ledger[f"ADE {name.foreign}"] += 1
        identifier = gml_id(element) or f"{draft.id}_{name.local}_{len(self.drafts)}"
        self.object(element, name.city_object or f"+{name.local}", identifier, draft.id)

    def _surface(self, element: Element, name: Name, draft: ObjectDraft, parent: int | None) -> None:
        """A thematic surface such as ``bldg:WallSurface``, with its openings."""
        if name.foreign is not None:
            self.ledger[f"ADE {name.foreign}"] += 1
        index = len(self.surfaces)
        surface = SurfaceDraft(name.surface or f"+{name.local}", gml_id(element), parent)
        self.surfaces.append(surface)
        names, values, attributes = self.names, self.values, surface.attributes
        for child in element:
            kind = names[child.tag]
            if kind.value_type:
                values.generic(child, kind, attributes)
            elif kind.role is Role.PROPERTY:
                self._surface_property(child, kind, index, draft)
            elif kind.role is Role.ADDRESS:
                self._surface_address(child, attributes)
            else:
                self._other(child, kind, attributes)

    def _surface_address(self, element: Element, attributes: Attributes) -> None:
        """The address of a door, among its attributes."""
        for address in self.values.addresses(element):
            add(attributes, "address", {**address.parts(), **address.fields})

    def _surface_property(self, element: Element, name: Name, index: int, draft: ObjectDraft) -> None:
        first = element[0] if len(element) else None
        if first is not None and self.pool.names[first.tag] in AREAL:
            # Nearly all are like this, so that it goes before the questions that come to the same.
            self._check_reference(first)
            if (surface := self.pool.geometry(first)) is not None:
                draft.thematic.append((name.lod or draft.lod, surface, index))
        elif _is_simple(element):
            self.values.simple(element, name, self.surfaces[index].attributes)
        elif self._is_geometry(element, name):
            geometry = None
            if not self._simple_geometry(element, name, draft):
                geometry = self._geometry(element)
            if geometry is not None:
                draft.thematic.append((name.lod or draft.lod, geometry, index))
        elif len(element):
            self._surface_content(element, name, index, draft)
        else:
            add(self.surfaces[index].attributes, name.local, element.get(HREF))

    def _surface_content(self, element: Element, name: Name, index: int, draft: ObjectDraft) -> None:
        """Openings are surfaces within the surface; anything else becomes nested attributes."""
        for child in element:
            inner = self.names[child.tag]
            if inner.surface is not None:
                self._surface(child, inner, draft, index)
            else:
                self._complex(element, name, inner, draft, self.surfaces[index].attributes)
                return


def _is_simple(element: Element) -> bool:
    """Whether a property has a text or nothing at all, and is no link."""
    return not len(element) and (element.text is not None or element.get(HREF) is None)


def _is_foreign_object(element: Element, name: Name) -> bool:
    """Whether an element of an ADE is an object of its own, an Extension object in CityJSON."""
    return name.foreign is not None and gml_id(element) is not None
