"""`twin process` keeps the read model of parts as an import would write it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from tests.api import parts
from tests.api.parts import BUILDINGS, SHAPES
from tests.importers.stored import clean
from tests.importers.test_building_parts import deliver, stored
from twin.db import schema
from twin.db.engine import Database
from twin.processing.pipeline import process
from twin.processing.report import ProcessReport

WITH_PARTS = len(set(BUILDINGS.values()))


@pytest.fixture
def engine(database: Database, tmp_path: Path) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        deliver(engine, tmp_path)
        yield engine


def run(engine: Engine, *, force: bool = False) -> ProcessReport:
    [report] = process(engine, "block", force=force)
    return report


def content(engine: Engine) -> dict[str, Any]:
    """The rows of parts, but for since when they are known."""
    return {name: {**row, "recorded_from": None} for name, row in stored(engine).items()}


def test_parts_of_an_older_database_are_filled(engine: Engine) -> None:
    imported = content(engine)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM building_part"))
        # As migration 0016 leaves buildings with parts.
        for root in set(BUILDINGS.values()):
            connection.execute(
                text("UPDATE city_object SET measured_with = 0 WHERE object_id = :root"), {"root": root}
            )
    report = run(engine)
    # The building whose only part has no geometry is measured as well.
    assert report.computed["import"] == WITH_PARTS
    assert content(engine) == imported
    assert run(engine).rows_written == 0


def test_forcing_writes_what_differs_and_keeps_since_when_it_is_known(engine: Engine) -> None:
    # The first time meshes come in the order in which parts are read back.
    run(engine, force=True)
    before = stored(engine)
    assert run(engine, force=True).rows_written == 0
    with engine.begin() as connection:
        connection.execute(text("UPDATE building_part SET height_m = 1 WHERE object_id = 'wing'"))
    assert run(engine, force=True).rows_written == 1
    assert stored(engine) == before


def test_a_single_part_stands_where_its_building_does(engine: Engine) -> None:
    places = ("footprint", "west", "south", "east", "north", "z_min", "z_max", "quadkey")
    with engine.connect() as connection:
        villa = connection.execute(
            schema.feature.select().where(schema.feature.c.object_id == "villa")
        ).mappings().one()  # fmt: skip
    only = stored(engine)["only"]
    assert all(str(only[name]) == str(villa[name]) for name in places)
    assert (only["volume_m3"], only["roof_type"]) == (villa["volume_m3"], villa["roof_type"])


def test_parts_lie_within_their_building_and_add_up_to_it(engine: Engine) -> None:
    found = stored(engine)
    with engine.connect() as connection:
        court = connection.execute(
            schema.feature.select().where(schema.feature.c.object_id == "court")
        ).mappings().one()  # fmt: skip
    own = [found[name] for name, building in BUILDINGS.items() if building == "court"]
    canopy = SHAPES["canopy"].volume
    assert sum(row["volume_m3"] for row in own) + canopy == pytest.approx(court["volume_m3"])
    for side, outermost in (("west", min), ("south", min), ("z_min", min), ("east", max), ("z_max", max)):
        assert outermost(row[side] for row in own) == court[side]
    assert len({row["quadkey"] for row in own}) == len(own)


def test_a_part_has_heights_of_its_own(engine: Engine) -> None:
    found = stored(engine)
    for name, box in parts.SHAPES.items():
        if name in found:
            # The geoid is not level under it.
            assert found[name]["z_max"] - found[name]["z_min"] == pytest.approx(box.height, abs=0.002)
            assert 16.5 < found[name]["z_min"] - box.z < 19.5
