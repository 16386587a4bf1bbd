"""`twin process` on a town: the same whatever the division and the workers, and never half."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.fixtures import ROOT
from tests.importers.stored import clean
from tests.twin.processing.terraces import HOUSES, STREETS, build, rows_of, snapshot
from twin.db import jobs
from twin.db.engine import Database
from twin.db.schema import processing_job, roof_face
from twin.errors import NotFound
from twin.processing import pipeline
from twin.processing.scale_out import Workers
from twin.processing.stages import LATER_STAGES

ALL = HOUSES * STREETS


@pytest.fixture
def engine(database: Database, tmp_path: Path) -> Iterator[Engine]:
    """A database with an imported town that was never processed."""
    with clean(database.engine) as engine:
        build(engine, tmp_path / "town.city.json")
        yield engine


def run(engine: Engine, **options: Any) -> pipeline.ProcessReport:
    [report] = pipeline.process(engine, "town", **options)
    return report


def test_the_first_run_computes_all_and_the_second_nothing(engine: Engine) -> None:
    assert run(engine).computed == {"import": 0, **dict.fromkeys(LATER_STAGES, ALL)}
    before = snapshot(engine)
    again = run(engine)
    assert again.computed == {"import": 0, **dict.fromkeys(LATER_STAGES, 0)}
    assert again.rows_written == 0
    assert snapshot(engine) == before


@pytest.mark.parametrize("count", [4, 64])
def test_another_division_gives_the_same_bytes(engine: Engine, count: int) -> None:
    assert run(engine, partitions=1).partitions == 1
    whole = snapshot(engine)
    assert run(engine, partitions=count, force=True).partitions >= min(count, ALL)
    assert snapshot(engine) == whole


def test_several_processes_give_the_same_bytes(engine: Engine) -> None:
    run(engine)
    alone = snapshot(engine)
    run(engine, force=True, partitions=4, workers=Workers(2))
    assert snapshot(engine) == alone


def test_forcing_computes_all_again_and_changes_nothing(engine: Engine) -> None:
    run(engine)
    before = snapshot(engine)
    assert run(engine, force=True).computed == {"import": ALL, **dict.fromkeys(LATER_STAGES, ALL)}
    assert snapshot(engine) == before


def test_the_revision_tells_of_new_values_and_of_them_alone(engine: Engine) -> None:
    def revision() -> int:
        from twin.db import admin

        with engine.connect() as connection:
            return admin.datasets(connection)[0]["revision"]

    imported = revision()
    run(engine)
    processed = revision()
    assert processed > imported
    run(engine)
    assert revision() == processed


def test_the_ledger_tells_of_every_job(engine: Engine) -> None:
    report = run(engine, partitions=4)
    rows = rows_of(engine, processing_job)
    assert len(rows) == report.partitions * (1 + len(LATER_STAGES))
    assert {row["state"] for row in rows} == {"done"}
    assert {row["algorithm"] for row in rows if row["stage"] == "neighbours"} == {
        LATER_STAGES["neighbours"].algorithm
    }
    assert sum(row["features"] for row in rows if row["stage"] == "roof_faces") == ALL
    assert all(row["started_at"] <= row["finished_at"] and row["input_hash"] for row in rows)


def test_another_division_replaces_the_jobs_of_the_former(engine: Engine) -> None:
    run(engine, partitions=8)
    run(engine, partitions=1)
    assert len(rows_of(engine, processing_job)) == 1 + len(LATER_STAGES)


def test_a_failed_job_says_why_and_the_others_are_kept(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    finish = jobs.finish

    def failing(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 6:
            raise RuntimeError("the roof fell in")
        finish(*args)

    monkeypatch.setattr(jobs, "finish", failing)
    with pytest.raises(RuntimeError):
        run(engine, partitions=4)
    states = [row["state"] for row in rows_of(engine, processing_job)]
    assert (states.count("failed"), states.count("done")) == (1, 5)
    [failed] = [row for row in rows_of(engine, processing_job) if row["state"] == "failed"]
    assert failed["error"] == "RuntimeError: the roof fell in"
    monkeypatch.undo()
    run(engine)
    assert run(engine).rows_written == 0


KILLED = """
import os, signal, sys
from twin.db import jobs
from twin.db.engine import database
from twin.processing import pipeline
from twin.settings import load

finish, calls = jobs.finish, []
def dying(connection, key, *counts):
    calls.append(key)
    if len(calls) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    finish(connection, key, *counts)
jobs.finish = dying
with database(load()) as opened:
    pipeline.process(opened.engine, "town", partitions=4)
"""


def test_a_run_that_is_killed_leaves_whole_jobs_and_the_next_completes_them(
    engine: Engine, database: Database
) -> None:
    environment = {**os.environ, "TWIN_HOME": str(database.settings.home)}
    killed = subprocess.run([sys.executable, "-c", KILLED, "6"], cwd=ROOT, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    rows = rows_of(engine, processing_job)
    assert [row["state"] for row in rows].count("running") == 1
    done = sum(r["features"] for r in rows if r["stage"] == "roof_faces" and r["state"] == "done")
    assert 0 < done < ALL
    assert len(rows_of(engine, jobs.SIDE_TABLES["roof_faces"])) == done
    assert len({row["object_id"] for row in rows_of(engine, roof_face)}) == done
    assert run(engine).computed["roof_faces"] == ALL - done
    completed = snapshot(engine)
    run(engine, force=True)
    assert snapshot(engine) == completed


def test_a_dataset_that_is_not_there_is_named(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no dataset 'village'"):
        pipeline.process(engine, "village")
