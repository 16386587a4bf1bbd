"""Sessions of browsers: a cookie that no script reads, for reading alone, as long as what it stands for."""

import time
from collections.abc import Iterator

import pytest

from api.security import sessions
from api.security.caller import Caller, closed, here
from tests.api.client import Client
from tests.api.security.asking import bearer, guarded, new_key
from twin.db import keys
from twin.db.engine import Database

COLLECTIONS = "/collections"


@pytest.fixture(scope="module")
def client(database: Database) -> Iterator[Client]:
    with guarded(database, closed(), audit_log="off") as client:
        yield client


def begun(client: Client, key: str) -> str:
    """The cookie of a new session, as a browser sends it back."""
    answer = client.request("POST", "/session", headers=bearer(key))
    assert answer.status_code == 204
    cookie, *attributes = answer.headers["set-cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(attributes)
    assert answer.headers["cache-control"] == "no-store"
    client.forget_cookies()
    return cookie


def status(client: Client, cookie: str, method: str = "GET", path: str = COLLECTIONS, **more: object) -> int:
    found = client.request(method, path, headers={"Cookie": cookie}, **more).status_code
    client.forget_cookies()
    return found


def test_a_cookie_opens_what_its_key_opens(client: Client, database: Database) -> None:
    key = new_key(database, "read", "export", cities=["tallinn"])
    cookie = begun(client, key)
    assert key not in cookie
    assert key.rpartition("_")[2] not in cookie
    assert status(client, cookie) == 200
    assert status(client, cookie, path="/collections/buildings/download?f=csv") == 200
    assert status(client, cookie, path="/collections/buildings/statistics") == 403
    assert client.get(COLLECTIONS).status_code == 401
    page = client.request("GET", COLLECTIONS, headers={"Cookie": cookie})
    assert page.headers["cache-control"].startswith("private")
    told = client.request("GET", "/session", headers={"Cookie": cookie}).json()
    assert (told["identified"], told["scopes"], told["cities"]) == (True, ["export", "read"], ["tallinn"])


def test_it_counts_for_reading_alone(client: Client, database: Database) -> None:
    cookie = begun(client, new_key(database, "read", "import"))
    assert status(client, cookie, "HEAD") == 200
    assert status(client, cookie, "PUT", "/collections/mine", content=b"{}") == 401
    assert status(client, cookie, "DELETE", "/collections/mine") == 401
    assert status(client, cookie, "POST", "/collections/buildings/items", json={}) == 401
    assert status(client, cookie, "POST", "/session") == 401


def test_it_ends_with_its_key(client: Client, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    key = new_key(database, "read")
    cookie = begun(client, key)
    with database.engine.begin() as connection:
        keys.revoke(connection, key[:13])
    assert status(client, cookie) == 401
    cookie = begun(client, new_key(database, "read"))
    ended = time.time() + sessions.LASTS_S + 1
    monkeypatch.setattr("time.time", lambda: ended)
    assert status(client, cookie) == 401


def test_none_can_be_made_or_taken_along(client: Client, database: Database) -> None:
    cookie = begun(client, new_key(database, "read"))
    body, mac = cookie.split(".")
    forged = sessions.seal(Caller.of("me", ["admin"]), b"another secret")
    for wrong in (f"{body}.", body, f"{cookie[:-1]}x", f"{body}A.{mac}", f"{sessions.COOKIE}={forged}",
                  f"{sessions.COOKIE}=.", f'{sessions.COOKIE}="', "twin_session"):  # fmt: skip
        assert status(client, wrong) == 401, wrong
    with guarded(database, closed(), audit_log="off") as restarted:
        assert status(restarted, cookie) == 401


def test_a_form_signs_in_and_goes_on_to_the_viewer(client: Client, database: Database) -> None:
    page = client.request("GET", "/session", headers={"Accept": "text/html"})
    assert '<form class="card" method="post" action="http://localhost/session">' in page.text
    assert client.get("/session", f="html", lang="fi").text.count("Kirjaudu") > 1
    answer = client.request("POST", "/session", data={"key": new_key(database, "read")})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get(COLLECTIONS).status_code == 200
    gone = client.request("DELETE", "/session")
    assert (gone.status_code, "Max-Age=0" in gone.headers["set-cookie"]) == (204, True)
    assert client.get(COLLECTIONS).status_code == 401
    for form in ({"key": "twin_wrong"}, {"key": ""}, {"other": "x"}, {"key": "x" * 20_000}):
        assert client.request("POST", "/session", data=form).status_code == 401
    evil = {"Origin": "https://evil.example"}
    sent = client.request("POST", "/session", data={"key": new_key(database, "read")}, headers=evil)
    assert sent.status_code == 403
    client.forget_cookies()


def test_over_tls_it_stays_there(client: Client, database: Database) -> None:
    answer = client.request("POST", "https://localhost/session", headers=bearer(new_key(database, "read")))
    assert answer.headers["set-cookie"].endswith("; Secure")
    client.forget_cookies()


def test_where_everything_is_open_there_is_nothing_to_keep(database: Database) -> None:
    with guarded(database, here()) as open_client:
        assert open_client.request("POST", "/session").status_code == 401
        assert open_client.get("/session").json()["identified"] is False
        assert status(open_client, f"{sessions.COOKIE}=x.y") == 200
