"""Which way faces look, and which edges have no opposite."""

import numpy as np
import pytest

from tests import geometries
from twin.model.geometry import Geometry, SurfaceType, concatenate
from twin.processing.classification import classify
from twin.processing.compute import measure
from twin.processing.orientation import Boundary, orient, oriented_points
from twin.processing.surfaces import ring_integrals


def oriented(*shapes: Geometry) -> Boundary:
    return orient(concatenate([[shape] for shape in shapes]))


def all_faces(shape: Geometry) -> range:
    return range(len(shape.semantic))


def test_a_sound_shell_is_left_alone() -> None:
    boundary = oriented(geometries.gable(), geometries.hollow_cube(), geometries.courtyard(named=False))
    assert (boundary.ring_sign > 0).all()
    assert boundary.closed.tolist() == [True] * 3


def test_an_inverted_shell_is_turned() -> None:
    for shape in (geometries.gable(), geometries.gable(named=False)):
        boundary = oriented(geometries.reversed_faces(shape, all_faces(shape)))
        assert (boundary.ring_sign < 0).all()
        assert boundary.closed.all()
        assert boundary.faces.volume.sum() == pytest.approx(600.0)


def test_a_void_keeps_looking_inward_when_its_shell_is_turned() -> None:
    shape = geometries.hollow_cube()
    boundary = oriented(geometries.reversed_faces(shape, all_faces(shape)))
    assert (boundary.ring_sign < 0).all()
    assert boundary.faces.volume.sum() == pytest.approx(56.0)


def test_one_inverted_part_beside_a_larger_sound_one_is_turned() -> None:
    large = geometries.cube(10.0, named=False)
    small = geometries.moved(geometries.cube(2.0, named=False), (20.0, 0.0, 0.0))
    batch = concatenate([[large, geometries.reversed_faces(small, all_faces(small))]])
    boundary = orient(batch)
    assert (boundary.ring_sign < 0).tolist() == [False] * 6 + [True] * 6
    assert boundary.faces.volume.sum() == pytest.approx(1008.0)


def test_an_inverted_open_shell_without_names_is_turned() -> None:
    opened = geometries.without_faces(geometries.gable(named=False), [2])
    boundary = oriented(geometries.reversed_faces(opened, all_faces(opened)))
    types = classify(boundary.batch, boundary.faces)
    assert (boundary.ring_sign < 0).all()
    assert types.tolist() == [SurfaceType.GROUND, *[SurfaceType.WALL] * 3, *[SurfaceType.ROOF] * 2]


def test_a_soup_of_loose_faces_is_told_up_from_down_by_place() -> None:
    """A ground and a roof with nothing between, both looking up."""
    low = [(x, y, 0.0) for x, y in geometries.rectangle(0, 0, 5, 4)]
    high = [(x, y, 3.0) for x, y in geometries.rectangle(0, 0, 5, 4)]
    boundary = oriented(geometries.boundary([[low], [high]], type="MultiSurface"))
    assert boundary.ring_sign.tolist() == [-1.0, 1.0]
    assert classify(boundary.batch, boundary.faces).tolist() == [SurfaceType.GROUND, SurfaceType.ROOF]


def test_a_low_part_without_ground_beside_a_tower_is_not_taken_for_its_cellar() -> None:
    """Its roof lies far below the middle of the building."""
    nave = geometries.without_faces(geometries.gable(named=False), [0])
    tower = geometries.prism(geometries.rectangle(20, 0, 3, 3), 0, 60, named=False)
    for parts in ([nave, tower], [geometries.reversed_faces(nave, range(6)), tower]):
        values = measure(concatenate([parts])).values
        assert values["roof_area_m2"][0] == pytest.approx(100.0 + 9.0)
        assert values["volume_m3"][0] == pytest.approx(600.0 + 540.0)
        assert values["footprint_area_m2"][0] == pytest.approx(9.0)
        assert values["quality"][0] == "estimated"


def test_a_spire_without_ground_looks_up() -> None:
    """Most of what it encloses lies below the middle of its height."""
    faces = geometries.faces_of(geometries.hip(named=False))
    high = [[[(x, y, 14.0 if z > 6 else z / 3) for x, y, z in ring] for ring in face] for face in faces[1:]]
    values = measure(concatenate([[geometries.boundary(high)]])).values
    assert values["volume_m3"][0] > 0.0
    assert values["height_eave_m"][0] == pytest.approx(2.0)


def test_names_decide_over_place_in_open_shells() -> None:
    """A roof that lies lower than the middle of its object still looks up."""
    low = [(x, y, 1.0) for x, y in geometries.rectangle(0, 0, 5, 4)]
    high = [(x, y, 9.0) for x, y in geometries.rectangle(9, 0, 5, 4)]
    shape = geometries.boundary([[low[::-1]], [high]], [geometries.ROOF, geometries.ROOF], "MultiSurface")
    assert oriented(shape).faces.vector[2].tolist() == pytest.approx([20.0, 20.0])


def test_unmatched_edges_are_counted() -> None:
    gable = geometries.gable()
    shapes = [gable, geometries.without_faces(gable, [1]), geometries.without_faces(gable, [2, 5])]
    boundary = oriented(*shapes)
    # A missing wall leaves 4 edges, a missing gable end and roof 5 + 4 less 2 times the one they share.
    assert boundary.unmatched_edges.tolist() == [0, 4, 7]


def test_faces_that_meet_in_one_edge_do_not_open_a_shell() -> None:
    """Two boxes that touch along an edge: four faces share it, two in each direction."""
    boxes = geometries.shells(
        [
            geometries.prism_faces(geometries.rectangle(0, 0, 1, 1), 0, 1),
            geometries.prism_faces(geometries.rectangle(1, 1, 1, 1), 0, 1),
        ]
    )
    boundary = oriented(boxes)
    assert boundary.closed.all()
    assert boundary.faces.volume.sum() == pytest.approx(2.0)


def test_a_one_sided_band_is_left_as_given() -> None:
    """A Moebius strip of flat pieces: no directions agree."""
    count = 9
    turn = np.linspace(0.0, np.pi, count + 1)
    around = 2.0 * turn
    low, high = (
        [
            ((8 + s * np.cos(t)) * np.cos(a), (8 + s * np.cos(t)) * np.sin(a), s * np.sin(t))
            for t, a in zip(turn, around, strict=True)
        ]
        for s in (-1.0, 1.0)
    )
    low[-1], high[-1] = high[0], low[0]
    faces: list[geometries.Face] = [[[low[i], low[i + 1], high[i + 1], high[i]]] for i in range(count)]
    boundary = oriented(geometries.boundary(faces, type="MultiSurface"))
    assert not boundary.closed.any()
    assert (boundary.ring_sign == boundary.ring_sign[0]).all()


def test_turned_points_run_the_other_way() -> None:
    shape = geometries.reversed_faces(geometries.courtyard(), [0, 3])
    boundary = oriented(shape)
    points = oriented_points(boundary)
    turned = geometries.with_points(shape, shape.xyz[points])
    again = concatenate([[turned]])
    assert sorted(points.tolist()) == list(range(len(shape.xyz)))
    assert ring_integrals(again).vector == pytest.approx(boundary.rings.vector)


def test_overhangs_are_outer_ceilings() -> None:
    """A mushroom: a shaft of 4 m under a cap that reaches out."""
    shaft, cap = geometries.rectangle(2, 2, 2, 2), geometries.rectangle(0, 0, 6, 6)
    ground, *walls, _ = geometries.prism_faces(shaft, 0, 4)
    below, *rim, roof = geometries.prism_faces(cap, 4, 6)
    under = [below[0], [(x, y, 4.0) for x, y in shaft]]
    boundary = oriented(geometries.boundary([ground, *walls, under, *rim, roof]))
    types = classify(boundary.batch, boundary.faces)
    assert boundary.closed.all()
    assert types[[0, 5, -1]].tolist() == [SurfaceType.GROUND, SurfaceType.OUTER_CEILING, SurfaceType.ROOF]
    assert (types == SurfaceType.WALL).sum() == 8
