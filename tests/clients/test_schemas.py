"""CityJSON passes the schemas of CityJSON 2.0, and JSON-FG those of JSON-FG, where folders have them.

`CITYJSON_SCHEMAS` names one with `cityjson.schema.json` and `cityjsonfeature.schema.json` of cityjson.org,
`JSONFG_SCHEMAS` one with `feature.json` and `featurecollection.json` of OGC 21-045. They are no part of
the project.
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


def validator(path: Path) -> Any:
    if not path.is_file():
        pytest.skip(f"no folder with {path.name} is named")
    schema = json.loads(path.read_text())
    return _jsonschema.validators.validator_for(schema)(schema)


@pytest.mark.parametrize("city", ["helsinki", "tallinn"])
def test_items_pages_and_sequences(client: Client, city: str) -> None:
    whole, feature = (validator(CITYJSON / f"{name}.schema.json") for name in ("cityjson", "cityjsonfeature"))
    page = client.get(ITEMS, dataset=city).json()["features"]
    assert len(page) == 8
    for item in page:
        whole.validate(client.get(f"{ITEMS}/{item['id']}", f="cityjson").json())
    whole.validate(client.get(ITEMS, dataset=city, f="cityjson").json())
    first, *features = client.get(ITEMS, dataset=city, f="cityjsonseq").text.splitlines()
    whole.validate(json.loads(first))
    for line in features:
        feature.validate(json.loads(line))
    with pytest.raises(_jsonschema.ValidationError):
        whole.validate({**json.loads(first), "vertices": "none"})


@pytest.mark.parametrize(
    ("city", "places"), [("helsinki", {"Polyhedron", "MultiPolyhedron"}), ("tallinn", {"MultiPolygon"})]
)
def test_features_and_places(client: Client, city: str, places: set[str]) -> None:
    one, many = (validator(JSON_FG / f"{name}.json") for name in ("feature", "featurecollection"))
    page = client.get(ITEMS, dataset=city, f="jsonfg").json()
    many.validate(page)
    assert {feature["place"]["type"] for feature in page["features"]} == places
    many.validate(client.get(ITEMS, dataset=city, f="jsonfg", crs=f"{EPSG}/3067").json())
    for feature in page["features"]:
        found = client.get(f"{ITEMS}/{feature['id']}", f="jsonfg").json()
        one.validate(found)
        with pytest.raises(_jsonschema.ValidationError):
            one.validate({**found, "place": {**found["place"], "coordinates": [[[[0, 1]]]]}})
