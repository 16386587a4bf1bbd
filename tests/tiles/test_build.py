import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brotli
import pmtiles.reader
import pytest
from pmtiles.tile import Compression, TileType
from sqlalchemy import Engine, func, select, update

from tests.api.test_vector_tiles import layer_of
from tests.tiles import gltf
from tests.tiles.cities import BUILDINGS, cities
from tiles import vector_archive
from tiles.batch import Written, write_tileset
from tiles.build import WORLD, TileRequest, VectorRequest, digest_of, snapshot
from tiles.check import check_path
from tiles.output import JOURNAL, SEEN
from tiles.places import place
from tiles.tileset import Tile
from tiles.tiling import Limits
from twin.db import collections
from twin.db.engine import Database
from twin.db.filters import compile_filter, parse
from twin.db.query import Selection, View
from twin.db.schema import feature
from twin.db.snapshot import Snapshot
from twin.errors import InputError
from twin.model.cells import Cell

codec: Any = brotli
library: Any = pmtiles.reader


@pytest.fixture(scope="module")
def engine(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with cities(database.engine, tmp_path_factory.mktemp("cities")) as engine:
        yield engine


@pytest.fixture
def fetch(engine: Engine) -> Iterator[Snapshot]:
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


def contents(folder: Path) -> dict[str, bytes]:
    """All files but that which tells how far the database was seen."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != SEEN)
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_processes_write_what_one_writes(engine: Engine, batch: tuple[Path, Written], tmp_path: Path) -> None:
    text = "height_m > 0 AND S_INTERSECTS(geometry, BBOX(20, 55, 30, 65))"
    written = write_tileset(engine, tmp_path / "two", request(text), jobs=2)
    assert written.objects == 2 * BUILDINGS
    assert contents(tmp_path / "two") == contents(batch[0])


def test_compressed_files_hold_the_same(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "packed"
    write_tileset(engine, folder, request("height_m > 25"), variants=("br", "gz"))
    files = contents(folder)
    plain = [path for path in files if path.endswith((".glb", ".json"))]
    assert len(files) == 3 * len(plain) + 1 > 4
    for path in plain:
        assert gzip.decompress(files[f"{path}.gz"]) == files[path]
        assert codec.decompress(files[f"{path}.br"]) == files[path]


def test_an_object_store_holds_what_a_folder_does(engine: Engine, tmp_path: Path) -> None:
    out, asked = "memory:///built", request(limits=Limits(objects=20))

    def stop(done: int, _total: int) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tileset(engine, out, asked, stop)
    bucket = place(out)
    assert "tileset.json" not in bucket.names()
    written = write_tileset(engine, out, asked)
    assert 0 < written.kept < written.tiles
    write_tileset(engine, tmp_path / "whole", asked)
    assert {name: bucket.read(name) for name in bucket.names() - {SEEN}} == contents(tmp_path / "whole")


def test_what_is_there_is_not_written_again(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "again"
    first = write_tileset(engine, folder, request("city = 'tallinn'"))
    before, times = contents(folder), {path: path.stat().st_mtime_ns for path in folder.rglob("*.glb")}
    again = write_tileset(engine, folder, request("city = 'tallinn'"))
    assert (first.kept, again.kept) == (0, first.tiles)
    assert contents(folder) == before
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.glb")} == times


def test_a_changed_building_changes_its_tiles_only(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "changed"
    first = write_tileset(engine, folder, request())
    before = contents(folder)
    one = select(func.min(feature.c.id)).scalar_subquery()
    with engine.begin() as connection:
        changed = update(feature).where(feature.c.id == one)
        connection.execute(changed.values(height_m=77.0, row_hash=func.sha256(feature.c.row_hash)))
    again = write_tileset(engine, folder, request())
    differing = {path for path, body in contents(folder).items() if before[path] != body} - {JOURNAL}
    assert 2 <= len(differing) == first.tiles - again.kept < 6
    assert again.kept > 0
    assert len(differing) <= again.looked_at < first.tiles
    assert 77.0 in [
        height
        for path in differing
        for height in gltf.read((folder / path).read_bytes()).column(0, "height_m")
    ]


def test_another_filter_removes_what_it_does_not_show(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "narrowed"
    write_tileset(engine, folder, request(), variants=("gz",))
    write_tileset(engine, folder, request("city = 'tallinn'"), variants=("gz",))
    write_tileset(engine, tmp_path / "fresh", request("city = 'tallinn'"), variants=("gz",))
    assert contents(folder) == contents(tmp_path / "fresh")


def test_a_run_that_ended_early_goes_on(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "early"
    asked = request(limits=Limits(objects=20))

    def stop(done: int, _total: int) -> None:
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_tileset(engine, folder, asked, stop)
    assert not (folder / "tileset.json").exists()
    there = sum(len(path.read_text().splitlines()) for path in folder.glob(f"{JOURNAL}*"))
    assert there > 3
    (folder / "10").mkdir(exist_ok=True)
    (folder / "10" / "half.glb.77.tmp").write_bytes(b"glTF")
    written = write_tileset(engine, folder, asked)
    assert 0 < written.kept == there < written.tiles
    write_tileset(engine, tmp_path / "whole", asked)
    assert contents(folder) == contents(tmp_path / "whole")
    assert check_path(folder) == []


def test_a_folder_with_files_is_left_alone(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InputError, match="not empty"):
        write_tileset(engine, tmp_path, request())
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_snapshot_does_not_see_what_is_written_meanwhile(engine: Engine, fetch: Snapshot) -> None:
    (before,) = fetch(request().digest(Tile(WORLD)))
    with engine.begin() as connection:
        connection.execute(update(feature).values(row_hash=func.substr(feature.c.row_hash, 1, 15)))
    (after,) = fetch(request().digest(Tile(WORLD)))
    assert after == before
    with snapshot(engine) as later:
        assert later(request().digest(Tile(WORLD)))[0]["digest"] != before["digest"]


def test_the_database_digests_as_we_do(fetch: Snapshot) -> None:
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


def footprints(text: str) -> VectorRequest:
    """Vector tiles of some buildings."""
    return VectorRequest(request(text).selection)


def test_an_archive_has_the_tiles_of_the_api_and_no_others(engine: Engine, tmp_path: Path) -> None:
    asked, out, seen = footprints("height_m > 6"), tmp_path / "city.pmtiles", list[tuple[int, int]]()
    count = vector_archive.write(engine, out, asked, lambda done, total: seen.append((done, total)))
    assert seen[-1][0] == seen[-1][1] >= count > 15
    found = tiles_of(out)
    assert len(found) == count
    for zoom in range(15):
        here = [cell for cell in found if cell.level == zoom][:30]
        steps = [(dx, dy) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
        around = {Cell(zoom, cell.x + dx, cell.y + dy) for cell in here for dx, dy in steps}
        with snapshot(engine) as state:
            for cell in filter(lambda cell: cell.exists, around):
                ((tile,),) = (row.values() for row in state(asked.tile(cell)))
                assert shown(found.get(cell, b"")) == shown(bytes(tile or b"")), cell


def tiles_of(archive: Path) -> dict[Cell, bytes]:
    with archive.open("rb") as file:
        return {
            Cell(*zxy): gzip.decompress(data) for zxy, data in library.all_tiles(library.MmapSource(file))
        }


def shown(tile: bytes) -> list[str]:
    """The features of a tile; their order is that of the database, which promises none."""
    return sorted(repr(sorted(each.items())) for each in layer_of(tile)[1]) if tile else []


def test_an_archive_says_what_is_in_it(engine: Engine, tmp_path: Path) -> None:
    out = tmp_path / "tallinn.pmtiles"
    vector_archive.write(engine, out, footprints("city = 'tallinn'"))
    with out.open("rb") as file:
        reader = library.Reader(library.MmapSource(file))
        header, metadata = reader.header(), reader.metadata()
    assert (header["tile_type"], header["tile_compression"]) == (TileType.MVT, Compression.GZIP)
    assert (header["min_zoom"] <= 12, header["max_zoom"], header["clustered"]) == (True, 14, True)
    assert 24.4e7 < header["min_lon_e7"] < header["center_lon_e7"] < header["max_lon_e7"] < 25.1e7
    assert 59.2e7 < header["min_lat_e7"] < header["center_lat_e7"] < header["max_lat_e7"] < 59.7e7
    (layer,) = metadata["vector_layers"]
    assert (layer["id"], layer["fields"]["height_m"]) == ("buildings", "Number")


def test_an_archive_that_cannot_be_written_is_said(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no suffix"):
        vector_archive.write(engine, tmp_path / "city.mbtiles", footprints("height_m > 3"))
    with pytest.raises(InputError, match="finds nothing"):
        vector_archive.write(engine, tmp_path / "city.pmtiles", footprints("height_m > 3000"))
    assert list(tmp_path.iterdir()) == []
