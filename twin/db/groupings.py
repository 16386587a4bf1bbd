"""By what features are grouped: a property, a decade, classes.

Grids are in `twin.db.grids`, areas in `twin.db.area_groups`.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Subquery,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import ARRAY

from twin.db.query import AnySelect, Planned, Selection, Statement
from twin.db.queryables import Queryable
from twin.errors import InvalidParameter

MAX_BREAKS = 100
_TEN = literal_column("10", Double)
_NOTHING = literal_column("'0'", BigInteger)
"""An offset of nothing; of a plain 0, to be converted to bigint, the planner makes no parallel plan."""

_GROUPED = {"text", "boolean", "integer", "date"}


Ring: TypeAlias = Sequence[tuple[float, float]]


Columns: TypeAlias = Mapping[str, ColumnElement[Any]]
Step: TypeAlias = Callable[[Columns], Columns]

VALUE = "value"


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """A value of each feature to group by; ``shown`` makes of it what people read.

    ``steps`` compute it one from another: the first from columns of the features, each from what the one
    before gives, and the last gives `VALUE`. ``join`` adds to the features what the first takes, and
    ``beside`` to what the last takes the columns of rows, of which a feature may have any number. Of cells
    ``outlines`` gives the rings of values in longitude and latitude; of areas ``areas`` reads ``area``, the
    value, and its ``geometry``, as GeoJSON. Processes share the rows where they are ``shared``.
    """

    name: str
    steps: Sequence[Step]
    key: Hashable
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    shown: Callable[[Any], Any] = lambda value: value
    join: Callable[[FromClause], FromClause] = lambda features: features
    beside: Callable[[Columns], AnySelect] | None = None
    outlines: Callable[[Sequence[Any]], Sequence[Ring]] | None = None
    areas: Statement | None = None
    shared: bool = True


def of_column(column: ColumnElement[Any]) -> Sequence[Step]:
    """The steps to a value that features have as they are."""
    return (lambda _: {VALUE: column},)


def grouped_rows(selection: Selection, groupings: Sequence[Grouping], columns: Columns) -> Subquery:
    """The features of a selection: what they are grouped by, as g0, g1, …, and columns by name.

    Each step is a subquery, which by its OFFSET the planner keeps; else it would compute a column anew
    wherever it is named. As subqueries of the features, and not beside them, processes can share the rows.
    """
    source = selection.source
    for grouping in groupings:
        source = grouping.join(source)
    given = [dict(grouping.steps[0]({})) for grouping in groupings]
    clause = select(*_labelled(columns, given)).select_from(source).where(selection.where())
    for number in range(1, max((len(grouping.steps) for grouping in groupings), default=1)):
        table: FromClause = clause.offset(_NOTHING).subquery(f"step_{number}")
        rows = table.c
        before = [{name: rows[_label(i, name)] for name in each} for i, each in enumerate(given)]
        for index, grouping in enumerate(groupings):
            if grouping.beside is not None and number == len(grouping.steps) - 1:
                # As a subquery of its own each row asks its index; else all rows would be compared with all.
                more = grouping.beside(before[index]).offset(_NOTHING).lateral(f"beside_{index}")
                table = table.outerjoin(more, true())
                before[index].update(more.c.items())
        steps = [grouping.steps[number : number + 1] for grouping in groupings]
        given = [dict(step[0](each)) if step else each for step, each in zip(steps, before, strict=True)]
        clause = select(*_labelled({name: rows[name] for name in columns}, given)).select_from(table)
    return clause.subquery("v")


def planned(statement: Statement, groupings: Sequence[Grouping]) -> Statement:
    """A statement over `grouped_rows`, for one process if these are not to be shared."""
    shared = all(grouping.shared for grouping in groupings)
    return statement if shared else replace(statement, planned=Planned.ALONE)


def _labelled(columns: Columns, groups: Sequence[Columns]) -> list[ColumnElement[Any]]:
    grouped = (
        column.label(_label(i, name)) for i, each in enumerate(groups) for name, column in each.items()
    )
    return [*grouped, *(column.label(name) for name, column in columns.items())]


def _label(index: int, name: str) -> str:
    return f"g{index}" if name == VALUE else f"g{index}_{name}"


def by_property(queryable: Queryable) -> Grouping:
    """One group for each value; InvalidParameter where the values are not few by their nature."""
    if queryable.type not in _GROUPED:
        raise InvalidParameter(
            f"'groupby' is '{queryable.name}', a {queryable.type}, which has too many values. "
            f"A number is grouped by classes, such as classes({queryable.name},0,10,20)."
        )
    return Grouping(queryable.name, of_column(queryable.column), queryable.name)


def by_decade(queryable: Queryable) -> Grouping:
    """Ten years each, named by the first: 1950 stands for 1950 to 1959."""
    _check_number(queryable, "decade")
    first = cast(func.floor(cast(queryable.column, Double) / _TEN, type_=Double) * _TEN, Integer)
    return Grouping(f"decade({queryable.name})", of_column(first), ("decade", queryable.name))


def by_class(queryable: Queryable, breaks: Sequence[float], index: int) -> Grouping:
    """Classes between ascending breaks, the lower one within: ``..0``, ``0..10``, ``10..``."""
    _check_number(queryable, "classes")
    if not 1 <= len(breaks) <= MAX_BREAKS or list(breaks) != sorted(set(breaks)):
        raise InvalidParameter(f"'classes' takes 1 to {MAX_BREAKS} ascending numbers after the property.")
    name = f"breaks_{index}"
    bound = bindparam(name, type_=ARRAY(Double))
    column = func.width_bucket(cast(queryable.column, Double), bound, type_=Integer)
    edges = ["", *(f"{edge:.15g}" for edge in breaks), ""]

    def shown(number: int | None) -> str | None:
        return None if number is None else f"{edges[number]}..{edges[number + 1]}"

    numbers = ",".join(edges[1:-1])
    label = f"classes({queryable.name},{numbers})"
    return Grouping(label, of_column(column), ("classes", queryable.name), {name: list(breaks)}, shown)


def _check_number(queryable: Queryable, function: str) -> None:
    if queryable.type not in {"integer", "number"}:
        raise InvalidParameter(f"'{function}' takes a number, and '{queryable.name}' is a {queryable.type}.")
