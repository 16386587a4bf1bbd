"""From the filter of a request to a condition of SQL.

`parse` reads CQL2 text or JSON, `canonical` gives equal filters equal text, `compile_filter` turns
a tree into a `Condition`. Only the operators below exist, only queryables become identifiers, and
every value is bound: no text of a request ever becomes text of SQL.

A comparison with a missing value is neither true nor false, and NOT leaves it so, as in SQL.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import orjson
from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Double,
    LargeBinary,
    Text,
    and_,
    any_,
    bindparam,
    collate,
    func,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY

from twin.db import cql2
from twin.db.cql2 import Call, Items, Moment, Node, Property, Value
from twin.db.cql2_text import parse_text
from twin.db.query import Condition
from twin.db.queryables import Queryables, QueryableType
from twin.db.shapes import Shape
from twin.errors import InvalidFilter

Encoding: TypeAlias = Literal["cql2-text", "cql2-json"]
Clause: TypeAlias = ColumnElement[Any]

# Locale-independent, unlike the default collation of a database that someone else made.
UNICODE_COLLATION = "und-x-icu"

_SQL_TYPES: dict[str, Any] = {"text": Text, "integer": BigInteger, "number": Double, "boolean": Boolean}
_INT64 = range(-(2**63), 2**63)


def parse(text: str, encoding: Encoding = "cql2-text") -> Node:
    """The tree of a filter; raises InvalidFilter with the place of a mistake or the limit passed."""
    if len(text.encode(errors="replace")) > cql2.MAX_BYTES:
        raise InvalidFilter(f"The filter is longer than {cql2.MAX_BYTES} bytes.")
    return _parse(text, encoding)


@lru_cache(maxsize=512)
def _parse(text: str, encoding: Encoding) -> Node:
    return parse_text(text) if encoding == "cql2-text" else cql2.from_json(text)


def canonical(tree: Node) -> str:
    """The filter as compact CQL2 JSON: the same text for the same tree, however it was written."""
    return orjson.dumps(cql2.to_json(tree)).decode()


def equals(name: str, value: str, queryables: Queryables) -> Node:
    """The tree of ``name = value`` where the value is text, as in a parameter of an address."""
    return cql2.call("=", Property(name), _from_text(name, value, queryables))


def _from_text(name: str, text: str, queryables: Queryables) -> Value:
    kind = queryables.get(name).type
    if kind == "boolean" and text.lower() in {"true", "false"}:
        return Value(text.lower() == "true")
    if kind == "text":
        return cql2.text_value(text)
    try:
        if kind in {"integer", "number"}:
            return Value.number(float(text))
    except ValueError:
        pass
    raise InvalidFilter(f"'{name}' is a {kind}, which '{text[:60]}' is not.")


def all_of(trees: Sequence[Node]) -> Node | None:
    """The tree that holds where all do; None of none."""
    if len(trees) < 2:
        return trees[0] if trees else None
    return cql2.call("and", *trees)


@lru_cache(maxsize=512)
def compile_filter(tree: Node, queryables: Queryables) -> Condition:
    """The condition that a tree means; raises InvalidFilter with what is wrong and what would do."""
    compiler = _Compiler(queryables)
    clause = compiler.predicate(tree)
    key = ("filter", _skeleton(tree), tuple(compiler.types))
    return Condition(clause, key, compiler.values)


def _skeleton(node: Node) -> Hashable:
    """The tree without its values: with their types, it decides the text of the SQL."""
    match node:
        case Call(op, args):
            return (op, *map(_skeleton, args))
        case Items(members):
            return ("items", *map(_skeleton, members)) if _constants(node) is None else "constants"
        case Property(name):
            return f"property {name}"
        case _:
            return type(node).__name__


def _constants(items: Items) -> list[Any] | None:
    """The members as plain values, where all are literals of one kind."""
    if any(not isinstance(member, Value) or member.value is None for member in items.members):
        return None
    values = [member.value for member in items.members if isinstance(member, Value)]
    kinds = {_family(_value_kind(value)) for value in values}
    return values if len(kinds) == 1 else None


def _value_kind(value: cql2.Literal) -> QueryableType:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "text"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, float):
        return "number"
    raise InvalidFilter("NULL compares with nothing. Use IS NULL or IS NOT NULL.")


def _family(kind: QueryableType) -> str:
    return "number" if kind == "integer" else kind


class _Compiler:
    """Walks a tree once and collects the values that its clause binds."""

    def __init__(self, queryables: Queryables) -> None:
        self.queryables = queryables
        self.values: dict[str, Any] = {}
        self.types: list[str] = []

    def bind(self, value: Any, type_: Any) -> Clause:
        """A parameter; its name is free of clashes within one statement's filter."""
        name = f"filter_{len(self.values)}"
        self.values[name] = value
        self.types.append(repr(type_))
        return bindparam(name, type_=type_)

    # -- predicates ---------------------------------------------------------------------------

    def predicate(self, node: Node) -> ColumnElement[bool]:
        """A condition; raises InvalidFilter where the node is only a value."""
        if isinstance(node, Value) and isinstance(node.value, bool):
            return self.bind(node.value, Boolean())
        if isinstance(node, Property) and self.queryables.get(node.name).type == "boolean":
            return self.queryables.get(node.name).column
        if not isinstance(node, Call):
            raise InvalidFilter(f"{self._described(node)} alone is not a condition.")
        build = _PREDICATES.get(node.op)
        if build is None:
            raise InvalidFilter(
                f"The filter uses '{node.op}', which is not offered. "
                f"Offered: {', '.join(sorted(_PREDICATES))}, casei."
            )
        return build(self, node)

    def logical(self, node: Call) -> ColumnElement[bool]:
        if len(node.args) < 2:
            raise InvalidFilter(f"'{node.op}' takes two conditions or more.")
        join = and_ if node.op == "and" else or_
        return join(*(self.predicate(arg) for arg in node.args))

    def negation(self, node: Call) -> ColumnElement[bool]:
        (operand,) = _arguments(node, 1)
        return not_(self.predicate(operand))

    def comparison(self, node: Call) -> ColumnElement[bool]:
        left, right = _arguments(node, 2)
        return self._compare(node.op, left, right)

    def _compare(self, op: str, left: Node, right: Node) -> ColumnElement[bool]:
        kinds = self._comparable(op, left, right)
        return _COMPARE[op](self._scalar(left, kinds[1]), self._scalar(right, kinds[0]))

    def _comparable(self, op: str, left: Node, right: Node) -> tuple[QueryableType, QueryableType]:
        """The types of two operands; raises InvalidFilter where they do not compare."""
        kinds = self._kind(left), self._kind(right)
        if _family(kinds[0]) != _family(kinds[1]):
            raise InvalidFilter(f"{self._described(left)} cannot be compared with {self._described(right)}.")
        if "geometry" in kinds:
            raise InvalidFilter("A geometry is compared with S_INTERSECTS only.")
        if "boolean" in kinds and op not in {"=", "<>"}:
            raise InvalidFilter(f"{self._described(left)} can be compared with = and <> only.")
        return kinds

    def between(self, node: Call) -> ColumnElement[bool]:
        value, low, high = _arguments(node, 3)
        return and_(self._compare(">=", value, low), self._compare("<=", value, high))

    def among(self, node: Call) -> ColumnElement[bool]:
        value, members = _arguments(node, 2)
        if not isinstance(members, Items) or not members.members:
            raise InvalidFilter("IN takes a list of one value or more, such as IN ('a', 'b').")
        constants = _constants(members)
        if constants is None:
            return or_(*(self._compare("=", value, member) for member in members.members))
        kind, _ = self._comparable("=", value, members.members[0])
        type_, array = _array(kind, constants)
        return self._scalar(value, "text") == any_(self.bind(array, ARRAY(type_)))

    def like(self, node: Call) -> ColumnElement[bool]:
        value, pattern = _arguments(node, 2)
        text = _without_casei(pattern)
        if not isinstance(text, Value) or not isinstance(text.value, str):
            raise InvalidFilter("LIKE takes a text as its pattern, such as LIKE 'Man%'.")
        if self._kind(value) != "text":
            raise InvalidFilter(f"{self._described(value)} is not a text, as LIKE needs.")
        trailing = len(text.value) - len(text.value.rstrip("\\"))
        if trailing % 2:
            raise InvalidFilter("The pattern of LIKE ends in a backslash that escapes nothing.")
        return self._scalar(value, "text").like(self._scalar(pattern, "text"))

    def is_null(self, node: Call) -> ColumnElement[bool]:
        (operand,) = _arguments(node, 1)
        if not isinstance(operand, Property):
            raise InvalidFilter("IS NULL takes a property.")
        return self.queryables.get(operand.name).column.is_(None)

    def intersects(self, node: Call) -> ColumnElement[bool]:
        operands = _arguments(node, 2)
        name = next((o.name for o in operands if isinstance(o, Property)), None)
        shape = next((o for o in operands if isinstance(o, Shape)), None)
        if name is None or shape is None:
            raise InvalidFilter(
                "S_INTERSECTS takes a property and a geometry, such as "
                "S_INTERSECTS(geometry, POINT(24.97 60.18))."
            )
        queryable = self.queryables.get(name)
        if queryable.type != "geometry":
            raise InvalidFilter(f"'{name}' is a {queryable.type} and not a geometry.")
        bound = func.geometry(self.bind(shape.ewkb, LargeBinary()))
        return func.ST_Intersects(queryable.column, bound, type_=Boolean)

    # -- values -------------------------------------------------------------------------------

    def _kind(self, node: Node) -> QueryableType:
        match node:
            case Property(name):
                return self.queryables.get(name).type
            case Value(value):
                return _value_kind(value)
            case Shape():
                return "geometry"
            case Call("casei", (operand,)) if self._kind(operand) == "text":
                return "text"
            case Call(op):
                raise InvalidFilter(f"'{op}' is not offered as a value, only casei with a text is.")
            case Moment(kind, text):
                raise InvalidFilter(f"No property holds a {kind} to compare '{text[:60]}' with.")
            case Items():
                raise InvalidFilter("A list is compared with IN only.")

    def _scalar(self, node: Node, other: QueryableType) -> Clause:
        """The clause of a value whose kind was checked; a literal takes the type of the other side."""
        match node:
            case Property(name):
                return self.queryables.get(name).column
            case Value(value):
                kind = _bound_kind(value, other)
                return self.bind(_as(kind, value), _SQL_TYPES[kind]())
            case Call(_, (operand,)):
                return func.lower(collate(self._scalar(operand, "text"), UNICODE_COLLATION))
            case _:
                raise InvalidFilter(f"{self._described(node)} is not a value.")

    def _described(self, node: Node) -> str:
        """What a node is, for a message."""
        match node:
            case Property(name):
                queryable = self.queryables.get(name)
                unit = queryable.attribute.unit if queryable.attribute else None
                return f"'{name}' (a {queryable.type}{f' in {unit}' if unit else ''})"
            case Value(value):
                return f"the {_value_kind(value)} {str(value)[:60]!r}"
            case Call(op):
                return f"'{op}(…)'"
            case _:
                return f"a {type(node).__name__.lower()}"


def _bound_kind(value: cql2.Literal, other: QueryableType) -> QueryableType:
    """As which type to bind a literal beside an expression of another kind.

    A whole number beside integers stays whole, because PostgreSQL uses an index on integers for
    integers alone; everywhere else a double compares with both.
    """
    kind = _value_kind(value)
    if kind == "integer" and not (other == "integer" and value in _INT64):
        return "number"
    return kind


def _as(kind: QueryableType, value: Any) -> Any:
    return float(value) if kind == "number" else value


def _array(other: QueryableType, values: list[Any]) -> tuple[Any, list[Any]]:
    """The SQL type of the elements and the values as that type."""
    kinds: set[QueryableType] = {_bound_kind(value, other) for value in values}
    kind: QueryableType = "number" if "number" in kinds else kinds.pop()
    return _SQL_TYPES[kind](), [_as(kind, value) for value in values]


def _without_casei(node: Node) -> Node:
    match node:
        case Call("casei", (operand,)):
            return operand
        case _:
            return node


def _arguments(node: Call, number: int) -> tuple[Node, ...]:
    if len(node.args) != number:
        raise InvalidFilter(f"'{node.op}' takes {number} arguments and got {len(node.args)}.")
    return node.args


_COMPARE: dict[str, Callable[[Clause, Clause], ColumnElement[bool]]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}

_PREDICATES: dict[str, Callable[[_Compiler, Call], ColumnElement[bool]]] = {
    "and": _Compiler.logical,
    "or": _Compiler.logical,
    "not": _Compiler.negation,
    **dict.fromkeys(_COMPARE, _Compiler.comparison),
    "between": _Compiler.between,
    "in": _Compiler.among,
    "like": _Compiler.like,
    "isNull": _Compiler.is_null,
    "s_intersects": _Compiler.intersects,
}
