"""The texts of features that a process served, as bytes ready for the next page."""

from collections import OrderedDict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import cast

from api.feature_text import Shape
from twin.db.feature_query import HASH, texts
from twin.db.pool import ReadPool, Row
from twin.db.query import Selection

PAGE = 1000
"""Longer pages are read from the database as they come: they would push out what others ask for."""

Key = tuple[bytes, Hashable]


class FeatureMemory:
    """Texts of at most so many bytes in all, by the hash of what is served of a feature and how it is shaped.

    A feature that changes has another hash, so that nothing is ever served that is not so any more. What
    was not asked for the longest is forgotten first.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: dict[Hashable, dict[bytes, bytes]] = {}
        """By the key of a shape."""
        self._order: OrderedDict[Key, None] = OrderedDict()
        """What was asked for last is last."""
        self._size = 0

    async def texts(
        self, pool: ReadPool, selection: Selection, shape: Shape, rows: Sequence[Row]
    ) -> list[bytes]:
        """The texts of rows that have ``id`` and the hash, in their order; what is not known is read."""
        hashes: list[bytes] = [row[HASH] for row in rows]
        found = list(map(self._known.get(shape.key, _NOTHING).get, hashes))
        self._touch((hash, shape.key) for hash, text in zip(hashes, found, strict=True) if text is not None)
        if None not in found:
            return cast(list[bytes], found)
        missing = [row["id"] for row, text in zip(rows, found, strict=True) if text is None]
        read = await self._read(pool, selection, shape, missing) if missing else {}
        served: list[bytes] = []
        for row, known in zip(rows, found, strict=True):
            text = read.get(row["id"]) if known is None else known
            if text is not None:  # not gone in the meantime
                served.append(text)
        return served

    async def _read(
        self, pool: ReadPool, selection: Selection, shape: Shape, ids: Sequence[str]
    ) -> dict[str, bytes]:
        """Texts by id; of what changed in the meantime as it is now."""
        found: dict[str, bytes] = {}
        for row in await pool.fetch(texts(selection, ids)):
            text = found[row["id"]] = shape.apply(row["geojson"].encode())
            self._keep(row[HASH], shape.key, text)
        return found

    def _touch(self, keys: Iterable[Key]) -> None:
        """Notes what was asked for; while half is free, nothing is near being forgotten."""
        if 2 * self._size > self._most:
            for key in keys:
                self._order.move_to_end(key)

    def _keep(self, hash: bytes, shape: Hashable, text: bytes) -> None:
        """As what was asked for last."""
        known = self._known.setdefault(shape, {})
        self._size += len(text) - len(known.get(hash, b""))
        known[hash] = text
        self._order[hash, shape] = None
        self._order.move_to_end((hash, shape))
        while self._size > self._most:
            (hash, shape), _ = self._order.popitem(last=False)
            self._size -= len(self._known[shape].pop(hash))
            if not self._known[shape]:
                del self._known[shape]


_NOTHING: Mapping[bytes, bytes] = {}
