"""One door to the database, be it private or given by TWIN_DATABASE_URL."""

import asyncio
from typing import Any, cast

import asyncpg
import pytest
from sqlalchemy import URL, create_engine, text

from twin.db import engine, migrations
from twin.db.engine import Database
from twin.errors import DatabaseUnavailable
from twin.settings import Settings


def _address(url: URL) -> str:
    return f"postgresql://{url.username}@/{url.database}?host={url.host}"


@pytest.fixture
def existing(database: Database) -> Settings:
    """Settings that name an existing database: that of the tests."""
    return Settings(database_url=_address(database.connect.owner_url))


def test_existing_database_is_used_and_migrated(database: Database, existing: Settings) -> None:
    with engine.database(existing) as other, other.engine.connect() as connection:
        assert migrations.revision(connection) == migrations.HEAD
        socket = connection.execute(text("SHOW unix_socket_directories")).scalar()
    with database.engine.connect() as connection:
        assert connection.execute(text("SHOW unix_socket_directories")).scalar() == socket


def test_reader_of_an_existing_database_takes_the_reading_role(existing: Settings) -> None:
    async def run(arguments: dict[str, Any]) -> list[Any]:
        session = await cast("Any", asyncpg).connect(**arguments)
        try:
            asked = ("SELECT current_user", "SHOW default_transaction_read_only")
            return [await session.fetchval(statement) for statement in asked]
        finally:
            await session.close()

    with engine.database(existing) as other:
        assert asyncio.run(run(other.reader())) == ["twin_reader", "on"]


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("not an address", "cannot be read"),
        ("mysql://somebody@localhost/twin", "has to be postgresql://"),
        ("postgresql://nobody@localhost:1/twin", "No connection"),
    ],
)
def test_bad_address_is_told_without_its_password(address: str, reason: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=reason), engine.database(Settings(database_url=address)):
        pass


def test_password_is_not_told() -> None:
    address = "postgresql://nobody:secret@localhost:1/twin"
    with pytest.raises(DatabaseUnavailable) as caught, engine.database(Settings(database_url=address)):
        pass
    assert "secret" not in str(caught.value)


def test_newer_database_is_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    try:
        with pytest.raises(DatabaseUnavailable, match="newer finest-twin"):
            migrations.migrate(database.engine)
    finally:
        with database.engine.begin() as connection:
            connection.execute(
                text("UPDATE alembic_version SET version_num = :head"), {"head": migrations.HEAD}
            )


def test_failed_migration_leaves_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a server where the owner may not make extensions."""
    with database.engine.begin() as connection:
        connection.execute(text("CREATE ROLE poor LOGIN"))
        connection.execute(text("CREATE SCHEMA poor AUTHORIZATION poor"))
    poor = create_engine(
        database.connect.owner_url, connect_args={"options": "-c role=poor -c search_path=poor"}
    )
    try:
        with pytest.raises(DatabaseUnavailable, match="could not be brought to revision"):
            migrations.migrate(poor)
        with poor.connect() as connection:
            assert migrations.revision(connection) is None
    finally:
        poor.dispose()
        with database.engine.begin() as connection:
            connection.execute(text("DROP SCHEMA poor CASCADE"))
            connection.execute(text("DROP ROLE poor"))
