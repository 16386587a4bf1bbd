"""Two cities side by side, seen by linked cameras."""

from playwright.sync_api import Page, expect

from tests.e2e.conftest import BUILDINGS, Viewer
from tests.e2e.probing import probe

HELSINKI, TALLINN = 60.17, 59.43


def drag(page: Page, pane: int, dx: float, dy: float, button: str = "left") -> None:
    box = page.locator(f"[data-pane='{pane}'] canvas").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.6
    page.mouse.move(x, y)
    page.mouse.down(button="right" if button == "right" else "left")
    page.mouse.move(x + dx, y + dy, steps=4)
    page.mouse.up(button="right" if button == "right" else "left")


def test_linked_cameras(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    page.get_by_role("button", name="Side by side").click()
    viewer.settle()
    left, right = probe(page, "pose"), probe(page, "second")
    assert abs(left["lat"] - HELSINKI) < 0.1
    assert abs(right["lat"] - TALLINN) < 0.1
    for name in ("range", "heading", "pitch"):
        assert left[name] == right[name]
    expect(page.locator("[data-pane='1'] header")).to_contain_text(f"{BUILDINGS:,} buildings")

    drag(page, 1, 40, 30)
    drag(page, 1, 50, 0, button="right")
    page.locator("[data-pane='1'] canvas").hover()
    page.mouse.wheel(0, -300)
    viewer.settle()
    moved, followed = probe(page, "second"), probe(page, "pose")
    assert moved["range"] == followed["range"] < left["range"]
    assert moved["heading"] == followed["heading"] != left["heading"]
    assert moved["lat"] != right["lat"]
    # A degree of longitude is shorter in Helsinki.
    assert abs((followed["lat"] - left["lat"]) - (moved["lat"] - right["lat"])) < 1e-5
    assert abs(followed["lon"] - left["lon"]) > abs(moved["lon"] - right["lon"])
    assert viewer.problems == []


def test_cameras_apart_and_another_city(viewer: Viewer) -> None:
    viewer.open()
    page = viewer.page
    page.get_by_role("button", name="Side by side").click()
    viewer.settle()
    page.get_by_role("button", name="Move each view alone").click()
    before = probe(page, "second")
    drag(page, 0, 30, 30)
    viewer.settle()
    assert probe(page, "second") == before

    right = page.locator("[data-pane='1']")
    right.get_by_label("City of this view").select_option("helsinki")
    viewer.settle()
    assert abs(probe(page, "second.lat") - HELSINKI) < 0.1
    page.wait_for_function("location.hash.includes('at2=24') && location.hash.includes('apart=1')")
    pose, second = probe(page, "pose"), probe(page, "second")

    viewer.open(page.url.partition("#")[2])
    for name in ("lon", "lat"):
        assert abs(probe(page, "pose")[name] - pose[name]) < 1e-4
        assert abs(probe(page, "second")[name] - second[name]) < 1e-4
    expect(page.get_by_role("button", name="Move both views together")).to_be_visible()
    page.get_by_role("button", name="Close the second view").click()
    expect(page.locator("[data-pane]")).to_have_count(1)
    viewer.settle()
    assert viewer.problems == []


def test_narrow_window_stacks_the_views(viewer: Viewer) -> None:
    viewer.page.set_viewport_size({"width": 420, "height": 800})
    viewer.open("at=24.95,60.17,20,900,0,-30&at2=24.75,59.43,20,900,0,-30")
    boxes = [viewer.page.locator(f"[data-pane='{i}']").bounding_box() for i in (0, 1)]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert boxes[1]["y"] >= boxes[0]["y"] + boxes[0]["height"]
    assert viewer.problems == []
