"""City objects of CityJSON (2.0, section 2): features from parents and children."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from importers.cityjson_appearance import Resources
from importers.cityjson_geometry import build, unnest
from importers.cityjson_resources import of_line
from importers.json_values import Json, as_list, as_object
from importers.port import Refusal, Refused
from twin.formats.cityjson_names import ADDRESS_PARTS, GROUP
from twin.model.cityobject import Address, CityFeature, CityObject
from twin.model.geometry import Floats, Geometry

Objects = Mapping[str, Json]
_KNOWN = frozenset({"type", "attributes", "geometry", "parents", "children", "members", "address"})


class ObjectReader:
    """Turns the CityObjects of a document or a line into features; ``ledger`` counts the rest.

    ``resources`` are appearances and templates of the document.
    """

    def __init__(self, ledger: Counter[str], resources: Resources = Resources()) -> None:
        self._ledger = ledger
        self._resources = resources

    def line_features(
        self, line: Mapping[str, Json], vertices: Floats, place: Callable[[str], str]
    ) -> Iterator[CityFeature | Refused]:
        """Features of a line of a sequence, which has appearances of its own."""
        objects = as_object(line.get("CityObjects")) or {}
        yield from ObjectReader(self._ledger, of_line(line, self._resources)).features(
            objects, vertices, place
        )

    def features(
        self, objects: Objects, vertices: Floats, place: Callable[[str], str]
    ) -> Iterator[CityFeature | Refused]:
        """Features in the order of their roots; ``place`` tells where an object stands."""
        parent = self._parents(objects)
        children: dict[str, list[str]] = {}
        for identifier in objects:
            if identifier in parent:
                children.setdefault(parent[identifier], []).append(identifier)
        seen: set[str] = set()
        for identifier in objects:
            if identifier not in parent:
                members = list(_below(identifier, children))
                seen.update(members)
                yield self._feature(members, objects, parent, vertices, place)
        for identifier in objects:
            if identifier not in seen:
                yield _unreachable(identifier, parent[identifier], objects, place)

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

    def _feature(
        self,
        members: list[str],
        objects: Objects,
        parent: Mapping[str, str],
        vertices: Floats,
        place: Callable[[str], str],
    ) -> CityFeature | Refused:
        notes: Counter[str] = Counter()
        try:
            read = _objects(members, objects, parent, vertices, notes, self._resources)
        except Refusal as refusal:
            culprit = _culprit(members, objects, vertices, self._resources)
            return refusal.refused(members[0], place(culprit))
        self._ledger.update(notes)
        return CityFeature(tuple(read), place(members[0]))


def _names(item: Json, key: str) -> list[str]:
    """A list of ids such as ``parents``; empty where it is no such list."""
    listed = as_list((as_object(item) or {}).get(key)) or []
    return [name for name in listed if isinstance(name, str)]


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


def _objects(
    members: Sequence[str],
    objects: Objects,
    parent: Mapping[str, str],
    vertices: Floats,
    ledger: Counter[str],
    resources: Resources,
) -> list[CityObject]:
    """The objects of a feature; their geometries are built together, which is what makes it quick."""
    read = [_Read(objects[identifier], resources) for identifier in members]
    nested = [geometry for item in read for geometry in item.geometries]
    geometries = iter(build(nested, vertices, ledger, resources))
    return [
        CityObject(
            identifier,
            item.type,
            item.attributes,
            tuple(islice(geometries, item.own_geometries)),
            parent.get(identifier),
            tuple(_located(address, next(geometries) if has else None) for address, has in item.addresses),
            item.extra,
        )
        for identifier, item in zip(members, read, strict=True)
    ]


def _located(address: Address, location: Geometry | None) -> Address:
    return address if location is None else replace(address, location=location)


def _culprit(members: list[str], objects: Objects, vertices: Floats, resources: Resources) -> str:
    """The member that cannot be read, found by reading each alone."""
    for identifier in members:
        try:
            _objects([identifier], objects, {}, vertices, Counter(), resources)
        except Refusal:
            return identifier
    return members[0]


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
        self.geometries = [unnest(geometry, resources) for geometry in listed]
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
