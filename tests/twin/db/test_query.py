"""Views and selections: what of the stored features a read shows."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, func, insert, select, update

from tests.api.seeding import RECORDED, dataset_row, row_of, seeded
from twin.db.collections import BUILDINGS, FEATURES, collection_named
from twin.db.feature_query import item, item_count, items
from twin.db.filters import compile_filter, parse
from twin.db.places import geometry_of
from twin.db.query import Condition, Selection, Statement, View, intersects
from twin.db.schema import dataset, feature, feature_history
from twin.db.shapes import box, solid_box
from twin.errors import NotFound

TOWN = ("seed_harbour",)
LATER = RECORDED + timedelta(days=10)

Fill = Callable[[Connection], int]


def run(connection: Connection, statement: Statement) -> list[Any]:
    return list(connection.execute(statement.clause, dict(statement.values)))


@pytest.fixture
def dataset_id(connection: Connection) -> int:
    """A primary dataset of four buildings, written by the test's own transaction."""
    new = insert(dataset).values(dataset_row("seed_harbour")).returning(dataset.c.id)
    found: int = connection.execute(new).scalar_one()
    for one in seeded("seed_harbour", 4):
        connection.execute(insert(feature).values(row_of(one, found)))
    return found


def supersede(connection: Connection, id: str, **changes: Any) -> None:
    """As an import does: the row goes to the history, and its successor is recorded from then on."""
    stored = [column for column in feature.columns if column.computed is None]
    row = connection.execute(select(*stored).where(feature.c.id == id)).mappings().one()
    connection.execute(insert(feature_history).values({**row, "recorded_to": LATER}))
    connection.execute(delete(feature).where(feature.c.id == id))
    if changes:
        connection.execute(insert(feature).values({**row, **changes, "recorded_from": LATER}))


def ids(connection: Connection, selection: Selection) -> list[str]:
    return [row.id for row in run(connection, items(selection, 100))]


@pytest.mark.usefixtures("dataset_id")
def test_the_past_shows_what_was_recorded_then(connection: Connection) -> None:
    supersede(connection, "seed_harbour.b001", height_m=99.0, geojson="{}")
    supersede(connection, "seed_harbour.b002")
    before = datetime(2025, 12, 31, tzinfo=UTC)
    moments = {None: 3, LATER: 3, LATER - timedelta(seconds=1): 4, RECORDED: 4, before: 0}
    for moment, number in moments.items():
        selection = Selection(View(as_of=moment), BUILDINGS, TOWN)
        assert len(ids(connection, selection)) == number
        assert run(connection, item_count(selection))[0][0] == number


@pytest.mark.usefixtures("dataset_id")
def test_the_past_is_filtered_by_its_own_values(connection: Connection) -> None:
    supersede(connection, "seed_harbour.b001", height_m=99.0)
    now, then = View(), View(as_of=RECORDED)

    def tall(view: View) -> list[str]:
        condition = compile_filter(parse("height_m = 99"), BUILDINGS.queryables(view))
        return ids(connection, Selection(view, BUILDINGS, TOWN, (condition,)))

    assert tall(now) == ["seed_harbour.b001"]
    assert tall(then) == []


@pytest.mark.usefixtures("dataset_id")
def test_one_item_of_the_past(connection: Connection) -> None:
    supersede(connection, "seed_harbour.b001")
    assert run(connection, item(View(), BUILDINGS, "seed_harbour.b001")) == []
    (row,) = run(connection, item(View(as_of=RECORDED), BUILDINGS, "seed_harbour.b001"))
    assert row.object_id == "b001"


def test_primary_datasets_unless_others_are_named(connection: Connection, dataset_id: int) -> None:
    assert dataset_id
    row = dataset_row("seed_harbour_lod1", "alternative")
    other = connection.execute(insert(dataset).values(row).returning(dataset.c.id)).scalar_one()
    (one,) = seeded("seed_harbour_lod1", 1)
    connection.execute(insert(feature).values(row_of(one, other)))
    view = View()
    here = compile_filter(parse("city = 'harbour'"), BUILDINGS.queryables(view))
    assert one.id not in ids(connection, Selection(view, BUILDINGS, (), (here,)))
    assert ids(connection, Selection(view, BUILDINGS, ("seed_harbour_lod1",))) == [one.id]
    assert len(run(connection, item(view, BUILDINGS, one.id))) == 1


@pytest.mark.usefixtures("dataset_id")
def test_a_box_with_heights_asks_for_both(connection: Connection) -> None:
    everywhere = box(24, 60, 25, 61)

    def found(condition: Condition) -> int:
        return len(ids(connection, Selection(View(), BUILDINGS, TOWN, (condition,))))

    footprint = BUILDINGS.queryables(View()).get("geometry")
    assert found(intersects(footprint, everywhere)) == 4
    # The buildings stand on 0, 1, 2 and 3 metres and are 10 metres high.
    high, low = (solid_box(24, 60, bottom, 25, 61, top) for bottom, top in ((12.5, 20.0), (-5.0, 1.0)))
    assert found(intersects(footprint, high)) == 1
    assert found(intersects(footprint, low)) == 2


@pytest.mark.usefixtures("dataset_id")
def test_a_box_beside_a_footprint_but_within_its_bounds_meets_nothing(connection: Connection) -> None:
    triangle = func.ST_Multi(func.ST_GeomFromText("POLYGON((10 20, 12 20, 10 22, 10 20))", 4326))
    connection.execute(
        update(feature)
        .values(footprint=triangle, west=10, south=20, east=12, north=22)
        .where(feature.c.id == "seed_harbour.b001")
    )
    footprint = BUILDINGS.queryables(View()).get("geometry")

    def found(*corners: float) -> list[str]:
        condition = intersects(footprint, box(*corners))
        assert "rectangle" in str(condition.key)
        return ids(connection, Selection(View(), BUILDINGS, TOWN, (condition,)))

    whole, around, beside, across = (9, 19, 13, 23), (10, 20, 12, 22), (11.5, 21.5, 12, 22), (11, 19, 12, 23)
    assert found(*whole) == found(*around) == found(*across) == ["seed_harbour.b001"]
    assert found(*beside) == []


@pytest.mark.usefixtures("dataset_id")
def test_another_collection_type_is_not_shown(connection: Connection) -> None:
    connection.execute(feature.update().where(feature.c.object_id == "b000").values(type="Bridge"))
    assert len(ids(connection, Selection(View(), BUILDINGS, TOWN))) == 3
    assert len(ids(connection, Selection(View(), FEATURES, TOWN))) == 4


@pytest.mark.usefixtures("dataset_id")
def test_a_view_of_some_cities_shows_nothing_of_others(connection: Connection) -> None:
    supersede(connection, "seed_harbour.b001")
    for moment, number in ((None, 3), (RECORDED, 4)):
        for cities, shown in ((None, number), ({"harbour", "hill"}, number), ({"hill"}, 0), (set[str](), 0)):
            view = View(as_of=moment, cities=None if cities is None else frozenset(cities))
            for collection in (BUILDINGS, FEATURES):
                selection = Selection(view, collection, TOWN)
                assert len(ids(connection, selection)) == shown
                assert run(connection, item_count(selection))[0][0] == shown
                assert len(run(connection, item(view, collection, "seed_harbour.b000"))) == min(shown, 1)
                assert len(run(connection, geometry_of(view, collection, "seed_harbour.b000"))) == min(
                    shown, 1
                )


def test_an_unknown_scenario_or_collection_is_not_found() -> None:
    with pytest.raises(NotFound, match="scenario 'flood'"):
        items(Selection(View(scenario="flood"), BUILDINGS), 1)
    with pytest.raises(NotFound, match="Known: buildings"):
        collection_named("castles")


def test_digests_tell_selections_apart() -> None:
    view = View()
    low, high = (
        compile_filter(parse(text), BUILDINGS.queryables(view)) for text in ("height_m > 1", "height_m > 2")
    )
    selections = [
        Selection(view, FEATURES),
        Selection(view, BUILDINGS),
        Selection(view, BUILDINGS, ("a",)),
        Selection(view, BUILDINGS, ("b",)),
        Selection(view, BUILDINGS, (), (low,)),
        Selection(view, BUILDINGS, (), (high,)),
        Selection(View(as_of=RECORDED), BUILDINGS),
        Selection(View(as_of=LATER), BUILDINGS),
        Selection(View(cities=frozenset({"harbour"})), BUILDINGS),
        Selection(View(cities=frozenset({"hill"})), BUILDINGS),
    ]
    assert len({selection.digest() for selection in selections}) == len(selections)
    assert Selection(view, BUILDINGS, (), (low,)).digest() == selections[4].digest()
