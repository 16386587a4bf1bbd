"""How the values of one property are spread over a selection, as statements."""

from collections.abc import Hashable
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Text,
    bindparam,
    case,
    cast,
    func,
    literal,
    null,
    select,
)

from twin.db.groupings import Grouping
from twin.db.query import Selection, Statement, statement
from twin.db.queryables import Queryable
from twin.db.statistics_query import finite, joined

MAX_ROWS = 20_000
"""More rows than this mean that the grouping is no grouping."""


def number_histogram(
    selection: Selection, queryable: Queryable, bins: int, group: Grouping | None = None
) -> Statement:
    """Equal bins between the lowest and the highest value, the same for all groups.

    Columns: grouped, bin (0 to bins - 1; null for missing values), count, minimum, maximum (of the
    whole selection). Bins without values have no row. What is not finite counts as missing.
    """
    values = _values(selection, finite(queryable.column), group)
    number = bindparam("bins", type_=Integer)
    low, high = func.min(values.c.value), func.max(values.c.value)
    # Where all values are one there is no width, and they share the first bin.
    per_unit = func.coalesce(number.op("/")(func.nullif(high - low, 0, type_=Double)), 0, type_=Double)
    measured: list[ColumnElement[Any]] = [
        low.label("minimum"),
        high.label("maximum"),
        per_unit.label("per_unit"),
    ]
    bounds = select(*measured).select_from(values).subquery("bounds")
    b = bounds.c
    index = func.least(func.floor((values.c.value - b.minimum) * b.per_unit), number - 1)
    bin_: ColumnElement[Any] = case((values.c.value.is_(None), null()), else_=cast(index, Integer)).label(
        "bin"
    )
    columns: list[ColumnElement[Any]] = [
        values.c.grouped,
        bin_,
        func.count().label("count"),
        b.minimum,
        b.maximum,
    ]
    clause = (
        select(*columns)
        .select_from(values.join(bounds, literal(True)))
        .group_by(values.c.grouped, bin_, b.minimum, b.maximum)
        .order_by(values.c.grouped, bin_)
        .limit(bindparam("rows", type_=BigInteger))
    )
    return statement(
        "number_histogram",
        clause,
        selection,
        _shape(queryable, group),
        bins=bins,
        rows=MAX_ROWS + 1,
        **_bound(group),
    )


def value_histogram(selection: Selection, queryable: Queryable, group: Grouping | None = None) -> Statement:
    """How often each text or boolean occurs. Columns: grouped, value (null: missing), count."""
    values = _values(selection, queryable.column, group)
    number = func.count().label("count")
    columns: list[ColumnElement[Any]] = [values.c.grouped, values.c.value, number]
    clause = (
        select(*columns)
        .group_by(values.c.grouped, values.c.value)
        .order_by(values.c.grouped, number.desc(), values.c.value)
        .limit(bindparam("rows", type_=BigInteger))
    )
    shape = _shape(queryable, group)
    return statement("value_histogram", clause, selection, shape, rows=MAX_ROWS + 1, **_bound(group))


def _values(selection: Selection, value: ColumnElement[Any], group: Grouping | None) -> CTE:
    grouped: ColumnElement[Any] = cast(null(), Text) if group is None else group.column
    columns: list[ColumnElement[Any]] = [value.label("value"), grouped.label("grouped")]
    features = joined(selection, () if group is None else (group,))
    return select(*columns).select_from(features).where(selection.where()).cte("v")


def _shape(queryable: Queryable, group: Grouping | None) -> tuple[str, Hashable]:
    return queryable.name, None if group is None else group.key


def _bound(group: Grouping | None) -> dict[str, Any]:
    return {} if group is None else dict(group.values)
