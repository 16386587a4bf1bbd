"""Pages of features, one feature, and how many there are, as statements."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Text, bindparam, func, select

from twin.db.query import Selection, Statement, View, collection_type, select_features, source, statement
from twin.db.schema import dataset


def items(
    selection: Selection, limit: int, after: str | None = None, columns: Sequence[str] = ("id", "geojson")
) -> Statement:
    """A page of at most ``limit`` features in order of id, those after an id.

    Keyset paging: no page costs more than the first, and none repeats or skips a feature that
    stays, whatever is written in between.
    """
    f = selection.source.c
    clause = select_features(selection, columns).order_by(f.id)
    clause = clause.limit(bindparam("page", type_=BigInteger))
    values: dict[str, object] = {"page": limit}
    if after is not None:
        clause = clause.where(f.id > bindparam("after", type_=Text))
        values["after"] = after
    return statement("items", clause, selection, (after is not None, tuple(columns)), **values)


def item_count(selection: Selection) -> Statement:
    """How many features there are: one row, one column."""
    clause = select(func.count()).select_from(selection.source).where(selection.where())
    return statement("item_count", clause, selection)


def item(view: View, collection: str, id: str) -> Statement:
    """One feature of a collection, whatever the role of its dataset.

    Columns: id, dataset_id, object_id, row_hash, geojson, horizontal_epsg.
    """
    f = source(view).c
    d = dataset.c
    columns: list[ColumnElement[Any]] = [
        f.id,
        f.dataset_id,
        f.object_id,
        f.row_hash,
        f.geojson,
        d.horizontal_epsg,
    ]
    clause = (
        select(*columns)
        .select_from(source(view).join(dataset, d.id == f.dataset_id))
        .where(f.id == bindparam("id", type_=Text), f.type == bindparam("collection_type", type_=Text))
    )
    values = {**view.values, "id": id, "collection_type": collection_type(collection)}
    return Statement(clause, ("item", view.shape), values)
