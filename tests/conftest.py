"""A migrated database for the tests, and an environment that is not the user's."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Connection

from twin.db import embedded, engine
from twin.settings import Settings

BROWSER_TESTS = Path(__file__).parent / "e2e"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--bless", action="store_true", help="take what the code gives now as the golden files")


def pytest_configure() -> None:
    """A terminated run ends its fixtures too, and with them the private clusters."""
    # How long an example takes is no property of the code on a machine that does other things too.
    hypothesis.settings.register_profile("unhurried", deadline=None)
    hypothesis.settings.load_profile("unhurried")
    # A shell lets what it runs in the background ignore Ctrl-C, and so would the programs under test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda _number, _frame: pytest.exit("terminated", 143))


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run in several processes, those of a file stay together, and so do all of the browser.

    Those of the browser come first: they are the largest group, and nothing may wait for them at the end.
    """
    for item in items:
        group = "browser" if item.path.parent == BROWSER_TESTS else item.path.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
    items.sort(key=lambda item: item.path.parent != BROWSER_TESTS)


_KEPT = {"TWIN_POSTGRES_BIN", "TWIN_TOOLS"}


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


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[Path, Any], None]:
    """Compares a value with a golden file of JSON; ``make bless`` writes the file instead."""

    def compare(path: Path, value: Any) -> None:
        text = json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
        if request.config.getoption("--bless"):
            path.write_text(text)
        expected = path.read_text() if path.exists() else ""
        assert text == expected, f"{path} differs; 'make bless' takes the new one"

    return compare
