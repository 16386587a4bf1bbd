"""Templates on screen: drawn, picked and coloured one by one, in our viewer and in CesiumJS."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Viewer
from tests.e2e.probing import DETAILS, probe, service, visible_building
from tests.e2e.serving import VIEWER, served_models
from tests.fixtures import ROOT
from tests.tiles.park import park, written

CESIUM = ROOT / "api" / "viewer" / "cesium" / "dist" / "index.html"
EACH = 100
PARKS = {"helsinki": "Building", "tallinn": "SolitaryVegetationObject"}
"""Our viewer shows buildings; to CesiumJS all is one."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a service over a park in each city."""
    if not VIEWER.exists():
        pytest.skip("the viewer is not built: run 'make setup'")
    folder = tmp_path_factory.mktemp("parks")
    models = [written(folder, park(city, EACH, kind=kind), city) for city, kind in PARKS.items()]
    with served_models(folder / "twin", models) as address:
        yield address


def middle(viewer: Viewer, collection: str) -> tuple[float, float]:
    """Where the features of a collection are."""
    found = service(viewer, f"/collections/{collection}/items", limit="1", bbox="24,59,26,61")
    (ring, *_) = found["features"][0]["geometry"]["coordinates"]
    return ring[0][0], ring[0][1]


def near(viewer: Viewer) -> Page:
    lon, lat = middle(viewer, "buildings")
    viewer.open(f"at={lon + 0.0005:.5f},{lat + 0.0003:.5f},12,90,20,-40")
    return viewer.page


def colours(viewer: Viewer) -> set[bytes]:
    return {viewer.page.locator("canvas").first.screenshot()}


def test_instances_are_drawn_and_picked(viewer: Viewer, tmp_path: Path) -> None:
    page = near(viewer)
    ids = probe(page, "ids")
    assert len(ids) == len(set(ids)) > EACH / 2
    before = colours(viewer)
    name, x, y = visible_building(page)
    page.mouse.click(x, y)
    expect(page.locator(DETAILS)).to_be_visible()
    assert probe(page, "selected") == name
    viewer.settle()
    page.screenshot(path=tmp_path / "viewer.png")
    assert colours(viewer) != before
    top = probe(page, f"project({name!r})")
    assert abs(top["x"] - x) < 4, "the marked one is where it was picked"
    assert viewer.problems == []


def test_every_instance_has_a_colour_of_its_own(viewer: Viewer) -> None:
    page = near(viewer)
    before = colours(viewer)
    page.get_by_label("Colour by").select_option("height_m")
    viewer.settle()
    assert probe(page, "colourBy") == "height_m"
    assert colours(viewer) != before
    assert viewer.problems == []


@pytest.mark.skipif(not CESIUM.exists(), reason="the page is not built: run 'make cesium'")
def test_cesium_draws_and_picks_instances(viewer: Viewer, tmp_path: Path) -> None:
    page = viewer.page
    lon, lat = middle(viewer, "vegetation")
    page.goto(f"{viewer.address}/cesium.html")
    page.wait_for_function("window.__cesium?.loaded")
    page.evaluate("([lon, lat]) => window.__cesium.look([lon, lat], 120)", [lon + 0.0005, lat + 0.0003])
    page.wait_for_timeout(1000)
    page.wait_for_function("window.__cesium.loaded && window.__cesium.features > 0")
    found = page.evaluate(
        """() => {
            const ids = new Set();
            for (let y = 100; y < 540; y += 8)
                for (let x = 350; x < 940; x += 8) {
                    const id = window.__cesium.pickId(x, y);
                    if (id) ids.add(id);
                }
            return [...ids];
        }"""
    )
    page.screenshot(path=tmp_path / "cesium.png")
    assert len(found) > 10
    assert all(".tree-tallinn-" in each for each in found)
    assert viewer.problems == []
