"""Listing and removing datasets."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, func, select, text

from twin.db import schema
from twin.db.cell_tables import cell_change
from twin.db.part_tables import building_part, building_part_history
from twin.db.pending_query import pending
from twin.db.skin_tables import object_skin, texture_image
from twin.errors import NotFound

_OWNED = (
    schema.feature,
    schema.feature_history,
    building_part,
    building_part_history,
    schema.city_object_history,
    schema.object_geometry_history,
    *schema.COMPUTED_LATER,
    object_skin,
    texture_image,
    # The last, for to delete features marks their cells.
    cell_change,
)


def datasets(connection: Connection, versions: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
    """Every dataset with the number of its features, by city and name.

    With ``versions`` (`twin.db.pending_query`) also how many of them are pending and since when.
    """
    d, f = schema.dataset, schema.feature
    count = select(func.count()).where(f.c.dataset_id == d.c.id).scalar_subquery().label("features")
    statement = select(d, count).order_by(d.c.city, d.c.name)
    rows = [
        {str(key): value for key, value in row.items()} for row in connection.execute(statement).mappings()
    ]
    return rows if versions is None else _with_pending(connection, rows, versions)


def _with_pending(
    connection: Connection, rows: Sequence[dict[str, Any]], versions: Mapping[str, Any]
) -> list[dict[str, Any]]:
    asked = pending(versions)
    waiting = {row.dataset: row for row in connection.execute(asked.clause, dict(asked.values))}
    nothing = {"pending": 0, "since": None}
    return [
        {**row, **({"pending": w.pending, "since": w.since} if (w := waiting.get(row["name"])) else nothing)}
        for row in rows
    ]


def remove(connection: Connection, name: str) -> int:
    """Remove a dataset and all that belongs to it; how many features it had.

    The place of a primary dataset goes to the next one of its city, a real one first. NotFound
    where there is none of that name.
    """
    d = schema.dataset.c
    found = connection.execute(select(d.id, d.city, d.role).where(d.name == name).with_for_update()).first()
    if found is None:
        raise NotFound(f"There is no dataset '{name}'; `twin datasets` lists them.")
    features = connection.execute(
        select(func.count()).select_from(schema.feature).where(schema.feature.c.dataset_id == found.id)
    ).scalar_one()
    for table in _OWNED:
        connection.execute(delete(table).where(table.c.dataset_id == found.id))
    for table in schema.PARTITIONED:
        connection.execute(text(f"DROP TABLE {table.name}_{found.id}"))
    connection.execute(delete(schema.dataset).where(d.id == found.id))
    if found.role == "primary":
        _promote(connection, found.city)
    return features


def _promote(connection: Connection, city: str) -> None:
    d = schema.dataset
    heir = select(d.c.id).where(d.c.city == city).order_by(d.c.synthetic, d.c.id).limit(1).scalar_subquery()
    connection.execute(d.update().where(d.c.id == heir).values(role="primary"))
