"""Random trees never make SQL of anything but placeholders and declared identifiers."""

import orjson
import pytest

from tests.twin.db.filter_sql import DIALECT, holds_no_text
from tests.twin.db.random_filters import RandomFilters
from twin.db.filters import compile_filter, parse
from twin.db.query import Condition, View
from twin.db.queryables import Queryable, Queryables, feature_queryables
from twin.errors import InvalidFilter

FEATURES = feature_queryables(View())
_LISTED = Queryables([*FEATURES, Queryable("tags", "list", FEATURES.get("id").column)])
NAMES = {
    "text": ["city", "current_use", "street", "no_such_property", "id"],
    "number": ["height_m", "surfaces", "year_of_construction"],
    "boolean": ["closed", "synthetic"],
    "space": ["geometry"],
    "lists": ["tags"],
}


def compiled(seed: int, number: int) -> list[Condition]:
    """The conditions of the trees that are not refused; each is checked."""
    filters = RandomFilters(seed, NAMES)
    found: list[Condition] = []
    for _ in range(number):
        document = orjson.dumps(filters.tree())
        try:
            found.append(compile_filter(parse(document.decode(), "cql2-json"), _LISTED))
        except InvalidFilter:
            continue
        assert holds_no_text(found[-1]), (document, str(found[-1].clause.compile(dialect=DIALECT)))
    return found


def test_a_few_random_trees() -> None:
    assert len(compiled(1, 1_000)) > 200


def test_same_key_means_same_sql() -> None:
    texts: dict[object, str] = {}
    for condition in compiled(2, 1_000):
        text = str(condition.clause.compile(dialect=DIALECT))
        assert texts.setdefault(condition.key, text) == text


@pytest.mark.slow
def test_twenty_thousand_random_trees() -> None:
    assert len(compiled(3, 20_000)) > 4_000
