"""A migrated database for the tests, and an environment that is not the user's."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection

from twin.db import embedded, engine
from twin.settings import Settings

_KEPT = {"TWIN_POSTGRES_BIN"}


@pytest.fixture(scope="session", autouse=True)
def twin_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Tests never see the user's settings and data."""
    home = tmp_path_factory.mktemp("home") / "twin"
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("TWIN_") and name not in _KEPT]:
            patch.delenv(name)
        patch.setenv("TWIN_HOME", str(home))
        yield home


@pytest.fixture(scope="session")
def database(twin_home: Path) -> Iterator[engine.Database]:
    """A private cluster with the newest schema; tests that write commit nothing or clean up."""
    settings = Settings(home=twin_home)
    try:
        with engine.database(settings) as database:
            yield database
    finally:
        embedded.destroy(settings)


@pytest.fixture
def connection(database: engine.Database) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back after the test."""
    with database.engine.connect() as connection, connection.begin() as transaction:
        yield connection
        transaction.rollback()
