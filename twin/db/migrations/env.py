"""Run by alembic: with the connection of ``migrate()``, or with the database of the settings."""

from alembic import context
from geoalchemy2 import alembic_helpers
from sqlalchemy import Connection, create_engine

from twin.db import access_tables
from twin.db.address import reachable
from twin.db.migrations.comparison import is_ours, render_item
from twin.settings import Settings


def _run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=access_tables.metadata,
        include_object=is_ours,
        process_revision_directives=alembic_helpers.writer,
        render_item=render_item,
    )
    with context.begin_transaction():
        context.run_migrations()


def _main() -> None:
    given = context.config.attributes.get("connection")
    if given is not None:
        _run(given)
        return
    with reachable(Settings()) as connect, create_engine(connect.owner_url).connect() as connection:
        _run(connection)


_main()
