"""Entity tags from the revisions of datasets, and answers of 304 without reading a feature."""

import time
from collections.abc import Sequence
from hashlib import blake2b

from fastapi import Request, Response

from twin.db.dataset_query import datasets
from twin.db.pool import ReadPool, Row
from twin.db.tile_query import revisions

FRESH_S = 1.0
"""For so long the revisions are believed without asking; an import shows after at most that."""


class Revisions:
    """A digest of the revisions of all datasets: it changes whenever something that is served does."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._read_at = float("-inf")
        self._digest = ""

    async def digest(self) -> str:
        """The digest, at most `FRESH_S` old."""
        now = time.monotonic()
        if now - self._read_at > FRESH_S:
            rows = await self._pool.fetch(revisions())
            self._digest = _short(repr([tuple(row.values()) for row in rows]))
            self._read_at = now
        return self._digest


class Datasets:
    """The datasets with their counts and extents, read anew when a revision changes."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._revision: str | None = None
        self._rows: Sequence[Row] = ()

    async def at(self, revision: str) -> Sequence[Row]:
        """The rows of `twin.db.dataset_query.datasets` at a revision."""
        if revision != self._revision:
            self._rows = await self._pool.fetch(datasets())
            self._revision = revision
        return self._rows


def _short(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def entity_tag(request: Request, revision: str, scopes: frozenset[str]) -> str:
    """A weak tag of an answer that depends on the address and the data alone."""
    return f'W/"{_short(f"{revision} {request.url} {sorted(scopes)}")}"'


def matches(request: Request, tag: str) -> bool:
    """Whether the client has this version already (RFC 9110, 13.1.2: weak comparison)."""
    header = request.headers.get("if-none-match", "")
    known = {part.strip().removeprefix("W/") for part in header.split(",")}
    return tag.removeprefix("W/") in known or "*" in known


def cache_headers(tag: str, scopes: frozenset[str]) -> dict[str, str]:
    """May be stored but must be asked about; personal data by the client alone."""
    return {"ETag": tag, "Cache-Control": f"{'private, ' if 'personal' in scopes else ''}no-cache"}


def not_modified(headers: dict[str, str]) -> Response:
    """304 with the headers that the whole answer would have had."""
    return Response(status_code=304, headers=headers)
