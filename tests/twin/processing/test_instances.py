"""What is an instance of its template, and what a mesh of its own."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.geometries import prism
from twin.model.cityobject import CityFeature, CityObject
from twin.model.crs import Placer, ReferenceSystem
from twin.model.geometry import Floats, Geometry, Instance, points
from twin.processing import instance_format, rotations
from twin.processing.derive import Derived, derive
from twin.processing.template_meshes import STEPS, template_of

HELSINKI = Placer.create(ReferenceSystem(3879, 3900))
AT = np.array([25_497_000.0, 6_673_500.0, 12.0])
BLOCK = prism([(0, 0), (4, 0), (4, 3), (0, 3)], 0.0, 5.0)


def derived(matrix: Any, template: Geometry = BLOCK, *own: Geometry) -> Derived:
    """A thing of a template, put at a place in Helsinki, and of what it has itself."""
    whole = np.eye(4)
    whole[: len(matrix), : len(matrix)] = matrix
    place = points("GeometryInstance", template.lod, AT[None], Instance(template, whole))
    (found,) = derive([CityFeature((CityObject("a", "CityFurniture", geometries=(place, *own)),))], HELSINKI)
    return found


def is_instance(found: Derived) -> bool:
    assert found.mesh is not None
    assert found.mesh.triangles == 12
    assert bool(found.mesh.instances) == (not found.mesh.data) == bool(found.templates)
    return bool(found.mesh.instances)


TURNED = rotations.matrices(np.array([[0.3, -0.5, 0.2, 0.7]]))[0]


@pytest.mark.parametrize(
    ("matrix", "expected"),
    [
        (np.eye(3), True),
        (TURNED, True),
        (TURNED * [2.0, 0.5, 1.5], True),
        (np.eye(3) * 10.0, True),
        (np.eye(3) * 0.01, True),
        (np.array([[1, 0.2, 0], [0, 1, 0], [0, 0, 1]]), False),
        ((TURNED.T * [2.0, 0.5, 1.5]).T, False),
        (np.diag([-1.0, 1.0, 1.0]), False),
        (np.eye(3) * 100.0, False),
    ],
    ids=[
        "as it is",
        "turned",
        "stretched",
        "large",
        "small",
        "sheared",
        "stretched when turned",
        "mirrored",
        "vast",
    ],
)
def test_rotation_and_scale_make_an_instance(matrix: Floats, expected: bool) -> None:
    assert is_instance(derived(matrix)) == expected


def test_perspective_makes_a_mesh() -> None:
    matrix = np.eye(4)
    matrix[3, 0] = 0.01
    assert not is_instance(derived(matrix))


def test_a_matrix_divided_by_its_last_number_makes_an_instance() -> None:
    assert is_instance(derived(np.eye(4) * 2.0))


def test_a_flattened_template_is_no_instance() -> None:
    found = derived(np.diag([1.0, 1.0, 0.0]))
    assert found.mesh is None or not found.mesh.instances


def test_what_an_object_has_itself_is_a_mesh_beside() -> None:
    own = prism([(x + AT[0], y + AT[1]) for x, y in [(10, 0), (14, 0), (14, 3), (10, 3)]], 12.0, 15.0)
    found = derived(np.eye(3), BLOCK, own)
    assert found.mesh is not None
    assert found.mesh.data
    assert len(found.mesh.instances) == instance_format.RECORD.itemsize
    assert found.mesh.triangles == 24
    assert found.values["a"]["volume_m3"] == pytest.approx(60 + 36)


def test_hash_and_id_tell_what_is_shown() -> None:
    one, same, other = derived(np.eye(3)), derived(np.eye(3)), derived(TURNED)
    assert one.mesh is not None
    assert same.mesh is not None
    assert other.mesh is not None
    assert one.mesh == same.mesh
    assert one.mesh.hash != other.mesh.hash
    assert one.mesh.templates == other.mesh.templates == one.templates[0].id


def test_templates_of_any_unit_have_the_same_mesh() -> None:
    """Whether a tree is made in metres or in millimetres, and wherever its axes begin."""
    metres, kilometres = (prism([(0, 0), (s, 0), (s, s), (0, s)], 0.0, 2 * s) for s in (1.0, 1024.0))
    ids = {template.id for geometry in (metres, kilometres) if (template := template_of(geometry))}
    assert len(ids) == 1
    template = template_of(kilometres)
    assert template is not None
    assert np.abs(template.points).max() == 8 * STEPS
    assert template.middle.tolist() == [512.0, 512.0, 1024.0]


def test_a_template_of_nothing_has_no_mesh() -> None:
    line = prism([(0, 0), (1, 0), (1, 0)], 0.0, 0.0)
    assert template_of(line) is None


@given(st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(lambda q: np.linalg.norm(q) > 0.01))
def test_quaternions_and_matrices_are_the_same_rotations(quaternion: list[float]) -> None:
    matrix = rotations.matrices(np.array([quaternion]))
    assert np.allclose(matrix @ matrix.transpose(0, 2, 1), np.eye(3))
    assert np.linalg.det(matrix[0]) == pytest.approx(1.0)
    again = rotations.quaternions(matrix)
    assert np.linalg.norm(again) == pytest.approx(1.0)
    assert np.allclose(rotations.matrices(again), matrix)
    assert np.allclose(rotations.nearest(matrix * 1.00001), matrix)
