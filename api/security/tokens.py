"""Tokens of an identity provider (JWT, RFC 7519 and 9068), by the public keys that it publishes (JWKS).

Only signatures by the private half of a published key count: RS256, ES256 and EdDSA. The type of the
key says which of them, never the token, so that neither `none` nor a public key taken for a shared
secret opens anything.
"""

import math
import time
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import jwt
import orjson
from anyio import Lock, to_thread

from api.hosts import is_loopback
from api.security.caller import Caller
from api.security.refusal import invalid
from twin.errors import DatabaseUnavailable, ServiceError
from twin.settings import Settings

ALGORITHMS = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
"""By type and curve of a key."""

MAX_TOKEN_BYTES = 8192
LEEWAY_S = 30
KEPT_S = 600
"""So long are the keys of the provider believed."""
RETRY_S = 30
"""At most so often they are read anew for a token that names an unknown one."""
_TIMEOUT_S = 5
_MAX_KEYS_BYTES = 256 * 1024

Keys = Mapping[str | None, tuple[str, Any]]


class Tokens:
    """Tells from a token who asks. ServiceError where the settings of tokens are not whole."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        given = settings.jwt_keys, settings.jwt_issuer, settings.jwt_audience
        if not all(given):
            raise ServiceError("TWIN_JWT_KEYS, TWIN_JWT_ISSUER and TWIN_JWT_AUDIENCE are given together.")
        self._source, self._issuer, self._audience = (str(value) for value in given)
        self._clock = clock
        self._keys: Keys = {}
        self._read_at = -math.inf
        self._reading = Lock()
        if _is_address(self._source):
            _check_secure(self._source)
        else:
            self._keys, self._read_at = _published(_read_file(self._source)), clock()

    async def caller(self, token: str) -> Caller:
        """Who asks; Refusal where the token is not one for us."""
        if len(token) > MAX_TOKEN_BYTES:
            raise invalid("The token is too long.")
        try:
            header = jwt.get_unverified_header(token)
            algorithm, key = await self._key(header.get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=self._audience,
                issuer=self._issuer,
                leeway=LEEWAY_S,
                options={"require": ["exp", "aud", "iss", "sub"]},
            )
        except jwt.PyJWTError as error:
            # Of a token that is not well-formed the message of the library may quote a part.
            told = str(error) if not isinstance(error, jwt.DecodeError) else "it cannot be read or verified"
            raise invalid(f"The token is refused: {told}.") from None
        return _caller(claims)

    async def _key(self, kid: str | None) -> tuple[str, Any]:
        if self._is_old(kid):
            # One reads, and the others wait for what it finds.
            async with self._reading:
                if self._is_old(kid):
                    await self._read_anew()
        found = self._of(kid)
        if found is None:
            raise jwt.InvalidKeyError("it names no key of the provider")
        return found

    def _is_old(self, kid: str | None) -> bool:
        age = self._clock() - self._read_at
        return age > KEPT_S or (self._of(kid) is None and age > RETRY_S)

    def _of(self, kid: str | None) -> tuple[str, Any] | None:
        if kid is None and len(self._keys) == 1:
            return next(iter(self._keys.values()))
        return self._keys.get(kid) if isinstance(kid, str) else None

    async def _read_anew(self) -> None:
        # Also where it fails: not each request may make another. Known keys are believed meanwhile.
        self._read_at = self._clock()
        self._keys = _published(await to_thread.run_sync(_read, self._source))


def _read(source: str) -> bytes:
    if not _is_address(source):
        return _read_file(source)
    try:
        with urllib.request.urlopen(source, timeout=_TIMEOUT_S) as answer:  # noqa: S310
            _check_secure(answer.url)
            return answer.read(_MAX_KEYS_BYTES)
    except OSError:
        raise DatabaseUnavailable("The keys of the identity provider cannot be read. Try again.") from None


def _is_address(source: str) -> bool:
    return urlsplit(source).scheme in {"http", "https"}


def _check_secure(source: str) -> None:
    address = urlsplit(source)
    if address.scheme != "https" and not is_loopback(address.hostname or ""):
        raise ServiceError("TWIN_JWT_KEYS: keys are fetched by https, or from this machine.")


def _read_file(source: str) -> bytes:
    try:
        return Path(source).read_bytes()
    except OSError as error:
        raise ServiceError(f"TWIN_JWT_KEYS: {source} cannot be read ({error.strerror}).") from None


def _published(text: bytes) -> Keys:
    """The keys of a JWKS by their ids, each with the one algorithm that it is for."""
    try:
        listed = cast(list[dict[str, Any]], orjson.loads(text)["keys"])
        found: dict[str | None, tuple[str, Any]] = {}
        for key in listed:
            algorithm = ALGORITHMS.get((key.get("kty", ""), key.get("crv")))
            if algorithm is not None and key.get("use", "sig") == "sig" and "d" not in key:
                found[key.get("kid")] = algorithm, jwt.PyJWK(cast(Any, key), algorithm=algorithm).key
    except (ValueError, KeyError, TypeError, AttributeError, jwt.PyJWTError):
        raise ServiceError("TWIN_JWT_KEYS holds no set of public keys (JWKS).") from None
    return found


def _caller(claims: Mapping[str, Any]) -> Caller:
    """The claims as a caller: ``scope`` separated by spaces (RFC 9068, 2.2.3), ``cities`` a list."""
    scope, cities = claims.get("scope", ""), claims.get("cities")
    if not isinstance(scope, str):
        raise invalid("The claim 'scope' of the token is no text of scopes separated by spaces.")
    if cities is not None and not _are_texts(cities):
        raise invalid("The claim 'cities' of the token is no list of names.")
    return Caller.of(
        f"token {claims['sub']}",
        scope.split(),
        cities=None if cities is None else frozenset(cities),
        expires=float(claims["exp"]) + LEEWAY_S,
    )


def _are_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast(list[object], value))
