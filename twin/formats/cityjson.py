"""Writes CityJSON 2.0: a document, or the lines of a CityJSONSeq.

Vertices are whole numbers of millimetres (``Transform``), each written once a document or line.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np

from twin.model.cityobject import Address, CityObject
from twin.model.geometry import Floats, Geometry, Ints, SemanticSurface

VERSION = "2.0"
MILLIMETRE = 0.001
Json: TypeAlias = dict[str, Any]

TYPES = frozenset(
    {
        "Bridge", "BridgeConstructiveElement", "BridgeFurniture", "BridgeInstallation", "BridgePart",
        "BridgeRoom", "Building", "BuildingConstructiveElement", "BuildingFurniture",
        "BuildingInstallation", "BuildingPart", "BuildingRoom", "BuildingStorey", "BuildingUnit",
        "CityFurniture", "CityObjectGroup", "GenericCityObject", "LandUse", "OtherConstruction",
        "PlantCover", "Railway", "Road", "SolitaryVegetationObject", "TINRelief", "TransportSquare",
        "Tunnel", "TunnelConstructiveElement", "TunnelFurniture", "TunnelHollowSpace",
        "TunnelInstallation", "TunnelPart", "WaterBody", "Waterway",
    }
)  # fmt: skip
"""Object types of CityJSON 2.0; all others are extensions and begin with "+" (section 8)."""

_ADDRESS = {
    "country": "country",
    "locality": "locality",
    "street": "thoroughfareName",
    "house_number": "thoroughfareNumber",
    "postal_code": "postcode",
}


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


def cityjson_document(
    objects: Sequence[CityObject],
    reference: str | None = None,
    *,
    title: str | None = None,
    transform: Transform | None = None,
) -> Json:
    """A CityJSON document of objects with their parents and children.

    ``reference`` is the URL of a CRS, such as ``https://www.opengis.net/def/crs/EPSG/0/3879``. A
    parent that is not among the objects is left out, so that the document stands on its own.
    """
    transform = transform or Transform.around(objects)
    vertices, boundaries = _vertices(objects, transform)
    document = cityjson_header(reference, transform, title=title)
    document["CityObjects"] = _city_objects(objects, boundaries)
    document["vertices"] = vertices
    return document


def cityjson_header(reference: str | None, transform: Transform, *, title: str | None = None) -> Json:
    """The first line of a CityJSONSeq: a document without objects."""
    metadata = {
        key: value for key, value in (("title", title), ("referenceSystem", reference)) if value is not None
    }
    header: Json = {"type": "CityJSON", "version": VERSION}
    header["transform"] = {"scale": list(transform.scale), "translate": list(transform.translate)}
    if metadata:
        header["metadata"] = metadata
    return header | {"CityObjects": {}, "vertices": []}


def cityjson_feature(objects: Sequence[CityObject], transform: Transform) -> Json:
    """A line of a CityJSONSeq: a first-level object, which comes first, with all below it."""
    vertices, boundaries = _vertices(objects, transform)
    return {
        "type": "CityJSONFeature",
        "id": objects[0].id,
        "CityObjects": _city_objects(objects, boundaries),
        "vertices": vertices,
    }


def _vertices(objects: Sequence[CityObject], transform: Transform) -> tuple[list[Any], list[Ints]]:
    """Distinct vertices, and for each geometry in order the vertex number of each of its points."""
    points = [geometry.xyz for item in objects for geometry in item.geometries]
    if not points:
        return [], []
    whole = _quantise(np.concatenate(points), transform)
    distinct, number = np.unique(whole, axis=0, return_inverse=True)
    ends = np.cumsum([len(xyz) for xyz in points])
    return distinct.tolist(), np.split(number.reshape(-1), ends[:-1])


def _quantise(xyz: Floats, transform: Transform) -> Ints:
    scale, translate = np.array(transform.scale), np.array(transform.translate)
    return np.rint((xyz - translate) / scale).astype(np.int64)


def _city_objects(objects: Sequence[CityObject], numbers: Sequence[Ints]) -> Json:
    written = {item.id for item in objects}
    children: dict[str, list[str]] = {}
    for item in objects:
        if item.parent in written:
            children.setdefault(str(item.parent), []).append(item.id)
    waiting = iter(numbers)
    return {
        item.id: _city_object(
            item,
            children.get(item.id),
            item.parent if item.parent in written else None,
            [_geometry(geometry, next(waiting)) for geometry in item.geometries],
        )
        for item in objects
    }


def _city_object(
    item: CityObject, children: list[str] | None, parent: str | None, geometries: list[Json]
) -> Json:
    content: Json = {"type": item.type if item.type in TYPES else f"+{item.type.removeprefix('+')}"}
    if item.attributes:
        content["attributes"] = item.attributes
    if item.addresses:
        content["address"] = [_address(address) for address in item.addresses]
    if parent is not None:
        content["parents"] = [parent]
    if children:
        content["children"] = children
    if geometries:
        content["geometry"] = geometries
    return content


def _address(address: Address) -> Json:
    fields = asdict(address)
    return {name: fields[key] for key, name in _ADDRESS.items() if fields[key] is not None}


def _geometry(geometry: Geometry, numbers: Ints) -> Json:
    rings = _nest(numbers.tolist(), geometry.ring_start)
    shells = _nest(_nest(rings, geometry.surface_start), geometry.shell_start)
    content: Json = {
        "type": geometry.type,
        "lod": geometry.lod,
        "boundaries": _outer(shells, geometry),
    }
    if geometry.semantics:
        values = [None if index < 0 else index for index in geometry.semantic.tolist()]
        content["semantics"] = {
            "surfaces": [_semantic_surface(surface) for surface in geometry.semantics],
            "values": _outer(_nest(values, geometry.shell_start), geometry),
        }
    return content


def _nest(items: list[Any], start: Ints) -> list[Any]:
    """Items as lists of items, cut at the offsets."""
    cuts: list[int] = start.tolist()
    return [items[low:high] for low, high in pairwise(cuts)]


def _outer(shells: list[Any], geometry: Geometry) -> list[Any]:
    """Shells nested as deep as the type of the geometry asks."""
    if geometry.type == "Solid":
        return shells
    if geometry.is_solid:
        return _nest(shells, geometry.solid_start)
    return shells[0] if shells else []


def _semantic_surface(surface: SemanticSurface) -> Json:
    content: Mapping[str, Any] = surface.attributes
    identity = {} if surface.id is None else {"id": surface.id}
    return {"type": surface.type, **identity, **content}
