"""JSON-FG passes what JSON-FG 1.0 asks of it, and CityJSON what CityJSON 2.0 does.

`CITYJSON_SCHEMAS` names one with `cityjson.schema.json` and `cityjsonfeature.schema.json` of cityjson.org,
`JSONFG_SCHEMAS` one with `feature.json` and `featurecollection.json` of https://schemas.opengis.net/json-fg,
to be asked beside our own words of them. Those of the publishers are no part of the project.
"""

import json
import os
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from importers.ingest import ImportOptions, Ingest
from importers.synthetic import CityName, synthesise
from tests.api.client import Client, serving
from tests.clients import cityjson_schema, jsonfg_schema
from tests.importers.stored import clean
from twin.db.engine import Database

CITYJSON, JSON_FG = (Path(os.environ.get(f"{name}_SCHEMAS", "none")) for name in ("CITYJSON", "JSONFG"))
DELIVERIES: tuple[tuple[CityName, str], ...] = (("helsinki", "gml"), ("tallinn", "city.jsonl"))
ITEMS = "/collections/buildings/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0"
_jsonschema: Any = import_module("jsonschema")


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with clean(database.engine) as engine:
        for city, ending in DELIVERIES:
            path = tmp_path_factory.mktemp("schemas") / f"{city}.{ending}"
            synthesise(path, city=city, buildings=8, seed=6)
            Ingest(engine, ImportOptions(dataset=city)).run(path)
        with serving(create_app(database.reader(), database.settings)) as client:
            yield client


def compiled(schema: Any) -> Any:
    return _jsonschema.validators.validator_for(schema)(schema)


def validators(own: Any, folder: Path, names: dict[str, str]) -> Iterator[list[Any]]:
    """One for each name: in our own words and, where a folder is named, in those of the files in it."""
    yield [compiled(own.document(name)) for name in names]
    if folder.is_dir():
        yield [compiled(json.loads((folder / file).read_text())) for file in names.values()]


def validators_of_json_fg() -> Iterator[list[Any]]:
    names = {name: f"{name}.json" for name in ("feature", "featurecollection")}
    return validators(jsonfg_schema, JSON_FG, names)


def validators_of_cityjson() -> Iterator[list[Any]]:
    names = {name: f"{name}.schema.json" for name in ("cityjson", "cityjsonfeature")}
    return validators(cityjson_schema, CITYJSON, names)


@pytest.mark.parametrize("city", ["helsinki", "tallinn"])
def test_items_pages_and_sequences(client: Client, city: str) -> None:
    page = client.get(ITEMS, dataset=city).json()["features"]
    assert len(page) == 8
    documents = [client.get(f"{ITEMS}/{item['id']}", f="cityjson").json() for item in page]
    documents.append(client.get(ITEMS, dataset=city, f="cityjson").json())
    first, *features = map(json.loads, client.get(ITEMS, dataset=city, f="cityjsonseq").text.splitlines())
    assert len(features) == 8
    for whole, feature in validators_of_cityjson():
        for document in (first, *documents):
            whole.validate(document)
        for line in features:
            feature.validate(line)
        for wrong in wrong_models(documents[0]):
            assert not whole.is_valid(wrong)
        assert not feature.is_valid({**features[0], "vertices": "none"})


def wrong_models(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is not CityJSON 2.0."""
    yield {**document, "vertices": "none"}
    yield {name: value for name, value in document.items() if name != "transform"}
    changes: list[dict[str, Any]] = [
        {"lod": 2}, {"boundaries": [[0, 1, 2]]}, {"semantics": {"surfaces": []}}, {"type": "Cube"}
    ]  # fmt: skip
    for change in changes:
        objects = {id: changed(item, change) for id, item in document["CityObjects"].items()}
        yield {**document, "CityObjects": objects}


def changed(item: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """An object with a change in each of its geometries."""
    return {**item, "geometry": [{**geometry, **change} for geometry in item.get("geometry", ())]}


@pytest.mark.parametrize(
    ("city", "places"), [("helsinki", {"Polyhedron", "MultiPolyhedron"}), ("tallinn", {"MultiPolygon"})]
)
def test_features_and_places(client: Client, city: str, places: set[str]) -> None:
    page = client.get(ITEMS, dataset=city, f="jsonfg").json()
    assert {feature["place"]["type"] for feature in page["features"]} == places
    projected = client.get(ITEMS, dataset=city, f="jsonfg", crs=f"{EPSG}/3067").json()
    items = [client.get(f"{ITEMS}/{feature['id']}", f="jsonfg").json() for feature in page["features"]]
    assert [item["coordRefSys"] for item in items] == [page["coordRefSys"]] * 8
    for one, many in validators_of_json_fg():
        many.validate(page)
        many.validate(projected)
        for item in items:
            one.validate(item)
            for wrong in wrongs(item):
                assert not one.is_valid(wrong)
            assert not many.is_valid({**page, "features": [item]})


def wrongs(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What is not JSON-FG."""
    place = item["place"]
    yield {**item, "place": {**place, "coordinates": [[[[0, 1]]]]}}
    yield {**item, "place": {**place, "coordRefSys": item["coordRefSys"]}}
    yield {**item, "coordRefSys": item["coordRefSys"][:1]}
    yield {**item, "geometry": {"type": "Polyhedron", "coordinates": place["coordinates"]}}
    yield {name: value for name, value in item.items() if name != "conformsTo"}


def test_places_of_both_cities_are_in_one_system(client: Client) -> None:
    page = client.get(ITEMS, f="jsonfg", limit=20).json()
    assert page["coordRefSys"] == f"{EPSG}/4979"
    assert {feature["properties"]["city"] for feature in page["features"]} == {"helsinki", "tallinn"}
    for _, many in validators_of_json_fg():
        many.validate(page)
    for feature in page["features"]:
        west, south, east, north = bounds(feature["geometry"]["coordinates"])
        low_lat, low_lon, high_lat, high_lon = bounds(feature["place"]["coordinates"])
        # The outline is what all surfaces cover, seen from above.
        assert (low_lon, high_lon) == pytest.approx((west, east), abs=2e-5)
        assert (low_lat, high_lat) == pytest.approx((south, north), abs=2e-5)


def bounds(coordinates: Any) -> tuple[float, float, float, float]:
    """Of the first two numbers of all positions."""
    points = [*positions(coordinates)]
    low, high = (tuple(edge(values) for values in zip(*points, strict=True))[:2] for edge in (min, max))
    return (*low, *high)


def positions(coordinates: Any) -> Iterator[list[float]]:
    if isinstance(coordinates[0], float | int):
        yield coordinates
        return
    for member in coordinates:
        yield from positions(member)
