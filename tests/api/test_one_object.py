"""One object as binary glTF: a model that stands by itself, in metres around its own middle."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from api.security.caller import closed
from importers.ingest import ImportOptions, Ingest
from importers.synthetic import synthesise
from tests.api.client import Client, serving
from tests.api.security.asking import bearer, guarded, new_key, remove_keys
from tests.importers.stored import clean
from tests.tiles import gltf
from twin.db.engine import Database

ITEMS = "/collections/buildings/items"


@pytest.fixture(scope="module")
def stored(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    path = tmp_path_factory.mktemp("object") / "town.city.jsonl"
    synthesise(path, city="tallinn", buildings=5, seed=4)
    with clean(database.engine):
        Ingest(database.engine, ImportOptions(dataset="town")).run(path)
        yield database
    remove_keys(database)


@pytest.fixture(scope="module")
def client(stored: Database) -> Iterator[Client]:
    with serving(create_app(stored.reader(), stored.settings)) as client:
        yield client


def test_a_building_as_a_model(client: Client, tmp_path: Path) -> None:
    for number, building in enumerate(client.get(ITEMS).json()["features"]):
        answer = client.get(f"{ITEMS}/{building['id']}", f="glb")
        (tmp_path / f"{number}.glb").write_bytes(answer.content)
        assert answer.headers["content-type"] == "model/gltf-binary"
        model = gltf.read(answer.content)
        assert model.column(0, "id") == [building["id"]]
        low, high = model.positions().min(axis=0), model.positions().max(axis=0)
        assert low[0] + high[0] == pytest.approx(0, abs=0.5)
        assert low[1] + high[1] == pytest.approx(0, abs=0.5)
        # Heights of the box are those of the model; a twentieth of a metre is what positions are rounded to.
        assert high[2] - low[2] == pytest.approx(building["properties"]["height_m"], abs=0.05)
        assert "EXT_meshopt_compression" not in model.document["extensionsUsed"]
    report = gltf.validate(tmp_path)
    assert (report["files"], report["errors"], report["warnings"]) == (5, 0, 0), report["messages"]


def test_it_is_linked_and_found_again(client: Client) -> None:
    id = client.get(ITEMS, limit=1).json()["features"][0]["id"]
    links = client.get(f"{ITEMS}/{id}").json()["links"]
    (address,) = (link["href"] for link in links if link.get("type") == "model/gltf-binary")
    first = client.request("GET", address)
    again = client.request("GET", address, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code) == (200, 304)
    assert client.request("GET", f"{ITEMS}/{id}", headers={"Accept": "model/gltf-binary"}).content == (
        first.content
    )


def test_what_it_does_not_take_is_told(client: Client) -> None:
    id = client.get(ITEMS, limit=1).json()["features"][0]["id"]
    system = "http://www.opengis.net/def/crs/EPSG/0/3879"
    assert client.get(f"{ITEMS}/{id}", f="glb", crs=system).status_code == 400
    assert client.get(f"{ITEMS}/town.none", f="glb").status_code == 404
    assert client.get(ITEMS, f="glb").status_code == 400
    past = client.get(f"{ITEMS}/{id}", f="glb", datetime="2001-01-01T00:00:00Z")
    assert past.status_code == 404


def test_other_cities_stay_closed(stored: Database, client: Client) -> None:
    id = client.get(ITEMS, limit=1).json()["features"][0]["id"]
    key = new_key(stored, "read", cities=["helsinki"])
    with guarded(stored, closed()) as served:
        found = served.request("GET", f"{ITEMS}/{id}?f=glb", headers=bearer(key))
    assert found.status_code == 404
