"""One state of the database for many statements, whoever imports meanwhile; processes can share it."""

from collections.abc import Generator, Hashable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from psycopg.rows import dict_row
from sqlalchemy import URL, Connection, Engine, create_engine, text

from twin.db.query import Statement

Row: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement as text with its values, to be run by another process."""

    sql: str
    values: Mapping[str, Any]


class Snapshot:
    """Runs statements in a transaction that sees one state; each text is compiled once.

    Rows come in the binary protocol, in which a mesh takes half of the bytes of the text one.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._driver: Any = connection.connection.driver_connection
        self._compiled: dict[Hashable, tuple[str, Mapping[str, Any]]] = {}

    def __call__(self, statement: Statement) -> list[Row]:
        """The rows of a statement."""
        return self.run(self.prepare(statement))

    def prepare(self, statement: Statement) -> Prepared:
        """A statement as text for this kind of database."""
        known = self._compiled.get(statement.key) if statement.key is not None else None
        if known is None:
            compiled = statement.clause.compile(dialect=self._connection.dialect)
            known = self._compiled[statement.key] = (str(compiled), dict(compiled.params))
        sql, values = known
        return Prepared(sql, {**values, **statement.values})

    def run(self, prepared: Prepared) -> list[Row]:
        """The rows of a prepared statement."""
        with self._driver.cursor(binary=True, row_factory=dict_row) as cursor:
            cursor.execute(prepared.sql, prepared.values)
            return cursor.fetchall()

    def share(self) -> str:
        """A name by which other transactions see the same state, as long as this one lasts."""
        return str(self._connection.scalar(text("SELECT pg_export_snapshot()")))


@contextmanager
def snapshot(engine: Engine, shared: str | None = None) -> Generator[Snapshot, None, None]:
    """The present state, or the one that another transaction shares by a name, for the block."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        if shared is not None:
            # A name that the server made; parameters are not allowed here.
            connection.exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{shared}'")
        yield Snapshot(connection)


@contextmanager
def connected(url: URL) -> Generator[Engine, None, None]:
    """An engine with one connection for a process of its own, for the block."""
    engine = create_engine(url, pool_size=1)
    try:
        yield engine
    finally:
        engine.dispose()
