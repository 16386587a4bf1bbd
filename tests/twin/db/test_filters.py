"""The compiler of filters: what it lets through, what it binds, what it refuses."""

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.twin.db.filter_sql import DIALECT, holds_no_text
from twin.db.collections import BUILDINGS
from twin.db.cql2 import MAX_BYTES, MAX_NODES
from twin.db.filters import canonical, compile_filter, equals, parse
from twin.db.query import Condition, View
from twin.errors import InvalidFilter, TwinError

QUERYABLES = BUILDINGS.queryables(View())


def condition(text: str) -> Condition:
    return compile_filter(parse(text), QUERYABLES)


def sql(text: str) -> str:
    return str(condition(text).clause.compile(dialect=DIALECT))


@pytest.mark.parametrize(
    ("text", "expected", "values"),
    [
        ("height_m > 20", "f.height_m > $1::FLOAT", [20.0]),
        ("surfaces = 6", "f.surfaces = $1::BIGINT", [6]),
        ("surfaces = 6.5", "f.surfaces = $1::FLOAT", [6.5]),
        ("surfaces < 1e30", "f.surfaces < $1::FLOAT", [1e30]),
        ("6 < surfaces", "$1::BIGINT < f.surfaces", [6]),
        ("city IN ('a', 'b')", "f.city = ANY ($1::TEXT[])", [["a", "b"]]),
        ("height_m IN (1, 2.5)", "f.height_m = ANY ($1::DOUBLE PRECISION[])", [[1.0, 2.5]]),
        ("surfaces IN (6, 7)", "f.surfaces = ANY ($1::BIGINT[])", [[6, 7]]),
        ("closed", "f.closed", []),
        ("NOT closed = false", "f.closed != $1::BOOLEAN", [False]),
        ("current_use IS NOT NULL", "f.current_use IS NOT NULL", []),
        ("height_m > measured_height_m", "f.height_m > f.measured_height_m", []),
        ("city LIKE 'h%'", "f.city LIKE $1::VARCHAR", ["h%"]),
        ("city NOT LIKE 'h%'", "f.city NOT LIKE $1::VARCHAR", ["h%"]),
        ("id = 'a.b'", "f.id = $1::VARCHAR", ["a.b"]),
        ("'a' = id", "$1::VARCHAR = f.id", ["a"]),
        ("surfaces = 2 + 3 * 4", "f.surfaces = $1::FLOAT + $2::FLOAT * $3::FLOAT", [2.0, 3.0, 4.0]),
        ("(2 + 3) * 4 = height_m", "($1::FLOAT + $2::FLOAT) * $3::FLOAT = f.height_m", [2.0, 3.0, 4.0]),
        ("surfaces + 1 > 3", "CAST(f.surfaces AS DOUBLE PRECISION) + $1::FLOAT > $2::FLOAT", [1.0, 3.0]),
        (
            "casei(city) LIKE casei('H%')",
            'lower(f.city COLLATE "und-x-icu") LIKE lower($1::VARCHAR COLLATE "und-x-icu")',
            ["H%"],
        ),
        ("height_m + 1 IS NULL", "f.height_m + $1::FLOAT IS NULL", [1.0]),
        ("S_DISJOINT(geometry, geometry)", "ST_Disjoint(f.footprint, f.footprint)", []),
    ],
)
def test_operators(text: str, expected: str, values: list[Any]) -> None:
    assert sql(text) == expected
    assert list(condition(text).values.values()) == values


def test_grouping_is_kept() -> None:
    loose = sql("city = 'a' OR city = 'b' AND height_m > 1")
    tight = sql("(city = 'a' OR city = 'b') AND height_m > 1")
    assert loose == "f.city = $1::VARCHAR OR f.city = $2::VARCHAR AND f.height_m > $3::FLOAT"
    assert tight == "(f.city = $1::VARCHAR OR f.city = $2::VARCHAR) AND f.height_m > $3::FLOAT"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("heigth_m > 1", "Did you mean 'height_m'"),
        ("xyzzy = 1", "See the queryables"),
        ("height_m = 'x'", "'height_m' (a number in m) cannot be compared with the text 'x'"),
        ("city > 3", "'city' (a text) cannot be compared with the integer '3'"),
        ("city IN ('a', 1)", "cannot be compared with the integer '1'"),
        ("city IN (1, 2)", "cannot be compared"),
        ("height_m BETWEEN 'a' AND 'b'", "cannot be compared"),
        ("closed > TRUE", "= and <> only"),
        ("city = NULL", "IS NULL"),
        ("city IN ('a', NULL)", "IS NULL"),
        ("city", "alone is not a condition"),
        ("1", "alone is not a condition"),
        ("pg_sleep(10)", "'pg_sleep', which is not offered"),
        ("pg_sleep(10) = 1", "'pg_sleep' is not offered"),
        ("city / 2 > 1", "'/' is not offered for 'city' (a text)"),
        ("height_m + geometry > 1", "'+' is not offered"),
        ("height_m = accenti(1)", "'accenti' is not offered"),
        ("casei(height_m) = 'x'", "'casei' is not offered"),
        ("city LIKE 5", "LIKE takes a text"),
        ("city LIKE city", "LIKE takes a text"),
        ("height_m LIKE '1%'", "is not a text"),
        ("city LIKE 'a\\'", "backslash"),
        ("geometry = 1", "cannot be compared"),
        ("geometry = geometry", "S_INTERSECTS and its like only"),
        ("S_INTERSECTS(city, POINT(1 2))", "not a geometry"),
        ("S_INTERSECTS(geometry, city)", "not a geometry"),
        ("S_INTERSECTS(geometry, 1)", "a property and a geometry"),
        ("S_TOUCHES(geometry, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(1 2, 3 4)))", "name its parts"),
        ("S_WITHIN(geometry, BBOX(1, 2, 0, 3, 4, 9))", "box with heights"),
        ("S_INTERSECTS(geometry, BBOX(1, 2, 9, 3, 4, 0))", "lowest height"),
        ("S_INTERSECTS(geometry, BBOX(1, 2, city, 3, 4))", "4 or 6 numbers"),
        ("S_INTERSECTS(geometry, POINT(90 180))", "not a longitude"),
        ("T_AFTER(city, DATE('2026-01-01'))", "dates, times and intervals"),
        ("T_AFTER(DATE('2026-01-01'), 1)", "takes a property, DATE"),
        ("T_AFTER(INTERVAL('2026-01-01'), DATE('2026-01-01'))", "takes 2 arguments"),
        ("T_AFTER(INTERVAL(1, 2), DATE('2026-01-01'))", "An interval ends in"),
        ("T_AFTER(DATE('2026-02-30'), DATE('2026-01-01'))", "is no date"),
        ("T_AFTER(TIMESTAMP('2026-01-01T00:00:00'), DATE('2026-01-01'))", "is no timestamp"),
        ("A_CONTAINS(city, ('a'))", "a property that is a list"),
        ("A_CONTAINS((city), ('a'))", "a property that is a list"),
        ("S_INTERSECTS(geometry)", "takes 2 arguments"),
        ("city = DATE('2026-01-01')", "cannot be compared with the date"),
        ("(1, 2) = 1", "IN or the functions"),
        ("1 IS NULL", "takes a property"),
        ("row_hash = 'x'", "There is no property"),
        ("f.city = 'x'", "There is no property"),
    ],
)
def test_what_is_refused_is_explained(text: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        condition(text)
    assert message in str(refused.value)


def test_what_is_remembered_of_true_is_not_taken_for_one() -> None:
    assert condition("TRUE").values
    with pytest.raises(InvalidFilter, match="alone is not a condition"):
        condition("1")
    assert condition("closed = TRUE").values
    with pytest.raises(InvalidFilter, match="cannot be compared with the integer '1'"):
        condition("closed = 1")


@pytest.mark.parametrize(
    "document",
    ['{"op":"and","args":[]}', '{"op":"not","args":[]}', '{"op":"in","args":[{"property":"city"},[]]}',
     '{"op":"=","args":[{"property":"city"}]}', '{"op":"or","args":[true]}', "null", "[]", '"city"'],
)  # fmt: skip
def test_json_with_wrong_arguments_is_refused(document: str) -> None:
    with pytest.raises(InvalidFilter):
        compile_filter(parse(document, "cql2-json"), QUERYABLES)


_nasty = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30
) | st.sampled_from(
    [
        "'; DROP TABLE feature; --",
        "$1",
        "%(x)s",
        ":as_of",
        "\\",
        "1) OR (1=1",
        "/*",
        '"; SELECT pg_sleep(9)--',
    ]
)


@settings(max_examples=300)
@given(_nasty, _nasty)
def test_no_text_of_a_value_reaches_the_sql(first: str, second: str) -> None:
    quoted = [text.replace("'", "''") for text in (first, second)]
    text = f"city = '{quoted[0]}' OR casei(street) IN (casei('{quoted[1]}'), 'x') AND height_m > 3"
    try:
        compiled = condition(text)
    except InvalidFilter:
        # A backslash before a quotation mark escapes it, so such a text may not be closed.
        assert "\\" in text
        return
    assert holds_no_text(compiled)


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_text_is_compiled_or_refused(text: str) -> None:
    try:
        compiled = condition(text)
    except TwinError:
        return
    assert holds_no_text(compiled)


def test_keys_tell_texts_of_sql_apart() -> None:
    """The same key means the same SQL; other values alone do not change it."""
    same = [("height_m > 1", "height_m > 2.5"), ("city IN ('a')", "city IN ('b','c')")]
    for left, right in same:
        assert condition(left).key == condition(right).key
        assert sql(left) == sql(right)
    texts = ["surfaces > 1", "surfaces > 1.5", "surfaces < 1", "height_m > 1", "surfaces IN (1)",
             "surfaces IN (1.5)", "surfaces IN (1, surfaces)", "1 < surfaces", "NOT closed"]  # fmt: skip
    assert len({condition(text).key for text in texts}) == len(texts)
    assert len({sql(text) for text in texts}) == len(texts)


def test_filters_that_differ_in_values_alone_are_made_once() -> None:
    text = "(height_m BETWEEN {} AND {} OR current_use = {}) AND NOT volume_m3 < {}"
    queryables = BUILDINGS.queryables(View(as_of=datetime.now(UTC)))
    values = [(1.5, 2.5, "'a'", 0.5), (3.5, 2.5, "'it''s'", 1e30), (2.5, 2.5, "'a'", 2.5)]
    found = [compile_filter(parse(text.format(*some)), queryables) for some in values]
    assert found[0].clause is found[1].clause is found[2].clause
    assert [list(one.values.values()) for one in found] == [
        [1.5, 2.5, "a", 0.5],
        [3.5, 2.5, "it's", 1e30],
        [2.5, 2.5, "a", 2.5],
    ]
    for other in ("height_m > 1.5", "height_m < 1.5", "volume_m3 > 1.5", "1.5 < height_m", "height_m > 15"):
        compiled = compile_filter(parse(other), queryables)
        assert str(compiled.clause.compile(dialect=DIALECT)) == sql(other)
    for wrong in ("current_use > 1.5", "height_m > 'a'"):
        with pytest.raises(InvalidFilter, match="cannot be compared"):
            compile_filter(parse(wrong), queryables)


def test_canonical_text_is_the_same_for_text_and_json() -> None:
    text = parse("HEIGHT_M>20.0 and city='a'".replace("HEIGHT_M", "height_m"))
    document = (
        '{ "op": "AND", "args": [{"op": ">", "args": [{"property": "height_m"}, 20]},'
        '{"op": "=", "args": [{"property": "city"}, "a"]}]}'
    )
    assert canonical(text) == canonical(parse(document, "cql2-json"))
    assert parse(canonical(text), "cql2-json") == text


def test_size_at_and_past_the_limits() -> None:
    def longest(extra: int) -> str:
        return "city = '" + "x" * (MAX_BYTES - len("city = ''") + extra) + "'"

    assert condition(longest(0))
    with pytest.raises(InvalidFilter, match="longer than"):
        condition(longest(1))

    def many(values: int) -> str:
        return f"surfaces IN ({','.join('1' * values)})"

    around = 3  # the call, the property and the list
    assert condition(many(MAX_NODES - around))
    with pytest.raises(InvalidFilter, match="more than"):
        condition(many(MAX_NODES - around + 1))


def test_equality_from_a_parameter_takes_the_type_of_the_property() -> None:
    assert canonical(equals("surfaces", "6", QUERYABLES)) == canonical(parse("surfaces = 6"))
    assert canonical(equals("closed", "TRUE", QUERYABLES)) == canonical(parse("closed = true"))
    assert canonical(equals("city", "6", QUERYABLES)) == canonical(parse("city = '6'"))
    for name, value in [("surfaces", "six"), ("closed", "1"), ("height_m", "nan"), ("height_m", "1e999")]:
        with pytest.raises(InvalidFilter):
            equals(name, value, QUERYABLES)


def test_personal_data_need_their_scope() -> None:
    public = BUILDINGS.queryables(View(scopes=frozenset({"public"})))
    assert "street" in QUERYABLES
    assert "street" not in public
    with pytest.raises(InvalidFilter, match="personal data"):
        compile_filter(parse("street = 'x'"), public)
