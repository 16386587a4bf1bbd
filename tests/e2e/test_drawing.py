"""Measure, draw an area as filter, and see the shadows of a moment."""

import re

from playwright.sync_api import Page, expect

from tests.e2e.conftest import ALL, Viewer
from tests.e2e.probing import matched, probe, shown, visible_building

ABOVE = "at=24.9556,60.1743,20,700,0,-89"


def click_canvas(page: Page, *points: tuple[float, float]) -> None:
    for x, y in points:
        page.mouse.click(x, y)


def wide(viewer: Viewer) -> Page:
    """A window in which dock and tool leave room between them."""
    viewer.page.set_viewport_size({"width": 1360, "height": 700})
    return viewer.page


def metres(text: str | None) -> float:
    return float(re.sub(r"[^\d.-]", "", text or ""))


def test_measure_a_distance_and_a_height(viewer: Viewer) -> None:
    page = wide(viewer)
    viewer.open()
    page.get_by_role("button", name="Measure").click()
    _, x, y = visible_building(page)
    panel = page.get_by_test_id("measure")
    expect(panel).to_contain_text("Click the first point")
    # From the roof to the ground between the buildings, below it in the view.
    ground = page.evaluate(
        """([x, y]) => {
            const canvas = (px, py) => document.elementFromPoint(px, py)?.tagName === "CANVAS";
            const free = (px, py) => canvas(px, py) && !window.__twin.pick(px, py);
            for (let d = 10; d < 300; d += 6)
                for (const [dx, dy] of [[0, d], [d, d], [-d, d], [d, 0], [-d, 0]])
                    if (free(x + dx, y + dy)) return [x + dx, y + dy];
            return null;
        }""",
        [x, y],
    )
    click_canvas(page, (x, y), (ground[0], ground[1]))
    legs = {
        name: metres(panel.locator(f"[data-leg={name}]").text_content())
        for name in ("horizontal", "rise", "straight")
    }
    assert legs["rise"] < -1
    assert legs["horizontal"] > 1
    assert abs((legs["horizontal"] ** 2 + legs["rise"] ** 2) ** 0.5 - legs["straight"]) < 1
    assert probe(page, "selected") is None
    page.wait_for_function("location.hash.includes('line=')")

    viewer.open(page.url.partition("#")[2])
    expect(page.get_by_test_id("measure").locator("[data-leg=rise]")).to_contain_text(" m")
    page.get_by_role("button", name="Start anew").click()
    expect(page.get_by_test_id("measure")).to_contain_text("Click the first point")
    assert viewer.problems == []


def test_draw_by_keys(viewer: Viewer) -> None:
    viewer.open(ABOVE)
    page = viewer.page
    page.get_by_role("button", name="Measure").click()
    canvas = page.locator("canvas")
    canvas.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    viewer.settle()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("measure").locator("[data-leg=horizontal]")).to_contain_text(" m")
    page.keyboard.press("Backspace")
    expect(page.get_by_test_id("measure")).to_contain_text("Click the next point")


def test_areas_filter_and_are_compared(viewer: Viewer) -> None:
    page = wide(viewer)
    viewer.open(ABOVE)
    page.get_by_role("button", name="Area", exact=True).click()
    click_canvas(page, (400, 130), (600, 130), (600, 600))
    page.mouse.dblclick(400, 600)
    page.wait_for_function("window.__twin.filter.startsWith('S_INTERSECTS')")
    viewer.settle()
    expected = matched(viewer, probe(page, "filter"))
    assert 0 < expected < ALL
    assert shown(page.get_by_test_id("total").text_content()) == expected

    click_canvas(page, (620, 130), (840, 130), (840, 600), (620, 600))
    page.get_by_role("button", name="Use as filter").click()
    page.wait_for_function("window.__twin.filter.includes(' OR ')")
    page.get_by_role("button", name="Compare the areas").click()
    compare = page.get_by_test_id("compare")
    expect(compare.locator("thead")).to_contain_text("Area 2")
    first = compare.locator("[data-measure=count] [data-side='1']")
    expect(first).to_have_text(f"{expected:,}")
    # The address follows after a moment.
    page.wait_for_function("location.hash.split('&area=').length === 3 && location.hash.includes('of=areas')")

    page.get_by_role("button", name="Remove area 2").click()
    page.get_by_role("button", name="Remove area 1").click()
    expect(page.get_by_test_id("total")).to_have_text(f"{ALL:,}")
    assert viewer.problems == []


def test_outline_that_crosses_itself_is_refused(viewer: Viewer) -> None:
    page = wide(viewer)
    viewer.open(f"tool=area&{ABOVE}")
    click_canvas(page, (420, 200), (620, 400), (620, 200), (420, 400))
    page.get_by_role("button", name="Use as filter").click()
    expect(page.get_by_role("alert")).to_contain_text("crosses itself")
    assert probe(page, "filter") == ""


def test_shadow_of_a_moment(viewer: Viewer) -> None:
    viewer.open("tool=sun&sun=2026-06-21T13:20")
    page = viewer.page
    panel = page.get_by_test_id("sun")
    expect(panel).to_contain_text("53.3°")
    expect(panel).to_contain_text("03:54")
    noon = page.locator("canvas").screenshot()
    panel.get_by_label("Hour").focus()
    for _ in range(5):
        page.keyboard.press("PageUp")
    viewer.settle()
    assert page.locator("canvas").screenshot() != noon
    panel.get_by_role("button", name="21 December").click()
    expect(panel).to_contain_text("below the horizon")
    panel.get_by_label("Shadows").select_option("Finest")
    page.wait_for_function(
        "location.hash.includes('shadow=4096') && location.hash.includes('sun=2026-12-21')"
    )
    viewer.settle()
    assert viewer.problems == []
