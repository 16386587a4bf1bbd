"""The texts of features that a process served, as bytes ready for the next page."""

from collections import OrderedDict
from collections.abc import Hashable, Sequence
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
        self._known: OrderedDict[Key, bytes] = OrderedDict()
        self._size = 0

    async def texts(
        self, pool: ReadPool, selection: Selection, shape: Shape, rows: Sequence[Row]
    ) -> list[bytes]:
        """The texts of rows that have ``id`` and the hash, in their order; what is not known is read."""
        keys = [(row[HASH], shape.key) for row in rows]
        found = list(map(self._known.get, keys))
        if None not in found:
            for key in keys:
                self._known.move_to_end(key)
            return cast(list[bytes], found)
        missing = [row["id"] for row, text in zip(rows, found, strict=True) if text is None]
        read = await self._read(pool, selection, shape, missing) if missing else {}
        served: list[bytes] = []
        for row, key, text in zip(rows, keys, found, strict=True):
            if text is not None:
                self._keep(key, text)
            elif (text := read.get(row["id"])) is None:
                continue  # gone in the meantime
            served.append(text)
        return served

    async def _read(
        self, pool: ReadPool, selection: Selection, shape: Shape, ids: Sequence[str]
    ) -> dict[str, bytes]:
        """Texts by id; of what changed in the meantime as it is now."""
        found: dict[str, bytes] = {}
        for row in await pool.fetch(texts(selection, ids)):
            text = found[row["id"]] = shape.apply(row["geojson"].encode())
            self._keep((row[HASH], shape.key), text)
        return found

    def _keep(self, key: Key, text: bytes) -> None:
        """As what was asked for last."""
        if key in self._known:
            self._known.move_to_end(key)
            return
        self._known[key] = text
        self._size += len(text)
        while self._size > self._most:
            self._size -= len(self._known.popitem(last=False)[1])
