"""Versions on both axes: what stood in the world at a time, and what the database held at a time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Connection, select, text

from importers.ingest import ImportOptions, Ingest
from tests.importers.stored import clean
from tests.importers.test_ingest import document, written
from twin.db import schema
from twin.db.collections import FEATURES
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.errors import InvalidParameter, NotFound
from twin.export import write_features

Heights = dict[str, float]


class History:
    """One dataset; each delivery says the height of its buildings, and since when they have it."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.folder = folder

    def deliver(
        self, heights: Heights, since: str | None = None, until: str | None = None, *, complete: bool = False
    ) -> datetime:
        """Import a delivery; a moment just after it."""
        dates = {k: v for k, v in (("creationDate", since), ("terminationDate", until)) if v is not None}
        model = document(*heights.values(), **dates)
        model["CityObjects"] = dict(zip(heights, model["CityObjects"].values(), strict=True))
        ingest = Ingest(self.database.engine, ImportOptions(dataset="h", complete=complete))
        ingest.run(written(self.folder / "h.city.json", model))
        if complete:
            ingest.end_absent()
        with self.database.engine.connect() as connection:
            return connection.execute(text("SELECT clock_timestamp()")).scalar_one()

    def at(self, valid_at: str | datetime | None = None, as_of: datetime | None = None) -> Heights:
        """The heights of what an export holds."""
        moment = datetime.fromisoformat(f"{valid_at}T00:00:00Z") if isinstance(valid_at, str) else valid_at
        out = self.folder / "out.city.json"
        view = View(as_of=as_of, valid_at=moment)
        try:
            write_features(self.database, out, Selection(view, FEATURES, ("h",)), "cityjson")
        except NotFound:
            return {}
        whole: dict[str, Any] = orjson.loads(out.read_bytes())
        scale, base = whole["transform"]["scale"][2], whole["transform"]["translate"][2]
        found: Heights = {}
        for key, item in whole["CityObjects"].items():
            used = {i for face in item["geometry"][0]["boundaries"][0] for ring in face for i in ring}
            found[key] = round(max(whole["vertices"][i][2] for i in used) * scale + base, 3)
        return found

    def rows(self) -> list[dict[str, Any]]:
        """Superseded versions, the oldest first."""
        h = schema.city_object_history.c
        names = ("object_id", "valid_from", "valid_to", "recorded_from", "recorded_to", "valid_until")
        statement = select(*(h[name] for name in names)).order_by(h.recorded_to, h.object_id)
        with self.database.engine.connect() as connection:
            return [{str(k): v for k, v in row.items()} for row in connection.execute(statement).mappings()]


@pytest.fixture
def history(database: Database, tmp_path: Path) -> Iterator[History]:
    with clean(database.engine):
        yield History(database, tmp_path)


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_a_version_of_the_world_ends_where_its_successor_begins(history: History) -> None:
    """Built in 2000, raised in 2010."""
    first = history.deliver({"a": 3.0}, since="2000-01-01")
    second = history.deliver({"a": 9.0}, since="2010-01-01")
    (row,) = history.rows()
    assert (row["valid_from"], row["valid_to"], row["valid_until"]) == (
        day("2000-01-01"), None, day("2010-01-01"),
    )  # fmt: skip
    assert row["recorded_from"] < first < row["recorded_to"] < second
    assert history.at() == {"a": 9.0}
    assert [history.at(f"{year}-06-01") for year in (1999, 2000, 2009, 2010, 2020)] == [
        {}, {"a": 3.0}, {"a": 3.0}, {"a": 9.0}, {"a": 9.0},
    ]  # fmt: skip
    assert (history.at("2009-12-31"), history.at("2010-01-01")) == ({"a": 3.0}, {"a": 9.0})


def test_what_was_known_then_of_the_world_then(history: History) -> None:
    first = history.deliver({"a": 3.0}, since="2000-01-01")
    history.deliver({"a": 9.0}, since="2010-01-01")
    assert history.at(as_of=first) == {"a": 3.0}
    assert history.at("2020-01-01", as_of=first) == {"a": 3.0}, "the change of 2010 was not known"
    assert history.at("1999-01-01", as_of=first) == {}
    assert history.at("2005-01-01", as_of=first - timedelta(days=1)) == {}


def test_a_correction_leaves_no_trace_in_the_world(history: History) -> None:
    first = history.deliver({"a": 3.0}, since="2000-01-01")
    history.deliver({"a": 4.0}, since="2000-01-01")
    assert [row["valid_until"] for row in history.rows()] == [None]
    assert history.at("2005-01-01") == {"a": 4.0}
    assert history.at("2005-01-01", as_of=first) == {"a": 3.0}, "that is what was thought"


def test_a_correction_that_reaches_back_counts(history: History) -> None:
    """Raised in 2010, and later it turns out: it was in 2005."""
    history.deliver({"a": 3.0}, since="2000-01-01")
    second = history.deliver({"a": 9.0}, since="2010-01-01")
    history.deliver({"a": 9.5}, since="2005-01-01")
    assert [row["valid_until"] for row in history.rows()] == [day("2010-01-01"), None]
    assert [history.at(f"{year}-01-01") for year in (2004, 2007, 2011)] == [
        {"a": 3.0}, {"a": 9.5}, {"a": 9.5},
    ]  # fmt: skip
    assert history.at("2007-01-01", as_of=second) == {"a": 3.0}


def test_without_dates_nothing_is_said_of_the_world(history: History) -> None:
    first = history.deliver({"a": 3.0})
    history.deliver({"a": 9.0})
    assert [row["valid_until"] for row in history.rows()] == [None]
    assert history.at("1850-01-01") == {"a": 9.0}
    assert history.at("1850-01-01", as_of=first) == {"a": 3.0}


def test_what_a_complete_delivery_lacks_ends_by_then(history: History) -> None:
    before = history.deliver({"a": 3.0, "b": 4.0}, since="2000-01-01")
    after = history.deliver({"a": 3.0}, since="2000-01-01", complete=True)
    (row,) = history.rows()
    assert (row["object_id"], row["valid_to"]) == ("b", None)
    assert row["valid_until"] == row["recorded_to"]
    assert before < row["recorded_to"] < after
    assert history.at() == {"a": 3.0}
    assert history.at(before) == {"a": 3.0, "b": 4.0}
    assert history.at(after) == {"a": 3.0}
    assert history.at("2020-01-01") == {"a": 3.0, "b": 4.0}
    assert history.at(after, as_of=before) == {"a": 3.0, "b": 4.0}, "nobody knew"


def test_what_was_torn_down_stands_no_more(history: History) -> None:
    """The source says so itself; the object stays in the database."""
    history.deliver({"a": 3.0, "b": 4.0}, since="2000-01-01", until="2015-01-01")
    assert history.at() == {"a": 3.0, "b": 4.0}
    assert history.at("2014-12-31") == {"a": 3.0, "b": 4.0}
    assert history.at("2015-01-01") == {}
    history.deliver({"a": 3.0}, since="2000-01-01", until="2015-01-01", complete=True)
    assert [row["valid_until"] for row in history.rows()] == [day("2015-01-01")]
    assert history.at("2014-12-31") == {"a": 3.0, "b": 4.0}


def test_a_gap_stays_a_gap(history: History) -> None:
    """Torn down in 2005, something new on the plot in 2010."""
    history.deliver({"a": 3.0}, since="2000-01-01", until="2005-01-01")
    history.deliver({"a": 9.0}, since="2010-01-01")
    assert [history.at(f"{year}-01-01") for year in (2004, 2007, 2011)] == [{"a": 3.0}, {}, {"a": 9.0}]


def test_versions_of_several_imports_stay_in_the_order_of_their_ids(history: History) -> None:
    history.deliver({"a": 3.0, "b": 4.0, "c": 5.0}, since="2000-01-01")
    history.deliver({"a": 3.0, "b": 8.0, "c": 5.0, "d": 6.0}, since="2010-01-01")
    assert list(history.at("2005-01-01").items()) == [("a", 3.0), ("b", 4.0), ("c", 5.0)]
    assert list(history.at("2015-01-01").items()) == [("a", 3.0), ("b", 8.0), ("c", 5.0), ("d", 6.0)]


def test_the_world_of_citygml_3_goes_before_its_database(history: History) -> None:
    model = document(3.0, creationDate="2020-01-01", validFrom="2001-05-06", validTo="not known")
    Ingest(history.database.engine, ImportOptions(dataset="h")).run(written(history.folder / "m.json", model))
    o = schema.city_object.c
    with history.database.engine.connect() as connection:
        found = connection.execute(select(o.valid_from, o.valid_to)).one()
    assert tuple(found) == (day("2001-05-06"), None)


def test_filters_are_of_the_database(connection: Connection) -> None:
    del connection
    with pytest.raises(InvalidParameter, match="leave filters out"):
        FEATURES.queryables(View(valid_at=day("2000-01-01")))
