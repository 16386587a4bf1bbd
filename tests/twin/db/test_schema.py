"""The schema that the migrations make, and who may do what with it."""

import asyncio
from typing import Any, cast

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from twin.db import access_tables, migrations
from twin.db.engine import Database
from twin.db.migrations.comparison import is_ours


def test_migrations_make_the_declared_schema(connection: Connection) -> None:
    context = MigrationContext.configure(
        connection, opts={"include_object": is_ours, "compare_type": True, "compare_server_default": True}
    )
    assert compare_metadata(context, access_tables.metadata) == []


def test_comparison_sees_a_missing_column(connection: Connection) -> None:
    connection.execute(text("ALTER TABLE feature DROP COLUMN height_m"))
    context = MigrationContext.configure(connection, opts={"include_object": is_ours})
    steps = compare_metadata(context, access_tables.metadata)
    assert [step[0] for step in steps] == ["add_column", "add_index"]


def test_head_is_what_alembic_takes_for_it() -> None:
    config = Config()
    config.set_main_option("script_location", "twin.db:migrations")
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_database_is_at_head(connection: Connection) -> None:
    assert migrations.revision(connection) == migrations.HEAD


def test_partitions_are_no_part_of_the_comparison(connection: Connection) -> None:
    connection.execute(text("CREATE TABLE city_object_7 PARTITION OF city_object FOR VALUES IN (7)"))
    context = MigrationContext.configure(connection, opts={"include_object": is_ours})
    assert compare_metadata(context, access_tables.metadata) == []


def test_owner_role_writes_with_lz4(connection: Connection) -> None:
    assert connection.execute(text("SHOW default_toast_compression")).scalar() == "lz4"
    assert connection.execute(text("SHOW jit")).scalar() == "off"
    assert connection.execute(text("SHOW listen_addresses")).scalar() == ""


def _read(database: Database, *statements: str) -> list[Any]:
    """The first values of the statements, run as the API's role."""

    async def run() -> list[Any]:
        session = await cast("Any", asyncpg).connect(**database.reader())
        try:
            return [await session.fetchval(statement) for statement in statements]
        finally:
            await session.close()

    return asyncio.run(run())


def test_reader_is_no_superuser_and_reads_every_table_but_the_keys(database: Database) -> None:
    assert _read(database, "SHOW is_superuser", "SELECT current_user") == ["off", "twin_api"]
    tables = [name for name in access_tables.metadata.tables if name != access_tables.api_key.name]
    assert len(_read(database, *(f"SELECT count(*) FROM {name}" for name in tables))) == len(tables)


def test_reader_reads_tables_made_later(database: Database) -> None:
    try:
        with database.engine.begin() as connection:
            connection.execute(text("CREATE TABLE made_later AS SELECT 42 AS answer"))
        assert _read(database, "SELECT answer FROM made_later") == [42]
    finally:
        with database.engine.begin() as connection:
            connection.execute(text("DROP TABLE IF EXISTS made_later"))


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        (["DELETE FROM feature"], asyncpg.ReadOnlySQLTransactionError),
        (
            ["SET default_transaction_read_only = off", "DELETE FROM feature"],
            asyncpg.InsufficientPrivilegeError,
        ),
        (["CREATE TEMPORARY TABLE t (a int)"], asyncpg.ReadOnlySQLTransactionError),
        (["SELECT pg_read_file('postgresql.conf')"], asyncpg.InsufficientPrivilegeError),
        (["COPY feature TO PROGRAM 'cat'"], asyncpg.InsufficientPrivilegeError),
        (["SET ROLE twin"], asyncpg.InsufficientPrivilegeError),
        (["SELECT prefix FROM api_key"], asyncpg.InsufficientPrivilegeError),
    ],
)
def test_reader_may_not(database: Database, statements: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        _read(database, *statements)
