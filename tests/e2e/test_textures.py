"""Textures in both viewers: what stands at a place of a wall on screen is what its image has there."""

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from tests.e2e.conftest import Viewer
from tests.e2e.serving import served_model
from tests.e2e.test_cesium import BUILT
from tests.tiles.textured import Wall, model, written

pytestmark = pytest.mark.slow

QUARTERS = np.zeros((64, 64, 3), dtype=np.uint8)
QUARTERS[:32, :32], QUARTERS[:32, 32:] = (230, 30, 30), (30, 200, 30)
QUARTERS[32:, :32], QUARTERS[32:, 32:] = (30, 30, 230), (230, 200, 30)
"""Red and green above, blue and yellow below."""

HUES = {"red": (1, 0, 0), "green": (0, 1, 0), "blue": (0, 0, 1), "yellow": (1, 1, 0)}
FROM_THE_SOUTH = "at=24.93702,60.17350,22,60,10,20"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("textures")
    document = model([Wall("wall", "a.png")])
    document["transform"]["translate"] = [25_496_500.0, 6_673_400.0, 5.0]
    path = written(folder, document, {"a.png": QUARTERS})
    with served_model(folder / "twin", path, "helsinki") as address:
        yield address


def places(page: Page) -> dict[str, tuple[float, float]]:
    """The middle on screen of what has each hue: pixels to the right and down."""
    with Image.open(io.BytesIO(page.screenshot())) as image:
        pixels = np.asarray(image.convert("RGB")).astype(float)[:, 350:]
    found: dict[str, tuple[float, float]] = {}
    for name, hue in HUES.items():
        strong, weak = pixels[..., np.array(hue) == 1], pixels[..., np.array(hue) == 0]
        down, right = np.nonzero((strong.min(axis=2) > 90) & (weak.max(axis=2) < 0.45 * strong.min(axis=2)))
        assert len(down) > 100, name
        found[name] = float(np.median(right)), float(np.median(down))
    return found


def assert_upright(page: Page) -> None:
    shown = places(page)
    for left, right in (("red", "green"), ("blue", "yellow")):
        assert shown[left][0] < shown[right][0] - 10
    for upper, lower in (("red", "blue"), ("green", "yellow")):
        assert shown[upper][1] < shown[lower][1] - 10


def test_the_viewer_shows_images_upright(viewer: Viewer, address: str) -> None:
    page = viewer.page
    page.goto(f"{address}/#{FROM_THE_SOUTH}")
    page.get_by_label("Textures").check()
    page.wait_for_timeout(5_000)
    assert_upright(page)
    page.get_by_label("Textures").uncheck()
    page.wait_for_timeout(3_000)
    with pytest.raises(AssertionError):
        places(page)


@pytest.mark.skipif(not BUILT.exists(), reason="the page is not built: run 'make cesium'")
def test_cesium_shows_images_upright(viewer: Viewer, address: str) -> None:
    page = viewer.page
    page.goto(f"{address}/cesium.html")
    page.wait_for_function("window.__cesium")
    page.get_by_label("Colour by").select_option("textures")
    page.evaluate("window.__cesium.look([24.93702, 60.17352], 60)")
    page.wait_for_function("window.__cesium.loaded && window.__cesium.features > 0")
    page.wait_for_timeout(3_000)
    assert_upright(page)
