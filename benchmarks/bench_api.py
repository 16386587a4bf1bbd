"""The API beside tipg and pygeoapi: the same hundred thousand buildings, one worker, eight connections.

Run ``python -m benchmarks.bench_api [FOLDER]``. The peers stand in environments of their own
(`benchmarks.peers`) and read a flat table of the same attributes with the same indexes; ours reads what
``twin synth`` and ``twin import`` made. A FOLDER keeps the data for the next time. The servers are asked in
turn, a moment each, several times over, so that what else the machine does meets them all. ``cpu`` are the
processor milliseconds of server and database for an answer.
"""

import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx

from benchmarks import peers
from benchmarks.api_peers import Running, serving
from benchmarks.api_questions import (
    AGGREGATES,
    OURS,
    PYGEOAPI,
    TIPG,
    Compared,
    Sample,
    areas,
    compared,
    flatten,
    sample,
)
from benchmarks.load import HOST, Asked, Load, load, once
from benchmarks.server import Server
from benchmarks.watched import cpu_seconds
from tests.fixtures import ROOT
from twin.db import embedded, layout
from twin.settings import Settings

BUILDINGS = 100_000
WARM_S = 3.0
"""For so long each server is asked before anything counts: ours remembers what it served."""

ROUNDS = 5
SECONDS = 1.0

AGGREGATE_ROUNDS = 7

GROUPED_MS = 150.0
UNCHANGED_PER_SECOND = 3000.0
LATER_PAGE = 2.0
"""How many times longer than the first page may a late one take."""


@contextmanager
def database(home: Path, buildings: int) -> Generator[Server, None, None]:
    """The buildings, half of them in each city, in a private cluster for the block; it stays in ``home``."""
    made = home / f"{buildings}-buildings"
    with embedded.running(Settings(home=home)):
        there = embedded.existing(Settings(home=home))
        assert there is not None
        found = Server(there.folder)
        if not made.exists():
            for city in ("helsinki", "tallinn"):
                _import(home, city, buildings // 2)
            with found.session(layout.DATABASE) as session:
                flatten(session)
            made.touch()
        yield found


def _import(home: Path, city: str, buildings: int) -> None:
    path = home / f"{city}.city.jsonl"
    program = [sys.executable, "-m", "twin.cli"]
    environment = {**os.environ, "TWIN_HOME": str(home)}
    for command in (
        [*program, "synth", str(path), "--city", city, "--buildings", str(buildings)],
        [*program, "import", str(path), "--jobs", "2"],
    ):
        subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)
    path.unlink()


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers a second, the 99th percentile, and processor milliseconds of server and database an answer."""

    per_second: float
    p99_ms: float
    cpu_ms: float


@dataclass(frozen=True, slots=True)
class Bench:
    """The servers that run over a database."""

    there: Server
    running: Mapping[str, Running]
    rounds: int = ROUNDS
    seconds: float = SECONDS
    warm_s: float = WARM_S

    def measure(self, asked: Mapping[str, Asked], *, alone: bool = False) -> dict[str, Measured]:
        """Servers asked in turn, in rounds; the medians of each."""
        names = [name for name in asked if name in self.running]
        found: dict[str, list[tuple[Load, float]]] = {name: [] for name in names}
        if not alone:
            for name in names:
                load(self.running[name].port, asked[name], seconds=self.warm_s)
        for _ in range(1 if alone else self.rounds):
            for name in names:
                found[name].append(self._timed(self.running[name], asked[name], alone))
        return {name: _measured(rounds) for name, rounds in found.items()}

    def _timed(self, program: Running, asked: Asked, alone: bool) -> tuple[Load, float]:
        before = self._cpu(program)
        done = once(program.port, asked) if alone else load(program.port, asked, seconds=self.seconds)
        return done, self._cpu(program) - before

    def _cpu(self, program: Running) -> float:
        return self.there.cpu() + cpu_seconds(program.pid)


def _measured(rounds: Sequence[tuple[Load, float]]) -> Measured:
    return Measured(
        median(done.per_second for done, _ in rounds),
        median(done.p99_ms for done, _ in rounds),
        1000 * sum(cpu for _, cpu in rounds) / sum(done.answers for done, _ in rounds),
    )


def last_page(client: httpx.Client, buildings: int) -> str:
    """The address of the page behind 99 % of the buildings, by the links to next pages."""
    address, left = "/collections/buildings/items", buildings * 99 // 100
    while left > 0:
        page = client.get(_with_limit(address, min(left, 10_000))).raise_for_status()
        left -= int(page.json()["numberReturned"])
        address = page.links["next"]["url"]
    return _with_limit(address, 100)


def _with_limit(address: str, limit: int) -> str:
    found = urlsplit(address)
    query = {**dict(parse_qsl(found.query)), "limit": str(limit)}
    return f"{found.path}?{urlencode(query)}"


def compare(bench: Bench, questions: Sequence[Compared]) -> Iterator[tuple[Compared, dict[str, Measured]]]:
    """The measures of each question, by server."""
    for question in questions:
        yield question, bench.measure(question.asked, alone=question.alone)


def ratios(found: Mapping[str, Measured], name: str) -> tuple[float, float]:
    """How many times more than tipg a server answers in the same time, and for the same processor time."""
    own, theirs = found[name], found[TIPG]
    return own.per_second / theirs.per_second, theirs.cpu_ms / own.cpu_ms


def _show(question: Compared, found: Mapping[str, Measured]) -> None:
    for name, one in found.items():
        told = ""
        if name != TIPG and TIPG in found:
            told = "{:7.2f}× by time, {:6.2f}× by processors".format(*ratios(found, name))
            told += f"  (bar {question.bar:g}×)" if question.bar and name == OURS else ""
        print(
            f"{question.name:26}{name:9}{one.per_second:9,.2f}/s  p99 {one.p99_ms:8,.1f} ms"
            f"  cpu {one.cpu_ms:8,.2f} ms {told}",
            flush=True,
        )


def _alone(bench: Bench, client: httpx.Client, drawn: Sample) -> None:
    """What no peer has: aggregates, and answers of what has not changed."""
    page = "/collections/buildings/items?limit=100"
    tag = client.get(page).raise_for_status().headers["etag"]
    unchanged = Asked(lambda _: page, 304, f"If-None-Match: {tag}\r\n")
    found = bench.measure({OURS: unchanged})[OURS]
    print(f"{'not changed (304)':38}{found.per_second:10,.0f}/s  (bar {UNCHANGED_PER_SECOND:,.0f}/s)")
    pages = (page, last_page(client, BUILDINGS))
    first, last = (bench.measure({OURS: Asked(lambda _, at=at: at)})[OURS].per_second for at in pages)
    print(f"{'page behind 99 % by page 1':38}{first / last:10,.2f}×   (bar {LATER_PAGE:g}×)")
    client.put("/collections/areas", json=areas(drawn)).raise_for_status()
    for name, query in AGGREGATES.items():
        asked = Asked(lambda _, query=query: f"/collections/buildings/{query}")
        times = [once(bench.running[OURS].port, asked).latencies_ms[0] for _ in range(AGGREGATE_ROUNDS)]
        print(f"{name:38}{median(times):10,.1f} ms  (bar {GROUPED_MS:g} ms)", flush=True)


def main() -> None:
    """Prints what each question takes each server, and the ratios beside their bars."""
    with ExitStack() as stack:
        given = sys.argv[1:2]
        home = Path(given[0]) if given else Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if not given:
            stack.callback(embedded.destroy, Settings(home=home))
        there = stack.enter_context(database(home, BUILDINGS))
        running: dict[str, Running] = {}
        for name in (OURS, TIPG, PYGEOAPI):
            try:
                running[name] = stack.enter_context(serving(name, there, home))
            except peers.Unavailable as error:
                print(f"without {name}: {error}")
        bench = Bench(there, running)
        client = stack.enter_context(httpx.Client(base_url=f"http://{HOST}:{running[OURS].port}", timeout=60))
        with there.session(layout.DATABASE) as session:
            drawn = sample(session)
        for question, found in compare(bench, compared(drawn, last_page(client, BUILDINGS), BUILDINGS)):
            _show(question, found)
        _alone(bench, client, drawn)


if __name__ == "__main__":
    main()
