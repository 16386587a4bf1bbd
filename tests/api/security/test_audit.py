"""What is kept of requests: who, what and when of those that matter, and never a secret."""

import stat
from pathlib import Path
from typing import Any

import orjson
import pytest

from api.security.caller import closed, here
from tests.api.security.asking import bearer, guarded, new_key
from tests.api.seeding import Seeded
from twin.db.engine import Database
from twin.errors import ServiceError

BUILDINGS = "/collections/buildings"
_AREA = {
    "type": "Feature",
    "id": "a",
    "geometry": {"type": "Point", "coordinates": [24, 60]},
    "properties": {},
}
AREAS = {"type": "FeatureCollection", "features": [_AREA]}


def lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_text().splitlines()]


def test_what_is_refused_written_or_taken_away_is_kept(
    database: Database, seeded_towns: list[Seeded], tmp_path: Path
) -> None:
    assert seeded_towns
    log = tmp_path / "audit.jsonl"
    key = new_key(database, "read", "export", "import", name="Plänners\n{}")
    with guarded(database, closed(), audit_log=str(log), rate_burst=9, rate_limit_per_s=0.001) as client:

        def ask(method: str, path: str, status: int, **more: Any) -> None:
            assert client.request(method, path, headers=bearer(key), **more).status_code == status

        ask("GET", f"{BUILDINGS}/items?limit=1", 200)
        ask("GET", f"{BUILDINGS}/download?f=csv&filter=city='secret'", 200)
        ask("GET", f"{BUILDINGS}/statistics", 403)
        ask("PUT", "/collections/mine?title=t", 201, json=AREAS)
        ask("DELETE", "/collections/mine", 204)
        assert client.get("/collections").status_code == 401
        for _ in range(4):
            ask("GET", "/conformance", 200)
        ask("GET", "/conformance", 429)
    found = lines(log)
    assert [(line["method"], line["path"], line["status"], line["parameters"]) for line in found] == [
        ("GET", f"{BUILDINGS}/download", 200, ["f", "filter"]),
        ("GET", f"{BUILDINGS}/statistics", 403, []),
        ("PUT", "/collections/mine", 201, ["title"]),
        ("DELETE", "/collections/mine", 204, []),
        ("GET", "/collections", 401, []),
        ("GET", "/conformance", 429, []),
    ]
    names = [line["who"] for line in found]
    assert names == [*[f"key {key[:13]} Plänners\n{{}}"] * 4, "nobody", f"key {key[:13]} Plänners\n{{}}"]
    assert {line["address"] for line in found} == {"127.0.0.1"}
    assert all(line["time"].endswith("Z") and line["took_ms"] >= 0 for line in found)
    assert "secret" not in log.read_text()


def test_no_secret_is_kept_wherever_it_was_written(database: Database, tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    key = new_key(database, "stats")
    with guarded(database, closed(), audit_log=str(log)) as client:
        for path in (f"/collections/{key}/items", f"/collections?{key}=1", f"/collections?key={key}"):
            assert client.get(path).status_code == 401
        for headers in (bearer(key), bearer(key[:-1]), {"X-API-Key": key}, {"Cookie": key}):
            assert client.request("GET", "/collections", headers=headers).status_code in {401, 403}
    assert len(lines(log)) == 7
    assert key[14:-1] not in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


def test_a_log_that_was_moved_away_is_begun_anew(database: Database, tmp_path: Path) -> None:
    log = tmp_path / "audit.jsonl"
    with guarded(database, closed(), audit_log=str(log)) as client:
        client.get("/collections")
        log.rename(tmp_path / "old")
        client.get("/collections")
    assert len(lines(log)) == len(lines(tmp_path / "old")) == 1


def test_by_default_it_goes_to_standard_error_or_nowhere(
    database: Database, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for access, audit_log, kept in ((closed(), None, True), (closed(), "off", False), (here(), None, False)):
        with guarded(database, access, audit_log=audit_log) as client:
            client.request("GET", "/collections", headers={"Host": "evil.example"})
        assert ('"status":401' in capsys.readouterr().err) is kept
    with (
        pytest.raises(ServiceError, match="TWIN_AUDIT_LOG"),
        guarded(database, closed(), audit_log=str(tmp_path / "none" / "x")),
    ):
        pass
