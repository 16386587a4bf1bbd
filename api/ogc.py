"""Landing page, conformance and the OpenAPI document."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.openapi.utils import get_openapi
from starlette.responses import FileResponse

from api.collections import ONLY_OF_CITIES, upload_parameters
from api.dependencies import service
from api.links import JSON, OGC, OPENAPI_JSON, base, link
from api.parameters import ATTRIBUTES
from twin.db.query import COLLECTIONS
from twin.db.uploads import Uploaded

router = APIRouter(tags=["Start"])

VIEWER = Path(__file__).parent / "viewer" / "dist"
"""The built viewer; a source tree has none until `make setup` built it."""

TITLE = "FinEst twin"
DESCRIPTION = "3D city models of Helsinki and Tallinn as one digital twin."

_SPEC = "http://www.opengis.net/spec"
CONFORMS_TO = (
    f"{_SPEC}/ogcapi-common-1/1.0/conf/core",
    f"{_SPEC}/ogcapi-common-1/1.0/conf/json",
    f"{_SPEC}/ogcapi-common-1/1.0/conf/oas30",
    f"{_SPEC}/ogcapi-common-2/1.0/conf/collections",
    f"{_SPEC}/ogcapi-features-1/1.0/conf/core",
    f"{_SPEC}/ogcapi-features-1/1.0/conf/oas30",
    f"{_SPEC}/ogcapi-features-1/1.0/conf/geojson",
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


@router.get("/", summary="Landing page; the viewer for a browser")
async def landing(request: Request) -> Response:
    """Links to everything else."""
    page = VIEWER / "index.html"
    if "text/html" in request.headers.get("accept", "") and page.is_file():
        return FileResponse(page, headers={"Cache-Control": "no-cache", "Vary": "Accept"})
    here = base(request)
    document = {
        "title": TITLE,
        "description": DESCRIPTION,
        "links": [
            link(f"{here}/", "self", JSON, "This page"),
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
    return Response(orjson.dumps(document), media_type=JSON, headers={"Vary": "Accept"})


@router.get("/conformance", summary="The conformance classes of OGC standards that are met")
async def conformance() -> dict[str, tuple[str, ...]]:
    """As OGC API Common declares them."""
    return {"conformsTo": CONFORMS_TO}


@router.get("/api", summary="This document")
async def openapi(request: Request) -> Response:
    """OpenAPI 3.0 with a path for each collection, the uploaded ones among them."""
    uploads = await service(request).revisions.uploads()
    document = _with_uploads(cast(FastAPI, request.app).openapi(), uploads)
    return Response(orjson.dumps(document), media_type=OPENAPI_JSON)


def _with_uploads(document: dict[str, Any], uploads: Mapping[str, Uploaded]) -> dict[str, Any]:
    """The document with the paths of uploaded collections, after those of a collection of features."""
    model = f"/collections/{next(iter(COLLECTIONS))}"
    served: dict[str, Any] = {
        path: operations
        for path, operations in document["paths"].items()
        if path.startswith(model) and "tiles" not in path
    }
    paths = {
        path.replace(model, f"/collections/{uploaded.name}", 1): {
            method: _for_upload(operation, uploaded) for method, operation in operations.items()
        }
        for uploaded in uploads.values()
        for path, operations in served.items()
    }
    return {**document, "paths": {**document["paths"], **paths}}


def _for_upload(operation: dict[str, Any], uploaded: Uploaded) -> dict[str, Any]:
    given: list[dict[str, Any]] = operation.get("parameters", [])
    hidden = ONLY_OF_CITIES | {parameter.name for parameter in ATTRIBUTES}
    kept = [parameter for parameter in given if parameter["name"] not in hidden]
    if len(kept) < len(given):
        kept += [parameter.openapi() for parameter in upload_parameters(uploaded)]
    name = operation["operationId"].rpartition("_")[0]
    return {**operation, "operationId": f"{name}_{uploaded.name}", "parameters": kept}


def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The API as OpenAPI 3.0, with a path for each collection, as clients expect them."""
    document = get_openapi(
        title=TITLE,
        version=app.version,
        summary=None,
        description=DESCRIPTION,
        openapi_version="3.0.3",
        routes=app.routes,
    )
    document["paths"] = {
        concrete: operations
        for path, template in document["paths"].items()
        for concrete, operations in _concrete(path, template)
    }
    return _as_version_3_0(document)


def _concrete(path: str, operations: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    if "{collection}" not in path:
        return [(path, operations)]
    return [
        (
            path.replace("{collection}", name),
            {method: _for_collection(operation, name) for method, operation in operations.items()},
        )
        for name in COLLECTIONS
    ]


def _for_collection(operation: dict[str, Any], collection: str) -> dict[str, Any]:
    kept = [p for p in operation.get("parameters", []) if (p["in"], p["name"]) != ("path", "collection")]
    return {
        **operation,
        "operationId": f"{operation['operationId']}_{collection}",
        "parameters": kept,
    }


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
