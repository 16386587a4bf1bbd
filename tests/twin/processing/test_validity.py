"""One mutation of a canonical shape for each error, and shapes that only look wrong."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from tests import geometries
from tests.geometries import Face, Point, boundary, cube, faces_of, prism_faces, rectangle, shells
from twin.model.geometry import Geometry, offsets
from twin.processing.validity import Validity, validate
from twin.processing.validity_codes import ERRORS

Faces = list[list[list[Point]]]


def cube_faces(size: float = 4.0) -> Faces:
    return faces_of(cube(size))


def box(x: float, y: float, z: float, size: float, height: float | None = None) -> list[Face]:
    return prism_faces(rectangle(x, y, size, size), z, z + (height or size))


def turned(faces: Sequence[Face]) -> list[Face]:
    return [[ring[::-1] for ring in face] for face in faces]


def with_face(number: int, rings: Face) -> Geometry:
    faces: list[Face] = [*cube_faces()]
    faces[number] = rings
    return boundary(faces)


def with_roof(*holes: Sequence[tuple[float, float]]) -> Geometry:
    """A cube of 4 m with holes in its roof, given by their outlines."""
    roof = cube_faces()[5]
    return with_face(5, [*roof, *([(x, y, 4.0) for x, y in hole] for hole in holes)])


def clockwise(x: float, y: float, size: float) -> list[tuple[float, float]]:
    return rectangle(x, y, size, size)[::-1]


def codes(*parts: Geometry) -> list[int]:
    verdict = validate([parts])
    assert verdict.valid == [not verdict.codes[0]]
    assert verdict.unchecked == [[]]
    return verdict.codes[0]


def two_points() -> Geometry:
    return with_face(5, [[(0, 0, 4), (4, 0, 4)]])


def repeated_point() -> Geometry:
    a, b, c, d = cube_faces()[5][0]
    return with_face(5, [[a, b, b, c, d]])


def nearly_repeated_point() -> Geometry:
    a, b, c, d = cube_faces()[5][0]
    return with_face(5, [[a, b, (b[0], b[1] + 0.0009, b[2]), c, d]])


def bowtie() -> Geometry:
    a, b, c, d = cube_faces()[5][0]
    return with_face(5, [[a, c, b, d]])


def spike() -> Geometry:
    a, b, c, d = cube_faces()[5][0]
    return with_face(5, [[a, b, c, (2.0, 2.0, 4.0), c, d]])


def collapsed() -> Geometry:
    return boundary([*cube_faces(), [[(0, 0, 0), (1, 0, 0), (2, 0, 0)]]])


def crossing_hole() -> Geometry:
    return with_roof(clockwise(3, 1, 2))


def same_holes() -> Geometry:
    return with_roof(clockwise(1, 1, 1), clockwise(1, 1, 1))


def bent() -> Geometry:
    """All eight corners in place but one, which no face of four points can follow."""
    shape = cube(4.0)
    xyz = shape.xyz.copy()
    xyz[(xyz == 4.0).all(axis=1), 2] = 4.05
    return replace(shape, xyz=xyz)


def folded() -> Geometry:
    """A notch 4 mm wide whose edges lie 4 mm apart in height: within a centimetre of the plane."""
    outline: list[Point] = [
        (0, 0, 4),
        (4, 0, 4),
        (4, 4, 4),
        (0, 4, 4),
        (0, 2.004, 4),
        (0.004, 2.002, 4.004),
        (0, 2, 4),
    ]
    return boundary([[outline]], type="MultiSurface")


def cut_in_two() -> Geometry:
    return with_roof([(0, 0), (1, 2), (4, 4), (2, 1)])


def hole_outside() -> Geometry:
    return with_roof(clockwise(6, 6, 1))


def nested_holes() -> Geometry:
    return with_roof(clockwise(0.5, 0.5, 3), clockwise(1, 1, 1))


def hole_same_way() -> Geometry:
    return with_roof(rectangle(1, 1, 2, 2))


def three_faces() -> Geometry:
    return geometries.without_faces(cube(), [0, 1, 2])


def open_top() -> Geometry:
    return geometries.without_faces(cube(), [5])


def edge_of_four() -> Geometry:
    return boundary([*box(0, 0, 0, 2), *box(2, 2, 0, 2)])


def tips_that_touch() -> Geometry:
    return boundary([*box(0, 0, 0, 2), *box(2, 2, 2, 2)])


def two_pieces() -> Geometry:
    return boundary([*box(0, 0, 0, 2), *box(5, 0, 0, 2)])


def apex_through_the_floor() -> Geometry:
    """A pyramid on a step: the tip of its roof is pulled down through the ground."""
    a, b, c, d = [(x, y, 0.0) for x, y in rectangle(0, 0, 4, 4)]
    e, f, g, h = [(x, y, 2.0) for x, y in rectangle(0, 0, 4, 4)]
    tip = (2.0, 2.0, -1.0)
    walls: list[Face] = [[[a, b, f, e]], [[b, c, g, f]], [[c, d, h, g]], [[d, a, e, h]]]
    roofs: list[Face] = [[[e, f, tip]], [[f, g, tip]], [[g, h, tip]], [[h, e, tip]]]
    return boundary([[[d, c, b, a]], *walls, *roofs])


def one_face_turned() -> Geometry:
    return geometries.reversed_faces(cube(), [3])


def inside_out() -> Geometry:
    return geometries.reversed_faces(geometries.gable(), range(7))


def void_of(*faces: Face) -> Geometry:
    return shells([box(0, 0, 0, 4), turned(faces)])


MUTATIONS: list[tuple[int, Callable[[], Geometry]]] = [
    (101, two_points),
    (102, repeated_point),
    (102, nearly_repeated_point),
    (104, bowtie),
    (104, spike),
    (104, collapsed),
    (201, crossing_hole),
    (202, same_holes),
    (203, bent),
    (204, folded),
    (205, cut_in_two),
    (206, hole_outside),
    (207, nested_holes),
    (208, hole_same_way),
    (301, three_faces),
    (302, open_top),
    (303, edge_of_four),
    (303, tips_that_touch),
    (305, two_pieces),
    (306, apex_through_the_floor),
    (307, one_face_turned),
    (401, lambda: void_of(*box(3, 1, 1, 2))),
    (401, lambda: void_of(*box(2, 1, 1, 2))),
    (402, lambda: void_of(*box(0, 0, 0, 4))),
    (403, lambda: void_of(*box(6, 1, 1, 2))),
    (405, inside_out),
    (405, lambda: shells([box(0, 0, 0, 4), box(1, 1, 1, 2)])),
]


@pytest.mark.parametrize(("code", "mutation"), MUTATIONS)
def test_each_mutation_has_its_code(code: int, mutation: Callable[[], Geometry]) -> None:
    assert codes(mutation()) == [code]


@pytest.mark.parametrize(("code", "mutation"), MUTATIONS)
@pytest.mark.parametrize("offset", [(25_496_000.123, 6_674_000.456, 12.789), (-3.3331, 7.7773, 0.0007)])
def test_codes_do_not_depend_on_the_place(code: int, mutation: Callable[[], Geometry], offset: Point) -> None:
    assert codes(geometries.moved(mutation(), offset)) == [code]


def test_every_code_but_103_has_a_mutation() -> None:
    """A ring that is not closed never becomes a geometry: readers refuse it."""
    tested = {code for code, _ in MUTATIONS} | {601, 999}
    assert set(ERRORS) - tested == {103}


CANONICAL: list[Callable[[], Geometry]] = [
    cube,
    geometries.gable,
    geometries.hip,
    geometries.shed,
    geometries.l_shape,
    geometries.courtyard,
    geometries.hollow_cube,
]


@pytest.mark.parametrize("shape", CANONICAL)
@pytest.mark.parametrize("degrees", [0.0, 33.0])
def test_canonical_shapes_are_valid(shape: Callable[[], Geometry], degrees: float) -> None:
    geometry = shape()
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    assert codes(geometries.with_points(geometry, geometry.xyz @ rotation.T)) == []


def test_points_in_the_middle_of_edges_are_no_error() -> None:
    """Walls split at half their height, against a roof and a ground that name no such points."""
    faces: list[Face] = [*cube_faces()]
    a, b, c, d = faces[1][0]
    left, right = (a[0], a[1], 2.0), (b[0], b[1], 2.0)
    faces[1:2] = [[[a, b, right, left]], [[left, right, c, d]]]
    # The walls beside have to name the points too, or the shell is open there.
    split = boundary(faces)
    assert codes(split) == [302]
    faces = [_with_points(face, [left, right]) for face in faces]
    assert codes(boundary(faces)) == []


def _with_points(face: Face, points: Sequence[Point]) -> Face:
    rings: list[list[Point]] = []
    for ring in face:
        longer: list[Point] = []
        for p, q in zip(ring, [*ring[1:], ring[0]], strict=True):
            longer.append(p)
            middle = tuple((s + t) / 2.0 for s, t in zip(p, q, strict=True))
            longer += [point for point in points if point == middle]
        rings.append(longer)
    return rings


def test_a_surface_folded_back_onto_itself_crosses_the_shell() -> None:
    """A flap of two faces on each other, closed by edges alone: manifold, but without inside."""
    a, b, c, d = [(x, y, 0.0) for x, y in rectangle(0, 0, 4, 4)]
    flap: list[Face] = [[[a, b, c]], [[a, c, d]], [[c, b, a]], [[d, c, a]]]
    assert validate([[boundary(flap)]]).valid == [False]


def test_loose_surfaces_are_only_checked_one_by_one() -> None:
    faces = [*cube_faces()[:3], *cube_faces()[:1]]
    assert codes(boundary(faces, type="MultiSurface")) == []
    assert codes(boundary(cube_faces()[:3], type="CompositeSurface")) == []
    assert codes(boundary([*box(0, 0, 0, 1)[:3], *box(5, 0, 0, 1)[:3]], type="CompositeSurface")) == [305]


def test_parts_may_touch_but_not_overlap() -> None:
    part = boundary(box(0, 0, 0, 4))
    assert codes(part, boundary(box(4, 0, 0, 4))) == []
    assert codes(part, boundary(box(4, 4, 4, 4))) == []
    assert codes(part, boundary(box(3.995, 0, 0, 4))) == []
    assert codes(part, boundary(box(3.9, 0, 0, 4))) == [601]
    assert codes(part, boundary(box(1, 1, 1, 2))) == [601]
    assert codes(part, part) == [601]
    assert codes(part, boundary(box(1, 1, -1, 2, 6.0))) == [601]


def test_a_flaw_is_not_reported_again_on_the_next_level() -> None:
    assert codes(geometries.without_faces(bowtie(), [0])) == [104]


def test_several_objects_are_judged_each_by_itself() -> None:
    objects = [[cube()], [], [open_top()], [geometries.moved(cube(), (0.5, 0.5, 0.5))]]
    verdict = validate(objects)
    assert verdict.valid == [True, None, False, True]
    assert verdict.codes == [[], [], [302], []]


def test_nothing_and_points_have_no_verdict() -> None:
    one = offsets([1])
    point = Geometry("MultiPoint", "0", np.zeros((1, 3)), one, one, one, one, np.array([-1]))
    assert validate([]).valid == []
    assert validate([[], [point]]).valid == [None, None]


def test_coordinates_that_are_no_numbers_are_an_error() -> None:
    broken = cube()
    broken.xyz[3, 1] = np.nan
    far = cube()
    far.xyz[3, 1] = 1e9
    verdict = validate([[broken], [cube()], [far]])
    assert verdict.valid == [False, True, False]
    assert verdict.codes == [[999], [], [999]]


def test_details_tell_where_the_error_is() -> None:
    verdict = validate([[cube()], [cube(), shells([box(0, 0, 9, 4), turned(box(1, 1, 10, 2))[:5]])]])
    (first, *_) = verdict.details(1)
    assert (first.code, first.geometry, first.shell, first.ring) == (302, 1, 1, -1)
    assert first.name == "SHELL_NOT_CLOSED"
    assert first.text.startswith("geometry 1, shell 1, face ")
    assert verdict.details(0) == []


def test_details_name_the_ring_and_the_measure() -> None:
    (found,) = validate([[hole_same_way()]]).details(0)
    assert (found.face, found.ring) == (5, 1)
    texts = [found.text for found in validate([[bent()]]).details(0)]
    assert texts
    assert all("m off the plane" in text for text in texts)


def test_details_name_both_faces_that_cross() -> None:
    verdict: Validity = validate([[cube()], [apex_through_the_floor()]])
    pairs = {(found.face, found.text.split("face ")[-1]) for found in verdict.details(1)}
    assert pairs == {(0, f"{roof} of the shell") for roof in (5, 6, 7, 8)}


def test_the_turned_face_is_named_even_of_a_shell_inside_out() -> None:
    (found,) = validate([[one_face_turned()]]).details(0)
    assert found.face == 3
    inward = geometries.reversed_faces(cube(), [0, 1, 2, 4, 5])
    assert [found.face for found in validate([[inward]]).details(0)] == [0, 1, 2, 4, 5]
