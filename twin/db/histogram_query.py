"""How the values of one property are spread over a selection, as statements."""

from collections.abc import Hashable
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Double,
    Integer,
    Subquery,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    select,
)

from twin.db.groupings import Grouping, grouped_rows, planned
from twin.db.query import Selection, Statement, statement
from twin.db.queryables import Queryable
from twin.db.statistics_query import INFINITY

MAX_ROWS = 20_000
"""More rows than this mean that the grouping is no grouping."""


def number_histogram(
    selection: Selection, queryable: Queryable, bins: int, group: Grouping | None = None
) -> Statement:
    """Equal bins between the lowest and the highest value, the same for all groups.

    Columns: grouped, bin (0 to bins - 1; null for missing values), count, minimum, maximum (of the
    whole selection). Bins without values have no row. What is not finite counts as missing.
    """
    number = bindparam("bins", type_=Integer)
    bounds = _bounds(selection, queryable)
    low, high = (select(column).scalar_subquery() for column in bounds.c)
    value = cast(queryable.column, Double)
    index = func.least(func.floor((value - low) * (number / (high - low))), number - 1)
    # Where all values are one there is no width, and they share the first bin.
    last = case((low == high, literal_column("0", Integer)), else_=number - 1)
    bin_ = case((and_(value >= low, value < high), cast(index, Integer)), (value == high, last), else_=null())
    rows = _rows(selection, bin_, group)
    counted: list[ColumnElement[Any]] = [
        rows.c.grouped,
        rows.c.value.label("bin"),
        func.count().label("count"),
    ]
    bins_ = select(*counted).group_by(rows.c.grouped, rows.c.value).subquery("b")
    columns: list[ColumnElement[Any]] = [*bins_.c, low.label("minimum"), high.label("maximum")]
    clause = (
        select(*columns).order_by(bins_.c.grouped, bins_.c.bin).limit(bindparam("rows", type_=BigInteger))
    )
    shape = _shape(queryable, group)
    found = statement("number_histogram", clause, selection, shape, bins=bins, **_bound(group))
    return planned(found, _groups(group))


def _bounds(selection: Selection, queryable: Queryable) -> CTE:
    """The lowest and the highest value, from the ends of an index where there is one.

    They are found before the rows are read, so that processes can share those among them.
    """
    column = queryable.column
    # Above every number is NaN, which is left out with the infinite ones.
    numbers = and_(column > -INFINITY, column < INFINITY)
    ends: list[ColumnElement[Any]] = [
        cast(func.min(column), Double).label("minimum"),
        cast(func.max(column), Double).label("maximum"),
    ]
    return select(*ends).select_from(selection.source).where(selection.where(), numbers).cte("bounds")


def value_histogram(selection: Selection, queryable: Queryable, group: Grouping | None = None) -> Statement:
    """How often each text or boolean occurs. Columns: grouped, value (null: missing), count."""
    values = _rows(selection, queryable.column, group)
    number = func.count().label("count")
    columns: list[ColumnElement[Any]] = [values.c.grouped, values.c.value, number]
    clause = (
        select(*columns)
        .group_by(values.c.grouped, values.c.value)
        .order_by(values.c.grouped, number.desc(), values.c.value)
        .limit(bindparam("rows", type_=BigInteger))
    )
    shape = _shape(queryable, group)
    return planned(statement("value_histogram", clause, selection, shape, **_bound(group)), _groups(group))


def _rows(selection: Selection, value: ColumnElement[Any], group: Grouping | None) -> Subquery:
    """A ``value`` of each feature, and what it is ``grouped`` by, which is null without a group."""
    if group is None:
        columns: list[ColumnElement[Any]] = [value.label("value"), cast(null(), Text).label("grouped")]
        return select(*columns).select_from(selection.source).where(selection.where()).subquery("r")
    rows = grouped_rows(selection, (group,), {"value": value}).c
    return select(rows.value, rows.g0.label("grouped")).subquery("r")


def _shape(queryable: Queryable, group: Grouping | None) -> tuple[str, Hashable]:
    return queryable.name, None if group is None else group.key


def _groups(group: Grouping | None) -> tuple[Grouping, ...]:
    return () if group is None else (group,)


def _bound(group: Grouping | None) -> dict[str, Any]:
    return {"rows": MAX_ROWS + 1, **({} if group is None else group.values)}
