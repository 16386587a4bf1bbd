"""What tests of the ingest look at in the database."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, func, select

from twin.db import admin, schema


def counts(engine: Engine) -> dict[str, int]:
    """Rows of every table."""
    with engine.connect() as connection:
        return {
            name: connection.execute(select(func.count()).select_from(table)).scalar_one()
            for name, table in schema.metadata.tables.items()
        }


def features(engine: Engine, dataset: str) -> list[dict[str, Any]]:
    """The features of a dataset by id."""
    f = schema.feature
    with engine.connect() as connection:
        found = connection.execute(select(f).where(f.c.dataset == dataset).order_by(f.c.id)).mappings()
        return [{str(key): value for key, value in row.items()} for row in found]


def remove_all(engine: Engine) -> None:
    """Remove every dataset."""
    with engine.begin() as connection:
        for row in admin.datasets(connection):
            admin.remove(connection, row["name"])


@contextmanager
def clean(engine: Engine) -> Generator[Engine, None, None]:
    """An engine on a database without datasets, left without datasets."""
    remove_all(engine)
    try:
        yield engine
    finally:
        remove_all(engine)
