"""Values of a filter as clauses of SQL: literals, properties, arithmetic, text without case or accents.

Every literal is bound. Arithmetic never fails on a zero: what is divided by it is missing. Where a
result leaves the range of numbers, PostgreSQL refuses and `twin.db.pool` says so.
"""

import operator
from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Numeric,
    Text,
    bindparam,
    cast,
    collate,
    func,
    literal_column,
)
from sqlalchemy.dialects.postgresql import ARRAY, array

from twin.db.cql2 import Call, Items, Moment, Node, Property, Value
from twin.db.queryables import Queryables, QueryableType
from twin.db.shapes import Shape
from twin.errors import InvalidFilter

Clause: TypeAlias = ColumnElement[Any]

# Locale-independent, unlike the default collation of a database that someone else made.
UNICODE_COLLATION = "und-x-icu"

SQL_TYPES: dict[str, Any] = {
    "text": Text(),
    "integer": BigInteger(),
    "number": Double(),
    "boolean": Boolean(),
    "date": Date(),
    "timestamp": DateTime(timezone=True),
}
_INT64 = range(-(2**63), 2**63)
_DECOMPOSED = literal_column("NFD", Text)
_MARKS = literal_column(r"'[\u0300-\u036F]'", Text)
_NOTHING = literal_column("''", Text)
_EVERYWHERE = literal_column("'g'", Text)

OFFERED = ("casei", "accenti", "+", "-", "*", "/", "%", "^", "div")
"""Functions and operators that give a value."""


def family(kind: QueryableType) -> str:
    """Types of one family compare with each other."""
    return "number" if kind == "integer" else kind


def kind_of(value: Any) -> QueryableType:
    """The type of a literal; raises InvalidFilter for NULL."""
    match value:
        case bool():
            return "boolean"
        case str():
            return "text"
        case int():
            return "integer"
        case float():
            return "number"
        case datetime():
            return "timestamp"
        case date():
            return "date"
        case _:
            raise InvalidFilter("NULL compares with nothing. Use IS NULL or IS NOT NULL.")


def constants(items: Items) -> list[Any] | None:
    """The members as plain values, where all are literals of one family."""
    values: list[Any] = []
    for member in items.members:
        if not isinstance(member, Value | Moment) or member.value is None:
            return None
        values.append(member.value)
    return values if len({family(kind_of(value)) for value in values}) == 1 else None


def arguments(node: Call, number: int) -> tuple[Node, ...]:
    """The arguments of a call that takes so many; raises InvalidFilter."""
    if len(node.args) != number:
        raise InvalidFilter(f"'{node.op}' takes {number} arguments and got {len(node.args)}.")
    return node.args


class Values:
    """Turns values into clauses and collects what they bind."""

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

    def kind(self, node: Node) -> QueryableType:
        """The type of a value; raises InvalidFilter where it is none."""
        match node:
            case Property(name):
                return self.queryables.get(name).type
            case Value(value):
                return kind_of(value)
            case Moment():
                return kind_of(node.value)
            case Shape():
                return "geometry"
            case Call(op) if op in OFFERED:
                return self._result(node)
            case Call(op):
                raise InvalidFilter(f"'{op}' is not offered as a value. Offered: {', '.join(OFFERED)}.")
            case Items():
                raise InvalidFilter("A list is compared with IN or the functions A_… only.")

    def _result(self, node: Call) -> QueryableType:
        wanted, number = ("text", 1) if node.op in {"casei", "accenti"} else ("number", 2)
        for operand in arguments(node, number):
            if family(self.kind(operand)) != wanted:
                raise InvalidFilter(
                    f"'{node.op}' is not offered for {self.described(operand)}, only for a {wanted}."
                )
        return "text" if wanted == "text" else "number"

    def scalar(self, node: Node, other: QueryableType) -> Clause:
        """The clause of a value whose kind was checked; a literal takes the type of the other side."""
        match node:
            case Property(name):
                return self.queryables.get(name).column
            case Value() | Moment():
                kind = _bound_kind(node.value, other)
                return self.bind(_as(kind, node.value), SQL_TYPES[kind])
            case Call(op, operands) if op in _VALUES:
                return _VALUES[op](*(self._operand(operand) for operand in operands))
            case _:
                raise InvalidFilter(f"{self.described(node)} is not a value.")

    def _operand(self, node: Node) -> Clause:
        """An operand of a function: numbers as doubles, so that no whole number overflows."""
        kind = self.kind(node)
        clause = self.scalar(node, "number" if family(kind) == "number" else kind)
        return cast(clause, Double) if kind == "integer" and isinstance(node, Property) else clause

    def listed(self, members: Items, kind: QueryableType) -> Clause:
        """The members as one array, to be compared with a value of ``kind``."""
        found = constants(members)
        if found is not None:
            type_, elements = _array(kind, found)
            return self.bind(elements, ARRAY(type_))
        type_ = SQL_TYPES["number" if family(kind) == "number" else kind]
        clauses = [self.scalar(member, "number") for member in members.members]
        return array([cast(clause, type_) for clause in clauses], type_=type_)

    def described(self, node: Node) -> str:
        """What a node is, for a message."""
        match node:
            case Property(name):
                queryable = self.queryables.get(name)
                unit = queryable.attribute.unit if queryable.attribute else None
                return f"'{name}' (a {queryable.type}{f' in {unit}' if unit else ''})"
            case Value(value):
                return f"the {kind_of(value)} {str(value)[:60]!r}"
            case Moment(kind, text):
                return f"the {kind} '{text[:60]}'"
            case Call(op):
                return f"'{op}(…)'"
            case _:
                return f"a {type(node).__name__.lower()}"


def _bound_kind(value: Any, other: QueryableType) -> QueryableType:
    """As which type to bind a literal beside an expression of another kind.

    A whole number beside integers stays whole, because PostgreSQL uses an index on integers for
    integers alone; everywhere else a double compares with both.
    """
    kind = kind_of(value)
    if kind == "integer" and not (other == "integer" and value in _INT64):
        return "number"
    return kind


def _as(kind: QueryableType, value: Any) -> Any:
    return float(value) if kind == "number" else value


def _array(other: QueryableType, values: list[Any]) -> tuple[Any, list[Any]]:
    """The SQL type of the elements and the values as that type."""
    kinds: set[QueryableType] = {_bound_kind(value, other) for value in values}
    kind: QueryableType = "number" if "number" in kinds else kinds.pop()
    return SQL_TYPES[kind], [_as(kind, value) for value in values]


def _without_case(text: Clause) -> Clause:
    return func.lower(collate(text, UNICODE_COLLATION))


def _without_accents(text: Clause) -> Clause:
    """Letters without the marks that Unicode takes off them; ø and ł are letters of their own."""
    return func.regexp_replace(
        func.normalize(text, _DECOMPOSED, type_=Text), _MARKS, _NOTHING, _EVERYWHERE, type_=Text
    )


def _quotient(left: Clause, right: Clause) -> Clause:
    return left / func.nullif(right, literal_column("0", Double), type_=Double)


def _remainder(left: Clause, right: Clause) -> Clause:
    divisor = func.nullif(cast(right, Numeric), literal_column("0", Numeric), type_=Numeric)
    return cast(func.mod(cast(left, Numeric), divisor, type_=Numeric), Double)


def _whole_quotient(left: Clause, right: Clause) -> Clause:
    return func.trunc(_quotient(left, right), type_=Double)


def _power(left: Clause, right: Clause) -> Clause:
    return func.power(left, right, type_=Double)


_VALUES: dict[str, Callable[..., Clause]] = {
    "casei": _without_case,
    "accenti": _without_accents,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _quotient,
    "div": _whole_quotient,
    "%": _remainder,
    "^": _power,
}
