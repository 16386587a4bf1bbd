"""Coordinates in every reference system on offer, against PROJ by itself."""

from functools import cache
from typing import Any

import httpx
import orjson
import pyogrio
import pyproj
import pytest
import shapely

from api.app import create_app
from tests.api.client import Client, serving
from tests.api.seeding import PRIMARY, Seeded
from tests.api.test_formats import arrow, parquet, rows_of
from twin.db.engine import Database
from twin.model.offered import CRS84, SYSTEMS, OfferedSystem

TOWNS = ",".join(PRIMARY)
ITEMS = "/collections/buildings/items"
IDS = [system.name for system in SYSTEMS]
_pyogrio: Any = pyogrio
_pyproj: Any = pyproj
_shapely: Any = shapely


def in_system(system: OfferedSystem, lon: float, lat: float) -> tuple[float, float]:
    """A point in the order of the axes that PROJ's database states, from their directions alone."""
    return _transformer(system.uri).transform(lon, lat)


@cache
def _transformer(uri: str) -> Any:
    target = _pyproj.CRS.from_user_input(uri)
    return _pyproj.Transformer.from_crs("OGC:CRS84", target.to_2d(), always_xy=False)


def within(system: OfferedSystem) -> float:
    """How far a coordinate may be off: half of its last decimal, and a little."""
    return 0.6 * 10**-system.decimals


@pytest.mark.parametrize("system", SYSTEMS, ids=IDS)
def test_axes_are_those_of_the_standard(system: OfferedSystem) -> None:
    axes = [axis.direction for axis in _pyproj.CRS.from_user_input(system.uri).axis_info]
    assert axes[:2] == (["north", "east"] if system.north_first else ["east", "north"])
    assert (axes[2:] == ["up"]) is system.heights


@pytest.mark.parametrize("form", ["geojson", "geojsonseq", "csv"])
@pytest.mark.parametrize("system", SYSTEMS, ids=IDS)
def test_texts_have_the_axes_in_order(
    client: Client, seeded_towns: list[Seeded], system: OfferedSystem, form: str
) -> None:
    response = client.get(ITEMS, crs=system.uri, dataset=TOWNS, limit=500, f=form)
    assert response.headers["content-crs"] == f"<{system.uri}>"
    shapes = _shapes(response, form)
    assert len(shapes) == len(seeded_towns)
    for item in seeded_towns:
        west, south, east, north = item.square
        corners = [in_system(system, x, y) for x in (west, east) for y in (south, north)]
        found = _shapely.get_coordinates(shapes[item.id], include_z=system.heights)
        for corner in corners:
            assert min(abs(found[:, :2] - corner).max(axis=1)) <= within(system)
        if system.heights:
            assert set(found[:, 2]) == {item.z[0]}


def _shapes(response: httpx.Response, form: str) -> dict[str, Any]:
    if form == "csv":
        return {row["id"]: _shapely.from_wkt(row["geometry"]) for row in rows_of(response)}
    texts = response.content.split(b"\x1e")[1:] if form == "geojsonseq" else None
    features = response.json()["features"] if texts is None else map(orjson.loads, texts)
    return {f["id"]: _shapely.from_geojson(orjson.dumps(f["geometry"])) for f in features}


@pytest.mark.parametrize("form", ["arrow", "geoparquet"])
@pytest.mark.parametrize("system", SYSTEMS, ids=IDS)
def test_binary_formats_have_east_first(
    client: Client, seeded_towns: list[Seeded], system: OfferedSystem, form: str
) -> None:
    response = client.get("/collections/buildings/download", crs=system.uri, dataset=TOWNS, f=form)
    assert response.headers["content-crs"] == f"<{system.uri}>"
    table = (arrow if form == "arrow" else parquet)(response)
    found = {row["id"]: _shapely.from_wkb(row["geometry"]) for row in table.to_pylist()}
    for item in seeded_towns:
        lower = in_system(system, *item.square[:2])
        expected = lower[::-1] if system.north_first else lower
        points = _shapely.get_coordinates(found[item.id])
        assert min(abs(points - expected).max(axis=1)) <= within(system)
        assert bool(_shapely.has_z(found[item.id])) is system.heights


@pytest.mark.parametrize("system", SYSTEMS, ids=IDS)
def test_flatgeobuf_in_gdal(
    client: Client, seeded_towns: list[Seeded], tmp_path: Any, system: OfferedSystem
) -> None:
    file = tmp_path / "buildings.fgb"
    response = client.get(
        "/collections/buildings/download", crs=system.uri, dataset=TOWNS, f="flatgeobuf", properties="city"
    )
    file.write_bytes(response.content)
    told, _, shapes, (ids, _) = _pyogrio.raw.read(file)
    assert told["crs"] == f"EPSG:{4979 if system.heights else system.code}"
    assert told["geometry_type"] == "MultiPolygon" + (" Z" if system.heights else "")
    found: dict[str, Any] = dict(zip(ids, _shapely.from_wkb(shapes), strict=True))
    for item in seeded_towns:
        lower = in_system(system, *item.square[:2])
        expected = lower[::-1] if system.north_first else lower
        points = _shapely.get_coordinates(found[item.id])
        assert min(abs(points - expected).max(axis=1)) <= within(system)


@pytest.mark.parametrize("system", SYSTEMS, ids=IDS)
def test_one_item(client: Client, seeded_towns: list[Seeded], system: OfferedSystem) -> None:
    item = seeded_towns[70]
    response = client.get(f"{ITEMS}/{item.id}", crs=system.uri)
    assert response.headers["content-crs"] == f"<{system.uri}>"
    assert response.json()["properties"]["attributes"] == item.geojson["properties"]["attributes"]
    lower = in_system(system, *item.square[:2])
    ring = _shapely.get_coordinates(_shapely.from_geojson(orjson.dumps(response.json()["geometry"])))
    assert min(abs(ring - lower).max(axis=1)) <= within(system)


@pytest.mark.parametrize("system", SYSTEMS, ids=IDS)
def test_a_bbox_in_any_system(client: Client, seeded_towns: list[Seeded], system: OfferedSystem) -> None:
    west, south, _, _ = seeded_towns[0].square
    _, _, east, north = seeded_towns[33].square
    lower, upper = in_system(system, west, south), in_system(system, east, north)
    box = (*lower, *upper)
    expected = [
        item.id
        for item in sorted(seeded_towns, key=lambda item: item.id)
        if _meets(item, system, min(lower[0], upper[0]), min(lower[1], upper[1]), *upper)
    ]
    assert 12 <= len(expected) < len(seeded_towns)
    text = ",".join(map(repr, box))
    found = client.get(ITEMS, bbox=text, bbox__crs=system.uri, dataset=TOWNS, limit=500)
    assert [feature["id"] for feature in found.json()["features"]] == expected


def _meets(item: Seeded, system: OfferedSystem, *box: float) -> bool:
    west, south, east, north = item.square
    ring = [in_system(system, x, y) for x, y in ((west, south), (east, south), (east, north), (west, north))]
    return bool(_shapely.Polygon(ring).intersects(_shapely.box(*box)))


def test_a_bbox_with_heights_latitude_first(client: Client, seeded_towns: list[Seeded]) -> None:
    latitude_first = "http://www.opengis.net/def/crs/EPSG/0/4979"
    for low, high in ((2.5, 2.5), (12.5, 99.0)):
        found = client.get(
            ITEMS, bbox=f"59,24,{low},61,25,{high}", bbox__crs=latitude_first, dataset=TOWNS, limit=500
        ).json()["features"]
        assert [feature["id"] for feature in found] == sorted(
            item.id for item in seeded_towns if item.z[0] <= high and item.z[1] >= low
        )


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"crs": "EPSG:3879"}, "offered: http://www.opengis.net/def/crs/OGC/1.3/CRS84"),
        ({"crs": ""}, "'crs' is ''"),
        ({"bbox-crs": "EPSG:3879"}, "'bbox-crs' is 'EPSG:3879'"),
        ({"bbox-crs": SYSTEMS[5].uri, "bbox": "1,2,3,4,5,6"}, "has heights and EPSG:3879 has none"),
        ({"bbox-crs": SYSTEMS[5].uri, "bbox": "2,2,1,3"}, "not the lower one"),
        ({"bbox-crs": SYSTEMS[5].uri, "bbox": "1e300,1e300,1e301,1e301"}, "'bbox' is not usable"),
        ({"bbox-crs": SYSTEMS[2].uri, "bbox": "24,59,100,60"}, "is not a"),
    ],
)
def test_what_is_no_system_or_box_is_refused(client: Client, query: dict[str, str], message: str) -> None:
    response = client.request("GET", ITEMS, params=query)
    assert response.status_code == 400
    assert message in response.json()["detail"]


def test_a_box_in_metres_may_be_a_line_or_a_point(client: Client, seeded_towns: list[Seeded]) -> None:
    system = SYSTEMS[5]
    west, south, east, north = seeded_towns[5].square
    north_m, east_m = in_system(system, (west + east) / 2, (south + north) / 2)
    for box in ((north_m, east_m, north_m, east_m), (north_m, east_m, north_m, east_m + 1)):
        found = client.get(ITEMS, bbox=",".join(map(repr, box)), bbox__crs=system.uri, dataset=TOWNS)
        assert [feature["id"] for feature in found.json()["features"]] == [seeded_towns[5].id]


def test_collections_list_their_systems(database: Database, client: Client) -> None:
    uris = [system.uri for system in SYSTEMS]
    described = client.get("/collections/buildings").json()
    assert (described["crs"], described["storageCrs"]) == (uris, CRS84.uri)
    assert client.get("/collections").json()["crs"] == uris
    conforms = client.get("/conformance").json()["conformsTo"]
    assert "http://www.opengis.net/spec/ogcapi-features-2/1.0/conf/crs" in conforms
    areas = {"type": "FeatureCollection", "features": [
        {"type": "Feature", "geometry": {"type": "Point", "coordinates": [25, 60]}, "properties": {"a": 1}}
    ]}  # fmt: skip
    assert client.request("PUT", "/collections/flat", json=areas).status_code in {200, 201}
    flat = client.get("/collections/flat").json()["crs"]
    assert flat == [system.uri for system in SYSTEMS if not system.heights]
    assert client.get("/collections/flat/items", crs=SYSTEMS[1].uri).status_code == 400
    (feature,) = client.get("/collections/flat/items", crs=SYSTEMS[5].uri).json()["features"]
    assert feature["geometry"]["coordinates"] == pytest.approx(in_system(SYSTEMS[5], 25, 60), abs=6e-4)
    assert client.request("DELETE", "/collections/flat").status_code == 204
    with serving(create_app(database.reader(), database.settings)) as other:
        paths = other.get("/api").json()["paths"]
    named = {p["name"] for p in paths["/collections/buildings/items"]["get"]["parameters"]}
    assert {"crs", "bbox-crs"} <= named


def test_the_past_in_another_system(client: Client, seeded_towns: list[Seeded]) -> None:
    for system in (SYSTEMS[3], SYSTEMS[5]):
        query = {"crs": system.uri, "dataset": TOWNS, "f": "csv", "properties": "city"}
        now, then = (client.get(ITEMS, **query, **more) for more in ({}, {"datetime": "2026-06-01"}))
        assert rows_of(then) == rows_of(now)
        assert len(rows_of(then)) == 100 < len(seeded_towns)
        assert rows_of(client.get(ITEMS, **query, datetime="2025-06-01")) == []


@pytest.mark.parametrize("encoding", ["cql2-text", "cql2-json"])
@pytest.mark.parametrize("system", SYSTEMS, ids=IDS)
def test_geometries_of_a_filter_in_any_system(
    client: Client, seeded_towns: list[Seeded], system: OfferedSystem, encoding: str
) -> None:
    west, south, _, _ = seeded_towns[0].square
    _, _, east, north = seeded_towns[33].square
    corners = ((west, south), (east, south), (east, north), (west, north), (west, south))
    ring = [in_system(system, lon, lat) for lon, lat in corners]
    if encoding == "cql2-text":
        points = ", ".join(f"{x!r} {y!r}" for x, y in ring)
        text = f"S_INTERSECTS(geometry, POLYGON(({points})))"
    else:
        shape = {"type": "Polygon", "coordinates": [ring]}
        text = orjson.dumps({"op": "s_intersects", "args": [{"property": "geometry"}, shape]}).decode()
    asked = {
        "filter": text,
        "filter-lang": encoding,
        "filter-crs": system.uri,
        "dataset": TOWNS,
        "limit": 500,
    }
    found = client.request("GET", ITEMS, params=asked).json()["features"]
    expected = sorted(item.id for item in seeded_towns if _meets(item, CRS84, west, south, east, north))
    assert 12 <= len(expected) < len(seeded_towns)
    assert [feature["id"] for feature in found] == expected
    # A page goes on in the same system, and a body asks as an address does.
    posted = client.request("POST", ITEMS, json=asked | {"limit": 3})
    assert [feature["id"] for feature in posted.json()["features"]] == expected[:3]
    again = client.request("GET", posted.links["next"]["url"]).json()["features"]
    assert [feature["id"] for feature in again] == expected[3:6]


def test_boxes_of_a_filter_have_the_order_of_their_system(client: Client, seeded_towns: list[Seeded]) -> None:
    west, south, east, north = seeded_towns[0].square
    latitude_first = {"filter-crs": SYSTEMS[2].uri, "dataset": TOWNS}
    text = f"S_INTERSECTS(geometry, BBOX({south}, {west}, {north}, {east}))"
    found = client.request("GET", ITEMS, params={"filter": text, **latitude_first})
    assert [feature["id"] for feature in found.json()["features"]] == [seeded_towns[0].id]
    turned = f"S_INTERSECTS(geometry, BBOX({east}, 190, {east}, 191))"
    refused = client.request("GET", ITEMS, params={"filter": turned, **latitude_first})
    assert refused.status_code == 400
    assert "is not a longitude" in refused.json()["detail"]
