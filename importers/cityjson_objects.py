"""City objects of CityJSON (2.0, section 2): features from parents and children."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice

from importers.cityjson_geometry import build, unnest
from importers.json_values import Json, as_list, as_object
from importers.port import Refusal, Refused
from twin.model.cityobject import Address, CityFeature, CityObject
from twin.model.geometry import Floats

Objects = Mapping[str, Json]
_GROUP = "CityObjectGroup"
_KNOWN = frozenset(
    {"type", "attributes", "geometry", "parents", "children", "address", "geographicalExtent"}
)  # fmt: skip
_ADDRESS = {
    "country": "country",
    "countryname": "country",
    "locality": "locality",
    "localityname": "locality",
    "thoroughfarename": "street",
    "street": "street",
    "thoroughfarenumber": "house_number",
    "postcode": "postal_code",
    "postalcode": "postal_code",
    "postalcodenumber": "postal_code",
}


class ObjectReader:
    """Turns the CityObjects of a document or a line into features; ``ledger`` counts the rest."""

    def __init__(self, ledger: Counter[str]) -> None:
        self._ledger = ledger

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
                if len(listed) > 1:
                    self._ledger["further parent"] += len(listed) - 1
            if _is_group(item):
                self._ledger["member of a CityObjectGroup"] += len(_names(item, "children"))
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
            read = _objects(members, objects, parent, vertices, notes)
        except Refusal as refusal:
            culprit = _culprit(members, objects, vertices)
            return refusal.refused(members[0], place(culprit))
        self._ledger.update(notes)
        return CityFeature(tuple(read), place(members[0]))


def _names(item: Json, key: str) -> list[str]:
    """A list of ids such as ``parents``; empty where it is no such list."""
    listed = as_list((as_object(item) or {}).get(key)) or []
    return [name for name in listed if isinstance(name, str)]


def _is_group(item: Json) -> bool:
    return (as_object(item) or {}).get("type") == _GROUP


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
) -> list[CityObject]:
    """The objects of a feature; their geometries are built together, which is what makes it quick."""
    read = [_Read(objects[identifier], ledger) for identifier in members]
    geometries = iter(build([nested for item in read for nested in item.geometries], vertices, ledger))
    return [
        CityObject(
            identifier,
            item.type,
            item.attributes,
            tuple(islice(geometries, len(item.geometries))),
            parent.get(identifier),
            item.addresses,
        )
        for identifier, item in zip(members, read, strict=True)
    ]


def _culprit(members: list[str], objects: Objects, vertices: Floats) -> str:
    """The member that cannot be read, found by reading each alone."""
    for identifier in members:
        try:
            _objects([identifier], objects, {}, vertices, Counter())
        except Refusal:
            return identifier
    return members[0]


class _Read:
    """An object as far as it can be read without vertices."""

    __slots__ = ("addresses", "attributes", "geometries", "type")

    def __init__(self, raw: Json, ledger: Counter[str]) -> None:
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
        for key in sorted(item.keys() - _KNOWN):
            ledger[f"property {key}"] += 1
        self.type: str = type_
        self.attributes: dict[str, Json] = attributes
        self.geometries = [nested for raw in listed if (nested := unnest(raw, ledger)) is not None]
        self.addresses = tuple(_addresses(item["address"], ledger)) if "address" in item else ()


def _addresses(raw: Json, ledger: Counter[str]) -> Iterator[Address]:
    """Addresses; CityJSON 1.0 has one object, later versions a list, none prescribes the names."""
    for item in as_list(raw) or [raw]:
        found: dict[str, str] = {}
        for key, value in (as_object(item) or {}).items():
            name = _ADDRESS.get(key.lower())
            if name is not None and isinstance(value, str | int) and name not in found:
                found[name] = str(value)
            elif key == "location":
                ledger["geometry MultiPoint of an address"] += 1
            else:
                ledger[f"address field {key}"] += 1
        if found:
            yield Address(**found)
