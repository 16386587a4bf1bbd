"""The read model of parts through deliveries: as often as there are parts, with their history, or gone."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from importers.ingest import ImportOptions, Ingest
from importers.report import Report
from tests.api import parts
from tests.api.parts import BUILDINGS, PARENTS, ROOTS, SHAPES, Json
from tests.importers.stored import clean, counts
from twin.db import admin
from twin.db.collections import BUILDING_PARTS
from twin.db.content_hash import database_hash
from twin.db.engine import Database
from twin.db.feature_query import items
from twin.db.part_tables import building_part, building_part_history
from twin.db.query import Selection, View

OF_THE_COURT = [name for name, building in BUILDINGS.items() if building == "court"]


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


def deliver(engine: Engine, folder: Path, content: Json | None = None, **options: Any) -> Report:
    """Import the block, or a model of it, as a dataset of its own."""
    ingest = Ingest(engine, ImportOptions(dataset="block", **options))
    report = ingest.run(parts.written(folder / "block.city.json", content or parts.model()))
    if options.get("complete"):
        ingest.end_absent()
    return report


def without(content: Json, *names: str) -> Json:
    """A model without some of its objects."""
    content["CityObjects"] = {k: v for k, v in content["CityObjects"].items() if k not in names}
    for item in content["CityObjects"].values():
        if "children" in item:
            item["children"] = [child for child in item["children"] if child not in names]
    return content


def stored(engine: Engine, table: Any = building_part) -> dict[str, dict[str, Any]]:
    """The rows of parts by the ids of their objects."""
    with engine.connect() as connection:
        rows = connection.execute(select(table)).mappings()
        return {row["object_id"]: {str(k): v for k, v in row.items()} for row in rows}


def moment(engine: Engine) -> datetime:
    with engine.connect() as connection:
        return connection.execute(text("SELECT clock_timestamp()")).scalar_one()


def test_there_is_a_row_for_each_part_and_none_more_for_a_building(engine: Engine, tmp_path: Path) -> None:
    report = deliver(engine, tmp_path)
    found = counts(engine)
    assert (found["building_part"], found["feature"]) == (len(PARENTS), len(ROOTS))
    assert report.read == len(ROOTS)
    with engine.connect() as connection:
        assert admin.datasets(connection)[0]["features"] == len(ROOTS)
        drawn = connection.execute(text("SELECT sum(objects) FROM cell_summary")).scalar_one()
    assert drawn == len(ROOTS)


def test_the_same_again_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    deliver(engine, tmp_path)
    before, hashed = stored(engine), _hash(engine)
    # Another attribute of a building without parts, so that the file has to be read.
    deliver(engine, tmp_path, parts.model(plain={"colour": "red"}))
    assert stored(engine) == before
    assert not stored(engine, building_part_history)
    assert _hash(engine) != hashed


def _hash(engine: Engine) -> str:
    with engine.connect() as connection:
        return database_hash(connection)


def test_the_hash_of_a_database_covers_parts(engine: Engine, tmp_path: Path) -> None:
    deliver(engine, tmp_path)
    before = _hash(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE building_part SET height_m = 1 WHERE object_id = 'wing'"))
    assert _hash(engine) != before


def test_another_version_of_a_building_is_one_of_its_parts(engine: Engine, tmp_path: Path) -> None:
    deliver(engine, tmp_path)
    before, then = stored(engine), moment(engine)
    higher = {**SHAPES, "wing": SHAPES["wing"]._replace(height=8)}
    deliver(engine, tmp_path, parts.model(higher))
    now, past = stored(engine), stored(engine, building_part_history)
    assert set(now) == set(before)
    assert (now["wing"]["height_m"], past["wing"]["height_m"]) == (8.0, 6.0)
    assert sorted(past) == sorted(OF_THE_COURT)
    assert {name: past[name]["geojson"] for name in past} == {name: before[name]["geojson"] for name in past}
    assert [name for name in now if now[name] == before[name]] == ["only", "shed"]
    assert (heights(engine, then)["wing"], heights(engine, None)["wing"]) == (6.0, 8.0)
    assert set(heights(engine, then)) == set(PARENTS)


def heights(engine: Engine, as_of: datetime | None) -> dict[str, float | None]:
    """The heights of parts as the collection shows them at a time."""
    asked = items(Selection(View(as_of=as_of), BUILDING_PARTS), None, columns=("id", "object_id", "height_m"))
    with engine.connect() as connection:
        rows = connection.execute(asked.clause, dict(asked.values)).all()
    return {row.object_id: row.height_m for row in rows}


def test_a_part_that_a_building_lost_is_gone(engine: Engine, tmp_path: Path) -> None:
    deliver(engine, tmp_path)
    deliver(engine, tmp_path, without(parts.model(), "tower"))
    assert set(stored(engine)) == set(PARENTS) - {"tower"}
    assert set(stored(engine, building_part_history)) == set(OF_THE_COURT)


def test_parts_end_with_their_building(engine: Engine, tmp_path: Path) -> None:
    deliver(engine, tmp_path)
    deliver(engine, tmp_path, without(parts.model(), "court", "canopy", *OF_THE_COURT), complete=True)
    assert set(stored(engine)) == {"only", "shed"}
    assert set(stored(engine, building_part_history)) == set(OF_THE_COURT)


def test_parts_are_removed_with_their_dataset(engine: Engine, tmp_path: Path) -> None:
    deliver(engine, tmp_path)
    deliver(engine, tmp_path, parts.model(wing={"colour": "red"}))
    with engine.begin() as connection:
        assert admin.remove(connection, "block") == len(ROOTS)
    assert (counts(engine)["building_part"], counts(engine)["building_part_history"]) == (0, 0)


def test_parts_without_a_place_are_known_by_their_measures(engine: Engine, tmp_path: Path) -> None:
    content = parts.model()
    del content["metadata"]
    deliver(engine, tmp_path, content, allow_unplaced=True, city="helsinki")
    wing = stored(engine)["wing"]
    assert (wing["height_m"], wing["volume_m3"]) == (6.0, pytest.approx(1200))
    assert (wing["placement"], wing["footprint"], wing["west"], wing["quadkey"]) == (
        "unplaced", None, None, None,
    )  # fmt: skip
