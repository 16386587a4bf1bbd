"""The viewer's page tells its script of the base map, where the settings name one."""

import html
import json
import re
from pathlib import Path

import pytest

from api import ogc
from api.app import create_app
from tests.api.client import serving
from twin.db.engine import Database

PAGE = "<!doctype html>\n<html><head><title>Twin</title></head><body></body></html>"
XYZ = "https://tiles.example/{z}/{x}/{y}.png?a=1&b=2"
CREDIT = 'Tiles: "Map & <Survey>"'


def _page(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **settings: object) -> str:
    (tmp_path / "index.html").write_text(PAGE, encoding="utf-8")
    monkeypatch.setattr(ogc, "VIEWER", tmp_path)
    known = database.settings.model_copy(update=settings)
    with serving(create_app(database.reader(), known)) as client:
        answer = client.request("GET", "/", headers={"Accept": "text/html"})
    assert answer.headers["cache-control"] == "no-cache"
    assert "Accept" in answer.headers["vary"]
    return answer.text


def test_without_a_base_map_the_page_is_as_built(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _page(database, tmp_path, monkeypatch) == PAGE


def test_the_page_names_the_base_map(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"viewer_base_map": f"helsinki={XYZ}", "viewer_base_map_credit": CREDIT}
    page = _page(database, tmp_path, monkeypatch, **given)
    told = re.search(r'<head><meta name="base-map" content="([^"]*)"><title>', page)
    assert told is not None
    assert json.loads(html.unescape(told[1])) == {
        "templates": [{"city": "helsinki", "url": XYZ}],
        "zoom": 18,
        "credit": CREDIT,
    }
    assert "<Survey>" not in page
