"""Writes CityJSON 2.0: a document, or the lines of a CityJSONSeq.

Vertices are whole numbers (``Transform``), each written once a document or line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from twin.formats.cityjson_geometry import Pools, Templates, geometry_json
from twin.formats.cityjson_names import ADDRESS_NAMES, ADDRESS_PARTS, GROUP, TYPES
from twin.model.cityobject import Address, CityObject
from twin.model.geometry import Floats, Geometry, Ints

VERSION = "2.0"
MILLIMETRE = 0.001
Json: TypeAlias = dict[str, Any]
Groups: TypeAlias = Mapping[str, Sequence[str]]
"""Ids of the groups that an object is in, by its id."""


@dataclass(frozen=True, slots=True)
class Transform:
    """How whole numbers become coordinates: times ``scale``, plus ``translate`` (section 4)."""

    scale: tuple[float, float, float] = (MILLIMETRE, MILLIMETRE, MILLIMETRE)
    translate: tuple[float, float, float] = (0.0, 0.0, 0.0)

    @classmethod
    def around(cls, objects: Iterable[CityObject]) -> "Transform":
        """Millimetres from the lower corner, in whole metres, of the objects' geometries."""
        lows = [g.xyz.min(axis=0) for item in objects for g in item.geometries if len(g.xyz)]
        if not lows:
            return cls()
        x, y, z = np.floor(np.min(lows, axis=0)).tolist()
        return cls(translate=(x, y, z))

    def quantise(self, xyz: Floats) -> Ints:
        """Coordinates (n, 3) as whole numbers."""
        scale, translate = np.array(self.scale), np.array(self.translate)
        return np.rint((xyz - translate) / scale).astype(np.int64)


def cityjson_document(
    objects: Sequence[CityObject],
    reference: str | None = None,
    *,
    title: str | None = None,
    transform: Transform | None = None,
    head: Mapping[str, Any] | None = None,
) -> Json:
    """A CityJSON document of objects with their parents and children.

    ``reference`` is the URL of a CRS, such as ``https://www.opengis.net/def/crs/EPSG/0/3879``;
    ``head`` are further members of the document, such as ``extensions``. A parent that is not among
    the objects is left out, so that the document stands on its own.
    """
    transform = transform or Transform.around(objects)
    pools = Pools()
    templates = Templates(pools)
    content = _content(objects, transform, pools, templates, groups_of(objects))
    document = cityjson_header(reference, transform, title=title, head=head, templates=templates)
    return document | _with_pools(document, pools) | content


def cityjson_header(
    reference: str | None,
    transform: Transform,
    *,
    title: str | None = None,
    head: Mapping[str, Any] | None = None,
    templates: Templates | None = None,
) -> Json:
    """The first line of a CityJSONSeq: a document without objects."""
    known = dict(head or {})
    stated = {key: value for key, value in (("title", title), ("referenceSystem", reference)) if value}
    metadata: Json = {**(known.pop("metadata", None) or {}), **stated}
    header: Json = {"type": "CityJSON", "version": VERSION}
    header["transform"] = {"scale": list(transform.scale), "translate": list(transform.translate)}
    if metadata:
        header["metadata"] = metadata
    found = templates.content() if templates else None
    if found is not None:
        header["geometry-templates"] = found
    reserved = {"type", "version", "transform"}
    header |= {key: value for key, value in known.items() if key not in reserved}
    if templates:
        header |= _with_pools(header, templates.pools)
    return header | {"CityObjects": {}, "vertices": []}


def cityjson_feature(
    objects: Sequence[CityObject],
    transform: Transform,
    *,
    templates: Templates | None = None,
    groups: Groups | None = None,
) -> Json:
    """A line of a CityJSONSeq: a first-level object, which comes first, with all below it."""
    pools = Pools()
    content = _content(objects, transform, pools, templates or Templates(pools), groups or groups_of(objects))
    return {"type": "CityJSONFeature", "id": objects[0].id, **content, **_with_pools({}, pools)}


def _with_pools(document: Mapping[str, Any], pools: Pools) -> Json:
    """The member ``appearance``, the document's own default themes kept."""
    appearance = {**document.get("appearance", {}), **pools.content()}
    return {"appearance": appearance} if appearance else {}


def groups_of(objects: Iterable[CityObject]) -> dict[str, list[str]]:
    """The groups among the objects, by the ids of their members."""
    groups: dict[str, list[str]] = {}
    for item in objects:
        if item.type == GROUP:
            for member in item.extra.get("children", ()):
                groups.setdefault(member, []).append(item.id)
    return groups


def _content(
    objects: Sequence[CityObject], transform: Transform, pools: Pools, templates: Templates, groups: Groups
) -> Json:
    """Objects with the vertices that they use, each once."""
    geometries = [geometry for item in objects for geometry in _geometries(item)]
    vertices, numbers = _vertices(geometries, transform)
    written = [
        geometry_json(geometry, own, pools, templates)
        for geometry, own in zip(geometries, numbers, strict=True)
    ]
    return {"CityObjects": _city_objects(objects, written, groups), "vertices": vertices}


def _geometries(item: CityObject) -> list[Geometry]:
    """The geometries of an object, then the locations of its addresses."""
    return [*item.geometries, *(a.location for a in item.addresses if a.location is not None)]


def _vertices(geometries: Sequence[Geometry], transform: Transform) -> tuple[list[Any], list[Ints]]:
    """Distinct vertices, and for each geometry the vertex number of each of its points."""
    if not geometries:
        return [], []
    whole = transform.quantise(np.concatenate([geometry.xyz for geometry in geometries]))
    distinct, number = np.unique(whole, axis=0, return_inverse=True)
    ends = np.cumsum([len(geometry.xyz) for geometry in geometries])
    return distinct.tolist(), np.split(number.reshape(-1), ends[:-1])


def _city_objects(objects: Sequence[CityObject], geometries: Sequence[Json], groups: Groups) -> Json:
    written = {item.id for item in objects}
    children: dict[str, list[str]] = {}
    for item in objects:
        if item.parent in written:
            children.setdefault(str(item.parent), []).append(item.id)
    waiting = iter(geometries)
    return {
        item.id: _city_object(
            item,
            _relatives(item, children.get(item.id, []), written, groups),
            [next(waiting) for _ in item.geometries],
            [None if address.location is None else next(waiting) for address in item.addresses],
        )
        for item in objects
    }


def _relatives(item: CityObject, children: Sequence[str], written: set[str], groups: Groups) -> Json:
    """Parents and children of an object: those that are written, groups, and who is in a group."""
    own = [item.parent] if item.parent in written else []
    listed = [name for name in item.extra.get("parents", own) if name in written]
    parents = [*listed, *(group for group in groups.get(item.id, ()) if group not in listed)]
    members = item.extra.get("children", []) if item.type == GROUP else children
    return {key: list(names) for key, names in (("parents", parents), ("children", members)) if names}


def _city_object(
    item: CityObject, relatives: Json, geometries: list[Json], locations: list[Json | None]
) -> Json:
    content: Json = {"type": item.type if item.type in TYPES else f"+{item.type.removeprefix('+')}"}
    if item.attributes:
        content["attributes"] = item.attributes
    if item.addresses:
        pairs = zip(item.addresses, locations, strict=True)
        content["address"] = [_address(address, location) for address, location in pairs]
    content |= {key: value for key, value in item.extra.items() if key not in ("parents", "children")}
    content |= relatives
    if geometries:
        content["geometry"] = geometries
    return content


def _address(address: Address, location: Json | None) -> Json:
    """The source's own fields, and the parts that they do not name."""
    named = {ADDRESS_PARTS.get(key.lower()) for key in address.fields}
    parts = address.parts()
    content: Json = {ADDRESS_NAMES[key]: value for key, value in parts.items() if key not in named}
    ordered = {name: content[name] for name in ADDRESS_NAMES.values() if name in content}
    return ordered | address.fields | ({} if location is None else {"location": location})
