"""The Model Context Protocol: versions, errors, sites, and the tools beside the addresses that they ask."""

import importlib.util
import os
import subprocess
import sys
from typing import Any

import httpx
import orjson
import pytest

from api.app import create_app
from api.mcp.tools import MAX_ITEMS, TOOLS
from api.security.caller import public
from tests.api.client import Client, serving
from tests.api.seeding import PRIMARY, Seeded
from tests.api.test_server import answer, running
from tests.fixtures import unused_port
from twin.db.engine import Database

BUILDINGS = {"collection": "buildings", "dataset": ",".join(PRIMARY)}


def post(client: Client, body: Any, **headers: str) -> httpx.Response:
    sent = {"Host": "localhost", "Accept": "application/json, text/event-stream"}
    sent |= {name.replace("_", "-"): value for name, value in headers.items()}
    content = body if isinstance(body, bytes) else orjson.dumps(body)
    return client.request("POST", "/mcp", content=content, headers=sent)


def rpc(client: Client, method: str, params: Any = None, **headers: str) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 7, "method": method} | ({} if params is None else {"params": params})
    response = post(client, body, **headers)
    assert response.status_code == 200, response.text
    found = response.json()
    assert (found["jsonrpc"], found["id"]) == ("2.0", 7)
    return found


def call(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    return rpc(client, "tools/call", {"name": tool, "arguments": arguments})["result"]


def given(client: Client, tool: str, **arguments: Any) -> dict[str, Any]:
    result = call(client, tool, **arguments)
    assert not result["isError"], result
    (content,) = result["content"]
    assert orjson.loads(content["text"]) == result["structuredContent"]
    assert set(TOOLS[tool].described()["outputSchema"]["required"]) <= result["structuredContent"].keys()
    return result["structuredContent"]


def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = call(client, tool, **arguments)
    assert result["isError"]
    assert "structuredContent" not in result
    return result["content"][0]["text"]


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("2024-11-05", "2025-11-25"),
     (None, "2025-11-25")],
)  # fmt: skip
def test_the_version_is_agreed_upon(client: Client, asked: str | None, answered: str) -> None:
    params = {"protocolVersion": asked, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}
    found = rpc(client, "initialize", params)["result"]
    assert found["protocolVersion"] == answered
    assert "tools" in found["capabilities"]
    note = post(client, {"jsonrpc": "2.0", "method": "notifications/initialized"})
    assert (note.status_code, note.content) == (202, b"")
    assert rpc(client, "ping", MCP_Protocol_Version=answered)["result"] == {}
    assert post(client, {}, MCP_Protocol_Version="1999-01-01").status_code == 400
    assert [client.request(method, "/mcp").status_code for method in ("GET", "DELETE")] == [405, 405]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", -32700),
        (b"[]", -32600),
        ({"id": 1, "method": "ping"}, -32600),
        ({"jsonrpc": "2.0", "id": 1}, -32600),
        ({"jsonrpc": "2.0", "id": None, "method": "ping"}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "resources/list"}, -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "sql"}}, -32602),
        ({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "count", "arguments": 1}},
         -32602),
        (b'"' + b"x" * 70_000 + b'"', -32600),
    ],
)  # fmt: skip
def test_what_is_no_message_is_told(client: Client, body: Any, code: int) -> None:
    response = post(client, body)
    assert response.status_code in {200, 400}
    assert response.json()["error"]["code"] == code


def test_pages_of_other_sites_are_refused(client: Client, database: Database) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    assert post(client, body, Origin="https://evil.example").status_code == 403
    assert post(client, body, Host="evil.example", Origin="http://evil.example").status_code == 401
    assert post(client, body, Origin="http://localhost").status_code == 200
    with serving(create_app(database.reader(), database.settings, public())) as everyone:
        assert post(everyone, body, Host="twin.example").status_code == 200


def test_every_tool_has_its_schemas(client: Client) -> None:
    tools = rpc(client, "tools/list")["result"]["tools"]
    assert [tool["name"] for tool in tools] == [
        "list_collections",
        "queryables",
        "count",
        "statistics",
        "items",
    ]
    for tool in tools:
        assert tool["inputSchema"]["additionalProperties"] is False
        assert all(
            of.get("type") and of["description"]
            for n, of in tool["inputSchema"]["properties"].items()
            if n != "limit"
        )
        assert tool["annotations"]["readOnlyHint"]


def test_tools_say_what_the_addresses_say(client: Client, seeded_towns: list[Seeded]) -> None:
    listed = given(client, "list_collections")["collections"]
    assert [collection["id"] for collection in listed] == ["buildings"]
    named = {of["name"]: of for of in given(client, "queryables", collection="buildings")["queryables"]}
    assert (named["height_m"]["unit"], named["height_m"]["title"]) == ("m", "Height")
    tall = [i for i in seeded_towns if (i.properties["height_m"] or 0) > 15]
    assert given(client, "count", **BUILDINGS, filter="height_m > 15") == {"count": len(tall)}
    groups = given(client, "statistics", **BUILDINGS, groupby="city", aggregate="count,max(height_m)")[
        "groups"
    ]
    assert [group["count"] for group in groups] == [60, 60]
    hill = {"collection": "buildings", "bbox": [24.7, 59.4, 24.8, 59.5]}
    assert given(client, "count", **hill) == {"count": 60}
    first = given(client, "items", **BUILDINGS, sortby="-height_m", properties="height_m", limit=7)
    again = given(
        client,
        "items",
        **BUILDINGS,
        sortby="-height_m",
        properties="height_m",
        limit=7,
        cursor=first["cursor"],
    )
    found = [item["properties"]["height_m"] for item in (*first["items"], *again["items"])]
    expected = sorted((i.properties["height_m"] or 0 for i in seeded_towns), reverse=True)
    assert found == expected[:14]
    assert "geometry" not in first["items"][0]
    shown = given(client, "items", **BUILDINGS, limit=1, geometry=True)["items"][0]
    assert shown["geometry"]["type"] == "Polygon"
    assert given(client, "items", **BUILDINGS, filter="height_m > 999") == {"items": [], "cursor": None}


@pytest.mark.parametrize(
    ("tool", "arguments", "told"),
    [
        ("count", {}, "'collection' is missing"),
        ("count", {"collection": "x-bridges"}, "There is no collection 'x-bridges'"),
        ("count", {"collection": "buildings/items/x"}, "There is no collection"),
        ("count", {"collection": "buildings", "sql": "SELECT 1"}, "takes no 'sql'. Known: collection,"),
        ("count", {"collection": "buildings", "filter": 3}, "of the type string"),
        ("count", {"collection": "buildings", "filter": "heigth_m > 3"}, "Did you mean 'height_m'"),
        ("count", {"collection": "buildings", "filter": "pg_sleep(9) = 1"}, "pg_sleep"),
        ("count", {"collection": "buildings", "bbox": [1, "x", 2, 3]}, "of the type number"),
        ("items", {"collection": "buildings", "limit": MAX_ITEMS + 1}, "goes from 1 to 100"),
        ("items", {"collection": "buildings", "limit": True}, "of the type integer"),
        ("items", {"collection": "buildings", "cursor": "x"}, "cursor"),
        ("statistics", {"collection": "buildings", "groupby": "height_m"}, "classes(height_m"),
        ("list_collections", {"all": True}, "Known: none"),
    ],
)  # fmt: skip
def test_errors_of_tools_are_read_by_the_assistant(
    client: Client, tool: str, arguments: Any, told: str
) -> None:
    assert told in refused(client, tool, **arguments)


def test_personal_data_stay_closed(database: Database, seeded_towns: list[Seeded]) -> None:
    assert seeded_towns
    with serving(create_app(database.reader(), database.settings, public())) as everyone:
        found = given(everyone, "items", **BUILDINGS, limit=100)
        assert "Satamakatu" not in str(found)
        assert "a person" not in str(found)
        assert "personal data" in refused(
            everyone, "count", collection="buildings", filter="street = 'Mäkitie'"
        )
        assert "personal data" in refused(everyone, "statistics", collection="buildings", groupby="street")


_CLIENT = """
import asyncio, sys
from mcp import Client

async def main():
    for mode in ("auto", "legacy"):
        async with Client(sys.argv[1], mode=mode) as client:
            tools = await client.list_tools()
            counted = await client.call_tool("count", {"collection": "buildings", "filter": "height_m > 15"})
            wrong = await client.call_tool("count", {"collection": "buildings", "filter": "nope > 1"})
            assert wrong.is_error
            print(len(tools.tools), counted.structured_content["count"], wrong.content[0].text)

asyncio.run(main())
"""


def test_the_official_client(database: Database, seeded_towns: list[Seeded]) -> None:
    """`MCP_CLIENT_PYTHON` names the Python of an environment with the package mcp, which is no dependency."""
    python = os.environ.get("MCP_CLIENT_PYTHON") or (importlib.util.find_spec("mcp") and sys.executable)
    if not python:
        pytest.skip("the package mcp is not installed; MCP_CLIENT_PYTHON names a Python that has it")
    port = unused_port()
    with running(database, port, 1):
        answer(port)
        done = subprocess.run(
            [python, "-c", _CLIENT, f"http://127.0.0.1:{port}/mcp"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    tall = sum((i.properties["height_m"] or 0) > 15 for i in seeded_towns)
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [[str(len(TOOLS)), str(tall)]] * 2
    assert "There is no property 'nope'" in done.stdout
