"""Every error as a problem document (RFC 9457), from one table of classes and statuses."""

import logging
import re
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from api import formats
from api.html.render import headers as page_headers
from api.html.render import render
from twin.db.collections import COLLECTIONS
from twin.errors import (
    DatabaseUnavailable,
    InputError,
    InvalidFilter,
    InvalidParameter,
    NotFound,
    RequestError,
    TwinError,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 2

SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "What is wrong, where, and how to mend it (RFC 9457).",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string", "description": "The kind of problem in words."},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The path of the request."},
    },
}

STATUS: dict[type[Exception], int] = {
    InvalidParameter: 400,
    InvalidFilter: 400,
    NotFound: 404,
    InputError: 400,
    RequestError: 400,
    DatabaseUnavailable: 503,
    TwinError: 500,
}
"""The nearest class in the ancestry of an error decides."""

_log = logging.getLogger(__name__)


def install(app: FastAPI) -> None:
    """Answers every error of an application with a problem document."""
    app.add_exception_handler(TwinError, _twin_error)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(Exception, _unforeseen)


def problem(request: Request, status: int, kind: str, detail: str, **headers: str) -> Response:
    """A problem document; ``kind`` is the class of the error in words, such as ``Invalid filter``."""
    body: dict[str, Any] = {
        "type": f"urn:finest-twin:problem:{kind.lower().replace(' ', '-')}",
        "title": kind,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
    }
    if formats.accepts_html(request):
        page = render(request, "problem.html", document=body, crumbs=())
        sent = page_headers(request) | headers
        return Response(page, status, headers=sent, media_type=formats.HTML.media_type)
    # A detail may quote what was sent, and that may hold halves of surrogate pairs.
    return Response(_encoded(body), status, headers=headers, media_type=MEDIA_TYPE)


def _encoded(body: dict[str, Any]) -> bytes:
    clean = {
        key: value.encode("utf-8", "replace").decode() if isinstance(value, str) else value
        for key, value in body.items()
    }
    return orjson.dumps(clean)


def status_of(error: Exception) -> int:
    """The HTTP status of an error, by the nearest class in the table."""
    return next((STATUS[cls] for cls in type(error).__mro__ if cls in STATUS), 500)


async def _twin_error(request: Request, error: Exception) -> Response:
    status = status_of(error)
    if status >= 500:
        _log.warning("%s %s: %s", request.method, request.url.path, error)
    kind = re.sub(r"(?<!^)(?=[A-Z])", " ", type(error).__name__).capitalize()
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status == 503 else {}
    return problem(request, status, kind, str(error), **headers)


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details = [f"'{_place(item)}': {item['msg']}" for item in error.errors()]
    return problem(request, 400, "Invalid parameter", "; ".join(details))


def _place(item: dict[str, Any]) -> str:
    return ".".join(str(part) for part in item["loc"][1:]) or str(item["loc"][0])


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    detail = str(error.detail)
    if error.status_code == 404:
        detail = f"There is nothing at {request.url.path}. The landing page at / lists what there is."
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(_allowed(request))
        detail = f"{request.method} is not offered here; offered: {headers['Allow']}."
    return problem(request, error.status_code, phrase.capitalize(), detail, **headers)


def _allowed(request: Request) -> list[str]:
    """The methods of all routes of an address; the router names those of the first alone."""
    app: FastAPI = request.app
    # HEAD is answered wherever GET is.
    scopes = {
        method: {**request.scope, "method": "GET" if method == "HEAD" else method} for method in _METHODS
    }
    found = [
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in app.routes)
    ]
    # Those of the city model are not written at the address where uploaded ones are.
    stays = request.url.path.removeprefix("/collections/") in COLLECTIONS
    return [method for method in found if not (stays and method in _WRITING)]


_WRITING = {"PUT", "DELETE"}
_METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


async def _unforeseen(request: Request, error: Exception) -> Response:
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(request, 500, "Internal error", "The server failed; its log says why.")
