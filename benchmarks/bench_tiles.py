"""Tiles of 25,000 synthetic buildings of both cities: speed and bytes against the goals.

Run ``python -m benchmarks.bench_tiles``. A private database is made for it and removed. Processor time
is that of this process and of the database server; one process writes.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench_whole_path import Result
from benchmarks.watched import server_cpu
from importers.ingest import Ingest
from importers.synthetic import synthesise
from tests.tiles import gltf
from tiles.batch import write_tileset
from tiles.build import WORLD, TileRequest, build_tileset, snapshot
from twin.db import engine
from twin.db.collections import BUILDINGS
from twin.db.filters import compile_filter, parse
from twin.db.query import Selection, View
from twin.settings import Settings

EACH = 12_500
TRIANGLES = 80
GOALS = {
    "build, buildings/s of processor time": 5_000,
    f"bytes a building of {TRIANGLES} triangles, brotli": 720,
}


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


def json_of_view(database: Any, request: TileRequest) -> Iterator[Result]:
    """The root tileset, and one with a filter."""
    tall = request.selection.also(compile_filter(parse("height_m > 20"), BUILDINGS.queryables(View())))
    with snapshot(database) as state:
        for name, asked in (("all", request), ("filtered", TileRequest(tall))):
            started = time.process_time()
            body = build_tileset(asked, WORLD, state(asked.counts(WORLD)), nested=False)
            yield Result(f"root tileset, {name}", 1e3 * (time.process_time() - started), "ms")
            yield Result(f"root tileset, {name}", len(body) / 1e3, "kB")


if __name__ == "__main__":
    main()
