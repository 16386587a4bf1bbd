"""Which pages in a browser may read answers."""

import pytest

from api.app import create_app
from tests.api.client import serving
from twin.db.engine import Database
from twin.db.query import ALL_SCOPES

PUBLIC = frozenset({"public"})


def allowed(database: Database, scopes: frozenset[str], origin: str) -> str | None:
    with serving(create_app(database.reader(), database.settings, scopes)) as client:
        return client.request("GET", "/conformance", headers={"Origin": origin}).headers.get(
            "access-control-allow-origin"
        )


@pytest.mark.parametrize("origin", ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:8000"])
def test_pages_of_this_machine_read_what_this_machine_sees(database: Database, origin: str) -> None:
    assert allowed(database, ALL_SCOPES, origin) == origin


@pytest.mark.parametrize("origin", ["https://maps.example", "http://localhost.example", "null"])
def test_pages_of_other_sites_do_not(database: Database, origin: str) -> None:
    assert allowed(database, ALL_SCOPES, origin) is None


def test_all_pages_read_what_everyone_sees(database: Database) -> None:
    assert allowed(database, PUBLIC, "https://maps.example") == "*"
