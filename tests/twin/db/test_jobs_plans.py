"""How the database finds what the workers of `twin process` read."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from tests.importers.stored import clean
from tests.twin.processing.terraces import build
from twin.db import jobs
from twin.db.engine import Database
from twin.db.load import Row, stored_specs

Query = Callable[[Connection, int, Sequence[str]], Sequence[Row]]


def lods(connection: Connection, dataset_id: int, ids: Sequence[str]) -> Sequence[Row]:
    return jobs.geometries_of(connection, dataset_id, dict.fromkeys(ids, "2"))


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """A node of a plan and all below it."""
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes(below)


@pytest.fixture
def town(database: Database, tmp_path: Path) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        build(engine, tmp_path / "town.city.json")
        yield engine


@pytest.mark.parametrize("query", [jobs.whole_objects, jobs.whole_geometries, jobs.objects_of, lods])
def test_rows_are_found_by_index(town: Engine, monkeypatch: pytest.MonkeyPatch, query: Query) -> None:
    """Of partitions, which have statistics, and by the dataset, with which their indexes begin."""
    real = jobs.fetch

    def explained(connection: Connection, sql: str, values: Mapping[str, Any]) -> list[Row]:
        return real(connection, f"EXPLAIN (FORMAT JSON) {sql}", values)

    with town.connect() as connection:
        [(dataset_id, _)] = stored_specs(connection)
        # As for a table too large to be read: this one is not.
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_bitmapscan = off"))
        monkeypatch.setattr(jobs, "fetch", explained)
        [row] = query(connection, dataset_id, ["one", "two"])
    scans = [node for node in nodes(row["QUERY PLAN"][0]["Plan"]) if "Relation Name" in node]
    assert scans
    for scan in scans:
        assert scan["Relation Name"].endswith(f"_{dataset_id}")
        assert "dataset_id" in scan["Index Cond"]
