from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from tests.tiles import gltf
from tests.tiles.cities import BUILDINGS, cities
from tiles.build import WORLD, Fetch, TileRequest, Written, digest_of, snapshot, write_tileset
from tiles.check import check_path
from tiles.tileset import Tile
from tiles.tiling import Limits
from twin.db import collections
from twin.db.engine import Database
from twin.db.filters import compile_filter, parse
from twin.db.query import Selection, View
from twin.db.schema import feature
from twin.errors import InputError
from twin.model.cells import Cell


@pytest.fixture(scope="module")
def engine(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with cities(database.engine, tmp_path_factory.mktemp("cities")) as engine:
        yield engine


@pytest.fixture
def fetch(engine: Engine) -> Iterator[Fetch]:
    with snapshot(engine) as fetch:
        yield fetch


@pytest.fixture(scope="module")
def batch(engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Written]:
    folder = tmp_path_factory.mktemp("batch") / "tiles"
    return folder, write_tileset(engine, folder, request())


def request(text: str | None = None, **more: Any) -> TileRequest:
    selection = Selection(View(), collections.BUILDINGS)
    if text is not None:
        queryables = selection.queryables
        selection = selection.also(compile_filter(parse(text, "cql2-text"), queryables))
    return TileRequest(selection, **more)


def ids_of(folder: Path, tiles: str = "[0-9]*.glb") -> list[str]:
    return [name for path in folder.rglob(tiles) for name in gltf.read(path.read_bytes()).column(0, "id")]


def stored_ids(engine: Engine, *conditions: Any) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(select(feature.c.id).where(*conditions)).scalars())


def test_a_batch_holds_every_building_once(engine: Engine, batch: tuple[Path, Written]) -> None:
    folder, written = batch
    assert sorted(ids_of(folder)) == sorted(stored_ids(engine))
    assert written.objects == 2 * BUILDINGS
    assert written.tilesets == len(list(folder.rglob("tileset.json"))) > 2
    assert written.tiles == len(list(folder.rglob("*.glb"))) > 6


def test_our_checker_finds_nothing(batch: tuple[Path, Written]) -> None:
    assert [str(finding) for finding in check_path(batch[0])] == []


def test_the_khronos_validator_finds_nothing(batch: tuple[Path, Written]) -> None:
    report = gltf.validate(batch[0])
    assert report["files"] == batch[1].tiles
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]


def test_a_filtered_batch_holds_what_the_filter_says(engine: Engine, tmp_path: Path) -> None:
    asked = request("height_m > 20 AND city = 'helsinki'")
    done: list[tuple[int, int]] = []
    write_tileset(engine, tmp_path / "tall", asked, lambda now, total: done.append((now, total)))
    expected = stored_ids(engine, feature.c.height_m > 20, feature.c.city == "helsinki")
    assert 0 < len(expected) < BUILDINGS
    assert sorted(ids_of(tmp_path / "tall")) == sorted(expected)
    assert done[-1] == (len(expected), len(expected))
    assert check_path(tmp_path / "tall") == []


@pytest.mark.parametrize(
    ("text", "count"), [("height_m < 0", 0), ("object_id IN ('{first}')", 1)], ids=["none", "one"]
)
def test_few_buildings_make_a_tileset_too(engine: Engine, tmp_path: Path, text: str, count: int) -> None:
    with engine.connect() as connection:
        first = connection.execute(select(feature.c.object_id).order_by(feature.c.id).limit(1)).scalar_one()
    written = write_tileset(engine, tmp_path / "few", request(text.format(first=first)))
    assert (written.tilesets, written.tiles, written.objects) == (1, 2 * count, count)
    assert check_path(tmp_path / "few") == []


def test_small_limits_make_deep_trees(engine: Engine, tmp_path: Path) -> None:
    limits = Limits(objects=3, triangles=1_000)
    write_tileset(engine, tmp_path / "deep", request(limits=limits))
    assert sorted(ids_of(tmp_path / "deep")) == sorted(stored_ids(engine))
    assert check_path(tmp_path / "deep") == []


def test_a_lod_that_no_mesh_has_gives_nothing(engine: Engine, tmp_path: Path) -> None:
    assert write_tileset(engine, tmp_path / "lod2", request(lod="2")).objects == 2 * BUILDINGS
    assert write_tileset(engine, tmp_path / "lod3", request(lod="3")).objects == 0


def test_a_folder_with_files_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        write_tileset(engine, tmp_path, request())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_snapshot_does_not_see_what_is_written_meanwhile(engine: Engine, fetch: Fetch) -> None:
    (before,) = fetch(request().digest(Tile(WORLD)))
    with engine.begin() as connection:
        connection.execute(update(feature).values(row_hash=func.substr(feature.c.row_hash, 1, 15)))
    (after,) = fetch(request().digest(Tile(WORLD)))
    assert after == before
    with snapshot(engine) as later:
        assert later(request().digest(Tile(WORLD)))[0]["digest"] != before["digest"]


def test_the_database_digests_as_we_do(fetch: Fetch) -> None:
    asked = request("height_m > 5")
    (row,) = fetch(asked.digest(Tile(WORLD)))
    members = fetch(asked.members(Tile(WORLD), mesh=False))
    assert bytes(row["digest"]) == digest_of(members)
    assert row["objects"] == len(members)
    (nothing,) = fetch(asked.digest(Tile(Cell(10, 0, 0))))
    assert (nothing["digest"], nothing["objects"]) == (None, 0)


def test_etags_tell_what_is_served_apart() -> None:
    asked, cell = request(), Tile(Cell(15, 1, 2))
    tags = [
        asked.etag("glb", cell, b"1"),
        asked.etag("arrow", cell, b"1"),
        asked.etag("glb", Tile(Cell(15, 1, 3)), b"1"),
        asked.etag("glb", cell, b"2"),
        asked.etag("glb", Tile(cell.cell, 0), b"1"),
        request(properties=("city",)).etag("glb", cell, b"1"),
        request(lod="2").etag("glb", cell, b"1"),
    ]
    assert len(set(tags)) == len(tags)
    assert tags[0] == request("height_m > 3").etag("glb", cell, b"1")
