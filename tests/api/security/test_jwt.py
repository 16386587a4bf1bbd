"""Tokens of an identity provider: which are taken, and how all others are refused."""

import base64
import hmac
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio
import jwt
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from api import server
from api.security import tokens
from api.security.caller import closed
from api.security.refusal import Refusal
from api.security.tokens import LEEWAY_S, MAX_TOKEN_BYTES, Tokens
from tests.api.client import Client
from tests.api.security.asking import bearer, guarded, new_key
from twin.db.engine import Database
from twin.errors import DatabaseUnavailable, ServiceError
from twin.settings import Settings

RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()
PRIVATE: dict[str, tuple[Any, str]] = {"rsa": (RSA, "RS256"), "ec": (EC, "ES256"), "ed": (ED, "EdDSA")}
WRITERS: dict[str, Any] = {"rsa": RSAAlgorithm, "ec": ECAlgorithm, "ed": OKPAlgorithm}
NAMES: Any = {"jwt_issuer": "https://id.example", "jwt_audience": "twin"}


def published(*kids: str) -> bytes:
    keys = [
        {**orjson.loads(WRITERS[kid].to_jwk(PRIVATE[kid][0].public_key())), "kid": kid, "use": "sig"}
        for kid in kids
    ]
    return orjson.dumps({"keys": keys})


def token(kid: str = "rsa", key: Any = None, algorithm: str | None = None, **claims: Any) -> str:
    told = {"iss": "https://id.example", "aud": "twin", "sub": "planner", "scope": "read",
            "exp": int(time.time()) + 60, **claims}  # fmt: skip
    told = {name: value for name, value in told.items() if value is not None}
    private, usual = PRIVATE.get(kid, PRIVATE["rsa"])
    return jwt.encode(told, private if key is None else key, algorithm or usual, headers={"kid": kid})


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jwks") / "keys.json"
    path.write_bytes(published(*PRIVATE))
    return path


@pytest.fixture(scope="module")
def client(database: Database, keys: Path) -> Iterator[Client]:
    with guarded(database, closed(), jwt_keys=str(keys), audit_log="off", **NAMES) as client:
        yield client


def status(client: Client, text: str, path: str = "/collections") -> int:
    answer = client.request("GET", path, headers=bearer(text))
    if answer.status_code == 401:
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        signature = text.rpartition(".")[2]
        assert len(signature) < 9 or signature not in answer.text
    return answer.status_code


@pytest.mark.parametrize("kid", PRIVATE)
def test_signatures_of_published_keys_count(client: Client, kid: str) -> None:
    assert status(client, token(kid)) == 200
    assert status(client, token(kid, key=_other(kid))) == 401


def _other(kid: str) -> Any:
    if kid == "rsa":
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return ec.generate_private_key(ec.SECP256R1()) if kid == "ec" else ed25519.Ed25519PrivateKey.generate()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def test_neither_no_signature_nor_a_public_key_as_a_secret_counts(client: Client) -> None:
    public = RSA.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    head, body, _ = token().split(".")
    head = _base64(orjson.dumps({"alg": "HS256", "kid": "rsa", "typ": "JWT"}))
    forged = _base64(hmac.digest(public, f"{head}.{body}".encode(), "sha256"))
    assert status(client, f"{head}.{body}.{forged}") == 401
    unsigned = jwt.encode({"iss": "https://id.example", "aud": "twin", "sub": "x", "scope": "admin",
                           "exp": int(time.time()) + 60}, "", "none", headers={"kid": "rsa"})  # fmt: skip
    assert status(client, unsigned) == 401
    assert status(client, token(algorithm="RS512")) == 401


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"iss": "https://evil.example"}, 401),
        ({"aud": "another"}, 401),
        ({"aud": ["another", "twin"]}, 200),
        ({"iss": None}, 401),
        ({"aud": None}, 401),
        ({"exp": None}, 401),
        ({"sub": None}, 401),
        ({"exp": int(time.time()) - LEEWAY_S - 5}, 401),
        ({"nbf": int(time.time()) + 3600}, 401),
        ({"scope": "stats"}, 403),
        ({"scope": None}, 403),
        ({"scope": "stats read unknown"}, 200),
        ({"scope": "admin"}, 200),
        ({"scope": ["read"]}, 401),
        ({"cities": "tallinn"}, 401),
        ({"cities": [1]}, 401),
        ({"cities": ["tallinn"]}, 200),
    ],
)
def test_claims(client: Client, claims: dict[str, Any], expected: int) -> None:
    assert status(client, token(**claims)) == expected


def test_what_is_no_token_is_refused(client: Client) -> None:
    good = token()
    for text in (
        "",
        "a",
        "a.b.c",
        good[:-4],
        good + "x",
        f"x{good}",
        token("unknown"),
        "." * MAX_TOKEN_BYTES,
    ):
        assert status(client, text) == 401
    assert status(client, token(pad="x" * MAX_TOKEN_BYTES)) == 401


def test_keys_go_on_beside_tokens(client: Client, database: Database) -> None:
    assert status(client, new_key(database, "read")) == 200
    assert status(client, new_key(database, "stats")) == 403


def test_a_token_shows_its_cities_and_levels(keys: Path) -> None:
    known = Tokens(Settings(jwt_keys=str(keys), **NAMES))
    caller = anyio.run(known.caller, token(scope="read personal", cities=["tallinn"]))
    assert caller.cities == {"tallinn"}
    assert caller.levels == {"public", "personal"}
    assert caller.name == "token planner"


def test_keys_of_the_provider_are_read_again_but_not_at_every_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, read, held = [0.0], list[str](), [published("rsa")]

    def fetch(source: str) -> bytes:
        read.append(source)
        if not held[0]:
            raise DatabaseUnavailable("away")
        return held[0]

    monkeypatch.setattr(tokens, "_read", fetch)
    address = "https://id.example/keys"
    known = Tokens(Settings(jwt_keys=address, **NAMES), lambda: now[0])

    async def ask(*texts: str) -> None:
        async with anyio.create_task_group() as group:
            for text in texts:
                group.start_soon(known.caller, text)

    anyio.run(ask, token(), token())
    assert read == [address]
    held[0] = published("rsa", "ec")
    with pytest.raises(Refusal):
        anyio.run(known.caller, token("ec"))
    now[0] += tokens.RETRY_S + 1
    anyio.run(known.caller, token("ec"))
    assert len(read) == 2
    now[0] += tokens.KEPT_S + 1
    held[0] = b""
    with pytest.raises(DatabaseUnavailable):
        anyio.run(known.caller, token())
    # While the provider is away, what was known is believed.
    anyio.run(known.caller, token())
    assert len(read) == 3


@pytest.mark.parametrize(
    "given",
    [
        {"jwt_keys": "https://id.example/keys"},
        {"jwt_issuer": "x"},
        {"jwt_keys": "http://id.example/keys", **NAMES},
        {"jwt_keys": "/nowhere/keys.json", **NAMES},
    ],
)
def test_settings_that_are_not_whole_are_told(given: dict[str, Any]) -> None:
    with pytest.raises(ServiceError, match="TWIN_JWT_KEYS"):
        Tokens(Settings(**given))


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"keys": [1]}', b'{"keys": {"a": 1}}'])
def test_what_is_no_set_of_keys_is_told(tmp_path: Path, text: bytes) -> None:
    path = tmp_path / "keys.json"
    path.write_bytes(text)
    with pytest.raises(ServiceError, match="no set of public keys"):
        Tokens(Settings(jwt_keys=str(path), **NAMES))


def test_a_server_with_tokens_needs_no_key(database: Database, keys: Path) -> None:
    settings = database.settings.model_copy(update={"jwt_keys": str(keys), **NAMES})
    other = SimpleNamespace(settings=settings)
    assert not server.access_of(cast(Database, other), "0.0.0.0").anonymous.scopes
