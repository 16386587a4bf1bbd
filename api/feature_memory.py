"""The texts of features that a process served, as bytes ready for the next page."""

from collections.abc import Hashable, Sequence

from api.feature_text import Shape
from twin.db.feature_query import HASH, texts
from twin.db.pool import ReadPool, Row
from twin.db.query import Selection

BYTES = 128 * 1024 * 1024
"""Of texts, some seventy thousand buildings."""

PAGE = 1000
"""Longer pages are read from the database as they come: they would push out what others ask for."""

Key = tuple[bytes, Hashable]


class FeatureMemory:
    """Texts by the hash of all that is served of a feature and by how it is shaped.

    A feature that changes has another hash, so that nothing is ever served that is not so any more. There
    are two generations; whatever was not asked for since the younger began is forgotten when it is full,
    which costs a lookup nothing, as the exact order of use would.
    """

    def __init__(self, most: int = BYTES) -> None:
        self._most = most // 2
        self._young: dict[Key, bytes] = {}
        self._old: dict[Key, bytes] = {}
        self._size = 0

    async def texts(
        self, pool: ReadPool, selection: Selection, shape: Shape, rows: Sequence[Row]
    ) -> list[bytes]:
        """The texts of rows that have ``id`` and the hash, in their order; what is not known is read."""
        known = self._young
        found = [known.get((row[HASH], shape.key)) for row in rows]
        missing = [row for row, text in zip(rows, found, strict=True) if text is None]
        if missing:
            read = await self._found(pool, selection, shape, missing)
            found = [text or read.get(row["id"]) for row, text in zip(rows, found, strict=True)]
        return [text for text in found if text is not None]

    async def _found(
        self, pool: ReadPool, selection: Selection, shape: Shape, rows: Sequence[Row]
    ) -> dict[str, bytes]:
        """Texts by id; of what changed in the meantime as it is now, and without what is gone."""
        found: dict[str, bytes] = {}
        for row in rows:
            if text := self._old.get((row[HASH], shape.key)):
                found[row["id"]] = text
                self._keep((row[HASH], shape.key), text)
        unknown = [row["id"] for row in rows if row["id"] not in found]
        for row in await pool.fetch(texts(selection, unknown)) if unknown else ():
            text = shape.apply(row["geojson"].encode())
            found[row["id"]] = text
            self._keep((row[HASH], shape.key), text)
        return found

    def _keep(self, key: Key, text: bytes) -> None:
        if self._size + len(text) > self._most:
            self._old, self._young, self._size = self._young, {}, 0
        if key not in self._young:
            self._young[key] = text
            self._size += len(text)
