"""Only what is asked for is imported, nothing where a fault is not to be borne, and changes are listed."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from importers.grasp import ImportOptions
from importers.ingest import Ingest
from importers.report import SCHEMA, Report
from importers.selection import Selection
from tests.importers.stored import clean, counts, features
from tests.importers.test_ingest import document, written
from twin.db.diff import changes
from twin.db.engine import Database
from twin.errors import InputError, InvalidParameter, NotFound


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


def run(engine: Engine, path: Path, only: list[str] | None = None, **options: Any) -> Report:
    selection = Selection.parse(only or [], options.pop("lod", []))
    return Ingest(engine, ImportOptions(dataset="a", selection=selection, **options)).run(path)


def mixed(path: Path) -> Path:
    whole = document(3.0, 4.0, 5.0)
    whole["CityObjects"]["b"]["type"] = "Bridge"
    whole["CityObjects"]["c"]["geometry"][0]["lod"] = "1.2"
    return written(path, whole)


# The cubes stand 10 m apart along the easting; a metre is 1.8e-5 degrees here.
WEST = 24.941104


@pytest.mark.parametrize(
    ("only", "ids"),
    [
        (["type=Bridge"], ["b"]),
        (["type=Bridge", "type=Building"], ["a", "b", "c"]),
        (["id=a", "id=c"], ["a", "c"]),
        (["id=a", "type=Bridge"], []),
        ([f"bbox={WEST - 0.001},60,{WEST + 0.00012},61"], ["a"]),
        ([f"bbox={WEST + 0.0001},60,{WEST + 0.00024},61"], ["b"]),
        (["bbox=0,0,1,1"], []),
    ],
)
def test_what_is_asked_for(engine: Engine, tmp_path: Path, only: list[str], ids: list[str]) -> None:
    report = run(engine, mixed(tmp_path / "a.city.json"), only)
    assert [row["object_id"] for row in features(engine, "a")] == ids
    assert (report.read, report.left_out) == (len(ids), 3 - len(ids))


def test_a_level_of_detail(engine: Engine, tmp_path: Path) -> None:
    run(engine, mixed(tmp_path / "a.city.json"), lod=["1"])
    assert [row["lod"] for row in features(engine, "a")] == [None, None, "1.2"]


def test_another_selection_of_the_same_file_is_another_import(engine: Engine, tmp_path: Path) -> None:
    path = mixed(tmp_path / "a.city.json")
    run(engine, path, ["id=a"])
    report = run(engine, path)
    assert (report.added, report.unchanged) == (2, 1)


@pytest.mark.parametrize("only", ["Bridge", "type=", "name=x", "bbox=1,2,3", "bbox=3,0,1,1", "bbox=a,b,c,d"])
def test_what_cannot_be_meant(only: str) -> None:
    with pytest.raises(InvalidParameter, match="--only"):
        Selection.parse([only], [])
    with pytest.raises(InvalidParameter, match="--lod two"):
        Selection.parse([], ["two"])


def test_a_part_is_no_complete_delivery(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="--complete"):
        run(engine, mixed(tmp_path / "a.city.json"), ["id=a"], complete=True)


def test_fail_fast_imports_nothing_of_a_faulty_file(engine: Engine, tmp_path: Path) -> None:
    broken = document(3.0, 4.0)
    broken["CityObjects"]["b"]["geometry"][0]["boundaries"][0][0] = [[0, 1, 99_999]]
    path = written(tmp_path / "a.city.json", broken)
    before = counts(engine)
    with pytest.raises(InputError, match=r"a\.city\.json: CityObjects/b b: .*99999.*vertex-out-of-range"):
        run(engine, path, fail_fast=True)
    assert counts(engine) == before
    assert run(engine, path).added == 1


def test_changes_between_deliveries(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(3.0, 4.0, 5.0))
    run(engine, path)
    with engine.connect() as connection:
        first = connection.execute(text("SELECT max(finished_at) FROM import_run")).scalar_one()
        assert changes(connection, "a") == [("added", "a"), ("added", "b"), ("added", "c")]
        with pytest.raises(NotFound):
            changes(connection, "b")
    newer = document(3.0, 9.0, 5.0, 6.0)
    newer["CityObjects"]["c"]["attributes"] = {"name": "new"}
    del newer["CityObjects"]["a"]
    ingest = Ingest(engine, ImportOptions(dataset="a", complete=True))
    report = ingest.run(written(path, newer))
    assert ingest.end_absent() == {"a": 1}
    assert report.changes == {"added": ["d"], "geometry_changed": ["b"], "attributes_changed": ["c"]}
    with engine.connect() as connection:
        assert changes(connection, "a") == [("removed", "a")], "the last run is that which ended it"
        assert changes(connection, "a", first) == [
            ("added", "d"),
            ("attributes_changed", "c"),
            ("geometry_changed", "b"),
            ("removed", "a"),
        ]
        assert changes(connection, "a", first, first) == []


def test_the_schema_names_every_member_of_the_report() -> None:
    assert [name for name, _, _ in SCHEMA] == [field.name for field in fields(Report)]
