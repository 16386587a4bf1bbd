"""An item as CityJSON equals what was imported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from api.app import create_app
from api.security.caller import public
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
    now, then = (
        client.get(path, f="cityjson"),
        client.get(path, f="cityjson", datetime="2100-01-01T00:00:00Z"),
    )
    assert now.json() == then.json()
    assert client.get(path, f="cityjson", datetime="2001-01-01T00:00:00Z").status_code == 404
    assert "offered: json, geojson, jsonfg, cityjson" in client.get(path, f="gml").json()["detail"]
    with serving(create_app(stored.reader(), stored.settings, public())) as outsider:
        for response in (
            outsider.get(path, f="cityjson"),
            outsider.items(f="cityjson"),
            outsider.get("/collections/buildings/download", f="cityjsonseq"),
        ):
            assert '"geometry"' in response.text
            assert '"attributes"' not in response.text
            assert '"address"' not in response.text
        assert '"attributes":' not in outsider.items(f="jsonfg").text


def same(again: list[CityFeature], features: list[CityFeature]) -> None:
    """Features in any order are the same, coordinates to the millimetre."""
    known = {feature.root.id: feature for feature in features}
    assert {feature.root.id for feature in again} == set(known)
    for found in again:
        feature = known[found.root.id]
        assert [(o.id, o.type, o.attributes) for o in found] == [
            (o.id, o.type, o.attributes) for o in feature
        ]
        for ours, theirs in zip(found, feature, strict=True):
            for left, right in zip(ours.geometries, theirs.geometries, strict=True):
                assert (left.type, left.lod, left.semantics) == (right.type, right.lod, right.semantics)
                np.testing.assert_allclose(left.xyz, right.xyz, atol=0.0006)


def test_a_page_and_a_download_are_what_was_imported(client: Client, model: Path, tmp_path: Path) -> None:
    features = imported(model)
    page = client.items(f="cityjson")
    assert page.headers["content-type"] == "application/city+json"
    file = tmp_path / "page.city.json"
    file.write_bytes(page.content)
    same(imported(file), features)
    whole = client.get("/collections/buildings/download", f="cityjsonseq", sortby="-height_m")
    assert whole.headers["content-type"] == "application/city+json-seq"
    assert whole.headers["content-disposition"] == 'attachment; filename="buildings.city.jsonl"'
    head, *lines = map(orjson.loads, whole.content.splitlines())
    assert (head["type"], head["version"], head["CityObjects"]) == ("CityJSON", "2.0", {})
    assert head["metadata"]["referenceSystem"] == "https://www.opengis.net/def/crs/EPSG/0/3301"
    heights = client.items(sortby="-height_m").json()["features"]
    assert [line["id"] for line in lines] == [item["properties"]["object_id"] for item in heights]
    sequence = tmp_path / "whole.city.jsonl"
    sequence.write_bytes(whole.content)
    same(imported(sequence), features)


def test_pages_of_cityjson_have_links(client: Client, model: Path) -> None:
    page = client.items(f="cityjsonseq", limit=5)
    ids = [orjson.loads(line)["id"] for line in page.content.splitlines()[1:]]
    while "next" in page.links:
        page = client.request("GET", page.links["next"]["url"])
        ids += [orjson.loads(line)["id"] for line in page.content.splitlines()[1:]]
    assert sorted(ids) == sorted(feature.root.id for feature in imported(model))


def test_cityjson_of_nothing_and_what_it_does_not_take(client: Client) -> None:
    empty = client.items(f="cityjson", filter="height_m > 1e6").json()
    assert (empty["CityObjects"], empty["vertices"]) == ({}, [])
    (head,) = client.items(f="cityjsonseq", filter="height_m > 1e6").content.splitlines()
    assert orjson.loads(head)["type"] == "CityJSON"
    system = "http://www.opengis.net/def/crs/EPSG/0/3067"
    for more in ({"crs": system}, {"properties": "height_m"}):
        assert "as it was delivered" in client.items(f="cityjson", **more).json()["detail"]
    refused = client.get("/collections/buildings/download", f="cityjson").json()["detail"]
    assert "cityjsonseq" in refused
    assert "cityjsonseq" not in client.get("/collections/roofsurfaces/items", f="cityjson").json()["detail"]


def test_two_datasets_are_two_files(stored: Database, client: Client, tmp_path: Path) -> None:
    other = tmp_path / "helsinki.city.jsonl"
    synthesise(other, city="helsinki", buildings=2, seed=1)
    Ingest(stored.engine).run(other)
    names = [row["name"] for row in client.get("/datasets").json()["datasets"]]
    refused = client.items(f="cityjson")
    assert refused.status_code == 400
    assert all(name in refused.json()["detail"] for name in names)
    assert "Choose one with 'dataset'" in refused.json()["detail"]
    for name in names:
        assert client.items(f="cityjson", dataset=name).status_code == 200
    assert len(client.items(f="jsonfg", limit=100).json()["features"]) == BUILDINGS + 2


def test_json_fg_has_the_solids(client: Client, model: Path) -> None:
    response = client.items(f="jsonfg", city="tallinn")
    assert response.headers["content-type"] == "application/vnd.ogc.fg+json"
    body = response.json()
    assert "http://www.opengis.net/spec/json-fg-1/1.0/conf/polyhedra" in body["conformsTo"]
    assert body["coordRefSys"] == [f"http://www.opengis.net/def/crs/EPSG/0/{n}" for n in (3301, 9663)]
    plain = {feature["id"]: feature for feature in client.items(city="tallinn").json()["features"]}
    known = {feature.root.id: feature for feature in imported(model)}
    assert len(body["features"]) == len(known)
    for feature in body["features"]:
        assert (feature["featureType"], feature["time"]) == ("building", None)
        assert {name: feature[name] for name in plain[feature["id"]]} == plain[feature["id"]]
        own = known[feature["properties"]["object_id"]]
        given = [point for ring in rings(feature["place"]["coordinates"]) for point in ring[:-1]]
        delivered = np.concatenate([g.xyz for o in own for g in o.geometries])
        # Northing comes first in EPSG:3301.
        ours = {(y, x, z) for x, y, z in np.round(delivered, 3).tolist()}
        assert {tuple(point) for point in given} <= ours
        finest = [max(o.geometries, key=lambda g: g.lod) for o in own if o.geometries]
        assert len(list(rings(feature["place"]["coordinates"]))) == sum(len(g.ring_start) - 1 for g in finest)
        for ring in rings(feature["place"]["coordinates"]):
            assert ring[0] == ring[-1]
            assert len(ring) >= 4
    one = client.get(f"/collections/buildings/items/{body['features'][0]['id']}", f="jsonfg").json()
    assert one["place"] == body["features"][0]["place"]
    assert one["conformsTo"] == body["conformsTo"]


def rings(coordinates: list[Any]) -> Iterator[list[list[float]]]:
    """The rings somewhere in nested coordinates."""
    if isinstance(coordinates[0][0], float):
        yield coordinates
        return
    for member in coordinates:
        yield from rings(member)


def test_json_fg_in_another_system_has_outlines(client: Client) -> None:
    system = "http://www.opengis.net/def/crs/EPSG/0/3067"
    found = client.items(f="jsonfg", crs=system).json()
    assert found["coordRefSys"] == system
    places = found["features"]
    outlines = client.items(crs=system).json()["features"]
    assert [feature["place"] for feature in places] == [feature["geometry"] for feature in outlines]
    assert not any("coordRefSys" in feature for feature in places)
    assert [feature["geometry"] for feature in places] == [
        feature["geometry"] for feature in client.items().json()["features"]
    ]


def test_json_fg_has_outlines_in_degrees_for_geometries(client: Client) -> None:
    """JSON-FG 1.0, /req/core/place: a polygon in CRS84 or CRS84h is no place."""
    system = "http://www.opengis.net/def/crs/OGC/0/CRS84h"
    answer = client.items(f="jsonfg", crs=system)
    assert answer.headers["content-crs"] == f"<{system}>"
    found = answer.json()
    assert "coordRefSys" not in found
    outlines = client.items(crs=system).json()["features"]
    assert [len(feature["geometry"]["coordinates"][0][0][0]) for feature in outlines] == [3] * len(outlines)
    assert [(feature["place"], feature["geometry"]) for feature in found["features"]] == [
        (None, feature["geometry"]) for feature in outlines
    ]
    one = client.get(f"/collections/buildings/items/{outlines[0]['id']}", f="jsonfg", crs=system).json()
    assert (one["place"], one["geometry"]) == (None, outlines[0]["geometry"])
