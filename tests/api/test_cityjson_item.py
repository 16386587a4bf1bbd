"""An item as CityJSON equals what was imported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from api.app import create_app
from importers.ingest import Ingest
from importers.port import Refused
from importers.reader import open_model
from importers.synthetic import synthesise
from tests.api.client import Client, serving
from tests.importers.stored import clean
from twin.db.engine import Database
from twin.model.cityobject import CityFeature

BUILDINGS = 12


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cityjson") / "tallinn.city.jsonl"
    synthesise(path, city="tallinn", buildings=BUILDINGS, seed=3)
    first, *features = map(orjson.loads, path.read_bytes().splitlines())
    for feature in features:
        for item in feature["CityObjects"].values():
            for geometry in item.get("geometry", ()):
                shells = geometry["boundaries"]
                values = (
                    [[0] * len(shell) for shell in shells]
                    if geometry["type"] == "Solid"
                    else [0] * len(shells)
                )
                surfaces = [{"type": "RoofSurface", "owner": "a person"}]
                geometry["semantics"] = {"surfaces": surfaces, "values": values}
    path.write_bytes(b"\n".join(map(orjson.dumps, (first, *features))))
    return path


@pytest.fixture(scope="module")
def stored(database: Database, model: Path) -> Iterator[Database]:
    with clean(database.engine):
        Ingest(database.engine).run(model)
        yield database


@pytest.fixture(scope="module")
def client(stored: Database) -> Iterator[Client]:
    with serving(create_app(stored.reader(), stored.settings)) as client:
        yield client


def imported(path: Path) -> list[CityFeature]:
    found = list(open_model(path))
    assert not [item for item in found if isinstance(item, Refused)]
    return [item for item in found if isinstance(item, CityFeature)]


def document(client: Client, object_id: str) -> dict[str, Any]:
    (feature,) = client.items(object_id=object_id).json()["features"]
    response = client.get(f"/collections/buildings/items/{feature['id']}", f="cityjson")
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/city+json"
    return response.json()


def test_an_item_is_what_was_imported(client: Client, model: Path, tmp_path: Path) -> None:
    features = imported(model)
    assert len(features) == BUILDINGS
    for feature in features:
        written = tmp_path / "item.city.json"
        written.write_bytes(orjson.dumps(document(client, feature.root.id)))
        (again,) = imported(written)
        assert [(o.id, o.type, o.parent, o.attributes, o.addresses) for o in again] == [
            (o.id, o.type, o.parent, o.attributes, o.addresses) for o in feature
        ]
        for ours, theirs in zip(again, feature, strict=True):
            for left, right in zip(ours.geometries, theirs.geometries, strict=True):
                assert (left.type, left.lod, left.semantics) == (right.type, right.lod, right.semantics)
                np.testing.assert_allclose(left.xyz, right.xyz, atol=0.0006)
                np.testing.assert_array_equal(left.surface_start, right.surface_start)


def test_the_document_is_cityjson_2_0_in_native_coordinates(client: Client, model: Path) -> None:
    found = document(client, imported(model)[0].root.id)
    assert (found["type"], found["version"]) == ("CityJSON", "2.0")
    assert found["metadata"]["referenceSystem"] == "https://www.opengis.net/def/crs/EPSG/0/3301"


def test_the_past_and_the_public(client: Client, stored: Database, model: Path) -> None:
    object_id = imported(model)[0].root.id
    (feature,) = client.items(object_id=object_id).json()["features"]
    path = f"/collections/buildings/items/{feature['id']}"
    past = client.get(path, f="cityjson", datetime="2100-01-01T00:00:00Z")
    assert (past.status_code, "present" in past.json()["detail"]) == (400, True)
    assert "offered: json, geojson, cityjson" in client.get(path, f="gml").json()["detail"]
    with serving(create_app(stored.reader(), stored.settings, frozenset({"public"}))) as outsider:
        response = outsider.get(path, f="cityjson")
        assert "a person" in client.get(path, f="cityjson").text
        assert "a person" not in response.text
        objects = response.json()["CityObjects"]
        assert objects
        assert not [name for name, one in objects.items() if "attributes" in one or "address" in one]
