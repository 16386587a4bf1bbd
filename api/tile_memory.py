"""What a process remembers of tiles between requests, by the revisions of all datasets.

The revisions are read anew for each request, in a tenth of a millisecond, so that what changed shows at
once; whatever is remembered of others is never asked for again and falls out.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from hashlib import blake2b
from typing import Any

from cachetools import LRUCache
from fastapi import FastAPI, Request

from api.compression import Encoded
from tiles.build import WORLD, TileRequest, limits_of
from twin.db.collections import WHOLE
from twin.db.pool import ReadPool
from twin.db.query import ALL_SCOPES, Selection, Statement, View
from twin.db.tile_query import revisions
from twin.errors import TwinError
from twin.model.cells import Cell

BODY_BYTES = 64 * 1024 * 1024
TAGS = 50_000
COUNTS = 32
"""Counts of whole cities are some hundred kilobytes each."""


class TileMemory:
    """Built tiles by ETag, ETags by address, counts of cells by statement; what was not used longest goes."""

    def __init__(self) -> None:
        self._bodies: LRUCache[str, Encoded] = LRUCache(BODY_BYTES, lambda kept: len(kept.body))
        self._tags: LRUCache[bytes, str] = LRUCache(TAGS)
        self._counts: LRUCache[bytes, Sequence[Any]] = LRUCache(COUNTS)

    def body(self, etag: str) -> Encoded | None:
        """A tile that was built, as it travelled last."""
        return self._bodies.get(etag)

    def keep(self, etag: str, tile: Encoded) -> None:
        """Keeps a built tile, unless it alone would push out half of the others."""
        if len(tile.body) <= BODY_BYTES // 2:
            self._bodies[etag] = tile

    async def tag(
        self, request: Request, view: View, pool: ReadPool, find: Callable[[], Awaitable[str]]
    ) -> str:
        """The ETag of an address; ``find`` tells it where it is not known for these revisions.

        A change between the reading of the revisions and of the tag makes the tag newer than they are,
        which the next request mends.
        """
        key = await _key(pool, request.url, view)
        found = self._tags.get(key)
        if found is None:
            found = await find()
            self._tags[key] = found
        return found

    async def counts(self, pool: ReadPool, tiles: TileRequest, cell: Cell) -> Sequence[Any]:
        """The rows of `TileRequest.counts`."""
        statement = tiles.counts(cell)
        if statement.key is None:
            return await pool.fetch(statement)
        key = await _key(pool, *_text_and_values(statement))
        found = self._counts.get(key)
        if found is None:
            found = await pool.fetch(statement)
            self._counts[key] = found
        return found


def _text_and_values(statement: Statement) -> tuple[Any, ...]:
    return statement.key, sorted(statement.values.items())


async def _key(pool: ReadPool, *parts: Any) -> bytes:
    now = [tuple(row.values()) for row in await pool.fetch(revisions())]
    return blake2b(repr((now, *parts)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def memory(request: Request) -> TileMemory:
    """What this process remembers."""
    return request.app.state.tile_memory


@asynccontextmanager
async def remembering(app: FastAPI) -> AsyncGenerator[None, None]:
    """Give an application its memory, and count all cells before the first client asks."""
    app.state.tile_memory = TileMemory()
    warming = asyncio.create_task(_warm(app))
    yield
    warming.cancel()
    with suppress(asyncio.CancelledError):
        await warming


async def _warm(app: FastAPI) -> None:
    """Without a database, or with one that is busy, the first client counts."""
    known = app.state.service
    with suppress(TwinError, OSError):
        for collection in WHOLE:
            selection = Selection(View(scopes=ALL_SCOPES), collection)
            everything = TileRequest(selection, limits=limits_of(collection))
            await app.state.tile_memory.counts(known.pool, everything, WORLD)
