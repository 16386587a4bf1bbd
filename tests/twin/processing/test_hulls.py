"""Volumes of hulls of many runs of points at once, beside Qhull one by one."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# scipy has no types.

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from twin.model.geometry import Floats, offsets
from twin.processing import hulls
from twin.processing.hulls import hull_volumes


def prism(plan: Floats, low: float, high: float) -> Floats:
    return np.concatenate([np.column_stack([plan, np.full(len(plan), z)]) for z in (low, high)])


L_SHAPE = np.array([[0.0, 0], [9, 0], [9, 4], [4, 4], [4, 7], [0, 7]])
GABLE = np.array([[0.0, 0, 0], [8, 0, 0], [8, 6, 0], [0, 6, 0], [4, 0, 3], [4, 6, 3]])
SLOPED = np.concatenate([prism(L_SHAPE[:4], 0.0, 3.0)[:7], [[4.0, 4.0, 5.0]]])
LEANING = np.concatenate([prism(L_SHAPE, 0.0, 3.0)[:6], prism(L_SHAPE + 2.0, 0.0, 3.0)[6:]])
UNEQUAL = np.concatenate([prism(L_SHAPE, 0.0, 3.0), [[4.5, 1.0, 0.0], [4.5, 2.0, 0.0]]])
FLAT = prism(np.array([[0.0, 0], [5, 0], [10, 0]]), 0.0, 4.0)
SHAPES = (prism(L_SHAPE, 2.0, 5.5), GABLE, SLOPED, LEANING, UNEQUAL, prism(L_SHAPE[:3], -1.0, 1.0), FLAT[:0])


def by_qhull(points: Floats) -> float:
    return float(ConvexHull(points).volume) if len(points) else np.nan


def test_blocks_and_others_have_the_volume_that_qhull_finds() -> None:
    runs = [shape[np.random.default_rng(n).permutation(len(shape))] for n, shape in enumerate(SHAPES)]
    found = hull_volumes(np.concatenate(runs), offsets([len(run) for run in runs]))
    assert found == pytest.approx([by_qhull(run) for run in runs], rel=1e-9, nan_ok=True)
    assert found[0] == pytest.approx(3.5 * (63.0 - 7.5))


def test_walls_without_depth_have_no_volume() -> None:
    assert np.isnan(hull_volumes(FLAT, np.array([0, len(FLAT)]))).all()


def test_only_others_than_blocks_get_a_hull(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(hulls, "_volume", lambda points: asked.append(len(points)) or 1.0)  # pyright: ignore
    runs = [prism(L_SHAPE, 0.0, 3.0), GABLE, prism(L_SHAPE + 100.0, 7.0, 9.0)]
    hull_volumes(np.concatenate(runs), offsets([len(run) for run in runs]))
    assert asked == [len(GABLE)]


def test_clouds_of_points_have_the_volume_that_qhull_finds() -> None:
    chance = np.random.default_rng(5)
    runs = [chance.normal(size=(size, 3)) * [60.0, 9.0, 4.0] for size in (4, 5, 20, 400, 3000)]
    found = hull_volumes(np.concatenate(runs), offsets([len(run) for run in runs]))
    assert found == pytest.approx([by_qhull(run) for run in runs], rel=1e-6)


def test_points_in_common_planes_and_on_circles() -> None:
    chance = np.random.default_rng(3)
    angle = np.linspace(0.0, 2.0 * np.pi, 24, endpoint=False)
    round_: Floats = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 9.0
    for _ in range(40):
        tilt: Floats = chance.normal(size=2)
        height: Floats = np.round(8.0 + round_ @ tilt / 9.0, 3)
        top = np.concatenate([round_, height[:, None]], axis=1)
        run = np.round(np.concatenate([prism(round_, 0.0, 0.0), top, top * [0.5, 0.5, 1.0]]), 4)
        assert hull_volumes(run, np.array([0, len(run)]))[0] == pytest.approx(by_qhull(run), rel=1e-6)


def test_a_round_roof_of_many_points_takes_no_time() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 50_000, endpoint=False)
    ring: Floats = np.stack([np.cos(angle), np.sin(angle)], axis=1) * 30.0
    run = np.concatenate([prism(ring, 0.0, 5.0), [[0.0, 0.0, 9.0]]])
    cylinder_and_cone = np.pi * 900.0 * (5.0 + 4.0 / 3.0)
    assert hull_volumes(run, np.array([0, len(run)]))[0] == pytest.approx(cylinder_and_cone, rel=1e-5)


@pytest.mark.parametrize("points", [np.zeros((5, 3)), np.eye(3), GABLE[:4] * [1, 1, 0], SLOPED * [1, 0, 1]])
def test_points_in_a_plane_or_too_few_have_no_volume(points: Floats) -> None:
    assert np.isnan(hull_volumes(points, np.array([0, len(points)]))[0])
