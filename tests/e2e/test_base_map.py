"""Map tiles under the buildings, from a service on this machine."""

import base64
import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from api import viewer_page
from tests.e2e.conftest import Viewer
from tests.e2e.map_tiles import Colour, MapTiles, serving_tiles
from tests.e2e.probing import probe
from tests.e2e.serving import VIEWER
from twin.settings import Settings

CREDIT = "Map tiles: the test's own"
COLOURS: dict[str, Colour] = {"north": (230, 40, 200), "south": (40, 170, 60)}
NEAR = "at=24.95560,60.17430,20,700,332,-50"
_SHARE = """async ([text, colour]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${text}`)).blob());
  const context = new OffscreenCanvas(image.width, image.height).getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, image.width, image.height);
  // The light changes how bright a colour is, not which of its parts is the strongest.
  const order = ([r, g, b]) => [r > g + 60, g > r + 60, b > g + 60, g > b + 60].join();
  let found = 0;
  for (let i = 0; i < data.length; i += 4) found += order(data.subarray(i, i + 3)) === order(colour);
  return found / (data.length / 4);
}"""


def share(viewer: Viewer, layer: str) -> float:
    """How much of the views has the colour of a layer."""
    picture = viewer.page.locator(".pane-grid").screenshot()
    return float(viewer.page.evaluate(_SHARE, [base64.b64encode(picture).decode(), COLOURS[layer]]))


@pytest.fixture
def tiles() -> Iterator[MapTiles]:
    with serving_tiles(COLOURS) as tiles:
        yield tiles


@pytest.fixture
def mapped(viewer: Viewer, tiles: MapTiles) -> Viewer:
    """The viewer as it is served where the settings name a map of each city."""
    templates = (
        f"helsinki={tiles.address}/north/{{z}}/{{x}}/{{y}}.png "
        f"tallinn={tiles.address}/south/{{TileMatrix}}/{{TileCol}}/{{TileRow}}.png"
    )
    settings = Settings(viewer_base_map=templates, viewer_base_map_zoom=17, viewer_base_map_credit=CREDIT)
    # Small, for every frame is drawn without a graphics card.
    viewer.page.set_viewport_size({"width": 700, "height": 420})
    told = re.search('<meta name="base-map"[^>]*>', bytes(viewer_page.answer(VIEWER, settings).body).decode())
    assert told is not None
    # A page that the test itself sent would not be of this machine, whose tiles it may not ask for then.
    add = f"() => document.head?.insertAdjacentHTML('afterbegin', {json.dumps(told[0])})"
    viewer.page.add_init_script(f"document.addEventListener('readystatechange', {add}, {{ once: true }})")
    return viewer


def toggle(viewer: Viewer) -> Locator:
    return viewer.page.get_by_role("button", name="Base map")


def test_without_the_setting_there_is_no_base_map(viewer: Viewer) -> None:
    viewer.open(f"{NEAR}&map=1")
    expect(viewer.page.get_by_role("button", name="Zoom in")).to_be_visible()
    expect(toggle(viewer)).to_have_count(0)


def test_tiles_come_only_while_it_is_on(mapped: Viewer, tiles: MapTiles) -> None:
    mapped.open(NEAR)
    page = mapped.page
    expect(toggle(mapped)).to_have_attribute("aria-pressed", "false")
    expect(page.locator(".credits")).not_to_contain_text(CREDIT)
    assert tiles.asked == []
    assert share(mapped, "north") < 0.01

    toggle(mapped).click()
    mapped.settle()
    expect(page.locator(".credits")).to_contain_text(CREDIT)
    assert share(mapped, "north") > 0.2
    assert {layer for layer, *_ in tiles.asked} == {"north"}
    zooms = {zoom for _, zoom, *_ in tiles.asked}
    assert max(zooms) == 16
    assert len(zooms) == 3
    assert len(set(tiles.asked)) == len(tiles.asked) <= 36 + 16 + 16
    # The tile of the point looked at, by the formula that all such services share.
    assert ("north", 16, 37311, 18968) in tiles.asked
    page.wait_for_timeout(400)
    assert "map=1" in page.url

    toggle(mapped).click()
    mapped.settle()
    asked = len(tiles.asked)
    assert share(mapped, "north") < 0.01
    expect(page.locator(".credits")).not_to_contain_text(CREDIT)
    page.get_by_role("button", name="Zoom out").click()
    mapped.settle()
    page.wait_for_timeout(400)
    assert "map=1" not in page.url
    assert len(tiles.asked) == asked


def test_a_link_shows_each_citys_own_map_side_by_side(mapped: Viewer, tiles: MapTiles) -> None:
    mapped.open(f"{NEAR}&at2=24.74500,59.43700,20,700,332,-50&map=1")
    expect(toggle(mapped)).to_have_attribute("aria-pressed", "true")
    assert {layer for layer, *_ in tiles.asked} == {"north", "south"}
    assert share(mapped, "north") > 0.1
    assert share(mapped, "south") > 0.1
    assert mapped.problems == []


def test_tiles_that_fail_leave_the_ground_and_are_told_of_once(mapped: Viewer, tiles: MapTiles) -> None:
    mapped.expects("404")
    tiles.fails = True
    mapped.open(f"{NEAR}&map=1")
    page = mapped.page
    told = page.get_by_role("status").filter(has_text="base map")
    expect(told).to_be_visible()
    assert len(set(tiles.asked)) == len(tiles.asked) > 0
    assert share(mapped, "north") < 0.01
    assert probe(page, "features") > 0
    expect(told).to_have_count(0)

    page.get_by_role("button", name="Zoom out").click()
    mapped.settle()
    expect(told).to_have_count(0)
    # Who switches it off and on asks anew.
    tiles.fails = False
    toggle(mapped).click()
    toggle(mapped).click()
    mapped.settle()
    assert share(mapped, "north") > 0.2
