"""Reads CQL2 text (OGC 21-065r2, annex B) in linear time.

A parser of our own, because the one of the ``cql2`` package takes exponential time over nested
parentheses and overflows its stack: twenty parentheses would stop a server for seconds, ten
thousand would end it. The tests compare the two on random filters.
"""

import re
from collections.abc import Callable
from functools import partial
from typing import NamedTuple, NoReturn

from twin.db.cql2 import (
    MAX_DEPTH,
    Call,
    Node,
    Property,
    Value,
    bounding_box,
    call,
    interval,
    items,
    moment,
    text_value,
    too_deep,
)
from twin.db.shapes import Shape, ShapeError, from_wkt
from twin.errors import InvalidFilter
from twin.model.offered import CRS84, OfferedSystem

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<text>'(?:[^'\\]|''|\\'|\\)*')
    | (?P<quoted>"(?:[^"]|"")+")
    | (?P<word>[^\W\d][\w.:]*)
    | (?P<sign><>|<=|>=|!=|[-=<>+*/%^(),])
    )""",
    re.VERBOSE,
)
_GEOMETRIES = {
    "POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION",
}  # fmt: skip
_RESERVED = {"AND", "OR", "NOT", "IN", "BETWEEN", "LIKE", "IS", "NULL", "DIV"}
_KEYWORDS = {"word", "sign"}
_COMPARISONS = {"=": "=", "<>": "<>", "!=": "<>", "<": "<", ">": ">", "<=": "<=", ">=": ">="}


_LEVELS = {"+": 1, "-": 1, "*": 2, "/": 2, "%": 2, "DIV": 2, "^": 3}
"""How closely operators of arithmetic bind."""


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int
    keyword: str = ""
    """Upper-case, where the token can be a keyword or a sign."""


def parse_text(text: str, system: OfferedSystem = CRS84) -> Node:
    """The tree of a CQL2 text, geometries in a system; raises InvalidFilter with the place of the mistake."""
    parser = _Parser(text, system)
    node = parser.expression()
    parser.end()
    return node


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    position, end = 0, len(text.rstrip())
    while position < end:
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            start = position + len(text[position:]) - len(text[position:].lstrip())
            what = "a quotation mark that is not closed" if text[start] in "'\"" else f"'{text[start]}'"
            raise InvalidFilter(f"The filter cannot be read at character {start + 1}: {what}.")
        kind = match.lastgroup
        start, position = match.span(kind)
        token = text[start:position]
        found.append(_Token(kind, token, start, position, token.upper() if kind in _KEYWORDS else ""))
    return [*found, _Token("end", "", end, end)]


class _Parser:
    """Recursive descent, one method for each level of precedence but for arithmetic, which has one."""

    def __init__(self, text: str, system: OfferedSystem) -> None:
        self._text = text
        self._system = system
        self._tokens = _tokens(text)
        self._at = 0
        self._depth = 0

    @property
    def _token(self) -> _Token:
        return self._tokens[self._at]

    def _take(self) -> _Token:
        token = self._token
        self._at += 1
        return token

    def _accept(self, *keywords: str) -> str | None:
        """Goes past the next token and returns it where it is one of the keywords."""
        keyword = self._tokens[self._at].keyword
        if keyword not in keywords:
            return None
        self._at += 1
        return keyword

    def _expect(self, keyword: str) -> None:
        if self._accept(keyword) is None:
            self._fail(f"'{keyword}'")

    def _fail(self, expected: str) -> NoReturn:
        token = self._token
        found = "it ends" if token.kind == "end" else f"found {token.text[:40]!r}"
        raise InvalidFilter(
            f"The filter cannot be read at character {token.start + 1}: expected {expected}, {found}."
        )

    def end(self) -> None:
        if self._token.kind != "end":
            self._fail("AND, OR, an operator or the end")

    def _nested(self, parse: Callable[[], Node]) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise too_deep()
        node = parse()
        self._depth -= 1
        return node

    def expression(self) -> Node:
        return self._chain("OR", self._conjunction)

    def _conjunction(self) -> Node:
        return self._chain("AND", self._negation)

    def _chain(self, keyword: str, parse: Callable[[], Node]) -> Node:
        parts = [parse()]
        while self._accept(keyword):
            parts.append(parse())
        return parts[0] if len(parts) == 1 else call(keyword.lower(), *parts)

    def _negation(self) -> Node:
        if self._accept("NOT"):
            return call("not", self._nested(self._negation))
        return self._predicate()

    def _predicate(self) -> Node:
        left = self._sum()
        if self._token.text in _COMPARISONS:
            return call(_COMPARISONS[self._take().text], left, self._sum())
        if self._accept("IS"):
            negated = self._accept("NOT")
            self._expect("NULL")
            return _maybe_not(call("isNull", left), negated)
        negated = self._accept("NOT")
        match self._accept("LIKE", "BETWEEN", "IN"):
            case "LIKE":
                return _maybe_not(call("like", left, self._sum()), negated)
            case "BETWEEN":
                return _maybe_not(self._between(left), negated)
            case "IN":
                self._expect("(")
                return _maybe_not(call("in", left, items(self._list())), negated)
            case _:
                return self._fail("LIKE, BETWEEN or IN") if negated else left

    def _between(self, left: Node) -> Call:
        low = self._sum()
        self._expect("AND")
        return call("between", left, low, self._sum())

    def _list(self) -> list[Node]:
        """The members up to the closing parenthesis; at least one."""
        members = [self._nested(self.expression)]
        while self._accept(","):
            members.append(self._nested(self.expression))
        self._expect(")")
        return members

    def _sum(self, least: int = 1) -> Node:
        """Operands and the operators between them that bind at least so closely."""
        node = self._unary()
        while (level := _LEVELS.get(self._token.keyword, 0)) >= least:
            operator = self._take().keyword.lower()
            # Powers are taken from the right, all others from the left.
            right = self._nested(partial(self._sum, level)) if operator == "^" else self._sum(level + 1)
            node = call(operator, node, right)
        return node

    def _unary(self) -> Node:
        if not self._accept("-"):
            return self._primary()
        node = self._nested(self._unary)
        if isinstance(node, Value) and isinstance(node.value, int | float):
            return Value.number(-node.value)
        return call("*", Value(-1), node)

    def _primary(self) -> Node:
        token = self._token
        if token.kind == "number":
            return _number(self._take().text)
        if token.kind == "text":
            return _text(self._take().text)
        if token.kind == "quoted":
            return Property(self._take().text[1:-1].replace('""', '"'))
        if token.kind == "word" and token.keyword not in _RESERVED:
            return self._word()
        if self._accept("NULL"):
            return Value(None)
        if self._accept("("):
            return self._parenthesis()
        return self._fail("a property, a value or '('")

    def _parenthesis(self) -> Node:
        members = self._list()
        return members[0] if len(members) == 1 else items(members)

    def _word(self) -> Node:
        token = self._take()
        keyword = token.keyword
        if keyword in {"TRUE", "FALSE"}:
            return Value(keyword == "TRUE")
        if keyword in _GEOMETRIES and (self._token.text == "(" or self._token.keyword in {"Z", "M", "ZM"}):
            return self._geometry(token.start)
        if not self._accept("("):
            return Property(token.text)
        arguments = [] if self._accept(")") else self._list()
        return _function(token.text, arguments, self._system)

    def _geometry(self, start: int) -> Shape:
        """A well-known text, from its first word to the parenthesis that closes it."""
        depth = 0
        while True:
            token = self._take()
            if token.kind == "end":
                raise InvalidFilter("The filter ends inside a geometry: a ')' is missing.")
            depth += (token.text == "(") - (token.text == ")")
            if depth > MAX_DEPTH:
                raise too_deep()
            if token.kind == "number":
                _number(token.text)
            if depth == 0 and token.text == ")":
                break
        try:
            return from_wkt(self._text[start : token.end], self._system)
        except ShapeError as error:
            raise InvalidFilter(
                f"The geometry at character {start + 1} of the filter is not usable: {error}"
            ) from None


def _maybe_not(node: Call, negated: str | None) -> Call:
    return call("not", node) if negated else node


def _number(text: str) -> Value:
    return Value.number(int(text) if text.isdigit() and len(text) <= 18 else float(text))


def _text(quoted: str) -> Value:
    return text_value(re.sub(r"''|\\'", "'", quoted[1:-1]))


def _function(name: str, arguments: list[Node], system: OfferedSystem) -> Node:
    lower = name.lower()
    if lower in {"date", "timestamp"} and len(arguments) == 1:
        argument = arguments[0]
        if isinstance(argument, Value) and isinstance(argument.value, str):
            return moment(lower, argument.value)
    if lower == "interval":
        return interval(arguments)
    if lower == "bbox":
        return bounding_box([a.value if isinstance(a, Value) else None for a in arguments], system)
    return call(lower, *arguments)
