"""What is not open is in no answer about parts of buildings, nor in tiles with textures."""

import io
from collections.abc import Iterator
from typing import Any

import pyarrow.parquet
import pytest

from api.app import create_app
from api.security.caller import ANYONE_HERE, Access, Caller, public
from importers.ingest import ImportOptions, Ingest
from tests.api import parts
from tests.api.client import Client, serving
from tests.api.tile_client import all_contents
from tests.importers.stored import clean
from tests.tiles.textured import Wall, gradient, model, written
from twin.db.engine import Database
from twin.model.attributes import BUILDING_PART

PARTS = "/collections/buildingparts"
TEXTURED = "/3dtiles/tileset.json?profile=textured"
PERSONAL = [attribute.name for attribute in BUILDING_PART if attribute.access != "public"]
FORMS = ("geojson", "geojsonseq", "jsonfg", "csv", "arrow", "geoparquet", "flatgeobuf", "cityjsonseq")
_parquet: Any = pyarrow.parquet


@pytest.fixture(scope="module")
def stored(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("parts")
    content = parts.model()
    content["CityObjects"]["wing"]["address"] = [{"street": "Salakatu", "house_number": "1"}]
    block = parts.written(folder / "block.city.json", content)
    walls = written(folder, model([Wall("day", "a.png", theme="day")]), {"a.png": gradient(blue=10)})
    with clean(database.engine):
        Ingest(database.engine, ImportOptions(dataset="block", city="helsinki")).run(block)
        Ingest(database.engine, ImportOptions(dataset="walls", city="tampere")).run(walls)
        yield database


def asking(stored: Database, access: Access | None) -> Iterator[Client]:
    with serving(create_app(stored.reader(), stored.settings, access)) as client:
        yield client


@pytest.fixture(scope="module")
def insider(stored: Database) -> Iterator[Client]:
    yield from asking(stored, None)


@pytest.fixture(scope="module")
def everyone(stored: Database) -> Iterator[Client]:
    yield from asking(stored, public())


@pytest.fixture(scope="module")
def elsewhere(stored: Database) -> Iterator[Client]:
    """Sees personal data, of a city without any of these."""
    yield from asking(stored, Access(Caller.of("elsewhere", ANYONE_HERE.scopes, cities=frozenset({"turku"}))))


def downloaded(client: Client, form: str) -> bytes:
    answer = client.get(f"{PARTS}/download", f=form, dataset="block")
    assert answer.status_code == 200, answer.text
    if form == "geoparquet":
        return repr(_parquet.read_table(io.BytesIO(answer.content)).to_pylist()).encode()
    return answer.content


@pytest.mark.parametrize("form", FORMS)
def test_downloads_show_what_is_open(insider: Client, everyone: Client, elsewhere: Client, form: str) -> None:
    secret = b'"called"' if form in {"jsonfg", "geojson", "geojsonseq", "cityjsonseq"} else b"Salakatu"
    assert secret in downloaded(insider, form)
    shown = downloaded(everyone, form)
    assert secret not in shown
    assert b"Salakatu" not in shown
    assert b"wing" in shown
    assert b"wing" not in downloaded(elsewhere, form)


@pytest.mark.parametrize("name", [*PERSONAL, "attributes"])
def test_nothing_can_be_asked_by_what_is_personal(insider: Client, everyone: Client, name: str) -> None:
    tile = "tiles/WebMercatorQuad/0/0/0"
    asked: list[tuple[str, dict[str, str]]] = [
        *((end, {"filter": f"{name} IS NULL"}) for end in ("items", "download", "statistics", tile)),
        *((end, {way: name}) for end in ("items", "download") for way in ("sortby", "properties")),
        ("statistics", {"groupby": name}),
        ("statistics", {"aggregate": f"min({name})"}),
        ("histogram", {"property": "height_m", "groupby": name}),
        (tile, {"properties": name}),
        ("items", {"filter": f"{name} IS NULL", "f": "html"}),
    ]
    for end, params in asked:
        assert everyone.get(f"{PARTS}/{end}", **params).status_code == 400, (end, params)
    assert insider.get(f"{PARTS}/items", properties=name).status_code == 200
    call = {"name": "items", "arguments": {"collection": "buildingparts", "sortby": name}}
    rpc = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    assert everyone.request("POST", "/mcp", json=rpc).json()["result"]["isError"]
    assert name not in everyone.get(f"{PARTS}/queryables").json()["properties"]


def test_parts_of_another_city_are_as_if_they_were_not(insider: Client, elsewhere: Client) -> None:
    for path in ("items/block.tower", "items/block.tower?f=cityjson", "items/block.tower?f=jsonfg"):
        assert insider.request("GET", f"{PARTS}/{path}").status_code == 200
        assert elsewhere.request("GET", f"{PARTS}/{path}").status_code == 404
    within = "/collections/buildings/items?within=buildingparts/block.only"
    assert insider.request("GET", within).status_code == 200
    assert elsewhere.request("GET", within).status_code == 404
    for params in ({}, {"building": "block.court"}, {"dataset": "block"}, {"bbox": "20,55,30,65"}):
        assert elsewhere.get(f"{PARTS}/items", **params).json()["features"] == []
    (total,) = elsewhere.get(f"{PARTS}/statistics", aggregate="count,sum(volume_m3)").json()["groups"]
    assert (total["count"], total["sum(volume_m3)"]) == (0, None)
    assert elsewhere.get(f"{PARTS}/statistics", groupby="building").json()["groups"] == []
    assert b"block" not in elsewhere.get(f"{PARTS}/tiles/WebMercatorQuad/0/0/0").content
    assert elsewhere.get(f"{PARTS}/items", f="html").text.count("block.") == 0


def test_textures_of_another_city_are_in_no_tile(
    insider: Client, everyone: Client, elsewhere: Client
) -> None:
    tiles = [*all_contents(insider, TEXTURED)]
    with_images = [path for path in tiles if b"image/" in insider.request("GET", path).content]
    assert with_images
    # An image is no attribute: whoever sees the buildings sees their textures.
    assert [b"image/" in everyone.request("GET", path).content for path in with_images]
    assert not [*all_contents(elsewhere, TEXTURED)]
    for path in tiles:
        answer = elsewhere.request("GET", path)
        assert b"image/" not in answer.content
        assert b"walls." not in answer.content
    assert "themes" not in elsewhere.request("GET", "/datasets").text
