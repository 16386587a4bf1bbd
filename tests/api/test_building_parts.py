"""Parts of buildings as a collection of their own, beside the buildings, which count once."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyogrio
import pyproj
import pytest
import shapely

from api.app import create_app
from api.security.caller import public
from importers.grasp import ImportOptions
from importers.ingest import Ingest
from tests.api import parts
from tests.api.client import Client, serving
from tests.api.parts import BUILDINGS, PARENTS, ROOTS, SHAPES, Box
from tests.api.test_items import detail, ids, next_of
from tests.api.test_vector_tiles import assert_outlines, layer_of, tile_at
from tests.api.tile_client import contents
from tests.importers.stored import clean
from tests.tiles import gltf
from tests.twin.db.random_filters import RandomFilters
from tests.twin.db.test_random_filters import OF_BUILDING_PARTS
from twin.db.engine import Database
from twin.model.attributes import BUILDING_PART

PARTS = "/collections/buildingparts"
ITEMS = f"{PARTS}/items"
NAMES = [attribute.name for attribute in BUILDING_PART]
SHAPED = {name: SHAPES[name] for name in PARENTS if name in SHAPES}
_pa: Any = pa
_pyogrio: Any = pyogrio
_pyproj: Any = pyproj
_shapely: Any = shapely
_TO_DEGREES = _pyproj.Transformer.from_crs(3879, 4326, always_xy=True)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    content = parts.model(wing={"address": "Katu 1", "BuildingPermanentID": "100"})
    return parts.written(tmp_path_factory.mktemp("parts") / "block.city.json", content)


@pytest.fixture(scope="module")
def stored(database: Database, model: Path) -> Iterator[Database]:
    with clean(database.engine):
        Ingest(database.engine, ImportOptions(dataset="block")).run(model)
        Ingest(database.engine, ImportOptions(dataset="again")).run(model)
        yield database


@pytest.fixture(scope="module")
def client(stored: Database) -> Iterator[Client]:
    with serving(create_app(stored.reader(), stored.settings)) as client:
        yield client


def item_ids(*names: str) -> list[str]:
    return sorted(f"block.{name}" for name in names)


def footprint(box: Box) -> Any:
    """The plan of a box in longitude and latitude."""
    return _shapely.Polygon([_TO_DEGREES.transform(x, y) for x, y in box.corners])


def middle_tile(box: Box) -> tuple[int, int]:
    """Column and row of the tile at level 14 in which a box stands."""
    middle = footprint(box).centroid
    return tile_at(middle.x, middle.y, 14)


def plan(feature: dict[str, Any]) -> Any:
    return _shapely.from_geojson(orjson.dumps(feature["geometry"]).decode())


def test_each_part_is_an_item_with_measures_of_its_own(client: Client) -> None:
    found = client.get(ITEMS).json()
    assert [feature["id"] for feature in found["features"]] == item_ids(*PARENTS)
    assert found["numberMatched"] == len(PARENTS)
    for feature in found["features"]:
        values = feature["properties"]
        name = values["object_id"]
        assert set(values) == {*NAMES, "attributes"}
        assert values["attributes"]["called"] == name
        assert values["building"] == f"block.{BUILDINGS[name]}"
        assert values["parent"] == f"block.{PARENTS[name]}"
        if name == "shed":
            assert (feature["geometry"], values["volume_m3"], values["lod"]) == (None, None, None)
            assert values["placement"] == "unplaced"
            continue
        box = SHAPES[name]
        assert values["volume_m3"] == pytest.approx(box.volume, abs=1e-3)
        assert values["footprint_area_m2"] == pytest.approx(box.area, abs=1e-3)
        assert values["height_m"] == pytest.approx(box.height)
        assert (values["roof_type"], values["lod"], values["placement"]) == ("flat", "2", "exact")
        assert plan(feature).hausdorff_distance(footprint(box)) < 2e-7


def test_no_building_counts_twice(client: Client) -> None:
    roots = item_ids(*ROOTS)
    assert ids(client.items(count="exact")) == roots
    assert client.get("/collections/surroundings/items").json()["features"] == []
    (total,) = client.get("/collections/buildings/statistics", aggregate="count,sum(volume_m3)").json()[
        "groups"
    ]
    whole = [box.volume for box in SHAPES.values()]
    assert (total["count"], total["sum(volume_m3)"]) == (len(roots), pytest.approx(sum(whole), abs=0.01))
    counted = {d["name"]: d["count"] for d in client.get("/datasets").json()["datasets"]}
    assert counted == {"block": len(roots), "again": len(roots)}
    for tileset in ("/3dtiles/tileset.json", "/collections/buildings/3dtiles/tileset.json"):
        tiles = [gltf.read(client.request("GET", path).content) for path in contents(client, tileset)]
        assert sorted(id for tile in tiles for id in tile.column(0, "id")) == roots
    x, y = middle_tile(SHAPES["hall"])
    _, drawn = layer_of(client.get(f"/collections/buildings/tiles/WebMercatorQuad/14/{y}/{x}").content)
    assert sorted(feature["id"] for feature in drawn) == roots


def test_the_other_dataset_is_shown_where_it_is_named(client: Client) -> None:
    assert ids(client.get(ITEMS, dataset="again")) == sorted(f"again.{name}" for name in PARENTS)
    building = client.get(f"{ITEMS}/again.tower").json()["properties"]["building"]
    assert building == "again.court"


FILTERS: list[tuple[str, Callable[[str, Box | None], bool]]] = [
    ("building = 'block.court'", lambda name, _: BUILDINGS[name] == "court"),
    ("parent = 'block.hall'", lambda name, _: PARENTS[name] == "hall"),
    ("parent <> building", lambda name, _: name == "tower"),
    ("height_m > 8 AND volume_m3 < 2000", lambda _, box: bool(box and box.height > 8 and box.volume < 2000)),
    ("volume_m3 IS NULL", lambda _, box: box is None),
    ("NOT (height_m > 8)", lambda _, box: bool(box and not box.height > 8)),
]


@pytest.mark.parametrize(("text", "holds"), FILTERS, ids=[text for text, _ in FILTERS])
def test_a_filter_finds_what_a_loop_finds(
    client: Client, text: str, holds: Callable[[str, Box | None], bool]
) -> None:
    expected = item_ids(*(name for name in PARENTS if holds(name, SHAPES.get(name))))
    assert 0 < len(expected) < len(PARENTS)
    assert ids(client.get(ITEMS, filter=text)) == expected
    assert ids(client.request("POST", ITEMS, json={"filter": text, "filter-lang": "cql2-text"})) == expected


def test_parts_of_a_building_and_within_it(client: Client) -> None:
    assert ids(client.get(ITEMS, building="block.villa")) == ["block.only"]
    assert ids(client.get(ITEMS, within="buildings/block.court")) == item_ids("wing", "hall", "tower")
    inside = client.items(within="buildingparts/block.only")
    assert ids(inside) == ["block.villa"]


def test_boxes_with_and_without_heights(client: Client) -> None:
    west, south, east, north = footprint(SHAPES["tower"]).buffer(1e-6).bounds
    assert ids(client.get(ITEMS, bbox=f"{west},{south},{east},{north}")) == item_ids("hall", "tower")
    # The geoid is 17 to 18 m above the ellipsoid here, and in N2000 the tower reaches 35 m, the hall 17 m.
    high = client.get(ITEMS, bbox=f"{west},{south},40,{east},{north},60")
    assert ids(high) == ["block.tower"]


def test_pages_in_an_order_visit_every_part_once(client: Client) -> None:
    page = client.get(ITEMS, sortby="-volume_m3", limit=2)
    visited = page.json()["features"]
    while (address := next_of(page)) is not None:
        page = client.request("GET", address)
        visited += page.json()["features"]
    by_volume = sorted(SHAPED, key=lambda name: -SHAPES[name].volume)
    assert [feature["properties"]["object_id"] for feature in visited] == [*by_volume, "shed"]


def test_parts_add_up_by_building(client: Client) -> None:
    asked = {"groupby": "building", "aggregate": "count,sum(volume_m3),max(height_m)"}
    groups = client.get(f"{PARTS}/statistics", **asked).json()["groups"]
    found = {group["building"]: group for group in groups}
    for building in set(BUILDINGS.values()):
        own = [name for name, of in BUILDINGS.items() if of == building]
        volumes = [SHAPES[name].volume for name in own if name in SHAPES]
        group = found[f"block.{building}"]
        assert group["count"] == len(own)
        assert group["sum(volume_m3)"] == (pytest.approx(sum(volumes), abs=1e-3) if volumes else None)
    for grouping in ("square(250)", "h3(9)", "grid(16)", "city"):
        groups = client.get(f"{PARTS}/statistics", groupby=grouping).json()["groups"]
        assert sum(group["count"] for group in groups) == len(PARENTS)
    bins = client.get(f"{PARTS}/histogram", property="height_m", bins="4").json()["bins"]
    assert sum(bin["count"] for bin in bins) == len(SHAPED)


def test_downloads_in_every_format_hold_every_part(client: Client, tmp_path: Path) -> None:
    def get(form: str) -> bytes:
        answer = client.get(f"{PARTS}/download", f=form)
        assert answer.status_code == 200, answer.text
        return answer.content

    wanted = item_ids(*PARENTS)
    assert [f["id"] for f in orjson.loads(get("geojson"))["features"]] == wanted
    assert [f["id"] for f in orjson.loads(get("jsonfg"))["features"]] == wanted
    lines = get("geojsonseq").decode().replace("\x1e", "").splitlines()
    assert [orjson.loads(line)["id"] for line in lines] == wanted
    rows = list(csv.DictReader(io.StringIO(get("csv").decode(), newline="")))
    assert [row["id"] for row in rows] == wanted
    assert {row["building"] for row in rows} == {f"block.{name}" for name in BUILDINGS.values()}
    assert _pa.ipc.open_stream(get("arrow")).read_all()["id"].to_pylist() == wanted
    for form, suffix in (("geoparquet", "parquet"), ("flatgeobuf", "fgb")):
        path = tmp_path / f"parts.{suffix}"
        path.write_bytes(get(form))
        if form == "flatgeobuf":
            assert sorted(_pyogrio.read_dataframe(path)["id"]) == wanted
        else:
            table = _pa.parquet.read_table(path)
            assert table["id"].to_pylist() == wanted


def test_a_building_leads_to_its_parts_and_back(client: Client) -> None:
    building = client.get("/collections/buildings/items/block.court").json()
    related = {link["title"]: link["href"] for link in building["links"] if link["rel"] == "related"}
    assert ids(client.request("GET", related["Its parts"])) == item_ids("wing", "hall", "tower")
    part = client.get(f"{ITEMS}/block.tower").json()
    (up,) = [link["href"] for link in part["links"] if link["rel"] == "up"]
    assert client.request("GET", up).json()["id"] == "block.court"
    alternates = {link["type"] for link in part["links"] if link["rel"] == "alternate"}
    assert "application/city+json" in alternates
    assert "model/gltf-binary" not in alternates


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        (f"{ITEMS}?party_wall_area_m2=3", 400, "no parameter 'party_wall_area_m2'"),
        (f"{ITEMS}?filter=valid = true", 400, "no property 'valid'"),
        (f"{ITEMS}/block.court", 404, "no item 'block.court'"),
        (f"{ITEMS}/block.tower?f=glb", 400, "'f' is 'glb'"),
        (f"{PARTS}/3dtiles/tileset.json", 404, "no 3D Tiles"),
        ("/collections/buildings/items/block.tower", 404, "no item 'block.tower'"),
    ],
)
def test_what_there_is_not_is_said(client: Client, path: str, status: int, message: str) -> None:
    assert message in detail(client.request("GET", path), status)


def test_the_collection_is_described(client: Client) -> None:
    listed = {found["id"]: found for found in client.get("/collections").json()["collections"]}
    about = client.get(PARTS).json()
    assert listed["buildingparts"] == about
    assert about["extent"]["spatial"] == listed["buildings"]["extent"]["spatial"]
    assert not [link for link in about["links"] if "3dtiles" in link["href"]]
    queryables = client.get(f"{PARTS}/queryables").json()["properties"]
    assert list(queryables) == ["id", *NAMES, "geometry", "updated"]
    assert set(queryables["parent"]["x-meanings"]) == {"en", "fi", "et", "sv"}
    schema = client.get(f"{PARTS}/schema").json()["properties"]
    assert set(schema) == {*queryables, "attributes"} - {"updated"}
    paths = client.get("/api").json()["paths"]
    asked = {p["name"]: p for p in paths[ITEMS]["get"]["parameters"]}
    assert {"building", "parent", "datetime", "height_m"} <= set(asked)
    one = {p["name"]: p for p in paths[f"{ITEMS}/{{id}}"]["get"]["parameters"]}
    assert set(one["f"]["schema"]["enum"]) == {"json", "geojson", "jsonfg", "cityjson", "html"}
    assert not [path for path in paths if path.startswith(f"{PARTS}/3dtiles")]


def test_vector_tiles_hold_the_parts(client: Client) -> None:
    x, y = middle_tile(SHAPES["hall"])
    answer = client.get(f"{PARTS}/tiles/WebMercatorQuad/14/{y}/{x}", filter="height_m > 8")
    name, features = layer_of(answer.content)
    tall = [name for name, box in SHAPED.items() if box.height > 8]
    assert (name, sorted(f["id"] for f in features)) == ("buildingparts", item_ids(*tall))
    assert {"id", "city", "height_m"} <= set(features[0])


@pytest.mark.parametrize("zoom", [14, 18, 21])
def test_vector_tiles_draw_the_outlines_of_the_parts(client: Client, zoom: int) -> None:
    """In each of the tiles around; at the finest one is smaller than the hall."""
    longitude, latitude = _TO_DEGREES.transform(*SHAPES["hall"].corners[0])
    x, y = tile_at(longitude, latitude, zoom)
    around = [(x + across, y + down) for across in (-1, 0, 1) for down in (-1, 0, 1)]
    drawn = [assert_outlines(client, PARTS, zoom, tile) for tile in around]
    assert set(item_ids("hall", "wing")) <= drawn[4]


def test_a_known_part_is_not_sent_again(client: Client) -> None:
    for query in ("", "?f=cityjson"):
        address = f"{ITEMS}/block.hall{query}"
        first = client.request("GET", address)
        again = client.request("GET", address, headers={"if-none-match": first.headers["etag"]})
        assert (first.status_code, again.status_code) == (200, 304)


def test_personal_data_are_hidden_from_the_public(stored: Database) -> None:
    with serving(create_app(stored.reader(), stored.settings, public())) as everyone:
        page = everyone.get(ITEMS).json()
        hidden = {"street", "house_number", "postal_code"}
        assert all(set(f["properties"]) == set(NAMES) - hidden for f in page["features"])
        assert "personal data" in detail(everyone.get(ITEMS, filter="street = 'Katu'"))
        for answer in (
            everyone.get(f"{ITEMS}/block.wing", f="cityjson"),
            everyone.get(ITEMS, f="cityjsonseq"),
            everyone.get(ITEMS, f="csv"),
            everyone.get(ITEMS, f="jsonfg"),
        ):
            assert answer.status_code == 200
            assert "called" not in answer.text
            assert "Katu" not in answer.text


@pytest.mark.parametrize(
    ("language", "title", "up"),
    [
        ("en", "Parts of buildings", "The building that it is a part of"),
        ("fi", "Rakennusten osat", "Rakennus, jonka osa se on"),
        ("et", "Hooneosad", "Hoone, mille osa see on"),
        ("sv", "Byggnadsdelar", "Byggnaden som den är en del av"),
    ],
)
def test_pages_for_people(client: Client, language: str, title: str, up: str) -> None:
    listed = client.get("/collections", f="html", lang=language).text
    page = client.get(ITEMS, f="html", lang=language).text
    part = client.get(f"{ITEMS}/block.tower", f="html", lang=language).text
    assert title in listed
    assert title in page
    assert "block.tower" in page
    assert up in part
    assert f"#id=block.court&amp;lang={language}" in part


def test_random_trees_are_answered_or_explained(client: Client) -> None:
    filters = RandomFilters(22, OF_BUILDING_PARTS)
    answered = 0
    for _ in range(150):
        tree = filters.tree()
        response = client.request("POST", ITEMS, content=orjson.dumps({"filter": tree, "limit": 1}))
        assert response.status_code in {200, 400}, (orjson.dumps(tree), response.text)
        answered += response.status_code == 200
    assert answered > 20
