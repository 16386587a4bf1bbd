"""`twin process` on a town: the same whatever the division and the workers, and never half."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tests.fixtures import ROOT
from tests.importers.stored import clean
from tests.twin.processing.terraces import HOUSES, STREETS, build, rows_of, snapshot
from twin.db import admin, jobs, schema
from twin.db.engine import Database
from twin.db.pending_query import pending
from twin.db.schema import processing_job, roof_face
from twin.errors import NotFound
from twin.processing import pipeline
from twin.processing.scale_out import Workers
from twin.processing.stages import LATER_STAGES
from twin.processing.versions import versions

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


def test_forcing_writes_what_differs_and_nothing_else(engine: Engine) -> None:
    run(engine)
    before = snapshot(engine)
    assert run(engine, force=True).rows_written == 0
    with engine.begin() as connection:
        for damage in _DAMAGE:
            assert connection.execute(text(damage)).rowcount == 1
    assert snapshot(engine) != before
    assert 0 < run(engine, force=True).rows_written < ALL
    assert snapshot(engine) == before


_DAMAGE = (
    "UPDATE feature SET height_m = height_m + 1 WHERE object_id = (SELECT min(object_id) FROM feature)",
    "UPDATE city_object SET volume_m3 = 2 WHERE object_id = (SELECT max(object_id) FROM feature)",
    "UPDATE object_neighbours SET neighbours_50m = -1"
    " WHERE object_id = (SELECT max(object_id) FROM object_neighbours)",
    "DELETE FROM roof_face WHERE id = (SELECT max(id) FROM roof_face)",
)


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
from twin.db import jobs, schema
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


@pytest.mark.parametrize("partitions", [1, 4])
def test_a_dataset_that_is_removed_meanwhile_is_told(engine: Engine, partitions: int) -> None:
    """Before the next job of a stage, or before the jobs of the next one are planned."""

    def remove(_done: int, _all: int) -> None:
        with suppress(NotFound), engine.begin() as connection:
            admin.remove(connection, "town")

    with pytest.raises(NotFound, match="removed meanwhile"):
        run(engine, partitions=partitions, progress=remove)
    assert rows_of(engine, processing_job) == []


def test_partitions_of_no_dataset_are_not_asked(engine: Engine) -> None:
    key = jobs.JobKey(32_000, "neighbours", -1, 0)
    with engine.connect() as connection, pytest.raises(NotFound, match="removed meanwhile"):
        jobs.members(connection, key)


def test_a_changed_building_recomputes_itself_and_its_neighbours(engine: Engine, tmp_path: Path) -> None:
    run(engine)
    build(engine, tmp_path / "town.city.json", frozenset({"h0-0"}))
    report = run(engine, partitions=4)
    assert {stage: report.computed[stage] for stage in ("roof_faces", "validity")} == {
        "roof_faces": 1,
        "validity": 1,
    }
    # Its own street and the two next ones, 45 m and 100 m away; the others are farther away.
    assert report.computed["neighbours"] == 3 * HOUSES
    incremental = snapshot(engine)
    run(engine, force=True)
    assert snapshot(engine) == incremental


def waiting(engine: Engine) -> int:
    """How many features the database says to wait for `twin process`."""
    asked = pending(versions())
    with engine.connect() as connection:
        rows = connection.execute(asked.clause, dict(asked.values)).all()
    assert all(row.since is not None for row in rows)
    return sum(row.pending for row in rows)


def test_what_waits_is_what_the_next_run_computes(engine: Engine, tmp_path: Path) -> None:
    assert waiting(engine) == ALL
    run(engine)
    assert waiting(engine) == 0
    build(engine, tmp_path / "town.city.json", frozenset({"h0-0"}))
    told = waiting(engine)
    assert told == run(engine, partitions=4).computed["neighbours"] == 3 * HOUSES
    assert waiting(engine) == 0
    with engine.begin() as connection:
        connection.execute(schema.object_validity.update().values(algorithm="validity 0"))
    assert waiting(engine) == ALL
    with engine.begin() as connection:
        connection.execute(schema.object_validity.update().values(algorithm=versions()["validity"]))
        assert connection.execute(processing_job.update().values(state="running")).rowcount
    assert waiting(engine) == ALL


def test_an_import_forgets_what_was_computed_of_changed_buildings(engine: Engine, tmp_path: Path) -> None:
    run(engine)
    for raised in (frozenset({"h0-0"}), frozenset[str]()):
        build(engine, tmp_path / "town.city.json", raised)
    assert len(rows_of(engine, jobs.SIDE_TABLES["neighbours"])) == ALL - 1
    assert run(engine).computed["neighbours"] > 0
    [changed] = [row for row in rows_of(engine, schema.feature) if row["object_id"] == "h0-0"]
    assert changed["touching_neighbours"] == 1


def test_values_are_in_columns_and_in_the_text(engine: Engine) -> None:
    run(engine)
    for row in rows_of(engine, schema.feature):
        shown = json.loads(row["geojson"])["properties"]
        for name in (name for stage in LATER_STAGES.values() for name in stage.shown):
            assert shown[name] == row[name]
    middle = next(row for row in rows_of(engine, schema.feature) if row["object_id"] == "h0-1")
    # Heights of the row are 4, 5, 6: all of the left neighbour's wall, and the lower five metres of its own.
    assert middle["party_wall_area_m2"] == pytest.approx((4.0 + 5.0) * 10.0)
    assert (middle["touching_neighbours"], middle["nearest_distance_m"]) == (2, 0.0)
    assert (middle["valid"], middle["validity_codes"]) == (True, "")


def test_roof_faces_have_measures_and_outlines(engine: Engine) -> None:
    run(engine)
    faces = rows_of(engine, roof_face)
    assert len(faces) == ALL
    face = next(face for face in faces if face["object_id"] == "h0-0")
    assert (face["id"], face["building"], face["city"]) == ("town.h0-0.1", "town.h0-0", "helsinki")
    assert (face["slope_deg"], face["azimuth_deg"]) == (0.0, None)
    assert (face["area_m2"], face["plan_area_m2"]) == pytest.approx((80.0, 80.0))
    assert (face["height_min_m"], face["height_max_m"]) == pytest.approx((9.0, 9.0))
    document = json.loads(face["geojson"])
    assert document["geometry"]["type"] == "Polygon"
    assert document["properties"]["area_m2"] == face["area_m2"]


def test_an_explanation_adds_up_to_the_stored_values(engine: Engine, tmp_path: Path) -> None:
    run(engine)
    whole = pipeline.explain(engine, "town.h0-1").document
    areas = {kind: sum(f["area_m2"] for f in whole["faces"] if f["type"] == kind) for kind in whole["areas"]}
    assert areas["RoofSurface"] == pytest.approx(whole["values"]["roof_area_m2"])
    assert whole["volume"]["divergence_m3"] == pytest.approx(whole["values"]["volume_m3"])
    assert whole["volume"]["edges_without_partner"] == 0
    shared = [wall["area_m2"] for other in whole["neighbours"] for wall in other["shared_walls"]]
    assert sum(shared) == pytest.approx(whole["values"]["party_wall_area_m2"])
    assert len(whole["neighbours"]) == whole["values"]["neighbours_100m"]
    assert whole["validity"] == []
    assert [stage["outdated"] for stage in whole["stages"]] == [False] * 4
    json.dumps(whole)
    build(engine, tmp_path / "town.city.json", frozenset({"h0-0"}))
    lines = list(pipeline.explain(engine, "h0-1").lines())
    assert [line for line in lines if "OUT OF DATE" in line] == [
        f"  stage neighbours: {LATER_STAGES['neighbours'].algorithm}; OUT OF DATE: run twin process"
    ]


def test_an_explanation_of_nothing_is_refused(engine: Engine) -> None:
    with pytest.raises(NotFound, match="no building 'h9-9'"):
        pipeline.explain(engine, "h9-9")


def install_bomb(mark: str) -> None:
    """The next job of this worker dies after it has written and before it commits; only one ever."""
    finish = jobs.finish

    def dying(connection: Connection, key: jobs.JobKey, *counts: Any) -> None:
        if key.stage == "neighbours":
            with suppress(FileExistsError):
                Path(mark).touch(exist_ok=False)
                os.kill(os.getpid(), signal.SIGKILL)
        finish(connection, key, *counts)

    jobs.finish = dying


def test_a_cluster_that_loses_a_worker_gives_the_same_bytes(engine: Engine, tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    run(engine)
    alone = snapshot(engine)
    mark = tmp_path / "killed"
    with (
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):
        client.run(install_bomb, str(mark))
        run(engine, force=True, partitions=4, workers=Workers(scheduler=cluster.scheduler_address))
    assert mark.exists()
    assert snapshot(engine) == alone
    assert {row["state"] for row in rows_of(engine, processing_job)} == {"done"}
