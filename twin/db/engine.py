"""The database that the settings name, brought to the newest schema."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import DBAPIError

from twin.db.address import reachable, reason
from twin.db.embedded import Connect
from twin.db.migrations import migrate
from twin.errors import DatabaseUnavailable
from twin.settings import Settings


@dataclass(frozen=True, slots=True)
class Database:
    """``engine`` has the rights of the owner; the API connects with ``reader()`` only."""

    engine: Engine
    settings: Settings
    connect: Connect

    def reader(self) -> dict[str, Any]:
        """Keyword arguments of ``asyncpg.connect`` and ``create_pool``: a role that may only read."""
        return dict(self.connect.reader)


@contextmanager
def database(settings: Settings) -> Generator[Database, None, None]:
    """``TWIN_DATABASE_URL`` or the private cluster, for the block, with the newest schema.

    DatabaseUnavailable or ToolMissing say what is missing.
    """
    with reachable(settings) as connect:
        engine = create_engine(connect.owner_url, pool_pre_ping=True)
        try:
            migrate(engine)
            yield Database(engine, settings, connect)
        except (DBAPIError, psycopg.Error) as error:
            raise DatabaseUnavailable(
                f"The database failed: {reason(error)}. What was not finished is not stored; run it again."
            ) from error
        finally:
            engine.dispose()
