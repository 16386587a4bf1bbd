"""What there is: collections, their queryables and schemas, and datasets."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api import formats
from api.collections import Asked, city_model, datasets_of, systems_of
from api.dependencies import CurrentView, service
from api.html import documents as pages
from api.html.language import LANG
from api.links import GEOJSON, JSON, OGC, SCHEMA_JSON, TILES_JSON, Link, base, link
from api.parameters import JSON_TYPES, documented
from api.security.caller import PERSONAL
from twin.db.collections import is_held
from twin.db.pool import Row
from twin.db.query import Collection, View
from twin.db.queryables import GEOMETRY, UNORDERED, UPDATED, Queryable
from twin.db.uploads import uploaded_collection
from twin.formats.geojson import ORIGINALS
from twin.model import offered
from twin.model.attributes import Attribute

router = APIRouter(tags=["Catalogue"])

CRS84 = offered.CRS84.uri
JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"
TILES_3D = "http://www.opengis.net/def/rel/ogc/0.0/3dtiles"

_DOCUMENTED = documented(formats.OF_DOCUMENT, LANG)


@router.get("/datasets", summary="Datasets: the products of publishers, and how they are placed")
async def get_datasets(request: Request) -> Response:
    """A dataset is a product of a publisher; `count` and `bbox` are of its current features, `themes` those
    of the textures and materials that 3D tiles show with `profile=textured`.

    `processing` says how many of them wait for `twin process`, and since when.
    """
    waiting = await _pending(request)
    return _json({"datasets": [_dataset(row, waiting) for row in await datasets_of(request)]})


async def _pending(request: Request) -> Mapping[str, Row]:
    known = service(request)
    return await known.datasets.pending(await known.revisions.digest())


def _processing(names: Iterable[str], waiting: Mapping[str, Row]) -> dict[str, Any]:
    """What waits for `twin process` in some datasets."""
    rows = [waiting[name] for name in names if name in waiting]
    since = min((row["since"] for row in rows), default=None)
    return {
        "pending": sum(row["pending"] for row in rows),
        "since": None if since is None else since.isoformat().replace("+00:00", "Z"),
    }


def _dataset(row: Row, waiting: Mapping[str, Row]) -> dict[str, Any]:
    plain = (
        "name", "title", "city", "role", "synthetic", "placement", "heights",
        "horizontal_epsg", "vertical_epsg", "publisher", "licence", "count", "themes",
    )  # fmt: skip
    described = {name: row[name] for name in plain}
    return {**described, "bbox": _bbox([row]), "processing": _processing([row["name"]], waiting)}


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


@router.get("/collections", summary="The collections of features", openapi_extra=_DOCUMENTED)
async def get_collections(request: Request, view: CurrentView) -> Response:
    """Those that have features, and buildings always. Each is over all cities. Uploaded ones come last."""
    uploads = await service(request).revisions.uploads()
    known = [*await city_model(request), *map(uploaded_collection, uploads.values())]
    here = base(request)
    document = {
        "links": [link(f"{here}/collections", "self", JSON, "The collections")],
        "crs": [system.uri for system in offered.SYSTEMS],
        "collections": [await _collection(request, collection) for collection in known],
    }
    return pages.collections(request, document, view.scopes)


@router.get(
    "/collections/{collection}", summary="One collection: extent and links", openapi_extra=_DOCUMENTED
)
async def get_collection(request: Request, view: CurrentView, asked: Asked) -> Response:
    """The extent is that of the primary datasets."""
    return pages.collection(request, await _collection(request, asked), view.scopes)


async def _collection(request: Request, collection: Collection) -> dict[str, Any]:
    described: dict[str, Any] = {
        "id": collection.name,
        "title": collection.title,
        "description": collection.description,
        "itemType": "feature",
        "crs": [system.uri for system in systems_of(collection)],
        "storageCrs": CRS84,
        "links": _collection_links(f"{base(request)}/collections/{collection.name}", collection),
    }
    if collection.of_datasets:
        primary = await _primary(request)
        processing = _processing([row["name"] for row in primary], await _pending(request))
        return {**described, "extent": await extent(request, collection), "processing": processing}
    bounds = (await service(request).revisions.uploads())[collection.name].extent
    held = {} if bounds is None else {"spatial": {"bbox": [list(bounds)], "crs": CRS84}}
    return {**described, "extent": held}


async def _primary(request: Request) -> Sequence[Row]:
    return [row for row in await datasets_of(request) if row["role"] == "primary"]


async def extent(request: Request, *collections: Collection) -> dict[str, Any]:
    """Where and since when collections of datasets have something, as OGC API Common tells it."""
    rows = await _primary(request)
    return _extent([row for row in rows if any(_holds(row, collection) for collection in collections)])


def _holds(row: Row, collection: Collection) -> bool:
    return is_held(collection, row)


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


def _collection_links(about: str, collection: Collection) -> list[Link]:
    title = collection.title
    links = [
        link(about, "self", JSON, title),
        link(f"{about}/items", "items", GEOJSON, f"{title} as GeoJSON"),
        link(f"{about}/queryables", f"{OGC}queryables", SCHEMA_JSON, "What a filter may name"),
        link(f"{about}/sortables", f"{OGC}sortables", SCHEMA_JSON, "What items may be sorted by"),
        link(f"{about}/schema", f"{OGC}schema", SCHEMA_JSON, "The properties of an item"),
        link(f"{about}/histogram", "related", JSON, "The spread of the values of a property"),
        link(f"{about}/statistics", "related", JSON, "Aggregates by groups"),
        *(
            link(f"{about}/download?f={form.name}", "enclosure", form.accepted, f"All as {form.title}")
            for form in formats.OF_DOWNLOADS
            if not form.solids  # those are of one dataset
        ),
    ]
    if collection.meshes:
        links.append(link(f"{about}/3dtiles/tileset.json", TILES_3D, TILES_JSON, "3D Tiles 1.1"))
        links.append(link(f"{about}/3dtiles", "related", JSON, "The same as a container of 3D GeoVolumes"))
    return links


@router.get(
    "/collections/{collection}/queryables",
    summary="What a filter may name, as JSON Schema",
    openapi_extra=_DOCUMENTED,
)
async def get_queryables(request: Request, view: CurrentView, asked: Asked) -> Response:
    """Types, units, code lists, standards' terms; labels and meanings in four languages."""
    return _schema(request, view, asked, _properties(view, asked))


@router.get(
    "/collections/{collection}/sortables",
    summary="What items may be sorted by, as JSON Schema",
    openapi_extra=_DOCUMENTED,
)
async def get_sortables(request: Request, view: CurrentView, asked: Asked) -> Response:
    """The queryables that have an order."""
    ordered = {q.name for q in asked.queryables(view) if q.type not in UNORDERED}
    found = {name: described for name, described in _properties(view, asked).items() if name in ordered}
    return _schema(request, view, asked, found)


@router.get(
    "/collections/{collection}/schema",
    summary="The properties of an item, as JSON Schema",
    openapi_extra=_DOCUMENTED,
)
async def get_schema(request: Request, view: CurrentView, asked: Asked) -> Response:
    """As the queryables, with the source's original attributes where they are open."""
    properties = _properties(view, asked)
    if asked.attributes:
        properties.pop(UPDATED, None)
        if PERSONAL in view.scopes:
            properties[ORIGINALS] = {
                "type": "object",
                "title": "Original attributes",
                "description": "The source's own attributes, under its own names.",
            }
    return _schema(request, view, asked, properties)


def _properties(view: View, asked: Collection) -> dict[str, Any]:
    return {queryable.name: _property(queryable, asked) for queryable in asked.queryables(view)}


def _schema(request: Request, view: View, asked: Collection, properties: dict[str, Any]) -> Response:
    document = {
        "$schema": JSON_SCHEMA,
        "$id": f"{base(request)}{request.url.path}",
        "type": "object",
        "title": asked.title,
        "description": asked.description,
        "properties": properties,
        "additionalProperties": False,
    }
    return pages.properties(request, document, request.url.path.rpartition("/")[2], view.scopes)


def _property(queryable: Queryable, asked: Collection) -> dict[str, Any]:
    if queryable.attribute is not None:
        return _attribute(queryable.attribute)
    if not asked.attributes and queryable.name != "id":
        return _uploaded_property(queryable)
    if queryable.name == GEOMETRY:
        return {
            "title": "Footprint",
            "description": "The outline seen from above, in longitude and latitude.",
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
