"""Who asks in tests: keys in the database, and clients of a guarded application."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from api.app import create_app
from api.security.caller import Access
from tests.api.client import Client, serving
from twin.db import keys
from twin.db.access_tables import api_key
from twin.db.engine import Database


def new_key(
    database: Database,
    *scopes: str,
    name: str = "test",
    cities: Iterable[str] | None = None,
    expires: datetime | None = None,
) -> str:
    """A key that opens some scopes."""
    with database.engine.begin() as connection:
        return keys.create(connection, name, scopes, cities, expires)


def remove_keys(database: Database) -> None:
    """Leaves no key."""
    with database.engine.begin() as connection:
        connection.execute(delete(api_key))


@contextmanager
def guarded(database: Database, access: Access, **settings: Any) -> Generator[Client, None, None]:
    """The application with some access and settings, for the block."""
    changed = database.settings.model_copy(update=settings)
    writer = database.connect.owner_url
    with serving(create_app(database.reader(), changed, access, writer)) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    """The header that says who asks."""
    return {"Authorization": f"Bearer {key}"}
