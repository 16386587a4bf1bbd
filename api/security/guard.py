"""Tells from the headers of a request who asks."""

import math
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC
from functools import lru_cache
from hashlib import sha256
from typing import Any

from anyio import to_thread
from cachetools import TTLCache

from api.hosts import hostname, is_loopback
from api.security import sessions
from api.security.audit import OFF, STDERR, Audit
from api.security.buckets import Buckets, shared_table
from api.security.caller import FOREIGN, Access, Caller
from api.security.origins import Origins
from api.security.refusal import invalid
from api.security.tokens import Tokens
from twin.db.keys import FORM, Key, KeyRing
from twin.settings import Settings

KNOWN_S = 10.0
"""So long is a key believed without asking the database, and a revoked one may go on."""

REQUESTS_PER_S = 50.0
"""Of each caller, unless the settings say otherwise, where others than this machine are served."""

_MAX_KNOWN = 4096

CREDENTIALS = frozenset({b"authorization", b"x-api-key"})
"""Headers that may say who asks; no other part of a request does."""

_OF_PROXIES = frozenset({b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip", b"via"})


def credential(headers: Mapping[bytes, bytes]) -> str | None:
    """What the headers of a request say of who asks, if they do."""
    scheme, _, value = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer":
        return value.strip().decode("latin-1")
    if (key := headers.get(b"x-api-key")) is not None:
        return key.strip().decode("latin-1")
    return None


class Guard:
    """What stands before the routes of one application.

    ``writer`` is the address of the database for a role that may read keys; without it there are none.
    It counts in ``access.shared``, or without that in a table of its own.
    """

    def __init__(self, access: Access, settings: Settings, writer: Any = None) -> None:
        self._access = access
        self._open = ExitStack()
        self._ring = None if writer is None else KeyRing(writer)
        jwt_given = settings.jwt_keys or settings.jwt_issuer or settings.jwt_audience
        self._tokens = Tokens(settings) if jwt_given else None
        self._known: TTLCache[bytes, Caller] = TTLCache(_MAX_KNOWN, KNOWN_S, _now)
        self.origins = Origins(settings.cors_origins, here=access.here)
        self.audit = self._audit(settings)
        self.buckets = self._buckets(settings)

    def _buckets(self, settings: Settings) -> Buckets | None:
        default = 0.0 if self._access.here else REQUESTS_PER_S
        per_s = default if settings.rate_limit_per_s is None else settings.rate_limit_per_s
        if per_s <= 0:
            return None
        shared = self._access.shared or self._open.enter_context(shared_table())
        buckets = Buckets(per_s, settings.rate_burst, shared, self._access.secret)
        self._open.callback(buckets.close)
        return buckets

    def _audit(self, settings: Settings) -> Audit | None:
        target = settings.audit_log or (OFF if self._access.here else STDERR)
        if target == OFF:
            return None
        audit = Audit(target)
        self._open.callback(audit.close)
        return audit

    @property
    def watches(self) -> bool:
        """Whether something is counted or kept of requests of whoever asks."""
        return self.buckets is not None or self.audit is not None

    def close(self) -> None:
        """Lets go of the database, of what is counted and of the audit log."""
        if self._ring is not None:
            self._ring.close()
        self._open.close()

    def anonymous(self, headers: Mapping[bytes, bytes]) -> Caller:
        """Who asks without saying who it is."""
        foreign = self._access.here and (
            not _names_this_machine(headers.get(b"host", b"")) or not _OF_PROXIES.isdisjoint(headers)
        )
        return FOREIGN if foreign else self._access.anonymous

    def known(self, given: str) -> Caller | None:
        """Who was told from the same credential a moment ago."""
        caller = self._known.get(_digest(given))
        return None if caller is None or caller.expires <= time.time() else caller

    def sealed(self, caller: Caller) -> str:
        """The value of a cookie that stands for somebody who was identified."""
        return sessions.seal(caller, self._access.secret)

    async def resumed(self, cookie: str) -> Caller | None:
        """Whom the cookie of a session stands for; None where it has ended, or its key has."""
        caller = self.known(cookie) or sessions.unseal(cookie, self._access.secret)
        if caller is None or (caller.key is not None and self.known(cookie) is None):
            caller = caller and await self._still(caller)
        if caller is not None:
            self._known[_digest(cookie)] = caller
        return caller

    async def _still(self, caller: Caller) -> Caller | None:
        """A caller whose key still opens something, with what it opens now."""
        if self._ring is None or caller.key is None:
            return None
        key = await to_thread.run_sync(self._ring.by_prefix, caller.key)
        if key is None or key.state != "active":
            return None
        return replace(_of_key(key), expires=caller.expires)

    async def identify(self, given: str) -> Caller:
        """Who asks. Refusal where a key or token opens nothing."""
        if self._tokens is None or given.startswith("twin_"):
            caller = await self._by_key(given)
        else:
            caller = await self._tokens.caller(given)
        self._known[_digest(given)] = caller
        return caller

    async def _by_key(self, text: str) -> Caller:
        key = None
        if self._ring is not None and FORM.fullmatch(text):
            key = await to_thread.run_sync(self._ring.by_secret, text)
        if key is None:
            raise invalid("There is no such key. It may have been sent only in part.")
        if key.state != "active":
            raise invalid(f"The key {key.prefix} is {key.state}. Ask for a new one.")
        return _of_key(key)


def _now() -> float:
    return time.monotonic()


def _of_key(key: Key) -> Caller:
    expires = math.inf if key.expires_at is None else key.expires_at.astimezone(UTC).timestamp()
    name = f"key {key.prefix} {key.name}"
    return Caller.of(name, key.scopes, cities=key.cities, key=key.prefix, expires=expires)


def _digest(given: str) -> bytes:
    # So that no secret stays in memory for longer than its request.
    return sha256(given.encode()).digest()


@lru_cache(maxsize=256)
def _names_this_machine(host: bytes) -> bool:
    return is_loopback(hostname(host.decode("latin-1")))
