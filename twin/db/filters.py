"""From the filter of a request to a condition of SQL.

`parse` reads CQL2 text or JSON, `canonical` gives equal filters equal text, `compile_filter` turns
a tree into a `Condition`. Only the operators below exist, only queryables become identifiers, and
every value is bound: no text of a request ever becomes text of SQL.

A comparison with a missing value is neither true nor false, and NOT leaves it so, as in SQL.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Literal, TypeAlias

import orjson
from sqlalchemy import Boolean, ColumnElement, and_, any_, not_, or_

from twin.db import cql2
from twin.db.cql2 import Call, Items, Node, Property, Value
from twin.db.cql2_text import parse_text
from twin.db.filter_relations import RELATIONS
from twin.db.filter_values import OFFERED, Clause, Values, arguments, constants, family
from twin.db.query import Condition
from twin.db.queryables import Queryables, QueryableType
from twin.errors import InvalidFilter
from twin.model.offered import CRS84, OfferedSystem

Encoding: TypeAlias = Literal["cql2-text", "cql2-json", "cql-text"]


def parse(text: str, encoding: Encoding = "cql2-text", system: OfferedSystem = CRS84) -> Node:
    """The tree of a filter whose geometries are in a reference system.

    Raises InvalidFilter with the place of a mistake or the limit passed.
    """
    if len(text.encode(errors="replace")) > cql2.MAX_BYTES:
        raise InvalidFilter(f"The filter is longer than {cql2.MAX_BYTES} bytes.")
    return _parse(text, encoding, system)


@lru_cache(maxsize=512)
def _parse(text: str, encoding: Encoding, system: OfferedSystem) -> Node:
    return cql2.from_json(text, system) if encoding == "cql2-json" else parse_text(text, system)


def canonical(tree: Node) -> str:
    """The filter as compact CQL2 JSON: the same text for the same tree, however it was written."""
    return orjson.dumps(cql2.to_json(tree)).decode()


def equals(name: str, value: str, queryables: Queryables) -> Node:
    """The tree of ``name = value`` where the value is text, as in a parameter of an address."""
    return cql2.call("=", Property(name), _from_text(name, value, queryables))


def _from_text(name: str, text: str, queryables: Queryables) -> Node:
    kind = queryables.get(name).type
    if kind in {"date", "timestamp"}:
        return cql2.moment(kind, text)
    if kind == "boolean" and text.lower() in {"true", "false"}:
        return Value(text.lower() == "true")
    if kind == "text":
        return cql2.text_value(text)
    try:
        if kind == "number" or (kind == "integer" and float(text).is_integer()):
            return Value.number(float(text))
    except (ValueError, OverflowError):
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
    literals: list[Any] = []
    form = _form(tree, literals)
    known = None if form is None else _KNOWN.get((form, queryables))
    if known is not None:
        return replace(known, values=dict(zip(known.values, literals, strict=True)))
    compiler = _Compiler(queryables)
    clause = compiler.predicate(tree)
    key = ("filter", queryables.key, _skeleton(tree), tuple(compiler.types))
    found = Condition(clause, key, compiler.values)
    if form is not None and list(map(id, literals)) == list(map(id, found.values.values())):
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        _KNOWN[form, queryables] = found
    return found


_MOST_KNOWN = 512
_KNOWN: dict[Hashable, Condition] = {}
"""Conditions of plain comparisons by `_form`: what differs in numbers and texts alone is made once."""


def _form(node: Node, literals: list[Any]) -> Hashable | None:
    """What of a tree decides its condition, but for the values of ``literals``, which it collects.

    None where it does more than to compare properties with numbers and texts.
    """
    match node:
        case Call(op, args) if op in _PLAIN:
            found = tuple(_form(arg, literals) for arg in args)
            return None if None in found else (op, *found)
        case Property(name):
            return f"property {name}"
        case Value(float() | str()):
            literals.append(node.value)
            return type(node.value).__name__
        case _:
            return None


def _skeleton(node: Node) -> Hashable:
    """The tree without its values: with their types, it decides the text of the SQL."""
    match node:
        case Call(op, args):
            return (op, *map(_skeleton, args))
        case Items(members):
            return ("items", *map(_skeleton, members)) if constants(node) is None else "constants"
        case Property(name):
            return f"property {name}"
        case _:
            return type(node).__name__


class _Compiler(Values):
    """Walks a tree once and collects the values that its clause binds."""

    def predicate(self, node: Node) -> ColumnElement[bool]:
        """A condition; raises InvalidFilter where the node is only a value."""
        if isinstance(node, Value) and isinstance(node.value, bool):
            return self.bind(node.value, Boolean())
        if isinstance(node, Property) and self.queryables.get(node.name).type == "boolean":
            return self.queryables.get(node.name).column
        if not isinstance(node, Call):
            raise InvalidFilter(f"{self.described(node)} alone is not a condition.")
        build = _PREDICATES.get(node.op)
        if build is None:
            raise InvalidFilter(
                f"The filter uses '{node.op}', which is not offered. "
                f"Offered: {', '.join(sorted({*_PREDICATES, *OFFERED}))}."
            )
        return build(self, node)

    def logical(self, node: Call) -> ColumnElement[bool]:
        if len(node.args) < 2:
            raise InvalidFilter(f"'{node.op}' takes two conditions or more.")
        join = and_ if node.op == "and" else or_
        return join(*(self.predicate(arg) for arg in node.args))

    def negation(self, node: Call) -> ColumnElement[bool]:
        (operand,) = arguments(node, 1)
        return not_(self.predicate(operand))

    def comparison(self, node: Call) -> ColumnElement[bool]:
        left, right = arguments(node, 2)
        return self._compare(node.op, left, right)

    def _compare(self, op: str, left: Node, right: Node) -> ColumnElement[bool]:
        kinds = self._comparable(op, left, right)
        return _COMPARE[op](self.scalar(left, kinds[1]), self.scalar(right, kinds[0]))

    def _comparable(self, op: str, left: Node, right: Node) -> tuple[QueryableType, QueryableType]:
        """The types of two operands; raises InvalidFilter where they do not compare."""
        kinds = self.kind(left), self.kind(right)
        if family(kinds[0]) != family(kinds[1]):
            raise InvalidFilter(f"{self.described(left)} cannot be compared with {self.described(right)}.")
        if "geometry" in kinds or "list" in kinds:
            functions = "S_INTERSECTS and its like" if "geometry" in kinds else "A_CONTAINS and its like"
            raise InvalidFilter(f"{self.described(left)} is compared with {functions} only.")
        if "boolean" in kinds and op not in {"=", "<>"}:
            raise InvalidFilter(f"{self.described(left)} can be compared with = and <> only.")
        return kinds

    def between(self, node: Call) -> ColumnElement[bool]:
        value, low, high = arguments(node, 3)
        return and_(self._compare(">=", value, low), self._compare("<=", value, high))

    def among(self, node: Call) -> ColumnElement[bool]:
        value, members = arguments(node, 2)
        if not isinstance(members, Items) or not members.members:
            raise InvalidFilter("IN takes a list of one value or more, such as IN ('a', 'b').")
        for member in members.members:
            self._comparable("=", value, member)
        # One array, so that the value stands in the SQL once, however long it and the list are.
        return self.scalar(value, "text") == any_(self.listed(members, self.kind(value)))

    def like(self, node: Call) -> ColumnElement[bool]:
        value, pattern = arguments(node, 2)
        text = pattern
        while isinstance(text, Call) and text.op in {"casei", "accenti"} and len(text.args) == 1:
            text = text.args[0]
        if not isinstance(text, Value) or not isinstance(text.value, str):
            raise InvalidFilter("LIKE takes a text as its pattern, such as LIKE 'Man%'.")
        if self.kind(value) != "text":
            raise InvalidFilter(f"{self.described(value)} is not a text, as LIKE needs.")
        trailing = len(text.value) - len(text.value.rstrip("\\"))
        if trailing % 2:
            raise InvalidFilter("The pattern of LIKE ends in a backslash that escapes nothing.")
        return self.scalar(value, "text").like(self.scalar(pattern, "text"))

    def is_null(self, node: Call) -> ColumnElement[bool]:
        (operand,) = arguments(node, 1)
        if isinstance(operand, Property):
            return self.queryables.get(operand.name).column.is_(None)
        if not isinstance(operand, Call):
            raise InvalidFilter("IS NULL takes a property.")
        return self.scalar(operand, self.kind(operand)).is_(None)

    def relation(self, node: Call) -> ColumnElement[bool]:
        return RELATIONS[node.op](self, node)


_COMPARE: dict[str, Callable[[Clause, Clause], ColumnElement[bool]]] = {
    "=": lambda left, right: left == right,
    "<>": lambda left, right: left != right,
    "<": lambda left, right: left < right,
    "<=": lambda left, right: left <= right,
    ">": lambda left, right: left > right,
    ">=": lambda left, right: left >= right,
}

_PLAIN = frozenset({"and", "or", "not", "between", *_COMPARE})

_PREDICATES: dict[str, Callable[[_Compiler, Call], ColumnElement[bool]]] = {
    "and": _Compiler.logical,
    "or": _Compiler.logical,
    "not": _Compiler.negation,
    **dict.fromkeys(_COMPARE, _Compiler.comparison),
    "between": _Compiler.between,
    "in": _Compiler.among,
    "like": _Compiler.like,
    "isNull": _Compiler.is_null,
    **dict.fromkeys(RELATIONS, _Compiler.relation),
}
