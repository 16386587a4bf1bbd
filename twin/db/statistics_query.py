"""Aggregates of the properties of a selection, by groups, as a statement."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    nulls_last,
    select,
)

from twin.db.groupings import Grouping, grouped_rows, planned
from twin.db.query import Selection, Statement, statement
from twin.db.queryables import Queryable

MAX_GROUPS = 10_000
INFINITY = literal_column("'Infinity'::float8", Double)


@dataclass(frozen=True, slots=True, eq=False)
class Aggregate:
    """One number of each group: a function, the property it is of, and the fraction of a quantile."""

    function: str
    queryable: Queryable | None = None
    fraction: float | None = None

    @property
    def name(self) -> str:
        if self.queryable is None:
            return self.function
        fraction = "" if self.fraction is None else f",{self.fraction:g}"
        return f"{self.function}({self.queryable.name}{fraction})"


def finite(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """The column as a double, null where it is infinite or not a number.

    PostgreSQL sorts NaN above every number, so one comparison leaves both out.
    """
    value = cast(column, Double)
    return case((func.abs(value) < INFINITY, value), else_=null())


def statistics(
    selection: Selection, aggregates: Sequence[Aggregate], groupings: Sequence[Grouping]
) -> Statement:
    """One row for each group, missing values last: g0, g1, … the groups, and a0, a1, … the aggregates.

    At most `MAX_GROUPS` and one more.
    """
    measured = {a.queryable.name: finite(a.queryable.column) for a in aggregates if a.queryable is not None}
    places = {name: f"x{index}" for index, name in enumerate(measured)}
    named: dict[str, ColumnElement[Any]] = {places[name]: value for name, value in measured.items()}
    # Without groups and properties there would be no column at all.
    values_of = grouped_rows(selection, groupings, {**named, "one": literal_column("1", Integer)})
    v = values_of.c
    keys = [v[f"g{index}"] for index in range(len(groupings))]
    values: dict[str, Any] = {"rows": MAX_GROUPS + 1}
    outer: list[ColumnElement[Any]] = list(keys)
    for index, aggregate in enumerate(aggregates):
        value = None if aggregate.queryable is None else v[places[aggregate.queryable.name]]
        if aggregate.fraction is not None:
            values[f"fraction_{index}"] = aggregate.fraction
        outer.append(_AGGREGATES[aggregate.function](value, index).label(f"a{index}"))
    clause = select(*outer).select_from(values_of).group_by(*keys).order_by(*map(nulls_last, keys))
    clause = clause.limit(bindparam("rows", type_=BigInteger))
    for grouping in groupings:
        values |= grouping.values
    shape = (tuple(grouping.key for grouping in groupings), tuple(_shape(a) for a in aggregates))
    return planned(statement("statistics", clause, selection, shape, **values), groupings)


def _shape(aggregate: Aggregate) -> tuple[str, str | None]:
    return aggregate.function, None if aggregate.queryable is None else aggregate.queryable.name


def _count(value: ColumnElement[Any] | None, _: int) -> ColumnElement[Any]:
    return func.count() if value is None else func.count(value)


def _share(value: ColumnElement[Any] | None, _: int) -> ColumnElement[Any]:
    """Of the whole selection, in features or in the sum of a property."""
    part = cast(func.count() if value is None else func.sum(value), Double)
    return part / func.nullif(func.sum(part).over(), literal_column("0", Double), type_=Double)


def _quantile(value: ColumnElement[Any] | None, index: int) -> ColumnElement[Any]:
    fraction = bindparam(f"fraction_{index}", type_=Double)
    return func.percentile_cont(fraction).within_group(_of(value))


def _median(value: ColumnElement[Any] | None, _: int) -> ColumnElement[Any]:
    return func.percentile_cont(literal_column("0.5", Double)).within_group(_of(value))


def _of(value: ColumnElement[Any] | None) -> ColumnElement[Any]:
    if value is None:
        raise ValueError("the aggregate needs a property")
    return value


def _plain(name: str) -> Callable[[ColumnElement[Any] | None, int], ColumnElement[Any]]:
    return lambda value, _: getattr(func, name)(_of(value), type_=Double)


_AGGREGATES: dict[str, Callable[[ColumnElement[Any] | None, int], ColumnElement[Any]]] = {
    "count": _count,
    "share": _share,
    "sum": _plain("sum"),
    "avg": _plain("avg"),
    "min": _plain("min"),
    "max": _plain("max"),
    "median": _median,
    "quantile": _quantile,
    "stddev": _plain("stddev_samp"),
}

FUNCTIONS = tuple(_AGGREGATES)
"""The aggregates that are offered."""
