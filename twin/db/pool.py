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
from twin.errors import DatabaseUnavailable, InvalidFilter, TwinError

MAX_TEXTS = 1024
"""How many texts of SQL are remembered; filters come in ever new shapes."""

RENEWED_AFTER = 50_000
"""Statements: a process of PostgreSQL that serves for ever keeps ever more memory."""

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

    def is_closed(self) -> bool: ...

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

    def __init__(self, connections: "_Connections") -> None:
        self._connections = connections
        self._texts = _Texts()

    async def fetch(self, statement: Statement) -> Sequence[Row]:
        """All rows of a statement; each maps a column's name to its value."""
        text = self._texts.of(statement)
        async with _Lease(self._connections, statement.planned) as connection:
            return await connection.fetch(text.sql, *text.arguments(statement.values))

    async def stream(self, statement: Statement, rows: int) -> AsyncGenerator[Sequence[Row], None]:
        """The rows of a statement as of one moment, so many at a time, however many there are.

        A connection is held until the last; whoever takes longer than `STREAM_IDLE_S` for a part of them
        loses it.
        """
        text = self._texts.of(statement)
        planned = _Lease(self._connections, statement.planned)
        async with planned as connection, connection.transaction():
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
        async with _Lease(self._connections, statement.planned) as connection:
            arguments = text.arguments(statement.values)
            rows = await connection.fetch(f"EXPLAIN (FORMAT JSON) {text.sql}", *arguments)
        return int(orjson.loads(next(iter(rows[0].values())))[0]["Plan"]["Plan Rows"])


class _Connections:
    """Open connections that are kept from one statement to the next.

    asyncpg's pool starts a task to take each back, which costs as much as a small answer. So it makes them,
    gets back those whose statement did not end well, and closes them.
    """

    def __init__(self, pool: Any, size: int, wait_s: float) -> None:
        self._pool = pool
        self._wait_s = wait_s
        self._room = asyncio.Semaphore(size)
        self._idle: list[_Open] = []
        self._closing = False

    async def take(self) -> "_Open":
        """One that nobody else has; DatabaseUnavailable where none is free in time."""
        if self._room.locked():
            await self._wait()
        else:
            await self._room.acquire()
        try:
            while self._idle:
                if (found := self._idle.pop()).is_open:
                    return found
                await self._pool.release(found.connection)
            return _Open(await self._pool.acquire(timeout=self._wait_s))
        except BaseException:
            self._room.release()
            raise

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._room.acquire()
        except TimeoutError:
            raise DatabaseUnavailable(
                f"All database connections were busy for {self._wait_s:g} s. Try again in a moment."
            ) from None

    async def give_back(self, taken: "_Open", *, well: bool) -> None:
        """``well``: its last statement was answered, so that the next may follow."""
        try:
            taken.statements += 1
            if well and taken.statements < RENEWED_AFTER and not self._closing:
                self._idle.append(taken)
            else:
                await self._pool.release(taken.connection)
        finally:
            self._room.release()

    async def close(self) -> None:
        """Closes all; those that are still asked at the latest after a while."""
        self._closing = True
        while self._idle:
            await self._pool.release(self._idle.pop().connection)
        await _close(self._pool)


@dataclass(slots=True)
class _Open:
    """A connection, how it was last told to plan, and how much it was asked."""

    connection: _Connection
    planned: Planned | None = None
    statements: int = 0

    @property
    def is_open(self) -> bool:
        try:
            return not self.connection.is_closed()
        except _asyncpg.InterfaceError:
            # asyncpg took it back already, when the database ended it.
            return False

    async def plan(self, planned: Planned) -> None:
        """Anew for the values of each statement, or once for any.

        A plan for any value scans an index in order of id to find the few rows of a rare one; where the
        best plan is known to be the same, looking for it anew takes as long as finding the rows.
        """
        if self.planned is not planned:
            await self.connection.execute(_PLANS[planned])
            self.planned = planned


class _Lease:
    """A connection for the block, planning as wanted; errors of the database come out as ours."""

    __slots__ = ("_connections", "_planned", "_taken")

    def __init__(self, connections: _Connections, planned: Planned) -> None:
        self._connections = connections
        self._planned = planned
        self._taken: _Open | None = None

    async def __aenter__(self) -> _Connection:
        try:
            taken = self._taken = await self._connections.take()
            await taken.plan(self._planned)
        except BaseException as error:
            await self._end(error)
            raise
        return taken.connection

    async def __aexit__(self, _: Any, error: BaseException | None, __: Any) -> None:
        await self._end(error)

    async def _end(self, error: BaseException | None) -> None:
        taken, self._taken = self._taken, None
        if taken is not None:
            await self._connections.give_back(taken, well=error is None)
        if error is not None and (ours := _ours(error)) is not None:
            raise ours from error


def _ours(error: BaseException) -> TwinError | None:
    """What is said of an error of asyncpg; None of any other."""
    match error:
        case _asyncpg.QueryCanceledError():
            return StatementTimeout(
                "The answer took too long. Ask for less: a smaller bbox or a narrower filter."
            )
        case _asyncpg.DataError() | _asyncpg.ProgramLimitExceededError():
            return InvalidFilter(f"The answer cannot be computed: {error}.")
        case _asyncpg.InternalServerError():
            # PostGIS gives errors of GEOS no code of their own.
            return InvalidFilter(f"A relation of geometries cannot be computed: {error}.")
        case _asyncpg.InvalidCatalogNameError() | _asyncpg.OperatorInterventionError():
            return DatabaseUnavailable(f"The database is not ready: {error}")
        case _asyncpg.UndefinedTableError() | _asyncpg.UndefinedColumnError():
            return DatabaseUnavailable(f"The schema of the database is not the newest: {error}")
        case TimeoutError():
            return DatabaseUnavailable("The database gave no connection in time. Try again in a moment.")
        case _asyncpg.InterfaceError() | _asyncpg.PostgresConnectionError() | OSError():
            return DatabaseUnavailable(f"The database cannot be reached: {error}")
        case _:
            return None


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
    pool = _asyncpg.create_pool(
        **{**connect, "server_settings": session},
        init=_prepare,
        reset=_leave,
        min_size=0,
        max_size=size,
        max_inactive_connection_lifetime=0,
        max_queries=RENEWED_AFTER,
    )
    async with pool:
        connections = _Connections(pool, size, wait_s)
        try:
            yield ReadPool(connections)
        finally:
            await connections.close()


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
    # Requests that still run at shutdown must not hold the process for ever.
    try:
        await asyncio.wait_for(pool.close(), timeout=5)
    except TimeoutError:
        pool.terminate()
