"""Migrations: the steps that bring a database to the shape of ``twin.db.schema``.

A file under ``versions/`` is named by its number, which is its revision as well. A new one is made by
``make migration MESSAGE="add a column"``, read, mended and committed with the change of the schema.
"""

from pathlib import Path

import psycopg
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from twin.errors import DatabaseUnavailable

HEAD = max(path.stem[:4] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))
"""The newest revision."""

_LOCK = 7_236_419
"""Key of the advisory lock that lets one program migrate at a time."""


def migrate(engine: Engine) -> None:
    """Bring the database to HEAD in one transaction; DatabaseUnavailable if it cannot be."""
    with engine.connect() as connection:
        if revision(connection) == HEAD:
            return
    try:
        with engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            _upgrade(connection)
    except (DBAPIError, psycopg.Error) as error:
        reason = str(getattr(error, "orig", error)).strip().splitlines()[0]
        raise DatabaseUnavailable(f"The schema could not be brought to revision {HEAD}: {reason}") from error


def revision(connection: Connection) -> str | None:
    """The revision of the database, None if it is empty."""
    if connection.execute(text("SELECT to_regclass('alembic_version')")).scalar() is None:
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    found = revision(connection)
    if found is not None and found > HEAD:
        raise DatabaseUnavailable(
            f"The database has revision {found}, made by a newer finest-twin than this (revision {HEAD}). "
            "Update the program."
        )
    if found == HEAD:
        return
    # Imported late: programs that find the schema in order start faster without it.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "twin.db:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
