"""Shells are taken for their own hulls where their hulls have the same volume, and are that often."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from importers.reader import open_model
from importers.synthetic import synthesise
from tests import geometries
from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.model.cityobject import CityFeature, geometries_at, highest_lod
from twin.model.geometry import Bools, Floats, Geometry, Ints, concatenate
from twin.processing import shape
from twin.processing.compute import measure
from twin.processing.convex import MAX_PAIRS, are_convex
from twin.processing.orientation import Boundary, orient


def convexity(groups: list[list[Geometry]]) -> Floats:
    return np.asarray(measure(concatenate(groups)).values["convexity"], dtype=np.float64)


def convex(geometry: Geometry) -> bool:
    """Of all points as they come: the same one several times, as rings meet in it."""
    boundary = orient(concatenate([[geometry]]))
    xyz = boundary.batch.xyz
    return bool(are_convex(boundary, np.array([0]), xyz, np.array([0, len(xyz)]))[0])


def none_of_them(_boundary: Boundary, chosen: Ints, _xyz: Floats, _start: Ints) -> Bools:
    return np.zeros(len(chosen), dtype=np.bool_)


@pytest.mark.parametrize("make", [geometries.cube, geometries.gable, geometries.hip, geometries.shed])
def test_simple_houses_are_convex(make: Callable[[], Geometry]) -> None:
    geometry = make()
    assert convex(geometry)
    assert convex(geometries.reversed_faces(geometry, [1, 2]))
    assert not convex(geometries.without_faces(geometry, [0]))


def test_what_has_a_corner_that_goes_in_is_not() -> None:
    assert not convex(geometries.l_shape())
    assert not convex(geometries.courtyard())
    assert not convex(geometries.hollow_cube())


def test_a_dent_of_a_tenth_of_a_millimetre_counts() -> None:
    gable = geometries.gable()
    ridge = gable.xyz[:, 2].max()
    middle = np.isclose(gable.xyz[:, 2], ridge) & (gable.xyz[:, 0] > gable.xyz[:, 0].min())
    dented = gable.xyz - np.where(middle, 1e-4, 0.0)[:, None] * np.array([0.0, 0.0, 1.0])
    assert not convex(geometries.with_points(gable, dented))


def test_of_large_ones_nothing_is_said() -> None:
    angles = np.linspace(0.0, 2.0 * np.pi, MAX_PAIRS // 8, endpoint=False)
    outline = [(10.0 * np.cos(angle), 10.0 * np.sin(angle)) for angle in angles.tolist()]
    round_hall = geometries.prism(outline, 0.0, 5.0)
    assert not convex(round_hall)
    assert convexity([[round_hall]]) == pytest.approx(1.0)


def same_without(groups: list[list[Geometry]], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many convex shells there are in groups, all of whose convexities are those of their hulls."""
    found = convexity(groups)
    monkeypatch.setattr(shape, "are_convex", none_of_them)
    expected = convexity(groups)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    return int(np.count_nonzero(found == 1.0) - np.count_nonzero(expected == 1.0))


def test_a_synthetic_city(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.city.jsonl"
    synthesise(path, city="helsinki", buildings=300, seed=2)
    assert same_without(shells_of(path), monkeypatch) > 100


@needs_shared_data
def test_real_buildings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert same_without(shells_of(SHARED_DATA / "cityjson" / "vienna_592.city.jsonl"), monkeypatch) > 0


def shells_of(path: Path) -> list[list[Geometry]]:
    """The buildings of a model at their highest LoD."""
    features = [item for item in open_model(path) if isinstance(item, CityFeature)]
    return [list(geometries_at(feature, highest_lod(feature.objects))) for feature in features]
