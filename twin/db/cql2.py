"""The syntax tree of a CQL2 filter (OGC 21-065r2), its limits and its JSON encoding.

A tree is made of frozen values, so that equal filters are equal, hashable and cacheable.
`twin.db.cql2_text` reads the text encoding into the same tree.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, TypeAlias, cast

import orjson

from twin.db.shapes import Shape, ShapeError, box_in, from_geojson, to_geojson
from twin.errors import InvalidFilter
from twin.model.offered import CRS84, OfferedSystem

MAX_BYTES = 16 * 1024
MAX_NODES = 2_000
MAX_DEPTH = 40

OPEN = ".."
"""The end of an interval that has none."""

Literal: TypeAlias = str | bool | int | float | None


@dataclass(frozen=True, slots=True)
class Property:
    """A reference to a queryable."""

    name: str


@dataclass(frozen=True, slots=True, eq=False)
class Value:
    """A text, number, boolean or null; a whole number is an int however it was written."""

    value: Literal

    def __eq__(self, other: object) -> bool:
        """By type as well: to Python 1 is True, and what is remembered of one filter is not the other's."""
        if not isinstance(other, Value):
            return NotImplemented
        return type(self.value) is type(other.value) and self.value == other.value

    def __hash__(self) -> int:
        return hash((type(self.value), self.value))

    @classmethod
    def number(cls, value: float) -> "Value":
        """A number, refused where no double can hold it."""
        if not math.isfinite(value):
            raise InvalidFilter("A number in the filter is too large.")
        whole = isinstance(value, int) or (value.is_integer() and abs(value) < 2**53)
        return cls(int(value) if whole else value)


@dataclass(frozen=True, slots=True)
class Moment:
    """A ``date`` or ``timestamp``, as written."""

    kind: str
    text: str

    @property
    def value(self) -> date | datetime:
        """The date, or the time in UTC."""
        if self.kind == "date":
            return datetime.strptime(self.text, "%Y-%m-%d").date()
        return datetime.fromisoformat(self.text.upper()).astimezone(UTC)


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function with its arguments, lower-case but for ``isNull``.

    ``depth`` and ``size`` count the levels and the nodes from here down.
    """

    op: str
    args: tuple["Node", ...]
    depth: int
    size: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list of values, as IN takes one."""

    members: tuple["Node", ...]
    depth: int
    size: int


Node: TypeAlias = Property | Value | Moment | Shape | Call | Items


def _measure(args: Sequence[Node]) -> tuple[int, int]:
    depth, size = 1, 1
    for arg in args:
        if isinstance(arg, (Call, Items)):
            depth = max(depth, 1 + arg.depth)
            size += arg.size
        else:
            size += 1
    if depth > MAX_DEPTH:
        raise too_deep()
    if size > MAX_NODES:
        raise InvalidFilter(f"The filter has more than {MAX_NODES} operators and values.")
    return depth, size


def too_deep() -> InvalidFilter:
    """The refusal of a filter that nests too far."""
    return InvalidFilter(f"The filter nests deeper than {MAX_DEPTH} levels.")


def call(op: str, *args: Node) -> Call:
    """A call within the limits of depth and size; raises InvalidFilter beyond them."""
    return Call(op, args, *_measure(args))


def items(members: Sequence[Node]) -> Items:
    """A list within the limits of depth and size; raises InvalidFilter beyond them."""
    return Items(tuple(members), *_measure(members))


def text_value(text: str) -> Value:
    """A text; raises InvalidFilter for the character that no database text can hold."""
    if "\0" in text:
        raise InvalidFilter("A text in the filter holds the character U+0000.")
    return Value(text)


def moment(kind: str, text: str) -> Moment:
    """A date such as 2026-01-31 or a time such as 2026-01-31T12:00:00Z; raises InvalidFilter."""
    found = Moment(kind, text)
    try:
        if kind == "timestamp" and datetime.fromisoformat(text.upper()).tzinfo is None:
            raise ValueError
        assert found.value
    except (ValueError, OverflowError):
        example = "2026-01-31" if kind == "date" else "2026-01-31T12:00:00Z"
        raise InvalidFilter(f"'{text[:60]}' is no {kind}, such as {example}.") from None
    return found


def interval(ends: Sequence[Node]) -> Call:
    """The time between two ends: properties, dates, times, or texts of them, or `OPEN`."""
    return call("interval", *map(_end, ends))


def _end(node: Node) -> Node:
    match node:
        case Value(str(text)) if text != OPEN:
            return moment("timestamp" if "T" in text.upper() else "date", text)
        case Property() | Moment() | Value(str()):
            return node
        case _:
            raise InvalidFilter(f"An interval ends in a date, a time, a property or '{OPEN}'.")


def from_json(data: bytes | str, system: OfferedSystem = CRS84) -> Node:
    """The tree of a CQL2 JSON document whose geometries are in a system; raises InvalidFilter."""
    try:
        loaded = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidFilter(f"The filter is not JSON: {error}.") from None
    return _node(loaded, 0, system)


def _node(data: Any, depth: int, system: OfferedSystem) -> Node:
    if depth > 2 * MAX_DEPTH:
        raise too_deep()
    if isinstance(data, dict):
        return _object(cast(dict[str, Any], data), depth, system)
    if isinstance(data, list):
        return items([_node(member, depth + 1, system) for member in cast(list[Any], data)])
    return _literal(data)


def _literal(data: Literal) -> Value:
    if isinstance(data, str):
        return text_value(data)
    if data is None or isinstance(data, bool):
        return Value(data)
    return Value.number(data)


def _object(data: dict[str, Any], depth: int, system: OfferedSystem) -> Node:
    if "op" in data:
        return _call(data, depth, system)
    if isinstance(name := data.get("property"), str):
        return Property(name)
    for kind in ("date", "timestamp"):
        if isinstance(text := data.get(kind), str):
            return moment(kind, text)
    if isinstance(ends := data.get("interval"), list):
        return interval([_node(end, depth + 1, system) for end in cast(list[Any], ends)])
    if "bbox" in data:
        return bounding_box(data["bbox"], system)
    if "type" in data:
        return geometry(data, system)
    raise InvalidFilter(
        f"The filter has an object with the members {', '.join(map(repr, data)) or 'none'}; "
        "expected 'op' and 'args', 'property', 'date', 'timestamp', 'interval', 'bbox' or a GeoJSON geometry."
    )


def _call(data: dict[str, Any], depth: int, system: OfferedSystem) -> Call:
    op, args = data["op"], data.get("args")
    if not isinstance(op, str) or not isinstance(args, list):
        raise InvalidFilter("In the filter, 'op' has to be a text and 'args' a list.")
    members = [_node(arg, depth + 1, system) for arg in cast(list[Any], args)]
    name = "isNull" if op.lower() == "isnull" else op.lower()
    return interval(members) if name == "interval" else call(name, *members)


def geometry(data: dict[str, Any], system: OfferedSystem = CRS84) -> Shape:
    """The geometry of a GeoJSON object in a reference system; raises InvalidFilter."""
    try:
        return from_geojson(orjson.dumps(data).decode(), system)
    except ShapeError as error:
        raise InvalidFilter(f"A geometry in the filter is not usable: {error}") from None


def bounding_box(numbers: Any, system: OfferedSystem = CRS84) -> Shape:
    """The rectangle of two corners in the order of the axes, or with heights of six numbers."""
    given = cast(list[object], numbers) if isinstance(numbers, list) else []
    corners = [float(number) for number in given if isinstance(number, int | float)]
    if len(corners) != len(given) or len(corners) not in (4, 6) or not all(map(math.isfinite, corners)):
        raise InvalidFilter("A bbox in the filter needs 4 or 6 numbers.")
    try:
        return box_in(system, corners)
    except ShapeError as error:
        raise InvalidFilter(f"A bbox in the filter is not usable: {error}") from None


def to_json(node: Node) -> Any:
    """The tree as CQL2 JSON, for orjson."""
    match node:
        case Property(name):
            return {"property": name}
        case Value(value):
            return value
        case Moment(kind, text):
            return {kind: text}
        case Shape(_, solid):
            return {"bbox": list(solid)} if solid else orjson.Fragment(to_geojson(node))
        case Call("interval", ends):
            return {"interval": [end.text if isinstance(end, Moment) else to_json(end) for end in ends]}
        case Items(members):
            return [to_json(member) for member in members]
        case Call(op, args):
            return {"op": op, "args": [to_json(arg) for arg in args]}
