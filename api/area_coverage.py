"""Which cells the areas of uploaded collections cover, found once for each of their revisions."""

from itertools import groupby

from anyio import to_thread
from cachetools import LRUCache

from twin.db.area_groups import Covered, area_shapes
from twin.db.pool import ReadPool
from twin.db.uploads import Uploaded
from twin.model.coverage import MOST, Coverage

REMEMBERED = 16
"""Collections, of half a megabyte each."""

_Key = tuple[int, str, str | None]


class Coverages:
    """Remembers them for a process."""

    def __init__(self, pool: ReadPool) -> None:
        self._pool = pool
        self._known: LRUCache[_Key, Covered | None] = LRUCache(REMEMBERED)

    async def of(self, areas: Uploaded, label: str | None) -> Covered | None:
        """The coverage of a collection by its areas or by a property; None where there can be none."""
        key = areas.id, areas.revision, label
        if key not in self._known:
            self._known[key] = await self._made(areas, label)
        return self._known[key]

    async def _made(self, areas: Uploaded, label: str | None) -> Covered | None:
        if areas.count > MOST:
            return None
        rows = await self._pool.fetch(area_shapes(areas, label))
        values: list[object] = []
        numbers: list[int] = []
        # In the order of the values, so that the numbers have that order too.
        for value, same in groupby(rows, key=lambda row: row["area"]):
            if value is not None:
                values.append(value)
            numbers += [0 if value is None else len(values) for _ in same]
        coverage = await to_thread.run_sync(Coverage.of, [row["shape"] for row in rows], numbers)
        ids = [row["id"] for row in rows]
        return None if coverage is None else Covered.of(coverage, ids, numbers, values)
