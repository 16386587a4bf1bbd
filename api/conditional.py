"""Entity tags from the revisions of datasets, and answers of 304 without reading a feature."""

import time
from collections.abc import Hashable, Mapping, Sequence
from hashlib import blake2b

from fastapi import Request, Response

from api.links import base
from api.security.caller import caller_of
from twin.db.dataset_query import datasets
from twin.db.pending_query import ledger, pending
from twin.db.pool import ReadPool, Row
from twin.db.tile_query import revisions
from twin.db.uploads import Uploaded, read, uploaded_collections
from twin.processing.versions import versions

FRESH_S = 1.0
"""For so long the revisions are believed without asking; an import shows after at most that."""

PENDING_SHARE = 0.05
"""At most this part of the time goes into finding what waits for `twin process`, while that changes."""


class Revisions:
    """A digest of the revisions of all datasets: it changes whenever something that is served does.

    The uploaded collections are known with it, because they come and go at any time too.
    """

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._read_at = float("-inf")
        self._digest = ""
        self._uploads: Mapping[str, Uploaded] = {}

    async def digest(self) -> str:
        """The digest, at most `FRESH_S` old."""
        await self._refresh()
        return self._digest

    async def uploads(self) -> Mapping[str, Uploaded]:
        """The uploaded collections by name, at most `FRESH_S` old."""
        await self._refresh()
        return self._uploads

    def forget(self) -> None:
        """Makes the next answer read anew, after this process wrote something."""
        self._read_at = float("-inf")

    async def _refresh(self) -> None:
        now = time.monotonic()
        if now - self._read_at > FRESH_S:
            rows = await self._pool.fetch(revisions())
            found = [read(row) for row in await self._pool.fetch(uploaded_collections())]
            self._uploads = {uploaded.name: uploaded for uploaded in found}
            uploads = [(uploaded.name, uploaded.revision) for uploaded in found]
            self._digest = _short(repr(([tuple(row.values()) for row in rows], uploads)))
            self._read_at = now


class Datasets:
    """The datasets with their counts and extents, and what waits in them for `twin process`.

    They are read anew when a revision changes.
    """

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._revision: str | None = None
        self._rows: Sequence[Row] = ()
        self._pending: Mapping[str, Row] = {}
        self._pending_at: Hashable = None
        self._pending_until = float("-inf")

    async def pending(self, revision: str) -> Mapping[str, Row]:
        """The rows of `twin.db.pending_query.pending` at a revision, by dataset; those alone that wait."""
        row = await self._pool.fetch_one(ledger())
        now = revision, None if row is None else tuple(row.values())
        started = time.monotonic()
        if now != self._pending_at and started >= self._pending_until:
            rows = await self._pool.fetch(pending(versions()))
            self._pending = {row["dataset"]: row for row in rows}
            self._pending_at, ended = now, time.monotonic()
            self._pending_until = ended + (ended - started) / PENDING_SHARE
        return self._pending

    async def at(self, revision: str) -> Sequence[Row]:
        """The rows of `twin.db.dataset_query.datasets` at a revision."""
        if revision != self._revision:
            self._rows = await self._pool.fetch(datasets())
            self._revision = revision
        return self._rows


def _short(text: str) -> str:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()


def entity_tag(request: Request, revision: str, scopes: frozenset[str]) -> str:
    """A weak tag of an answer that depends on the address, the data and what its caller may see of them."""
    cities = caller_of(request).cities
    seen = f"{sorted(scopes)} {None if cities is None else sorted(cities)}"
    address = f"{base(request)} {request.scope['path']} {request.scope['query_string']!r}"
    return f'W/"{_short(f"{revision} {address} {seen}")}"'


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
