"""A client of an application in the same process, called from ordinary tests."""

from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from fastapi import FastAPI


class Client:
    """GET and other requests against one application on its own event loop."""

    def __init__(self, portal: BlockingPortal, http: httpx.AsyncClient, app: FastAPI) -> None:
        self.app = app
        self._portal = portal
        self._http = http

    def request(self, method: str, url: str, **more: Any) -> httpx.Response:
        return self._portal.call(partial(self._http.request, method, url, **more))

    def forget_cookies(self) -> None:
        """As a browser that was started anew."""
        self._http.cookies.clear()

    def run(self, function: Callable[[], Awaitable[None]]) -> None:
        """Calls a function on the event loop of the application."""
        self._portal.call(function)

    def get(self, url: str, **params: Any) -> httpx.Response:
        """GET with query parameters; underscores in their names stand for hyphens when doubled."""
        query = {name.replace("__", "-"): value for name, value in params.items()}
        return self.request("GET", url, params=query or None)

    def items(self, **params: Any) -> httpx.Response:
        return self.get("/collections/buildings/items", **params)


@contextmanager
def serving(app: FastAPI) -> Generator[Client, None, None]:
    """The application within its lifespan; errors of the server are answers, not exceptions."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    http = httpx.AsyncClient(transport=transport, base_url="http://localhost")
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        portal.wrap_async_context_manager(http),
    ):
        yield Client(portal, http, app)
