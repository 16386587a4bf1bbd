"""A synthetic city, imported, measured and processed, has the values that its closed forms give."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest
from sqlalchemy import Engine

from importers.ingest import ImportOptions, Ingest
from importers.synthetic import synthesise
from tests.importers.stored import clean, features
from twin.db.engine import Database
from twin.model.attributes import BY_NAME, Group
from twin.processing.pipeline import process

BUILDINGS = 300
TOLERANCE_M = 0.002
"""Coordinates in the files are rounded to millimetres."""
TOLERANCE_DEG = 0.05
TOLERANCE_SHAPE = 0.001


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


@pytest.mark.parametrize("city", ["helsinki", "tallinn"])
@pytest.mark.parametrize("suffix", [".gml", ".city.jsonl"])
def test_every_attribute_has_its_true_value(
    engine: Engine, tmp_path: Path, city: Literal["helsinki", "tallinn"], suffix: str
) -> None:
    path = tmp_path / f"{city}{suffix}"
    synthesise(path, city=city, buildings=BUILDINGS, seed=7)
    report = Ingest(engine, ImportOptions()).run(path)
    assert (report.added, report.refused, report.problems) == (BUILDINGS, [], [])
    assert not report.unknown_codes
    process(engine, report.dataset)
    stored = {row["object_id"]: row for row in features(engine, report.dataset)}
    with Path(f"{path}.truth.csv").open() as file:
        truths = {row["object_id"]: row for row in csv.DictReader(file)}
    assert stored.keys() == truths.keys()
    wrong = [
        (object_id, truth["shape"], name, value, stored[object_id][name])
        for object_id, truth in truths.items()
        for name, value in truth.items()
        if name in BY_NAME and not agrees(name, value, stored[object_id][name])
    ]
    assert not wrong, wrong[:10]


def agrees(name: str, truth: str, value: Any) -> bool:
    """Whether a stored value is the text of the truth file, numbers within what rounding may do."""
    if truth == "" or value is None:
        return (truth == "") == (value is None)
    kind = BY_NAME[name].type
    if kind == "boolean":
        return truth == str(value).lower()
    if kind == "text":
        return truth == value
    if name.endswith("_azimuth_deg"):
        return abs((float(truth) - value + 90.0) % 180.0 - 90.0) <= TOLERANCE_DEG
    if BY_NAME[name].group == Group.SHAPE:
        return abs(float(truth) - value) <= TOLERANCE_SHAPE
    slack = TOLERANCE_M if BY_NAME[name].unit == "m" else 1e-4 * abs(float(truth)) + 0.01
    return abs(float(truth) - value) <= slack
