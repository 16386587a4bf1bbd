"""What readers find of parts of buildings is what GeoJSON tells: all properties, and outlines or none."""

import json
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from api.app import create_app
from importers.ingest import ImportOptions, Ingest
from tests.api import parts
from tests.api.client import Client, serving
from tests.clients.test_readers import Rows, by_duckdb, by_gdal, of_table, same
from tests.importers.stored import clean
from twin.db.engine import Database
from twin.model.attributes import BUILDING_PART

NAMES = tuple(attribute.name for attribute in BUILDING_PART)
SEVEN_DIGITS = 1e-10
"""A centimetre around a plan of a hundred metres, in square degrees."""

_csv: Any = import_module("pyarrow.csv")
_ipc: Any = import_module("pyarrow.ipc")
_parquet: Any = import_module("pyarrow.parquet")
_shapely: Any = import_module("shapely")


@pytest.fixture(scope="module")
def client(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    model = parts.written(tmp_path_factory.mktemp("parts") / "block.city.json", parts.model())
    with clean(database.engine):
        Ingest(database.engine, ImportOptions(dataset="block")).run(model)
        with serving(create_app(database.reader(), database.settings)) as client:
            yield client


def test_parts_are_the_same_to_all_readers(client: Client, tmp_path: Path) -> None:
    def downloaded(form: str) -> Path:
        answer = client.get("/collections/buildingparts/download", f=form)
        assert answer.status_code == 200, answer.text
        path = tmp_path / f"parts.{'parquet' if form == 'geoparquet' else form}"
        path.write_bytes(answer.content)
        return path

    expected: Rows = {}
    for part in json.loads(downloaded("geojson").read_text())["features"]:
        outline = part["geometry"] and _shapely.from_geojson(json.dumps(part["geometry"]))
        expected[part["id"]] = (*(part["properties"][name] for name in NAMES), outline)
    assert len(expected) == len(parts.PARENTS)
    table = downloaded("geoparquet")
    same(of_table(_parquet.read_table(table), NAMES), expected, SEVEN_DIGITS)
    same(by_duckdb(table, NAMES), expected, SEVEN_DIGITS)
    with _ipc.open_stream(downloaded("arrow")) as stream:
        same(of_table(stream.read_all(), NAMES), expected, SEVEN_DIGITS)
    same(by_gdal(downloaded("flatgeobuf"), NAMES), expected, SEVEN_DIGITS)
    text = downloaded("csv")
    # Readers of CSV guess types, and take a level of detail for a number.
    names = [name for name in NAMES if name != "lod"]
    plain = {
        id: (*(values[NAMES.index(name)] for name in names), values[-1]) for id, values in expected.items()
    }
    same(of_table(_csv.read_csv(text), names), plain, SEVEN_DIGITS)
    same(by_duckdb(text, names), plain, SEVEN_DIGITS)
