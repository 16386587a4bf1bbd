"""A server with two towns, as programs of others find it."""

from collections.abc import Iterator

import pytest

from api import server
from tests.api.seeding import Seeded, towns
from tests.api.test_server import answer, running
from twin.db.engine import Database


@pytest.fixture(scope="module")
def seeded_towns(database: Database) -> Iterator[list[Seeded]]:
    with towns(database.engine) as items:
        yield items


@pytest.fixture(scope="module")
def address(database: Database, seeded_towns: list[Seeded]) -> Iterator[str]:
    assert seeded_towns
    port = server.free_port(18_300)
    with running(database, port, 1):
        answer(port)
        yield f"http://127.0.0.1:{port}"
