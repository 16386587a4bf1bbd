"""Every model of the corpora: as many objects as its manifest says, stored, and the same in each format."""

import csv
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from sqlalchemy import func, select

from importers.harmonise import harmonise
from importers.ingest import ImportOptions, Ingest
from importers.port import Refused
from importers.reader import open_model
from importers.sources import recognise
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.stored import remove_all
from tests.reference_cjio import cityjson
from twin.db import schema
from twin.db.engine import Database
from twin.errors import UnreadableFile
from twin.formats.canonical import canonical, differences
from twin.model.cityobject import CityFeature
from twin.model.crs import ReferenceSystem

pytestmark = needs_shared_data
EXPLAINED = {
    "cityjson/cjval/cube_20.jsonl": 4,
    "cityjson/cjval/extension.jsonl": 4,
    "cityjson/cjval/o.json": 1,
    "cityjson/cjval/sem.json": 1,
}
"""Objects read where the manifest counts more; docs/reference/corpora.md says why."""
NO_MODELS = ("cityjson/cjval/generic.ext.json", "cityjson/cjval/o4.json")
FOLDERS = ("citygml", "cityjson", "helsinki", "tallinn")


def _manifest() -> Iterator[tuple[str, int]]:
    path = SHARED_DATA / "MANIFEST.tsv"
    if path.exists():
        with path.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t"):
                if row["file"].startswith(FOLDERS) and row["file"] not in NO_MODELS:
                    yield row["file"], int(row["n top-level city objects"])


MANIFEST = dict(_manifest())


def _features(name: str) -> list[CityFeature]:
    return [item for item in open_model(SHARED_DATA / name) if isinstance(item, CityFeature)]


@pytest.mark.parametrize("name", MANIFEST)
def test_counts_are_those_of_the_manifest(name: str) -> None:
    """The manifest counts first-level objects of CityGML and all objects of CityJSON."""
    features = _features(name)
    counted = len(features) if name.endswith(".gml") else sum(len(feature.objects) for feature in features)
    assert counted == EXPLAINED.get(name, MANIFEST[name])


@pytest.mark.parametrize("name", NO_MODELS)
def test_what_is_no_model_of_a_known_version_is_refused(name: str) -> None:
    with pytest.raises(UnreadableFile, match=r"CityJSONExtension|version '0\.9'"):
        open_model(SHARED_DATA / name)


def test_every_citygml_is_stored_whole(database: Database) -> None:
    """Those of CityJSON are stored by the test of their round trip."""
    remove_all(database.engine)
    names = [name for name in MANIFEST if name.endswith(".gml")]
    rows: dict[str, int] = {}
    for name in names:
        dataset = re.sub("[^a-z0-9]", "_", name.lower())[-60:].strip("_")
        report = Ingest(database.engine, ImportOptions(dataset=dataset, allow_unplaced=True)).run(
            SHARED_DATA / name
        )
        assert (report.refused, report.read) == ([], MANIFEST[name]), name
        rows[dataset] = sum(len(feature.objects) for feature in _features(name))
    counts = (
        select(schema.dataset.c.name, func.count())
        .join(schema.city_object, schema.city_object.c.dataset_id == schema.dataset.c.id)
        .group_by(schema.dataset.c.name)
    )
    with database.engine.connect() as connection:
        assert {row.name: row.count for row in connection.execute(counts)} == rows
    remove_all(database.engine)


def _expected() -> list[tuple[str, str]]:
    path = SHARED_DATA / "invalid" / "EXPECTED.tsv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [(row["file"], row["expected"]) for row in csv.DictReader(file, delimiter="\t")]


@pytest.mark.parametrize(("name", "expected"), _expected())
def test_invalid_files_are_treated_as_expected(name: str, expected: str) -> None:
    found: list[CityFeature | Refused] = []
    whole = ""
    try:
        found = list(open_model(SHARED_DATA / "invalid" / name))
    except UnreadableFile as error:
        whole = str(error)
    if whole:
        assert expected.startswith("reject")
        assert "line 117" in whole or "line 117" not in expected
        return
    refused = [item for item in found if isinstance(item, Refused)]
    if expected.startswith("accept"):
        assert refused == []
        assert found
    else:
        assert refused
        assert len(refused) == len(found), "nothing of it is taken"
        assert all(entry.reason and entry.suggestion for entry in refused)


def _harmonised(name: str) -> dict[str, dict[str, Any]]:
    model = open_model(SHARED_DATA / name)
    features = [item for item in model if isinstance(item, CityFeature)]
    roots = [feature.root for feature in features]
    source = recognise(model.metadata, ReferenceSystem(None), roots, None, None)
    return {item.id: harmonise(source, item).values for feature in features for item in feature}


def test_the_berlin_trio_says_the_same_in_harmonised_words() -> None:
    gml, seq, json = (
        _harmonised(f"{name}")
        for name in (
            "citygml/citygml4j/berlin100_v3.gml",
            "cityjson/citygml4j_berlin100.city.jsonl",
            "cityjson/citygml4j_berlin100_cj20.json",
        )
    )
    assert len(gml) == 100
    assert gml == seq == json


@pytest.mark.parametrize("name", ["Berlin_Moabit_1Bldg_v{}", "CityGML_v{}", "CityGML_v{}_extended"])
def test_pairs_say_the_same_in_harmonised_words(name: str) -> None:
    old, new = (_harmonised(f"citygml/tum_pairs/{name.format(version)}.gml") for version in (2, 3))
    assert old == new


def test_appearances_of_a_pair_are_the_same() -> None:
    old, new = (_features(f"citygml/tum_pairs/Berlin_Moabit_1Bldg_v{version}.gml")[0] for version in (2, 3))
    looks = [[g.appearance for item in feature for g in item.geometries] for feature in (old, new)]
    shown = [
        [(a.materials, a.textures, sorted(a.material), sorted(a.texture)) for a in found if a is not None]
        for found in looks
    ]
    assert shown[0] == shown[1]
    assert shown[0]


OLD_FILES = [
    "threejs_3dfier_cj10_98.json",
    "cjio_denhaag_materials.json",
    "cjio_zurich_lod2_210.json",
    "cjval/many.json",
    "cjval/noise1.city.json",
    "cjval/sem_point.city.json",
]


@pytest.mark.parametrize("name", OLD_FILES)
def test_old_versions_are_what_cjio_makes_of_them(name: str) -> None:
    source = orjson.loads((SHARED_DATA / "cityjson" / name).read_bytes())
    model: Any = cityjson.CityJSON(j=orjson.loads(orjson.dumps(source)))
    model.upgrade_version("2.0", 3)
    upgraded = orjson.loads(orjson.dumps(model.j))
    kept = canonical([upgraded])["CityObjects"].keys()
    assert kept == canonical([source])["CityObjects"].keys()
    # cjio writes its own extent and drops metadata that are not in the standard.
    found = [text for text in differences([source], [upgraded]) if not text.startswith("/metadata")]
    assert found == []
