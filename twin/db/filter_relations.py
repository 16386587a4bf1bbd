"""Relations of space, of time and of lists, as CQL2 defines them (OGC 21-065r2, 7.10 to 7.12)."""

from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import TypeAlias

import orjson
from sqlalchemy import (
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    Double,
    Interval,
    LargeBinary,
    Text,
    and_,
    cast,
    func,
    literal_column,
    not_,
    or_,
)
from sqlalchemy.dialects.postgresql import JSONB

from twin.db.cql2 import OPEN, Call, Items, Moment, Node, Property, Value
from twin.db.filter_values import Clause, Values, arguments
from twin.db.shapes import Shape
from twin.errors import InvalidFilter

Truth: TypeAlias = ColumnElement[bool]
Ends: TypeAlias = tuple[Clause, Clause]
Relation: TypeAlias = Callable[[Values, Call], Truth]

_MOMENT = DateTime(timezone=True)
_FOREVER = {
    "date": [literal_column(f"'{sign}infinity'::date", Date) for sign in ("-", "")],
    "timestamp": [literal_column(f"'{sign}infinity'::timestamptz", _MOMENT) for sign in ("-", "")],
}
_UTC = literal_column("'UTC'", Text)
_LAST_MOMENT = literal_column("'1 day -1 microsecond'::interval", Interval)

# -- space ----------------------------------------------------------------------------------------

_SPATIAL = {
    "s_intersects": "ST_Intersects", "s_equals": "ST_Equals", "s_disjoint": "ST_Disjoint",
    "s_touches": "ST_Touches", "s_within": "ST_Within", "s_overlaps": "ST_Overlaps",
    "s_crosses": "ST_Crosses", "s_contains": "ST_Contains",
}  # fmt: skip
_OF_COLLECTIONS = {"s_intersects", "s_disjoint"}
"""GEOS defines the other relations for geometries of one kind only."""


def spatial(values: Values, node: Call) -> Truth:
    """A relation of two geometries; a box with heights also asks that they meet."""
    left, right = arguments(node, 2)
    function = getattr(func, _SPATIAL[node.op])
    flat = function(_geometry(values, node, left), _geometry(values, node, right), type_=Boolean)
    solids = [(shape, other) for shape, other in ((left, right), (right, left)) if _is_solid(shape)]
    for shape, other in solids:
        flat = _with_heights(values, node.op, flat, shape, other)
    return flat


def _geometry(values: Values, node: Call, operand: Node) -> Clause:
    if isinstance(operand, Shape):
        if operand.is_collection and node.op not in _OF_COLLECTIONS:
            raise InvalidFilter(f"'{node.op}' does not take a GEOMETRYCOLLECTION; name its parts.")
        return func.geometry(values.bind(operand.ewkb, LargeBinary()))
    if not isinstance(operand, Property):
        raise InvalidFilter(
            f"'{node.op}' takes a property and a geometry, such as "
            f"{node.op.upper()}(geometry, POINT(24.97 60.18))."
        )
    queryable = values.queryables.get(operand.name)
    if queryable.type != "geometry":
        raise InvalidFilter(f"'{operand.name}' is a {queryable.type} and not a geometry.")
    return queryable.column


def _is_solid(node: Node) -> bool:
    return isinstance(node, Shape) and node.solid is not None


def _with_heights(values: Values, op: str, flat: Truth, shape: Node, other: Node) -> Truth:
    """Both the flat relation and that the heights meet; what has no heights is at every height."""
    if op not in _OF_COLLECTIONS:
        raise InvalidFilter(f"'{op}' does not take a box with heights; S_INTERSECTS and S_DISJOINT do.")
    heights = values.queryables.get(other.name).heights if isinstance(other, Property) else None
    if heights is None or not isinstance(shape, Shape) or shape.solid is None:
        return flat
    low, high = (values.bind(shape.solid[index], Double()) for index in (2, 5))
    meet = and_(heights[1] >= low, heights[0] <= high)
    return or_(flat, not_(meet)) if op == "s_disjoint" else and_(flat, meet)


# -- time -----------------------------------------------------------------------------------------


def temporal(values: Values, node: Call) -> Truth:
    """A relation of two instants or intervals; a missing end makes it unknown."""
    operands = arguments(node, 2)
    kinds = {kind for operand in operands for kind in _kinds(values, node, operand)}
    if not kinds <= {"date", "timestamp"}:
        raise InvalidFilter(f"'{node.op}' takes dates, times and intervals of them.")
    unit = "timestamp" if "timestamp" in kinds else "date"
    left, right = (_ends(values, operand, unit) for operand in operands)
    return _TEMPORAL[node.op](left, right)


def _kinds(values: Values, node: Call, operand: Node) -> set[str]:
    if isinstance(operand, Call) and operand.op == "interval":
        return {values.kind(end) for end in arguments(operand, 2) if not _is_open(end)}
    if not isinstance(operand, Property | Moment):
        raise InvalidFilter(f"'{node.op}' takes a property, DATE(…), TIMESTAMP(…) or INTERVAL(…).")
    return {values.kind(operand)}


def _is_open(node: Node) -> bool:
    return isinstance(node, Value) and node.value == OPEN


def _ends(values: Values, operand: Node, unit: str) -> Ends:
    """The first and the last moment of an operand."""
    ends = operand.args if isinstance(operand, Call) else (operand, operand)
    first, last = (_end(values, end, unit, at) for at, end in enumerate(ends))
    return first, last


def _end(values: Values, node: Node, unit: str, at: int) -> Clause:
    if _is_open(node):
        return _FOREVER[unit][at]
    if unit == "date" or values.kind(node) == "timestamp":
        return values.scalar(node, "timestamp")
    # A day among times lasts from its first to its last microsecond in UTC.
    if isinstance(node, Moment):
        whole = datetime.combine(node.value, (time.min, time.max)[at], UTC)
        return values.bind(whole, _MOMENT)
    midnight = cast(values.scalar(node, "date"), DateTime())
    return func.timezone(_UTC, midnight + _LAST_MOMENT if at else midnight, type_=_MOMENT)


_TEMPORAL: dict[str, Callable[[Ends, Ends], Truth]] = {
    "t_after": lambda a, b: a[0] > b[1],
    "t_before": lambda a, b: a[1] < b[0],
    "t_contains": lambda a, b: and_(a[0] < b[0], a[1] > b[1]),
    "t_disjoint": lambda a, b: or_(a[1] < b[0], a[0] > b[1]),
    "t_during": lambda a, b: and_(a[0] > b[0], a[1] < b[1]),
    "t_equals": lambda a, b: and_(a[0] == b[0], a[1] == b[1]),
    "t_finishedby": lambda a, b: and_(a[0] < b[0], a[1] == b[1]),
    "t_finishes": lambda a, b: and_(a[0] > b[0], a[1] == b[1]),
    "t_intersects": lambda a, b: and_(a[0] <= b[1], a[1] >= b[0]),
    "t_meets": lambda a, b: a[1] == b[0],
    "t_metby": lambda a, b: a[0] == b[1],
    "t_overlappedby": lambda a, b: and_(a[0] > b[0], a[0] < b[1], a[1] > b[1]),
    "t_overlaps": lambda a, b: and_(a[0] < b[0], a[1] > b[0], a[1] < b[1]),
    "t_startedby": lambda a, b: and_(a[0] == b[0], a[1] > b[1]),
    "t_starts": lambda a, b: and_(a[0] == b[0], a[1] < b[1]),
}

# -- lists ----------------------------------------------------------------------------------------

_ANY_SAME = literal_column("'$[*] ? (@ == $x[*])'::jsonpath", Text)
_X = literal_column("'x'", Text)


def of_lists(values: Values, node: Call) -> Truth:
    """A relation of two lists, taken as sets of texts, numbers and booleans."""
    left, right = (_list(values, node, operand) for operand in arguments(node, 2))
    return _LISTS[node.op](left, right)


def _list(values: Values, node: Call, operand: Node) -> Clause:
    match operand:
        case Property(name) if values.queryables.get(name).type == "list":
            return values.queryables.get(name).column
        case Value(value) if value is not None:
            # A list of one, which parentheses in text do not tell from the value.
            return cast(values.bind(orjson.dumps([value]).decode(), Text()), JSONB)
        case Items(members):
            literals = [member.value for member in members if isinstance(member, Value)]
            if len(literals) == len(members):
                return cast(values.bind(orjson.dumps(literals).decode(), Text()), JSONB)
        case _:
            pass
    raise InvalidFilter(f"'{node.op}' takes a property that is a list, and lists such as ('a', 'b').")


def _overlap(left: Clause, right: Clause) -> Truth:
    """Whether any element of one is in the other."""
    return func.jsonb_path_exists(left, _ANY_SAME, func.jsonb_build_object(_X, right), type_=Boolean)


def _contains(left: Clause, right: Clause) -> Truth:
    return func.jsonb_contains(left, right, type_=Boolean)


_LISTS: dict[str, Callable[[Clause, Clause], Truth]] = {
    "a_contains": _contains,
    "a_containedby": lambda a, b: _contains(b, a),
    "a_equals": lambda a, b: and_(_contains(a, b), _contains(b, a)),
    "a_overlaps": _overlap,
}

RELATIONS: dict[str, Relation] = {
    **dict.fromkeys(_SPATIAL, spatial),
    **dict.fromkeys(_TEMPORAL, temporal),
    **dict.fromkeys(_LISTS, of_lists),
}
