"""Sessions of browsers: a cookie that stands for a key or token, which no script can read.

A link or a download of the viewer cannot send a header. The cookie is sealed with the secret of the running
server, so that it ends with it; it counts for reading alone, and pages of other sites do not send it.
"""

import base64
import binascii
import hmac
import math
import time
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie

import orjson

from api.security.caller import Caller

COOKIE = "twin_session"
LASTS_S = 8 * 3600
"""A working day; a key or token that ends before ends it."""


def seal(caller: Caller, secret: bytes) -> str:
    """The value of a cookie that stands for a caller."""
    told = {
        "name": caller.name,
        "scopes": sorted(caller.scopes),
        "cities": None if caller.cities is None else sorted(caller.cities),
        "key": caller.key,
        "expires": min(caller.expires, time.time() + LASTS_S),
    }
    body = base64.urlsafe_b64encode(orjson.dumps(told))
    return f"{body.decode()}.{_mac(body, secret)}"


def unseal(value: str, secret: bytes) -> Caller | None:
    """Whom a cookie stands for; None where it is not of this server or has ended."""
    body, _, mac = value.partition(".")
    if not hmac.compare_digest(mac.encode(), _mac(body.encode(), secret).encode()):
        return None
    try:
        told = orjson.loads(base64.urlsafe_b64decode(body))
    except (binascii.Error, orjson.JSONDecodeError):
        return None
    if told["expires"] <= time.time():
        return None
    kept = {"key": told["key"], "expires": told["expires"] or math.inf}
    cities = None if told["cities"] is None else frozenset(told["cities"])
    return Caller.of(told["name"], told["scopes"], cities=cities, **kept)


def _mac(body: bytes, secret: bytes) -> str:
    # The same secret seals nothing else in this way.
    return hmac.digest(secret, b"session " + body, "sha256").hex()


def cookie_of(headers: Mapping[bytes, bytes]) -> str | None:
    """The session that a request brings along."""
    given = headers.get(b"cookie")
    if given is None or COOKIE.encode() not in given:
        return None
    try:
        found = SimpleCookie(given.decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value


def set_cookie(value: str, *, secure: bool) -> str:
    """The header that makes a browser keep a session; an empty value ends it."""
    lasts = LASTS_S if value else 0
    parts = [f"{COOKIE}={value}", "Path=/", f"Max-Age={lasts}", "HttpOnly", "SameSite=Strict"]
    return "; ".join([*parts, "Secure"] if secure else parts)
