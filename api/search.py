"""Items by POST, for filters that are too long or too awkward for an address."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.types import Receive, Scope, Send

from api import formats
from api.collections import Asked
from api.features import ITEM_PARAMETERS
from api.inside import OF_THE_ROUTE
from twin.errors import InvalidParameter

router = APIRouter()

MAX_BODY_BYTES = 64 * 1024
MEDIA_TYPES = ("application/json", "application/query-cql-json", "application/query-cql2-json")

_EXAMPLE = {
    "filter": {"op": ">", "args": [{"property": "height_m"}, 20]},
    "filter-lang": "cql2-json",
    "limit": 10,
}
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "A CQL2 filter as JSON, or the parameters of GET as members.",
                },
                "example": _EXAMPLE,
            }
        },
    }
}


class _AsGet(Response):
    """What GET of the same address with these parameters answers."""

    def __init__(self, app: FastAPI, parameters: Mapping[str, str]) -> None:
        super().__init__()
        self._app = app
        self._query = urlencode(parameters, errors="surrogatepass").encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        inner = {key: value for key, value in scope.items() if key not in OF_THE_ROUTE}
        await self._app.router({**inner, "method": "GET", "query_string": self._query}, receive, send)


@router.post(
    "/collections/{collection}/items",
    summary="Features of a collection, asked for in a body",
    tags=["Features"],
    responses=formats.responses(formats.OF_ITEMS, "A page of features"),
    openapi_extra={**ITEM_PARAMETERS, **_BODY},
)
async def post_items(request: Request, _: Asked) -> Response:
    """Reads only. The body is a CQL2 filter as JSON, or an object of the parameters that GET takes,
    where `filter` may be text or JSON. The `next` link is an address for GET.
    """
    document = await _document(request)
    given = dict(request.query_params)
    if "op" in document:
        document = {"filter": document}
    for name, value in document.items():
        if name in given:
            raise InvalidParameter(f"'{name[:60]}' is both in the address and in the body.")
        given[name] = _text(name, value)
    if isinstance(document.get("filter"), dict):
        given.setdefault("filter-lang", "cql2-json")
    return _AsGet(cast(FastAPI, request.app), given)


async def _document(request: Request) -> dict[str, Any]:
    kind = request.headers.get("content-type", MEDIA_TYPES[0]).partition(";")[0].strip().lower()
    if kind not in MEDIA_TYPES:
        raise InvalidParameter(f"The body is '{kind[:60]}'; it is read as {MEDIA_TYPES[0]}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise InvalidParameter(f"The body is longer than {MAX_BODY_BYTES} bytes.")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidParameter(f"The body is not JSON: {error}.") from None
    if not isinstance(document, dict):
        raise InvalidParameter("The body is no JSON object.")
    return cast(dict[str, Any], document)


def _text(name: str, value: Any, depth: int = 0) -> str:
    """A member as the text that the parameter of an address would have."""
    if depth > 1:
        raise InvalidParameter(f"'{name[:60]}' is a list of lists in the body.")
    match value:
        case str():
            return value
        case bool() | dict():
            return orjson.dumps(value).decode()
        case int() | float():
            return repr(value)
        case list():
            return ",".join(_text(name, member, depth + 1) for member in cast(list[Any], value))
        case _:
            raise InvalidParameter(f"'{name[:60]}' is null in the body; leave it out.")
