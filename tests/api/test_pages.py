"""Pages for people: which of them come when, in which language, and that nothing in them can act."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import orjson
import pytest

from api import ogc
from api.app import create_app
from api.html.language import LANGUAGES, words_of
from api.html.plan import plan
from api.security.caller import public
from tests.api.client import Client, serving
from tests.api.seeding import Seeded
from tests.fixtures import ROOT
from twin.db.engine import Database
from twin.model.attributes import BY_NAME

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
PATHS = (
    "/collections",
    "/collections/buildings",
    "/collections/buildings/queryables",
    "/collections/buildings/sortables",
    "/collections/buildings/schema",
    "/collections/buildings/items",
    "/collections/buildings/items/seed_hill.b001",
    "/collections/roofsurfaces",
    "/collections/roofsurfaces/items",
    "/conformance",
)
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"


def page(client: Client, path: str, accept: str = BROWSER, **headers: str) -> httpx.Response:
    sent = {"Accept": accept, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.request("GET", path, headers=sent)


class Outline(HTMLParser):
    """The elements of a page, and whether they close as they open."""

    VOID = frozenset({"meta", "link", "input", "br", "img", "circle", "path", "rect"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.mark.parametrize("path", PATHS)
def test_a_browser_gets_a_page_and_everyone_else_json(client: Client, path: str) -> None:
    found = page(client, path)
    assert found.status_code == 200, found.text
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert {"Accept", "Accept-Language"} <= set(found.headers["vary"].split(", "))
    assert found.text.startswith("<!doctype html>")
    for accept in ("*/*", "application/json", "application/json, text/html;q=0.5"):
        other = page(client, path, accept)
        assert "json" in other.headers["content-type"], accept
        assert "Accept" in other.headers["vary"].split(", ")
        assert other.json()
    assert "json" in page(client, f"{path}?f=json").headers["content-type"]
    assert page(client, f"{path}?f=html", "*/*").text.startswith("<!doctype html>")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_page_is_built_for_every_reader(client: Client, path: str, lang: str) -> None:
    found = page(client, f"{path}?lang={lang}", Accept_Language="sv, en;q=0.3")
    assert found.headers["content-language"] == lang
    outline = Outline(found.text)
    assert outline.named("html") == [{"lang": lang}]
    assert len(outline.named("h1")) == len(outline.named("main")) == found.text.count("<title>", 0, 500) == 1
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    labelled = {label["for"] for label in outline.named("label")}
    fields = [f for f in (*outline.named("input"), *outline.named("select")) if f.get("type") != "hidden"]
    assert {field["id"] for field in fields} == labelled
    ids = [a["id"] for _, a in outline.elements if "id" in a]
    assert len(ids) == len(set(ids))
    assert all(nav.get("aria-label") for nav in outline.named("nav"))
    inner = [a for a in outline.named("a") if "/collections" in str(a["href"]) and "hreflang" not in a]
    pages = [str(a["href"]) for a in inner if not re.search(r"f=|/statistics|/download", str(a["href"]))]
    assert [href for href in pages if f"lang={lang}" not in href] == []


def test_the_language_is_that_of_the_reader(client: Client) -> None:
    path = "/collections/buildings/items/seed_hill.b001"
    for header, lang in (
        ("fi-FI,fi;q=0.9", "fi"), ("de, et;q=0.2", "et"), ("de", "en"), ("sv;q=0, fi", "fi"), (";;", "en")
    ):  # fmt: skip
        found = page(client, path, Accept_Language=header)
        assert found.headers["content-language"] == lang
        assert BY_NAME["surfaces"].label.by_language()[lang] in found.text
        assert BY_NAME["surfaces"].meaning.by_language()[lang] in found.text
    assert page(client, f"{path}?lang=xx").status_code == 400


def test_nothing_in_a_page_can_act(client: Client) -> None:
    for path in PATHS:
        found = page(client, path)
        policy = dict(part.split(" ", 1) for part in found.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert "script-src" not in policy
        assert "unsafe" not in found.headers["content-security-policy"]
        assert found.headers["x-content-type-options"] == "nosniff"
        outline = Outline(found.text)
        assert outline.named("script") == []
        assert [a for _, a in outline.elements if "style" in a or any(n.startswith("on") for n in a)] == []


@pytest.fixture
def hostile(client: Client) -> Iterator[str]:
    shape = {"type": "Point", "coordinates": [24.95, 60.17]}
    properties = {HOSTILE: HOSTILE, "n": 3.5, "yes": True}
    feature = {"type": "Feature", "id": HOSTILE, "geometry": shape, "properties": properties}
    body = {"type": "FeatureCollection", "features": [feature]}
    titled = httpx.QueryParams({"title": HOSTILE, "description": HOSTILE})
    assert client.request("PUT", f"/collections/hostile?{titled}", json=body).status_code == 201
    yield "/collections/hostile"
    assert client.request("DELETE", "/collections/hostile").status_code == 204


def test_hostile_values_stay_text(client: Client, hostile: str) -> None:
    item = f"{hostile}/items/{quote(HOSTILE, safe='')}"
    refused = httpx.QueryParams({"filter": '"<script>alert(1)</script>" = 1'})
    paths = ("/collections", hostile, f"{hostile}/items", f"{hostile}/queryables", item)
    for path in (*paths, f"{hostile}/items?{refused}"):
        found = page(client, path)
        assert "&lt;script&gt;" in found.text, path
        outline = Outline(found.text)
        assert not outline.named("script")
        assert not outline.named("img")
        assert not [a for _, a in outline.elements if "onerror" in a]


def test_problems_come_as_pages_to_browsers(client: Client) -> None:
    found = page(client, "/collections/buildings/items?filter=heigth_m%20%3E%203", Accept_Language="fi")
    assert found.status_code == 400
    assert "height_m" in found.text
    assert words_of("fi")("not_answered") in found.text
    assert page(client, "/collections/nothing", "*/*").json()["status"] == 404
    assert page(client, "/nothing").headers["content-security-policy"]


def test_a_known_page_is_not_sent_again(client: Client) -> None:
    for path in PATHS:
        first = page(client, path)
        tag = first.headers["etag"]
        assert page(client, path, If_None_Match=tag).status_code == 304
        assert page(client, path, If_None_Match=tag, Accept_Language="fi").status_code == 200
        assert page(client, path, "*/*", If_None_Match=tag).status_code == 200
        json = page(client, path, "*/*").headers["etag"]
        assert page(client, path, "*/*", If_None_Match=json).status_code == 304


def test_pages_of_items_lead_through_all_of_them(client: Client, seeded_towns: list[Seeded]) -> None:
    path: str | None = "/collections/buildings/items?limit=50&lang=et"
    seen: list[str] = []
    while path is not None:
        outline = Outline(page(client, path).text)
        rows = [str(a["href"]) for a in outline.named("a") if "/items/" in str(a["href"])]
        seen += [href.split("/items/")[1].partition("?")[0] for href in dict.fromkeys(rows)]
        following = [str(a["href"]) for a in outline.named("link") if a.get("rel") == "next"]
        path = following[0] if following else None
    assert seen == sorted(item.id for item in seeded_towns)


def test_the_form_asks_what_its_fields_say(client: Client) -> None:
    """As a browser sends it: every field, also an empty one."""
    sent = httpx.QueryParams({"f": "html", "filter": "", "sortby": "-height_m", "limit": "20"})
    found = page(client, f"/collections/buildings/items?{sent}")
    assert found.status_code == 200, found.text
    assert '<option value="-height_m" selected>' in found.text
    assert 'aria-sort="descending"' in found.text
    filtered = httpx.QueryParams({"f": "html", "filter": "height_m > 1000", "sortby": "id", "limit": "20"})
    assert words_of("en")("nothing") in page(client, f"/collections/buildings/items?{filtered}").text


def test_one_feature_has_its_groups_units_and_links(client: Client, seeded_towns: list[Seeded]) -> None:
    seeded = next(item for item in seeded_towns if item.properties["height_m"] == 20.25)
    found = page(client, f"/collections/buildings/items/{seeded.id}?lang=fi")
    for text in ("Mitat", "20,25\N{NO-BREAK SPACE}m", "bu-base:heightAboveGround", "owner", "a person"):
        assert text in found.text
    hrefs = {str(a["href"]) for a in Outline(found.text).named("a")}
    about = f"http://localhost/collections/buildings/items/{seeded.id}"
    assert {f"{about}?f=json", f"{about}?f=cityjson", f"{about}?f=jsonfg"} <= hrefs
    assert f"http://localhost/#id={seeded.id}&lang=fi" in hrefs


def test_personal_data_are_in_no_page_of_others(database: Database, seeded_towns: list[Seeded]) -> None:
    app = create_app(database.reader(), database.settings, access=public())
    with serving(app) as everyone:
        for path in ("/collections/buildings/items", f"/collections/buildings/items/{seeded_towns[0].id}"):
            text = page(everyone, path).text
            assert BY_NAME["street"].label.en not in text
            assert "Satamakatu" not in text
            assert "a person" not in text


def test_the_landing_page_leaves_the_viewer_where_it_is(
    client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ogc, "VIEWER", tmp_path)
    assert "<h1>FinEst twin</h1>" in page(client, "/").text
    (tmp_path / "index.html").write_text("<title>viewer</title>")
    assert page(client, "/").text == "<title>viewer</title>"
    assert "<h1>FinEst twin</h1>" in page(client, "/?f=html").text
    assert page(client, "/?f=json").json()["title"] == "FinEst twin"


def test_the_style_is_served_and_in_the_colours_of_the_viewer(client: Client) -> None:
    style = client.get("/pages/pages.css")
    assert style.headers["content-type"].startswith("text/css")
    theme = (ROOT / "api" / "viewer" / "src" / "styles" / "theme.css").read_text()

    def colours(text: str) -> list[dict[str, str]]:
        blocks = re.findall(r"(?::root|\[data-theme=\"dark\"\]) \{(.*?)\}", text, re.DOTALL)
        return [dict(re.findall(r"(--[\w-]+): (.*?);", block)) for block in blocks]

    for ours, theirs in zip(colours(style.text), colours(theme), strict=True):
        assert ours.items() <= theirs.items()


def test_words_are_in_every_language_and_those_of_the_viewer() -> None:
    keys = {lang: set(words_of(lang).messages) for lang in LANGUAGES}
    assert keys["fi"] == keys["et"] == keys["sv"] == keys["en"]
    for lang in LANGUAGES:
        source = (ROOT / "api" / "viewer" / "src" / "i18n" / f"{lang}.ts").read_text()
        theirs = dict(re.findall(r'^\s+((?:code|city|group)_\w+|yes|no): "(.*)",$', source, re.MULTILINE))
        assert len(theirs) > 40
        assert theirs.items() <= words_of(lang).messages.items()


def test_numbers_are_written_as_in_each_language() -> None:
    wide = "\N{NO-BREAK SPACE}"
    assert words_of("en").number(1234567.25, 2) == "1,234,567.25"
    assert words_of("et").number(1234567.5, 2) == f"1{wide}234{wide}567,5"
    assert words_of("sv").value(1234.0, BY_NAME["volume_m3"]) == f"1{wide}234{wide}m³"
    assert words_of("fi").value(1984, BY_NAME["year_of_construction"]) == "1984"
    assert words_of("fi").value("office", BY_NAME["current_use"]) == "Toimistot"
    assert words_of("fi").value(True) == "kyllä"
    assert words_of("fi").value({"a": [1]}) == '{"a":[1]}'


def test_a_plan_is_true_to_scale() -> None:
    def square(west: float, side_m: float) -> dict[str, Any]:
        east, north = west + side_m / (111_320 * 0.5), 60 + side_m / 111_320
        ring = [[west, 60], [east, 60], [east, north], [west, north], [west, 60]]
        return {"type": "Polygon", "coordinates": [ring]}

    drawn = plan([("a", square(24.0, 100)), ("b", None)])
    assert drawn is not None
    (shape,) = drawn.shapes
    corners = [tuple(map(float, point.split())) for point in shape.path.strip("MZ").split("L")]
    width, height = (max(axis) - min(axis) for axis in zip(*corners, strict=True))
    assert width == pytest.approx(height, rel=0.01)
    assert drawn.bar / drawn.bar_m == pytest.approx(width / 100, rel=0.01)
    assert min(map(min, corners)) >= 0
    assert plan([("a", None)]) is None
    far = plan([("a", square(24.0, 10)), ("b", square(25.0, 10))])
    assert far is not None
    assert [shape.dot for shape in far.shapes] == [True, True]
    line = plan([("a", {"type": "LineString", "coordinates": [[24, 60], [24.1, 60.1]]})])
    assert line is not None
    assert not line.shapes[0].closed
    assert orjson.dumps(line.bar)
