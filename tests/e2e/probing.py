"""What tests ask the page's probe, and the service behind it."""

import json
import re
import urllib.parse
import urllib.request
from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Viewer

DETAILS = "[data-testid=building]"
LEGEND = "[data-testid=legend]"


def probe(page: Page, expression: str) -> Any:
    """A value of the page's own probe."""
    return page.evaluate(f"window.__twin.{expression}")


def stop_service(page: Page) -> None:
    """Let the service answer no more, and ask it for something."""
    page.route("**/collections/**", lambda route: route.abort())
    low = page.get_by_label("Height: From")
    low.fill("12")
    low.press("Enter")
    expect(page.locator(".toast")).to_contain_text("does not answer")


def matched(viewer: Viewer, condition: str) -> int:
    """How many buildings the service itself finds."""
    query = urllib.parse.urlencode({"filter": condition, "limit": 1, "count": "exact"})
    with urllib.request.urlopen(f"{viewer.address}/collections/buildings/items?{query}") as answer:
        return int(json.load(answer)["numberMatched"])


def service(viewer: Viewer, path: str, **query: str) -> Any:
    """The service's own answer, as JSON."""
    with urllib.request.urlopen(f"{viewer.address}{path}?{urllib.parse.urlencode(query)}") as answer:
        return json.load(answer)


def roofs(viewer: Viewer, building: str) -> list[dict[str, Any]]:
    """The roof surfaces of a building as the service tells them."""
    found = service(viewer, "/collections/roofsurfaces/items", filter=f"building = '{building}'", limit="200")
    return [feature["properties"] for feature in found["features"]]


def shown(text: str | None) -> int:
    """The number in a text such as "1,234"."""
    return int(re.sub(r"\D", "", text or ""))


def visible_building(page: Page, dataset: str = "") -> tuple[str, float, float]:
    """A building whose roof is seen and covered by no panel, and where to click it."""
    found = page.evaluate(
        """(dataset) => {
            for (const id of window.__twin.ids.filter((id) => id.startsWith(dataset))) {
                const at = window.__twin.project(id);
                const free = at && document.elementFromPoint(at.x, at.y + 3)?.tagName === "CANVAS";
                if (free && window.__twin.pick(at.x, at.y + 3) === id) return [id, at.x, at.y + 3];
            }
            return null;
        }""",
        dataset,
    )
    if found is not None:
        return found[0], found[1], found[2]
    raise AssertionError("no building can be clicked")
