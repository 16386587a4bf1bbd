"""Pictures of the viewer for the documentation: python -m tests.e2e.screenshots docs/images."""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.serving import chromium, launch, served

BUILDINGS = 2000
SIZE = (1360, 850)
TIMEOUT_MS = 120_000


def _nothing(_: Page) -> None:
    """The view as the link opens it."""


def _select_middle(page: Page) -> None:
    """Open the details of the building in the middle of the view, and point at one of its surfaces."""
    found = page.evaluate(
        """() => {
            for (let x = 620; x < 900; x += 20)
                for (let y = 420; y < 600; y += 20) if (window.__twin.pick(x, y)) return [x, y];
            return null;
        }"""
    )
    with page.expect_response(lambda response: "slope_deg" in response.url and ".glb" in response.url):
        page.mouse.click(*found)
    page.wait_for_selector("[data-testid=building] dl")
    page.wait_for_function("window.__twin.ready")
    page.mouse.move(found[0] + 1, found[1])
    page.mouse.move(*found)
    page.wait_for_selector("[data-testid=surface]")


SHOTS: dict[str, tuple[str, Callable[[Page], None]]] = {
    "viewer": ("by=height_m&quality=fine", _nothing),
    "viewer-building": ("at=24.98070,60.18460,18,600,320,-38&quality=fine", _select_middle),
    "viewer-compare": (
        "at=24.9556,60.1743,20,900,0,-32&at2=24.745,59.436,36,900,0,-32"
        "&by=current_use&tool=compare&stat=volume_m3&quality=fine",
        _nothing,
    ),
    "viewer-overview": ("at=24.85,59.8,18,148000,0,-56", _nothing),
    "viewer-imports": ("tool=imports&report=tallinn_lod2_synthetic", _nothing),
    "viewer-dark": ("by=year_of_construction&theme=dark", _nothing),
}


def take(address: str, folder: Path, names: list[str]) -> None:
    """Write ``folder``/``name``.png for each of the named shots."""
    with sync_playwright() as playwright:
        executable = chromium(playwright)
        assert executable is not None, "there is no Chromium on this machine"
        browser = launch(playwright, executable)
        context = browser.new_context(
            viewport={"width": SIZE[0], "height": SIZE[1]}, locale="en-GB", reduced_motion="reduce"
        )
        context.set_default_timeout(TIMEOUT_MS)
        for name in names:
            link, act = SHOTS[name]
            page = context.new_page()
            page.goto(f"{address}/#{link}")
            page.wait_for_function("window.__twin?.ready")
            act(page)
            page.wait_for_function("window.__twin?.ready")
            # Bars and panels glide to their places.
            page.wait_for_timeout(600)
            page.screenshot(path=folder / f"{name}.png")
            page.close()
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", default=list(SHOTS), help=f"of {', '.join(SHOTS)}")
    parser.add_argument("--address", help="a service that runs; without: one over synthetic cities")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        running = nullcontext(given.address) if given.address else served(Path(home) / "twin", BUILDINGS)
        with running as address:
            take(address, given.folder, given.names)


if __name__ == "__main__":
    main()
