"""Compressed answers decode to what is sent without compression."""

import gzip

import anyio
import pytest
import zstandard
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from api.compression import MINIMUM_BYTES, Compression
from tests.api.client import Client

LONG = "/collections/buildings/items?limit=20"


def raw(client: Client, accept: str) -> tuple[bytes, str | None]:
    """The body as httpx decoded it, and the encoding that it came in."""
    response = client.request("GET", LONG, headers={"Accept-Encoding": accept})
    return response.content, response.headers.get("content-encoding")


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("zstd", "zstd"),
        ("gzip", "gzip"),
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=0.5, zstd;q=0", "gzip"),
        ("*", "zstd"),
        ("identity", None),
        ("br", None),
        ("gzip;q=nonsense", None),
        ("", None),
    ],
)
def test_negotiation(client: Client, accept: str, encoding: str | None) -> None:
    assert raw(client, accept)[1] == encoding


async def _sent(response: Response, accept: str) -> tuple[dict[str, str], bytes]:
    messages: list[Message] = []

    async def send(message: Message) -> None:
        messages.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await response(scope, receive, send)

    async def receive() -> Message:
        await anyio.sleep_forever()
        raise AssertionError

    scope: Scope = {"type": "http", "headers": [(b"accept-encoding", accept.encode())]}
    await Compression(app)(scope, receive, send)
    headers = {k.decode(): v.decode() for k, v in messages[0]["headers"]}
    return headers, b"".join(m.get("body", b"") for m in messages[1:])


@pytest.mark.anyio
async def test_bodies_and_headers() -> None:
    text = "ä" * MINIMUM_BYTES
    headers, body = await _sent(Response(text, media_type="text/plain", headers={"ETag": '"x"'}), "gzip")
    assert gzip.decompress(body).decode() == text
    assert (headers["etag"], headers["vary"]) == ('W/"x"', "Accept-Encoding")
    assert int(headers["content-length"]) == len(body)
    headers, body = await _sent(Response(text, media_type="application/geo+json"), "zstd")
    assert zstandard.ZstdDecompressor().decompress(body).decode() == text


@pytest.mark.anyio
async def test_what_passes_unchanged() -> None:
    long = b"x" * 5000
    for response in (
        Response(b"short", media_type="text/plain"),
        Response(long, media_type="image/png"),
        Response(long, media_type="text/plain", headers={"Content-Encoding": "br"}),
        StreamingResponse(iter([b"x" * 2500, b"x" * 2500]), media_type="image/png"),
        StreamingResponse(iter([b"x" * 2500, b"x" * 2500]), status_code=206, media_type="text/plain"),
        Response(status_code=304),
    ):
        headers, body = await _sent(response, "gzip, zstd")
        assert headers.get("content-encoding") in (None, "br")
        assert body in (b"short", long, b"")


@pytest.mark.anyio
@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
async def test_what_is_sent_in_parts_is_compressed_in_parts(encoding: str) -> None:
    parts = [bytes([65 + n % 7]) * 3000 for n in range(20)]
    headers, body = await _sent(StreamingResponse(iter(parts), media_type="text/csv"), encoding)
    assert headers["content-encoding"] == encoding
    assert headers["vary"] == "Accept-Encoding"
    assert "content-length" not in headers
    assert len(body) < 3000
    plain = (
        gzip.decompress(body)
        if encoding == "gzip"
        else zstandard.ZstdDecompressor().decompressobj().decompress(body)
    )
    assert plain == b"".join(parts)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"
