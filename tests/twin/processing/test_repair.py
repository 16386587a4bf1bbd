"""Repairs are accepted only if the result is valid and measures as before."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from importers.reader import open_model
from tests import geometries
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.geometries import Face, Point, boundary, cube, faces_of, prism_faces, rectangle, shells
from twin.model.cityobject import CityFeature
from twin.model.geometry import Geometry
from twin.processing.repair import TOLERANCE, Repaired, repair
from twin.processing.validity import validate


def roof(ring: Sequence[Point], *more: Face) -> Geometry:
    """A cube of 4 m with another ring for its roof, and perhaps more faces."""
    return boundary([*faces_of(cube(4.0))[:5], [ring], *more])


TOP: list[Point] = [(0, 0, 4), (4, 0, 4), (4, 4, 4), (0, 4, 4)]


def repeated() -> Geometry:
    return roof([TOP[0], TOP[1], (4, 0, 4.0005), *TOP[2:], TOP[0]])


def spike() -> Geometry:
    return roof([*TOP[:3], (2, 2, 4), TOP[2], TOP[3]])


def flat_face() -> Geometry:
    return roof(TOP, [[TOP[0], TOP[1], TOP[0]]], [[TOP[0], TOP[1], TOP[2], TOP[1]]])


def two_points() -> Geometry:
    return roof(TOP, [[TOP[0], TOP[1]]])


def twice() -> Geometry:
    return roof(TOP, [[*TOP[2:], *TOP[:2]]])


def turned() -> Geometry:
    return geometries.reversed_faces(cube(4.0), [1, 4])


def inside_out() -> Geometry:
    return geometries.reversed_faces(cube(4.0), range(6))


def void_turned() -> Geometry:
    return shells([prism_faces(rectangle(0, 0, 4, 4), 0, 4), prism_faces(rectangle(1, 1, 2, 2), 1, 3)])


def hole_turned() -> Geometry:
    shape = geometries.courtyard()
    faces = [[face[0], *(ring[::-1] for ring in face[1:])] for face in faces_of(shape)]
    return boundary(faces)


def everything() -> Geometry:
    shape = boundary([*faces_of(repeated()), [TOP], [[TOP[0], TOP[1], TOP[0]]]])
    return geometries.reversed_faces(shape, [2])


REPAIRABLE: list[tuple[Callable[[], Geometry], set[int], float]] = [
    (repeated, {102}, 64.0),
    (spike, {104}, 64.0),
    (flat_face, {102, 104}, 64.0),
    (two_points, {101}, 64.0),
    (turned, {307}, 64.0),
    (inside_out, {405}, 64.0),
    (hole_turned, {208}, 504.0),
]


@pytest.mark.parametrize(("broken", "codes", "volume"), REPAIRABLE)
def test_safe_repairs(broken: Callable[[], Geometry], codes: set[int], volume: float) -> None:
    original = broken()
    before = original.xyz.copy()
    result = repair(original)
    assert result is not None
    assert validate([[result.geometry]]).valid == [True]
    assert {step.code for step in result.steps} == codes
    assert result.original is original
    assert np.array_equal(original.xyz, before)
    assert result.volume_m3[1] == pytest.approx(volume)
    assert result.volume_m3[0] == pytest.approx(volume, rel=TOLERANCE)


def test_no_point_is_moved() -> None:
    for broken, _, _ in REPAIRABLE:
        original, result = broken(), repair(broken())
        assert result is not None
        given = {tuple(point) for point in original.xyz.tolist()}
        assert {tuple(point) for point in result.geometry.xyz.tolist()} <= given


def test_repairs_far_from_the_origin() -> None:
    for broken, codes, _ in REPAIRABLE:
        result = repair(geometries.moved(broken(), (25_496_000.25, 6_674_000.5, 10.0)))
        assert result is not None
        assert {step.code for step in result.steps} == codes


def test_steps_say_what_was_there_before_and_after() -> None:
    result = repair(two_points())
    assert result is not None
    (step,) = result.steps
    assert step.what == "faces without rings of fewer than 3 points: 1"
    assert (step.before, step.after) == ("7 faces, 26 points", "6 faces, 24 points")


@pytest.mark.parametrize("broken", [twice, everything, void_turned])
def test_a_repair_that_changes_what_was_measured_is_refused(broken: Callable[[], Geometry]) -> None:
    """A roof given twice counts twice in every area, a void that looks outward adds its volume."""
    assert repair(broken()) is None


def test_what_is_valid_or_beyond_safe_repair_is_left_alone() -> None:
    assert repair(cube()) is None
    assert repair(geometries.without_faces(cube(), [5])) is None
    assert repair(roof([TOP[0], TOP[2], TOP[1], TOP[3]])) is None
    assert repair(boundary([[[(0, 0, 0), (1, 0, 0)]]], type="MultiSurface")) is None


def test_a_tiny_duplicate_is_dropped() -> None:
    """A sliver given twice is far below a thousandth of the area."""
    faces = faces_of(cube(4.0))
    a, b, c, d = TOP
    near = (0.0, 0.01, 4.0)
    west = [*faces[4][0]]
    west.insert(west.index(d) if west.index(d) > west.index(a) else west.index(a), near)
    sliver: Face = [[a, b, near]]
    shape = boundary([*faces[:4], [west], [[near, b, c, d]], sliver, sliver])
    result = repair(shape)
    assert result is not None
    assert [step.code for step in result.steps] == [303]
    assert len(result.geometry.semantic) == 7


def test_semantics_stay_with_their_faces() -> None:
    shape = geometries.reversed_faces(geometries.gable(), [6])
    result = repair(shape)
    assert result is not None
    assert np.array_equal(result.geometry.semantic, shape.semantic)
    assert result.geometry.semantics == shape.semantics


@needs_shared_data
def test_delft_is_repaired_where_val3dity_found_repeated_points() -> None:
    results: dict[str, Repaired | None] = {}
    for feature in open_model(SHARED_DATA / "cityjson" / "3dbag_delft_319.city.json"):
        assert isinstance(feature, CityFeature)
        if feature.root.attributes["b3_val3dity_lod22"] != "[]":
            (solid,) = (g for item in feature for g in item.geometries if g.lod == "2.2")
            results[feature.root.id] = repair(solid)
    done = {name: found for name, found in results.items() if found is not None}
    assert len(results) == 8
    assert len(done) >= 3
    for found in done.values():
        assert found.volume_m3[1] == pytest.approx(found.volume_m3[0], rel=TOLERANCE)
        assert found.steps
