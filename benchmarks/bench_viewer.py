"""The viewer over 4,000 buildings in headless Chromium, drawing in software: what a person waits for.

Run ``python -m benchmarks.bench_viewer``. A private database is made for it and removed. Each time stands
beside a limit from the same run: the plain download of the same bytes with an empty WebGL frame of the same
size, or one more frame of the same scene. Times are medians; the first page of the browser is left out.
Colours and buildings that change are drawn coarsely at once and finely a moment later: times are those to the
coarse frame, with all its pixels; "one more frame" is a fine one.
"""

import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.bench_whole_path import Result
from tests.e2e.serving import chromium, launch, served

EACH = 2_000
REPEATS = 5
SIZE = (1360, 850)
TIMEOUT_MS = 120_000

_DOWNLOAD = """async (paths) => {
  const start = performance.now();
  await Promise.all(paths.map(async (path) => (await fetch(path)).arrayBuffer()));
  return performance.now() - start;
}"""
_EMPTY_FRAME = """([width, height]) => {
  const start = performance.now();
  const canvas = document.body.appendChild(document.createElement("canvas"));
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("webgl2");
  context.clear(context.COLOR_BUFFER_BIT);
  context.readPixels(0, 0, 1, 1, context.RGBA, context.UNSIGNED_BYTE, new Uint8Array(4));
  return performance.now() - start;
}"""
_FINISHED = """() => {
  // Nothing can be read before all that was asked of WebGL is done.
  const context = document.querySelector("canvas").getContext("webgl2");
  context.readPixels(0, 0, 1, 1, context.RGBA, context.UNSIGNED_BYTE, new Uint8Array(4));
}"""
_TIMED = f"""([act, mark]) => new Promise((resolve) => {{
  performance.clearMarks(mark);
  const start = performance.now();
  new Function(act)();
  const look = () => {{
    if (!performance.getEntriesByName(mark).length) return setTimeout(look);
    ({_FINISHED})();
    resolve(performance.now() - start);
  }};
  look();
}})"""
_FETCHED = """() => performance.getEntriesByType("resource")
  .map(({ name }) => name).filter((name) => name.startsWith(location.origin))"""


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, served(Path(folder) / "twin", EACH) as address:
        for result in measure(address):
            print(result, flush=True)


def measure(address: str, repeats: int = REPEATS) -> Iterator[Result]:
    with sync_playwright() as playwright:
        executable = chromium(playwright)
        assert executable is not None, "there is no Chromium on this machine"
        browser = launch(playwright, executable)
        _opened(browser, address).context.close()
        yield from first_view(browser, address, repeats)
        page = _opened(browser, address)
        yield from colour_change(page, repeats)
        yield from filter_change(page, repeats)
        browser.close()


def first_view(browser: Browser, address: str, repeats: int) -> Iterator[Result]:
    """Interleaved with the limit: the same bytes, then an empty frame, on an empty page."""
    shown: list[float] = []
    limits: list[float] = []
    for _ in range(repeats):
        page = _opened(browser, address)
        shown.append(page.evaluate("performance.getEntriesByName('first-view')[0].startTime"))
        paths = page.evaluate(_FETCHED)
        page.context.close()
        page = _page(browser)
        page.goto(f"{address}/health/live")
        limits.append(page.evaluate(_DOWNLOAD, paths) + page.evaluate(_EMPTY_FRAME, SIZE))
        page.context.close()
    yield Result("first full view, ms", statistics.median(shown), "ms", "2,000 on a quiet machine")
    yield Result("  the same bytes and an empty frame", statistics.median(limits), "ms")


def colour_change(page: Page, repeats: int) -> Iterator[Result]:
    """With the sidecars there: each attribute has been shown once."""
    attributes = ("height_m", "current_use")
    for name in attributes:
        timed(page, colour(name), "recoloured")
    changes: list[float] = []
    frames: list[float] = []
    for _ in range(repeats):
        for name in attributes:
            changes.append(timed(page, colour(name), "recoloured"))
            frames.append(timed(page, "window.__twin.redraw()", "redrawn"))
    yield Result("colour change, ms", statistics.median(changes), "ms", "100")
    yield Result("  one more frame of the same scene", statistics.median(frames), "ms")


def filter_change(page: Page, repeats: int) -> Iterator[Result]:
    """To the new view, each with a filter that the service has not seen."""
    changes: list[float] = []
    limits: list[float] = []
    for i in range(repeats):
        page.evaluate("performance.clearResourceTimings()")
        changes.append(timed(page, lowest(8 + i / 10), "filtered"))
        page.wait_for_function("window.__twin.ready")
        paths = [name for name in page.evaluate(_FETCHED) if "3dtiles" in name]
        limits.append(page.evaluate(_DOWNLOAD, paths))
    yield Result("filter change to the new view, ms", statistics.median(changes), "ms", "1,000")
    yield Result("  the same tiles, downloaded", statistics.median(limits), "ms")


def timed(page: Page, act: str, mark: str) -> float:
    """Milliseconds from an act, while the page rests, to a mark of `api/viewer/src/marks.ts`, all drawn."""
    page.wait_for_function("window.__twin.ready")
    page.evaluate(_FINISHED)
    return float(page.evaluate(_TIMED, [act, mark]))


def _set(selector: str, value: str) -> str:
    return (
        f"const field = document.querySelector({selector!r}); field.value = {value!r};"
        "field.dispatchEvent(new Event('change', { bubbles: true }));"
    )


def colour(name: str) -> str:
    """What colours by an attribute."""
    return _set("#colour-by", name)


def lowest(height_m: float) -> str:
    """What filters by a least height."""
    return _set("[data-attribute=height_m] .limit input", str(height_m))


def _page(browser: Browser) -> Page:
    width, height = SIZE
    context = browser.new_context(
        viewport={"width": width, "height": height}, locale="en-GB", reduced_motion="reduce"
    )
    context.set_default_timeout(TIMEOUT_MS)
    return context.new_page()


def _opened(browser: Browser, address: str) -> Page:
    page = _page(browser)
    page.goto(address)
    page.wait_for_function("window.__twin?.ready")
    return page


if __name__ == "__main__":
    main()
