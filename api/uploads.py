"""Collections that people bring: PUT a file of areas, and ask of it what any collection is asked."""

import re
from typing import Any

import orjson
from anyio import to_thread
from fastapi import APIRouter, HTTPException, Request, Response

from api.dependencies import service
from api.links import JSON, base
from api.parameters import Parameter, documented
from api.query import parameters_of
from importers.areas import feature_text, read_layer
from twin.db.uploads import NewCollection, NewFeature, Store
from twin.errors import InvalidParameter

router = APIRouter(tags=["Catalogue"])

MAX_UPLOAD_BYTES = 64 * 1024 * 1024
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")

TITLE = Parameter("title", "The title of the collection; without it, its name.")
DESCRIPTION = Parameter("description", "What the collection holds.")
LAYER = Parameter("layer", "The layer of a GeoPackage with several.")
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}
_FEATURES: dict[str, Any] = {
    "type": "object",
    "required": ["type", "features"],
    "properties": {
        "type": {"type": "string", "enum": ["FeatureCollection"]},
        "features": {"type": "array", "minItems": 1, "items": {"type": "object"}},
    },
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/geo+json": {"schema": _FEATURES},
            "application/geopackage+sqlite3": _BINARY,
            "text/csv": {"schema": {"type": "string"}},
        },
    }
}


@router.put(
    "/collections/{name}",
    summary="Upload a collection",
    status_code=201,
    responses={
        200: {
            "description": "The collection took the place of another of its name",
            "content": {JSON: {"schema": {"type": "object"}}},
        },
        201: {"description": "There was none of this name before"},
        413: {"description": "The file is too large"},
    },
    openapi_extra={**documented(TITLE, DESCRIPTION, LAYER), **_BODY},
)
async def put_collection(request: Request, name: str) -> Response:
    """GeoJSON, GeoPackage, or CSV with a column of well-known text or of longitude and latitude."""
    store = _store(request)
    if not _NAME.fullmatch(name):
        raise InvalidParameter(
            f"'{name[:60]}' cannot name a collection: small letters, digits, '-' and '_', a letter first."
        )
    data = await _body(request)
    given = parameters_of(request)
    new = await to_thread.run_sync(
        _read, name, data, given.get("title"), given.get("description"), given.get("layer")
    )
    created = await to_thread.run_sync(store.replace, new)
    service(request).revisions.forget()
    address = f"{base(request)}/collections/{name}"
    answer = {"id": name, "title": new.title, "count": len(new.features), "properties": dict(new.properties)}
    return Response(
        orjson.dumps(answer), 201 if created else 200, headers={"Location": address}, media_type=JSON
    )


@router.delete(
    "/collections/{name}",
    summary="Remove an uploaded collection",
    status_code=204,
)
async def delete_collection(request: Request, name: str) -> Response:
    """Collections of the city model stay."""
    store = _store(request)
    await to_thread.run_sync(store.delete, name)
    service(request).revisions.forget()
    return Response(status_code=204)


def _store(request: Request) -> Store:
    """Where to write; refused by servers that may not write to their database."""
    store = service(request).store
    if store is None:
        raise HTTPException(403, "This server takes no collections: its role in the database may only read.")
    return store


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_UPLOAD_BYTES:
            raise HTTPException(413, f"The file is larger than {MAX_UPLOAD_BYTES // 2**20} MiB.")
    if not body:
        raise InvalidParameter("The body is empty; send a GeoJSON, a GeoPackage or a CSV.")
    return bytes(body)


def _read(
    name: str, data: bytes, title: str | None, description: str | None, layer: str | None
) -> NewCollection:
    found = read_layer(data, layer)
    features = [
        NewFeature(area.id, area.geometry, area.properties, feature_text(area)) for area in found.areas
    ]
    return NewCollection(name, title or name, description or "", found.geometry_name, found.types, features)
