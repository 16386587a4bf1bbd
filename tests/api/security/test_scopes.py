"""Every route is behind a scope, and each scope opens its routes alone."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from api.openapi import OPEN, REFUSALS
from api.security.caller import closed, public
from tests.api.client import Client
from tests.api.security.asking import bearer, guarded, new_key
from tests.api.seeding import Seeded
from twin.db.engine import Database
from twin.db.keys import SCOPES

BUILDINGS = "/collections/buildings"
ASKED = (
    ("GET", "/datasets", "read"),
    ("GET", "/datasets/seed_hill/report", "read"),
    ("GET", "/collections", "read"),
    ("GET", f"{BUILDINGS}/queryables", "read"),
    ("GET", f"{BUILDINGS}/items?limit=1", "read"),
    ("POST", f"{BUILDINGS}/items", "read"),
    ("GET", f"{BUILDINGS}/3dtiles/tileset.json", "read"),
    ("GET", f"{BUILDINGS}/tiles/WebMercatorQuad/tilejson.json", "read"),
    ("GET", f"{BUILDINGS}/statistics", "stats"),
    ("GET", f"{BUILDINGS}/histogram?property=height_m", "stats"),
    ("GET", f"{BUILDINGS}/download?f=csv", "export"),
    ("PUT", "/collections/mine", "import"),
    ("DELETE", "/collections/mine", "import"),
)
AREA = {
    "type": "Feature",
    "id": "a",
    "geometry": {"type": "Point", "coordinates": [24.9, 60.2]},
    "properties": {},
}
BODY: Any = {"PUT": {"type": "FeatureCollection", "features": [AREA]}, "POST": {"limit": 1}}


@pytest.fixture(scope="module")
def client(database: Database, seeded_towns: list[Seeded]) -> Iterator[Client]:
    assert seeded_towns
    with guarded(database, closed()) as client:
        yield client


def status(client: Client, method: str, path: str, key: str | None) -> int:
    headers = {} if key is None else bearer(key)
    return client.request(method, path, headers=headers, json=BODY.get(method)).status_code


def test_no_operation_is_open_by_oversight(client: Client) -> None:
    document = client.get("/api").json()
    assert set(document["components"]["securitySchemes"]) == {"bearer", "key"}
    paths = document["paths"]
    operations = [(method.upper(), path) for path, of in paths.items() for method in of]
    assert len(operations) > 30
    for method, path in operations:
        operation = paths[path][method.lower()]
        assert ("security" in operation) is (path not in OPEN)
        assert set(operation["responses"]) >= ({"429"} if path in OPEN else set(map(str, REFUSALS)))
        address = re.sub(r"\{[^}]*\}", "1", path)
        found = client.request(method, address, params={"nonsense": "1"}).status_code
        # Who may not ask is told nothing, not even which parameters there are.
        assert found == (400 if path in OPEN else 401), (method, path)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_opens_its_routes_alone(client: Client, database: Database, scope: str) -> None:
    key = new_key(database, scope)
    for method, path, needed in ASKED:
        opens = scope in {needed, "admin"}
        found = status(client, method, path, key)
        assert (found < 300) if opens else (found == 403), (method, path, found)


def test_without_a_key_each_route_asks_for_one(client: Client) -> None:
    assert {status(client, method, path, None) for method, path, _ in ASKED} == {401}


def test_public_reading_is_no_writing(database: Database) -> None:
    with guarded(database, public()) as everyone:
        for method, path, needed in ASKED:
            found = status(everyone, method, path, None)
            assert (found == 401) if needed == "import" else (found < 300), (method, path, found)
        key = new_key(database, "import")
        assert status(everyone, "PUT", "/collections/mine", key) == 201
        assert status(everyone, "DELETE", "/collections/mine", key) == 204
        # A key stands for itself, and opens no more than its scopes.
        assert status(everyone, "GET", "/collections", key) == 403


def test_admin_is_everything_but_personal(client: Client, database: Database) -> None:
    admin, both = new_key(database, "admin"), new_key(database, "admin", "personal")
    for key, shown in ((admin, False), (both, True)):
        page = client.request("GET", f"{BUILDINGS}/items?limit=1", headers=bearer(key)).json()
        assert ("street" in page["features"][0]["properties"]) is shown


def test_scenarios_have_a_scope_of_their_own(client: Client, database: Database) -> None:
    path = f"{BUILDINGS}/items?scenario=x"
    assert status(client, "GET", path, new_key(database, "read")) == 403
    # It may be asked for, and there is none of this name.
    assert status(client, "GET", path, new_key(database, "read", "scenario")) == 404


def test_the_document_tells_uploads_to_readers_alone(client: Client, database: Database) -> None:
    key = new_key(database, "read", "import")
    assert status(client, "PUT", "/collections/mine", key) == 201
    try:
        told = client.request("GET", "/api", headers=bearer(key)).json()["paths"]
        assert "/collections/mine/items" in told
        assert not [path for path in client.get("/api").json()["paths"] if "mine" in path]
    finally:
        status(client, "DELETE", "/collections/mine", key)


def test_tools_of_assistants_have_the_scopes_of_their_addresses(client: Client, database: Database) -> None:
    call = {"name": "statistics", "arguments": {"collection": "buildings"}}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}

    def asked(*scopes: str) -> Any:
        return client.request("POST", "/mcp", json=body, headers=bearer(new_key(database, *scopes)))

    assert asked("stats").status_code == 403
    refused = asked("read").json()["result"]
    assert refused["isError"]
    assert "'stats'" in refused["content"][0]["text"]
    assert not asked("read", "stats").json()["result"]["isError"]
    assert client.request("POST", "/mcp", json=body).status_code == 401
