"""Importing: ``twin import`` and its reader beside cjdb and beside the raw limits of this machine.

Run ``python -m benchmarks.bench_import`` for a short run, with ``--full`` for the sizes that the goals are
about, with ``--memory`` for memory and scaling alone; ``--save`` keeps the figures in benchmarks/results/.
The inputs are real samples replicated (Vienna, 592 objects; Kalasatama, 61 buildings), so they need the
shared data; without it synthetic cities take their place. What other programs do at the same time
disturbs clocks: speeds are by processor time, that of the database server included where it says so.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import cjdb
from benchmarks.replicas import replicate_helsinki, replicate_sequence
from benchmarks.server import Server, copied, count, server, sizes
from benchmarks.watched import Watched, watch
from importers.synthetic import CityName, synthesise
from tests.fixtures import SHARED_DATA

RESULTS = Path(__file__).parent / "results"
VIENNA = SHARED_DATA / "cityjson" / "vienna_592.city.jsonl"
KALASATAMA = SHARED_DATA / "helsinki" / "kalasatama_2549_6674.gml"
VIENNA_OPTIONS = ("--crs", "EPSG:31256", "--undulation", "200.2", "--city", "vienna")
MB = 1e6


@dataclass(frozen=True, slots=True)
class Scale:
    """How often the samples are repeated, and the buildings of a synthetic city."""

    vienna: int
    kalasatama: int
    buildings: int


QUICK, FULL = Scale(4, 4, 400), Scale(68, 33, 2000)
SMALL, LARGE = Scale(5, 3, 1000), Scale(46, 32, 10_000)
"""10 and 100 MB, to see whether memory grows."""


@dataclass(frozen=True, slots=True)
class Input:
    """A file to import; ``options`` tell ``twin import`` what it does not say of itself."""

    name: str
    path: Path
    buildings: int
    options: tuple[str, ...] = ()

    @property
    def megabytes(self) -> float:
        return self.path.stat().st_size / MB


@dataclass(frozen=True, slots=True)
class Figure:
    """One number; ``ratio`` is to what is named, ``goal`` what it should be at least or most."""

    name: str
    value: float
    unit: str
    ratio: str = ""
    goal: str = ""

    def __str__(self) -> str:
        goal = f"  goal {self.goal}" if self.goal else ""
        return f"{self.name:58} {self.value:12,.1f} {self.unit:16} {self.ratio}{goal}"


def inputs(folder: Path, scale: Scale) -> tuple[Input, Input]:
    """A CityJSONSeq and a CityGML file."""
    lines, members = folder / f"a{scale.vienna}.city.jsonl", folder / f"b{scale.kalasatama}.gml"
    if SHARED_DATA.is_dir():
        return (
            Input("Vienna", lines, replicate_sequence(VIENNA, lines, scale.vienna), VIENNA_OPTIONS),
            Input("Kalasatama", members, replicate_helsinki(KALASATAMA, members, scale.kalasatama)),
        )
    return synthetic(lines, "tallinn", scale.buildings), synthetic(members, "helsinki", scale.buildings)


def synthetic(path: Path, city: CityName, buildings: int) -> Input:
    synthesise(path, city=city, buildings=buildings, seed=1)
    return Input(f"synthetic {city.capitalize()}", path, buildings)


def probe(name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> tuple[Any, Watched]:
    """What a probe says of itself, and what it took seen from outside."""
    done = watch([sys.executable, "-m", "benchmarks.probes", name, *arguments], environment)
    if done.code:
        raise RuntimeError(done.output)
    return json.loads(done.output.strip().splitlines()[-1]), done


def readers(lines: Input, members: Input) -> Iterator[Figure]:
    """The readers alone beside the parsers alone."""
    for given, parser, goal in ((lines, "json_lines", "2,000"), (members, "xml_elements", "35 MB/s")):
        bare, _ = probe(parser, str(given.path))
        found, seen = probe("read", str(given.path))
        name = f"{given.name}: reader alone"
        ratio = f"{bare['seconds'] / found['seconds']:5.2f} of the parser"
        speed = given.megabytes / found["seconds"]
        yield Figure(f"{given.name}: the parser alone", given.megabytes / bare["seconds"], "MB/s")
        yield Figure(name, speed, "MB/s", ratio, goal if "MB" in goal else "")
        yield Figure(
            name, found["features"] / found["seconds"], "buildings/s", "", "" if "MB" in goal else goal
        )
        yield Figure(name, found["objects"] / found["seconds"], "objects/s")
        yield Figure(name, seen.parent_mb, "MB at most", "", "150")
    points, _ = probe("transform", "2000000")
    yield Figure("PROJ alone, on arrays", 2.0 / points["seconds"], "M vertices/s")


@dataclass(frozen=True, slots=True)
class Timed:
    """An import seen from outside; ``server`` are processor seconds of the database."""

    done: Watched
    server: float

    @property
    def cpu(self) -> float:
        return self.done.cpu_seconds + self.server


def timed(
    there: Server, command: list[str], environment: Mapping[str, str], codes: tuple[int, ...] = (0,)
) -> Timed:
    before = there.cpu()
    done = watch(command, environment)
    if done.code not in codes:
        raise RuntimeError(done.output[-2000:])
    return Timed(done, there.cpu() - before)


def twin_import(there: Server, given: Input, database: str, *more: str) -> Timed:
    """``twin import`` with all its defaults."""
    command = [sys.executable, "-m", "twin.cli", "import", str(given.path), *given.options, *more]
    return timed(there, command, there.environment(database))


def imports(there: Server, lines: Input, members: Input, folder: Path) -> Iterator[Figure]:
    """Whole imports, into databases of their own on one server; then the same files again."""
    other = list(_cjdb(there, lines, folder))
    yield from other
    theirs = next((f.value for f in other if f.unit == "buildings/s"), None)
    # With nothing to read: the program, the readers and a connection are there, and that is all.
    nothing = [sys.executable, "-m", "twin.cli", "import", str(folder / "nothing.gml")]
    watch([sys.executable, "-c", "import importers.prepare"], there.environment("start"))
    start = watch(nothing, there.environment(_empty(there, "start")))
    yield Figure("twin, to start and end", start.cpu_seconds, "CPU s")
    for given, than, goals in ((lines, theirs, ("400", "")), (members, None, ("", "15"))):
        database = _empty(there, f"twin_{given.path.suffix[1:]}")
        first = twin_import(there, given, database)
        again = twin_import(there, given, database)
        yield from _speeds(f"{given.name}: twin import", given, first, than, goals)
        faster = (first.cpu - start.cpu_seconds) / max(again.cpu - start.cpu_seconds, _NOISE_S)
        yield Figure(f"{given.name}: unchanged, again, without the start", faster, "times faster", "", "20")
        yield from _without_measuring(there, given)
        if given is lines:
            yield from _one_percent(there, given, database, first, start)
            objects = count(there, database, "city_object")
            yield Figure(f"{given.name}: twin import", objects / first.cpu, "objects/s")
        yield from _size(there, database, "city_object", f"{given.name}: twin, database")
        yield from _copy(there, given, database)


_NOISE_S = 0.05
"""What two starts of a program may differ by."""


def _empty(there: Server, database: str) -> str:
    """A database with the newest schema and nothing in it, so that migrations are not timed."""
    there.create(database)
    watch([sys.executable, "-m", "twin.cli", "datasets"], there.environment(database))
    return database


def _speeds(
    name: str, given: Input, seen: Timed, theirs: float | None = None, goals: tuple[str, str] = ("", "")
) -> Iterator[Figure]:
    """Speeds with the goals of buildings and megabytes, and how many times cjdb's that is."""
    speed = given.buildings / seen.cpu
    ratio = f"{speed / theirs:5.1f} x cjdb" if theirs else ""
    yield Figure(name, speed, "buildings/s", ratio, goals[0])
    yield Figure(f"{name}, without the server", given.buildings / seen.done.cpu_seconds, "buildings/s")
    yield Figure(name, given.megabytes / seen.cpu, "MB/s", "", goals[1])
    yield Figure(name, seen.done.together_mb, "MB at most", "", "150" if theirs or any(goals) else "")


_ONE_OF = 100


def _one_percent(
    there: Server, given: Input, database: str, first: Timed, start: Watched
) -> Iterator[Figure]:
    """The same file with another attribute in each hundredth feature."""
    before = given.path.read_bytes()
    lines = before.splitlines(keepends=True)
    for number in range(1, len(lines), _ONE_OF):
        lines[number] = lines[number].replace(b'"attributes":{', b'"attributes":{"changed":1,', 1)
    given.path.write_bytes(b"".join(lines))
    again = twin_import(there, given, database)
    given.path.write_bytes(before)
    faster = (first.cpu - start.cpu_seconds) / (again.cpu - start.cpu_seconds)
    name = f"{given.name}: one feature of {_ONE_OF} changed, without the start"
    yield Figure(name, faster, "times faster", "", "2")
    written = count(there, database, "feature_history")
    yield Figure(name, written, "features written", f"of {len(lines[1::_ONE_OF])} changed")


def _without_measuring(there: Server, given: Input) -> Iterator[Figure]:
    """Reader and store: all of an import but measuring and meshing."""
    database = _empty(there, "parts")
    before = there.cpu()
    arguments = (str(given.path), *given.options[1:2])
    found, _ = probe("stored", *arguments, environment=there.environment(database))
    rest = found["seconds"] - found["measuring"] + there.cpu() - before
    yield Figure(
        f"{given.name}: all but measuring and meshing", found["features"] / rest, "buildings/s", "", "900"
    )


def _cjdb(there: Server, given: Input, folder: Path) -> Iterator[Figure]:
    try:
        program = cjdb.install(folder)
    except cjdb.Missing as reason:
        print(f"{reason}; nothing is compared with it", flush=True)
        return
    there.create("cjdb")
    command = [str(program), "import", "-H", "", "-U", "twin", "-d", "cjdb", "-f", str(given.path)]
    if given.options == VIENNA_OPTIONS:
        command += ["-I", "31256"]
    seen = timed(there, command, there.libpq())
    print(f"{cjdb.version(program).splitlines()[-1]}, {seen.done.seconds:.0f} s on the clock", flush=True)
    yield from _speeds(f"{given.name}: cjdb import", given, seen)
    yield Figure(
        f"{given.name}: cjdb import", count(there, "cjdb", "cjdb.city_object") / seen.cpu, "objects/s"
    )
    yield from _size(there, "cjdb", "cjdb.city_object", f"{given.name}: cjdb, database")


def _size(there: Server, database: str, table: str, name: str) -> Iterator[Figure]:
    whole = sum(item.total for item in sizes(there, database))
    yield Figure(name, whole / MB, "MB")
    yield Figure(name, whole / count(there, database, table), "bytes/object")


def _copy(there: Server, given: Input, database: str) -> Iterator[Figure]:
    """Only COPY BINARY, of the rows that the import wrote."""
    size, seconds = copied(there, database, ("city_object", "object_geometry", "object_mesh", "feature"))
    yield Figure(f"{given.name}: COPY BINARY alone, of the same rows", size / MB / seconds, "MB/s")
    yield Figure(
        f"{given.name}: COPY BINARY alone, of the same rows", given.buildings / seconds, "buildings/s"
    )


_PAGES = 1 << 16
"""Bytes of tables of a row or two, such as that of datasets."""


def itemised(there: Server, folder: Path, lines: Input, buildings: int) -> Iterator[Figure]:
    """Bytes of each table and its indexes, for each building and each object, right after an import."""
    cities = [synthetic(folder / f"{city}.gml", city, buildings) for city in ("helsinki", "tallinn")]
    for given in (lines, *cities):
        database = _empty(there, "sizes")
        empty = {item.table: item.total for item in sizes(there, database)}
        twin_import(there, given, database)
        objects = count(there, database, "city_object")
        print(f"{given.name}: {given.buildings} buildings, {objects} objects", flush=True)
        items = [item for item in sizes(there, database) if item.total > empty.get(item.table, 0) + _PAGES]
        for item in items:
            for what, size in (("rows", item.rows), ("aside", item.aside), ("indexes", item.indexes)):
                yield Figure(f"{given.name}: {item.table}, {what}", size / objects, "bytes/object")
        for title, tables, goal in (
            ("objects and geometry", ("city_object", "object_geometry"), "4,000"),
            ("everything", tuple(item.table for item in items), "8,000"),
        ):
            whole = sum(item.total for item in items if item.table in tables)
            yield Figure(f"{given.name}: {title}", whole / objects, "bytes/object", "", goal)
            yield Figure(f"{given.name}: {title}", whole / given.buildings, "bytes/building")


def memory(there: Server, folder: Path) -> Iterator[Figure]:
    """Peaks of parent and workers with one and two processes, at 10 and 100 MB."""
    for scale in (SMALL, LARGE):
        for given in inputs(folder, scale):
            # In turns, and the best of each, as other programs take processors at times.
            seen = [_with_jobs(there, given, jobs) for jobs in (1, 2) * 2]
            alone, shared = (min(seen[first::2], key=lambda timed: timed.done.seconds) for first in (0, 1))
            name = f"{given.name}, {given.megabytes:.0f} MB"
            yield from _peaks(f"{name}, 1 job", given, alone)
            yield from _peaks(f"{name}, 2 jobs", given, shared)
            gain = alone.done.seconds / shared.done.seconds
            effort = f"{shared.cpu / alone.cpu:.2f} x the processor time"
            yield Figure(f"{name}: gain of 2 jobs by the clock", gain, "times faster", effort)


def _with_jobs(there: Server, given: Input, jobs: int) -> Timed:
    return twin_import(there, given, _empty(there, "memory"), "--jobs", str(jobs))


def _peaks(name: str, given: Input, seen: Timed) -> Iterator[Figure]:
    yield Figure(f"{name}: parent", seen.done.parent_mb, "MB at most", "", "150")
    for peak in seen.done.workers_mb:
        yield Figure(f"{name}: worker", peak, "MB at most", "", "300")
    yield Figure(f"{name}: all", seen.cpu, "CPU s")
    yield Figure(f"{name}: all", given.buildings / seen.done.seconds, "buildings/s by the clock")


def machine() -> dict[str, Any]:
    """What kind of machine this is; nothing that tells which one."""
    model = ""
    with suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
    return {
        "processor": model or platform.machine(), "cores": os.cpu_count(), "load": os.getloadavg()[0],
        "python": platform.python_version(),
    }  # fmt: skip


def figures(parts: argparse.Namespace) -> Iterator[Figure]:
    scale = FULL if parts.full else QUICK
    with tempfile.TemporaryDirectory(prefix="twin-bench-") as name:
        folder = Path(name)
        with server(folder / "home") as there:
            if parts.memory:
                yield from memory(there, folder)
                return
            lines, members = inputs(folder, scale)
            for given in (lines, members):
                print(f"{given.name}: {given.buildings} buildings, {given.megabytes:.0f} MB", flush=True)
            yield from readers(lines, members)
            yield from imports(there, lines, members, folder)
            yield from itemised(there, folder, lines, scale.buildings)


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.bench_import")
    for name, meaning in (
        ("full", "10,000 buildings of Vienna, 100 MB of Kalasatama: minutes"),
        ("memory", "only memory and scaling, at 10 and 100 MB"),
        ("save", "write the figures to benchmarks/results/"),
    ):
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    parts = parser.parse_args(arguments or [])
    before, started, found = machine(), time.monotonic(), list[Figure]()
    print(f"{before['processor']}, {before['cores']} cores, load {before['load']:.1f}", flush=True)
    if not parts.full and not parts.memory:
        print(
            "a short run: the start of the programs weighs; the goals are about the sizes of --full",
            flush=True,
        )
    for figure in figures(parts):
        print(figure, flush=True)
        found.append(figure)
    if parts.save:
        _save(
            "memory" if parts.memory else "import" if parts.full else "import-quick", before, started, found
        )


def _save(name: str, machine_before: dict[str, Any], started: float, found: list[Figure]) -> None:
    """A file of results; each figure on a line of its own, so that two files can be compared."""
    today = datetime.now(tz=UTC).date().isoformat()
    head = {"measured": today, "machine": machine_before, "seconds": round(time.monotonic() - started)}
    rows = [[f.name, round(f.value, 2), f.unit, f.ratio.strip(), f.goal] for f in found]
    lines = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{today}-{name}.json"
    path.write_text(f'{json.dumps(head, indent=1)[:-2]},\n "figures": [\n{lines}\n ]\n}}\n', encoding="utf-8")
    print(f"written to {path.relative_to(RESULTS.parent.parent)}")


if __name__ == "__main__":
    main(sys.argv[1:])
