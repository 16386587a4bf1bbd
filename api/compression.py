"""Compresses answers with zstd or gzip, as pure ASGI.

zstd at level 3 takes an eighth of the time of gzip at level 6 for the same size.
"""

import gzip
import re
import zlib
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Protocol

import zstandard
from anyio import to_thread
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MINIMUM_BYTES = 1024
_COMPRESSIBLE = re.compile(
    r"text/|application/(.*\+)?json|application/javascript|model/gltf-binary"
    r"|application/vnd\.(mapbox-vector-tile|apache\.arrow|flatgeobuf)|image/svg"
)


def _zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor(level=3).compress(body)


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, compresslevel=5, mtime=0)


ENCODINGS: dict[str, Callable[[bytes], bytes]] = {"zstd": _zstd, "gzip": _gzip}
"""By preference of the server."""

_DECODINGS: dict[str, Callable[[bytes], bytes]] = {
    "zstd": lambda body: zstandard.ZstdDecompressor().decompress(body),
    "gzip": gzip.decompress,
}


class Encoded(NamedTuple):
    """A body as it travels, and the name of its content coding; None for one as it is."""

    body: bytes
    coding: str | None

    def to(self, coding: str | None) -> "Encoded":
        """The same in another coding; small bodies are left as they are."""
        if coding == self.coding:
            return self
        body = self.body if self.coding is None else _DECODINGS[self.coding](self.body)
        if coding is None or len(body) < MINIMUM_BYTES:
            return Encoded(body, None)
        return Encoded(ENCODINGS[coding](body), coding)


class _Compressor(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


_OF_PARTS: dict[str, Callable[[], _Compressor]] = {
    "zstd": lambda: zstandard.ZstdCompressor(level=3).compressobj(),
    "gzip": lambda: zlib.compressobj(level=5, wbits=31),
}
"""For answers that are written in parts."""


class Compression:
    """Middleware; answers that are encoded already or small pass unchanged."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        encoding = accepted(Headers(scope=scope)) if scope["type"] == "http" else None
        if encoding is None:
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _Sender(send, encoding))


class _Sender:
    """Holds the start of an answer back until its first body tells whether to compress."""

    def __init__(self, send: Send, encoding: str) -> None:
        self._send = send
        self._encoding = encoding
        self._start: Message | None = None
        self._compressor: _Compressor | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            if message["type"] == "http.response.body":
                self._encode(start, message)
            await self._send(start)
        if self._compressor is not None:
            message["body"] = await to_thread.run_sync(_part, self._compressor, message)
        await self._send(message)

    def _encode(self, start: Message, message: Message) -> None:
        headers = MutableHeaders(raw=start["headers"])
        if not _COMPRESSIBLE.match(headers.get("content-type", "")):
            return
        headers.add_vary_header("Accept-Encoding")
        if "content-encoding" in headers:
            return
        body = message.get("body", b"")
        if message.get("more_body"):
            if start["status"] != HTTPStatus.OK:
                return  # a part of a file, as Range asks for
            self._compressor = _OF_PARTS[self._encoding]()
            del headers["content-length"]
        elif len(body) < MINIMUM_BYTES:
            return
        else:
            message["body"] = ENCODINGS[self._encoding](body)
            headers["content-length"] = str(len(message["body"]))
        headers["content-encoding"] = self._encoding
        if (tag := headers.get("etag", "")).startswith('"'):
            # A strong tag would promise the same bytes for every encoding.
            headers["etag"] = f"W/{tag}"


def _part(compressor: _Compressor, message: Message) -> bytes:
    compressed = compressor.compress(message.get("body", b""))
    return compressed if message.get("more_body") else compressed + compressor.flush()


def accepted(headers: Headers) -> str | None:
    """The coding to use: the first of ours that Accept-Encoding names and does not refuse."""
    header = headers.get("accept-encoding")
    return None if header is None else _accepted(header)


@lru_cache(maxsize=256)
def _accepted(header: str) -> str | None:
    accepted = dict(_weighted(part) for part in header.split(","))
    return next((name for name in ENCODINGS if accepted.get(name, accepted.get("*", 0.0)) > 0), None)


def _weighted(part: str) -> tuple[str, float]:
    name, _, weight = part.partition(";")
    try:
        return name.strip().lower(), float(weight.strip().removeprefix("q=") or 1)
    except ValueError:
        return name.strip().lower(), 0.0
