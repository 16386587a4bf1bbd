"""Who asks, what they may ask for, and what those may who do not say who they are."""

import math
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fastapi import HTTPException, Request

from twin.db.keys import SCOPES
from twin.db.query import ALL_SCOPES

READ, STATS, EXPORT, SCENARIO, IMPORT, PERSONAL, ADMIN = SCOPES

_OPEN_LEVELS = frozenset({"public"})
_IN_SCOPE = "twin.caller"
CHALLENGE = {"WWW-Authenticate": 'Bearer realm="twin"'}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. ``scopes`` are whole: what ``admin`` opens is among them. ``cities`` of None are all.

    ``levels`` are the access levels of attributes that are shown. ``key`` is the prefix of the API key
    and ``expires`` the end of the key or token, in seconds since 1970. ``hint`` tells one who is not
    identified how to be served.
    """

    name: str
    scopes: frozenset[str]
    levels: frozenset[str]
    cities: frozenset[str] | None = None
    identified: bool = True
    key: str | None = None
    expires: float = math.inf
    hint: str = ""

    @classmethod
    def of(cls, name: str, scopes: Iterable[str], **more: Any) -> "Caller":
        """A caller from the scopes of a key or token; those that there are not open nothing."""
        found = frozenset(scopes) & SCOPES.keys()
        if ADMIN in found:
            found |= SCOPES.keys() - {PERSONAL}
        return cls(name, found, ALL_SCOPES if PERSONAL in found else _OPEN_LEVELS, **more)


ANYONE_HERE = Caller.of("anyone here", SCOPES, identified=False)
ANYONE = Caller.of("anyone", (READ, STATS, EXPORT), identified=False)
NOBODY = Caller.of("nobody", (), identified=False)
FOREIGN = Caller.of(
    "nobody",
    (),
    identified=False,
    hint=" Without one, this machine alone is served, at its own address such as http://localhost.",
)


@dataclass(frozen=True, slots=True)
class Access:
    """What an address opens to those who do not say who they are.

    ``here``: only this machine reaches it. Whoever asks by a name that is not this machine's, or through
    a proxy, is then `FOREIGN`: a proxy asks for somebody else, and a page may have bent its own name to
    this machine (DNS rebinding). ``secret`` is the same in all workers, and new with each start;
    ``shared`` is the file in which all of them count requests.
    """

    anonymous: Caller
    here: bool = False
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)
    shared: Path | None = None


def here() -> Access:
    """For an address that only this machine reaches: everything is open."""
    return Access(ANYONE_HERE, here=True)


def public() -> Access:
    """Everyone reads all but personal data."""
    return Access(ANYONE)


def closed() -> Access:
    """Nothing without a key."""
    return Access(NOBODY)


def set_caller(scope: Any, caller: Caller) -> None:
    """Puts the caller into the scope of a request, where `caller_of` finds it."""
    scope[_IN_SCOPE] = caller


def caller_of(request: Request) -> Caller:
    """Who asks."""
    return request.scope[_IN_SCOPE]


def seen_by(caller: Caller, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Of rows that have a ``city``, those of cities that a caller may see."""
    return [row for row in rows if caller.cities is None or row["city"] in caller.cities]


def require(request: Request, scope: str) -> None:
    """Refuses callers without a scope: 401 where they may say who they are, 403 where they did."""
    caller = caller_of(request)
    if scope in caller.scopes:
        return
    needed = f"This needs the scope '{scope}' ({SCOPES[scope]})"
    if caller.identified:
        raise HTTPException(403, f"{needed}, which yours does not have.")
    told = f"{needed}. Send a key or token that has it as 'Authorization: Bearer …'.{caller.hint}"
    raise HTTPException(401, told, CHALLENGE)


@dataclass(frozen=True, slots=True)
class Needs:
    """A dependency of routes: the scope without which none of them is reached."""

    scope: str

    async def __call__(self, request: Request) -> None:
        require(request, self.scope)
