"""Repairs by `twin process`: kept beside the original, told, exported on request, never half."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from importers.ingest import ImportOptions, Ingest
from importers.reader import open_model
from tests import geometries
from tests.fixtures import ROOT
from tests.importers.stored import clean
from tests.twin.processing.terraces import rows_of
from twin.cli import app
from twin.db import schema
from twin.db.collections import FEATURES
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.db.stored_features import REPAIR_ATTRIBUTE
from twin.export import Format, write_features
from twin.model.cityobject import CityFeature
from twin.processing import pipeline, repair
from twin.processing.repair_features import NONE, NOT_REPAIRABLE, REPAIRED
from twin.processing.validity import delivered, validate

Shell = list[list[list[int]]]

CORNERS = [[x, y, z] for z in (0, 4000) for x, y in ((0, 0), (4000, 0), (4000, 4000), (0, 4000))]
"""Of a cube, in millimetres: the ground counterclockwise, then the roof."""
MIDDLE, NEAR = [2000, 2000, 4000], [4000, 1, 4000]
EXTRA, CLOSE = 8, 9
"""Numbers of the middle of the roof, and of a point a millimetre from its corner 5."""

CUBE: Shell = [
    *([[3, 2, 1, 0]], [[4, 5, 6, 7]]),
    *([[i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i]] for i in range(4)),
]


def with_roof(*ring: int) -> Shell:
    return [CUBE[0], [list(ring)], *CUBE[2:]]


def turned(*faces: int) -> Shell:
    return [[ring[::-1] for ring in face] if n in faces else face for n, face in enumerate(CUBE)]


BUILDINGS: dict[str, tuple[Shell, str, str]] = {
    "sound": (CUBE, "", NONE),
    "two-points": ([*CUBE, [[4, 5]]], "101", REPAIRED),
    "repeated": (with_roof(4, 5, CLOSE, 6, 7), "102", REPAIRED),
    "spike": (with_roof(4, 5, 6, EXTRA, 6, 7), "104", REPAIRED),
    "turned": (turned(1, 4), "307", REPAIRED),
    "inside-out": (turned(*range(6)), "405", REPAIRED),
    "open": (CUBE[:5], "302", NOT_REPAIRABLE),
    "crossed": (with_roof(4, 6, 5, 7), "104", NOT_REPAIRABLE),
    "twice": ([*CUBE, CUBE[1]], "303", NOT_REPAIRABLE),
}
"""Shell, errors, and what comes of it; a roof that is given twice counts twice in every area."""


def model(buildings: dict[str, tuple[Shell, str, str]] = BUILDINGS) -> dict[str, Any]:
    """A row of buildings 20 m apart, and one of two parts, the second of them with a face turned."""
    vertices: list[list[int]] = []
    objects: dict[str, Any] = {}
    for name, (shell, *_) in buildings.items():
        objects[name] = {
            "type": "Building",
            "attributes": {"name": name},
            "geometry": [solid(shell, vertices)],
        }
    if buildings is BUILDINGS:
        for name, shell in (("house-a", CUBE), ("house-b", turned(2))):
            geometry: list[Any] = [
                {"type": "MultiSurface", "lod": "1", "boundaries": []},
                solid(shell, vertices),
            ]
            objects[name] = {"type": "BuildingPart", "parents": ["house"], "geometry": geometry}
        objects["house"] = {"type": "Building", "children": ["house-a", "house-b"]}
    return {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879"},
        "transform": {"scale": [0.001] * 3, "translate": [25496000.0, 6672000.0, 5.0]},
        "CityObjects": objects,
        "vertices": vertices,
    }


def solid(shell: Shell, vertices: list[list[int]]) -> dict[str, Any]:
    """A Solid with vertices of its own."""
    first, east = len(vertices), 20_000 * (len(vertices) // 10)
    vertices += [[x + east, y, z] for x, y, z in (*CORNERS, MIDDLE, NEAR)]
    faces = [[[first + i for i in ring] for ring in face] for face in shell]
    return {"type": "Solid", "lod": "2", "boundaries": [faces]}


def imported(engine: Engine, path: Path, **options: Any) -> None:
    path.write_text(json.dumps(model(**options)))
    report = Ingest(engine, ImportOptions(dataset="broken")).run(path)
    assert report.refused == []


@pytest.fixture
def engine(database: Database, tmp_path: Path) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        imported(engine, tmp_path / "broken.city.json")
        yield engine


def processed(engine: Engine, **options: Any) -> pipeline.ProcessReport:
    [report] = pipeline.process(engine, "broken", **options)
    return report


def shown(engine: Engine) -> dict[str, dict[str, Any]]:
    return {row["object_id"]: row for row in rows_of(engine, schema.feature)}


def written(engine: Engine, *tables: Any) -> list[list[str]]:
    return [[str(value) for value in row.values()] for table in tables for row in rows_of(engine, table)]


def state(engine: Engine) -> list[list[str]]:
    return written(engine, schema.object_repair, schema.object_validity, schema.feature)


def test_what_can_be_repaired_is_and_the_rest_is_said_not_to_be(engine: Engine) -> None:
    report = processed(engine)
    features = shown(engine)
    for name, (_, codes, expected) in BUILDINGS.items():
        assert (features[name]["validity_codes"], features[name]["repair"]) == (codes, expected), name
        assert features[name]["valid"] is (codes == "")
        properties = json.loads(features[name]["geojson"])["properties"]
        assert properties["repair"] == expected
    assert (features["house"]["validity_codes"], features["house"]["repair"]) == ("307", REPAIRED)
    repaired = {name for name, feature in features.items() if feature["repair"] == REPAIRED}
    assert (report.invalid, report.repaired) == (9, len(repaired)) == (9, 6)
    assert {row["object_id"] for row in rows_of(engine, schema.object_repair)} == repaired


def test_each_step_is_logged_with_what_it_changed(engine: Engine) -> None:
    processed(engine)
    rows = {row["part_id"]: row for row in rows_of(engine, schema.object_repair)}
    assert (rows["house-b"]["object_id"], rows["house-b"]["ordinal"]) == ("house", 1)
    for name in ("two-points", "repeated", "spike", "turned", "inside-out", "house-b"):
        row = rows[name]
        assert row["volume_before_m3"] == pytest.approx(64.0, rel=repair.TOLERANCE)
        assert row["area_after_m2"] == pytest.approx(row["area_before_m2"], rel=repair.TOLERANCE)
        change = sum(step["volume_change_m3"] for step in row["steps"])
        assert change == pytest.approx(row["volume_after_m3"] - row["volume_before_m3"], abs=1e-9)
    [step] = rows["repeated"]["steps"]
    assert (step["code"], step["before"], step["after"]) == (102, "6 faces, 25 points", "6 faces, 24 points")
    # The other corner lies on the same edge, so no area is lost with the point.
    assert abs(step["area_change_m2"]) < 1e-9


def test_the_original_stays_as_it_was(engine: Engine) -> None:
    before = written(engine, schema.object_geometry)
    measured = {name: row["volume_m3"] for name, row in shown(engine).items()}
    processed(engine)
    assert written(engine, schema.object_geometry) == before
    assert {name: row["volume_m3"] for name, row in shown(engine).items()} == measured


def test_a_second_run_writes_nothing_and_a_forced_one_the_same(engine: Engine) -> None:
    processed(engine)
    first = state(engine)
    assert processed(engine).rows_written == 0
    assert state(engine) == first
    processed(engine, force=True, partitions=4)
    assert state(engine) == first


def test_a_changed_building_loses_its_repair(engine: Engine, tmp_path: Path) -> None:
    processed(engine)
    mended = {**BUILDINGS, "turned": (CUBE, "", NONE), "sound": (turned(3), "307", REPAIRED)}
    imported(engine, tmp_path / "again.city.json", buildings=mended)
    parts = {row["part_id"] for row in rows_of(engine, schema.object_repair)}
    assert "turned" not in parts
    assert processed(engine).computed["validity"] == 2
    features = shown(engine)
    assert (features["turned"]["repair"], features["sound"]["repair"]) == (NONE, REPAIRED)
    parts = {row["part_id"] for row in rows_of(engine, schema.object_repair)}
    assert "sound" in parts
    assert "turned" not in parts


KILLED = """
import os, signal
from twin.db import jobs
from twin.db.engine import database
from twin.processing import pipeline
from twin.settings import load

finish = jobs.finish
def dying(connection, key, *counts):
    if key.stage == "validity":
        os.kill(os.getpid(), signal.SIGKILL)
    finish(connection, key, *counts)
jobs.finish = dying
with database(load()) as opened:
    pipeline.process(opened.engine, "broken")
"""


def test_a_killed_worker_leaves_no_repairs_and_the_next_run_makes_them(
    engine: Engine, database: Database
) -> None:
    environment = {**os.environ, "TWIN_HOME": str(database.settings.home)}
    killed = subprocess.run([sys.executable, "-c", KILLED], cwd=ROOT, env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert rows_of(engine, schema.object_repair) == []
    assert rows_of(engine, schema.object_validity) == []
    assert processed(engine).repaired == 6


def test_an_explanation_tells_the_steps_or_why_there_are_none(engine: Engine) -> None:
    processed(engine)
    [step] = pipeline.explain(engine, "broken.turned").document["repair"]
    assert (step["code"], step["part"]) == (307, "turned")
    assert step["what"] == "faces turned like their neighbours: 2"
    lines = list(pipeline.explain(engine, "broken.open").lines())
    at = lines.index("repair")
    assert lines[at + 1] == "  repair not repairable, why no safe repair answers 302"
    [row] = pipeline.explain(engine, "broken.twice").document["repair"]
    assert row["why"] == "what safe repairs give is not valid, or measures otherwise"
    assert pipeline.explain(engine, "broken.sound").document["repair"] == []


def test_a_building_of_too_many_points_is_not_repaired(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(repair, "MAX_POINTS", 24)
    processed(engine)
    features = shown(engine)
    assert features["repeated"]["repair"] == NOT_REPAIRABLE
    assert features["turned"]["repair"] == REPAIRED


def read(path: Path) -> dict[str, CityFeature]:
    entries = [entry for entry in open_model(path) if isinstance(entry, CityFeature)]
    return {feature.root.id: feature for feature in entries}


NAMES: dict[Format, str] = {
    "cityjson": "out.city.json",
    "cityjsonseq": "out.city.jsonl",
    "citygml": "out.gml",
}


@pytest.mark.parametrize("format", NAMES)
def test_an_export_has_the_repaired_geometry_where_it_is_asked_for(
    engine: Engine, database: Database, tmp_path: Path, format: Format
) -> None:
    processed(engine)
    out = tmp_path / NAMES[format]
    features = shown(engine)

    def exported(repaired: bool) -> dict[str, CityFeature]:
        write_features(database, out, Selection(View(), FEATURES, ("broken",)), format, repaired=repaired)
        found = read(out)
        assert found.keys() == features.keys()
        return found

    mended, plain = exported(repaired=True), exported(repaired=False)
    for name, feature in features.items():
        valid = [validate([delivered(found[name], "2")]).valid[0] for found in (mended, plain)]
        assert valid == [feature["repair"] != NOT_REPAIRABLE, feature["valid"]], name
    said = {item.id for feature in mended.values() for item in feature if REPAIR_ATTRIBUTE in item.attributes}
    assert said == {row["part_id"] for row in rows_of(engine, schema.object_repair)}
    assert mended["turned"].root.attributes[REPAIR_ATTRIBUTE] == "307: faces turned like their neighbours: 2"
    assert not any(REPAIR_ATTRIBUTE in item.attributes for feature in plain.values() for item in feature)
    assert np.array_equal(mended["sound"].root.geometries[0].xyz, plain["sound"].root.geometries[0].xyz)


def test_repairs_of_a_time_before_are_refused(tmp_path: Path) -> None:
    out = str(tmp_path / "out.city.json")
    done = CliRunner().invoke(app, ["export", out, "--repaired", "--datetime", "2026-05-01"])
    assert done.exit_code == 2
    assert "leave out" in done.output


def test_the_command_counts_invalid_and_repaired(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    done = CliRunner().invoke(app, ["process", "--dataset", "broken"])
    assert done.exit_code == 0, done.output
    assert "9 invalid, 6 of them repaired" in done.output + capsys.readouterr().err


def test_many_repairs_are_made_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many checks as rounds, not as geometries."""
    calls: list[int] = []

    def counted(objects: Any) -> Any:
        calls.append(len(objects))
        return validate(objects)

    monkeypatch.setattr(repair, "validate", counted)
    shapes = [geometries.reversed_faces(geometries.cube(4.0), [n % 6]) for n in range(50)]
    assert all(repair.repair_all(shapes))
    assert calls == [50, 50]
