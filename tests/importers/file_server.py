"""A web server on this machine that serves files from memory, and fails as asked."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any


@dataclass(slots=True)
class Site:
    """``cuts`` says after how many bytes the next answers end; ``asked`` is what came in, with range."""

    url: str = ""
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    tag: str = '"1"'
    cuts: list[int] = field(default_factory=list[int])
    takes_ranges: bool = True
    announced: int | None = None
    asked: list[tuple[str, str | None]] = field(default_factory=list[tuple[str, str | None]])


@contextmanager
def served(**settings: Any) -> Generator[Site]:
    """A site while it is served."""
    site = Site(**settings)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, site)

        def log_message(self, format: str, *args: Any) -> None:
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    site.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    asked = handler.headers.get("Range")
    site.asked.append((handler.path, asked))
    content = site.files.get(handler.path)
    if content is None:
        handler.send_error(404, "Not Found")
        return
    start = int(asked.removeprefix("bytes=").rstrip("-")) if asked and site.takes_ranges else 0
    if handler.headers.get("If-Range") not in (None, site.tag):
        start = 0
    if start >= len(content) > 0:
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(content)}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()
        return
    rest = content[start:]
    handler.send_response(206 if start else 200)
    if start:
        handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    handler.send_header("Content-Length", str(len(rest) if site.announced is None else site.announced))
    handler.send_header("ETag", site.tag)
    handler.end_headers()
    handler.wfile.write(rest[: site.cuts.pop(0)] if site.cuts else rest)
