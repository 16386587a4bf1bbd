from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import numpy as np
import pytest
from shapely.geometry import shape

from api import kept_filters
from tests.api.client import Client
from tests.api.tile_client import (
    BUILDINGS,
    ROOT,
    all_contents,
    blocks,
    contents,
    glb,
    item_ids,
    serving_cities,
)
from twin.db.engine import Database
from twin.model.cells import LEVEL, Cell, quadkeys


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with serving_cities(database, tmp_path_factory.mktemp("cities")) as client:
        yield client


@pytest.fixture(scope="module")
def ids(client: Client) -> list[str]:
    return sorted(item_ids(client))[::5]


@pytest.fixture(scope="module")
def text(ids: list[str]) -> str:
    return f"id IN ({', '.join(repr(name) for name in ids)})"


@pytest.fixture
def folder(database: Database) -> Path:
    folder = database.settings.home / "filters"
    for file in folder.glob("*"):
        file.unlink()
    return folder


def named(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@pytest.mark.usefixtures("folder")
def test_a_long_filter_becomes_an_id_of_itself(client: Client, text: str, ids: list[str]) -> None:
    assert len(text) > kept_filters.LONGEST
    root = f"{ROOT}?{urlencode({'filter': text, 'filter-lang': 'cql2-text', 'properties': 'height_m'})}"
    found = list(all_contents(client, root))
    assert {name for address in found for name in named(address)} == {"filter-id", "properties"}
    assert max(map(len, found)) < 200
    shown = [name for address in contents(client, root) for name in glb(client, address).column(0, "id")]
    assert sorted(shown) == ids
    assert list(blocks(client, root))
    nested = client.get(ROOT, **{"filter-id": named(found[0])["filter-id"]})
    assert nested.status_code == 200


@pytest.mark.usefixtures("folder")
def test_vector_tiles_hand_it_on_too(client: Client, text: str) -> None:
    folder = "/collections/buildings/tiles/WebMercatorQuad"
    answer = client.get(f"{folder}/tilejson.json", filter=text).json()
    assert set(named(answer["tiles"][0])) == {"filter-id"}
    (first,) = client.get(BUILDINGS, filter=text, limit=1).json()["features"]
    code = int(quadkeys(np.array([shape(first["geometry"]).centroid.coords[0]]))[0])
    cell = Cell.from_code(14, code >> 2 * (LEVEL - 14))
    address = f"{folder}/14/{cell.y}/{cell.x}"
    by_id = client.get(address, **named(answer["tiles"][0]))
    assert by_id.status_code == 200
    assert by_id.content == client.get(address, filter=text).content != client.get(address).content


@pytest.mark.usefixtures("folder")
def test_what_is_no_kept_filter_is_said(client: Client) -> None:
    for value, status in (("0" * 32, 404), ("../../etc/passwd", 400), ("0" * 31 + "G", 400), ("", 400)):
        answer = client.get(ROOT, **{"filter-id": value})
        assert answer.status_code == status, value
    both = client.get(ROOT, **{"filter-id": "0" * 32, "filter": "height_m > 3"})
    assert both.status_code == 400
    assert "stands for a filter" in both.json()["detail"]
    assert client.get(BUILDINGS, **{"filter-id": "0" * 32}).status_code == 400


def test_a_filter_that_is_wrong_is_not_kept(client: Client, folder: Path) -> None:
    wrong = " OR ".join(["heigth_m > 3"] * 200)
    assert client.get(ROOT, filter=wrong).status_code == 400
    assert not folder.exists() or not list(folder.iterdir())


def test_those_not_used_longest_are_forgotten(
    client: Client, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_filters, "KEPT", 2)
    names: list[str] = []
    for height in range(4):
        root = f"{ROOT}?{urlencode({'filter': f'{text} AND height_m > {height / 100}'})}"
        names.append(named(next(all_contents(client, root)))["filter-id"])
        if height == 2:
            assert client.get(ROOT, **{"filter-id": names[1]}).status_code == 200
    assert {file.name for file in folder.iterdir()} == {names[1], names[3]}
    assert client.get(ROOT, **{"filter-id": names[0]}).status_code == 404


def test_where_nothing_can_be_kept_the_filter_stays(
    client: Client, folder: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_folder: Path, _body: bytes) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(kept_filters, "_keep", full)
    root = f"{ROOT}?{urlencode({'filter': text})}"
    assert named(next(all_contents(client, root))) == {"filter": text}
    assert not folder.exists() or not list(folder.iterdir())
