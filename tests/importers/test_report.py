"""The report of an import: what a person reads, and the JSON that its documentation promises."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from importers.ingest import ImportOptions, Ingest
from importers.port import Refused
from importers.report import SCHEMA, Report, summary
from tests.importers.stored import clean
from tests.importers.test_ingest import document, written
from twin.db.engine import Database

TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}
REFUSED = {"code", "object_id", "place", "reason", "suggestion"}


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


def conforms(whole: dict[str, Any]) -> bool:
    """Whether a report has the members of its documentation, of these types, and no others."""
    assert list(whole) == [name for name, _, _ in SCHEMA]
    for name, type_, _ in SCHEMA:
        assert isinstance(whole[name], TYPES[type_]), name
        assert type_ == "boolean" or not isinstance(whole[name], bool), name
    for entry in (*whole["refused"], *whole["problems"]):
        assert entry.keys() == REFUSED
        assert all(isinstance(v, str) for k, v in entry.items() if k != "object_id")
    for counts in (whole["unknown_codes"], whole["not_stored"]):
        assert all(isinstance(number, int) for number in counts.values())
    return all(isinstance(ids, list) for ids in whole["changes"].values())


def test_reports_are_as_documented(engine: Engine, tmp_path: Path) -> None:
    """The first import, one that changes and refuses, the same again, and a dry run."""
    broken = document(3.0, 9.0, 5.0)
    broken["CityObjects"]["c"]["geometry"][0]["boundaries"][0][0] = [[0, 1, 99_999]]
    path = tmp_path / "a.city.json"
    reports: list[Report] = []
    for content in (document(3.0, 4.0), broken, broken):
        reports.append(Ingest(engine, ImportOptions()).run(written(path, content)))
    reports.append(Ingest(engine, ImportOptions(dry_run=True, dataset="b")).run(path))
    for report in reports:
        assert conforms(json.loads(json.dumps(report.as_dict())))
    assert reports[1].as_dict()["changes"] == {"geometry_changed": ["b"]}
    assert [entry.object_id for entry in reports[1].refused] == ["c"]
    assert [entry.object_id for entry in reports[2].refused] == ["c"], "told again"


def said(**values: Any) -> list[str]:
    known: dict[str, Any] = {
        "source": "a.gml", "format": "CityGML 2.0", "dataset": "d", "city": "c",
        "reference_system": "EPSG:3879", "axis_reason": "only easting first fits",
        "placement": "exact", "heights": {"method": "table"}, "seconds": 2.0,
    }  # fmt: skip
    return list(Report(**known | values).lines())


def test_what_a_person_reads() -> None:
    entry = Refused("duplicate-id", "x", "line 7", "the id 'x' occurs twice", "the first one was kept")
    assert said(
        read=4, added=1, unchanged=3, rows_written=8, left_out=2, resumed_after=5, refused=[entry],
        unknown_codes=Counter({"use 999": 2}),
        not_stored=Counter({"ADE http://x": 3, "geometry Cloud": 1, "dynamizer as attributes": 2}),
    ) == [
        "a.gml: CityGML 2.0, dataset d, city c",
        "  reference system EPSG:3879; only easting first fits",
        "  placement exact: table",
        "  4 features read: 1 new, 3 unchanged",
        "  5 features were stored by an import that was interrupted",
        "  2 left out, because they were not asked for",
        "  8 rows written in 2.0 s (2 features/s)",
        "  unknown codes: use 999 (2)",
        "  not stored: geometry Cloud (1)",
        "  stored in another form: ADE http://x (3), dynamizer as attributes (2)",
        "  refused: 1",
        "    line 7 x: the id 'x' occurs twice [duplicate-id]. the first one was kept",
    ]  # fmt: skip


def test_only_what_there_is_to_say() -> None:
    lines = said(
        reference_system="no reference system", axis_reason="none is stated", read=1, dry_run=True,
        placement="unplaced", heights={"method": None, "note": "no grid covers it"},
    )  # fmt: skip
    assert lines[1:] == [
        "  none is stated",
        "  placement unplaced: no grid covers it",
        "  1 feature read",
        "  0 rows would be written in 2.0 s (0 features/s)",
    ]


def test_many_refusals_are_cut_short() -> None:
    entries = [Refused("code", None, f"line {number}", "bad", "mend it") for number in range(25)]
    lines = said(problems=entries)
    assert lines[-1] == "    … and 5 more; the JSON report (--report FILE) has them all"
    assert lines[-2].startswith("    line 19 (no id): bad [code]")


def test_all_files_in_one_line() -> None:
    refused = [Refused("code", None, "line 1", "bad", "mend it")]
    reports = [Report("a", "f", read=1, rows_written=4), Report("b", "f", refused=refused)]
    assert summary(reports, ["c: no"]) == (
        "3 files: 2 imported, 1 failed; 1 feature read, 1 refused, 4 rows written"
    )
    assert summary([Report("a", "f", dry_run=True)] * 2, []) == (
        "2 files: 2 imported; 0 features read, 0 refused, 0 rows would be written"
    )
