"""Keys end with the module that made them."""

from collections.abc import Iterator

import pytest

from tests.api.security.asking import remove_keys
from twin.db.engine import Database


@pytest.fixture(scope="module", autouse=True)
def _no_keys_stay(database: Database) -> Iterator[None]:
    yield
    remove_keys(database)
