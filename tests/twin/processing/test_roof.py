"""Roof shapes, ridges and valleys."""

import math
from itertools import pairwise

import pytest

from tests import geometries
from twin.model.geometry import Geometry, concatenate
from twin.processing.compute import measure
from twin.processing.orientation import orient
from twin.processing.roof import RoofEdges, roof_edges


def roof_of(*parts: Geometry) -> str | None:
    return measure(concatenate([list(parts)])).values["roof_type"][0]


def edges_of(shape: Geometry) -> RoofEdges:
    batch = concatenate([[shape]])
    return roof_edges(orient(batch), batch.surface_type)


def roof_over(faces: list[geometries.Face]) -> Geometry:
    return geometries.boundary(faces, [geometries.ROOF] * len(faces), "MultiSurface")


def cross_gable() -> Geometry:
    """Two ridges that cross at right angles: four valleys, eight faces over a square of 8 m."""
    top: geometries.Point = (4.0, 4.0, 4.0)
    ends: list[geometries.Point] = [(4.0, 0.0, 4.0), (8.0, 4.0, 4.0), (4.0, 8.0, 4.0), (0.0, 4.0, 4.0)]
    corners: list[geometries.Point] = [(8.0, 0.0, 0.0), (8.0, 8.0, 0.0), (0.0, 8.0, 0.0), (0.0, 0.0, 0.0)]
    faces: list[geometries.Face] = []
    for i in range(4):
        faces.append([[corners[i - 1], top, ends[i]][::-1]])
        faces.append([[ends[i], top, corners[i]][::-1]])
    return roof_over(faces)


def pyramid() -> Geometry:
    corners = [(x, y, 3.0) for x, y in geometries.rectangle(0, 0, 6, 6)]
    top = (3.0, 3.0, 6.0)
    return roof_over([[[corners[i], corners[(i + 1) % 4], top]] for i in range(4)])


def gambrel() -> Geometry:
    """Two slopes on each side, breaking at half width; the ridge is at 5 m."""
    profile = [(0.0, 0.0), (1.0, 3.0), (4.0, 5.0), (7.0, 3.0), (8.0, 0.0)]
    faces: list[geometries.Face] = [
        [[(x0, 0.0, z0), (x1, 0.0, z1), (x1, 12.0, z1), (x0, 12.0, z0)]]
        for (x0, z0), (x1, z1) in pairwise(profile)
    ]
    return roof_over(faces)


def test_types() -> None:
    assert roof_of(geometries.cube()) == "flat"
    assert roof_of(geometries.gable()) == "gabled"
    assert roof_of(geometries.hip()) == "hipped"
    assert roof_of(geometries.shed()) == "shed"
    assert roof_of(pyramid()) == "hipped"
    assert roof_of(gambrel()) == "gabled"
    assert roof_of(cross_gable()) == "complex"


@pytest.mark.parametrize(("step", "expected"), [(0.4, "flat"), (0.6, "multiple flat")])
def test_levels_of_flat_roofs(step: float, expected: str) -> None:
    low = geometries.prism(geometries.rectangle(0, 0, 5, 5), 0, 3)
    high = geometries.prism(geometries.rectangle(5, 0, 5, 5), 0, 3 + step)
    assert roof_of(low, high) == expected


@pytest.mark.parametrize(("width", "expected"), [(3.0, "gabled"), (12.0, "complex"), (200.0, "flat")])
def test_a_flat_annex(width: float, expected: str) -> None:
    annex = geometries.prism(geometries.rectangle(10, 0, width, 8), 0, 3)
    assert roof_of(geometries.gable(), annex) == expected


def test_a_dormer_does_not_change_a_gable() -> None:
    dormer = roof_over([[[(4.0, 1.0, 8.0), (5.0, 1.0, 8.0), (5.0, 2.0, 9.0), (4.0, 2.0, 9.0)]]])
    assert roof_of(geometries.gable(), dormer) == "gabled"


def test_the_ridge_is_level_though_hips_are_longer() -> None:
    edges = edges_of(geometries.hip())
    assert edges.ridge_z[0] == 9.0
    assert edges.hip[0] == pytest.approx(4.0 * math.sqrt(16.0 + 16.0 + 9.0))
    assert edges.valley[0] == 0.0


def test_valleys_are_concave() -> None:
    edges = edges_of(cross_gable())
    assert edges.valley[0] == pytest.approx(4.0 * math.sqrt(48.0))
    assert edges.hip[0] == 0.0
    assert edges.ridge_z[0] == 4.0


def test_a_break_of_slope_is_no_ridge() -> None:
    assert edges_of(gambrel()).ridge_z[0] == 5.0


def test_the_longest_ridge_counts_not_the_highest() -> None:
    tower = geometries.moved(geometries.gable(), (20.0, 0.0, 5.0))
    tower = geometries.with_points(tower, tower.xyz * [0.5, 0.5, 1.0])
    values = measure(concatenate([[geometries.gable(), tower]])).values
    assert values["height_ridge_m"][0] == 9.0
    assert values["height_max_m"][0] == 14.0


def test_without_a_ridge_the_top_of_the_roof_counts() -> None:
    values = measure(concatenate([[pyramid()], [geometries.shed()], [geometries.cube()]])).values
    assert list(values["height_ridge_m"]) == [6.0, 5.0, 1.0]
