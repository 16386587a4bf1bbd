"""The core of measuring beside a plain loop over faces that shares nothing with it but the definitions."""

from collections.abc import Sequence

import pytest

from benchmarks import naive
from benchmarks.bench_processing import delft, houses
from tests import geometries
from tests.fixtures import needs_shared_data
from twin.model.geometry import Geometry, concatenate
from twin.processing.compute import measure_core
from twin.processing.values import plain_rows


def assert_same(buildings: Sequence[Sequence[Geometry]]) -> None:
    batch = concatenate(buildings)
    measures = measure_core(batch)
    rows = plain_rows(measures.values)
    for number, building in enumerate(buildings):
        expected = naive.core(building)
        faces = slice(batch.object_start[number], batch.object_start[number + 1])
        for name in ("face_area_m2", "face_slope_deg", "face_azimuth_deg"):
            found = getattr(measures, name)[faces]
            assert found == pytest.approx(expected.pop(name), rel=1e-6, abs=1e-6, nan_ok=True), (number, name)
        assert rows[number].keys() == expected.keys()
        for name, value in rows[number].items():
            close = pytest.approx(value, rel=1e-6, abs=1e-5) if isinstance(value, float) else value
            assert expected[name] == close, (number, name)


@needs_shared_data
def test_every_value_of_every_building_of_delft() -> None:
    assert_same(delft())


def test_every_value_of_houses() -> None:
    assert_same(houses())


def test_houses_inside_out_and_without_a_roof() -> None:
    whole = geometries.gable()
    count = len(whole.surface_start) - 1
    assert_same([[geometries.reversed_faces(whole, range(count))], [geometries.reversed_faces(whole, [1])]])
