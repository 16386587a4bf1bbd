"""Landing page, conformance and the OpenAPI document."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.responses import FileResponse

from api import formats
from api.collections import equalities, systems_of, taken
from api.dependencies import service
from api.html import documents as pages
from api.html.language import LANG
from api.links import JSON, OGC, OPENAPI_JSON, base, link
from api.parameters import CRS, documented
from twin.db.collections import COLLECTIONS, FEATURES
from twin.db.query import Collection
from twin.db.uploads import uploaded_collection
from twin.model.offered import SYSTEMS

router = APIRouter(tags=["Start"])

VIEWER = Path(__file__).parent / "viewer" / "dist"
"""The built viewer; a source tree has none until `make setup` built it."""

TITLE = "FinEst twin"
DESCRIPTION = "3D city models of Helsinki and Tallinn as one digital twin."

_SPEC = "http://www.opengis.net/spec"
CONFORMS_TO = (
    f"{_SPEC}/ogcapi-common-1/1.0/conf/core",
    f"{_SPEC}/ogcapi-common-1/1.0/conf/json",
    f"{_SPEC}/ogcapi-common-1/1.0/conf/html",
    f"{_SPEC}/ogcapi-common-1/1.0/conf/oas30",
    f"{_SPEC}/ogcapi-common-2/1.0/conf/collections",
    f"{_SPEC}/ogcapi-features-1/1.0/conf/core",
    f"{_SPEC}/ogcapi-features-1/1.0/conf/oas30",
    f"{_SPEC}/ogcapi-features-1/1.0/conf/geojson",
    f"{_SPEC}/ogcapi-features-1/1.0/conf/html",
    f"{_SPEC}/ogcapi-features-2/1.0/conf/crs",
    f"{_SPEC}/ogcapi-features-3/1.0/conf/queryables",
    f"{_SPEC}/ogcapi-features-3/1.0/conf/queryables-query-parameters",
    f"{_SPEC}/ogcapi-features-3/1.0/conf/filter",
    f"{_SPEC}/ogcapi-features-3/1.0/conf/features-filter",
    f"{_SPEC}/cql2/1.0/conf/cql2-text",
    f"{_SPEC}/cql2/1.0/conf/cql2-json",
    f"{_SPEC}/cql2/1.0/conf/basic-cql2",
    f"{_SPEC}/cql2/1.0/conf/advanced-comparison-operators",
    f"{_SPEC}/cql2/1.0/conf/case-insensitive-comparison",
    f"{_SPEC}/cql2/1.0/conf/basic-spatial-functions",
    f"{_SPEC}/cql2/1.0/conf/basic-spatial-functions-plus",
    f"{_SPEC}/cql2/1.0/conf/accent-insensitive-comparison",
    f"{_SPEC}/cql2/1.0/conf/spatial-functions",
    f"{_SPEC}/cql2/1.0/conf/temporal-functions",
    f"{_SPEC}/cql2/1.0/conf/array-functions",
    f"{_SPEC}/cql2/1.0/conf/arithmetic",
    f"{_SPEC}/cql2/1.0/conf/property-property",
)


_DOCUMENTED = documented(formats.OF_DOCUMENT, LANG)


@router.get("/", summary="Landing page; the viewer for a browser", openapi_extra=_DOCUMENTED)
async def landing(request: Request) -> Response:
    """Links to everything else. A browser gets the viewer where `f` does not say `html`."""
    page = VIEWER / "index.html"
    if formats.wants_html(request) and "f" not in request.query_params and page.is_file():
        return FileResponse(page, headers={"Cache-Control": "no-cache", "Vary": "Accept"})
    here = base(request)
    document = {
        "title": TITLE,
        "description": DESCRIPTION,
        "links": [
            link(f"{here}/", "self", JSON, "This page"),
            link(f"{here}/?f=html", "alternate", "text/html", "This page for people"),
            link(f"{here}/api", "service-desc", OPENAPI_JSON, "The API as OpenAPI 3.0"),
            link(f"{here}/conformance", "conformance", JSON, "Conformance classes"),
            link(f"{here}/conformance", f"{OGC}conformance", JSON, "Conformance classes"),
            link(f"{here}/collections", "data", JSON, "The collections"),
            link(f"{here}/collections", f"{OGC}data", JSON, "The collections"),
            link(f"{here}/datasets", "related", JSON, "The datasets"),
            link(
                f"{here}/3dtiles/tileset.json",
                "related",
                "application/json+3dtiles",
                "3D Tiles of everything",
            ),
        ],
    }
    return pages.landing(request, document)


@router.get(
    "/conformance",
    summary="The conformance classes of OGC standards that are met",
    openapi_extra=_DOCUMENTED,
)
async def conformance(request: Request) -> Response:
    """As OGC API Common declares them."""
    return pages.conformance(request, {"conformsTo": CONFORMS_TO})


@router.get("/api", summary="This document")
async def openapi(request: Request) -> Response:
    """OpenAPI 3.0 with a path for each collection, the uploaded ones among them."""
    app = cast(FastAPI, request.app)
    document = app.openapi()
    uploads = await service(request).revisions.uploads()
    if uploads:
        paths = _concrete(_templates(app), map(uploaded_collection, uploads.values()))
        document = {**document, "paths": {**document["paths"], **_as_version_3_0(paths)}}
    return Response(orjson.dumps(document), media_type=OPENAPI_JSON)


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The API as OpenAPI 3.0, with a path for each collection, as clients expect them."""
    document = _generated(app)
    plain = {path: _of_all(operations) for path, operations in document["paths"].items() if _PATH not in path}
    document["paths"] = {**plain, **_concrete(_templates(app), COLLECTIONS.values())}
    return _as_version_3_0(document)


_PATH = "{collection}"


def _generated(app: FastAPI) -> dict[str, Any]:
    """What FastAPI writes, with paths that hold the name of a collection as a parameter."""
    return get_openapi(
        title=TITLE,
        version=app.version,
        summary=None,
        description=DESCRIPTION,
        openapi_version="3.0.3",
        routes=app.routes,
    )


def _templates(app: FastAPI) -> dict[str, Any]:
    """The operations of any collection by their paths, read once."""
    if app.state.templates is None:
        paths: dict[str, Any] = _generated(app)["paths"]
        app.state.templates = {path: operations for path, operations in paths.items() if _PATH in path}
    return app.state.templates


def _concrete(templates: dict[str, Any], collections: Iterable[Collection]) -> dict[str, Any]:
    """The paths of collections, each with the operations and parameters that it has."""
    return {
        path.replace(_PATH, collection.name): {
            method: _for_collection(operation, collection) for method, operation in operations.items()
        }
        for collection in collections
        for path, operations in templates.items()
        if _serves(collection, path)
    }


def _serves(collection: Collection, path: str) -> bool:
    if "/3dtiles" in path:
        return collection.solids
    return collection.mapped or "/tiles/" not in path


def _of_all(operations: dict[str, Any]) -> dict[str, Any]:
    return {
        method: {**operation, "parameters": _parameters(operation, FEATURES)}
        if "parameters" in operation
        else operation
        for method, operation in operations.items()
    }


def _for_collection(operation: dict[str, Any], collection: Collection) -> dict[str, Any]:
    name = f"{operation['operationId']}_{collection.name}"
    return {**operation, "operationId": name, "parameters": _parameters(operation, collection)}


def _parameters(operation: dict[str, Any], collection: Collection) -> list[dict[str, Any]]:
    """The parameters of an operation for a collection, the properties of it among them."""
    given: list[dict[str, Any]] = [
        p for p in operation.get("parameters", []) if (p["in"], p["name"]) != ("path", "collection")
    ]
    names = taken([parameter["name"] for parameter in given], collection)
    known = {parameter["name"]: parameter for parameter in given}
    return [
        _offered(known[name], collection) if name in known else equalities(collection)[name].openapi()
        for name in names
    ]


def _offered(parameter: dict[str, Any], collection: Collection) -> dict[str, Any]:
    """A parameter without the formats and reference systems that a collection does not have."""
    lacking = {form.name for form in formats.OF_ALL if form.solids and not collection.solids}
    if parameter["name"] == CRS.name:
        lacking = {system.uri for system in SYSTEMS} - {system.uri for system in systems_of(collection)}
    values: list[str] = parameter["schema"].get("enum", [])
    if lacking.isdisjoint(values):
        return parameter
    return {**parameter, "schema": {**parameter["schema"], "enum": [v for v in values if v not in lacking]}}


def _as_version_3_0(node: Any) -> Any:
    """Spells what FastAPI writes for OpenAPI 3.1 as 3.0 has it: ``nullable`` instead of a null type."""
    if isinstance(node, list):
        return [_as_version_3_0(member) for member in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    members = {key: _as_version_3_0(value) for key, value in cast(dict[str, Any], node).items()}
    choices = members.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        rest = [choice for choice in cast(list[Any], choices) if choice != {"type": "null"}]
        del members["anyOf"]
        members |= rest[0] if len(rest) == 1 else {"anyOf": rest}
        members["nullable"] = True
    if "const" in members:
        members["enum"] = [members.pop("const")]
    return members
