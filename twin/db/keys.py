"""API keys: random texts that are shown once and kept as hashes, each with what it opens.

A key has 256 random bits, so that a plain SHA-256 of it cannot be turned back; a slow hash, as
passwords need one, would only cost time.
"""

import re
import secrets
import string
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, RowMapping, create_engine, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError

from twin.db.access_tables import api_key
from twin.errors import DatabaseUnavailable, InvalidParameter, NotFound

SCOPES: Mapping[str, str] = {
    "read": "collections, items and tiles",
    "stats": "statistics and histograms",
    "export": "downloads of whole collections",
    "scenario": "planned changes",
    "import": "uploading and removing collections",
    "personal": "addresses, the source's own attributes and other personal data",
    "admin": "all of these but personal",
}
"""What a key or token may open, and what that is."""

_ALPHABET = string.ascii_letters + string.digits
_PREFIX, _SECRET = 8, 43
FORM = re.compile(rf"twin_[a-zA-Z0-9]{{{_PREFIX}}}_[a-zA-Z0-9]{{{_SECRET}}}")
"""What a key looks like: its prefix, an underscore, and the secret."""

_USE_IS_KEPT = timedelta(minutes=1)
"""At most so often the use of a key is written."""


@dataclass(frozen=True, slots=True)
class Key:
    """What is stored of a key. ``cities`` of None are all."""

    prefix: str
    name: str
    scopes: frozenset[str]
    cities: frozenset[str] | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @property
    def state(self) -> str:
        """``active``, ``expired`` or ``revoked``."""
        if self.revoked_at is not None:
            return "revoked"
        return "expired" if self.expires_at is not None and self.expires_at <= datetime.now(UTC) else "active"


def _random(length: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def _digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def create(
    connection: Connection,
    name: str,
    scopes: Iterable[str],
    cities: Iterable[str] | None = None,
    expires_at: datetime | None = None,
) -> str:
    """A new key, which nobody can be told again; InvalidParameter for scopes that there are not."""
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise InvalidParameter(f"There is no scope '{unknown[0][:60]}'. Known: {', '.join(SCOPES)}.")
    if not wanted or not name.strip():
        raise InvalidParameter("A key needs a name, by which it is recognised, and a scope.")
    prefix = f"twin_{_random(_PREFIX)}"
    key = f"{prefix}_{_random(_SECRET)}"
    values = {
        "prefix": prefix,
        "hash": _digest(key),
        "name": name.strip(),
        "scopes": wanted,
        "cities": None if cities is None else sorted(set(cities)),
        "expires_at": expires_at,
    }
    connection.execute(insert(api_key).values(values))
    return key


def keys(connection: Connection) -> list[Key]:
    """All keys in the order in which they were made."""
    return [_read(row) for row in connection.execute(_KEYS.order_by(api_key.c.id)).mappings()]


def revoke(connection: Connection, prefix: str) -> Key:
    """Ends a key for good; NotFound where there is none with the prefix."""
    now = {"revoked_at": func.coalesce(api_key.c.revoked_at, func.now())}
    connection.execute(update(api_key).where(api_key.c.prefix == prefix).values(now))
    row = connection.execute(_KEYS.where(api_key.c.prefix == prefix)).mappings().first()
    if row is None:
        raise NotFound(f"There is no key '{prefix[:20]}'. 'twin keys list' shows the prefixes.")
    return _read(row)


class KeyRing:
    """Finds keys, with a connection of its own: the role that serves data may not read them."""

    def __init__(self, url: Any) -> None:
        self._engine: Engine = create_engine(url, pool_size=1, max_overflow=1, pool_pre_ping=True)

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def by_secret(self, key: str) -> Key | None:
        """What is stored of a key, whatever its state; None where it is not known."""
        return self._find(api_key.c.hash == _digest(key))

    def by_prefix(self, prefix: str) -> Key | None:
        """As `by_secret`, for somebody who was let in by the key before."""
        return self._find(api_key.c.prefix == prefix)

    def _find(self, condition: Any) -> Key | None:
        try:
            with self._engine.begin() as connection:
                row = connection.execute(_KEYS.where(condition)).mappings().first()
                if row is not None:
                    connection.execute(_USED.where(condition))
        except (DBAPIError, psycopg.Error) as error:
            raise DatabaseUnavailable("The key could not be looked up. Try again in a moment.") from error
        return None if row is None else _read(row)


def _read(row: RowMapping) -> Key:
    cities = row["cities"]
    return Key(
        **{name: row[name] for name in ("prefix", "name", *_TIMES)},
        scopes=frozenset(row["scopes"]),
        cities=None if cities is None else frozenset(cities),
    )


_TIMES = ("created_at", "expires_at", "revoked_at", "last_used_at")
_KEYS = select(*(column for column in api_key.c if column.name not in {"id", "hash"}))
_USED = (
    update(api_key)
    .where(
        api_key.c.revoked_at.is_(None),
        or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at < func.now() - _USE_IS_KEPT),
    )
    .values(last_used_at=func.now())
)
