"""What a process remembers of tiles: only what is true of the revisions now; and filters that are kept."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from shapely.geometry import shape
from sqlalchemy import func, update

from api import kept_filters, tile_memory
from api.compression import ENCODINGS, Encoded
from tests.api.client import Client
from tests.api.tile_client import (
    BUILDINGS,
    ROOT,
    all_contents,
    blocks,
    contents,
    glb,
    item_ids,
    serving_cities,
)
from twin.db.engine import Database
from twin.db.pool import ReadPool
from twin.db.query import Statement
from twin.db.schema import dataset, feature
from twin.model.cells import LEVEL, Cell, quadkeys


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving_cities(database, tmp_path_factory.mktemp("cities")) as client:
        yield client


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> tile_memory.TileMemory:
    """A memory of 30 bytes of tiles."""
    monkeypatch.setattr(tile_memory, "BODY_BYTES", 30)
    return tile_memory.TileMemory()


def plain(length: int) -> Encoded:
    return Encoded(bytes(length), None)


def test_the_least_recently_used_is_forgotten_first(small: tile_memory.TileMemory) -> None:
    for tag in "abc":
        small.keep(tag, plain(10))
    assert small.body("a") is not None
    small.keep("d", plain(10))
    assert [small.body(tag) is not None for tag in "abcd"] == [True, False, True, True]


def test_a_tile_kept_again_counts_once(small: tile_memory.TileMemory) -> None:
    small.keep("a", plain(10))
    small.keep("a", plain(12))
    small.keep("b", plain(15))
    assert (small.body("a"), small.body("b")) == (plain(12), plain(15))


def test_a_tile_that_would_push_out_most_others_is_not_kept(small: tile_memory.TileMemory) -> None:
    small.keep("a", plain(10))
    small.keep("b", plain(16))
    assert (small.body("a"), small.body("b")) == (plain(10), None)


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


def test_a_known_tile_travels_as_it_did_before(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    address = next(path for path in contents(client, ROOT) if "blocks" not in path)
    codings = ("zstd", "gzip", "identity", "zstd")
    answers = [client.request("GET", address, headers={"Accept-Encoding": coding}) for coding in codings]
    assert [answer.headers.get("content-encoding", "identity") for answer in answers] == list(codings)
    assert all("Accept-Encoding" in answer.headers["vary"] for answer in answers[:2])
    assert {answer.content for answer in answers} == {answers[2].content}
    assert {answer.headers["etag"] for answer in answers} == {answers[2].headers["etag"]}

    def never(_: bytes) -> bytes:
        raise AssertionError("compressed again")

    monkeypatch.setitem(ENCODINGS, "zstd", never)
    again = client.request("GET", address, headers={"Accept-Encoding": "zstd"})
    assert again.content == answers[0].content


def test_cells_are_counted_once_for_all_tilesets(client: Client, asked: list[str]) -> None:
    for address in (f"{ROOT}?lod=2", f"{ROOT}?lod=2&properties=height_m", f"{ROOT}?lod=2&profile=plain"):
        assert client.get(address).status_code == 200
    # Once coarsely, and once more since so few objects have one tileset.
    assert asked.count("cell_counts") == 2


@pytest.fixture(scope="module")
def ids(client: Client) -> list[str]:
    return sorted(item_ids(client))[::5]


@pytest.fixture(scope="module")
def text(ids: list[str]) -> str:
    return f"id IN ({', '.join(repr(name) for name in ids)})"


@pytest.fixture
def folder(database: Database) -> Path:
    folder = database.settings.home / "filters"
    for file in folder.glob("*"):
        file.unlink()
    return folder


def named(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.mark.usefixtures("folder")
def test_a_long_filter_becomes_an_id_of_itself(client: Client, text: str, ids: list[str]) -> None:
    assert len(text) > kept_filters.LONGEST
    root = f"{ROOT}?{urlencode({'filter': text, 'filter-lang': 'cql2-text', 'properties': 'height_m'})}"
    found = list(all_contents(client, root))
    assert {name for address in found for name in named(address)} == {"filter-id", "properties"}
    assert max(map(len, found)) < 200
    shown = [name for address in contents(client, root) for name in glb(client, address).column(0, "id")]
    assert sorted(shown) == ids
    assert list(blocks(client, root))
    nested = client.get(ROOT, **{"filter-id": named(found[0])["filter-id"]})
    assert nested.status_code == 200


@pytest.mark.usefixtures("folder")
def test_vector_tiles_hand_it_on_too(client: Client, text: str) -> None:
    folder = "/collections/buildings/tiles/WebMercatorQuad"
    answer = client.get(f"{folder}/tilejson.json", filter=text).json()
    assert set(named(answer["tiles"][0])) == {"filter-id"}
    (first,) = client.get(BUILDINGS, filter=text, limit=1).json()["features"]
    code = int(quadkeys(np.array([shape(first["geometry"]).centroid.coords[0]]))[0])
    cell = Cell.from_code(14, code >> 2 * (LEVEL - 14))
    address = f"{folder}/14/{cell.y}/{cell.x}"
    by_id = client.get(address, **named(answer["tiles"][0]))
    assert by_id.status_code == 200
    assert by_id.content == client.get(address, filter=text).content != client.get(address).content


@pytest.mark.usefixtures("folder")
def test_what_is_no_kept_filter_is_said(client: Client) -> None:
    for value, status in (("0" * 32, 404), ("../../etc/passwd", 400), ("0" * 31 + "G", 400), ("", 400)):
        answer = client.get(ROOT, **{"filter-id": value})
        assert answer.status_code == status, value
    both = client.get(ROOT, **{"filter-id": "0" * 32, "filter": "height_m > 3"})
    assert both.status_code == 400
    assert "stands for a filter" in both.json()["detail"]
    assert client.get(BUILDINGS, **{"filter-id": "0" * 32}).status_code == 400


def test_a_filter_that_is_wrong_is_not_kept(client: Client, folder: Path) -> None:
    wrong = " OR ".join(["heigth_m > 3"] * 200)
    assert client.get(ROOT, filter=wrong).status_code == 400
    assert not folder.exists() or not list(folder.iterdir())


def test_those_not_used_longest_are_forgotten(
    client: Client, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_filters, "KEPT", 2)
    names: list[str] = []
    for height in range(4):
        root = f"{ROOT}?{urlencode({'filter': f'{text} AND height_m > {height / 100}'})}"
        names.append(named(next(all_contents(client, root)))["filter-id"])
        if height == 2:
            assert client.get(ROOT, **{"filter-id": names[1]}).status_code == 200
    assert {file.name for file in folder.iterdir()} == {names[1], names[3]}
    assert client.get(ROOT, **{"filter-id": names[0]}).status_code == 404


def test_where_nothing_can_be_kept_the_filter_stays(
    client: Client, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path, _body: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_filters, "_keep", full)
    root = f"{ROOT}?{urlencode({'filter': text})}"
    assert named(next(all_contents(client, root))) == {"filter": text}
    assert not folder.exists() or not list(folder.iterdir())
