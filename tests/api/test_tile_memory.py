"""What a process remembers of tiles: only what is true of the revisions now."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, update

from api import tile_memory
from tests.api.client import Client
from tests.api.tile_client import ROOT, contents, serving_cities
from twin.db.engine import Database
from twin.db.pool import ReadPool
from twin.db.query import Statement
from twin.db.schema import dataset, feature


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving_cities(database, tmp_path_factory.mktemp("cities")) as client:
        yield client


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> tile_memory.TileMemory:
    """A memory of 30 bytes of tiles."""
    monkeypatch.setattr(tile_memory, "BODY_BYTES", 30)
    return tile_memory.TileMemory()


def test_the_least_recently_used_is_forgotten_first(small: tile_memory.TileMemory) -> None:
    for tag in "abc":
        small.keep(tag, bytes(10))
    assert small.body("a") is not None
    small.keep("d", bytes(10))
    assert [small.body(tag) is not None for tag in "abcd"] == [True, False, True, True]


def test_a_tile_kept_again_counts_once(small: tile_memory.TileMemory) -> None:
    small.keep("a", bytes(10))
    small.keep("a", bytes(12))
    small.keep("b", bytes(15))
    assert (small.body("a"), small.body("b")) == (bytes(12), bytes(15))


def test_a_tile_that_would_push_out_most_others_is_not_kept(small: tile_memory.TileMemory) -> None:
    small.keep("a", bytes(10))
    small.keep("b", bytes(16))
    assert (small.body("a"), small.body("b")) == (bytes(10), None)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kinds of statements that reach the database from now on."""
    found: list[str] = []
    fetch = ReadPool.fetch

    async def noting(pool: ReadPool, statement: Statement) -> Any:
        key: Any = statement.key
        found.append(str(key[0]))
        return await fetch(pool, statement)

    monkeypatch.setattr(ReadPool, "fetch", noting)
    return found


def test_a_known_tile_costs_no_digest_until_a_revision(
    client: Client, database: Database, asked: list[str]
) -> None:
    path = next(path for path in contents(client, f"{ROOT}?filter=height_m>1") if "blocks" not in path)
    first = client.request("GET", path).headers["etag"]
    asked.clear()
    known = client.request("GET", path, headers={"if-none-match": first})
    assert (known.status_code, known.headers["etag"]) == (304, first)
    assert asked == ["revisions"]
    with database.engine.begin() as connection:
        own = func.sha256(feature.c.row_hash)
        connection.execute(update(feature).values(height_m=feature.c.height_m + 1, row_hash=own))
        connection.execute(update(dataset).values(revision=dataset.c.revision + 1))
    asked.clear()
    changed = client.request("GET", path, headers={"if-none-match": first})
    assert changed.status_code == 200
    assert changed.headers["etag"] != first
    assert "tile_digest" in asked


def test_cells_are_counted_once_for_all_tilesets(client: Client, asked: list[str]) -> None:
    for address in (f"{ROOT}?lod=2", f"{ROOT}?lod=2&properties=height_m", f"{ROOT}?lod=2&profile=plain"):
        assert client.get(address).status_code == 200
    # Once coarsely, and once more since so few objects have one tileset.
    assert asked.count("cell_counts") == 2
