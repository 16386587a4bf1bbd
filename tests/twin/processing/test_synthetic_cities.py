"""Every computed attribute of synthetic cities has its true value, by the very stages of `twin process`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from importers.ingest import ImportOptions, Ingest
from importers.reader import open_model
from importers.synthetic import CityName, synthesise
from importers.synthetic.city import CITIES
from tests import geometries
from tests.fixtures import ROOT
from tests.importers.stored import clean, features
from tests.twin.processing.in_memory import Town
from tests.twin.processing.synthetic_truth import Comparison, expected, tolerances
from twin.db.engine import Database
from twin.model.attributes import Origin, of_origin
from twin.model.cityobject import CityFeature, highest_lod, shapes_at
from twin.model.crs import ReferenceSystem
from twin.model.geometry import Geometry, SurfaceType, concatenate
from twin.processing.compute import measure
from twin.processing.pipeline import process

SEED = 7
RESULT = ROOT / "docs" / "truth.json"
"""The largest difference of each attribute from its truth, as the documentation tells it."""

HEIGHTS = {"helsinki": 3900, "tallinn": 9663}
COMPUTED = {attribute.name for attribute in of_origin(Origin.COMPUTED)}


def town_of(path: Path, city: CityName) -> Town:
    """A model, measured and processed; its roofs add up."""
    model = (entry for entry in open_model(path) if isinstance(entry, CityFeature))
    town = Town(model, ReferenceSystem(CITIES[city].epsg, HEIGHTS[city]), city)
    town.process()
    assert set(town.problems.values()) == {None}
    for root, faces in town.roof_faces.items():
        values = town.values[root]
        assert sum(f["area_m2"] for f in faces) == pytest.approx(values["roof_area_m2"], rel=1e-6), root
        assert sum(f["plan_area_m2"] for f in faces) == pytest.approx(values["ground_area_m2"], rel=1e-6)
    return town


def compared(path: Path, city: CityName, count: int, comparison: Comparison) -> None:
    """Make a city, measure it and compare each building with its truth."""
    synthesise(path, city=city, buildings=count, seed=SEED)
    town = town_of(path, city)
    seen = 0
    for object_id, truth in expected(path, city, count, SEED):
        computed = {name: value for name, value in truth.items() if name in COMPUTED}
        assert computed.keys() == COMPUTED
        comparison.take(object_id, computed, town.values[object_id])
        seen += 1
    assert seen == len(town.values) == count


@pytest.mark.parametrize("city", CITIES)
def test_a_town_of_a_thousand_buildings(tmp_path: Path, city: CityName) -> None:
    comparison = Comparison()
    compared(tmp_path / "town.city.jsonl", city, 1000, comparison)
    assert comparison.wrong == []
    assert set(comparison.compared.values()) == {1000}


@pytest.mark.slow
def test_a_hundred_thousand_buildings(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """With ``--bless``, what was found becomes what the documentation says."""
    comparison = Comparison()
    for city in CITIES:
        compared(tmp_path / f"{city}.city.jsonl", city, 50_000, comparison)
    assert comparison.wrong == []
    assert set(comparison.compared.values()) == {100_000}
    if request.config.getoption("--bless"):
        found = {name: float(f"{comparison.largest[name]:.1e}") for name in sorted(comparison.largest)}
        RESULT.write_text(json.dumps({"buildings": 100_000, "largest": found}, indent=2) + "\n")


MISSING = (SurfaceType.WALL, SurfaceType.GROUND, SurfaceType.ROOF)


@pytest.mark.parametrize("city", CITIES)
@pytest.mark.parametrize("missing", MISSING)
def test_quality_says_what_is_missing(tmp_path: Path, city: CityName, missing: SurfaceType) -> None:
    """Of each building the largest face of a type is left out; named (Helsinki) or not (Tallinn)."""
    path = tmp_path / "town.city.jsonl"
    synthesise(path, city=city, buildings=300, seed=SEED)
    models = [entry for entry in open_model(path) if isinstance(entry, CityFeature)]
    lods = [highest_lod(model.objects) for model in models]
    whole = [shape.whole() for shape in shapes_at(models, lods)]
    damaged = measure(concatenate([_without_largest(parts, missing) for parts in whole])).values
    sound = measure(concatenate(whole)).values
    assert set(sound["quality"]) == {"exact"}
    assert not any(damaged["closed"])
    given = {quality for quality in damaged["quality"] if quality is not None}
    assert given == {"prism" if missing is SurfaceType.WALL else "estimated"}
    if missing is SurfaceType.ROOF:
        # Under no roof at all there is no volume to tell of.
        without = [area == 0.0 for area in damaged["roof_area_m2"]]
        assert [quality is None for quality in damaged["quality"]] == without
        assert sum(without) > 0
        assert all(v <= s for v, s in zip(damaged["volume_m3"], sound["volume_m3"], strict=True) if v == v)
        return
    for name in ("volume_m3", "roof_area_m2", "height_m"):
        assert damaged[name] == pytest.approx(sound[name], rel=1e-6), name
    assert set(damaged["volume_method"]) == {"roof-ground integral"}


def _without_largest(parts: Sequence[Geometry], missing: SurfaceType) -> list[Geometry]:
    measures = measure(concatenate([[part] for part in parts]))
    area = np.where(measures.surface_type == missing, measures.face_area_m2, 0.0)
    start = measures.boundary.batch.object_start
    part = int(np.searchsorted(start, area.argmax(), side="right")) - 1
    face = int(area.argmax() - start[part])
    return [*parts[:part], geometries.without_faces(parts[part], [face]), *parts[part + 1 :]]


def test_every_number_has_a_tolerance() -> None:
    numbers = {a.name for a in of_origin(Origin.COMPUTED) if a.type == "number"}
    assert tolerances().keys() == numbers
    told = json.loads(RESULT.read_text())["largest"]
    assert told.keys() == numbers
    assert [name for name, found in told.items() if found > tolerances()[name].absolute] == []


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


MODELS: list[tuple[CityName, str, int]] = [
    ("helsinki", ".gml", 2000),
    ("tallinn", ".gml", 2000),
    ("helsinki", ".city.jsonl", 300),
    ("tallinn", ".city.json", 300),
]


@pytest.mark.parametrize(("city", "suffix", "count"), MODELS)
def test_the_database_holds_the_truth(
    engine: Engine, tmp_path: Path, city: CityName, suffix: str, count: int
) -> None:
    """What the register knows as well as what is computed, by import and `twin process`."""
    path = tmp_path / f"{city}{suffix}"
    synthesise(path, city=city, buildings=count, seed=SEED)
    report = Ingest(engine, ImportOptions()).run(path)
    assert (report.added, report.refused, report.problems) == (count, [], [])
    assert not report.unknown_codes
    process(engine, report.dataset)
    stored = {row["object_id"]: row for row in features(engine, report.dataset)}
    assert len(stored) == count
    comparison = Comparison()
    for object_id, truth in expected(path, city, count, SEED):
        comparison.take(object_id, truth, stored[object_id])
    assert comparison.wrong == []
    assert comparison.compared.keys() >= COMPUTED
    assert {comparison.compared[name] for name in COMPUTED} == {count}
