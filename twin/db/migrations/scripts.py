"""Migrations that are written in SQL."""

from pathlib import Path
from typing import cast

import psycopg
from alembic import op


def run(migration: str) -> None:
    """Run the SQL file that stands beside a migration and has its name."""
    # Through psycopg itself: several statements in one go, and % has no meaning.
    connection = cast("psycopg.Connection[tuple[object, ...]]", op.get_bind().connection.driver_connection)
    connection.execute(Path(migration).with_suffix(".sql").read_bytes())
