"""CityJSON passes the schemas of CityJSON 2.0, where a folder has them.

`CITYJSON_SCHEMAS` names one with `cityjson.schema.json` and `cityjsonfeature.schema.json`. They are those of
cityjson.org, and no part of the project.
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

FOLDER = Path(os.environ.get("CITYJSON_SCHEMAS", "none"))
DELIVERIES: tuple[tuple[CityName, str], ...] = (("helsinki", "gml"), ("tallinn", "city.jsonl"))
ITEMS = "/collections/buildings/items"
_jsonschema: Any = import_module("jsonschema")

pytestmark = pytest.mark.skipif(
    not (FOLDER / "cityjson.schema.json").is_file(),
    reason="CITYJSON_SCHEMAS names no folder with schemas",
)


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with clean(database.engine) as engine:
        for city, ending in DELIVERIES:
            path = tmp_path_factory.mktemp("schemas") / f"{city}.{ending}"
            synthesise(path, city=city, buildings=8, seed=6)
            Ingest(engine, ImportOptions(dataset=city)).run(path)
        with serving(create_app(database.reader(), database.settings)) as client:
            yield client


def validator(name: str) -> Any:
    schema = json.loads((FOLDER / name).read_text())
    return _jsonschema.validators.validator_for(schema)(schema)


@pytest.mark.parametrize("city", ["helsinki", "tallinn"])
def test_items_pages_and_sequences(client: Client, city: str) -> None:
    whole, feature = validator("cityjson.schema.json"), validator("cityjsonfeature.schema.json")
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
