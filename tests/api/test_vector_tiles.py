import json
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import shapely
from pyproj import Transformer
from sqlalchemy import Connection
from sqlalchemy import text as sql

from tests.api.client import Client
from tests.api.tile_client import BUILDINGS, item_ids, serving_cities
from twin.db import schema
from twin.db.engine import Database
from twin.db.tile_grid import GRID_ZOOMS

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving_cities(database, tmp_path_factory.mktemp("cities")) as client:
        yield client


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """The fields of a protocol buffer message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        if key & 7 == VARINT:
            value, at = varint(data, at)
        else:
            length, at = {FIXED64: (8, at), FIXED32: (4, at)}.get(key & 7) or varint(data, at)
            value, at = data[at : at + length], at + length
        yield key >> 3, value


def layer_of(data: bytes) -> tuple[str, list[dict[str, Any]]]:
    """Name and feature properties of the one layer of a Mapbox Vector Tile 2.1."""
    ((number, body),) = fields(data)
    assert number == 3
    parts = list(fields(body))
    (name,) = (value.decode() for number, value in parts if number == 1)
    keys = [value.decode() for number, value in parts if number == 3]
    values = [next(fields(value)) for number, value in parts if number == 4]
    features: list[dict[str, Any]] = []
    for number, feature in parts:
        if number == 2:
            tags = next(packed(value) for kind, value in fields(feature) if kind == 2)
            features.append({keys[a]: text(*values[b]) for a, b in zip(tags[::2], tags[1::2], strict=True)})
    return name, features


def packed(data: bytes) -> list[int]:
    values: list[int] = []
    at = 0
    while at < len(data):
        value, at = varint(data, at)
        values.append(value)
    return values


def text(kind: int, value: Any) -> Any:
    return value.decode() if kind == 1 else value


def polygons_of(data: bytes) -> dict[str, list[list[tuple[int, int]]]]:
    """The rings of each feature by id, in steps of the grid."""
    ((_, body),) = fields(data)
    parts = list(fields(body))
    keys = [value.decode() for number, value in parts if number == 3]
    values = [text(*next(fields(value))) for number, value in parts if number == 4]
    found: dict[str, list[list[tuple[int, int]]]] = {}
    for _, feature in (part for part in parts if part[0] == 2):
        members = dict(fields(feature))
        tags = packed(members[2])
        id = next(values[b] for a, b in zip(tags[::2], tags[1::2], strict=True) if keys[a] == "id")
        found[str(id)] = rings_of(packed(members[4]))
    return found


MOVE_TO, LINE_TO = 1, 2


def rings_of(commands: list[int]) -> list[list[tuple[int, int]]]:
    """What the commands of a geometry draw, by the specification's chapter 4.3."""
    rings: list[list[tuple[int, int]]] = []
    x = y = at = 0
    while at < len(commands):
        kind, times, at = commands[at] & 7, commands[at] >> 3, at + 1
        if kind == MOVE_TO:
            rings.append([])
        for _ in range(times if kind in (MOVE_TO, LINE_TO) else 0):
            across, down = ((value >> 1) ^ -(value & 1) for value in commands[at : at + 2])
            x, y, at = x + across, y + down, at + 2
            rings[-1].append((x, y))
    return rings


def signed_area(ring: list[tuple[int, int]]) -> float:
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1], strict=True)) / 2


def tile_at(longitude: float, latitude: float, zoom: int) -> tuple[int, int]:
    """Column and row of a tile, by the formula of the OpenStreetMap wiki."""
    angle = math.radians(latitude)
    across = (longitude + 180) / 360
    down = (1 - math.log(math.tan(angle) + 1 / math.cos(angle)) / math.pi) / 2
    return int(across * 2**zoom), int(down * 2**zoom)


def middle(client: Client, **query: Any) -> tuple[float, float]:
    item = client.get(BUILDINGS, limit=1, **query).json()["features"][0]
    coordinates = item["geometry"]["coordinates"]
    while isinstance(coordinates[0], list):
        coordinates = coordinates[0]
    return coordinates[0], coordinates[1]


def address(zoom: int, x: int, y: int) -> str:
    return f"/collections/buildings/tiles/WebMercatorQuad/{zoom}/{y}/{x}"


@pytest.mark.parametrize("zoom", [14, 16])
def test_a_tile_holds_the_footprints_in_it(client: Client, zoom: int) -> None:
    x, y = tile_at(*middle(client, city="tallinn"), zoom)
    answer = client.get(address(zoom, x, y), filter="height_m > 6")
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    name, features = layer_of(answer.content)
    west, east = (value / 2**zoom * 360 - 180 for value in (x, x + 1))
    north, south = (
        math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * value / 2**zoom)))) for value in (y, y + 1)
    )
    # The tile reaches 64 of its 4096 units over its edges.
    margin = (east - west) / 64
    inside = item_ids(client, bbox=f"{west},{south},{east},{north}", filter="height_m > 6")
    near = item_ids(
        client,
        bbox=f"{west - margin},{south - margin},{east + margin},{north + margin}",
        filter="height_m > 6",
    )
    found = [feature["id"] for feature in features]
    assert name == "buildings"
    assert len(found) == len(set(found)) > 5
    assert set(inside) <= set(found) <= set(near)


@pytest.mark.parametrize("zoom", [11, 13, 14, 15, 16, 18])
def test_outlines_are_those_of_the_items_on_the_grid(client: Client, zoom: int) -> None:
    assert assert_outlines(
        client, "/collections/buildings", zoom, tile_at(*middle(client, city="helsinki"), zoom)
    )


def assert_outlines(client: Client, collection: str, zoom: int, tile: tuple[int, int]) -> set[str]:
    """What a tile draws is what the items have, cut and rounded; the ids of it."""
    x, y = tile
    content = client.get(f"{collection}/tiles/WebMercatorQuad/{zoom}/{y}/{x}").content
    found = polygons_of(content) if content else {}
    to_mercator = Transformer.from_crs(4326, 3857, always_xy=True)
    step = 2 * 20037508.342789244 / 2**zoom / 4096

    def on_grid(points: Any) -> Any:
        east, north = to_mercator.transform(points[:, 0], points[:, 1])
        across = (east + 20037508.342789244) / step - x * 4096
        return np.column_stack([across, (20037508.342789244 - north) / step - y * 4096])

    for id, rings in found.items():
        item = client.get(f"{collection}/items/{id}").json()
        outline = shapely.from_geojson(json.dumps(item["geometry"]))
        whole = shapely.transform(outline, on_grid)
        wanted = whole.intersection(shapely.box(-64, -64, 4160, 4160))
        areas = [signed_area(ring) for ring in rings]
        drawn = [shapely.Polygon(ring) for ring in rings]
        outer = [ring for ring, area in zip(drawn, areas, strict=True) if area > 0]
        holes = [ring for ring, area in zip(drawn, areas, strict=True) if area < 0]
        assert areas[0] > 0
        assert len(outer) + len(holes) == len(rings)
        shown = shapely.union_all(outer).difference(shapely.union_all(holes))
        assert all(ring.is_valid for ring in drawn)
        # No vertex moves by more than half a step in either direction, and those of a cut once more.
        most = 0.75 if wanted.equals(whole) else 2.0
        assert wanted.buffer(-most).difference(shown).area < 1e-6
        assert shown.difference(wanted.buffer(most)).area < 1e-6
    return set(found)


NARROW = "MULTIPOLYGON(((0 0, 0 40, 20 40, 20 0.4, 20.4 0.4, 20.4 40, 40 40, 40 0, 0 0)))"
"""Clockwise, with a cut so narrow that its sides fall together on a coarse grid."""
WIDE = "MULTIPOLYGON(((0 0, 0 40, 40 40, 40 0, 0 0), (10 10, 30 10, 30 30, 10 30, 10 10)))"


def kept_valid(outline: str) -> list[int]:
    def at(zoom: int) -> bool:
        step = 2 * 20037508.342789244 / 2**zoom / 4096
        return bool(
            shapely.is_valid(
                shapely.transform(shapely.from_wkt(outline), lambda points: on_grid(points, step))
            )
        )

    def on_grid(points: Any, step: float) -> Any:
        return np.rint((points + 20037508.342789244) / step)

    return [zoom for zoom in GRID_ZOOMS if at(zoom)]


@pytest.mark.parametrize(
    ("outline", "zooms"),
    [
        (NARROW, kept_valid(NARROW)),
        (WIDE, [*GRID_ZOOMS]),
        (f"ST_Reverse('{WIDE}'::geometry)", []),
        (None, []),
    ],
)
def test_zooms_are_known_whose_grid_keeps_an_outline_valid(
    connection: Connection, outline: str | None, zooms: list[int]
) -> None:
    assert kept_valid(NARROW) not in ([], [*GRID_ZOOMS])
    connection.execute(sql("CREATE TEMPORARY TABLE outline (LIKE feature INCLUDING GENERATED)"))
    for column in [c.name for c in schema.feature.columns if not c.nullable]:
        connection.execute(sql(f"ALTER TABLE outline ALTER {column} DROP NOT NULL"))
    shape = outline if outline is None or outline.startswith("ST_") else f"'{outline}'"
    connection.execute(
        sql(f"INSERT INTO outline (footprint_3857) SELECT ST_SetSRID({shape or 'NULL'}::geometry, 3857)")
    )
    bits = connection.execute(sql("SELECT grid_zooms FROM outline")).scalar_one()
    assert [zoom for zoom in range(32) if bits >> zoom & 1] == zooms


def test_properties_are_those_asked_for(client: Client) -> None:
    x, y = tile_at(*middle(client), 15)
    _, features = layer_of(client.get(address(15, x, y), properties="city").content)
    assert {tuple(feature) for feature in features} == {("id", "city")}
    _, features = layer_of(client.get(address(15, x, y)).content)
    assert {"id", "city", "height_m"} <= features[0].keys()


def test_a_city_from_afar_is_its_large_buildings(client: Client) -> None:
    x, y = tile_at(*middle(client, city="helsinki"), 11)
    _, features = layer_of(client.get(address(11, x, y)).content)
    assert 0 < len(features) < len(item_ids(client, city="helsinki"))


def test_nothing_is_no_content(client: Client) -> None:
    assert client.get(address(14, 0, 0)).status_code == 204
    x, y = tile_at(*middle(client), 15)
    assert client.get(address(15, x, y), filter="height_m > 10000").status_code == 204


def test_a_known_tile_is_not_sent_again(client: Client) -> None:
    x, y = tile_at(*middle(client), 15)
    first = client.get(address(15, x, y))
    again = client.request("GET", address(15, x, y), headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (address(3, 8, 0), 404),
        (address(25, 0, 0), 404),
        ("/collections/castles/tiles/WebMercatorQuad/0/0/0", 404),
        (f"{address(0, 0, 0)}?properties=nothing", 400),
        (f"{address(0, 0, 0)}?filter=height_m", 400),
    ],
)
def test_what_cannot_be_answered_is_said(client: Client, path: str, status: int) -> None:
    answer = client.request("GET", path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_tilejson_leads_to_the_tiles_of_a_filter(client: Client) -> None:
    query = {"filter": "height_m > 20 AND city = 'tallinn'", "properties": "height_m,city,closed"}
    found = client.get("/collections/buildings/tiles/WebMercatorQuad/tilejson.json", **query).json()
    (layer,) = found["vector_layers"]
    assert layer["id"] == "buildings"
    assert layer["fields"] == {"id": "String", "height_m": "Number", "city": "String", "closed": "Boolean"}
    (template,) = found["tiles"]
    datasets = client.get("/datasets").json()["datasets"]
    west, south, east, north = next(d["bbox"] for d in datasets if d["city"] == "tallinn")
    (first, top), (last, bottom) = tile_at(west, north, 14), tile_at(east, south, 14)
    ids: set[str] = set()
    for x in range(first, last + 1):
        for y in range(top, bottom + 1):
            address = template.replace("{z}/{y}/{x}", f"14/{y}/{x}")
            tile = client.request("GET", address)
            if tile.status_code == 200:
                name, features = layer_of(tile.content)
                assert name == layer["id"]
                assert all(feature.keys() <= layer["fields"].keys() for feature in features)
                ids |= {str(feature["id"]) for feature in features}
    assert ids == set(item_ids(client, filter=query["filter"]))


@pytest.mark.parametrize(("properties", "kind"), [("height_m,city", "fill-extrusion"), ("city", "fill")])
def test_the_style_shows_the_layer_of_the_tiles(client: Client, properties: str, kind: str) -> None:
    style = client.get(
        "/collections/buildings/tiles/WebMercatorQuad/style.json", city="tallinn", properties=properties
    ).json()
    ((name, source),) = style["sources"].items()
    (layer,) = style["layers"]
    tilejson = client.request("GET", source["url"]).json()
    assert (style["version"], layer["source"], layer["type"]) == (8, name, kind)
    assert layer["source-layer"] == tilejson["vector_layers"][0]["id"]
    assert "city=tallinn" in tilejson["tiles"][0]
    assert all(key.startswith(kind) for key in layer["paint"])


def test_roof_surfaces_have_tilejson_too(client: Client) -> None:
    address = "/collections/roofsurfaces/tiles/WebMercatorQuad/tilejson.json"
    assert client.get(address, properties="slope_deg").json()["vector_layers"] == [
        {"id": "roofsurfaces", "fields": {"id": "String", "slope_deg": "Number"}}
    ]
    assert client.get(address, properties="slop_deg").status_code == 400


def test_a_level_of_any_size_is_answered(client: Client) -> None:
    address = f"/collections/buildings/tiles/WebMercatorQuad/{10**13}/0/0"
    assert client.get(address).status_code == 404
