"""Streamable HTTP without sessions and streams: each POST is one JSON-RPC message, answered at once.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
"""

import importlib.metadata
from typing import Any, cast

import orjson
from fastapi import APIRouter, HTTPException, Request, Response

from api.links import JSON
from api.mcp.tools import TOOLS, Json, call
from api.security.origins import is_own
from twin.errors import TwinError

router = APIRouter()

VERSIONS = ("2025-11-25", "2025-06-18")
"""Of the protocol, the newest first; older ones have batches, which are not read."""

MAX_BODY_BYTES = 64 * 1024
PARSE_ERROR, INVALID_REQUEST, METHOD_NOT_FOUND, INVALID_PARAMS = -32700, -32600, -32601, -32602

INSTRUCTIONS = (
    "3D city models of Helsinki and Tallinn. Ask list_collections, then queryables for the names, units and "
    "values of a collection; count, statistics and items take CQL2 filters over those. groupby=city "
    "compares the cities."
)
_DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            JSON: {
                "schema": {
                    "type": "object",
                    "required": ["jsonrpc", "method"],
                    "properties": {
                        "jsonrpc": {"type": "string", "enum": ["2.0"]},
                        "id": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
                        "method": {"type": "string"},
                    },
                },
                "example": {"jsonrpc": "2.0", "id": 1, "method": "tools/list"},
            }
        },
    }
}


class _RpcError(Exception):
    """A JSON-RPC error: a request that is no call of a tool."""

    def __init__(self, code: int, message: str, id: Any = None) -> None:
        super().__init__(message)
        self.document = {"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}


@router.post(
    "/mcp",
    summary="Model Context Protocol: tools for assistants, which read only",
    tags=["Aggregates"],
    responses={
        200: {"description": "A JSON-RPC response", "content": {JSON: {"schema": {"type": "object"}}}},
        202: {"description": "A notification was taken"},
        400: {
            "description": "No JSON-RPC message, or a version of the protocol that is not spoken",
            "content": {JSON: {"schema": {"type": "object"}}},
        },
        403: {"description": "A page of another site asks"},
    },
    openapi_extra=_DOCUMENTED,
)
async def mcp(request: Request) -> Response:
    """JSON-RPC 2.0 by Streamable HTTP without sessions: `initialize`, `ping`, `tools/list`, `tools/call`."""
    _check_site(request)
    try:
        message = await _message(request)
        if "id" not in message:
            return Response(status_code=202)
        result = await _result(request, message)
    except _RpcError as error:
        status = 400 if error.document["id"] is None else 200
        return Response(orjson.dumps(error.document), status, media_type=JSON)
    return Response(
        orjson.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}),
        headers={"Cache-Control": "no-store"},
        media_type=JSON,
    )


def _check_site(request: Request) -> None:
    """Refuses pages of other sites, as the protocol demands, also those that may read by CORS."""
    origin = request.headers.get("origin")
    if origin is not None and not is_own(origin, request.headers.get("host", "")):
        raise HTTPException(403, "A page of another site may not ask here.")


async def _message(request: Request) -> Json:
    version = request.headers.get("mcp-protocol-version", VERSIONS[0])
    if version not in VERSIONS:
        raise _RpcError(
            INVALID_REQUEST, f"The protocol '{version[:40]}' is not spoken, but {', '.join(VERSIONS)}."
        )
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise _RpcError(INVALID_REQUEST, f"The message is longer than {MAX_BODY_BYTES} bytes.")
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _RpcError(PARSE_ERROR, f"The message is not JSON: {error}.") from None
    return _checked(message)


def _checked(message: Any) -> Json:
    """A request or notification; a response, which nobody asked for, is taken as a notification."""
    if not isinstance(message, dict):
        raise _RpcError(INVALID_REQUEST, "The message is no JSON-RPC 2.0 object; batches are not read.")
    found = cast(Json, message)
    if found.get("jsonrpc") != "2.0":
        raise _RpcError(INVALID_REQUEST, "'jsonrpc' is not '2.0'.")
    if "method" not in found and ("result" in found or "error" in found):
        return {}
    if not isinstance(found.get("method"), str):
        raise _RpcError(INVALID_REQUEST, "'method' is missing.")
    if "id" in found and (not isinstance(found["id"], str | int) or isinstance(found["id"], bool)):
        raise _RpcError(INVALID_REQUEST, "'id' is no text and no whole number.")
    return found


async def _result(request: Request, message: Json) -> Json:
    given = message.get("params", {})
    if not isinstance(given, dict):
        raise _RpcError(INVALID_PARAMS, "'params' is no object.", message["id"])
    params = cast(Json, given)
    match message["method"]:
        case "initialize":
            return _initialized(params)
        case "ping":
            return {}
        case "tools/list":
            return {"tools": [tool.described() for tool in TOOLS.values()]}
        case "tools/call":
            return await _called(request, message["id"], params)
        case method:
            raise _RpcError(METHOD_NOT_FOUND, f"There is no method '{method[:60]}'.", message["id"])


def _initialized(params: Json) -> Json:
    """The version that the client asks for where it is spoken, else the newest."""
    wanted = params.get("protocolVersion")
    return {
        "protocolVersion": wanted if wanted in VERSIONS else VERSIONS[0],
        "capabilities": {"tools": {"listChanged": False}},
        "serverInfo": {
            "name": "finest-twin",
            "title": "FinEst twin",
            "version": importlib.metadata.version("finest-twin"),
        },
        "instructions": INSTRUCTIONS,
    }


async def _called(request: Request, id: Any, params: Json) -> Json:
    name, arguments = params.get("name"), params.get("arguments", {})
    tool = TOOLS.get(name) if isinstance(name, str) else None
    if tool is None:
        raise _RpcError(INVALID_PARAMS, f"There is no such tool. Known: {', '.join(TOOLS)}.", id)
    if not isinstance(arguments, dict):
        raise _RpcError(INVALID_PARAMS, "'arguments' is no object.", id)
    try:
        found = await call(request, tool, cast(Json, arguments))
    except TwinError as error:
        # An error of a tool is a result, so that the assistant reads it and mends its question.
        detail = str(error).encode("utf-8", "replace").decode()
        return {"content": [{"type": "text", "text": detail}], "isError": True}
    text = orjson.dumps(found).decode()
    return {"content": [{"type": "text", "text": text}], "structuredContent": found, "isError": False}
