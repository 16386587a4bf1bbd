"""Texts that were served are served again while they are so, and those of the caller's own eyes alone."""

from collections.abc import Sequence
from typing import Any, cast

import anyio
import pytest
from sqlalchemy import func, update

from api.feature_memory import FeatureMemory
from api.feature_text import Shape
from tests.api.client import Client
from tests.api.seeding import Seeded
from twin.db.collections import BUILDINGS
from twin.db.engine import Database
from twin.db.feature_query import HASH
from twin.db.pool import ReadPool, Row
from twin.db.query import Selection, Statement, View
from twin.db.schema import feature

TOWN = "seed_harbour"


class _Stored:
    """Stands for the pool: texts by id, and how many were read."""

    def __init__(self) -> None:
        self.texts: dict[str, str] = {}
        self.read: list[str] = []

    async def fetch(self, statement: Statement) -> Sequence[Row]:
        wanted: list[str] = statement.values["ids"]
        self.read += wanted
        return [self.row(id) for id in wanted if id in self.texts]

    def row(self, id: str) -> dict[str, Any]:
        return {"id": id, HASH: self.texts[id].encode(), "geojson": self.texts[id]}


PLAIN = Shape("plain", lambda text: text)
UPPER = Shape("upper", lambda text: text.upper())


class _Asking:
    def __init__(self, most: int) -> None:
        self.stored = _Stored()
        self._memory = FeatureMemory(most)

    def __call__(self, *ids: str, shape: Shape = PLAIN, rows: Sequence[Row] | None = None) -> list[bytes]:
        """The texts of features; what was read for them is in ``stored.read``."""
        self.stored.read.clear()
        chosen = [self.stored.row(id) for id in ids] if rows is None else rows
        pool = cast(ReadPool, self.stored)
        return anyio.run(self._memory.texts, pool, Selection(View(), BUILDINGS), shape, chosen)


@pytest.fixture
def asking() -> _Asking:
    found = _Asking(most=20)
    found.stored.texts = {name: name * 5 for name in "abcdefgh"}
    return found


def test_what_is_known_is_not_read_again_and_the_order_stays(asking: _Asking) -> None:
    assert asking("b", "a") == [b"bbbbb", b"aaaaa"]
    assert asking("a", "c", "b") == [b"aaaaa", b"ccccc", b"bbbbb"]
    assert asking.stored.read == ["c"]


def test_each_shape_is_remembered_by_itself(asking: _Asking) -> None:
    assert asking("a") == [b"aaaaa"]
    assert asking("a", shape=UPPER) == [b"AAAAA"]
    assert asking.stored.read == ["a"]
    assert asking("a") == [b"aaaaa"]
    assert asking.stored.read == []


def test_what_changed_is_read_again(asking: _Asking) -> None:
    asking("a")
    asking.stored.texts["a"] = "new"
    assert asking("a") == [b"new"]
    assert asking.stored.read == ["a"]


def test_what_changes_between_rows_and_texts_comes_as_it_is_and_what_goes_is_left_out(
    asking: _Asking,
) -> None:
    rows = [asking.stored.row(id) for id in "abc"]
    asking.stored.texts |= {"b": "new"}
    del asking.stored.texts["c"]
    assert asking(rows=rows) == [b"aaaaa", b"new"]


def test_what_is_asked_for_stays_and_the_rest_makes_room(asking: _Asking) -> None:
    for id in "bcdefgh":
        asking("a", id)
        assert asking.stored.read == (["a", "b"] if id == "b" else [id])
    asking("b")
    assert asking.stored.read == ["b"]


def test_a_change_shows_on_the_next_page(
    client: Client, seeded_towns: list[Seeded], database: Database
) -> None:
    def page() -> list[dict[str, Any]]:
        return client.items(dataset=TOWN, limit=3).json()["features"]

    first = min(item.id for item in seeded_towns if item.dataset == TOWN)
    before = page()
    assert page() == before
    stored = feature.c.id == first
    with database.engine.begin() as connection:
        text = func.replace(feature.c.geojson, '"harbour"', '"elsewhere"')
        connection.execute(update(feature).values(geojson=text, row_hash=b"another").where(stored))
    try:
        assert page()[0]["properties"]["city"] == "elsewhere"
        assert page()[1:] == before[1:]
    finally:
        with database.engine.begin() as connection:
            back = func.replace(feature.c.geojson, '"elsewhere"', '"harbour"')
            connection.execute(update(feature).values(geojson=back, row_hash=b"as it was").where(stored))
