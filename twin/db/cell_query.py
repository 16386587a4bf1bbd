"""How many objects of which sizes lie in which cells: what tilesets are made of.

What all of a collection has is counted when it changes and not when a tileset is asked for:
``cell_summary`` holds the cells of one level. `refresh_summary` keeps it, in the transaction of whoever
writes features, for the cells that the triggers of ``feature`` wrote down in ``cell_change``. What a
filter leaves is counted when it is asked for.
"""

from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    and_,
    any_,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from twin.db.cell_tables import cell_change, cell_summary
from twin.db.collections import FEATURES
from twin.db.query import AnySelect, Selection, Statement, View, primary_datasets, statement
from twin.db.schema import dataset
from twin.db.tile_measures import block_m, cell_values, in_cell, mesh, points, size_m, with_mesh
from twin.model.cells import LEAST_M, LEVEL, SUMMARY_LEVEL, Cell

_SUMS = ("objects", "triangles", "points")
_LEAST = ("west", "south", "z_min")
_GREATEST = ("east", "north", "z_max", "size_m", "block_m")
COUNTS = (*_SUMS, *_LEAST, *_GREATEST)

_SUMMARY_SHIFT = 2 * (LEVEL - SUMMARY_LEVEL)


def cell_counts(selection: Selection, cell: Cell, level: int, lod: str | None = None) -> Statement:
    """What the cells of ``level`` inside ``cell`` hold, a row for each class of size that is there.

    Columns: code, size_class, objects, triangles, points (of footprints), west, south, z_min, east,
    north, z_max, size_m, block_m. ``size_m`` is the largest height or horizontal diagonal of one
    object, which bounds every width of it; its class is how many of `LEAST_M` it reaches, less one.
    ``block_m`` is how far the block of an object differs from its mesh, at most.
    """
    values = cell_values(cell, lod)
    if lod is None and level <= SUMMARY_LEVEL and selection.is_whole and selection.collection.meshes:
        values["shift"] = 2 * (SUMMARY_LEVEL - level)
        return statement("cell_summary", lambda: _from_summary(selection), selection, **values)
    values |= {"shift": 2 * (LEVEL - level), "least_sizes": list(LEAST_M)}
    return statement("cell_counts", lambda: _counted(selection, lod), selection, lod is None, **values)


def _from_summary(selection: Selection) -> AnySelect:
    f = cell_summary.alias("f")
    code = f.c.cell.op(">>")(bindparam("shift", type_=Integer)).label("code")
    first, behind = (bindparam(name, type_=BigInteger) for name in ("cell_first", "cell_behind"))
    member = selection.collection.member
    where = [f.c.dataset_id == any_(primary_datasets()), _first(f.c.cell) >= first, _first(f.c.cell) < behind]
    where += [] if member is None else [member(f)]
    columns: list[ColumnElement[Any]] = [
        code,
        f.c.size_class,
        *(func.sum(f.c[name]).label(name) for name in _SUMS),
        *(func.min(f.c[name]).label(name) for name in _LEAST),
        *(func.max(f.c[name]).label(name) for name in _GREATEST),
    ]
    return select(*columns).where(*where).group_by(literal_column("1"), literal_column("2"))


def _counted(selection: Selection, lod: str | None) -> AnySelect:
    f = selection.source.c
    code = f.quadkey.op(">>")(bindparam("shift", type_=Integer)).label("code")
    o = _measured(f, [code], with_mesh(selection, lod), and_(selection.where(), in_cell(f)))
    return _grouped([o.code], o)


def _measured(f: Any, keys: list[ColumnElement[Any]], rows: FromClause, where: ColumnElement[bool]) -> Any:
    """The columns of a table with objects, all that is measured of one computed once."""
    columns: list[ColumnElement[Any]] = [
        *keys,
        *(f[name] for name in ("west", "south", "z_min", "east", "north", "z_max")),
        mesh.c.triangles,
        points(f).label("points"),
        size_m(f).label("size_m"),
        (f.height_max_m - f.height_eave_m).label("roof_m"),
        func.Box3D(f.footprint, type_=LargeBinary).label("plan"),
    ]
    # With OFFSET the planner keeps the subquery; else it would measure anew wherever a column is named.
    return select(*columns).select_from(rows).where(where).offset(literal_column("0")).subquery("o").c


def _grouped(keys: list[ColumnElement[Any]], o: Any) -> AnySelect:
    """`COUNTS` of measured objects, a row for each key and class of size."""
    classes = bindparam("least_sizes", type_=ARRAY(Double))
    columns: list[ColumnElement[Any]] = [
        *keys,
        (func.width_bucket(o.size_m, classes, type_=Integer) - 1).label("size_class"),
        func.count().label("objects"),
        func.sum(o.triangles).label("triangles"),
        func.sum(o.points).label("points"),
        *(func.min(o[name]).label(name) for name in _LEAST),
        *(func.max(o[name]).label(name) for name in ("east", "north", "z_max", "size_m")),
        func.max(block_m(o)).label("block_m"),
    ]
    places: list[ColumnElement[Any]] = [literal_column(str(place + 1)) for place in range(len(keys) + 1)]
    return select(*columns).group_by(*places)


def refresh_summary(connection: Connection, dataset_id: int) -> None:
    """Count the cells of a dataset anew in which this transaction changed features.

    Whoever writes features calls it last, with the row of the dataset locked: of two transactions that
    change one cell the second then counts what the first has left. Older changes of the same cells are
    forgotten, for who has not seen those has not seen the new ones either.
    """
    changed = select(cell_change.c.cell).where(_of_dataset(cell_change), _is_new())
    older = and_(_of_dataset(cell_change), ~_is_new(), cell_change.c.cell.in_(changed))
    stale = and_(_of_dataset(cell_summary), cell_summary.c.cell.in_(changed))
    names = ["dataset_id", "type", "cell", "size_class", *COUNTS]
    counted = insert(cell_summary).from_select(names, _changed_cells_counted(changed))
    for change in (delete(cell_change).where(older), delete(cell_summary).where(stale)):
        connection.execute(change, {"d": dataset_id})
    connection.execute(counted, {"d": dataset_id, "least_sizes": list(LEAST_M)})


def _of_dataset(rows: Any) -> ColumnElement[bool]:
    return rows.c.dataset_id == bindparam("d", type_=SmallInteger)


def _is_new() -> ColumnElement[bool]:
    return cell_change.c.changed_in == literal_column("pg_current_xact_id()::text::bigint", BigInteger)


def _changed_cells_counted(changed: AnySelect) -> AnySelect:
    everything = Selection(View(), FEATURES)
    f, cells = everything.source, changed.distinct().subquery("changed")
    here = and_(f.c.quadkey >= _first(cells.c.cell), f.c.quadkey < _first(cells.c.cell + 1))
    rows = cells.join(with_mesh(everything, None), here)
    keys: list[ColumnElement[Any]] = [f.c.dataset_id, f.c.type, cells.c.cell]
    o = _measured(f.c, keys, rows, _of_dataset(f))
    return _grouped([o.dataset_id, o.type, o.cell], o)


def _first(cell: ColumnElement[Any]) -> ColumnElement[Any]:
    """The first quadkey in a cell of the summary."""
    return cell.op("<<")(literal_column(str(_SUMMARY_SHIFT), Integer))


@cache
def present() -> Statement:
    """One row: what `changed_since` takes as ``seen``, in which ``cluster``, and ``datasets`` with roles.

    What was seen tells nothing in another cluster, nor where a dataset came, went or changed its role.
    """
    d = dataset.c
    each = func.array_agg(aggregate_order_by(func.concat(d.id, " ", d.role), d.id), type_=ARRAY(Text))
    columns: list[ColumnElement[Any]] = [
        literal_column("pg_current_snapshot()::text", Text).label("seen"),
        literal_column("(SELECT system_identifier::text FROM pg_control_system())", Text).label("cluster"),
        each.label("datasets"),
    ]
    return Statement(select(*columns).select_from(dataset), ("present",), {})


def changed_since(seen: str) -> Statement:
    """The Morton codes at `SUMMARY_LEVEL` of the cells with changes that ``seen`` has not, ascending."""
    return Statement(_changed_since, ("changed_since",), {"seen": seen})


def _changed_since() -> AnySelect:
    c = cell_change.c
    unseen = text("NOT pg_visible_in_snapshot(changed_in::text::xid8, CAST(:seen AS pg_snapshot))")
    columns: list[ColumnElement[Any]] = [c.cell]
    return select(*columns).distinct().where(unseen).order_by(c.cell)
