"""Counts of cells that are kept equal those that are counted anew, whatever was written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, delete, func, select, true, update

from importers.ingest import ImportOptions, Ingest
from importers.synthetic import synthesise
from tests.importers.stored import clean
from twin.db import admin
from twin.db.cell_query import cell_counts
from twin.db.cell_tables import cell_change, cell_summary
from twin.db.collections import BUILDINGS, SURROUNDINGS
from twin.db.engine import Database
from twin.db.query import Collection, Condition, Selection, View
from twin.db.refresher import Refresher
from twin.db.schema import feature
from twin.db.snapshot import snapshot
from twin.model.cells import SUMMARY_LEVEL, Cell
from twin.processing.pipeline import process

WORLD = Cell(0, 0, 0)


@pytest.fixture(scope="module")
def engine(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    folder = tmp_path_factory.mktemp("cells")
    with clean(database.engine) as engine:
        for number, city in enumerate(("helsinki", "tallinn")):
            synthesise(folder / f"{city}.city.jsonl", city=city, buildings=30, seed=number)
            Ingest(engine).run(folder / f"{city}.city.jsonl")
        yield engine


def counts(engine: Engine, collection: Collection, cell: Cell, level: int, *, anew: bool) -> list[Any]:
    everything = Condition(true(), "all")
    selection = Selection(View(), collection, conditions=(everything,) if anew else ())
    with snapshot(engine) as state:
        rows = state(cell_counts(selection, cell, level))
    return sorted(tuple(float(value) for value in row.values()) for row in rows)


def assert_right(engine: Engine) -> None:
    for collection in (BUILDINGS, SURROUNDINGS):
        for cell, level in ((WORLD, 10), (WORLD, SUMMARY_LEVEL), (Cell(5, 18, 9), 13)):
            kept = counts(engine, collection, cell, level, anew=False)
            anew = counts(engine, collection, cell, level, anew=True)
            assert len(kept) == len(anew)
            np.testing.assert_allclose(np.array(kept), np.array(anew), rtol=1e-12)


def changed_cells(connection: Connection) -> list[Any]:
    """Dataset, cell and transaction of each change of the dataset that came last, once."""
    c, last = cell_change.c, select(func.max(cell_change.c.dataset_id)).scalar_subquery()
    changes = select(c.dataset_id, c.cell, c.changed_in).where(c.dataset_id == last)
    return list(connection.execute(changes.distinct()))


def test_what_is_kept_is_what_is_counted(engine: Engine) -> None:
    assert len(counts(engine, BUILDINGS, WORLD, 10, anew=False)) > 4
    assert_right(engine)


def test_processing_and_changes_keep_it_right(engine: Engine) -> None:
    process(engine, force=True)
    assert_right(engine)
    with engine.begin() as connection:
        d, some = connection.execute(select(feature.c.dataset_id, feature.c.object_id).limit(1)).one()
        refresher = Refresher(connection, d)
        own = (feature.c.dataset_id == d) & (feature.c.object_id == some)
        # To another cell, and much larger.
        moved = {"quadkey": feature.c.quadkey + (1 << 20), "z_max": feature.c.z_max + 300}
        connection.execute(update(feature).where(own).values(moved))
        refresher.revise()
    assert_right(engine)
    assert max(row[-2] for row in counts(engine, BUILDINGS, WORLD, 0, anew=False)) > 300


def test_a_cell_whose_last_object_goes_counts_nothing(engine: Engine) -> None:
    with engine.begin() as connection:
        d = connection.execute(select(feature.c.dataset_id).limit(1)).scalar_one()
        refresher = Refresher(connection, d)
        connection.execute(delete(feature).where(feature.c.dataset_id == d))
        refresher.revise()
        left = select(cell_summary).where(cell_summary.c.dataset_id == d)
        assert connection.execute(left).all() == []
        connection.rollback()


def test_of_each_cell_the_last_change_alone_is_written_down(engine: Engine, tmp_path: Path) -> None:
    seen: set[int] = set()
    for round in range(3):
        synthesise(tmp_path / "again.city.jsonl", city="tallinn", buildings=20, seed=round)
        Ingest(engine, ImportOptions(dataset="again", complete=True)).run(tmp_path / "again.city.jsonl")
        with engine.begin() as connection:
            found = changed_cells(connection)
        assert len({(d, cell) for d, cell, _ in found}) == len(found) > 0
        assert max(transaction for _, _, transaction in found) not in seen
        seen |= {transaction for _, _, transaction in found}
    with engine.begin() as connection:
        [gone] = {dataset for dataset, *_ in changed_cells(connection)}
        # What follows the data sees by the list of datasets that this one is gone.
        admin.remove(connection, "again")
        assert gone not in {dataset for dataset, *_ in changed_cells(connection)}
    assert_right(engine)


def test_what_is_rolled_back_changed_nothing(engine: Engine) -> None:
    count = select(func.count()).select_from(cell_change)
    with engine.connect() as connection:
        before = connection.execute(count).scalar_one()
        connection.execute(update(feature).values(z_max=feature.c.z_max + 1))
        assert connection.execute(count).scalar_one() > before
        connection.rollback()
        assert connection.execute(count).scalar_one() == before
