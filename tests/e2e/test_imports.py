"""The report of an import: what came, what was refused and why, and where that is on the map."""

from playwright.sync_api import expect

from tests.e2e.conftest import BUILDINGS, Viewer
from tests.e2e.probing import probe, service
from tests.e2e.serving import NEW_BUILDING

DATASET = "tallinn_lod2_synthetic"


def test_what_came_and_what_was_refused(viewer: Viewer) -> None:
    viewer.page.set_viewport_size({"width": 1360, "height": 760})
    viewer.open()
    page = viewer.page
    page.get_by_role("button", name="Import report").click()
    panel = page.get_by_test_id("imports")
    panel.get_by_label("Dataset").select_option(DATASET)
    told = service(viewer, f"/datasets/{DATASET}/report")["files"]
    correction = panel.locator("details").first
    expect(correction.locator("summary")).to_contain_text("correction.city.jsonl")
    expect(correction.locator("[data-outcome=reportRefused] dd")).to_have_text("3")
    entries = correction.locator("[data-entries=reportRefused] li")
    expect(entries).to_have_count(3)
    for i, entry in enumerate(told[0]["refused"]):
        for member in ("object_id", "place", "reason", "suggestion"):
            expect(entries.nth(i)).to_contain_text(entry[member])
    expect(correction).to_contain_text("2 of them stand on the map")

    delivery = panel.locator("details").nth(1)
    delivery.locator("summary").click()
    expect(delivery.locator("[data-outcome=reportStored] dd")).to_have_text(f"{BUILDINGS:,}")
    expect(delivery).to_contain_text("Every feature of this file is stored")
    assert viewer.problems == []


def test_a_refused_building_is_shown_on_the_map(viewer: Viewer) -> None:
    viewer.page.set_viewport_size({"width": 1360, "height": 760})
    viewer.open()
    page = viewer.page
    page.get_by_role("button", name="Import report").click()
    panel = page.get_by_test_id("imports")
    panel.get_by_label("Dataset").select_option(DATASET)
    entry = service(viewer, f"/datasets/{DATASET}/report")["files"][0]["refused"][0]
    panel.get_by_role("button", name=f"Show on the map: {entry['object_id']}").click()
    viewer.settle()
    west, south, east, north = entry["bbox"]
    assert abs(probe(page, "pose.lon") - (west + east) / 2) < 1e-4
    assert abs(probe(page, "pose.lat") - (south + north) / 2) < 1e-4
    pin = page.locator(f".pin[aria-label*='{entry['object_id']}']")
    expect(pin).to_be_visible()
    expect(pin).to_have_attribute("aria-pressed", "true")
    expect(panel.locator("li[data-pointed=true]")).to_contain_text(entry["object_id"])

    new = panel.locator("li", has_text=NEW_BUILDING)
    expect(new).to_be_visible()
    expect(new.get_by_role("button")).to_have_count(0)
    page.wait_for_function("location.hash.includes('tool=imports&report=tallinn_')")
    viewer.open(page.url.partition("#")[2])
    expect(page.get_by_label("Dataset")).to_have_value(DATASET)
    assert viewer.problems == []
