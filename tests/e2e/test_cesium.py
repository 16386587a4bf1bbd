"""The second page: the same tiles in CesiumJS, which knows nothing of the twin."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Viewer
from tests.e2e.probing import matched
from tests.fixtures import ROOT

BUILT = ROOT / "api" / "viewer" / "cesium" / "dist" / "index.html"

pytestmark = pytest.mark.skipif(not BUILT.exists(), reason="the page is not built: run 'make cesium'")


def loaded(page: Page) -> int:
    """How many buildings the tiles in view hold, once all are there."""
    page.wait_for_function("window.__cesium?.loaded && window.__cesium.features > 0")
    return int(page.evaluate("window.__cesium.features"))


@pytest.fixture
def page(viewer: Viewer) -> Page:
    foreign: list[str] = viewer.problems
    viewer.page.on(
        "request",
        lambda request: (
            foreign.append(request.url)
            if not request.url.startswith((viewer.address, "blob:", "data:"))
            else None
        ),
    )
    viewer.page.goto(f"{viewer.address}/cesium.html")
    return viewer.page


def test_tiles_are_shown_filtered_and_picked(viewer: Viewer, page: Page) -> None:
    """With real clicks, without a request to another server."""
    everything = loaded(page)
    page.get_by_label("Filter").fill("height_m > 20")
    page.get_by_role("button", name="Show").click()
    page.wait_for_function(f"window.__cesium.loaded && window.__cesium.features < {everything}")
    assert (
        0
        < loaded(page)
        <= matched(viewer, "height_m > 20 AND city IN ('helsinki', 'kalasatama')")
        < everything
    )

    x, y = page.evaluate(
        """() => {
            for (let y = 150; y < 540; y += 12)
                for (let x = 350; x < 940; x += 12) if (window.__cesium.pickId(x, y)) return [x, y];
        }"""
    )
    page.mouse.click(x, y)
    picked = page.evaluate("window.__cesium.picked")
    assert picked["id"].startswith("helsinki_lod2_synthetic.")
    assert picked["height_m"] > 20
    assert picked["city"] == "helsinki"
    expect(page.locator("#picked caption")).to_have_text(picked["id"])
    assert viewer.problems == []


def test_colours_come_from_attributes(viewer: Viewer, page: Page) -> None:
    loaded(page)
    by_height = page.locator("canvas").first.screenshot()
    page.get_by_label("Colour by").select_option("current_use")
    page.wait_for_timeout(1500)
    assert page.locator("canvas").first.screenshot() != by_height
    assert viewer.problems == []


def test_a_filter_that_is_not_understood_is_told(viewer: Viewer, page: Page) -> None:
    viewer.expects("400", "heigth_m")
    loaded(page)
    page.get_by_label("Filter").fill("heigth_m > 12")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("status")).to_contain_text("heigth_m")
