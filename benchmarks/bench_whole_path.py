"""The whole path on synthetic cities: import, measuring again, size in the database, answers.

Run ``python -m benchmarks.bench_whole_path``. A private database is made for it and removed. Speeds of
imports and of processing are by processor time, that of the database server included.
"""

import statistics
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

from sqlalchemy import Engine, text

from api.app import create_app
from benchmarks.watched import server_cpu
from importers.ingest import Ingest
from importers.synthetic import synthesise
from tests.api.client import Client, serving
from twin.db import embedded, engine
from twin.processing import pipeline
from twin.processing.stages import LATER_STAGES
from twin.settings import Settings

BUILDINGS = 2000
REPEATS = 20

_SIZES = """
SELECT regexp_replace(relname, '_[0-9]+$', '') AS name, sum(pg_total_relation_size(oid)) AS bytes
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'spatial_ref_sys'
GROUP BY 1 HAVING sum(pg_total_relation_size(oid)) > 200000 ORDER BY 2 DESC
"""


@dataclass(frozen=True)
class Result:
    name: str
    value: float
    unit: str
    goal: str = ""

    def __str__(self) -> str:
        goal = f"  goal {self.goal}" if self.goal else ""
        return f"{self.name:44} {self.value:12,.1f} {self.unit}{goal}"


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def processor_seconds(work: Callable[[], object], data: Path) -> float:
    """Of this process and of the server with that folder of data."""
    before = time.process_time() + server_cpu(data)
    work()
    return time.process_time() + server_cpu(data) - before


def imports(database: Engine, folder: Path, data: Path) -> Iterator[Result]:
    """Both cities: read, harmonised, measured, meshed and stored; then the same files again."""
    models = {"helsinki": folder / "helsinki.gml", "tallinn": folder / "tallinn.city.jsonl"}
    for city, path in models.items():
        synthesise(path, city=city, buildings=BUILDINGS, seed=1)  # pyright: ignore[reportArgumentType]
        taken = processor_seconds(lambda path=path: Ingest(database).run(path), data)
        yield Result(f"import {path.name}", BUILDINGS / taken, "buildings/s")
        yield Result(f"import {path.name}", path.stat().st_size / 1e6 / taken, "MB/s")
    again = seconds(lambda: [Ingest(database).run(path) for path in models.values()])
    yield Result("import both again, unchanged", 2 * BUILDINGS / again, "buildings/s")


def processing(database: Engine, data: Path) -> Iterator[Result]:
    """``twin process`` after the import, and again by ``--force``; without and with validity."""
    first = "process what is new, all but validity"
    for name, force, goal in ((first, False, ""), ("process --force, all but validity", True, "1,000")):
        with without_validity():
            taken = processor_seconds(lambda force=force: pipeline.process(database, force=force), data)
        yield Result(name, 2 * BUILDINGS / taken, "buildings/s", goal)
    taken = processor_seconds(lambda: pipeline.process(database), data)
    yield Result("process what is new, validity", 2 * BUILDINGS / taken, "buildings/s", "500")


@contextmanager
def without_validity() -> Generator[None, None, None]:
    """Let there be no such stage for the block."""
    stage = LATER_STAGES.pop("validity")
    try:
        yield
    finally:
        LATER_STAGES["validity"] = stage


def sizes(database: Engine) -> Iterator[Result]:
    """Bytes of each table with its indexes, for each building."""
    with database.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
        rows = connection.execute(text(_SIZES)).all()
    for name, size in rows:
        yield Result(f"size of {name}", float(size) / (2 * BUILDINGS), "bytes/building")
    yield Result("size of all", sum(float(row.bytes) for row in rows) / (2 * BUILDINGS), "bytes/building")


def answers(client: Client) -> Iterator[Result]:
    """Median latency of requests within the process, no network in between."""
    items = client.items(limit=100).json()["features"]
    one = f"/collections/buildings/items/{items[0]['id']}"
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "100 items": ("/collections/buildings/items", {"limit": 100}),
        "100 items by a filter": (
            "/collections/buildings/items",
            {"limit": 100, "filter": "height_m > 10 AND city = 'helsinki'"},
        ),
        "one item": (one, {}),
        "one item as CityJSON": (one, {"f": "cityjson"}),
        "histogram by city": (
            "/collections/buildings/histogram",
            {"property": "height_m", "groupby": "city"},
        ),
        "root tileset": ("/3dtiles/tileset.json", {}),
    }
    for name, (address, parameters) in asked.items():
        yield Result(name, latency(client, [(address, parameters)] * REPEATS), "ms")
    tiles = list(leaves(client, "/collections/buildings/3dtiles/tileset.json"))
    yield Result("tiles of all", len(tiles), "tiles")
    yield Result("a tile, built", latency(client, [(tile, {}) for tile in tiles]), "ms")
    yield Result("a tile, cached", latency(client, [(tile, {}) for tile in tiles]), "ms")


def latency(client: Client, requests: list[tuple[str, dict[str, Any]]]) -> float:
    """Median of the milliseconds of requests, each of which has to succeed."""
    times: list[float] = []
    for address, parameters in requests:
        times.append(seconds(lambda a=address, p=parameters: client.get(a, **p).raise_for_status()) * 1000)
    return statistics.median(times)


def leaves(client: Client, address: str) -> Iterator[str]:
    """Addresses of all tiles below a tileset."""
    waiting = [client.get(address).json()["root"]]
    base = address
    while waiting:
        tile = waiting.pop()
        waiting.extend(tile.get("children", ()))
        if (content := tile.get("content")) is None:
            continue
        target = urljoin(base, content["uri"])
        if ".json" in target:
            yield from leaves(client, target)
        else:
            yield target


def results() -> Iterator[Result]:
    with tempfile.TemporaryDirectory(prefix="twin-bench-") as folder:
        settings = Settings(home=Path(folder) / "home")
        try:
            with engine.database(settings) as database:
                there = embedded.existing(settings)
                assert there is not None
                data = there.folder / "data"
                yield from imports(database.engine, Path(folder), data)
                yield from sizes(database.engine)
                yield from processing(database.engine, data)
                with serving(create_app(database.reader(), settings)) as client:
                    yield from answers(client)
        finally:
            embedded.destroy(settings)


def main() -> None:
    for result in results():
        print(result, flush=True)


if __name__ == "__main__":
    main()
