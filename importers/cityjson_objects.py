"""City objects of CityJSON (2.0, section 2): features from parents and children."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from importers.cityjson_appearance import Resources, dressed
from importers.cityjson_build import build
from importers.cityjson_geometry import NestedGeometry, unnest, unnest_all
from importers.cityjson_resources import of_line
from importers.json_values import Json, as_list, as_object
from importers.port import Refusal, Refused
from twin.formats.cityjson_names import ADDRESS_PARTS, GROUP
from twin.model.cityobject import Address, CityFeature, CityObject
from twin.model.geometry import Floats, Geometry

Objects = Mapping[str, Json]
_KNOWN = frozenset({"type", "attributes", "geometry", "parents", "children", "members", "address"})


@dataclass(slots=True)
class Draft:
    """A feature as far as it can be read without vertices.

    Its vertices begin at the first number of ``span``, the second one is how many there are. ``place``
    tells where an object stands.
    """

    members: list[str]
    read: list["_Read"]
    parent: Mapping[str, str]
    resources: Resources
    place: Callable[[str], str]
    span: tuple[int, int] = (0, 0)

    def nested(self) -> list[NestedGeometry]:
        """The geometries of all members, locations of addresses among them."""
        return [geometry for item in self.read for geometry in item.geometries]

    def refused(self, refusal: Refusal, vertices: Floats) -> Refused:
        """The entry of the report; the place is that of the first member that cannot be built alone."""
        for identifier, item in zip(self.members, self.read, strict=True):
            try:
                build(item.geometries, vertices, [self.span] * len(item.geometries))
            except Refusal:
                return refusal.refused(self.members[0], self.place(identifier))
        return refusal.refused(self.members[0], self.place(self.members[0]))


Drafts: TypeAlias = Sequence[Draft | Refused]


def finished(drafts: Drafts, vertices: Floats, ledger: Counter[str]) -> list[CityFeature | Refused]:
    """The features of many drafts, built together, which is what makes it quick.

    Where one of them cannot be built, each is tried by itself.
    """
    open_ = [draft for draft in drafts if isinstance(draft, Draft)]
    nested = [(geometry, draft.span) for draft in open_ for geometry in draft.nested()]
    try:
        geometries = iter(build([n for n, _ in nested], vertices, [span for _, span in nested]))
    except Refusal as refusal:
        if len(drafts) == 1:
            return [open_[0].refused(refusal, vertices)]
        return [feature for draft in drafts for feature in finished([draft], vertices, ledger)]
    return [d if isinstance(d, Refused) else _feature(d, geometries, ledger) for d in drafts]


def _feature(draft: Draft, geometries: Iterator[Geometry], ledger: Counter[str]) -> CityFeature:
    objects: list[CityObject] = []
    for identifier, item in zip(draft.members, draft.read, strict=True):
        shapes = [
            dressed(geometry, nested.appearance, draft.resources, ledger)
            for nested, geometry in zip(item.geometries, geometries, strict=False)
        ]
        locations = iter(shapes[item.own_geometries :])
        addresses = [
            replace(address, location=next(locations)) if has else address for address, has in item.addresses
        ]
        objects.append(
            CityObject(
                identifier,
                item.type,
                item.attributes,
                tuple(shapes[: item.own_geometries]),
                draft.parent.get(identifier),
                tuple(addresses),
                item.extra,
            )
        )
    return CityFeature(tuple(objects), draft.place(draft.members[0]))


class ObjectReader:
    """Turns the CityObjects of a document or a line into drafts; ``ledger`` counts the rest.

    ``resources`` are appearances and templates of the document.
    """

    def __init__(self, ledger: Counter[str], resources: Resources = Resources()) -> None:
        self._ledger = ledger
        self._resources = resources

    def of_line(self, line: Mapping[str, Json]) -> "ObjectReader":
        """A reader for a line of a sequence, which has appearances of its own."""
        return ObjectReader(self._ledger, of_line(line, self._resources))

    def drafts(self, objects: Objects, place: Callable[[str], str]) -> list[Draft | Refused]:
        """Features in the order of their roots; ``place`` tells where an object stands."""
        parent = self._parents(objects)
        children: dict[str, list[str]] = {}
        for identifier in objects:
            if identifier in parent:
                children.setdefault(parent[identifier], []).append(identifier)
        found: list[Draft | Refused] = []
        seen: set[str] = set()
        for identifier in objects:
            if identifier not in parent:
                members = list(_below(identifier, children))
                seen.update(members)
                found.append(self._draft(members, objects, parent, place))
        if len(seen) < len(objects):
            lost = [identifier for identifier in objects if identifier not in seen]
            found.extend(_unreachable(identifier, parent[identifier], objects, place) for identifier in lost)
        return found

    def _draft(
        self,
        members: list[str],
        objects: Objects,
        parent: Mapping[str, str],
        place: Callable[[str], str],
    ) -> Draft | Refused:
        read: list[_Read] = []
        for identifier in members:
            try:
                read.append(_Read(objects[identifier], self._resources))
            except Refusal as refusal:
                return refusal.refused(members[0], place(identifier))
        return Draft(members, read, parent, self._resources, place)

    def _parents(self, objects: Objects) -> dict[str, str]:
        """The structural parent of each object that has one; groups are no parents."""
        parent: dict[str, str] = {}
        for identifier, item in objects.items():
            listed = [other for other in _names(item, "parents") if not _is_group(objects.get(other))]
            if listed:
                parent[identifier] = listed[0]
        for identifier, item in objects.items():
            for child in () if _is_group(item) else _names(item, "children"):
                if child in objects:
                    parent.setdefault(child, identifier)
                else:
                    self._ledger["child that is not in the file"] += 1
        return parent


def _names(item: Json, key: str) -> list[str]:
    """A list of ids such as ``parents``; empty where it is no such list."""
    listed = as_list((as_object(item) or {}).get(key))
    return [name for name in listed if isinstance(name, str)] if listed else []


def _is_group(item: Json) -> bool:
    return (as_object(item) or {}).get("type") == GROUP


def _below(root: str, children: Mapping[str, list[str]]) -> Iterator[str]:
    """The object and all below it, parents first."""
    waiting = [root]
    while waiting:
        identifier = waiting.pop()
        yield identifier
        waiting.extend(reversed(children.get(identifier, [])))


def _unreachable(identifier: str, parent: str, objects: Objects, place: Callable[[str], str]) -> Refused:
    if parent not in objects:
        reason = f"its parent {parent} is not in the file"
        return Refused("orphan", identifier, place(identifier), reason, "add the parent or remove the link")
    return Refused(
        "cyclic-parents", identifier, place(identifier), f"it is below {parent}, which has no root above it",
        "let the parents lead to an object without one",
    )  # fmt: skip


class _Read:
    """An object as far as it can be read without vertices; locations of addresses are geometries too."""

    __slots__ = ("addresses", "attributes", "extra", "geometries", "own_geometries", "type")

    def __init__(self, raw: Json, resources: Resources) -> None:
        item = as_object(raw)
        if item is None:
            raise Refusal(
                "invalid-object", "the city object is no JSON object", "correct it and import again"
            )
        type_, attributes = item.get("type"), as_object(item.get("attributes") or {})
        if not isinstance(type_, str):
            raise Refusal("missing-type", "the city object has no type", 'give it one, such as "Building"')
        if attributes is None:
            raise Refusal("invalid-attributes", "the attributes are no JSON object", "correct them")
        listed = as_list(item.get("geometry") or [])
        if listed is None:
            raise Refusal("invalid-geometry", "the geometries are no list", "correct them and import again")
        self.type: str = resources.renamed.get(type_, type_)
        self.attributes: dict[str, Json] = attributes
        self.extra = _extra(item)
        self.geometries = unnest_all(listed, resources)
        self.own_geometries = len(self.geometries)
        self.addresses: list[tuple[Address, bool]] = []
        if "address" in item:
            self._take_addresses(item["address"], resources)

    def _take_addresses(self, raw: Json, resources: Resources) -> None:
        """Addresses; CityJSON 1.0 has one object, later versions a list, none prescribes the names."""
        for item in map(as_object, as_list(raw) or [raw]):
            if not item:
                continue
            location = item.get("location")
            if location is not None:
                self.geometries.append(unnest(location, resources))
            fields = {key: value for key, value in item.items() if key != "location"}
            self.addresses.append((Address.of(_parts(fields), fields), location is not None))


def _parts(fields: Mapping[str, Json]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in fields.items():
        name = ADDRESS_PARTS.get(key.lower())
        if name is not None and isinstance(value, str | int) and name not in found:
            found[name] = str(value)
    return found


def _extra(item: Mapping[str, Json]) -> dict[str, Json]:
    """What no other part of the object holds: members of Extensions, and who belongs to a group."""
    extra = {key: value for key, value in item.items() if key not in _KNOWN}
    if _is_group(item):
        extra["children"] = _names(item, "children") or _names(item, "members")
    elif len(parents := _names(item, "parents")) > 1:
        extra["parents"] = parents
    return extra
