"""API keys: which are taken, how those that are not are refused, and that none is kept or told."""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import select, text

from api import server
from api.app import create_app
from api.security import guard
from api.security.caller import closed, here, public
from tests.api.client import Client, serving
from tests.api.security.asking import bearer, guarded, new_key, remove_keys
from twin.db import keys
from twin.db.access_tables import api_key
from twin.db.engine import Database
from twin.db.query import Statement
from twin.errors import DatabaseUnavailable, TwinError

DATA = "/collections"


@pytest.fixture(scope="module")
def client(database: Database) -> Iterator[Client]:
    with guarded(database, closed()) as client:
        yield client


def clock(now: float, monotonic: float | None = None) -> SimpleNamespace:
    """A stand-in for the module ``time``, as the guard sees it."""
    since = time.monotonic() if monotonic is None else monotonic
    return SimpleNamespace(time=lambda: now, monotonic=lambda: since)


def ask(client: Client, headers: dict[str, str], path: str = DATA) -> Any:
    return client.request("GET", path, headers=headers)


def test_without_a_key_nothing_is_told_but_what_the_service_is(client: Client) -> None:
    refused = ask(client, {})
    assert refused.status_code == 401
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.headers["www-authenticate"] == 'Bearer realm="twin"'
    assert "'read'" in refused.json()["detail"]
    for path in ("/", "/conformance", "/api", "/health/live", "/health/ready"):
        assert ask(client, {}, path).status_code == 200
    # What there is cannot be told from what there is not.
    assert ask(client, {}, "/collections/buildings?nonsense=1").status_code == 401
    assert ask(client, {}, "/collections/nothing").status_code == 401


def test_a_key_opens_by_either_header(client: Client, database: Database) -> None:
    key = new_key(database, "read")
    for headers in (bearer(key), {"Authorization": f"bearer  {key} "}, {"X-API-Key": key}):
        answer = ask(client, headers)
        assert answer.status_code == 200
        assert answer.headers["cache-control"].startswith("private")
    assert client.request("HEAD", DATA).status_code in {401, 405}


def test_a_key_is_not_taken_from_elsewhere(client: Client, database: Database) -> None:
    key = new_key(database, "read")
    for headers in ({"Authorization": f"Basic {key}"}, {"Cookie": f"key={key}"}, {"Api-Key": key}):
        assert ask(client, headers).status_code == 401
    assert ask(client, {}, f"{DATA}?key={key}").status_code == 401


def test_what_is_no_key_is_refused(client: Client, database: Database) -> None:
    key = new_key(database, "read")
    wrong = (key[:-1], key + "x", key[:-1] + ("a" if key[-1] != "a" else "b"), key.upper(), "", "x" * 100_000,
             "twin_", "\xe4" * 57)  # fmt: skip
    for text_ in wrong:
        answer = client.request("GET", DATA, headers={b"Authorization": b"Bearer " + text_.encode("latin-1")})
        assert answer.status_code == 401, text_
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert key[14:] not in answer.text
    # An open address does not take a wrong key for none: who sent it would not notice.
    for access in (public(), here()):
        with guarded(database, access) as other:
            assert ask(other, {}).status_code == 200
            assert ask(other, bearer(key[:-1])).status_code == 401


def test_a_key_ends_on_its_day(client: Client, database: Database) -> None:
    now = datetime.now(UTC)
    past = new_key(database, "read", expires=now - timedelta(seconds=1))
    later = new_key(database, "read", expires=now + timedelta(hours=1))
    assert "is expired" in ask(client, bearer(past)).json()["detail"]
    assert ask(client, bearer(later)).status_code == 200


def test_a_remembered_key_ends_with_its_time(
    database: Database, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    expires = datetime.now(UTC) + timedelta(hours=1)
    key = new_key(database, "read", expires=expires)
    assert ask(client, bearer(key)).status_code == 200
    monkeypatch.setattr(guard, "time", clock(expires.timestamp() - 1))
    assert ask(client, bearer(key)).status_code == 200
    # The guard asks the database again from the second of its end on, whose clock this is not.
    asked: list[str] = []

    def unknown(_: keys.KeyRing, secret: str) -> None:
        asked.append(secret)

    monkeypatch.setattr(keys.KeyRing, "by_secret", unknown)
    monkeypatch.setattr(guard, "time", clock(expires.timestamp()))
    assert ask(client, bearer(key)).status_code == 401
    assert asked == [key]


def test_a_revoked_key_is_believed_for_seconds_at_most(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key(database, "read")
    assert ask(client, bearer(key)).status_code == 200
    with database.engine.begin() as connection:
        keys.revoke(connection, key[:13])
    assert ask(client, bearer(key)).status_code == 200
    monkeypatch.setattr(guard, "time", clock(time.time(), time.monotonic() + guard.KNOWN_S + 0.1))
    assert "is revoked" in ask(client, bearer(key)).json()["detail"]


def test_without_the_database_nobody_is_let_in(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = new_key(database, "read")

    def away(*_: Any) -> None:
        raise DatabaseUnavailable("away")

    monkeypatch.setattr(keys.KeyRing, "by_secret", away)
    answer = ask(client, bearer(key))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_server_without_a_writing_role_knows_no_keys(database: Database) -> None:
    key = new_key(database, "read")
    with serving(create_app(database.reader(), database.settings, closed())) as lone:
        assert ask(lone, bearer(key)).status_code == 401


def test_keys_are_in_no_log_and_not_in_the_database(
    client: Client, database: Database, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    good, bad = new_key(database, "read"), new_key(database, "stats")
    with caplog.at_level(logging.DEBUG):
        for key, status in ((good, 200), (bad, 403), (bad[:-1], 401)):
            answer = ask(client, bearer(key))
            assert answer.status_code == status
            assert key[14:] not in answer.text + str(answer.headers)
    out, errors = capfd.readouterr()
    with database.engine.connect() as connection:
        rows = str(connection.execute(text("SELECT api_key::text FROM api_key")).all())
    for secret in (good[14:], bad[14:]):
        assert secret[:-1] not in caplog.text + out + errors + rows
    assert good[:13] in rows


def test_the_role_that_reads_data_reads_no_keys(client: Client) -> None:
    async def read() -> None:
        with pytest.raises(Exception, match="permission denied"):
            await client.app.state.service.pool.fetch(Statement(select(api_key), None, {}))

    client.run(read)


@pytest.mark.parametrize("host", ["evil.example", "twin.example:8000", "localhost.evil.example", "", "["])
def test_a_name_that_was_bent_to_this_machine_opens_nothing(database: Database, host: str) -> None:
    with guarded(database, here()) as local:
        answer = ask(local, {"Host": host})
        assert answer.status_code == 401
        assert "http://localhost" in answer.json()["detail"]
        key = new_key(database, "read")
        assert ask(local, {"Host": host, **bearer(key)}).status_code == 200


@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP", "Via"])
def test_a_proxy_on_this_machine_does_not_open_it_to_others(database: Database, header: str) -> None:
    with guarded(database, here()) as local:
        assert ask(local, {}).status_code == 200
        assert ask(local, {header: "192.0.2.1"}).status_code == 401
    with guarded(database, public()) as everyone:
        assert ask(everyone, {header: "192.0.2.1", "Host": "twin.example"}).status_code == 200


def test_servers_that_others_reach_start_with_a_key_alone(database: Database) -> None:
    remove_keys(database)
    for host, asks in (("0.0.0.0", False), ("127.0.0.1", True)):
        with pytest.raises(TwinError, match="twin keys create"):
            server.serve(database, host=host, port=0, ask_for_keys=asks)
    new_key(database, "read", expires=datetime.now(UTC) - timedelta(days=1))
    with pytest.raises(TwinError, match="active"):
        server.access_of(database, "0.0.0.0")
    new_key(database, "read")
    for host, asks in (("0.0.0.0", False), ("::", False), ("127.0.0.1", True)):
        assert not server.access_of(database, host, ask_for_keys=asks).anonymous.scopes
    with pytest.raises(TwinError, match="Choose one"):
        server.serve(database, host="127.0.0.1", port=0, public_read=True, ask_for_keys=True)
