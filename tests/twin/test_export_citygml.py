"""CityGML through the database and back."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from importers.ingest import ImportOptions, Ingest
from importers.reader import open_model
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.stored import clean
from tests.twin.formats.meaning import meaning
from twin.db.collections import FEATURES
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.export import write_features
from twin.model.cityobject import CityFeature

FILES = (
    "citygml/bridge_and_building.gml",
    "citygml/citygml4j/berlin100_v3.gml",
    "citygml/citygml4j/lod3_building_v2.gml",
    "citygml/ogc20/Appearance_TexCoord-Example.gml",
    "citygml/ogc20/Building_LOD4-EPSG25832.gml",
    "citygml/sig3d_genericattributes.gml",
    "citygml/tum_pairs/Berlin_Moabit_1Bldg_v3.gml",
    "citygml/zurich_lod2_citygml1.gml",
    "helsinki/kalasatama_2549_6674.gml",
    "tallinn/ee_tartu_kvissentali_6_lod2.city.json",
    "cityjson/cjio_rotterdam_textured16.json",
    "cityjson/cjdb_geomtemplate.city.jsonl",
)


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


def features(path: Path) -> list[CityFeature]:
    return [item for item in open_model(path) if isinstance(item, CityFeature)]


@needs_shared_data
@pytest.mark.parametrize("name", FILES)
def test_models_come_back_from_the_database(
    database: Database, engine: Engine, tmp_path: Path, name: str
) -> None:
    source, out = SHARED_DATA / name, tmp_path / "out.gml"
    report = Ingest(engine, ImportOptions(dataset="model", allow_unplaced=True)).run(source)
    assert report.refused == []
    ledger: Counter[str] = Counter()
    write_features(database, out, Selection(View(), FEATURES, ("model",)), "citygml", ledger=ledger)
    assert dict(ledger) == {}
    assert meaning(features(out)) == meaning(features(source))
    again = Ingest(engine, ImportOptions(dataset="again", allow_unplaced=True)).run(out)
    assert (again.reference_system, again.added) == (report.reference_system, report.added)
