"""How to reach the database that the settings name."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from sqlalchemy import URL, Connection, create_engine, make_url, text
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from twin.db import embedded
from twin.db.embedded import READERS, Connect
from twin.errors import DatabaseUnavailable
from twin.settings import Settings


@contextmanager
def reachable(settings: Settings) -> Generator[Connect, None, None]:
    """``TWIN_DATABASE_URL`` or the private cluster, for the block, with the schema that it has."""
    if settings.database_url is None:
        with embedded.running(settings) as connect:
            yield connect
    else:
        yield external(settings.database_url)


def external(address: str) -> Connect:
    """How to reach an existing database; read-only sessions take the reading role if there is one."""
    url = _parsed(address)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            session = {"default_transaction_read_only": "on"} | _reading_role(connection)
    except OperationalError as error:
        raise DatabaseUnavailable(f"No connection to TWIN_DATABASE_URL {url!r}: {reason(error)}") from error
    finally:
        engine.dispose()
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return Connect(url, {"dsn": dsn, "server_settings": session})


def without_password(address: str) -> str:
    """The address of a database as it may be shown."""
    try:
        return make_url(address).render_as_string(hide_password=True)
    except ArgumentError:
        return "(unreadable)"


def _parsed(address: str) -> URL:
    try:
        url = make_url(address)
    except ArgumentError as error:
        raise DatabaseUnavailable(
            "TWIN_DATABASE_URL cannot be read; it should look like postgresql://user@host/database"
        ) from error
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise DatabaseUnavailable(f"TWIN_DATABASE_URL is for {url.drivername}; it has to be postgresql://…")
    return url.set(drivername="postgresql+psycopg")


def _reading_role(connection: Connection) -> dict[str, str]:
    may = connection.execute(
        text("SELECT pg_has_role(oid, 'MEMBER') FROM pg_roles WHERE rolname = :role"), {"role": READERS}
    ).scalar()
    return {"role": READERS} if may else {}


def reason(error: DBAPIError | psycopg.Error) -> str:
    """What the database said, in one line."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return next(iter(str(cause).strip().splitlines()), type(cause).__name__)
