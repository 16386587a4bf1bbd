"""Tiles of 25,000 synthetic buildings of both cities: speed and bytes against the goals.

Run ``python -m benchmarks.bench_tiles``. A private database is made for it and removed. Processor time
is that of this process and of the database server; one process writes. Requests are timed on the clock,
from a client in the same process.
"""

import resource
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import numpy as np
from sqlalchemy import func, update

from api.app import create_app
from benchmarks.bench_whole_path import Result
from benchmarks.watched import server_cpu
from importers.ingest import Ingest
from importers.synthetic import synthesise
from tests.api.client import Client, serving
from tests.api.tile_client import ROOT, contents
from tests.tiles import gltf
from tiles.batch import write_tileset
from tiles.build import WORLD, TileRequest, build_tileset, snapshot
from twin.db import engine
from twin.db.collections import BUILDINGS
from twin.db.filters import compile_filter, parse
from twin.db.query import Selection, View
from twin.db.schema import dataset, feature
from twin.settings import Settings

EACH = 12_500
TRIANGLES = 80
GOALS = {
    "build, buildings/s of processor time": 5_000,
    f"bytes a building of {TRIANGLES} triangles, brotli": 720,
    "cold filtered tile, median": 30,
    "cold filtered tile, 95 %": 80,
    "304 of a tile, median": 3,
    "five buildings changed, served": 500,
    "first view, JSON": 100,
    "peak memory of this process": 500,
}
ASKED = 150
"""Tiles that are asked for, each with a filter that nobody asked for before."""


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(home=folder / "home")
        with engine.database(settings) as opened:
            for city in ("helsinki", "tallinn"):
                model = folder / f"{city}.gml"
                synthesise(model, city=city, buildings=EACH, seed=1)
                Ingest(opened.engine).run(model)
            for result in measure(opened.engine, folder, settings):
                _show(result)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
            _show(Result("peak memory of this process", peak, "MB"))
            with serving(create_app(opened.reader(), settings)) as client:
                for result in requests(opened.engine, client):
                    _show(result)


def _show(result: Result) -> None:
    goal = GOALS.get(result.name)
    print(f"{result}{f'   goal {goal:,}' if goal else ''}", flush=True)


def measure(database: Any, folder: Path, settings: Settings) -> Iterator[Result]:
    request = TileRequest(Selection(View(), BUILDINGS))
    data = settings.home / "postgres" / "data"
    ours, theirs = time.process_time(), server_cpu(data) if data.exists() else 0.0
    written = write_tileset(database, folder / "tiles", request)
    ours = time.process_time() - ours
    theirs = (server_cpu(data) - theirs) if data.exists() else 0.0
    yield Result("build, buildings/s of processor time", written.objects / (ours + theirs), "/s")
    yield Result("of it in the database", 100 * theirs / (ours + theirs), "%")
    again = time.process_time()
    kept = write_tileset(database, folder / "tiles", request, variants=("br",)).kept
    assert kept == 0
    again = time.process_time() - again
    yield Result("with brotli beside, buildings/s", written.objects / again, "/s")
    unchanged = time.process_time()
    assert write_tileset(database, folder / "tiles", request, variants=("br",)).kept == written.tiles
    yield Result("nothing changed, seconds", time.process_time() - unchanged, "s")
    yield from sizes(folder / "tiles", written.objects)
    yield from compact(database, folder / "compact", request)
    yield from json_of_view(database, request)


def sizes(folder: Path, buildings: int) -> Iterator[Result]:
    meshes = [path for path in folder.rglob("*.glb") if not path.name.startswith("blocks-")]
    blocks = list(folder.rglob("blocks-*.glb"))
    packed = sum(path.with_name(f"{path.name}.br").stat().st_size for path in meshes)
    documents = [gltf.read(path.read_bytes()) for path in meshes]
    triangles = sum(d.document["accessors"][d.primitive["indices"]]["count"] // 3 for d in documents)
    yield Result("triangles a building", triangles / buildings, "")
    yield Result("bytes a building, plain file", sum(p.stat().st_size for p in meshes) / buildings, "B")
    yield Result("bytes a building, brotli", packed / buildings, "B")
    scaled = packed / triangles * TRIANGLES
    yield Result(f"bytes a building of {TRIANGLES} triangles, brotli", scaled, "B (by triangle)")
    yield Result("largest tile of blocks", max(path.stat().st_size for path in blocks) / 1e3, "kB of 256")
    yield Result(
        "blocks, bytes a building, brotli",
        sum(p.with_name(f"{p.name}.br").stat().st_size for p in blocks) / buildings,
        "B",
    )


def compact(database: Any, folder: Path, request: TileRequest) -> Iterator[Result]:
    """The same without normals."""
    written = write_tileset(database, folder, replace(request, profile="compact"), variants=("br",))
    packed = sum(p.stat().st_size for p in folder.rglob("*.glb.br") if not p.name.startswith("blocks-"))
    yield Result("compact, bytes a building, brotli", packed / written.objects, "B")


def json_of_view(database: Any, request: TileRequest) -> Iterator[Result]:
    """The root tileset, and one with a filter."""
    tall = request.selection.also(compile_filter(parse("height_m > 20"), BUILDINGS.queryables(View())))
    with snapshot(database) as state:
        for name, asked in (("all", request), ("filtered", TileRequest(tall))):
            started = time.process_time()
            body = build_tileset(asked, WORLD, state(asked.counts(WORLD)), nested=False)
            yield Result(f"root tileset, {name}", 1e3 * (time.process_time() - started), "ms")
            yield Result(f"root tileset, {name}", len(body) / 1e3, "kB")


def requests(database: Any, client: Client) -> Iterator[Result]:
    """What a client waits for: new filters, what it knows already, and what has just changed."""
    started = time.perf_counter()
    root = client.get(ROOT).content
    yield Result("first view, JSON", 1e3 * (time.perf_counter() - started), "ms")
    yield Result("first view, JSON, not compressed", len(root) / 1e3, "kB")
    tiles = sorted(contents(client, ROOT))
    order: list[int] = np.random.default_rng(1).permutation(len(tiles)).tolist()
    chosen = [tiles[i] for i in order[:ASKED]]
    waited: list[float] = []
    again: list[float] = []
    for number, tile in enumerate(chosen):
        address = f"{tile}?{urlencode({'filter': f'height_m > {3 + number / 100}'})}"
        started = time.perf_counter()
        answer = client.request("GET", address)
        waited.append(1e3 * (time.perf_counter() - started))
        assert answer.status_code == 200
        started = time.perf_counter()
        known = client.request("GET", address, headers={"if-none-match": answer.headers["etag"]})
        again.append(1e3 * (time.perf_counter() - started))
        assert known.status_code == 304
    yield Result("cold filtered tile, median", float(np.median(waited)), "ms")
    yield Result("cold filtered tile, 95 %", float(np.percentile(waited, 95)), "ms")
    yield Result("304 of a tile, median", float(np.median(again)), "ms")
    yield Result("five buildings changed, served", changed(database, client, chosen), "ms")


def changed(database: Any, client: Client, tiles: list[str]) -> float:
    """Milliseconds from the change of five buildings of a tile until they are served."""
    found = ((tile, gltf.read(client.request("GET", tile).content).column(0, "id")[:5]) for tile in tiles)
    tile, five = next((tile, ids) for tile, ids in found if len(ids) == 5)
    started = time.perf_counter()
    with database.begin() as connection:
        own = func.sha256(feature.c.row_hash)
        changes = update(feature).where(feature.c.id.in_(five)).values(height_m=88.0, row_hash=own)
        connection.execute(changes)
        connection.execute(update(dataset).values(revision=dataset.c.revision + 1))
    after = gltf.read(client.request("GET", tile).content)
    elapsed = 1e3 * (time.perf_counter() - started)
    assert after.column(0, "height_m")[:5] == [88.0] * 5
    return elapsed


if __name__ == "__main__":
    main()
