"""Runs statements on asyncpg: the only module that meets it.

Building the text of a statement takes SQLAlchemy a millisecond, more than PostgreSQL needs to
answer most of them. So each `Statement.key` is compiled once, and what runs is text with values.
"""

import asyncio
from collections.abc import AsyncGenerator, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, cast

import asyncpg
import orjson
from cachetools import LRUCache
from sqlalchemy.dialects.postgresql import asyncpg as asyncpg_dialect

from twin.db.query import Planned, Statement
from twin.errors import DatabaseUnavailable, InvalidFilter

MAX_TEXTS = 1024
"""How many texts of SQL are remembered; filters come in ever new shapes."""

STREAM_IDLE_S = 60
"""A client that takes no more of a download for so long gives its connection back."""

Row = Mapping[str, Any]

_asyncpg: Any = asyncpg
_DIALECT: Any = asyncpg_dialect.dialect()


class StatementTimeout(DatabaseUnavailable):
    """A query was stopped because it took too long."""


class _Cursor(Protocol):
    async def fetch(self, n: int) -> Sequence[Row]: ...


class _Connection(Protocol):
    async def fetch(self, query: str, *args: Any) -> Sequence[Row]: ...

    async def execute(self, query: str) -> str: ...

    def get_server_pid(self) -> int: ...

    async def cursor(self, query: str, *args: Any) -> _Cursor: ...

    def transaction(self) -> AbstractAsyncContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class _Text:
    """Compiled SQL with ``$n`` and, for each n, the parameter's name and its value if constant."""

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        return [values[name] if name in values else self.constants[name] for name in self.names]


class _Texts:
    """The compiled texts by key, the least recently used dropped first."""

    def __init__(self) -> None:
        self._known: LRUCache[Hashable, _Text] = LRUCache(MAX_TEXTS)
        self._dialect = _DIALECT

    def of(self, statement: Statement) -> _Text:
        if statement.key is None:
            return self._compile(statement)
        found = self._known.get(statement.key)
        if found is None:
            found = self._known[statement.key] = self._compile(statement)
        return found

    def _compile(self, statement: Statement) -> _Text:
        compiled: Any = statement.clause.compile(dialect=self._dialect)
        names = tuple(cast(Sequence[str], compiled.positiontup or ()))
        constants = {name: value for name, value in compiled.params.items() if name not in statement.values}
        return _Text(str(compiled), names, constants)


class ReadPool:
    """Connections that may only read, shared by the requests of one process.

    DatabaseUnavailable is raised where no connection is free in time or the database is away.
    """

    def __init__(self, pool: Any, plans: "_Plans", wait_s: float) -> None:
        self._pool = pool
        self._plans = plans
        self._wait_s = wait_s
        self._texts = _Texts()

    async def fetch(self, statement: Statement) -> Sequence[Row]:
        """All rows of a statement; each maps a column's name to its value."""
        text = self._texts.of(statement)
        async with self._connection() as connection:
            await self._plans.choose(connection, statement.planned)
            return await connection.fetch(text.sql, *text.arguments(statement.values))

    async def stream(self, statement: Statement, rows: int) -> AsyncGenerator[Sequence[Row], None]:
        """The rows of a statement as of one moment, so many at a time, however many there are.

        A connection is held until the last; whoever takes longer than `STREAM_IDLE_S` for a part of them
        loses it.
        """
        text = self._texts.of(statement)
        async with self._connection() as connection:
            # Within the transaction it would be undone with it.
            await self._plans.choose(connection, statement.planned)
            async with connection.transaction():
                cursor = await connection.cursor(text.sql, *text.arguments(statement.values))
                while part := await cursor.fetch(rows):
                    yield part

    async def fetch_one(self, statement: Statement) -> Row | None:
        """The first row of a statement, or None."""
        rows = await self.fetch(statement)
        return rows[0] if rows else None

    async def fetch_value(self, statement: Statement) -> Any:
        """The first column of the first row, or None."""
        row = await self.fetch_one(statement)
        return None if row is None else next(iter(row.values()))

    async def estimate(self, statement: Statement) -> int:
        """How many rows the planner expects of a statement, which is not run."""
        text = self._texts.of(statement)
        async with self._connection() as connection:
            arguments = text.arguments(statement.values)
            rows = await connection.fetch(f"EXPLAIN (FORMAT JSON) {text.sql}", *arguments)
        return int(orjson.loads(next(iter(rows[0].values())))[0]["Plan"]["Plan Rows"])

    @asynccontextmanager
    async def _connection(self) -> AsyncGenerator[_Connection, None]:
        try:
            # To watch the time takes longer than to take a connection that is free.
            wait_s = None if self._pool.get_idle_size() else self._wait_s
            async with self._pool.acquire(timeout=wait_s) as connection:
                yield connection
        except TimeoutError:
            raise DatabaseUnavailable(
                f"All database connections were busy for {self._wait_s:g} s. Try again in a moment."
            ) from None
        except _asyncpg.QueryCanceledError:
            raise StatementTimeout(
                "The answer took too long. Ask for less: a smaller bbox or a narrower filter."
            ) from None
        except (_asyncpg.DataError, _asyncpg.ProgramLimitExceededError) as error:
            raise InvalidFilter(f"The answer cannot be computed: {error}.") from None
        except _asyncpg.InternalServerError as error:
            # PostGIS gives errors of GEOS no code of their own.
            raise InvalidFilter(f"A relation of geometries cannot be computed: {error}.") from None
        except (_asyncpg.InterfaceError, _asyncpg.PostgresConnectionError, OSError) as error:
            raise DatabaseUnavailable(f"The database cannot be reached: {error}") from error
        except (_asyncpg.InvalidCatalogNameError, _asyncpg.CannotConnectNowError) as error:
            raise DatabaseUnavailable(f"The database is not ready: {error}") from error
        except (_asyncpg.UndefinedTableError, _asyncpg.UndefinedColumnError) as error:
            raise DatabaseUnavailable(f"The schema of the database is not the newest: {error}") from error


class _Plans:
    """How each connection plans: anew for the values of every statement, or once for any.

    A plan for any value scans an index in order of id to find the few rows of a rare one; where the best
    plan is known to be the same, looking for it anew takes as long as finding the rows.
    """

    def __init__(self) -> None:
        self._last: dict[int, Planned] = {}

    async def begin(self, connection: _Connection) -> None:
        """Of a connection that has just been made."""
        self._last[connection.get_server_pid()] = Planned.ANEW

    async def choose(self, connection: _Connection, planned: Planned) -> None:
        """Tells the database, where the last statement of the connection was not planned so."""
        pid = connection.get_server_pid()
        if self._last[pid] is not planned:
            await connection.execute(_PLANS[planned])
            self._last[pid] = planned


_MODE, _WORKERS = "plan_cache_mode", "max_parallel_workers_per_gather"
_ANEW = "force_custom_plan"
_PLANS = {
    Planned.ANEW: f"SET {_MODE} = {_ANEW}; RESET {_WORKERS}",
    Planned.ONCE: f"SET {_MODE} = force_generic_plan; RESET {_WORKERS}",
    Planned.ALONE: f"SET {_MODE} = {_ANEW}; SET {_WORKERS} = 0",
}


@asynccontextmanager
async def read_pool(
    connect: Mapping[str, Any], *, size: int, statement_timeout_s: float, wait_s: float = 5.0
) -> AsyncGenerator[ReadPool, None]:
    """A pool for the block; it connects when first used, so that it opens without the database.

    ``connect`` are keyword arguments of ``asyncpg.connect`` for a role that may only read.
    """
    session = {
        **connect.get("server_settings", {}),
        "statement_timeout": str(round(statement_timeout_s * 1000)),
        "default_transaction_read_only": "on",
        "idle_in_transaction_session_timeout": str(STREAM_IDLE_S * 1000),
        # Compiling to machine code takes longer than these short queries run.
        "jit": "off",
        _MODE: _ANEW,
    }
    plans = _Plans()

    async def prepare(connection: Any) -> None:
        await _prepare(connection)
        await plans.begin(connection)

    pool = _asyncpg.create_pool(
        **{**connect, "server_settings": session},
        init=prepare,
        reset=_leave,
        min_size=0,
        max_size=size,
        max_inactive_connection_lifetime=0,
    )
    async with pool:
        try:
            yield ReadPool(pool, plans, wait_s)
        finally:
            # Requests that still run at shutdown must not hold the process for ever.
            await _close(pool)


async def _prepare(connection: Any) -> None:
    """JSON comes as values, as SQLAlchemy gives it."""
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_dumps, decoder=orjson.loads, format="text"
    )


async def _leave(_: Any) -> None:
    """Nothing of a connection is changed by reading; asyncpg's own query would double the round trips."""


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()


async def _close(pool: Any) -> None:
    try:
        await asyncio.wait_for(pool.close(), timeout=5)
    except TimeoutError:
        pool.terminate()
