"""One worker and two: `twin process --force` over both cities, beside what two processors give at all.

Run ``python -m benchmarks.bench_workers``. A private database is made for it and removed. Times are by
the wall, each the least of several, one and two workers in turn.
"""

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from unittest.mock import patch

from sqlalchemy import Engine

from importers.ingest import Ingest
from importers.synthetic import synthesise
from twin.db import embedded, engine
from twin.processing import pipeline
from twin.processing.scale_out import Workers
from twin.processing.stages import together
from twin.settings import Settings

BUILDINGS = 10_000
"""Of each city."""

REPEATS = 2
_STEPS = 20_000_000


def busy(_: int) -> int:
    """Work that needs nothing but a processor."""
    return sum(number & 3 for number in range(_STEPS))


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def raw_gain() -> float:
    """How much more two processes do than one, by loops that share nothing."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(busy, range(2)))
        alone = seconds(lambda: pool.submit(busy, 0).result())
        both = seconds(lambda: list(pool.map(busy, range(2))))
    return 2.0 * alone / both


def stored(database: Engine, folder: Path) -> None:
    for city in ("helsinki", "tallinn"):
        path = folder / f"{city}.city.jsonl"
        synthesise(path, city=city, buildings=BUILDINGS, seed=1)  # pyright: ignore[reportArgumentType]
        Ingest(database).run(path)
    pipeline.process(database)


def least_times(database: Engine) -> dict[int, float]:
    """Seconds by number of workers."""
    found = {1: float("inf"), 2: float("inf")}
    for _ in range(REPEATS):
        for jobs in found:
            work = lambda jobs=jobs: pipeline.process(database, force=True, workers=Workers(jobs))  # noqa: E731
            found[jobs] = min(found[jobs], seconds(work))
    return found


def without_validity(database: Engine) -> float:
    """Seconds of one worker for all stages but that one, which a goal of its own is set to."""
    stages = [[name for name in some if name != "validity"] for some in together()]
    with patch.object(pipeline, "together", lambda: stages):
        return min(seconds(lambda: pipeline.process(database, force=True)) for _ in range(REPEATS))


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="twin-bench-") as folder:
        settings = Settings(home=Path(folder) / "home")
        try:
            with engine.database(settings) as database:
                stored(database.engine, Path(folder))
                before, times, after = raw_gain(), least_times(database.engine), raw_gain()
                faster = without_validity(database.engine)
        finally:
            embedded.destroy(settings)
    for jobs, taken in times.items():
        print(f"process --force --jobs {jobs:<22} {2 * BUILDINGS / taken:12,.1f} buildings/s")
    print(f"one worker, all but validity          {2 * BUILDINGS / faster:12,.1f} buildings/s  goal 1,000")
    print(f"two workers over one                  {times[1] / times[2]:12,.2f} times  goal 1.6")
    print(f"two loops over one, before and after  {before:12,.2f} times, {after:.2f}")


if __name__ == "__main__":
    main()
