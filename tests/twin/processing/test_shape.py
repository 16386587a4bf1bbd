"""Least rectangles, shape measures and hulls: closed forms, and what no movement may change."""

import math
import time
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import geometries
from twin.model.geometry import Floats, Geometry, concatenate
from twin.processing.compute import measure
from twin.processing.hulls import MAX_POINTS, hull_volumes
from twin.processing.planar import Shapes
from twin.processing.shape import boxes, storeys

SHAPE_NAMES = ("elongation", "rectangularity", "circularity", "hemisphericality", "cubeness", "convexity")


def measured(*parts: Geometry) -> dict[str, Any]:
    return {name: column[0] for name, column in measure(concatenate([list(parts)])).values.items()}


def turned(xyz: Floats, degrees: float) -> Floats:
    """Turned clockwise around the vertical axis."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return xyz @ np.array([[cos, -sin, 0.0], [sin, cos, 0.0], [0.0, 0.0, 1.0]])


def array(*shapes: Any) -> Shapes:
    result = np.full(len(shapes), None, dtype=object)
    result[:] = shapes
    return result


def test_gable_by_closed_forms() -> None:
    values = measured(geometries.gable())
    surface = 80.0 + 240.0 + 2 * 10 * 5.0
    assert (values["box_length_m"], values["box_width_m"]) == pytest.approx((10.0, 8.0))
    assert values["box_azimuth_deg"] == pytest.approx(90.0)
    assert values["elongation"] == pytest.approx(0.2)
    assert values["rectangularity"] == pytest.approx(1.0)
    assert values["circularity"] == pytest.approx(4 * math.pi * 80 / 36**2)
    assert values["hemisphericality"] == pytest.approx(3 * math.sqrt(2 * math.pi) * 600 / surface**1.5)
    assert values["cubeness"] == pytest.approx(6 * 600 ** (2 / 3) / surface)
    assert values["convexity"] == pytest.approx(1.0)
    assert (values["storeys_estimated"], values["floor_area_estimated_m2"]) == (3, pytest.approx(240.0))


def test_cube_is_a_cube() -> None:
    values = measured(geometries.cube(3.0))
    assert values["cubeness"] == pytest.approx(1.0)
    assert values["elongation"] == pytest.approx(0.0)
    assert values["circularity"] == pytest.approx(math.pi / 4)
    assert values["box_azimuth_deg"] == pytest.approx(0.0)


def test_half_ball_is_a_half_ball() -> None:
    """A fine half ball by its mesh: hemisphericality counts the flat side, as the shell has it."""
    rings, sectors = 40, 80

    def point(i: int, j: int) -> geometries.Point:
        up, round_ = math.pi / 2 * i / rings, 2 * math.pi * (j % sectors) / sectors
        return (math.cos(up) * math.cos(round_), math.cos(up) * math.sin(round_), math.sin(up))

    faces: list[geometries.Face] = [[[point(0, j) for j in range(sectors)][::-1]]]
    for i in range(rings - 1):
        faces += [
            [[point(i, j), point(i, j + 1), point(i + 1, j + 1), point(i + 1, j)]] for j in range(sectors)
        ]
    faces += [[[point(rings - 1, j), point(rings - 1, j + 1), (0.0, 0.0, 1.0)]] for j in range(sectors)]
    values = measured(geometries.with_points(ball := geometries.boundary(faces), ball.xyz * 20.0))
    assert values["volume_m3"] == pytest.approx(2 / 3 * math.pi * 20**3, rel=3e-3)
    of_ball = 3 * math.sqrt(2 * math.pi) * (2 / 3 * math.pi) / (3 * math.pi) ** 1.5
    assert values["hemisphericality"] == pytest.approx(of_ball, rel=3e-3)
    assert values["convexity"] == pytest.approx(1.0, abs=1e-3)


def test_l_shape_and_courtyard() -> None:
    values = measured(geometries.l_shape())
    # The hull leaves out the triangle between the ends of the wings.
    assert values["convexity"] == pytest.approx(48.0 / (80.0 - 8.0 * 4.0 / 2.0))
    assert values["rectangularity"] == pytest.approx(48.0 / 80.0)
    yard = measured(geometries.courtyard())
    assert yard["convexity"] == pytest.approx(0.84)
    assert yard["circularity"] == pytest.approx(4 * math.pi * 84 / 56**2)


@settings(max_examples=60)
@given(
    degrees=st.floats(0.0, 360.0),
    east=st.floats(-1e4, 25.6e6),
    north=st.floats(-1e4, 6.7e6),
    shape=st.sampled_from([geometries.gable(), geometries.hip(), geometries.l_shape(), geometries.shed()]),
)
def test_turning_and_movement(degrees: float, east: float, north: float, shape: Geometry) -> None:
    before = measured(shape)
    moved = measured(geometries.with_points(shape, turned(shape.xyz, degrees) + np.array([east, north, 7.0])))
    for name in (*SHAPE_NAMES, "box_length_m", "box_width_m"):
        assert moved[name] == pytest.approx(before[name], rel=1e-6, abs=1e-6), name
    turn = (moved["box_azimuth_deg"] - before["box_azimuth_deg"] - degrees + 90.0) % 180.0 - 90.0
    assert abs(turn) < 1e-4
    assert 0.0 <= moved["box_azimuth_deg"] < 180.0


@settings(max_examples=60)
@given(
    points=st.lists(
        st.tuples(st.integers(-500, 500), st.integers(-500, 500)), min_size=3, max_size=30, unique=True
    )
)
def test_boxes_are_those_of_geos(points: list[tuple[int, int]]) -> None:
    shape = shapely.MultiPoint(points).convex_hull
    box = boxes(array(shape))
    if shape.geom_type != "Polygon":
        assert np.isnan(box.length[0])
        return
    expected = shapely.oriented_envelope(shape).area
    assert box.length[0] * box.width[0] == pytest.approx(expected, rel=1e-6)
    assert box.length[0] >= box.width[0]


def test_no_shape_has_no_box() -> None:
    line = shapely.LineString([(0, 0), (5, 5)])
    box = boxes(array(None, shapely.box(0, 0, 2, 8), shapely.MultiPolygon(), line))
    assert np.isnan(box.length).tolist() == [True, False, True, True]
    assert (box.length[1], box.width[1], box.azimuth[1]) == (8.0, 2.0, 0.0)
    assert len(boxes(array()).length) == 0


def test_hulls_of_flat_and_of_many_points() -> None:
    corners = np.array([(x, y, z) for x in (0, 2) for y in (0, 3) for z in (0, 4)], dtype=np.float64)
    inside = np.random.default_rng(1).uniform(0.1, 1.9, (MAX_POINTS, 3))
    flat = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0.5, 0.5, 0)], dtype=np.float64)
    level = inside[:2000] * np.array([1.0, 1.0, 0.0])
    points = np.concatenate([flat, corners, flat[:2], corners, inside[:20_000], corners, inside, level])
    start = np.cumsum([0, 5, 8, 2, 20_008, MAX_POINTS + 8, 2000])
    volumes = hull_volumes(points, start)
    assert volumes[[1, 3]] == pytest.approx(24.0, rel=1e-5)
    assert np.isnan(volumes[[0, 2, 4, 5]]).all()


def test_a_round_hall_takes_no_longer_than_its_number_of_points() -> None:
    """Points in one plane and on one circle; the hull of 40,000 of them once took minutes."""
    angle = np.linspace(0.0, 2.0 * np.pi, 20_000, endpoint=False)
    ring = np.stack([100.0 * np.cos(angle), 100.0 * np.sin(angle), np.zeros_like(angle)], axis=1)
    points = np.concatenate([ring, ring + np.array([0.0, 0.0, 10.0])])
    begin = time.process_time()
    volume = hull_volumes(points, np.array([0, len(points)]))
    assert time.process_time() - begin < 10.0
    assert volume == pytest.approx(np.pi * 1e5, rel=1e-5)
    assert hull_volumes(points, np.array([0, len(points)])).tobytes() == volume.tobytes()


def test_storeys_fit_into_the_height() -> None:
    assert storeys(np.array([2.0, 3.0, 8.9995, 8.9, 30.0])).tolist() == [1, 1, 3, 2, 10]
    assert np.isnan(storeys(np.array([np.nan]))).all()
