"""Items by POST, for filters that are too long or too awkward for an address."""

from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlencode

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from starlette.types import Receive, Scope, Send

from api import formats
from api.collections import Asked, equalities
from api.features import ITEM_PARAMETERS
from api.inside import OF_THE_ROUTE
from api.parameters import FILTER
from api.query import parameters_of
from twin.db.query import Collection
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
async def post_items(request: Request, asked: Asked) -> Response:
    """Reads only. The body is a CQL2 filter as JSON, or an object of the parameters that GET takes,
    where `filter` may be text or JSON. The `next` link is an address for GET.
    """
    document = await _document(request)
    given = dict(parameters_of(request))
    if "op" in document:
        document = {"filter": document}
    for name, value in document.items():
        if name in given:
            raise InvalidParameter(f"'{name[:60]}' is both in the address and in the body.")
        given[name] = _text(name, value, _schema(name, asked))
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


def _schema(name: str, collection: Collection) -> Mapping[str, Any]:
    """What a member may be; nothing of those that there are not, which GET refuses."""
    if (equality := equalities(collection).get(name)) is not None:
        return equality.schema
    return _DOCUMENTED.get(name, {})


_DOCUMENTED: Mapping[str, Mapping[str, Any]] = {p["name"]: p["schema"] for p in ITEM_PARAMETERS["parameters"]}
_CLASSES: Mapping[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list
}  # fmt: skip


def _text(name: str, value: Any, schema: Mapping[str, Any]) -> str:
    """A member as the text that the parameter of an address would have; InvalidParameter for other types."""
    kind = schema.get("type")
    if name == FILTER.name and isinstance(value, dict):
        return orjson.dumps(value).decode()
    if kind is None or (kind == "array" and isinstance(value, str)):
        return str(value)
    if not isinstance(value, _CLASSES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise InvalidParameter(f"'{name[:60]}' is of the type {kind} in the body, not {_json(value)[:60]}.")
    if isinstance(value, list):
        members = cast(list[Any], value)
        return ",".join(_text(name, member, schema["items"]) for member in members)
    return value if isinstance(value, str) else _json(value)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()
