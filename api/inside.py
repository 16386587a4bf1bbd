"""One route asks another of the same application: what GET of an address answers to the same caller."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast
from urllib.parse import quote, urlencode

from fastapi import FastAPI, Request
from starlette.types import Message

OF_THE_ROUTE = {"endpoint", "path_params", "route", "router", "fastapi_inner_astack"}
"""What routing has put into a scope; the second routing puts its own."""

_OF_THE_BODY = (b"content-", b"accept", b"if-", b"range", b"transfer-encoding")


@dataclass(slots=True)
class Answer:
    """Status and body of an answer."""

    status: int = 500
    body: bytes = b""


async def get(request: Request, path: str, query: Mapping[str, str]) -> Answer:
    """GET as JSON, with the rights of whoever sent the request; errors are answers too."""
    scope = {key: value for key, value in request.scope.items() if key not in OF_THE_ROUTE}
    headers = [(n, v) for n, v in request.scope["headers"] if not n.lower().startswith(_OF_THE_BODY)]
    scope |= {
        "method": "GET",
        "path": scope.get("root_path", "") + path,
        "raw_path": quote(path).encode(),
        "query_string": urlencode(query, errors="surrogatepass").encode(),
        "headers": [*headers, (b"accept", b"application/json")],
    }
    answer = Answer()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status = message["status"]
        elif message["type"] == "http.response.body":
            answer.body += message.get("body", b"")

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    await cast(FastAPI, request.app).router(scope, receive, send)
    return answer
