"""What no movement, order or splitting may change, for any shape."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import geometries
from twin.model.geometry import Floats, Geometry, concatenate
from twin.processing.compute import measure

SHAPES = st.sampled_from(
    [
        geometries.cube(3.0),
        geometries.gable(),
        geometries.gable(named=False),
        geometries.hip(),
        geometries.hip(named=False),
        geometries.shed(),
        geometries.l_shape(named=False),
        geometries.courtyard(),
        geometries.courtyard(named=False),
    ]
)
LENGTHS = ("height_m", "footprint_perimeter_m")
AREAS = (
    "footprint_area_m2",
    "roof_area_m2",
    "roof_area_flat_m2",
    "roof_area_sloped_m2",
    "wall_area_m2",
    "ground_area_m2",
)
LEVELS = ("height_ground_m", "height_eave_m", "height_ridge_m", "height_max_m")
TEXTS = ("roof_type", "closed", "volume_method", "quality")
COORDINATE = st.floats(-1e4, 1e4)


def measured(*parts: Geometry) -> dict[str, Any]:
    return {name: column[0] for name, column in measure(concatenate([list(parts)])).values.items()}


def assert_scaled(values: dict[str, Any], before: dict[str, Any], scale: float, z: float) -> None:
    for name in (*LENGTHS, *AREAS, "volume_m3"):
        power = 3 if name == "volume_m3" else 2 if name in AREAS else 1
        assert values[name] == pytest.approx(before[name] * scale**power, rel=1e-6, abs=1e-6), name
    for name in LEVELS:
        assert values[name] == pytest.approx(before[name] * scale + z, abs=1e-5), name
    for name in TEXTS:
        assert values[name] == before[name], name


def turned(xyz: Floats, degrees: float) -> Floats:
    angle = np.radians(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    return xyz @ np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])


@settings(max_examples=60)
@given(
    shape=SHAPES,
    east=st.floats(-1e4, 25.6e6),
    north=st.floats(-1e4, 6.7e6),
    up=st.floats(-50.0, 300.0),
    degrees=st.floats(0.0, 360.0),
    scale=st.floats(0.2, 20.0),
)
def test_movement_turning_and_scaling(
    shape: Geometry, east: float, north: float, up: float, degrees: float, scale: float
) -> None:
    xyz = turned(shape.xyz, degrees) * scale + np.array([east, north, up])
    assert_scaled(measured(geometries.with_points(shape, xyz)), measured(shape), scale, up)


@settings(max_examples=60)
@given(shape=SHAPES, data=st.data())
def test_order_of_faces_and_of_points(shape: Geometry, data: st.DataObject) -> None:
    faces = len(shape.semantic)
    order = data.draw(st.permutations(range(faces)))
    first = data.draw(st.lists(st.integers(0, 7), min_size=faces, max_size=faces))
    assert_scaled(measured(geometries.reordered(shape, order, first)), measured(shape), 1.0, 0.0)


@settings(max_examples=80)
@given(shape=SHAPES, data=st.data())
def test_direction_of_faces(shape: Geometry, data: st.DataObject) -> None:
    backwards = data.draw(st.sets(st.integers(0, len(shape.semantic) - 1)))
    given_shape, batch = geometries.reversed_faces(shape, backwards), concatenate([[shape]])
    result, before = measure(concatenate([[given_shape]])), measure(batch)
    assert_scaled({n: c[0] for n, c in result.values.items()}, measured(shape), 1.0, 0.0)
    assert result.face_slope_deg == pytest.approx(before.face_slope_deg)
    assert result.surface_type.tolist() == before.surface_type.tolist()


@settings(max_examples=30)
@given(shapes=st.lists(SHAPES, min_size=1, max_size=6), data=st.data())
def test_batches_give_what_single_objects_give(shapes: list[Geometry], data: st.DataObject) -> None:
    cut = data.draw(st.integers(0, len(shapes)))
    whole = measure(concatenate([[shape] for shape in shapes])).values
    pieces = [measure(concatenate([[s] for s in part])).values for part in (shapes[:cut], shapes[cut:])]
    for name, column in whole.items():
        assert list(column) == [value for piece in pieces for value in piece[name]], name


@settings(max_examples=30)
@given(shapes=st.lists(SHAPES, min_size=2, max_size=4), data=st.data())
def test_order_of_parts(shapes: list[Geometry], data: st.DataObject) -> None:
    parts = [geometries.moved(shape, (50.0 * i, 3.0 * i, 0.0)) for i, shape in enumerate(shapes)]
    assert_scaled(measured(*data.draw(st.permutations(parts))), measured(*parts), 1.0, 0.0)


@settings(max_examples=40)
@given(shape=SHAPES, cut=st.floats(0.1, 0.9))
def test_a_split_face_changes_nothing(shape: Geometry, cut: float) -> None:
    """A wall or roof cut in two by a new edge; its neighbours get the new points as well."""
    faces = geometries.faces_of(shape)
    quads = [number for number, face in enumerate(faces) if len(face) == 1 and len(face[0]) == 4]
    target = quads[-1]
    a, b, c, d = faces[target][0]

    def between(p: geometries.Point, q: geometries.Point) -> geometries.Point:
        # The same end first from both sides, so that both sides compute the same point.
        p, q = min(p, q), max(p, q)
        x, y, z = (u + cut * (v - u) for u, v in zip(p, q, strict=True))
        return (x, y, z)

    ab, cd = between(a, b), between(c, d)
    new = {frozenset((a, b)): ab, frozenset((c, d)): cd}

    def refined(ring: list[geometries.Point]) -> list[geometries.Point]:
        points: list[geometries.Point] = []
        for p, q in zip(ring, [*ring[1:], ring[0]], strict=True):
            points.extend([p, new[frozenset((p, q))]] if frozenset((p, q)) in new else [p])
        return points

    split = [[refined(ring) for ring in face] for number, face in enumerate(faces) if number != target]
    types = [geometries.GROUND if n == 0 else None for n in range(len(faces)) if n != target]
    halves = [[[a, ab, cd, d]], [[ab, b, c, cd]]]
    result = measured(geometries.boundary([*split, *halves], [*types, None, None]))
    before = measured(geometries.boundary(faces))
    for name in ("volume_m3", "wall_area_m2", "roof_area_m2", "footprint_area_m2"):
        assert result[name] == pytest.approx(before[name], rel=1e-9), name
    assert result["closed"] is True


@settings(max_examples=60)
@given(shape=SHAPES, seed=st.integers(0, 2**32 - 1), east=COORDINATE, north=COORDINATE)
def test_points_within_a_millimetre_are_one(shape: Geometry, seed: int, east: float, north: float) -> None:
    """Every occurrence of a corner is off by up to a quarter of the snapping distance."""
    noise = np.random.default_rng(seed).uniform(-0.00025, 0.00025, shape.xyz.shape)
    values = measured(geometries.with_points(shape, shape.xyz + noise + np.array([east, north, 0.0])))
    before = measured(shape)
    assert values["closed"] is True
    assert values["volume_m3"] == pytest.approx(before["volume_m3"], rel=1e-2)


@settings(max_examples=30)
@given(shape=SHAPES, gap=st.floats(0.004, 0.5))
def test_a_gap_opens_the_shell(shape: Geometry, gap: float) -> None:
    xyz = shape.xyz.copy()
    xyz[shape.ring_start[1] : shape.ring_start[2], 2] += gap
    assert measured(geometries.with_points(shape, xyz))["closed"] is False
