"""A private PostGIS server for benchmarks, with a database for each candidate."""

import os
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from benchmarks.watched import server_cpu
from twin.db import embedded, layout
from twin.settings import Settings


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; it has no TCP port."""

    folder: Path

    @property
    def sockets(self) -> Path:
        return layout.sockets_of(self.folder)

    def cpu(self) -> float:
        """Processor seconds it has taken so far."""
        return server_cpu(self.folder / "data")

    @contextmanager
    def session(self, database: str = "postgres") -> "Generator[psycopg.Connection[Any], None, None]":
        with psycopg.connect(
            host=str(self.sockets), port=layout.PORT, user=layout.OWNER, dbname=database, autocommit=True
        ) as connection:
            yield connection

    def create(self, database: str) -> None:
        """An empty database of that name."""
        with self.session() as session:
            session.execute(
                sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(database))
            )
            session.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(database)))

    def environment(self, database: str) -> dict[str, str]:
        """The environment in which ``twin`` uses a database, with bytecode as an installed program has it."""
        address = f"postgresql://{layout.OWNER}@/{database}?host={self.sockets}&port={layout.PORT}"
        bytecode = {"PYTHONPYCACHEPREFIX": str(self.folder / "bytecode"), "PYTHONDONTWRITEBYTECODE": ""}
        return {**os.environ, **bytecode, "TWIN_DATABASE_URL": address}

    def libpq(self) -> dict[str, str]:
        """The environment in which programs of libpq find the server."""
        return {**os.environ, "PGHOST": str(self.sockets), "PGPASSWORD": "none"}


@contextmanager
def server(home: Path) -> Generator[Server, None, None]:
    """A server of its own for the block, removed afterwards."""
    settings = Settings(home=home)
    try:
        with embedded.running(settings):
            there = embedded.existing(settings)
            assert there is not None
            yield Server(there.folder)
    finally:
        embedded.destroy(settings)


_ITEMS = """
SELECT regexp_replace(c.relname, '_[0-9]+$', '') AS name,
    sum(pg_relation_size(c.oid)) AS rows,
    sum(pg_table_size(c.oid) - pg_relation_size(c.oid)) AS aside,
    sum(pg_indexes_size(c.oid)) AS indexes
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    AND c.relname NOT IN ('spatial_ref_sys', 'alembic_version')
GROUP BY 1 HAVING sum(pg_total_relation_size(c.oid)) > 0 ORDER BY sum(pg_total_relation_size(c.oid)) DESC
"""


@dataclass(frozen=True, slots=True)
class Item:
    """Bytes of a table: its rows, what is too long for a row and stands aside (TOAST), its indexes."""

    table: str
    rows: int
    aside: int
    indexes: int

    @property
    def total(self) -> int:
        return self.rows + self.aside + self.indexes


def sizes(there: Server, database: str) -> list[Item]:
    """What each table takes once the database has tidied up, the partitions of a table together."""
    with there.session(database) as session:
        session.execute("VACUUM ANALYZE")
        return [Item(str(name), *map(int, numbers)) for name, *numbers in session.execute(_ITEMS)]


def count(there: Server, database: str, table: str) -> int:
    """Rows of a table."""
    with there.session(database) as session:
        found = session.execute(
            sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table.split(".")))
        ).fetchone()
    return int(found[0]) if found else 0


_COPY_OUT = sql.SQL("COPY (SELECT * FROM {}) TO STDOUT (FORMAT BINARY)")
_LIKE = sql.SQL("CREATE UNLOGGED TABLE copied_again (LIKE {} INCLUDING STORAGE INCLUDING COMPRESSION)")


def copied(there: Server, database: str, tables: Sequence[str]) -> tuple[int, float]:
    """Bytes of tables in the binary form of COPY, and seconds of client and server to take them in again."""
    size, seconds = 0, 0.0
    for table in map(sql.Identifier, tables):
        with there.session(database) as session:
            with session.cursor().copy(_COPY_OUT.format(table)) as out:
                blocks = [bytes(block) for block in out]
            session.execute(_LIKE.format(table))
            before = there.cpu() + time.process_time()
            with session.cursor().copy("COPY copied_again FROM STDIN (FORMAT BINARY)") as into:
                for block in blocks:
                    into.write(block)
            seconds += there.cpu() + time.process_time() - before
            session.execute("DROP TABLE copied_again")
        size += sum(map(len, blocks))
    return size, seconds
