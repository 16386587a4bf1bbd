"""Random trees never make SQL of anything but placeholders and declared identifiers."""

import orjson
import pytest

from tests.twin.db.filter_sql import DIALECT, holds_no_text
from tests.twin.db.random_filters import RandomFilters
from twin.db.collections import BUILDING_PARTS, BUILDINGS, ROOF_SURFACES
from twin.db.filters import compile_filter, parse
from twin.db.query import Condition, View
from twin.db.queryables import Queryable, Queryables
from twin.errors import InvalidFilter

_BUILDINGS = BUILDINGS.queryables(View())
_LISTED = Queryables([*_BUILDINGS, Queryable("tags", "list", _BUILDINGS.get("id").column)])
OF_BUILDINGS = {
    "text": ["city", "current_use", "street", "no_such_property", "id"],
    "number": ["height_m", "surfaces", "year_of_construction"],
    "boolean": ["closed", "synthetic"],
    "space": ["geometry"],
    "lists": ["tags"],
}
OF_ROOF_SURFACES = {
    "text": ["city", "dataset", "building", "object_id", "height_m", "id"],
    "number": ["slope_deg", "azimuth_deg", "area_m2", "face"],
    "boolean": ["synthetic"],
    "space": ["geometry"],
}
OF_BUILDING_PARTS = {
    "text": ["city", "dataset", "building", "parent", "roof_type", "current_use", "id"],
    "number": ["height_m", "volume_m3", "year_of_construction", "surfaces"],
    "boolean": ["synthetic", "closed"],
    "space": ["geometry"],
}
Asked = tuple[Queryables, dict[str, list[str]]]
ASKED: dict[str, Asked] = {
    "buildings": (_LISTED, OF_BUILDINGS),
    "buildingparts": (BUILDING_PARTS.queryables(View()), OF_BUILDING_PARTS),
    "roofsurfaces": (ROOF_SURFACES.queryables(View()), OF_ROOF_SURFACES),
}
BOTH = pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED.keys())


def compiled(asked: Asked, seed: int, number: int) -> list[Condition]:
    """The conditions of the trees that are not refused; each is checked."""
    queryables, names = asked
    filters = RandomFilters(seed, names)
    found: list[Condition] = []
    for _ in range(number):
        document = orjson.dumps(filters.tree())
        try:
            found.append(compile_filter(parse(document.decode(), "cql2-json"), queryables))
        except InvalidFilter:
            continue
        assert holds_no_text(found[-1]), (document, str(found[-1].clause.compile(dialect=DIALECT)))
    return found


@BOTH
def test_a_few_random_trees(asked: Asked) -> None:
    assert len(compiled(asked, 1, 1_000)) > 200


@BOTH
def test_same_key_means_same_sql(asked: Asked) -> None:
    texts: dict[object, str] = {}
    for condition in compiled(asked, 2, 1_000):
        text = str(condition.clause.compile(dialect=DIALECT))
        assert texts.setdefault(condition.key, text) == text


@pytest.mark.slow
@BOTH
def test_twenty_thousand_random_trees(asked: Asked) -> None:
    assert len(compiled(asked, 3, 20_000)) > 4_000
