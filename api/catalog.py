"""What there is: collections, their queryables and schemas, and datasets."""

from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api.collections import Asked, Collection
from api.dependencies import service
from api.links import GEOJSON, JSON, OGC, SCHEMA_JSON, TILES_JSON, Link, base, link
from api.parameters import JSON_TYPES
from twin.db.pool import Row
from twin.db.query import COLLECTIONS
from twin.db.queryables import GEOMETRY, UPDATED, Queryable
from twin.db.uploads import Uploaded
from twin.formats.geojson import ORIGINALS
from twin.model.attributes import Attribute

router = APIRouter(tags=["Catalogue"])

CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
TILES_3D = "http://www.opengis.net/def/rel/ogc/0.0/3dtiles"

TITLES = {"buildings": ("Buildings", "Buildings of all cities, with their parts and installations.")}


async def _datasets(request: Request) -> Sequence[Row]:
    known = service(request)
    return await known.datasets.at(await known.revisions.digest())


@router.get("/datasets", summary="Datasets: the products of publishers, and how they are placed")
async def get_datasets(request: Request) -> Response:
    """A dataset is a product of a publisher; `count` and `bbox` are of its current features."""
    return _json({"datasets": [_dataset(row) for row in await _datasets(request)]})


def _dataset(row: Row) -> dict[str, Any]:
    plain = (
        "name", "title", "city", "role", "synthetic", "placement", "heights",
        "horizontal_epsg", "vertical_epsg", "publisher", "licence", "count",
    )  # fmt: skip
    return {**{name: row[name] for name in plain}, "bbox": _bbox([row])}


def _bbox(rows: Sequence[Row]) -> list[float] | None:
    placed = [row for row in rows if row["west"] is not None]
    if not placed:
        return None
    return [
        min(row["west"] for row in placed),
        min(row["south"] for row in placed),
        max(row["east"] for row in placed),
        max(row["north"] for row in placed),
    ]


@router.get("/collections", summary="The collections of features")
async def get_collections(request: Request) -> Response:
    """Each collection is over all cities. Uploaded collections come last."""
    rows = await _datasets(request)
    uploads = await service(request).revisions.uploads()
    here = base(request)
    return _json(
        {
            "links": [link(f"{here}/collections", "self", JSON, "The collections")],
            "collections": [
                *(_collection(here, name, rows) for name in COLLECTIONS),
                *(_uploaded(here, uploaded) for uploaded in uploads.values()),
            ],
        }
    )


@router.get("/collections/{collection}", summary="One collection: extent and links")
async def get_collection(request: Request, collection: str, asked: Asked) -> Response:
    """The extent is that of the primary datasets."""
    if asked.uploaded is not None:
        return _json(_uploaded(base(request), asked.uploaded))
    return _json(_collection(base(request), collection, await _datasets(request)))


def _collection(here: str, name: str, rows: Sequence[Row]) -> dict[str, Any]:
    title, description = TITLES[name]
    held = [row for row in rows if COLLECTIONS[name] in row["types"] and row["role"] == "primary"]
    return {
        "id": name,
        "title": title,
        "description": description,
        "itemType": "feature",
        "crs": [CRS84],
        "storageCrs": CRS84,
        "extent": _extent(held),
        "links": _collection_links(f"{here}/collections/{name}", title),
    }


def _uploaded(here: str, uploaded: Uploaded) -> dict[str, Any]:
    about = f"{here}/collections/{uploaded.name}"
    extent = None if uploaded.extent is None else {"spatial": {"bbox": [list(uploaded.extent)], "crs": CRS84}}
    return {
        "id": uploaded.name,
        "title": uploaded.title,
        "description": uploaded.description,
        "itemType": "feature",
        "crs": [CRS84],
        "storageCrs": CRS84,
        "extent": extent or {},
        "links": _collection_links(about, uploaded.title)[:-1],
    }


def _extent(rows: Sequence[Row]) -> dict[str, Any]:
    extent: dict[str, Any] = {}
    if (box := _bbox(rows)) is not None:
        extent["spatial"] = {"bbox": [box], "crs": CRS84}
    if rows:
        earliest = min(row["recorded_from"] for row in rows).isoformat().replace("+00:00", "Z")
        extent["temporal"] = {
            "interval": [[earliest, None]],
            "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
        }
    return extent


def _collection_links(about: str, title: str) -> list[Link]:
    return [
        link(about, "self", JSON, title),
        link(f"{about}/items", "items", GEOJSON, f"{title} as GeoJSON"),
        link(f"{about}/queryables", f"{OGC}queryables", SCHEMA_JSON, "What a filter may name"),
        link(f"{about}/schema", f"{OGC}schema", SCHEMA_JSON, "The properties of an item"),
        link(f"{about}/histogram", "related", JSON, "The spread of the values of a property"),
        link(f"{about}/statistics", "related", JSON, "Aggregates by groups"),
        link(f"{about}/3dtiles/tileset.json", TILES_3D, TILES_JSON, "3D Tiles 1.1"),
    ]


@router.get("/collections/{collection}/queryables", summary="What a filter may name, as JSON Schema")
async def get_queryables(request: Request, asked: Asked) -> Response:
    """Types, units, code lists, standards' terms; labels and meanings in four languages."""
    return _schema(request, asked, _properties(asked))


@router.get("/collections/{collection}/schema", summary="The properties of an item, as JSON Schema")
async def get_schema(request: Request, asked: Asked) -> Response:
    """As the queryables, with the source's original attributes."""
    properties = _properties(asked)
    if asked.uploaded is None:
        del properties[UPDATED]
        properties[ORIGINALS] = {
            "type": "object",
            "title": "Original attributes",
            "description": "The source's own attributes, under its own names.",
        }
    return _schema(request, asked, properties)


def _properties(asked: Collection) -> dict[str, Any]:
    return {queryable.name: _property(queryable, asked.uploaded) for queryable in asked.queryables}


def _schema(request: Request, asked: Collection, properties: dict[str, Any]) -> Response:
    uploaded = asked.uploaded
    title, description = (
        TITLES[str(asked.name)] if uploaded is None else (uploaded.title, uploaded.description)
    )
    document = {
        "$schema": JSON_SCHEMA,
        "$id": f"{base(request)}{request.url.path}",
        "type": "object",
        "title": title,
        "description": description,
        "properties": properties,
        "additionalProperties": False,
    }
    return Response(orjson.dumps(document), media_type=SCHEMA_JSON)


def _property(queryable: Queryable, uploaded: Uploaded | None) -> dict[str, Any]:
    if queryable.attribute is not None:
        return _attribute(queryable.attribute)
    if uploaded is not None and queryable.name != "id":
        return _uploaded_property(queryable)
    if queryable.name == GEOMETRY:
        return {
            "title": "Footprint",
            "description": "The footprint in longitude and latitude.",
            "format": "geometry-multipolygon",
            "x-ogc-role": "primary-geometry",
        }
    if queryable.name == UPDATED:
        return {
            "type": "string",
            "format": "date-time",
            "title": "Updated",
            "description": "Since when the feature is as it is, to filter and sort by.",
        }
    return {
        "type": JSON_TYPES[queryable.type],
        "title": "Id",
        "description": "Dataset and source id, stable across deliveries.",
        "x-ogc-role": "id",
    }


def _uploaded_property(queryable: Queryable) -> dict[str, Any]:
    if queryable.type == "geometry":
        role = {"x-ogc-role": "primary-geometry"} if queryable.name == GEOMETRY else {}
        return {"title": queryable.name, "format": "geometry-any", **role}
    formats = {"date": {"format": "date"}, "timestamp": {"format": "date-time"}}
    return {"type": JSON_TYPES[queryable.type], "title": queryable.name, **formats.get(queryable.type, {})}


def _attribute(attribute: Attribute) -> dict[str, Any]:
    described: dict[str, Any] = {
        "type": JSON_TYPES[attribute.type],
        "title": attribute.label.en,
        "description": attribute.meaning.en,
        "x-labels": attribute.label.by_language(),
        "x-meanings": attribute.meaning.by_language(),
        "x-group": attribute.group,
        "x-origin": attribute.origin,
        "x-access": attribute.access,
    }
    optional = {
        "x-unit": attribute.unit,
        "x-ogc-unit": attribute.unit,
        "x-term": attribute.term,
        "x-method": attribute.method,
        "x-quality": attribute.quality,
        "enum": list(attribute.codes) or None,
    }
    return described | {name: value for name, value in optional.items() if value is not None}


def _json(document: dict[str, Any]) -> Response:
    return Response(orjson.dumps(document), media_type=JSON)
