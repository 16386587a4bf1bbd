"""A service of map tiles on this machine: every tile has one colour, and what was asked for is kept."""

import struct
import threading
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

SIZE = 256
Colour = tuple[int, int, int]


def png(colour: Colour) -> bytes:
    """A tile of one colour."""
    rows = (b"\0" + bytes(colour) * SIZE) * SIZE
    header = struct.pack(">IIBBBBB", SIZE, SIZE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


@dataclass
class MapTiles:
    """Where the tiles are, and what was asked for: (layer, zoom, column, row)."""

    address: str
    asked: list[tuple[str, int, int, int]] = field(default_factory=list[tuple[str, int, int, int]])
    fails: bool = False


@contextmanager
def serving_tiles(layers: dict[str, Colour]) -> Generator[MapTiles]:
    """Tiles at ``/layer/z/x/y.png``; each layer has its colour."""
    images = {name: png(colour) for name, colour in layers.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            layer, *numbers = urlsplit(self.path).path.removesuffix(".png").strip("/").split("/")
            zoom, x, y = map(int, numbers)
            tiles.asked.append((layer, zoom, x, y))
            self.send_response(404 if tiles.fails else 200)
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Type", "image/png")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            if not tiles.fails:
                self.wfile.write(images[layer])

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: the test looks at what was asked for."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tiles = MapTiles(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield tiles
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
