"""Large and degenerate geometry: bounded in time, never a crash, what was left out is named."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import geometries
from tests.fixtures import ROOT
from tests.geometries import boundary, cube, prism_faces, rectangle
from twin.model.geometry import Geometry, offsets
from twin.processing import validity_crossings, validity_polygons, validity_solids
from twin.processing.validity import validate
from twin.processing.validity_codes import ERRORS


def ball(bands: int) -> Geometry:
    """A sphere of 2 * bands² triangles."""
    around = np.linspace(0.0, 2.0 * np.pi, bands, endpoint=False)
    down = np.linspace(0.0, np.pi, bands + 2)[1:-1]
    x, y = (np.sin(down)[:, None] * f(around) for f in (np.cos, np.sin))
    z = np.repeat(np.cos(down)[:, None], bands, axis=1)
    points = np.concatenate([np.stack([x, y, z], axis=2).reshape(-1, 3), [[0, 0, 1], [0, 0, -1]]]) * 20.0
    i, j = np.arange(bands - 1)[:, None] * bands, np.arange(bands)
    k = (j + 1) % bands
    a, b, c, d = ((row + column).ravel() for row, column in ((i, j), (i, k), (i + bands, k), (i + bands, j)))
    top, last = bands * bands, (bands - 1) * bands
    triangles = np.concatenate(
        [
            np.stack([a, d, c], axis=1),
            np.stack([a, c, b], axis=1),
            np.stack([np.full(bands, top), j, k], axis=1),
            np.stack([np.full(bands, top + 1), last + k, last + j], axis=1),
        ]
    )
    faces = len(triangles)
    return Geometry(
        "Solid",
        "2",
        points[triangles.ravel()],
        np.arange(faces + 1) * 3,
        np.arange(faces + 1),
        offsets([faces]),
        offsets([1]),
        np.full(faces, -1),
    )


def star(points: int) -> Geometry:
    """A face of many points, the radius of every other one shorter."""
    angle = np.linspace(0.0, 2.0 * np.pi, points, endpoint=False)
    radius = np.where(np.arange(points) % 2, 4000.0, 5000.0)
    xyz = np.stack([np.cos(angle) * radius, np.sin(angle) * radius, np.zeros(points)], axis=1)
    one = offsets([1])
    return Geometry("MultiSurface", "0", xyz, offsets([points]), one, one, one, np.array([-1]))


def test_a_ball_of_twenty_thousand_faces_is_valid() -> None:
    assert validate([[ball(100)]]).valid == [True]


def test_a_shell_of_too_many_pairs_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validity_crossings, "MAX_PAIRS", 1000)
    verdict = validate([[ball(20)], [cube()], [geometries.without_faces(ball(20), [0])]])
    assert verdict.valid == [None, True, False]
    assert verdict.unchecked == [[306], [], []]
    assert verdict.codes == [[], [], [302]]


def test_a_face_of_a_million_points_is_not_judged() -> None:
    verdict = validate([[star(1_000_000)], [star(1000)]])
    assert verdict.valid == [None, True]
    assert verdict.unchecked == [[104, 201, 204, 306], []]


def test_a_solid_with_a_face_too_large_is_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validity_polygons, "MAX_POINTS", 6)
    outline = [(np.cos(t), np.sin(t)) for t in np.linspace(0, 2 * np.pi, 8, endpoint=False)]
    round_, square = geometries.prism(outline), boundary(prism_faces(rectangle(0, 0, 1, 1), 0.5, 0.7))
    verdict = validate([[round_], [round_, square]])
    assert verdict.valid == [None, None]
    assert verdict.unchecked == [[104, 201, 204, 306], [104, 201, 204, 306, 601]]


def test_many_parts_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validity_solids, "MAX_SHELLS", 2)
    parts = [geometries.moved(cube(), (2.0 * n, 0, 0)) for n in range(3)]
    verdict = validate([parts, parts[:2]])
    assert verdict.valid == [None, True]
    assert verdict.unchecked == [[601], []]


def test_many_voids_are_not_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validity_solids, "MAX_PAIRS", 4)
    verdict = validate([[geometries.hollow_cube()]])
    assert verdict.valid == [None]
    assert verdict.unchecked == [[401, 403]]


def empty_ring() -> Geometry:
    shape = cube()
    return replace(
        shape,
        ring_start=np.insert(shape.ring_start, 3, shape.ring_start[3]),
        surface_start=np.array([0, 1, 2, 4, 5, 6, 7]),
    )


def no_ring() -> Geometry:
    shape = cube()
    return replace(
        shape,
        surface_start=np.append(shape.surface_start, 6),
        shell_start=np.array([0, 7]),
        semantic=np.append(shape.semantic, -1),
    )


def all_points_equal() -> Geometry:
    return replace(cube(), xyz=np.zeros_like(cube().xyz))


def all_points_on_a_line() -> Geometry:
    return replace(cube(), xyz=cube().xyz * [1.0, 0.0, 0.0])


def no_faces() -> Geometry:
    none, one = np.zeros(0, dtype=np.int64), offsets([1])
    return Geometry("Solid", "2", np.zeros((0, 3)), offsets([]), offsets([]), offsets([0]), one, none)


@pytest.mark.parametrize("shape", [empty_ring, no_ring, all_points_equal, all_points_on_a_line])
def test_degenerate_geometry_is_invalid(shape: Callable[[], Geometry]) -> None:
    assert validate([[cube()], [shape()], [cube()]]).valid == [True, False, True]


def test_a_solid_without_faces_has_no_verdict() -> None:
    assert validate([[no_faces()], [cube()]]).valid == [None, True]


@given(
    st.permutations(range(7)),
    st.lists(st.integers(0, 4), min_size=7, max_size=7),
    st.floats(0.0, 360.0),
    st.integers(0, 1),
)
def test_verdicts_do_not_depend_on_order_or_direction(
    order: list[int], first: list[int], degrees: float, dropped: int
) -> None:
    shape = geometries.reordered(geometries.gable(), order, first)
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    shape = geometries.with_points(shape, shape.xyz @ turn.T + [25_496_000.0, 6_674_000.0, 7.0])
    codes = validate([[geometries.without_faces(shape, range(dropped))]]).codes
    assert codes == [[302] * dropped]


def test_every_code_is_documented() -> None:
    page = (ROOT / "docs" / "explanation" / "validity.md").read_text()
    for error in ERRORS.values():
        assert f"| {error.number} | {error.name} |" in page


def test_pairs_of_parts_are_compared_some_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pair of cubes has 144 pairs of triangles: every pair of parts is a round of its own."""
    monkeypatch.setattr(validity_solids, "MAX_PAIRS", 144)
    parts = [geometries.moved(cube(), (0.5 * n, 0.25 * n, 0.25 * n)) for n in range(4)]
    verdict = validate([parts, [cube(), geometries.moved(cube(), (1.0, 0, 0))]])
    assert verdict.codes == [[601], []]
    assert len(verdict.details(0)) == 3
