"""One service and one browser for all tests of the viewer; a fresh page for each."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.e2e.serving import REAL_BUILDINGS, VIEWER, chromium, launch, served

BUILDINGS = 2000
"""Of each of the two cities, synthetic."""
ALL = 2 * BUILDINGS + REAL_BUILDINGS

RUNNING = os.environ.get("TWIN_E2E_ADDRESS")
"""A service that runs already, to write tests against: ``python -m tests.e2e.serving`` starts one. Read
here, because tests run without the settings of the machine."""

TIMEOUT_MS = 90_000
"""Software rendering on a busy machine is slow; a test that is well ends long before."""


@dataclass
class Viewer:
    """A page at the service's address, and what went wrong in it."""

    page: Page
    address: str
    problems: list[str] = field(default_factory=list[str])
    expected: list[str] = field(default_factory=list[str])

    def expects(self, *patterns: str) -> None:
        """Errors of the console and failed requests that belong to the test; any other fails it."""
        self.expected.extend(patterns)

    def unexpected(self) -> list[str]:
        return [text for text in self.problems if not any(re.search(known, text) for known in self.expected)]

    def open(self, link: str = "") -> None:
        """Open the viewer with what follows ``#`` and wait until all is drawn."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.address}/#{link}" if link else f"{self.address}/")
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is loading, moving or being counted."""
        self.page.wait_for_function("window.__twin?.ready")


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a service over both cities."""
    if not VIEWER.exists():
        pytest.skip("the viewer is not built: run 'make setup'")
    if RUNNING:
        yield RUNNING
        return
    with served(tmp_path_factory.mktemp("e2e") / "twin", BUILDINGS) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Not of the session: Playwright runs an event loop in this thread for as long as it is open."""
    with sync_playwright() as playwright:
        executable = chromium(playwright)
        if executable is None:
            pytest.skip("there is no Chromium on this machine")
        expect.set_options(timeout=TIMEOUT_MS / 3)
        browser = launch(playwright, executable)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Flights are instant, as for people who want less motion. What was fetched is kept between pages."""
    context = browser.new_context(locale="en-GB", reduced_motion="reduce")
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    context.close()


@pytest.fixture
def viewer(context: BrowserContext, address: str) -> Iterator[Viewer]:
    page = context.new_page()
    page.set_viewport_size({"width": 960, "height": 560})
    viewer = Viewer(page, address)
    page.on("pageerror", lambda error: viewer.problems.append(str(error)))
    page.on(
        "console",
        lambda message: viewer.problems.append(message.text) if message.type == "error" else None,
    )
    page.on(
        "response",
        lambda response: (
            viewer.problems.append(f"{response.status} {response.url}") if response.status >= 400 else None
        ),
    )
    # What the page itself gave up, as a tile that left the view, is no failure.
    page.on(
        "requestfailed",
        lambda request: (
            viewer.problems.append(f"{request.failure} {request.url}")
            if request.failure != "net::ERR_ABORTED"
            else None
        ),
    )
    yield viewer
    context.set_offline(False)
    page.close()
    assert viewer.unexpected() == [], "what no test expects has failed in the page"
