"""Listing and removing datasets."""

from typing import Any

from sqlalchemy import Connection, delete, func, select, text

from twin.db import schema
from twin.errors import NotFound

_OWNED = (
    schema.feature,
    schema.feature_history,
    schema.city_object_history,
    schema.object_geometry_history,
    *schema.COMPUTED_LATER,
)


def datasets(connection: Connection) -> list[dict[str, Any]]:
    """Every dataset with the number of its features, by city and name."""
    d, f = schema.dataset, schema.feature
    count = select(func.count()).where(f.c.dataset_id == d.c.id).scalar_subquery().label("features")
    statement = select(d, count).order_by(d.c.city, d.c.name)
    return [
        {str(key): value for key, value in row.items()} for row in connection.execute(statement).mappings()
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
