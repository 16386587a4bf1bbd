from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pyarrow
import pyproj
import pytest

from tests.api.client import Client
from tests.api.tile_client import BUILDINGS, ROOT, blocks, contents, glb, item_ids, serving_cities, tiles
from tiles.check import check_tileset
from tiles.frame import Frame
from twin.db.engine import Database
from twin.model.cells import Cell

pa: Any = pyarrow

TO_HEIGHT: Any = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)

PLAIN = {"profile": "plain"}

FILTERS = [
    "height_m > 20 AND city = 'helsinki'",
    "current_use = 'office' OR NOT (year_of_construction < 1960)",
    "street LIKE '%ä%' AND height_m BETWEEN 3 AND 12",
    "S_INTERSECTS(geometry, BBOX(24.9, 60.15, 24.96, 60.2))",
    "national_building_id IS NULL",
    "city = 'tallinn' AND current_use IN ('trade', 'office', '100%_ö & #')",
]


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving_cities(database, tmp_path_factory.mktemp("cities")) as client:
        yield client


def address(path: str, **query: str) -> str:
    return f"{path}?{urlencode(query)}" if query else path


def ids_over_leaves(client: Client, tileset: str) -> list[str]:
    return [name for tile in contents(client, tileset) for name in glb(client, tile).column(0, "id")]


def test_the_tileset_holds_every_item_once(client: Client) -> None:
    assert sorted(ids_over_leaves(client, ROOT)) == sorted(item_ids(client))


@pytest.mark.parametrize("text", FILTERS)
def test_a_filtered_tileset_holds_the_items_of_the_filter(client: Client, text: str) -> None:
    expected = item_ids(client, filter=text)
    assert sorted(ids_over_leaves(client, address(ROOT, filter=text))) == sorted(expected)


@pytest.mark.parametrize("text", [None, *FILTERS[:2]])
def test_blocks_and_leaves_show_the_same_buildings(client: Client, text: str | None) -> None:
    root = address(ROOT) if text is None else address(ROOT, filter=text)
    expected = sorted(item_ids(client) if text is None else item_ids(client, filter=text))
    whole = [path for path in blocks(client, root) if "/blocks-0." in path]
    assert sorted({name for path in whole for name in glb(client, path).column(0, "id")}) == expected


def test_blocks_stand_where_the_meshes_stand(client: Client) -> None:
    for path in list(blocks(client, ROOT))[:3]:
        tile = glb(client, path)
        heights = dict(zip(tile.column(0, "id"), tile.column(0, "height_m"), strict=True))
        owners = tile.attribute("_FEATURE_ID_0")[:, 0]
        level, x, y = (int(part) for part in path.split("?")[0].split("/")[-4:-1])
        matrix = np.array(Frame.of_cell(Cell(level, x, y)).matrix()).reshape(4, 4).T
        up = TO_HEIGHT.transform(*(tile.positions() @ matrix[:3, :3].T + matrix[:3, 3]).T)[2]
        assert set(tile.column(1, "surface_type")) == {"WallSurface", "RoofSurface"}
        for number, name in enumerate(tile.column(0, "id")):
            own = up[owners == number]
            assert 0 < own.max() - own.min() <= heights[name] + 0.2


def test_tiles_are_plain_where_that_is_asked_for(client: Client) -> None:
    packed, plain = (glb(client, next(contents(client, address(ROOT, **query)))) for query in ({}, PLAIN))
    assert [item for tile in (packed, plain) for item in tile.document["extensionsRequired"]] == [
        "KHR_mesh_quantization",
        "EXT_meshopt_compression",
        "KHR_mesh_quantization",
    ]
    assert np.array_equal(packed.positions(), plain.positions())
    assert "compact, lean, plain" in client.get(ROOT, profile="draco").json()["detail"]


def test_blocks_have_a_sidecar_of_their_own(client: Client) -> None:
    path = next(blocks(client, ROOT))
    answer = client.request("GET", path.replace(".glb", ".arrow"))
    with pa.ipc.open_stream(answer.content) as reader:
        assert reader.read_all()["id"].to_pylist() == glb(client, path).column(0, "id")


def test_blocks_show_what_is_large(client: Client) -> None:
    path = next(blocks(client, ROOT)).split("?")[0]
    folder = path.rpartition("/blocks-")[0]
    shown = [set(glb(client, f"{folder}/blocks-{least}.glb").column(0, "id")) for least in (0, 12, 30)]
    assert shown[0] > shown[1] > shown[2]
    items = {item["id"]: item["properties"] for item in client.get(BUILDINGS, limit=1000).json()["features"]}
    assert {id for id in shown[0] if items[id]["height_m"] >= 30.1} <= shown[2]
    assert client.get(f"{folder}/blocks-100000.glb").status_code == 404


def test_parameters_named_as_attributes_and_bbox_narrow_too(client: Client) -> None:
    (dataset,) = [d for d in client.get("/datasets").json()["datasets"] if d["city"] == "tallinn"]
    west, south, east, north = dataset["bbox"]
    query = {"city": "tallinn", "bbox": f"{west},{south},{(west + east) / 2},{north}"}
    expected = item_ids(client, **query)
    assert 0 < len(expected) < 350
    assert sorted(ids_over_leaves(client, address(ROOT, **query))) == sorted(expected)


def test_the_tileset_of_everything_refers_to_the_same_buildings(client: Client) -> None:
    query = {"filter": "height_m > 15"}
    everything = ids_over_leaves(client, address("/3dtiles/tileset.json", **query))
    assert sorted(everything) == sorted(item_ids(client, **query))


@pytest.mark.parametrize(
    "root",
    [
        ROOT,
        address(ROOT, filter="height_m > 15"),
        address(ROOT, properties="slope_deg,azimuth_deg,area_m2"),
        address(ROOT, **PLAIN),
        address(ROOT, profile="compact", properties="height_m,slope_deg"),
        address(ROOT, profile="lean", properties="height_m,area_m2"),
        "/3dtiles/tileset.json",
    ],
)
def test_our_checker_finds_nothing(client: Client, root: str) -> None:
    def read(found: str) -> bytes:
        answer = client.request("GET", found)
        if answer.status_code != 200:
            raise FileNotFoundError(found)
        return answer.content

    assert [str(finding) for finding in check_tileset(root, read)] == []


def test_every_address_carries_the_whole_query(client: Client) -> None:
    query = {
        "filter": "material <> 'a&b=c #+%' AND height_m > 10",
        "filter-lang": "cql2-text",
        "city": "helsinki",
        "properties": "height_m,roof_type",
        "dataset": client.get(BUILDINGS, city="helsinki", limit=1).json()["features"][0]["properties"][
            "dataset"
        ],
    }
    found = list(contents(client, address(ROOT, **query)))
    assert found
    for tile in found:
        assert {name: values[0] for name, values in parse_qs(urlsplit(tile).query).items()} == query


def test_a_lod_is_that_of_all_tiles(client: Client) -> None:
    every = sorted(ids_over_leaves(client, ROOT))
    assert sorted(ids_over_leaves(client, f"{ROOT}?lod=2")) == every
    assert all("lod=2" in path for path in contents(client, f"{ROOT}?lod=2"))
    assert ids_over_leaves(client, f"{ROOT}?lod=1.3") == []


def test_a_filter_that_finds_nothing_gives_an_empty_tileset(client: Client) -> None:
    for root in (ROOT, "/3dtiles/tileset.json"):
        found = client.get(root, filter="height_m > 10000")
        assert found.status_code == 200
        assert [tile.keys() & {"content", "children"} for tile in tiles(found.json()["root"])] == [set()]


def test_properties_are_those_asked_for(client: Client) -> None:
    tile = glb(client, next(contents(client, address(ROOT, properties="year_of_construction,closed"))))
    assert list(tile.metadata["propertyTables"][0]["properties"]) == ["id", "year_of_construction", "closed"]
    tile = glb(client, next(contents(client, ROOT)))
    assert list(tile.metadata["propertyTables"][0]["properties"]) == ["id", "city", "current_use", "height_m"]


def test_the_property_table_has_the_values_of_the_items(client: Client) -> None:
    names = ("city", "height_m", "current_use", "year_of_construction", "roof_type", "national_building_id")
    items = {item["id"]: item["properties"] for item in client.get(BUILDINGS, limit=1000).json()["features"]}
    tile = glb(client, next(contents(client, address(ROOT, properties=",".join(names)))))
    for name in names:
        found = dict(zip(tile.column(0, "id"), tile.column(0, name), strict=True))
        expected = {key: items[key][name] for key in found}
        assert found == (pytest.approx(expected, rel=1e-6) if name == "height_m" else expected)


def test_surfaces_have_properties_where_they_are_asked_for(client: Client) -> None:
    query = {"properties": "azimuth_deg,height_m,area_m2"}
    path = next(contents(client, address(ROOT, **query)))
    objects, surfaces = glb(client, path).metadata["propertyTables"]
    assert list(objects["properties"]) == ["id", "height_m"]
    assert list(surfaces["properties"]) == ["surface_type", "azimuth_deg", "area_m2"]
    tile = glb(client, path)
    owner = dict(
        zip(tile.attribute("_FEATURE_ID_1")[:, 0], tile.attribute("_FEATURE_ID_0")[:, 0], strict=True)
    )
    roofs: dict[str, float] = {}
    ids, types, areas = tile.column(0, "id"), tile.column(1, "surface_type"), tile.column(1, "area_m2")
    for surface, (kind, area) in enumerate(zip(types, areas, strict=True)):
        if kind == "RoofSurface":
            id = ids[int(owner[surface])]
            roofs[id] = roofs.get(id, 0.0) + area
    items = {item["id"]: item["properties"] for item in client.get(BUILDINGS, limit=1000).json()["features"]}
    assert roofs == pytest.approx({id: items[id]["roof_area_m2"] for id in roofs}, abs=0.01)
    assert roofs
    sidecar = client.request("GET", path.replace(".glb", ".arrow"))
    assert "is of surfaces" in sidecar.json()["detail"]
    assert client.get(path.partition("?")[0]).headers["etag"] != client.request("GET", path).headers["etag"]


def test_the_sidecar_has_a_row_for_each_feature_id(client: Client) -> None:
    path = next(contents(client, ROOT))
    ids = glb(client, path).column(0, "id")
    answer = client.get(path.replace(".glb", ".arrow"), properties="volume_m3,street,surfaces,synthetic")
    assert answer.headers["content-type"] == "application/vnd.apache.arrow.stream"
    with pa.ipc.open_stream(answer.content) as reader:
        table = reader.read_all()
    assert table.column_names == ["id", "volume_m3", "street", "surfaces", "synthetic"]
    assert table["id"].to_pylist() == ids
    items = {item["id"]: item["properties"] for item in client.get(BUILDINGS, limit=1000).json()["features"]}
    for row in table.to_pylist():
        assert row == {"id": row["id"], **{name: items[row["id"]][name] for name in row if name != "id"}}


def test_a_known_tile_is_not_sent_again(client: Client) -> None:
    path = next(contents(client, ROOT))
    for known in (ROOT, path, path.replace(".glb", ".arrow")):
        first = client.request("GET", known)
        again = client.request("GET", known, headers={"if-none-match": first.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        assert client.request("GET", known, headers={"if-none-match": '"other"'}).content == first.content


def test_equal_members_have_equal_etags_whatever_the_filter(client: Client) -> None:
    path = next(contents(client, ROOT))
    tags = {
        client.request("GET", address(path, **query)).headers["etag"]
        for query in ({}, {"filter": "height_m > 0"}, {"filter": "height_m > -1 AND volume_m3 > 0"})
    }
    assert len(tags) == 1
    assert client.get(path, properties="city").headers["etag"] not in tags


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        (address(ROOT, filter="height_m >"), 400, "filter"),
        (address(ROOT, filter="heigth_m > 3"), 400, "height_m"),
        (address(ROOT, properties="heigth_m"), 400, "height_m"),
        (address(ROOT, properties="geometry"), 400, "geometry"),
        (address(ROOT, colour="red"), 400, "colour"),
        ("/collections/castles/3dtiles/tileset.json", 404, "castles"),
        ("/collections/buildings/3dtiles/3/8/0/tileset.json", 404, "3/8/0"),
        ("/collections/buildings/3dtiles/30/8/0.glb", 404, "30/8/0"),
        ("/collections/buildings/3dtiles/12/0/0.glb", 404, "no objects"),
        ("/collections/buildings/3dtiles/12/0/0.arrow", 404, "no objects"),
        ("/collections/buildings/3dtiles/0/0/0.glb", 404, "700 objects"),
        ("/collections/buildings/3dtiles/a/b/c.glb", 404, "nothing at"),
    ],
)
def test_what_cannot_be_answered_is_said(client: Client, path: str, status: int, words: str) -> None:
    answer = client.request("GET", path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert words in answer.json()["detail"]


def test_few_objects_have_one_tileset(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same tiles as in nested tilesets, which more objects have."""
    uris = [tile["content"]["uri"] for tile in tiles(client.get(ROOT).json()["root"])]
    assert all(uri.endswith(".glb") for uri in uris)
    monkeypatch.setattr("api.tiles3d._WHOLE", 100)
    everything = address(ROOT, filter="height_m > -7")
    uris = [tile["content"]["uri"] for tile in tiles(client.request("GET", everything).json()["root"])]
    assert any(".json" in uri for uri in uris)
    assert {urlsplit(one).path for one in contents(client, everything)} == set(contents(client, ROOT))


def test_a_nested_tileset_without_objects_is_empty(client: Client) -> None:
    root = client.get("/collections/buildings/3dtiles/10/0/0/tileset.json").json()["root"]
    assert "content" not in root
    assert "children" not in root


def test_what_was_never_processed_is_said_to_wait(client: Client) -> None:
    for dataset in client.get("/datasets").json()["datasets"]:
        assert dataset["processing"]["pending"] == dataset["count"] == 350
        assert dataset["processing"]["since"].endswith("Z")
    assert client.get("/collections/buildings").json()["processing"]["pending"] == 700


def test_containers_lead_to_the_tilesets(client: Client) -> None:
    for path, tileset in (("/collections/buildings/3dtiles", ROOT), ("/3dtiles", "/3dtiles/tileset.json")):
        (content,) = client.get(path).json()["content"]
        assert urlsplit(str(content["href"])).path == tileset
    assert client.get("/collections/castles/3dtiles").status_code == 404


def test_containers_lead_to_one_another(client: Client) -> None:
    whole = client.get("/3dtiles").json()
    assert [child["id"] for child in whole["children"]] == ["buildings", "surroundings"]
    for child in whole["children"]:
        links = {link["rel"]: link["href"] for link in child["links"]}
        assert client.get(links["self"]).json() == child
        assert client.get(links["parent"]).json() == whole
        assert client.get(links["items"]).json()["type"] == "FeatureCollection"
        collection = client.get(links["collection"]).json()
        assert (collection["id"], collection["extent"]) == (child["id"], child["extent"])
    assert whole["extent"] == whole["children"][0]["extent"] != {}
    (west, south, east, north), *_ = whole["extent"]["spatial"]["bbox"]
    assert 24.3 < west < 24.9 < east < 25.5
    assert 59.2 < south < 59.9 < north < 60.5


def test_tiles_are_documented(client: Client) -> None:
    paths = client.get("/api").json()["paths"]
    operation = paths["/collections/buildings/3dtiles/{level}/{x}/{y}.glb"]["get"]
    names = {parameter["name"] for parameter in operation["parameters"]}
    assert {"level", "x", "y", "filter", "properties", "city"} <= names
