"""City objects of CityJSON (2.0, section 2): features from parents and children."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping

from importers.cityjson_geometry import read_geometry
from importers.json_values import Json, as_list, as_object
from importers.port import Refusal, Refused
from twin.model.cityobject import Address, CityFeature, CityObject
from twin.model.geometry import Floats, Geometry

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
        read: list[CityObject] = []
        for identifier in members:
            try:
                read.append(_object(identifier, objects[identifier], parent.get(identifier), vertices, notes))
            except Refusal as refusal:
                return refusal.refused(members[0], place(identifier))
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


def _object(
    identifier: str, raw: Json, parent: str | None, vertices: Floats, ledger: Counter[str]
) -> CityObject:
    item = as_object(raw)
    if item is None:
        raise Refusal("invalid-object", "the city object is no JSON object", "correct it and import again")
    type_ = item.get("type")
    if not isinstance(type_, str):
        raise Refusal("missing-type", "the city object has no type", 'give it one, such as "Building"')
    attributes = as_object(item.get("attributes") or {})
    if attributes is None:
        raise Refusal("invalid-attributes", "the attributes are no JSON object", "correct them")
    for key in item.keys() - _KNOWN:
        ledger[f"property {key}"] += 1
    return CityObject(
        identifier,
        type_,
        attributes,
        tuple(_geometries(item.get("geometry"), vertices, ledger)),
        parent,
        tuple(_addresses(item.get("address"), ledger)),
    )


def _geometries(raw: Json, vertices: Floats, ledger: Counter[str]) -> Iterator[Geometry]:
    listed = [] if raw is None else as_list(raw)
    if listed is None:
        raise Refusal("invalid-geometry", "the geometries are no list", "correct them and import again")
    for item in listed:
        geometry = read_geometry(item, vertices, ledger)
        if geometry is not None:
            yield geometry


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
