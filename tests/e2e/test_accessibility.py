"""No serious finding of axe-core in any main state, light and dark."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Viewer
from tests.e2e.probing import probe, stop_service, visible_building
from tests.fixtures import ROOT

AXE = ROOT / "api" / "viewer" / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}


def _nothing(_: Page) -> None:
    """The state is all in the link."""


def _select(page: Page) -> None:
    name, x, y = visible_building(page)
    page.mouse.click(x, y)
    page.wait_for_selector("[data-testid=building] dl")
    assert probe(page, "selected") == name


def _on_a_phone(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})


STATES: dict[str, tuple[str, Callable[[Page], None]]] = {
    "start": ("", _nothing),
    "overview": ("at=24.85,59.8,18,148000,0,-56", _nothing),
    "filtered and coloured": ("in.height_m=9..&is.current_use=office&by=current_use", _nothing),
    "building": ("", _select),
    "compare": ("tool=compare&stat=volume_m3", _nothing),
    "compare terms": ("tool=compare&stat=current_use", _nothing),
    "side by side": ("at=24.956,60.174,20,700,0,-40&at2=24.745,59.436,20,700,0,-40", _nothing),
    "measure": ("tool=measure&line=24.9556,60.1743,20,24.9566,60.1743,30", _nothing),
    "area": ("tool=area&area=24.95,60.17,24.96,60.17,24.96,60.18", _nothing),
    "sun": ("tool=sun&sun=2026-06-21T13:20", _nothing),
    "import report": ("tool=imports&report=tallinn_lod2_synthetic", _nothing),
    "no result": ("cql2=height_m>5000", _nothing),
    "refused filter": ("cql2=heigth_m>5", _nothing),
    "service down": ("", stop_service),
    "phone": ("by=height_m", _on_a_phone),
}
FAILURES = {"refused filter": "400", "service down": "ERR_FAILED"}
"""What belongs to a state."""


def findings(page: Page) -> list[str]:
    """The grave findings: rule, element, and what is wrong with it."""
    found: Any = page.evaluate(
        "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations"
    )
    return [
        f"{rule['id']}: {node['html'][:120]} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
        if (node["impact"] or rule["impact"]) in GRAVE
    ]


@pytest.mark.parametrize("state", STATES)
def test_no_grave_finding(viewer: Viewer, state: str) -> None:
    page = viewer.page
    page.set_viewport_size({"width": 1360, "height": 760})
    link, act = STATES[state]
    if state in FAILURES:
        viewer.expects(FAILURES[state])
    viewer.open(f"{link}&theme=light")
    act(page)
    page.add_script_tag(path=AXE)
    found = {"light": _calm_findings(page)}
    page.get_by_role("button", name="Switch to dark").click()
    found["dark"] = _calm_findings(page)
    assert found == {"light": [], "dark": []}


def _calm_findings(page: Page) -> list[str]:
    """The findings once colours have faded to what they are to be."""
    page.wait_for_timeout(300)
    return findings(page)


def test_what_is_grave_is_found(viewer: Viewer) -> None:
    """The test could fail: a button without a name is told."""
    viewer.open()
    viewer.page.evaluate("document.querySelector('.navigation button').removeAttribute('aria-label')")
    viewer.page.evaluate("document.querySelector('.navigation button').removeAttribute('title')")
    viewer.page.add_script_tag(path=AXE)
    assert any(line.startswith("button-name") for line in findings(viewer.page))
