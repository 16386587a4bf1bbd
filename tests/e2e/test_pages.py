"""The pages of the API in a browser: nothing grave for axe-core, nothing refused by their own policy."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.test_accessibility import AXE, findings

PATHS = (
    "/?f=html",
    "/collections",
    "/collections/buildings",
    "/collections/buildings/queryables",
    "/collections/buildings/items?limit=20&lang=fi",
    "/collections/buildings/items?filter=heigth_m>3&lang=et",
    "/conformance",
)


@pytest.fixture(params=["light", "dark"])
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    # axe-core is a script, which the pages themselves forbid.
    context = browser.new_context(bypass_csp=True, color_scheme=request.param, locale="sv-FI")
    yield context.new_page()
    context.close()


def test_no_grave_finding(page: Page, address: str) -> None:
    found: dict[str, list[str]] = {}
    page.goto(f"{address}/collections/buildings/items?limit=20")
    item = page.locator("tbody a").first.get_attribute("href")
    assert item is not None
    for path in (*PATHS, item.removeprefix(address)):
        page.goto(f"{address}{path}")
        page.add_script_tag(path=AXE)
        found[path] = findings(page)
    assert {path: grave for path, grave in found.items() if grave} == {}


def test_pages_are_styled_under_their_own_policy(browser: Browser, address: str) -> None:
    """Walked as a reader does, from the collections to one building, without a single refusal."""
    context = browser.new_context(locale="sv-FI", viewport={"width": 1200, "height": 800})
    page, refused = context.new_page(), list[str]()
    page.on("console", lambda message: refused.append(message.text))
    page.goto(f"{address}/collections")
    page.get_by_role("link", name="Byggnader", exact=True).click()
    page.get_by_role("link", name="Objekt", exact=True).click()
    page.get_by_label("Filter (CQL2)").fill("city = 'tallinn'")
    page.get_by_role("button", name="Visa").click()
    assert page.locator("tbody tr").count() == 100
    page.get_by_role("link", name="Nästa sida").click()
    assert page.locator("tbody td").first.inner_text() == "Tallinn"
    page.locator("tbody a").first.click()
    assert page.get_by_role("heading", name="Mått").is_visible()
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).borderRadius") == "14px"
    assert [text for text in refused if "favicon" not in text and "404" not in text] == []
    context.close()
