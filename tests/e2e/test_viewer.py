"""What a planner does with the viewer, in a real browser over a served database of both cities."""

import urllib.request
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import ALL, Viewer
from tests.e2e.probing import DETAILS, LEGEND, matched, probe, roofs, service, shown, visible_building
from tests.e2e.serving import MEASURED, REAL_BUILDINGS


def test_both_cities_load_without_an_error(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    expect(page.get_by_test_id("total")).to_have_text(f"{ALL:,}")
    assert probe(page, "features") > 0
    assert any(name.startswith("helsinki") for name in probe(page, "ids"))

    page.get_by_role("button", name="Tallinn").click()
    viewer.settle()
    assert any(name.startswith("tallinn") for name in probe(page, "ids"))
    assert probe(page, "pose.lat") < 59.6
    assert viewer.problems == []


def test_synthetic_buildings_are_called_so(viewer: Viewer) -> None:
    viewer.open()
    expect(viewer.page.get_by_test_id("synthetic")).to_contain_text("do not exist")


def test_controls_filter_counts_and_view(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    before = probe(page, "features")

    low = page.get_by_label("Height: From")
    low.fill("12")
    low.press("Enter")
    expected = matched(viewer, "height_m >= 12")
    expect(page.get_by_test_id("total")).to_have_text(f"{expected:,}")
    viewer.settle()
    assert 0 < expected < ALL
    assert probe(page, "filter") == "height_m >= 12"
    assert 0 < probe(page, "features") < before

    page.get_by_label("Offices").check()
    expected = matched(viewer, "current_use = 'office' AND height_m >= 12")
    expect(page.get_by_test_id("total")).to_have_text(f"{expected:,}")
    by_city = page.locator("[data-city]")
    assert sum(shown(by_city.nth(i).text_content()) for i in range(by_city.count())) == expected

    page.get_by_role("button", name="Clear filter").first.click()
    expect(page.get_by_test_id("total")).to_have_text(f"{ALL:,}")
    viewer.settle()
    assert probe(page, "features") == before
    assert viewer.problems == []


def test_slider_is_moved_by_the_keyboard(viewer: Viewer) -> None:
    viewer.open()
    viewer.page.get_by_label("Highest Height").focus()
    viewer.page.keyboard.press("PageDown")
    viewer.page.wait_for_function("window.__twin.filter.startsWith('height_m <= ')")
    assert shown(viewer.page.get_by_test_id("total").text_content()) < ALL


def test_expression_joins_the_controls_and_tells_of_mistakes(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    box = page.get_by_label("Expression (CQL2)")
    box.fill("roof_type = 'flat' OR height_m > 30")
    box.press("Enter")
    expected = matched(viewer, "roof_type = 'flat' OR height_m > 30")
    expect(page.get_by_test_id("total")).to_have_text(f"{expected:,}")
    assert viewer.problems == []

    viewer.expects("400")
    box.fill("heigth_m > 30")
    box.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("heigth_m")
    # What was understood last stays on show.
    expect(page.get_by_test_id("total")).to_have_text(f"{expected:,}")


def test_no_result_is_said_and_mended(viewer: Viewer) -> None:
    viewer.open("cql2=height_m>5000")
    page = viewer.page
    message = page.get_by_role("alert")
    expect(message).to_contain_text("No building matches")
    message.get_by_role("button", name="Clear filter").click()
    expect(page.get_by_test_id("total")).to_have_text(f"{ALL:,}")
    viewer.settle()
    assert probe(page, "features") > 0
    assert viewer.problems == []


def test_click_shows_attributes(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    name, x, y = visible_building(page)
    page.mouse.click(x, y)
    details = page.locator(DETAILS)
    expect(details.locator("[data-attribute=height_m]")).to_contain_text(" m")
    expect(details.locator("[data-attribute=city]")).to_contain_text(name.split("_")[0].capitalize())
    expect(details).to_contain_text("Synthetic")
    expect(details.get_by_role("heading", name="Envelope")).to_be_visible()
    assert probe(page, "selected") == name
    for link in ("GeoJSON", "CityJSON"):
        href = details.get_by_role("link", name=link, exact=True).get_attribute("href") or ""
        with urllib.request.urlopen(href) as answer:
            assert name.split(".", 1)[1] in answer.read().decode()
    href = details.get_by_role("link", name="GLB", exact=True).get_attribute("href") or ""
    with urllib.request.urlopen(href) as answer:
        model = answer.read()
    assert model.startswith(b"glTF")
    assert name.encode() in model

    page.keyboard.press("Escape")
    expect(details).to_have_count(0)
    assert viewer.problems == []


@pytest.mark.skipif(not REAL_BUILDINGS, reason="the real models, whose surfaces are measured, are not here")
def test_surfaces_are_told_under_the_pointer(viewer: Viewer) -> None:
    """From above, so that roofs are seen: their measures are those of the collection of roof surfaces."""
    place = next(one for one in service(viewer, "/datasets")["datasets"] if one["name"] == MEASURED)
    west, south, east, north = place["bbox"]
    viewer.open(f"at={(west + east) / 2:.5f},{(south + north) / 2:.5f},18,500,0,-89")
    page = viewer.page
    # Details of any building: one that they do not cover is pointed at.
    _, x, y = visible_building(page, MEASURED)
    page.mouse.click(x, y)
    expect(page.locator(DETAILS).locator("[data-attribute=height_m]")).to_contain_text(" m")
    name, x, y = visible_building(page, MEASURED)
    page.mouse.click(x, y)
    tip = page.get_by_test_id("surface")
    # The pointer tells of the surfaces that have come by when it moves.
    for _ in range(60):
        page.mouse.move(x, y - 1)
        page.mouse.move(x, y)
        if tip.count():
            break
        page.wait_for_timeout(500)
    expect(tip).to_contain_text("Roof")
    told = tip.text_content() or ""
    known = [(f"{roof['area_m2']:,.0f} m²", f"{roof['slope_deg']:.1f}°") for roof in roofs(viewer, name)]
    assert any(area in told and slope in told for area, slope in known), (told, known)
    page.mouse.move(5, 300)
    expect(tip).to_have_count(0)
    assert viewer.problems == []


def test_a_range_is_brushed_over_the_histogram(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    year = page.locator("[data-attribute=year_of_construction]")
    bars = year.locator("svg.bars")
    bars.scroll_into_view_if_needed()
    box = bars.bounding_box()
    assert box is not None
    across = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.75, across)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, across, steps=3)
    page.mouse.up()
    page.wait_for_function("window.__twin.filter.startsWith('year_of_construction BETWEEN ')")
    low, high = (int(page.get_by_label(f"construction: {end}").input_value()) for end in ("From", "To"))
    assert low < high
    expected = matched(viewer, f"year_of_construction BETWEEN {low} AND {high}")
    expect(page.get_by_test_id("total")).to_have_text(f"{expected:,}")
    assert viewer.problems == []


def test_colour_by_number_has_a_legend(viewer: Viewer) -> None:
    viewer.open()
    viewer.settle()
    page = viewer.page
    plain = page.locator("canvas").screenshot()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    page.get_by_label("Colour by").select_option("height_m")
    legend = page.locator(LEGEND)
    expect(legend.locator("h2")).to_contain_text("Height m")
    counts = legend.locator("li .choice-count")
    expect(counts.nth(3)).to_be_visible()
    total = sum(shown(counts.nth(i).text_content()) for i in range(counts.count()))
    # Classes are counted from a fine histogram: a class border may cut one of its bins.
    assert abs(total - ALL) <= counts.count()
    viewer.settle()
    assert page.locator("canvas").screenshot() != plain
    # Geometry is there already: a colour asks for the tables beside it alone.
    assert {path.rpartition(".")[2] for path in asked if "/3dtiles/" in path} == {"arrow"}
    assert viewer.problems == []


def test_colour_by_term_names_missing_values(viewer: Viewer) -> None:
    viewer.open("by=year_of_construction")
    page = viewer.page
    missing = matched(viewer, "year_of_construction IS NULL")
    row = page.locator(LEGEND).get_by_role("listitem").filter(has_text="No value")
    if missing:
        expect(row.locator(".choice-count")).to_have_text(f"{missing:,}")
    else:
        expect(row).to_have_count(0)

    page.get_by_label("Colour by").select_option("current_use")
    expect(page.locator(LEGEND)).to_contain_text("More than two dwellings")
    assert viewer.problems == []


def test_link_opens_the_same_view(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    page.get_by_role("button", name="Tallinn").click()
    viewer.settle()
    box = page.get_by_label("Expression (CQL2)")
    box.fill("height_m > 6")
    box.press("Enter")
    page.get_by_label("Colour by").select_option("roof_type")
    page.wait_for_function("window.__twin.filter === 'height_m > 6'")
    viewer.settle()
    _, x, y = visible_building(page)
    page.mouse.click(x, y)
    expect(page.locator(f"{DETAILS} dl").first).to_be_visible()
    page.wait_for_function("location.hash.includes('id=')")
    state = ("filter", "counts", "colourBy", "selected", "pose")
    before = {name: probe(page, name) for name in state}

    viewer.open(page.url.partition("#")[2])
    after = {name: probe(page, name) for name in state}
    pose_before, pose_after = before.pop("pose"), after.pop("pose")
    assert after == before
    for name, tolerance in (("lon", 1e-4), ("lat", 1e-4), ("range", 1), ("heading", 1), ("pitch", 1)):
        assert abs(pose_after[name] - pose_before[name]) <= tolerance, name
    expect(page.locator(f"{DETAILS} dl").first).to_be_visible()
    expect(page.locator(LEGEND)).to_be_visible()
    assert viewer.problems == []


def test_speaks_the_readers_language(viewer: Viewer) -> None:
    viewer.open("lang=fi")
    page = viewer.page
    expect(page.locator("html")).to_have_attribute("lang", "fi")
    expect(page.get_by_role("heading", name="Suodatus")).to_be_visible()
    expect(page.locator("[data-attribute=year_of_construction] legend")).to_have_text("Rakennusvuosi")
    page.get_by_label("Kieli").select_option("et")
    expect(page.get_by_role("button", name="Helsingi")).to_be_visible()
    page.get_by_label("Keel").select_option("sv")
    expect(page.get_by_role("button", name="Helsingfors")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "fi", "et", "sv"])
def test_no_city_is_cut_off(viewer: Viewer, language: str) -> None:
    """All places have their whole name in the dock, in a wide window and on a phone."""
    for width, height in ((1360, 850), (844, 390), (390, 780)):
        viewer.page.set_viewport_size({"width": width, "height": height})
        viewer.open(f"lang={language}")
        bar = viewer.page.locator(".places")
        assert bar.get_by_role("button").count() >= 3
        assert bar.evaluate("(bar) => bar.scrollWidth <= bar.clientWidth"), (width, height)


def test_dark_and_light(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    page.get_by_role("button", name="Switch to dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.wait_for_function("location.hash.includes('theme=dark')")


def test_service_that_does_not_answer(viewer: Viewer) -> None:
    viewer.expects("ERR_FAILED")
    page = viewer.page
    page.route("**/datasets", lambda route: route.abort())
    page.goto(f"{viewer.address}/")
    message = page.get_by_role("alert")
    expect(message).to_contain_text("does not answer")
    page.unroute("**/datasets")
    message.get_by_role("button", name="Try again").click()
    viewer.settle()
    assert probe(page, "features") > 0


def test_small_window_keeps_the_view_free(viewer: Viewer) -> None:
    viewer.page.set_viewport_size({"width": 844, "height": 390})
    viewer.open()
    page = viewer.page
    expect(page.get_by_role("heading", name="Filter", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Filter and colour").click()
    expect(page.get_by_role("heading", name="Filter", exact=True)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert viewer.problems == []


def test_tile_that_fails_can_be_asked_for_again(viewer: Viewer) -> None:
    viewer.expects("ERR_FAILED", "Failed to load tile", "Failed to fetch")
    page = viewer.page
    page.route("**/*.glb*", lambda route: route.abort())
    viewer.open()
    expect(page.get_by_text("could not be loaded")).to_be_visible()
    assert probe(page, "features") == 0
    page.unroute("**/*.glb*")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_function("window.__twin.features > 0")
    expect(page.get_by_text("could not be loaded")).to_have_count(0)
