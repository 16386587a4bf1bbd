"""What is broken is measured as unknown or flagged: never a crash, never a wrong number."""

import numpy as np
import pytest

from tests import geometries
from twin.model.geometry import Geometry, concatenate
from twin.processing.compute import Measures, measure
from twin.processing.derive import native
from twin.processing.mesh import MeshFailure, ObjectMesh, build_meshes

Point = geometries.Point

BROKEN: dict[str, list[geometries.Face]] = {
    "a point": [[[(0.0, 0.0, 0.0)]]],
    "a line": [[[(0.0, 0.0, 0.0), (1.0, 0.0, 0.0)]]],
    "points on a line": [[[(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (2.0, 0.0, 0.0)]]],
    "one point thrice": [[[(1.0, 1.0, 1.0)] * 3]],
    "an empty ring": [[[]]],
    "a spike": [[[(0.0, 0.0, 0.0), (5.0, 0.0, 0.0), (2.0, 0.0, 0.0)]]],
}


def beside_a_cube(shape: Geometry) -> tuple[Measures, list[ObjectMesh | MeshFailure]]:
    batch = concatenate([[geometries.cube()], [shape], [geometries.cube()]])
    result = measure(batch)
    meshes = build_meshes(batch, result.surface_type, native(batch))
    for item in (0, 2):
        assert result.values["volume_m3"][item] == pytest.approx(1.0)
        assert isinstance(meshes[item], ObjectMesh)
    return result, meshes


@pytest.mark.parametrize("name", BROKEN)
def test_without_area(name: str) -> None:
    result, meshes = beside_a_cube(geometries.boundary(BROKEN[name]))
    assert np.isnan(result.values["volume_m3"][1])
    assert result.values["closed"][1] in {False, None}
    assert result.values["quality"][1] is None
    assert result.values["roof_type"][1] is None
    assert result.footprints[1] is None
    assert isinstance(meshes[1], MeshFailure)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e300, 1e9])
def test_impossible_coordinates(value: float) -> None:
    cube = geometries.cube()
    xyz = cube.xyz.copy()
    xyz[3, 0] = value
    result, meshes = beside_a_cube(geometries.with_points(cube, xyz))
    numbers = [column[1] for name, column in result.values.items() if name != "surfaces"]
    assert all(number is None or np.isnan(number) for number in numbers)
    assert result.footprints[1] is None
    assert isinstance(meshes[1], MeshFailure)


def test_repeated_points_do_no_harm() -> None:
    faces = [
        [[point for point in ring for _ in range(3)] for ring in face]
        for face in geometries.faces_of(geometries.gable())
    ]
    result, meshes = beside_a_cube(geometries.boundary(faces))
    assert result.values["volume_m3"][1] == pytest.approx(600.0)
    assert result.values["closed"][1] is True
    assert isinstance(meshes[1], ObjectMesh)
    assert meshes[1].triangles == 16


def test_a_large_face_count_is_measured_in_one_go() -> None:
    """A prism of 20,000 walls: patches are joined without walking face by face."""
    angle = np.linspace(0.0, 2.0 * np.pi, 20_000, endpoint=False)
    outline = [(float(100.0 * np.cos(a)), float(100.0 * np.sin(a))) for a in angle]
    shape = geometries.prism(outline, 0.0, 10.0, named=False)
    result, _ = beside_a_cube(geometries.reversed_faces(shape, range(1, 20_001, 2)))
    assert result.values["closed"][1] is True
    assert result.values["volume_m3"][1] == pytest.approx(np.pi * 1e5, rel=1e-4)
