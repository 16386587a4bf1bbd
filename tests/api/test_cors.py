"""Which pages in a browser may read answers, and which may write."""

import pytest

from api.app import create_app
from api.security.caller import Access, closed, here, public
from tests.api.client import serving
from twin.db.engine import Database

LISTED = "https://maps.example, http://localhost:5173/"


def allowed(database: Database, access: Access, origin: str, listed: str | None = None) -> str | None:
    settings = database.settings.model_copy(update={"cors_origins": listed})
    with serving(create_app(database.reader(), settings, access)) as client:
        answer = client.request("GET", "/conformance", headers={"Origin": origin})
        assert "access-control-allow-credentials" not in answer.headers
        return answer.headers.get("access-control-allow-origin")


@pytest.mark.parametrize("origin", ["http://localhost:5173", "https://127.0.0.1", "http://[::1]:8000"])
def test_pages_of_this_machine_read_what_this_machine_sees(database: Database, origin: str) -> None:
    assert allowed(database, here(), origin) == origin


@pytest.mark.parametrize("origin", ["https://maps.example", "http://localhost.example", "null"])
def test_pages_of_other_sites_do_not(database: Database, origin: str) -> None:
    assert allowed(database, here(), origin) is None


@pytest.mark.parametrize("access", [public(), closed()])
def test_all_pages_read_what_everyone_sees(database: Database, access: Access) -> None:
    assert allowed(database, access, "https://maps.example") == "*"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("https://maps.example", True),
        ("http://localhost:5173", True),
        ("http://maps.example", False),
        ("https://maps.example.evil.example", False),
        ("http://localhost:8000", False),
    ],
)
@pytest.mark.parametrize("access", [here(), public(), closed()])
def test_a_list_holds_alone(database: Database, access: Access, origin: str, expected: bool) -> None:
    assert allowed(database, access, origin, LISTED) == (origin if expected else None)


@pytest.mark.parametrize(
    ("method", "path", "origin", "status"),
    [
        ("POST", "/collections/buildings/items", "http://localhost", 200),
        ("POST", "/collections/buildings/items", "http://localhost:5173", 200),
        ("POST", "/collections/buildings/items", "https://evil.example", 403),
        ("POST", "/collections/buildings/items", "null", 403),
        ("DELETE", "/collections/nothing", "http://localhost", 404),
        ("DELETE", "/collections/nothing", "http://localhost:5173", 403),
        ("DELETE", "/collections/nothing", "https://evil.example", 403),
    ],
)
def test_only_own_pages_write(database: Database, method: str, path: str, origin: str, status: int) -> None:
    app = create_app(database.reader(), database.settings, writer=database.connect.owner_url)
    with serving(app) as client:
        answer = client.request(method, path, headers={"Origin": origin}, json={})
        assert answer.status_code == status, answer.text
