"""The files of pages come compressed, and only once."""

from pathlib import Path

import pytest

from api import ogc
from api.app import create_app
from tests.api.client import serving
from twin.db.engine import Database


def test_scripts_are_compressed_and_known(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "let same = 1;\n" * 50_000
    (tmp_path / "app.js").write_text(script)
    monkeypatch.setattr(ogc, "VIEWER", tmp_path)
    with serving(create_app(database.reader(), database.settings)) as client:
        answer = client.request("GET", "/viewer/app.js", headers={"Accept-Encoding": "gzip"})
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) < len(script) / 20
        assert answer.text == script
        known = {"Accept-Encoding": "gzip", "If-None-Match": answer.headers["etag"]}
        assert client.request("GET", "/viewer/app.js", headers=known).status_code == 304
