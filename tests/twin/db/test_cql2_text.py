"""The reader of CQL2 text: against the ``cql2`` package, against mistakes, and against attacks."""

import time
from typing import Any, cast

import cql2
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.db.cql2 import MAX_DEPTH, from_json, to_json
from twin.db.cql2_text import parse_text
from twin.errors import InvalidFilter


def _floats(node: Any) -> Any:
    """The same tree with every number a float, as the package gives them."""
    if isinstance(node, dict):
        return {key: _floats(value) for key, value in cast(dict[str, Any], node).items()}
    if isinstance(node, list):
        return [_floats(member) for member in cast(list[Any], node)]
    return float(node) if isinstance(node, int) and not isinstance(node, bool) else node


def _ours(text: str) -> Any:
    return _floats(orjson.loads(orjson.dumps(to_json(parse_text(text)))))


_scalars = st.one_of(
    st.integers(-1000, 1000).map(str),
    st.floats(-1e6, 1e6, allow_nan=False).map(lambda number: f"{number:.4f}"),
    st.sampled_from(
        ["'helsinki'", "'it''s'", "'õ ä'", "''", "city", "height_m", '"quoted name"', "casei(city)"]
    ),
)
_comparisons = st.builds(
    "{} {} {}".format, _scalars, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), _scalars
)
_predicates = st.one_of(
    _comparisons,
    st.builds("{} {}IN ({}, {})".format, _scalars, st.sampled_from(["", "NOT "]), _scalars, _scalars),
    st.builds("{} {}BETWEEN {} AND {}".format, _scalars, st.sampled_from(["", "not "]), _scalars, _scalars),
    st.builds("city {}LIKE 'a%'".format, st.sampled_from(["", "NOT "])),
    st.builds("city IS {}NULL".format, st.sampled_from(["", "NOT "])),
    st.builds("S_INTERSECTS(geometry, POINT({} 60.5))".format, st.integers(-180, 180)),
)
_filters = st.recursive(
    _predicates,
    lambda inner: st.one_of(
        st.builds("({}) AND ({})".format, inner, inner),
        st.builds("({}) or ({})".format, inner, inner),
        st.builds("NOT ({})".format, inner),
    ),
    max_leaves=6,
)


def _flat(node: Any) -> Any:
    """AND within AND and OR within OR joined: either way of keeping the parentheses is right."""
    if isinstance(node, list):
        return [_flat(member) for member in cast(list[Any], node)]
    if not isinstance(node, dict):
        return node
    found = {key: _flat(value) for key, value in cast(dict[str, Any], node).items()}
    if found.get("op") in {"and", "or"}:
        found["args"] = [part for arg in found["args"] for part in _parts(arg, found["op"])]
    return found


def _parts(node: Any, op: str) -> list[Any]:
    members = cast(dict[str, Any], node) if isinstance(node, dict) else {}
    return members["args"] if members.get("op") == op else [node]


@settings(max_examples=300)
@given(_filters)
def test_reads_what_the_reference_parser_reads(text: str) -> None:
    assert _flat(_ours(text)) == _flat(_floats(cql2.parse_text(text).to_json()))


@pytest.mark.parametrize(
    "text",
    [
        "a = 1 OR b = 2 AND c = 3",
        "(a = 1 OR b = 2) AND c = 3",
        "NOT a = 1 AND b = 2",
        "NOT (a = 1 AND b = 2)",
        "a + 2 * b ^ 2 > -c",
        "a - 1 - 2 = 3",
        "foo(a, 1, 'x') = TRUE",
        "d = DATE('2026-01-01') AND t > TIMESTAMP('2026-01-01T00:00:00Z')",
        "S_INTERSECTS(geometry, MULTIPOLYGON(((0 0,1 0,1 1,0 0)),((2 2,3 2,3 3,2 2))))",
        "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POINT(1 2), LINESTRING(0 0, 1 1)))",
        "closed AND NOT synthetic",
        "a = 0.5 AND b = 1.5e3",
    ],
)
def test_precedence_and_forms(text: str) -> None:
    assert _ours(text) == _floats(cql2.parse_text(text).to_json())


def test_numbers_may_start_or_end_with_their_point() -> None:
    assert _ours("a = .5 AND b = 1.e3") == _ours("a = 0.5 AND b = 1000")


def test_quotation_marks_are_doubled_or_escaped() -> None:
    assert _ours(r"a = 'it\'s'") == _ours("a = 'it''s'")
    assert to_json(parse_text(r"a LIKE '50\%'"))["args"][1] == r"50\%"


def test_a_large_whole_number_keeps_every_digit() -> None:
    assert to_json(parse_text("a = 9007199254740993"))["args"][1] == 9007199254740993


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "character 1"),
        ("a =", "character 4"),
        ("a = 1; DROP TABLE feature", "character 6"),
        ("a = 'open", "character 5: a quotation mark that is not closed"),
        ("a == 1", "character 4"),
        ("a IN ()", "character 7"),
        ("(a = 1", "expected ')'"),
        ("a = 1)", "character 6"),
        ("a NOT 5", "expected LIKE, BETWEEN or IN"),
        ("a IS 5", "expected 'NULL'"),
        ("AND", "character 1"),
        ("a BETWEEN 1 OR 2", "expected 'AND'"),
        ("S_INTERSECTS(geometry, POINT(1 2)", "expected ')'"),
        ("S_INTERSECTS(geometry, POINT(1 2", "a ')' is missing"),
        ("S_INTERSECTS(geometry, POINT(1))", "not usable"),
        ("S_INTERSECTS(geometry, POINT(90 180))", "not a longitude"),
        ("S_INTERSECTS(geometry, POINT(nan 0))", "not a longitude"),
        ("S_INTERSECTS(geometry, POLYGON((0 0,1 1,1 0,0 1,0 0)))", "Self-intersection"),
        ("a = 1e999", "too large"),
        ("a = 'x\0'", "U+0000"),
    ],
)
def test_a_mistake_is_placed(text: str, place: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        parse_text(text)
    assert place in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        "(" * 8000,
        "(" * 30 + "a=" + ")" * 30,
        "(" * 8000 + "a=1" + ")" * 8000,
        "a in " * 3000 + "(",
        "a in (" * 2000,
        "NOT " * 4000 + "a",
        "a = " + "-" * 8000 + "1",
        "a = " + "+".join("1" * 8000),
        "a = " + "^".join("1" * 8000),
        "casei(" * 2500,
        "POINT(" * 2500,
        "a = '" + "\\'" * 8000 + "x",
        "'" * 15001,
        '"' * 15001,
        " " * 16000 + "!",
    ],
)
def test_hostile_text_is_refused_at_once(text: str) -> None:
    started = time.process_time()
    with pytest.raises(InvalidFilter):
        parse_text(text)
    assert time.process_time() - started < 1.0


def test_depth_at_and_past_the_limit() -> None:
    def nested(levels: int) -> str:
        return "NOT " * (levels - 1) + "a = 1"

    assert parse_text(nested(MAX_DEPTH))
    with pytest.raises(InvalidFilter, match="deeper"):
        parse_text(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "not JSON"),
        ('{"op":"=","args":{"property":"a"}}', "'args' a list"),
        ('{"op":1,"args":[]}', "'op' has to be a text"),
        ('{"foo":1}', "'foo'"),
        (
            '{"op":"s_intersects","args":[{"property":"geometry"},{"type":"Point","coordinates":["x"]}]}',
            "not usable",
        ),
        ('{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[1,2,3]}]}', "4 or 6 numbers"),
        ('{"op":"s_intersects","args":[{"property":"geometry"},{"bbox":[0,2,1,1]}]}', "south edge"),
        ('{"op":"=","args":[{"property":"a"},"\\u0000"]}', "U+0000"),
        ("[" * 900 + "]" * 900, "deeper"),
        ('{"op":"not","args":[' * 90 + "true" + "]}" * 90, "deeper"),
    ],
)
def test_malformed_json_is_refused(document: str, message: str) -> None:
    with pytest.raises(InvalidFilter) as refused:
        from_json(document)
    assert message in str(refused.value)


@settings(max_examples=100)
@given(_filters)
def test_json_is_read_back_as_it_was_written(text: str) -> None:
    tree = parse_text(text)
    assert from_json(orjson.dumps(to_json(tree))) == tree
