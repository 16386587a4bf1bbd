"""Whatever happens to an import, the next one brings the database to where an undisturbed one would."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from importers import ingest as ingest_module
from importers.ingest import ImportOptions, Ingest
from importers.report import Report
from importers.synthetic import synthesise
from tests.fixtures import ROOT
from tests.importers.stored import clean, counts, features
from tests.importers.test_ingest import document, written
from twin.db import stage
from twin.db.content_hash import content_hashes, database_hash
from twin.db.engine import Database
from twin.errors import UnreadableFile


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ingest_module, "BATCH_FEATURES", 2)


class Killed(BaseException):
    """Stands for the end of the program, as no handler of the importer may catch it."""


def run(engine: Engine, path: Path, *, killed_after: int | None = None, **options: Any) -> Report:
    """Import a file; the program dies after so many progress calls."""
    calls = 0

    def progress(_done: int, _size: int) -> None:
        nonlocal calls
        calls += 1
        if killed_after is not None and calls > killed_after:
            raise Killed

    return Ingest(engine, ImportOptions(**options), progress).run(path)


def hashes(engine: Engine) -> dict[str, str]:
    with engine.begin() as connection:
        return content_hashes(connection)


def staged(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT relname FROM pg_class WHERE relname ~ '^staged_'"))
        return [row.relname for row in found]


HEIGHTS = (3.0, 4.0, 5.0, 6.0, 7.0, 8.0)


@pytest.mark.parametrize("killed_after", [1, 2, 3, 4, 5, 6])
@pytest.mark.usefixtures("small_batches")
def test_an_interrupted_import_goes_on_where_it_was(
    engine: Engine, tmp_path: Path, killed_after: int
) -> None:
    path = written(tmp_path / "a.city.json", document(*HEIGHTS))
    whole = run(engine, path, dataset="a")
    undisturbed = hashes(engine)
    with clean(engine):
        before = counts(engine)
        with pytest.raises(Killed):
            run(engine, path, dataset="a", killed_after=killed_after)
        assert counts(engine) == before, "readers see nothing of it"
        again = run(engine, path, dataset="a")
        assert hashes(engine) == undisturbed
        assert (again.read, again.added) == (whole.read, whole.added) == (6, 6)
        assert again.resumed_after == 2 * ((killed_after + 1) // 2)
        assert staged(engine) == []


@pytest.mark.usefixtures("small_batches")
def test_changed_features_survive_an_interruption_once(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(*HEIGHTS))
    changed = written(tmp_path / "b.city.json", document(*(h + 1 for h in HEIGHTS)))
    run(engine, path, dataset="a")
    run(engine, changed, dataset="a")
    undisturbed = hashes(engine)
    with clean(engine):
        run(engine, path, dataset="a")
        for killed_after in (2, 4):
            with pytest.raises(Killed):
                run(engine, changed, dataset="a", killed_after=killed_after)
        report = run(engine, changed, dataset="a")
        assert report.changes == {"geometry_changed": list("abcdef")}
        assert hashes(engine) == undisturbed


@pytest.mark.usefixtures("small_batches")
def test_what_is_left_of_another_delivery_is_dropped(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(*HEIGHTS))
    with pytest.raises(Killed):
        run(engine, path, dataset="a", killed_after=4)
    assert len(staged(engine)) == 2 + len(stage._TABLES)  # pyright: ignore[reportPrivateUsage]
    report = run(engine, written(path, document(1.0, 2.0)), dataset="a")
    assert (report.added, report.resumed_after) == (2, 0)
    assert len(features(engine, "a")) == 2
    assert staged(engine) == []


@pytest.mark.usefixtures("small_batches")
def test_a_file_that_is_broken_at_its_end_leaves_nothing(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "a.city.jsonl"
    synthesise(path, city="tallinn", buildings=8, seed=1)
    path.write_bytes(path.read_bytes()[:-20])
    before = counts(engine)
    with pytest.raises(UnreadableFile, match="the last line is not whole"):
        run(engine, path)
    assert counts(engine) == before
    assert staged(engine) == []


def test_two_imports_of_one_dataset_wait_for_each_other(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(*HEIGHTS))
    inside, go_on, waits = threading.Event(), threading.Event(), threading.Event()
    reports: list[Report] = []

    def first(_done: int, _size: int) -> None:
        inside.set()
        assert go_on.wait(30)

    def import_with(progress: Any) -> None:
        ingest = Ingest(engine, ImportOptions(dataset="a"), progress, lambda _message: waits.set())
        reports.append(ingest.run(path))

    def second(_done: int, _size: int) -> None:
        assert go_on.is_set(), "the first has the dataset for itself"

    threads = [threading.Thread(target=import_with, args=(progress,)) for progress in (first, second)]
    threads[0].start()
    assert inside.wait(30)
    threads[1].start()
    assert waits.wait(30)
    go_on.set()
    for thread in threads:
        thread.join(60)
    assert [(r.added, r.unchanged) for r in reports] == [(6, 0), (0, 6)]
    assert len(features(engine, "a")) == 6
    assert counts(engine)["import_run"] == 1


def test_the_hash_sees_a_changed_value_and_no_times(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(3.0))
    run(engine, path, dataset="a")
    first = hashes(engine)
    with clean(engine):
        run(engine, path, dataset="a")
        assert hashes(engine) == first
        with engine.begin() as connection:
            before = database_hash(connection)
            connection.execute(text("UPDATE feature SET height_m = height_m + 0.001"))
            assert database_hash(connection) != before
        assert hashes(engine) != first


def _import(path: Path, home: Path) -> "subprocess.Popen[bytes]":
    environment = os.environ | {"TWIN_HOME": str(home)}
    command = [sys.executable, "-c", "from twin.cli import main; main()", "import", str(path), "--jobs", "2"]
    return subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)


def _kill_and_compare(engine: Engine, home: Path, path: Path, times: int) -> None:
    """Import; then again from nothing, killed at random moments, until one import is left alone."""
    began = time.monotonic()
    assert _import(path, home).wait() in (0, 3)
    duration = time.monotonic() - began
    undisturbed = hashes(engine)
    runs = counts(engine)
    dice = random.Random(times)
    with clean(engine):
        before = counts(engine)
        for _ in range(times):
            process = _import(path, home)
            try:
                process.wait(dice.uniform(0.0, duration))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
            assert counts(engine) in (before, runs), "nothing, or all of it"
        assert _import(path, home).wait() in (0, 3)
        assert hashes(engine) == undisturbed
        assert counts(engine) == runs
        assert staged(engine) == []


def test_an_importer_killed_at_any_moment(database: Database, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "helsinki.gml"
    synthesise(path, city="helsinki", buildings=600, seed=1)
    _kill_and_compare(engine, database.settings.home, path, 4)


@pytest.mark.slow
def test_an_importer_killed_thirty_times(database: Database, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "helsinki.gml"
    synthesise(path, city="helsinki", buildings=3000, seed=2)
    _kill_and_compare(engine, database.settings.home, path, 30)


def test_short_rows_are_compressed_too(engine: Engine, tmp_path: Path) -> None:
    """PostgreSQL by itself compresses only what is in rows of more than 2,032 bytes."""
    attributes = {f"name_of_an_attribute_{n}": "the same value" for n in range(20)}
    assert run(engine, written(tmp_path / "a.json", document(3.0, **attributes))).added == 1
    found = """
        SELECT pg_column_compression(attributes), pg_column_compression(geom), pg_column_size(o.*) < 2032
        FROM city_object o JOIN object_geometry USING (dataset_id, object_id)
    """
    with engine.connect() as connection:
        assert connection.execute(text(found)).all() == [("lz4", "lz4", True)]
        filled = "SELECT count(*) FROM information_schema.columns WHERE column_name = 'filler'"
        assert connection.execute(text(filled)).scalar_one() == 0
