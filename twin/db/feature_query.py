"""Pages of features, one feature, and how many there are, as statements."""

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, and_, any_, bindparam, func, nulls_last, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from twin.db.filter_values import SQL_TYPES
from twin.db.query import (
    AnySelect,
    Collection,
    Planned,
    Selection,
    Statement,
    View,
    select_features,
    statement,
)
from twin.db.queryables import GEOMETRY, Queryable
from twin.db.schema import dataset
from twin.model.offered import OfferedSystem


@dataclass(frozen=True, slots=True, eq=False)
class Sort:
    """A property to sort by; missing values come last in either direction."""

    queryable: Queryable
    descending: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Output:
    """A computed column of an answer; ``key`` changes with its text, and ``name`` is never a client's."""

    name: str
    column: ColumnElement[Any]
    key: Hashable


def outline_text(selection: Selection, system: OfferedSystem) -> Output:
    """``geometry``: the outline as a GeoJSON geometry, in a reference system and the order of its axes."""
    shape = func.ST_AsGeoJSON(_outline(selection, system, as_stated=True), system.decimals, 0)
    return Output("geometry", shape, ("text", system.uri))


def outline_wkt(selection: Selection, system: OfferedSystem) -> Output:
    """``geometry``: the outline as well-known text, in the order of the axes."""
    shape = func.ST_AsText(_outline(selection, system, as_stated=True), system.decimals)
    return Output("geometry", shape, ("wkt", system.uri))


def outline_wkb(selection: Selection, system: OfferedSystem) -> Output:
    """``geometry``: the outline as ISO WKB, easting first, as binary formats have it in any system."""
    shape = func.ST_AsBinary(_outline(selection, system, as_stated=False), "NDR")
    return Output("geometry", shape, ("wkb", system.code, system.heights))


def _outline(selection: Selection, system: OfferedSystem, *, as_stated: bool) -> ColumnElement[Any]:
    """The outline in a system; where that has heights, at that of the lowest point of the feature."""
    geometry = selection.queryables.get(GEOMETRY)
    shape: Any = geometry.column
    if not system.in_degrees:
        shape = func.ST_Transform(shape, system.code)
    elif system.heights and geometry.heights is not None:
        # Binary formats state for all geometries at once whether there are heights.
        low: Any = geometry.heights[0] if as_stated else func.coalesce(geometry.heights[0], math.nan)
        shape = func.coalesce(func.ST_Force3D(shape, low), shape)
    return func.ST_FlipCoordinates(shape) if as_stated and system.north_first else shape


def property_value(queryable: Queryable, index: int) -> Output:
    """``p0``, ``p1``, …: the value of a property."""
    return Output(f"p{index}", queryable.column, queryable.name)


def original_attributes(selection: Selection, index: int) -> Output:
    """``p0``, ``p1``, …: the source's own attributes as the text of a JSON object."""
    properties = selection.source.c.geojson.cast(JSONB)["properties"]
    return Output(f"p{index}", properties["attributes"].cast(Text), "original attributes")


def dataset_value(selection: Selection, name: str) -> Output:
    """A column of the dataset of each feature, by its name."""
    own = select(dataset.c[name]).where(dataset.c.id == selection.source.c.dataset_id)
    return Output(name, own.scalar_subquery(), ("of the dataset", name))


def sources(selection: Selection) -> Statement:
    """The datasets that have features in a selection: ``name``, ``horizontal_epsg``, ``vertical_epsg``."""
    f = selection.source
    some = select(1).select_from(f).where(f.c.dataset_id == dataset.c.id, selection.where()).exists()
    columns: list[ColumnElement[Any]] = [dataset.c.name, dataset.c.horizontal_epsg, dataset.c.vertical_epsg]
    clause = select(*columns).where(some).order_by(dataset.c.name)
    return statement("sources", clause, selection)


def items(
    selection: Selection,
    limit: int | None,
    after: str | Sequence[Any] | None = None,
    columns: Sequence[str] = ("id", "geojson"),
    order: Sequence[Sort] = (),
    outputs: Sequence[Output] = (),
) -> Statement:
    """A page of at most ``limit`` features in an order, the ids last, those after a position.

    Without a limit all of them come. ``outputs`` are computed columns behind ``columns``.
    ``after`` are the values of the last feature of the page before: those of the order, and its id;
    without an order, the id alone.
    Keyset paging: no page costs more than the first, and none repeats or skips a feature that
    stays, whatever is written in between. The values of the order come as sort_0, sort_1, ….
    """
    if isinstance(after, str):
        after = (after,)
    f = selection.source.c
    values: dict[str, Any] = {} if limit is None else {"page": limit}
    if after is not None:
        values |= _after(after)

    def made() -> AnySelect:
        keys = [sort.queryable.column for sort in order]
        clause = select_features(selection, columns)
        clause = clause.add_columns(*(output.column.label(output.name) for output in outputs))
        clause = clause.add_columns(*(key.label(f"sort_{index}") for index, key in enumerate(keys)))
        clause = clause.order_by(*map(_ordered, order), f.id)
        if limit is not None:
            clause = clause.limit(bindparam("page", type_=BigInteger))
        return clause if after is None else clause.where(_behind(order, after, f.id))

    missing = None if after is None else tuple(value is None for value in after)
    names = tuple((sort.queryable.name, sort.descending) for sort in order)
    shown = tuple(output.key for output in outputs)
    # What the names of an uploaded collection stand for is told by the key of its queryables alone.
    told = selection.queryables.key if outputs or order else None
    shape = (limit is None, missing, tuple(columns), names, shown, told)
    return statement("items", made, selection, shape, **values)


def _ordered(sort: Sort) -> ColumnElement[Any]:
    key = sort.queryable.column
    return nulls_last(key.desc() if sort.descending else key.asc())


def _after(after: Sequence[Any]) -> dict[str, Any]:
    """What `_behind` binds: the values of a position that are not missing, and the id."""
    *keys, id = after
    return {f"after_{index}": value for index, value in enumerate(keys) if value is not None} | {"after": id}


def _behind(order: Sequence[Sort], after: Sequence[Any], id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether a feature comes after a position, from the last key to the first."""
    behind: ColumnElement[bool] = id > bindparam("after", type_=Text)
    for index, sort in reversed(list(enumerate(order))):
        key, value = sort.queryable.column, after[index]
        if value is None:
            behind = and_(key.is_(None), behind)
            continue
        bound = bindparam(f"after_{index}", type_=SQL_TYPES[sort.queryable.type])
        beyond = key < bound if sort.descending else key > bound
        behind = or_(beyond, key.is_(None), and_(key == bound, behind))
    return behind


def item_count(selection: Selection) -> Statement:
    """How many features there are: one row, one column."""
    features = selection.source

    def made() -> AnySelect:
        return select(func.count()).select_from(features).where(selection.where())

    return statement("item_count", made, selection)


HASH = "row_hash"
"""The column that changes with anything that is served of a feature."""


def texts(selection: Selection, ids: Sequence[str]) -> Statement:
    """``id``, ``row_hash`` and ``geojson`` of some features of a collection, in no order."""
    view, collection = selection.view, selection.collection
    f = collection.rows(view).c

    def made() -> AnySelect:
        columns: list[ColumnElement[Any]] = [f.id, f[HASH], f.geojson]
        chosen = f.id == any_(bindparam("ids", type_=ARRAY(Text)))
        return select(*columns).where(chosen, *collection.members(view))

    values = {**collection.values(view), "ids": list(ids)}
    return Statement(made, ("texts", view.shape, collection.key), values, Planned.ONCE)


_BOUNDS = ("west", "south", "east", "north")
_OF_AN_ITEM = ("id", "geojson", HASH, "dataset_id", "object_id", "building", *_BOUNDS)


def item(view: View, collection: Collection, id: str, outputs: Sequence[Output] = ()) -> Statement:
    """One feature of a collection, whatever the role of its dataset.

    Columns: id and geojson; where the collection has them, row_hash, dataset_id, object_id, building and
    the bounds west, south, east and north; of a dataset also its horizontal_epsg and vertical_epsg; then
    ``outputs``.
    """
    f = collection.rows(view).c

    def made() -> AnySelect:
        columns: list[ColumnElement[Any]] = [f[name] for name in _OF_AN_ITEM if name in f]
        columns += [output.column.label(output.name) for output in outputs]
        if collection.of_datasets:
            for name in ("horizontal_epsg", "vertical_epsg"):
                own = select(dataset.c[name]).where(dataset.c.id == f.dataset_id)
                columns.append(own.scalar_subquery().label(name))
        return select(*columns).where(f.id == bindparam("id", type_=Text), *collection.members(view))

    values = {**collection.values(view), "id": id}
    shown = tuple(output.key for output in outputs)
    return Statement(made, ("item", view.shape, collection.key, shown), values, Planned.ONCE)
