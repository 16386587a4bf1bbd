"""What the page says when there is nothing to show, or something fails."""

import re
import urllib.parse

from playwright.sync_api import Browser, Route, expect

from tests.e2e.conftest import ALL, Viewer
from tests.e2e.probing import LEGEND, matched, probe, service

EMPTY, UNMEASURED = "touching_neighbours", "city = 'helsinki'"
HISTOGRAMS = re.compile(r"/histogram\?property=\w+_\w+")
"""Those of the filter's controls: the one by city is asked for at the start."""


def test_a_service_that_stops_is_told_and_comes_back(viewer: Viewer) -> None:
    viewer.expects("ERR_INTERNET_DISCONNECTED")
    viewer.open()
    page = viewer.page
    before = probe(page, "features")
    page.context.set_offline(True)
    low = page.get_by_label("Height: From")
    low.fill("12")
    low.press("Enter")
    toast = page.locator(".toast")
    expect(toast).to_contain_text("does not answer")
    # What was there stays on show.
    assert probe(page, "features") == before
    page.context.set_offline(False)
    toast.get_by_role("button", name="Try again").click()
    page.wait_for_function("window.__twin.filter === 'height_m >= 12'")
    viewer.settle()
    assert 0 < probe(page, "features") < before
    expect(page.get_by_text("does not answer")).to_have_count(0)


def test_an_error_that_no_test_expects_is_seen(viewer: Viewer) -> None:
    """What ends every test of the viewer could fail, for each kind of problem."""
    page = viewer.page
    page.goto(f"{viewer.address}/health/live")
    page.route("**/nothing", lambda route: route.abort())
    page.evaluate("() => { console.error('told'); setTimeout(() => { throw Error('thrown'); }); }")
    for path in ("nothing", "missing"):
        page.evaluate("async (path) => { await fetch(path).catch(() => null); }", f"/{path}")
    kinds = ["told", "thrown", "ERR_FAILED .*/nothing", "404 .*/missing"]
    for kind in kinds:
        assert any(re.search(kind, text) for text in viewer.unexpected()), kind
    viewer.expects(*kinds, "Failed to load resource")
    assert viewer.unexpected() == []


def test_a_filter_works_without_its_histogram(viewer: Viewer) -> None:
    """It tells that the histogram is missing, and shows it when asked again."""
    page = viewer.page
    viewer.expects("ERR_FAILED")
    page.route(HISTOGRAMS, lambda route: route.abort())
    viewer.open()
    height = page.locator("fieldset[data-attribute=height_m]")
    expect(height).to_contain_text("could not be loaded")
    low = page.get_by_label("Height: From")
    low.fill("12")
    low.press("Enter")
    expect(page.get_by_test_id("total")).to_have_text(f"{matched(viewer, 'height_m >= 12'):,}")
    page.locator("[data-attribute=current_use]").get_by_role("button", name="Show all").click()
    page.get_by_label("Commerce and services").check()
    expected = matched(viewer, "height_m >= 12 AND current_use = 'commerceAndServices'")
    expect(page.get_by_test_id("total")).to_have_text(f"{expected:,}")
    expect(page.locator(".toast")).to_have_count(0)
    page.unroute(HISTOGRAMS)
    height.get_by_role("button", name="Try again").click()
    expect(page.get_by_label("Lowest Height")).to_have_value("12")
    expect(page.get_by_text("could not be loaded")).to_have_count(0)


def test_what_is_typed_stays_when_a_histogram_comes(viewer: Viewer) -> None:
    page = viewer.page
    held: list[Route] = []
    page.route(HISTOGRAMS, lambda route: held.append(route))
    with page.expect_request(HISTOGRAMS):
        page.goto(f"{viewer.address}/")
    low = page.get_by_label("Height: From")
    low.press_sequentially("1")
    for route in held:
        route.continue_()
    expect(page.get_by_label("Lowest Height")).to_be_attached()
    low.press_sequentially("2")
    low.press("Enter")
    page.wait_for_function("window.__twin.filter === 'height_m >= 12'")
    low.fill("")
    low.press("Enter")
    page.wait_for_function("window.__twin.filter === ''")
    assert viewer.problems == []


def test_a_browser_without_webgl_still_shows_numbers(browser: Browser, address: str) -> None:
    context = browser.new_context(locale="en-GB", viewport={"width": 1200, "height": 700})
    context.add_init_script("HTMLCanvasElement.prototype.getContext = () => null")
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    expect(page.get_by_role("alert")).to_contain_text("cannot draw in 3D")
    expect(page.get_by_test_id("total")).to_have_text(f"{ALL:,}")
    low = page.get_by_label("Height: From")
    low.fill("12")
    low.press("Enter")
    expect(page.get_by_test_id("total")).not_to_have_text(f"{ALL:,}")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_test_id("compare").locator("[data-measure=count]")).to_be_visible()
    assert errors == []
    context.close()


def test_an_attribute_without_values_is_told_everywhere(viewer: Viewer) -> None:
    """In the legend, in the filter and in the comparison."""
    page = viewer.page
    assert (
        service(viewer, "/collections/buildings/histogram", property=EMPTY, filter=UNMEASURED)["count"] == 0
    )
    # Of the whole city, as of the part that nobody has measured.
    only = f"&filter={urllib.parse.quote(UNMEASURED)}"
    page.route(
        re.compile(rf"/histogram\?property={EMPTY}(&bins=\d+)?$"),
        lambda r: r.continue_(url=r.request.url + only),
    )
    page.set_viewport_size({"width": 1360, "height": 760})
    viewer.open(f"by={EMPTY}&tool=compare&stat={EMPTY}&cql2={urllib.parse.quote(UNMEASURED)}")
    expect(page.locator(LEGEND)).to_contain_text("No building has a value")
    expect(page.get_by_test_id("compare")).to_contain_text("No building has a value")
    page.get_by_label("Filter by another attribute").select_option(EMPTY)
    expect(page.locator(f"fieldset[data-attribute={EMPTY}]")).to_contain_text("No building has a value")
    assert viewer.problems == []


def test_a_link_that_nobody_understands_shows_everything(viewer: Viewer) -> None:
    viewer.expects("400")
    viewer.open("cql2=heigth_m>5")
    page = viewer.page
    expect(page.get_by_role("alert")).to_contain_text("heigth_m")
    expect(page.get_by_test_id("total")).to_have_text(f"{ALL:,}")
    assert probe(page, "features") > 0
