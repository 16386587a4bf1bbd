"""``twin keys``: a key is shown once, listed without its secret, and ended."""

import sys
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select

from twin import cli
from twin.db import keys
from twin.db.access_tables import api_key
from twin.db.engine import Database


@pytest.fixture(autouse=True)
def _tidy(database: Database) -> Iterator[None]:
    yield
    with database.engine.begin() as connection:
        connection.execute(delete(api_key))


def _twin(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["twin", *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    return int(ended.value.code or 0)


def test_a_key_is_shown_once_listed_and_revoked(
    database: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = ["create", "Planners", "--scope", "read", "--scope", "stats", "--city", "tallinn", "--days", "9"]
    assert _twin(monkeypatch, "keys", *made) == 0
    key = capsys.readouterr().out.strip()
    assert keys.FORM.fullmatch(key)
    prefix = key[: len("twin_") + 8]
    assert _twin(monkeypatch, "keys", "list") == 0
    listed = capsys.readouterr().out
    assert key not in listed
    for told in (prefix, "Planners", "active", "read,stats", "tallinn"):
        assert told in listed
    assert _twin(monkeypatch, "keys", "revoke", prefix) == 0
    capsys.readouterr()
    _twin(monkeypatch, "keys", "list")
    assert "revoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(("create", "x", "--scope", "everything"), "personal"), (("revoke", "twin_nothing1"), "twin keys list")],
)
def test_what_cannot_be_done_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    assert _twin(monkeypatch, "keys", *arguments) == 1
    assert told in capsys.readouterr().err


def test_the_database_holds_no_key(database: Database) -> None:
    with database.engine.begin() as connection:
        key = keys.create(connection, "somebody", ["read"])
        stored = connection.execute(select(api_key)).all()
    secret = key.rpartition("_")[2]
    assert secret not in repr(stored)
    assert secret.encode() not in b"".join(bytes(row.hash) for row in stored)


def test_keys_are_found_by_their_secret_and_their_use_is_kept(database: Database) -> None:
    with database.engine.begin() as connection:
        key = keys.create(connection, "somebody", ["read"], ["tallinn"])
    ring = keys.KeyRing(database.connect.owner_url)
    try:
        found = ring.by_secret(key)
        assert found is not None
        assert (found.state, found.scopes, found.cities) == ("active", {"read"}, {"tallinn"})
        assert ring.by_secret(key[:-1] + ("a" if key[-1] != "a" else "b")) is None
        again = ring.by_prefix(found.prefix)
        assert again is not None
        assert again.last_used_at is not None
    finally:
        ring.close()
