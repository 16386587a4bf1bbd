"""The asyncpg pool: texts compiled once, values bound, and a database that is busy or behind."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import ColumnElement, Integer, Select, Text, bindparam, column, literal_column, select, table
from sqlalchemy.dialects.postgresql import JSONB

import twin.db.pool as pool_module
from twin.db.collections import FEATURES
from twin.db.engine import Database
from twin.db.pool import MAX_TEXTS, ReadPool, StatementTimeout, read_pool
from twin.db.query import Selection, Statement, View, select_features, statement
from twin.errors import DatabaseUnavailable


def run(
    database: Database, test: Callable[[ReadPool], Awaitable[Any]], *, size: int = 2, wait_s: float = 5.0
) -> Any:
    """The result of a test with a pool of its own."""

    async def main() -> Any:
        pool = read_pool(database.reader(), size=size, statement_timeout_s=0.5, wait_s=wait_s)
        async with pool as opened:
            return await test(opened)

    return asyncio.run(main())


def plain(sql: str) -> Statement:
    clause: Select[Any] = select(literal_column(sql))
    return Statement(clause, None, {})


def test_values_are_bound_and_json_comes_as_values(database: Database) -> None:
    number, text = bindparam("n", type_=Integer), bindparam("t", type_=Text)
    columns: list[ColumnElement[Any]] = [
        number.label("n"),
        text.label("t"),
        bindparam("j", type_=JSONB).label("j"),
    ]
    clause = select(*columns)

    async def test(pool: ReadPool) -> None:
        for n, t in ((1, "'; DROP TABLE feature"), (2, "$1")):
            values = {"n": n, "t": t, "j": {"a": [1, None]}}
            row = await pool.fetch_one(Statement(clause, ("same",), values))
            assert row is not None
            assert dict(row) == values

    run(database, test)


def test_none_for_no_row(database: Database) -> None:
    selection = Selection(View(), FEATURES, ("nowhere",))

    async def test(pool: ReadPool) -> None:
        found = statement("ids", select_features(selection, ["id"]), selection)
        assert await pool.fetch(found) == []
        assert await pool.fetch_one(found) is None
        assert await pool.fetch_value(found) is None
        assert await pool.fetch_value(plain("7")) == 7

    run(database, test)


def test_more_shapes_than_are_remembered(database: Database) -> None:
    async def test(pool: ReadPool) -> None:
        for key in (*range(MAX_TEXTS + 5), 0):
            clause: Select[Any] = select(literal_column(str(key)))
            assert await pool.fetch_value(Statement(clause, key, {})) == key

    run(database, test)


def test_no_connection_in_time(database: Database) -> None:
    async def test(pool: ReadPool) -> None:
        slow = asyncio.create_task(pool.fetch_value(plain("pg_sleep(0.4)")))
        await asyncio.sleep(0.2)
        with pytest.raises(DatabaseUnavailable, match="busy"):
            await pool.fetch_value(plain("1"))
        await slow

    run(database, test, size=1, wait_s=0.05)


def test_a_slow_statement_is_stopped_and_the_connection_lives_on(database: Database) -> None:
    async def test(pool: ReadPool) -> None:
        with pytest.raises(StatementTimeout):
            await pool.fetch_value(plain("pg_sleep(5)"))
        assert await pool.fetch_value(plain("1")) == 1

    run(database, test, size=1)


PID = plain("pg_backend_pid()")


def test_a_connection_serves_on_and_is_renewed_after_a_while(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "RENEWED_AFTER", 10)

    async def test(pool: ReadPool) -> None:
        pids = [await pool.fetch_value(PID) for _ in range(15)]
        assert len(set(pids)) == 2
        assert pids == sorted(pids, key=pids.index)

    run(database, test)


def test_a_request_that_is_given_up_frees_its_connection(database: Database) -> None:
    async def test(pool: ReadPool) -> None:
        asked = asyncio.create_task(pool.fetch_value(plain("pg_sleep(0.4)")))
        await asyncio.sleep(0.1)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert await pool.fetch_value(plain("7")) == 7

    run(database, test, size=1, wait_s=0.2)


def test_those_who_wait_are_served_in_turn(database: Database) -> None:
    async def test(pool: ReadPool) -> None:
        answers = [pool.fetch_value(plain(f"{n} + length(pg_sleep(0.005)::text)")) for n in range(20)]
        assert await asyncio.gather(*answers) == list(range(20))

    run(database, test)


def test_connections_that_the_database_ended_are_made_anew(database: Database) -> None:
    async def test(pool: ReadPool) -> None:
        before = await pool.fetch_value(PID)
        with pytest.raises(DatabaseUnavailable):
            await pool.fetch_value(plain("pg_terminate_backend(pg_backend_pid())"))
        asked, other = pool.fetch_value(PID), pool.fetch_value(PID)
        first, second = await asyncio.gather(asked, other)
        assert before not in {first, second}
        with pytest.raises(DatabaseUnavailable):
            # It ends while nobody asks it: a statement that has begun on the other one tells.
            await pool.fetch_value(plain(f"pg_terminate_backend({first}) AND pg_terminate_backend({second})"))
        await asyncio.sleep(0.05)
        assert await pool.fetch_value(PID) not in {first, second}

    run(database, test)


def test_a_schema_that_is_behind(database: Database) -> None:
    async def test(pool: ReadPool) -> None:
        with pytest.raises(DatabaseUnavailable, match="not the newest"):
            await pool.fetch(Statement(select(table("missing", column("a"))), None, {}))

    run(database, test)


def test_it_may_only_read(database: Database) -> None:
    async def test(pool: ReadPool) -> None:
        assert await pool.fetch_value(plain("current_setting('transaction_read_only')")) == "on"
        assert await pool.fetch_value(plain("has_table_privilege('feature', 'INSERT')")) is False

    run(database, test)
