"""Filters over HTTP give what a plain evaluation in Python gives, missing values included."""

import operator
import re
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.client import Client
from tests.api.seeding import PRIMARY, Seeded, overlaps

Truth = bool | None
Box = tuple[float, float, float, float]
Filter = tuple[str, Any, Callable[[dict[str, Any]], Truth]]
"""The text, the CQL2 JSON, and the value for the properties of a feature: None is unknown."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq, "<>": operator.ne, "<": operator.lt,
    "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_NUMBERS = st.sampled_from([3, 6, 7, 9.5, 10.5, 20, 20.25, 48, 1900, 1950, 2020, -1])
_TEXTS = st.sampled_from(["office", "trade", "brick", "Brick", "puu", "100%_ö", "it's", "", "õ"])
_NUMERIC = st.sampled_from(["height_m", "measured_height_m", "year_of_construction", "surfaces"])
_TEXTUAL = st.sampled_from(["current_use", "material", "heating"])


def _text(value: Any) -> str:
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)


def _known(value: Any, test: Callable[[Any], bool]) -> Truth:
    return None if value is None else test(value)


def _comparison(name: str, op: str, value: Any) -> Filter:
    return (
        f"{name} {op} {_text(value)}",
        {"op": op, "args": [{"property": name}, value]},
        lambda p: _known(p[name], lambda found: _COMPARE[op](found, value)),
    )


def _among(name: str, values: list[Any]) -> Filter:
    return (
        f"{name} IN ({', '.join(map(_text, values))})",
        {"op": "in", "args": [{"property": name}, values]},
        lambda p: _known(p[name], lambda found: found in values),
    )


def _between(name: str, low: float, high: float) -> Filter:
    return (
        f"{name} BETWEEN {low} AND {high}",
        {"op": "between", "args": [{"property": name}, low, high]},
        lambda p: _known(p[name], lambda found: low <= found <= high),
    )


def _missing(name: str) -> Filter:
    return f"{name} IS NULL", {"op": "isNull", "args": [{"property": name}]}, lambda p: p[name] is None


def _like(name: str, pattern: str) -> Filter:
    parts: list[str] = re.findall(r"\\.|.", pattern)
    wild = {"%": ".*", "_": "."}
    expression = "".join(wild.get(part) or re.escape(part[-1]) for part in parts)
    return (
        f"{name} LIKE {_text(pattern)}",
        {"op": "like", "args": [{"property": name}, pattern]},
        lambda p: _known(p[name], lambda found: re.fullmatch(expression, found) is not None),
    )


def _same(left: str, op: str, right: str) -> Filter:
    def value(p: dict[str, Any]) -> Truth:
        if p[left] is None or p[right] is None:
            return None
        return _COMPARE[op](p[left], p[right])

    args = [{"property": left}, {"property": right}]
    return f"{left} {op} {right}", {"op": op, "args": args}, value


def _not(inner: Filter) -> Filter:
    text, document, value = inner
    return (
        f"NOT ({text})",
        {"op": "not", "args": [document]},
        lambda p: None if (found := value(p)) is None else not found,
    )


def _and(left: Filter, right: Filter) -> Filter:
    def value(p: dict[str, Any]) -> Truth:
        parts = left[2](p), right[2](p)
        return False if False in parts else None if None in parts else True

    return f"({left[0]} AND {right[0]})", {"op": "and", "args": [left[1], right[1]]}, value


def _or(left: Filter, right: Filter) -> Filter:
    def value(p: dict[str, Any]) -> Truth:
        parts = left[2](p), right[2](p)
        return True if True in parts else None if None in parts else False

    return f"({left[0]} OR {right[0]})", {"op": "or", "args": [left[1], right[1]]}, value


_LOGICAL = st.sampled_from(["closed", "synthetic"])
_PATTERNS = st.sampled_from(["%r%", "_rick", "100\\%\\_%", "%", "", "it's", "B%k", "\\b%"])
_OPS = st.sampled_from(sorted(_COMPARE))
_LEAVES = st.one_of(
    st.builds(_comparison, _NUMERIC, _OPS, _NUMBERS),
    st.builds(_comparison, _TEXTUAL, _OPS, _TEXTS),
    st.builds(_comparison, _LOGICAL, st.sampled_from(["=", "<>"]), st.booleans()),
    st.builds(_among, _NUMERIC, st.lists(_NUMBERS, min_size=1, max_size=4)),
    st.builds(_among, _TEXTUAL, st.lists(_TEXTS, min_size=1, max_size=4)),
    st.builds(_between, _NUMERIC, _NUMBERS, _NUMBERS),
    st.builds(_missing, st.one_of(_NUMERIC, _TEXTUAL, st.just("closed"))),
    st.builds(_like, _TEXTUAL, _PATTERNS),
    st.builds(_same, _NUMERIC, _OPS, _NUMERIC),
)
_FILTERS: st.SearchStrategy[Filter] = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.builds(_and, inner, inner), st.builds(_or, inner, inner), st.builds(_not, inner)
    ),
    max_leaves=8,
)


def _ids(client: Client, **params: Any) -> list[str]:
    response = client.items(dataset=",".join(PRIMARY), limit=500, **params)
    assert response.status_code == 200, response.text
    return [feature["id"] for feature in response.json()["features"]]


@settings(max_examples=150)
@given(_FILTERS)
def test_equal_to_a_plain_evaluation(client: Client, seeded_towns: list[Seeded], built: Filter) -> None:
    text, document, value = built
    expected = sorted(item.id for item in seeded_towns if value(item.properties) is True)
    assert _ids(client, filter=text) == expected
    as_json = orjson.dumps(document).decode()
    assert _ids(client, filter=as_json, filter__lang="cql2-json") == expected


@pytest.mark.parametrize("spelling", ["S_INTERSECTS(geometry, {})", "s_intersects({}, geometry)"])
@pytest.mark.parametrize(
    ("shape", "box"),
    [
        ("POINT(24.9501 60.1701)", (24.9501, 60.1701, 24.9501, 60.1701)),
        ("POLYGON((24.95 60.17, 24.952 60.17, 24.952 60.171, 24.95 60.171, 24.95 60.17))",
         (24.95, 60.17, 24.952, 60.171)),
        ("BBOX(24.7401, 59.4301, 24.7425, 59.431)", (24.7401, 59.4301, 24.7425, 59.431)),
        ("LINESTRING(24.9 60.1702, 25 60.1702)", (24.9, 60.1702, 25, 60.1702)),
        ("GEOMETRYCOLLECTION(POINT(24.9501 60.1701))", (24.9501, 60.1701, 24.9501, 60.1701)),
        ("POINT Z(24.9501 60.1701 5)", (24.9501, 60.1701, 24.9501, 60.1701)),
    ],
)  # fmt: skip
def test_footprints_that_meet_a_geometry(
    client: Client, seeded_towns: list[Seeded], spelling: str, shape: str, box: Box
) -> None:
    expected = sorted(item.id for item in seeded_towns if overlaps(item, *box))
    assert expected
    assert _ids(client, filter=spelling.format(shape)) == expected


def test_without_regard_to_case_in_every_alphabet(client: Client, seeded_towns: list[Seeded]) -> None:
    bricks = sorted(i.id for i in seeded_towns if i.properties["material"] in {"brick", "Brick"})
    assert _ids(client, filter="CASEI(material) = CASEI('BRICK')") == bricks
    assert _ids(client, filter="casei(material) LIKE casei('bR%')") == bricks
    hills = sorted(i.id for i in seeded_towns if i.properties["street"] == "Mäkitie")
    assert _ids(client, filter="casei(street) IN (casei('MÄKITIE'))") == hills


@pytest.mark.parametrize(
    ("text", "language", "message"),
    [
        ("heigth_m > 20", "cql2-text", "Did you mean 'height_m'"),
        ("height_m >", "cql2-text", "at character 11"),
        ("height_m > '20'", "cql2-text", "cannot be compared with the text '20'"),
        ("pg_sleep(5) = 1", "cql2-text", "not offered"),
        ("1 = 1; DROP TABLE feature", "cql2-text", "at character 6"),
        ("S_INTERSECTS(geometry, POINT(90 180))", "cql2-text", "is not a longitude"),
        ("{", "cql2-json", "not JSON"),
        ("city = 'x'", "cql2-json", "not JSON"),
        ("city = 'x'", "ecql", "offered: cql2-text, cql2-json"),
        ("", "cql2-text", "at character 1"),
        ("(" * 200, "cql2-text", "deeper"),
        ("city = '" + "x" * 17_000 + "'", "cql2-text", "longer than"),
    ],
)
def test_a_bad_filter_is_explained(client: Client, text: str, language: str, message: str) -> None:
    response = client.items(filter=text, filter__lang=language)
    assert response.status_code == 400
    assert message in response.json()["detail"]


@pytest.mark.parametrize(
    "text",
    ["city = '''; DROP TABLE feature; --'", "city = '$1'", "city = '%(x)s' OR city = ':as_of'",
     "material = 'it''s' AND city = '\\'", "city LIKE '%'';--'"],
)  # fmt: skip
def test_injections_find_nothing_and_harm_nothing(client: Client, text: str) -> None:
    before = _ids(client)
    response = client.items(dataset=",".join(PRIMARY), filter=text)
    assert response.status_code == 200
    assert {f["properties"]["material"] for f in response.json()["features"]} <= {"it's"}
    assert _ids(client) == before


def test_and_binds_closer_than_or(client: Client, seeded_towns: list[Seeded]) -> None:
    def matches(test: Callable[[dict[str, Any]], Any]) -> list[str]:
        return sorted(item.id for item in seeded_towns if test(item.properties))

    loose = "current_use = 'office' OR current_use = 'trade' AND height_m > 15"
    tight = "(current_use = 'office' OR current_use = 'trade') AND height_m > 15"
    assert _ids(client, filter=loose) == matches(
        lambda p: p["current_use"] == "office" or (p["current_use"] == "trade" and (p["height_m"] or 0) > 15)
    )
    assert _ids(client, filter=tight) == matches(
        lambda p: p["current_use"] in {"office", "trade"} and (p["height_m"] or 0) > 15
    )
    # A city beside a filter with OR must not slip inside it.
    assert _ids(client, filter=loose, city="hill") == [
        id for id in _ids(client, filter=loose) if id.startswith("seed_hill")
    ]
