"""Textures over HTTP: profile and theme in every address, tags that tell them apart, themes of datasets."""

from collections.abc import Iterator

import pytest

from api.app import create_app
from importers.ingest import ImportOptions, Ingest
from tests.api.client import Client, serving
from tests.api.tile_client import ROOT, all_contents, glb
from tests.importers.stored import clean
from tests.tiles.textured import Wall, gradient, model, south_walls, written
from tiles.check import check_tileset
from twin.db.engine import Database

TEXTURED = f"{ROOT}?profile=textured"


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    walls = [Wall("day", "a.png", theme="day"), Wall("night", "b.png", theme="night")]
    folder = tmp_path_factory.mktemp("textured")
    path = written(folder, model(walls), {"a.png": gradient(blue=10), "b.png": gradient(blue=250)})
    with clean(database.engine):
        Ingest(database.engine, ImportOptions(dataset="walls", city="helsinki")).run(path)
        with serving(create_app(database.reader(), database.settings)) as client:
            yield client


def leaf(client: Client, tileset: str) -> str:
    (found,) = (path for path in all_contents(client, tileset) if "blocks" not in path)
    return found


def test_addresses_carry_profile_and_theme(client: Client) -> None:
    assert leaf(client, f"{TEXTURED}&theme=night").endswith("?profile=textured&theme=night")


@pytest.mark.parametrize(("query", "shown"), [("", {10, 250}), ("&theme=day", {10}), ("&theme=night", {250})])
def test_a_tile_shows_the_theme_that_was_asked_for(client: Client, query: str, shown: set[int]) -> None:
    tile = glb(client, leaf(client, TEXTURED + query))
    blue = [round(float(point.colour[2])) for points in south_walls(tile).values() for point in points]
    assert {level for level in (10, 250) if any(abs(level - found) < 4 for found in blue)} == shown


def test_what_is_served_passes_our_checker(client: Client) -> None:
    assert check_tileset(TEXTURED, lambda address: client.request("GET", address).content) == []


def test_tags_tell_looks_apart_and_spare_the_rest(client: Client) -> None:
    queries = ("", "?profile=textured", "?profile=textured&theme=day", "?profile=textured&theme=night")
    path = leaf(client, ROOT)
    tags = [client.request("GET", path + query).headers["etag"] for query in queries]
    assert len(set(tags)) == 4
    again = client.request("GET", path + queries[1], headers={"If-None-Match": tags[1]})
    assert again.status_code == 304


def test_a_sidecar_is_beside_a_textured_tile(client: Client) -> None:
    path = leaf(client, TEXTURED).replace(".glb", ".arrow")
    assert client.request("GET", path).status_code == 200


def test_a_theme_without_textures_is_refused(client: Client) -> None:
    answer = client.request("GET", f"{ROOT}?theme=day")
    assert answer.status_code == 400
    assert "profile=textured" in answer.json()["detail"]


def test_datasets_tell_their_themes(client: Client) -> None:
    (dataset,) = client.get("/datasets").json()["datasets"]
    assert dataset["themes"] == ["day", "night"]
