"""The middleware before all routes, as pure ASGI: a plain request on this machine costs microseconds."""

import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.security.audit import REFUSED, what
from api.security.buckets import address_of
from api.security.caller import Caller, set_caller
from api.security.guard import CREDENTIALS, Guard, credential
from api.security.origins import is_own
from api.security.refusal import Refusal
from api.security.sessions import cookie_of
from twin.errors import ServiceError

_SAYING = CREDENTIALS | {b"cookie"}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})

EXPORTS = "/download"
"""How the paths of whole collections end."""

Refuse = Callable[..., Response]
Found = TypeVar("Found")


class Gate:
    """Tells who asks, counts, and keeps what was refused or written; ``refuse`` writes a problem document."""

    def __init__(self, app: ASGIApp, guard: Guard, refuse: Refuse) -> None:
        self._app = app
        self._guard = guard
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict[bytes, bytes](scope["headers"])
        guard = self._guard
        if scope["method"] == "GET" and not guard.watches and _SAYING.isdisjoint(headers):
            set_caller(scope, guard.anonymous(headers))
            await self._app(scope, receive, send)
            return
        visit = _Visit(scope, headers, send, guard)
        try:
            await visit.admit()
            await self._app(scope, receive, visit.send)
        except Refusal as refusal:
            answer = self._refuse(
                Request(scope), refusal.status, refusal.kind, refusal.detail, **refusal.headers
            )
            await answer(scope, receive, visit.send)
        finally:
            visit.keep()


class _Visit:
    """One request: who asks, and what is added to the headers of the answer."""

    def __init__(self, scope: Scope, headers: dict[bytes, bytes], send: Send, guard: Guard) -> None:
        self._scope = scope
        self._headers = headers
        self._send = send
        self._guard = guard
        self._started = time.monotonic()
        self._status = 500
        self._added: list[tuple[bytes, bytes]] = []
        self._caller = guard.anonymous(headers)
        set_caller(scope, self._caller)

    async def admit(self) -> None:
        """Finds out who asks; Refusal where that one may not."""
        self._check_origin()
        given = credential(self._headers)
        known = None if given is None else self._guard.known(given)
        if known is None:
            # Before the database is asked, so that guessing is slow.
            self._count(f"address {address_of(self._scope.get('client'))}")
        if given is not None:
            self._enter(known or await self._identified(given))
        elif self._scope["method"] in _READING and (cookie := cookie_of(self._headers)) is not None:
            found = await self._asked(self._guard.resumed(cookie))
            if found is not None:
                self._enter(found)

    def _enter(self, caller: Caller) -> None:
        self._caller = caller
        set_caller(self._scope, caller)
        self._count(caller.name)

    def _count(self, name: str) -> None:
        buckets = self._guard.buckets
        if buckets is None:
            return
        taken = buckets.take(name)
        headers = buckets.headers(taken)
        self._added = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
        if not taken.allowed:
            again = f"Ask again in {taken.reset_s} s, and more slowly."
            raise Refusal(429, "Too many requests", f"There were too many requests. {again}")

    async def _identified(self, given: str) -> Caller:
        return await self._asked(self._guard.identify(given))

    async def _asked(self, answer: Awaitable[Found]) -> Found:
        try:
            return await answer
        except ServiceError as error:
            raise Refusal(503, "Service unavailable", str(error), {"Retry-After": "5"}) from None

    def _check_origin(self) -> None:
        """Pages of other sites may not write."""
        origin, host = (self._headers.get(name, b"").decode("latin-1") for name in (b"origin", b"host"))
        method = self._scope["method"]
        if not origin or method in _READING:
            return
        allowed = self._guard.origins.may_ask if method == "POST" else is_own
        if not allowed(origin, host):
            raise Refusal(403, "Forbidden", "A page of another site may not send this.")

    async def send(self, message: Message) -> None:
        """Sends on, with further headers."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers: list[tuple[bytes, bytes]] = [*message["headers"], *self._added]
            # What is shown to somebody is that one's, and no shared cache may keep it.
            message["headers"] = _private(headers) if self._caller.identified else headers
        await self._send(message)

    def keep(self) -> None:
        """Adds a line to the audit log where the request was refused, writes or takes all away."""
        audit = self._guard.audit
        if audit is None:
            return
        writes = self._scope["method"] in {"PUT", "DELETE", "PATCH"}
        if writes or self._status in REFUSED or self._scope["path"].endswith(EXPORTS):
            took = round((time.monotonic() - self._started) * 1000)
            address = address_of(self._scope.get("client"))
            asked = what(self._scope)
            audit.write(who=self._caller.name, address=address, **asked, status=self._status, took_ms=took)


def _private(headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = next((value for name, value in headers if name.lower() == b"cache-control"), b"no-cache")
    if b"private" in given or b"no-store" in given:
        return headers
    others = [header for header in headers if header[0].lower() != b"cache-control"]
    return [*others, (b"cache-control", b"private, " + given.replace(b"public, ", b""))]
