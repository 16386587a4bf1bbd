"""The store by content: what changed is made anew, whatever ends a run, and a server reads meanwhile."""

import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, update

from api.app import create_app
from tests.api.client import Client, serving
from tests.api.tile_client import ROOT, all_contents
from tests.tiles import gltf
from tests.tiles.cities import cities
from tiles import batch, build
from tiles.batch import Written, update_store, write_tileset
from tiles.build import TileRequest, limits_of
from tiles.output import JOURNAL, SEEN, content_name
from tiles.store import folder_of
from twin.db import collections
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.db.schema import dataset, feature
from twin.processing.pipeline import process

REQUEST = TileRequest(Selection(View(), collections.BUILDINGS), limits=limits_of(collections.BUILDINGS))


@pytest.fixture(scope="module")
def engine(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with cities(database.engine, tmp_path_factory.mktemp("cities")) as engine:
        yield engine


@pytest.fixture
def store(database: Database, engine: Engine) -> Path:
    """The store of a server, up to date."""
    folder = folder_of(database.settings.home, collections.BUILDINGS.name)
    update_store(engine, folder, REQUEST)
    return folder


def tiles(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.glb")}


def change(engine: Engine, height: float, *, all: bool = False) -> None:
    """What a run of attributes does: one building, or every one, has another height."""
    one = select(func.min(feature.c.id)).scalar_subquery()
    with engine.begin() as connection:
        changed = update(feature).values(height_m=height, row_hash=func.sha256(feature.c.row_hash))
        connection.execute(changed if all else changed.where(feature.c.id == one))
        connection.execute(update(dataset).values(revision=dataset.c.revision + 1))


def updated(engine: Engine, store: Path) -> Written:
    """Brings the store up to date; it then holds what one made from nothing holds."""
    written = update_store(engine, store, REQUEST)
    fresh = store.with_name("fresh")
    update_store(engine, fresh, REQUEST)
    assert tiles(store) == tiles(fresh)
    for path in sorted(fresh.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    return written


def test_where_nothing_changed_nothing_is_looked_at(engine: Engine, store: Path) -> None:
    written = updated(engine, store)
    assert (written.looked_at, written.kept, written.size) == (0, written.tiles, 0)
    assert written.tiles > 6


def test_a_change_makes_the_tiles_around_it_and_their_ancestors(engine: Engine, store: Path) -> None:
    before = tiles(store)
    change(engine, 61.0)
    written = updated(engine, store)
    new = {name: body for name, body in tiles(store).items() if name not in before}
    assert 2 <= len(new) == written.tiles - written.kept <= written.looked_at < written.tiles
    assert len(tiles(store)) == len(before)
    for body in new.values():
        assert 61.0 in gltf.read(body).column(0, "height_m")


def test_a_run_of_attributes_is_seen(engine: Engine, store: Path) -> None:
    with engine.begin() as connection:
        connection.execute(update(feature).values(height_m=1.0, row_hash=func.sha256(feature.c.row_hash)))
    update_store(engine, store, REQUEST)
    process(engine, force=True)
    written = updated(engine, store)
    assert written.looked_at == written.tiles
    assert all(1.0 not in gltf.read(body).column(0, "height_m") for body in tiles(store).values())


def test_another_encoder_makes_all_anew(engine: Engine, store: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (batch, build):
        monkeypatch.setattr(module, "ENCODER_VERSION", build.ENCODER_VERSION + 1)
        before = tiles(store)
    written = update_store(engine, store, REQUEST)
    assert written.kept == 0
    assert not before.keys() & tiles(store).keys()


def test_a_run_that_shows_something_else_and_ends_early_is_not_relied_on(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "TASK_OBJECTS", 10)
    folder = tmp_path / "tiles"
    write_tileset(engine, folder, REQUEST)
    whole = {path: path.read_bytes() for path in folder.rglob("*.glb")}

    def stop(done: int, _total: int) -> None:
        if done > 0:
            raise KeyboardInterrupt

    plain = TileRequest(REQUEST.selection, profile="plain", limits=REQUEST.limits)
    with pytest.raises(KeyboardInterrupt):
        write_tileset(engine, folder, plain, stop)
    assert {path: path.read_bytes() for path in folder.rglob("*.glb")} != whole
    write_tileset(engine, folder, REQUEST)
    assert {path: path.read_bytes() for path in folder.rglob("*.glb")} == whole


KILLED = """
import pickle, sys
from pathlib import Path
from sqlalchemy import create_engine
from tests.tiles.test_store import REQUEST
from tiles import batch
batch.TASK_OBJECTS = 10
def progress(done, total):
    print(done, flush=True)
    sys.stdin.readline()
engine = create_engine(pickle.loads(bytes.fromhex(sys.argv[1])))
batch.update_store(engine, Path(sys.argv[2]), REQUEST, progress)
"""


def test_a_killed_run_goes_on(engine: Engine, store: Path) -> None:
    change(engine, 44.0, all=True)
    arguments = [sys.executable, "-c", KILLED, pickle.dumps(engine.url).hex(), str(store)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert int(child.stdout.readline()) >= 0
        child.send_signal(signal.SIGKILL)
    made = {path: path.stat().st_mtime_ns for path in store.rglob("*.glb")}
    noted = sum(len(path.read_text().splitlines()) for path in store.glob(f"{JOURNAL}.*"))
    assert noted > 0
    written = updated(engine, store)
    assert noted <= written.kept < written.tiles
    left = {path: path.stat().st_mtime_ns for path in store.rglob("*.glb")}
    assert len(left.items() & made.items()) >= noted
    assert {path.name for path in store.iterdir() if path.is_file()} == {JOURNAL, SEEN}


@pytest.fixture
def client(database: Database, store: Path) -> Iterator[Client]:
    with serving(create_app(database.reader(), database.settings)) as client:
        yield client


def test_a_server_sends_what_is_stored_without_building(
    client: Client, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.tiles3d.build_tile", None)
    paths = list(all_contents(client, ROOT))
    assert 6 < len(paths) <= len(tiles(store))
    for path in paths:
        answer = client.request("GET", path)
        assert answer.status_code == 200
        assert answer.content == (store / content_name(answer.headers["etag"])).read_bytes()


def test_a_filter_takes_nothing_from_the_store(client: Client, store: Path) -> None:
    for file in store.rglob("*.glb"):
        file.write_bytes(b"wrong")
    for path in all_contents(client, f"{ROOT}?filter=height_m>0"):
        assert client.request("GET", path).content[:4] == b"glTF"


def test_readers_see_one_revision_while_the_store_is_updated(
    client: Client, engine: Engine, store: Path
) -> None:
    change(engine, 100.0, all=True)
    paths = list(all_contents(client, ROOT))
    found: list[set[float]] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            for path in paths:
                answer = client.request("GET", path)
                found.append(set(gltf.read(answer.content).column(0, "height_m")))

    reader = threading.Thread(target=read)
    reader.start()
    try:
        for round in range(1, 4):
            change(engine, 100.0 + round, all=True)
            update_store(engine, store, REQUEST)
            time.sleep(0.05)
    finally:
        ended.set()
        reader.join()
    assert {len(heights) for heights in found} == {1}
    assert len({min(heights) for heights in found}) > 1
