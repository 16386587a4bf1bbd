"""Pictures of the main states, compared with golden ones: coarsely, so that fonts and edges may differ.

``make bless`` takes new ones. Both pictures are shrunk in the browser, and differ where a part of the view
does: the whole by its mean, each tile of a coarse grid by its own.
"""

import base64
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Viewer
from tests.e2e.probing import stop_service
from tests.e2e.serving import REAL_BUILDINGS
from tests.fixtures import ROOT

GOLDEN = ROOT / "tests" / "e2e" / "golden"
SIZE = (1200, 750)
LANDSCAPE, PORTRAIT = (844, 390), (390, 844)
MOST_BYTES = 100_000
QUALITY = 0.62
MEAN, WORST = 4.0, 30.0
"""Of 255: how far the whole picture and the worst of its tiles may be off."""

_AS_WEBP = """async ([text, quality]) => {
  const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${text}`)).blob());
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d").drawImage(image, 0, 0);
  const file = await canvas.convertToBlob({ type: "image/webp", quality });
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}"""
_DIFFERENCE = """async ([one, other]) => {
  const [columns, rows, cell] = [12, 8, 4];
  const pixels = async (text) => {
    const image = await createImageBitmap(await (await fetch(`data:image/webp;base64,${text}`)).blob());
    let [width, height] = [image.width, image.height];
    let canvas = new OffscreenCanvas(width, height);
    canvas.getContext("2d").drawImage(image, 0, 0);
    // Halves, so that every pixel counts.
    while (width > 2 * columns * cell) {
      [width, height] = [Math.ceil(width / 2), Math.ceil(height / 2)];
      const smaller = new OffscreenCanvas(width, height);
      smaller.getContext("2d").drawImage(canvas, 0, 0, width, height);
      canvas = smaller;
    }
    const last = new OffscreenCanvas(columns * cell, rows * cell).getContext("2d");
    last.drawImage(canvas, 0, 0, columns * cell, rows * cell);
    return last.getImageData(0, 0, columns * cell, rows * cell).data;
  };
  const [a, b] = [await pixels(one), await pixels(other)];
  const tiles = new Float64Array(columns * rows);
  for (let i = 0; i < a.length; i += 4) {
    const [x, y] = [(i / 4) % (columns * cell), Math.floor(i / 4 / (columns * cell))];
    const off = (Math.abs(a[i] - b[i]) + Math.abs(a[i + 1] - b[i + 1]) + Math.abs(a[i + 2] - b[i + 2])) / 3;
    tiles[Math.floor(y / cell) * columns + Math.floor(x / cell)] += off / cell ** 2;
  }
  return { mean: tiles.reduce((sum, tile) => sum + tile) / tiles.length, worst: Math.max(...tiles) };
}"""


def _nothing(_: Page) -> None:
    """The state is all in the link."""


def _show_height(page: Page) -> None:
    page.get_by_label("Height: From").scroll_into_view_if_needed()


def _open_panel(page: Page) -> None:
    page.get_by_role("button", name="Filter and colour").click()


@dataclass(frozen=True)
class State:
    link: str
    act: Callable[[Page], None] = _nothing
    size: tuple[int, int] = SIZE
    expects: tuple[str, ...] = ()


HELSINKI = "at=24.9556,60.1743,20,700,332,-24"
BESIDE = "at=24.9556,60.1743,20,900,0,-32&at2=24.745,59.436,36,900,0,-32"
STATES = {
    "both-cities": State("at=24.85,59.8,18,148000,0,-56"),
    "filter": State("in.height_m=9..&is.current_use=office&by=current_use", _show_height),
    "colour": State("by=height_m"),
    "colour-dark": State("by=year_of_construction&theme=dark"),
    "building": State(f"{HELSINKI}&id=helsinki_lod2_synthetic.BID_e9df50a9-7c13-41f2-b0c4-f325c5157972"),
    "side-by-side": State(f"{BESIDE}&by=height_m"),
    "compare": State("tool=compare&stat=height_m&in.height_m=9.."),
    "import-report": State("tool=imports&report=tallinn_lod2_synthetic"),
    "no-result": State("cql2=height_m>5000"),
    "server-down": State("", stop_service, expects=("ERR_FAILED",)),
    "landscape": State("by=height_m", size=LANDSCAPE),
    "landscape-panel": State("", _open_panel, LANDSCAPE),
    "portrait": State("by=height_m", size=PORTRAIT),
    "portrait-dark-panel": State("theme=dark", _open_panel, PORTRAIT),
}


def picture(viewer: Viewer, state: State) -> bytes:
    """A state as WebP."""
    width, height = state.size
    viewer.page.set_viewport_size({"width": width, "height": height})
    viewer.expects(*state.expects)
    viewer.open(state.link)
    state.act(viewer.page)
    # Bars and panels glide to their places.
    viewer.page.wait_for_timeout(600)
    taken = base64.b64encode(viewer.page.screenshot()).decode()
    return base64.b64decode(viewer.page.evaluate(_AS_WEBP, [taken, QUALITY]))


def difference(page: Page, one: bytes, other: bytes) -> dict[str, float]:
    texts = [base64.b64encode(each).decode() for each in (one, other)]
    found: Any = page.evaluate(_DIFFERENCE, texts)
    return found


@pytest.mark.golden
@pytest.mark.skipif(not REAL_BUILDINGS, reason="the real models, which are in the pictures, are not here")
@pytest.mark.parametrize("name", STATES)
def test_state_looks_as_before(
    viewer: Viewer, name: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    now = picture(viewer, STATES[name])
    golden = GOLDEN / f"{name}.webp"
    if request.config.getoption("--bless"):
        if not golden.exists() or difference(viewer.page, now, golden.read_bytes())["mean"] > MEAN / 8:
            golden.write_bytes(now)
        return
    assert len(now) <= MOST_BYTES
    (tmp_path / golden.name).write_bytes(now)
    off = difference(viewer.page, now, golden.read_bytes())
    assert off["mean"] <= MEAN, f"{tmp_path / golden.name} differs from {golden}"
    assert off["worst"] <= WORST, f"{tmp_path / golden.name} differs from {golden}"


def test_another_picture_is_told_apart(viewer: Viewer) -> None:
    """The comparison could fail: no two states pass for each other."""
    viewer.page.goto("about:blank")
    pictures = {path.stem: path.read_bytes() for path in sorted(GOLDEN.glob("*.webp"))}
    wide = [name for name in pictures if STATES[name].size == SIZE]
    for one, other in pairwise(wide):
        off = difference(viewer.page, pictures[one], pictures[other])
        assert off["mean"] > MEAN or off["worst"] > WORST, (one, other)
