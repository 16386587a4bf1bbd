"""Roof surfaces as a collection of their own: what is stored, asked in every way."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
import shapely

from api.app import create_app
from api.security.caller import public
from tests.api.client import Client, serving
from tests.api.roofs import Row, roofs
from tests.api.test_items import detail, ids, next_of
from tests.api.test_vector_tiles import layer_of, tile_at
from tests.twin.db.random_filters import RandomFilters
from tests.twin.db.test_random_filters import OF_ROOF_SURFACES
from twin.db.engine import Database
from twin.model.attributes import ROOF_SURFACE

FACES = "/collections/roofsurfaces"
ITEMS = f"{FACES}/items"
NAMES = [attribute.name for attribute in ROOF_SURFACE]
_shapely: Any = shapely


@pytest.fixture(scope="module")
def everything(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Row]]:
    with roofs(database.engine, tmp_path_factory.mktemp("roofs")) as rows:
        yield rows


@pytest.fixture(scope="module")
def client(database: Database, everything: list[Row]) -> Iterator[Client]:
    assert everything
    with serving(create_app(database.reader(), database.settings)) as client:
        yield client


@pytest.fixture(scope="module")
def rows(everything: list[Row]) -> list[Row]:
    """The faces of the primary datasets."""
    return [row for row in everything if row["dataset"] != "second"]


def test_every_face_of_primary_datasets_is_an_item(client: Client, rows: list[Row]) -> None:
    found = client.get(ITEMS, limit=10_000, count="exact").json()
    assert found["numberMatched"] == found["numberReturned"] == len(rows) > 150
    for feature, row in zip(found["features"], rows, strict=True):
        properties = feature["properties"]
        assert feature["id"] == row["id"]
        assert properties == {name: row[name] for name in properties if name != "attributes"} | {
            "attributes": properties["attributes"]
        }
        assert set(properties) == {*NAMES, "attributes"}
        outline = _shapely.from_geojson(orjson.dumps(feature["geometry"]).decode())
        assert outline.hausdorff_distance(row["shape"]) < 1e-7
    assert any(row["azimuth_deg"] is None for row in rows)


def test_an_alternative_is_shown_where_it_is_named(client: Client, everything: list[Row]) -> None:
    named = ids(client.get(ITEMS, dataset="second", limit=10_000))
    assert named == [row["id"] for row in everything if row["dataset"] == "second"]
    assert client.get(f"{ITEMS}/{named[0]}").status_code == 200
    assert ids(client.get(ITEMS, synthetic="false")) == []


def _sunny(row: Row) -> bool:
    return (
        20 <= row["slope_deg"] <= 45 and row["azimuth_deg"] is not None and 135 <= row["azimuth_deg"] <= 225
    )


FILTERS: list[tuple[str, Callable[[Row], bool]]] = [
    ("slope_deg BETWEEN 20 AND 45 AND azimuth_deg BETWEEN 135 AND 225", _sunny),
    ("azimuth_deg IS NULL AND area_m2 > 50", lambda r: r["azimuth_deg"] is None and r["area_m2"] > 50),
    ("area_m2 / plan_area_m2 > 1.1", lambda r: r["plan_area_m2"] and r["area_m2"] / r["plan_area_m2"] > 1.1),
    (
        "NOT (azimuth_deg < 180)",
        lambda r: r["azimuth_deg"] is not None and not r["azimuth_deg"] < 180,
    ),
    (
        "building LIKE 'other.%' AND face IN (1, 2, 5)",
        lambda r: r["dataset"] == "other" and r["face"] in (1, 2, 5),
    ),
    ("height_max_m - height_min_m >= 2", lambda r: r["height_max_m"] - r["height_min_m"] >= 2),
    ("city = 'tallinn' OR face = 1", lambda r: r["city"] == "tallinn" or r["face"] == 1),
]


@pytest.mark.parametrize(("text", "holds"), FILTERS, ids=[text for text, _ in FILTERS])
def test_a_filter_finds_what_a_loop_finds(
    client: Client, rows: list[Row], text: str, holds: Callable[[Row], bool]
) -> None:
    expected = [row["id"] for row in rows if holds(row)]
    assert 0 < len(expected) < len(rows)
    assert ids(client.get(ITEMS, filter=text, limit=10_000)) == expected


def test_cql2_json_and_single_properties_ask_the_same(client: Client, rows: list[Row]) -> None:
    tree = {"op": ">", "args": [{"property": "slope_deg"}, 20]}
    steep = [row["id"] for row in rows if row["slope_deg"] > 20]
    posted = client.request("POST", ITEMS, json={"filter": tree, "limit": 10_000})
    assert ids(posted) == steep
    one = rows[7]
    found = client.get(ITEMS, building=one["building"], face=str(one["face"]), city=one["city"])
    assert ids(found) == [one["id"]]


def test_boxes_with_and_without_heights(client: Client, rows: list[Row]) -> None:
    west, south, east, north = rows[0]["shape"].buffer(0.002).bounds
    near = [row for row in rows if row["shape"].intersects(_shapely.box(west, south, east, north))]
    assert 0 < len(near) < len(rows)
    box = client.get(ITEMS, bbox=f"{west},{south},{east},{north}", limit=10_000)
    assert ids(box) == [row["id"] for row in near]
    middle = sorted(row["z_min"] for row in near)[len(near) // 2]
    low, high = middle - 0.5, middle + 0.5
    between = [row["id"] for row in near if row["z_max"] >= low and row["z_min"] <= high]
    assert 0 < len(between) < len(near)
    solid = client.get(ITEMS, bbox=f"{west},{south},{low},{east},{north},{high}", limit=10_000)
    assert ids(solid) == between


def test_heights_are_above_the_ellipsoid_by_the_geoid(rows: list[Row]) -> None:
    # N2000 over Helsinki, EH2000 over Tallinn: the geoid is 17 to 19 m above the ellipsoid there.
    for row in rows:
        for native, ellipsoidal in (("height_min_m", "z_min"), ("height_max_m", "z_max")):
            assert 16.5 < row[ellipsoidal] - row[native] < 19.5
        assert (row["west"], row["south"], row["east"], row["north"]) == row["shape"].bounds


def test_faces_within_a_building_are_those_whose_middle_it_covers(client: Client, rows: list[Row]) -> None:
    building = rows[3]["building"]
    answer = client.get(f"/collections/buildings/items/{building}").json()
    plan = _shapely.from_geojson(orjson.dumps(answer["geometry"]).decode())

    def middle(row: Row) -> Any:
        return _shapely.Point((row["west"] + row["east"]) / 2, (row["south"] + row["north"]) / 2)

    expected = [row["id"] for row in rows if plan.intersects(middle(row))]
    assert expected
    assert ids(client.get(ITEMS, within=f"buildings/{building}")) == expected
    inside = client.get("/collections/buildings/items", within=f"roofsurfaces/{rows[3]['id']}")
    assert inside.status_code == 200


@pytest.mark.parametrize("sortby", ["-area_m2", "azimuth_deg,-slope_deg", "building"])
def test_pages_in_an_order_visit_every_face_once(client: Client, rows: list[Row], sortby: str) -> None:
    page = client.get(ITEMS, sortby=sortby, limit=37)
    visited = page.json()["features"]
    while (address := next_of(page)) is not None:
        page = client.request("GET", address)
        visited += page.json()["features"]
    assert sorted(feature["id"] for feature in visited) == [row["id"] for row in rows]
    if sortby == "-area_m2":
        areas = [feature["properties"]["area_m2"] for feature in visited]
        assert areas == sorted(areas, reverse=True)


def test_areas_add_up_by_city_and_by_building(client: Client, rows: list[Row]) -> None:
    query = {"filter": FILTERS[0][0], "aggregate": "count,sum(area_m2)"}
    found = client.get(f"{FACES}/statistics", groupby="city", **query).json()["groups"]
    for group in found:
        areas = [row["area_m2"] for row in rows if _sunny(row) and row["city"] == group["city"]]
        assert (group["count"], group["sum(area_m2)"]) == (len(areas), pytest.approx(sum(areas)))
    assert {group["city"] for group in found} == {row["city"] for row in rows if _sunny(row)}
    by_building = client.get(f"{FACES}/statistics", groupby="building", aggregate="sum(area_m2)").json()
    areas = {group["building"]: group["sum(area_m2)"] for group in by_building["groups"]}
    buildings = client.get("/collections/buildings/items", limit=10_000).json()["features"]
    measured = {b["id"]: b["properties"]["roof_area_m2"] for b in buildings}
    assert areas == pytest.approx({id: measured[id] for id in areas}, abs=0.05)
    assert len(areas) > 60


def test_histograms_and_grids(client: Client, rows: list[Row]) -> None:
    found = client.get(f"{FACES}/histogram", property="azimuth_deg", bins="8", groupby="city").json()
    counted = sum(bin["count"] for group in found["groups"] for bin in group["bins"])
    assert counted == sum(row["azimuth_deg"] is not None for row in rows)
    grid = client.get(f"{FACES}/statistics", groupby="grid(16)").json()["groups"]
    assert sum(group["count"] for group in grid) == len(rows)


def test_a_building_leads_to_its_faces_and_back(client: Client, rows: list[Row]) -> None:
    row = rows[11]
    building = client.get(f"/collections/buildings/items/{row['building']}").json()
    related = {link["title"]: link["href"] for link in building["links"] if link["rel"] == "related"}
    faces = related["Its roof surfaces"]
    found = ids(client.request("GET", faces))
    assert found == [other["id"] for other in rows if other["building"] == row["building"]]
    face = client.get(f"{ITEMS}/{row['id']}").json()
    (up,) = [link["href"] for link in face["links"] if link["rel"] == "up"]
    assert client.request("GET", up).json()["id"] == row["building"]
    assert {link["rel"] for link in face["links"]} == {"self", "alternate", "collection", "up"}


def test_a_known_face_is_not_sent_again(client: Client, rows: list[Row]) -> None:
    for address in (ITEMS, f"{ITEMS}/{rows[0]['id']}", f"{FACES}/statistics?groupby=city"):
        first = client.request("GET", address)
        again = client.request("GET", address, headers={"if-none-match": first.headers["etag"]})
        assert (first.status_code, again.status_code) == (200, 304)


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        (f"{ITEMS}?datetime=2026-01-01", 400, "no parameter 'datetime'"),
        (f"{ITEMS}?scenario=flood", 400, "no parameter 'scenario'"),
        (f"{ITEMS}?height_m=3", 400, "no parameter 'height_m'"),
        (f"{ITEMS}?filter=height_m > 3", 400, "no property 'height_m'"),
        (f"{ITEMS}?sortby=geometry", 400, "no order"),
        (f"{ITEMS}?properties=updated", 400, "no property 'updated'"),
        (f"{ITEMS}/nothing", 404, "no item 'nothing'"),
        (f"{FACES}/3dtiles/tileset.json", 404, "no 3D Tiles"),
        (f"{FACES}/tiles/WebMercatorQuad/0/0/0?properties=geometry", 400, "no property of a tile"),
    ],
)
def test_what_there_is_not_is_said(client: Client, path: str, status: int, message: str) -> None:
    assert message in detail(client.request("GET", path), status)


def test_a_face_has_no_cityjson(client: Client, rows: list[Row]) -> None:
    message = detail(client.get(f"{ITEMS}/{rows[0]['id']}", f="cityjson"))
    assert "'f' is 'cityjson'" in message
    assert "json, geojson" in message


def test_originals_are_hidden_from_the_public(database: Database, rows: list[Row]) -> None:
    app = create_app(database.reader(), database.settings, access=public())
    with serving(app) as everyone:
        page = everyone.get(ITEMS, limit=3).json()
        assert all(set(feature["properties"]) == set(NAMES) for feature in page["features"])
        assert "personal data" in detail(everyone.get(ITEMS, properties="attributes"))
        assert set(everyone.get(f"{ITEMS}/{rows[0]['id']}").json()["properties"]) == set(NAMES)


def test_the_collection_is_described(client: Client) -> None:
    listed = {found["id"]: found for found in client.get("/collections").json()["collections"]}
    about = client.get(FACES).json()
    assert listed["roofsurfaces"] == about
    assert about["processing"] == {"pending": 0, "since": None}
    assert about["extent"]["spatial"] == listed["buildings"]["extent"]["spatial"]
    queryables = client.get(f"{FACES}/queryables").json()["properties"]
    assert list(queryables) == ["id", *NAMES, "geometry"]
    assert queryables["slope_deg"]["x-unit"] == "deg"
    assert set(queryables["slope_deg"]["x-meanings"]) == {"en", "fi", "et", "sv"}
    assert set(client.get(f"{FACES}/schema").json()["properties"]) == {*queryables, "attributes"}
    assert set(client.get(f"{FACES}/sortables").json()["properties"]) == {*queryables} - {"geometry"}
    rels = {link["rel"].rpartition("/")[2] for link in about["links"]}
    assert {"items", "queryables", "sortables", "schema"} <= rels
    assert "3dtiles" not in rels


def test_vector_tiles_hold_the_faces(client: Client, rows: list[Row]) -> None:
    row = rows[0]
    x, y = tile_at(row["west"], row["south"], 16)
    answer = client.get(f"{FACES}/tiles/WebMercatorQuad/16/{y}/{x}", filter="area_m2 > 5")
    assert answer.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    name, features = layer_of(answer.content)
    assert name == "roofsurfaces"
    known = {row["id"] for row in rows if row["area_m2"] > 5}
    assert row["id"] in {feature["id"] for feature in features} <= known
    assert {"id", "city", "area_m2", "slope_deg"} <= set(features[0])


def test_random_trees_are_answered_or_explained(client: Client) -> None:
    filters = RandomFilters(21, OF_ROOF_SURFACES)
    answered = 0
    for _ in range(300):
        tree = filters.tree()
        response = client.request("POST", ITEMS, content=orjson.dumps({"filter": tree, "limit": 1}))
        assert response.status_code in {200, 400}, (orjson.dumps(tree), response.text)
        answered += response.status_code == 200
    assert answered > 40
