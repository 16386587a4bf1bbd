"""A link opens the view that it was taken from: every part of the address, in a page that is new."""

import urllib.parse

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Viewer
from tests.e2e.probing import DETAILS, LEGEND, probe

HERE = "at=24.95560,60.17430,20,700,332,-24"
AREAS = (
    "area=24.95,60.17,24.956,60.17,24.956,60.18,24.95,60.18"
    "&area=24.956,60.17,24.962,60.17,24.962,60.18,24.956,60.18"
)
MINUTES = 13 * 60 + 20


def written(viewer: Viewer, link: str) -> dict[str, list[str]]:
    """What the page itself writes into the address after it was opened with a link."""
    viewer.open(link)
    # The address follows after a moment.
    viewer.page.wait_for_timeout(400)
    return urllib.parse.parse_qs(viewer.page.url.partition("#")[2])


def restored(viewer: Viewer, link: str) -> Page:
    """The page opened with a link, which it holds in full, and so does the link that it writes."""
    first = written(viewer, link)
    given = urllib.parse.parse_qs(link)
    for name in given.keys() - {"at", "at2"}:
        assert first[name] == given[name], name
    for name in given.keys() & {"at", "at2"}:
        # The third number is the level of the ground, which buildings may tell better.
        told, asked = (text[name][0].split(",") for text in (first, given))
        assert [*told[:2], *told[3:]] == [*asked[:2], *asked[3:]], name
    assert written(viewer, urllib.parse.urlencode(first, doseq=True)) == first
    assert viewer.problems == []
    return viewer.page


def value(field: Locator, text: str) -> None:
    expect(field).to_have_value(text)


def test_filter_colour_language_and_comparison_of_areas(viewer: Viewer) -> None:
    viewer.page.set_viewport_size({"width": 1360, "height": 700})
    link = (
        f"{HERE}&is.current_use=office|trade&in.height_m=6..30.5&{AREAS}&cql2=height_m<>7&by=roof_type"
        "&lang=sv&theme=dark&quality=fast&tool=compare&stat=volume_m3&of=areas"
    )
    page = restored(viewer, link)
    for name in ("office", "trade"):
        assert f"'{name}'" in probe(page, "filter")
    uses = page.locator("[data-attribute=current_use]").first
    expect(uses.locator("input:checked")).to_have_count(2)
    limits = page.locator("fieldset[data-attribute=height_m] .limit input")
    value(limits.first, "6")
    value(limits.last, "30.5")
    value(page.locator("#cql2"), "height_m<>7")
    expect(page.locator(".dock .areas li")).to_have_count(2)
    value(page.locator("#colour-by"), "roof_type")
    expect(page.locator(LEGEND)).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "sv")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    compare = page.get_by_test_id("compare")
    expect(compare.locator("[data-attribute=volume_m3]")).to_be_visible()
    expect(compare.locator("[data-measure=count] [data-side]")).to_have_count(2)


def test_two_views_apart_and_a_building(viewer: Viewer) -> None:
    name = "helsinki_lod2_synthetic.BID_e9df50a9-7c13-41f2-b0c4-f325c5157972"
    page = restored(viewer, f"{HERE}&at2=24.74500,59.43600,36,900,10,-32&apart=1&id={name}&theme=light")
    assert probe(page, "selected") == name
    expect(page.locator(f"{DETAILS} dl").first).to_be_visible()
    expect(page.get_by_role("button", name="Move both views together")).to_be_visible()
    expect(page.locator("[data-pane]")).to_have_count(2)
    expect(page.locator("html")).to_have_attribute("data-theme", "light")


@pytest.mark.parametrize("tool", ["measure", "sun", "imports"])
def test_tools(viewer: Viewer, tool: str) -> None:
    told = {
        "measure": "line=24.9556000,60.1743000,20.00,24.9566000,60.1743000,31.50",
        "sun": "sun=2026-06-21T13:20&shadow=4096",
        "imports": "report=tallinn_lod2_synthetic",
    }
    page = restored(viewer, f"{HERE}&tool={tool}&{told[tool]}")
    panel = page.get_by_test_id(tool)
    if tool == "measure":
        expect(panel.locator("[data-leg=rise]")).to_have_text("+11.5 m")
    elif tool == "sun":
        value(panel.locator("#hour"), str(MINUTES))
        value(panel.locator("input[type=date]"), "2026-06-21")
        value(panel.get_by_label("Shadows"), "4096")
    else:
        value(panel.get_by_label("Dataset"), "tallinn_lod2_synthetic")
