"""Landing page, conformance classes and the address of the OpenAPI document."""

from pathlib import Path
from typing import cast

import orjson
from fastapi import APIRouter, FastAPI, Request, Response

from api import formats, openapi, viewer_page
from api.collections import city_model
from api.dependencies import service
from api.html import documents as pages
from api.html.language import LANG
from api.links import JSON, OGC, OPENAPI_JSON, base, link
from api.parameters import documented
from api.query import parameters_of
from api.security.caller import READ, caller_of
from twin.db.collections import BUILDING_PARTS, KINDS
from twin.db.query import Collection
from twin.db.uploads import uploaded_collection

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
    f"{_SPEC}/ogcapi-features-5/1.0/conf/schemas",
    f"{_SPEC}/ogcapi-features-5/1.0/conf/core-roles-features",
    f"{_SPEC}/ogcapi-features-5/1.0/conf/queryables",
    f"{_SPEC}/ogcapi-features-5/1.0/conf/sortables",
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
    if formats.wants_html(request) and "f" not in parameters_of(request) and page.is_file():
        return viewer_page.answer(page, service(request).settings)
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
            link(f"{here}/3dtiles", "related", JSON, "The same as a container of 3D GeoVolumes"),
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
async def service_description(request: Request) -> Response:
    """OpenAPI 3.0 with a path for each collection, for readers also of the uploaded ones."""
    app = cast(FastAPI, request.app)
    more: list[Collection] = []
    if READ in caller_of(request).scopes:
        uploads = await service(request).revisions.uploads()
        more = [c for c in await city_model(request) if c in (BUILDING_PARTS, *KINDS)]
        more += map(uploaded_collection, uploads.values())
    document = openapi.with_collections(app, more)
    return Response(orjson.dumps(document), media_type=OPENAPI_JSON)
