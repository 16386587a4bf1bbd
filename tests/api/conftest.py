"""The application over the seeded towns."""

from collections.abc import Iterator

import pytest

from api.app import create_app
from tests.api.client import Client, serving
from tests.api.seeding import Seeded, towns
from twin.db.engine import Database


@pytest.fixture(scope="module")
def seeded_towns(database: Database) -> Iterator[list[Seeded]]:
    with towns(database.engine) as items:
        yield items


@pytest.fixture(scope="module")
def client(database: Database, seeded_towns: list[Seeded]) -> Iterator[Client]:
    with serving(
        create_app(database.reader(), database.settings, writer=database.connect.owner_url)
    ) as client:
        yield client
