"""What is no building in 3D Tiles: a tileset of its own, inside of that of everything, in its colours."""

from collections.abc import Iterator

import numpy as np
import pytest

from api.app import create_app
from importers.ingest import ImportOptions, Ingest
from tests.api.client import Client, serving
from tests.api.tile_client import ROOT, blocks, contents
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.stored import clean
from tests.tiles import gltf
from tiles import colours
from tiles.check import check_tileset
from twin.db.collections import KINDS
from twin.db.engine import Database

pytestmark = needs_shared_data

EVERYTHING = "/3dtiles/tileset.json"
SURROUNDINGS = "/collections/surroundings/3dtiles/tileset.json"
MODEL = SHARED_DATA / "cityjson/cjio_delft_570obj_cj20.json"


@pytest.fixture(scope="module")
def client(database: Database) -> Iterator[Client]:
    with clean(database.engine) as engine:
        Ingest(engine, ImportOptions(undulation_m=43.0)).run(MODEL)
        with serving(create_app(database.reader(), database.settings)) as client:
            yield client


def ids(client: Client, tileset: str) -> list[str]:
    """The ids over all leaves of a tileset."""
    tiles = (gltf.read(client.request("GET", path).content) for path in contents(client, tileset))
    return [id for tile in tiles for id in tile.column(0, "id")]


def items(client: Client, collection: str) -> list[str]:
    found = client.get(f"/collections/{collection}/items", limit=1000).json()["features"]
    return [item["id"] for item in found]


def test_every_object_of_a_city_is_in_the_tileset_of_everything(client: Client) -> None:
    buildings, others = items(client, "buildings"), items(client, "surroundings")
    assert len(buildings) > 100 < len(others)
    shown = ids(client, EVERYTHING)
    assert len(shown) == len(set(shown))
    assert set(ids(client, ROOT)) == set(buildings)
    assert set(shown) == set(ids(client, ROOT)) | set(ids(client, SURROUNDINGS))
    lacking = set(buildings + others) - set(shown)
    assert not lacking


def test_each_kind_is_a_collection_where_there_is_one(client: Client) -> None:
    listed = {collection["id"] for collection in client.get("/collections").json()["collections"]}
    own = {kind.name: items(client, kind.name) for kind in KINDS}
    assert listed == {"buildings", "surroundings", *(name for name, ids in own.items() if ids)}
    assert {"roads", "vegetation", "waterbodies"} <= listed
    assert not {"tunnels", "roofsurfaces"} & listed
    found = [id for ids in own.values() for id in ids]
    assert len(found) == len(set(found)) > 100
    assert set(found) <= set(items(client, "surroundings"))
    assert set(ids(client, "/collections/vegetation/3dtiles/tileset.json")) == set(own["vegetation"])
    assert client.get("/collections/tunnels").json()["extent"] == {}
    paths = client.get("/api").json()["paths"]
    assert "/collections/roads/items" in paths
    assert "/collections/tunnels/items" not in paths


def test_nothing_but_buildings_is_shown_as_blocks(client: Client) -> None:
    assert list(blocks(client, ROOT))
    assert not list(blocks(client, SURROUNDINGS))


def test_each_type_has_its_colour(client: Client) -> None:
    seen: set[tuple[int, ...]] = set()
    for path in contents(client, SURROUNDINGS):
        tile = gltf.read(client.request("GET", path).content)
        seen |= {tuple(colour) for colour in np.unique(tile.attribute("COLOR_0")[:, :3], axis=0).tolist()}
    assert 5 <= len(seen) <= len(colours.OBJECT_TYPES)


def test_our_checker_finds_nothing(client: Client) -> None:
    assert check_tileset(EVERYTHING, lambda address: client.request("GET", address).content) == []
