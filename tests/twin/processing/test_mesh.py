"""Meshes: closed, outward, of the right area and volume, and the same after storing."""

from collections.abc import Callable

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import geometries
from twin.model.crs import Placer, ReferenceSystem
from twin.model.geometry import Floats, Geometry, SurfaceType, concatenate
from twin.processing.compute import measure
from twin.processing.derive import native
from twin.processing.mesh import MeshBatch, MeshFailure, ObjectMesh, build_meshes, decode

SHAPES: dict[str, Callable[[], Geometry]] = {
    "cube": lambda: geometries.cube(2.0),
    "gable": geometries.gable,
    "hip": geometries.hip,
    "L": geometries.l_shape,
    "courtyard": geometries.courtyard,
    "hollow cube": geometries.hollow_cube,
}


def same(xyz: Floats) -> Floats:
    return xyz


def meshes_of(*shapes: Geometry, ecef: Callable[[Floats], Floats] = same) -> list[ObjectMesh | MeshFailure]:
    batch = concatenate([[shape] for shape in shapes])
    return build_meshes(batch, measure(batch).surface_type, ecef(native(batch)))


def stored(*meshes: ObjectMesh | MeshFailure) -> MeshBatch:
    assert all(isinstance(mesh, ObjectMesh) for mesh in meshes), meshes
    return decode([mesh.data for mesh in meshes if isinstance(mesh, ObjectMesh)])


def as_trimesh(mesh: MeshBatch) -> trimesh.Trimesh:
    return trimesh.Trimesh(mesh.positions / 100.0, mesh.triangles.astype(np.int64))


@pytest.mark.parametrize("name", SHAPES)
def test_a_mesh_encloses_what_was_measured(name: str) -> None:
    shape = SHAPES[name]()
    solid = as_trimesh(stored(*meshes_of(shape)))
    values = measure(concatenate([[shape]]))
    assert solid.is_watertight
    assert solid.is_winding_consistent
    assert float(solid.volume) == pytest.approx(values.values["volume_m3"][0])
    assert float(solid.area) == pytest.approx(values.face_area_m2.sum())


@pytest.mark.parametrize("name", SHAPES)
@settings(max_examples=15)
@given(data=st.data())
def test_faces_look_outward_whatever_the_source_said(name: str, data: st.DataObject) -> None:
    shape = SHAPES[name]()
    if name == "hollow cube":
        backwards = range(len(shape.semantic)) if data.draw(st.booleans()) else range(0)
    else:
        backwards = data.draw(st.sets(st.integers(0, len(shape.semantic) - 1)))
    turned = geometries.reversed_faces(shape, backwards)
    mesh = stored(*meshes_of(turned))
    assert float(as_trimesh(mesh).volume) == pytest.approx(
        float(as_trimesh(stored(*meshes_of(shape))).volume)
    )
    assert_normals_agree(mesh)


def assert_normals_agree(mesh: MeshBatch) -> None:
    a, b, c = (mesh.positions[mesh.triangles[:, i]].astype(np.float64) for i in range(3))
    cross = np.cross(b - a, c - a)
    cross /= np.linalg.norm(cross, axis=1)[:, None]
    along = np.einsum("ij,ij->i", cross, mesh.normals[mesh.triangles[:, 0]])
    assert along.min() > 0.999
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1.0, abs=1e-4)


def test_positions_and_normals_on_the_ellipsoid() -> None:
    placer = Placer.create(ReferenceSystem(3879, 3900), undulation_m=17.5)
    place = np.array([25_496_800.0, 6_673_200.0, 5.0])
    shape = geometries.moved(geometries.gable(), place)
    mesh = stored(*meshes_of(shape, ecef=placer.ecef))
    expected = placer.ecef(shape.xyz)
    assert np.abs(mesh.positions / 100.0 - expected).max() <= 0.00501
    assert_normals_agree(mesh)
    up = placer.ecef(place[None] + np.array([0.0, 0.0, 1.0])) - placer.ecef(place[None])
    ground = mesh.normals[mesh.surface_type == SurfaceType.GROUND]
    assert ground @ up[0] == pytest.approx(-1.0, abs=1e-4)
    assert float(as_trimesh(mesh).volume) == pytest.approx(600.0, rel=0.005)


def test_faces_and_types_belong_to_vertices() -> None:
    mesh = stored(*meshes_of(geometries.cube(2.0), geometries.gable()))
    assert mesh.object_of_vertex.tolist() == [0] * 24 + [1] * 30
    assert np.bincount(mesh.face).tolist() == [4] * 6 + [4, 4, 5, 4, 5, 4, 4]
    assert mesh.surface_type[:4].tolist() == [SurfaceType.GROUND] * 4
    assert mesh.surface_type[-8:].tolist() == [SurfaceType.ROOF] * 8
    in_one_face = mesh.face[mesh.triangles]
    assert (in_one_face == in_one_face[:, :1]).all()


def test_hash_and_counts() -> None:
    first, second, third = meshes_of(geometries.cube(2.0), geometries.cube(2.0), geometries.gable())
    assert isinstance(first, ObjectMesh)
    assert isinstance(third, ObjectMesh)
    assert first == second
    assert len(first.hash) == 16
    assert first.hash != third.hash
    assert (first.triangles, first.vertices) == (12, 24)


@settings(max_examples=30)
@given(names=st.lists(st.sampled_from(list(SHAPES)), max_size=5), empty=st.integers(0, 4))
def test_many_meshes_decode_like_single_ones(names: list[str], empty: int) -> None:
    blobs = [m.data for m in meshes_of(*(SHAPES[name]() for name in names)) if isinstance(m, ObjectMesh)]
    blobs[empty:empty] = [b""]
    together, alone = decode(blobs), [decode([blob]) for blob in blobs]
    assert together.positions.tolist() == [p for mesh in alone for p in mesh.positions.tolist()]
    base = np.cumsum([0, *(len(mesh.positions) for mesh in alone)])
    assert together.triangles.tolist() == [
        (t + b).tolist()
        for mesh, b in zip(alone, base, strict=False)
        for t in mesh.triangles.astype(np.int64)
    ]
    assert together.object_of_vertex.tolist() == [i for i, mesh in enumerate(alone) for _ in mesh.positions]


def polygon(points: int, radius: float, hole: bool = False) -> Geometry:
    """A jagged prism, which no fan covers."""
    angle = np.linspace(0.0, 2.0 * np.pi, points, endpoint=False)
    length = radius * np.where(np.arange(points) % 2, 1.0, 0.6)
    outline = [
        (float(x), float(y)) for x, y in zip(length * np.cos(angle), length * np.sin(angle), strict=True)
    ]
    return geometries.prism(outline, 0.0, 3.0)


def test_wide_and_detailed_objects_take_wider_types() -> None:
    small, detailed, wide = geometries.cube(2.0), polygon(400, 50.0), geometries.cube(900.0)
    huge = polygon(30_000, 4000.0)
    shapes = (small, detailed, wide, huge, small)
    blobs = [mesh.data for mesh in meshes_of(*shapes) if isinstance(mesh, ObjectMesh)]
    assert [blob[1] for blob in blobs] == [2, 2, 4, 4, 2]
    assert [blob[2] for blob in blobs] == [1, 2, 1, 4, 1]
    assert [blob[3] for blob in blobs] == [8, 12, 8, 12, 8]
    together = decode(blobs)
    for number, shape in enumerate(shapes):
        rows = together.object_of_vertex == number
        assert np.abs(together.positions[rows] / 100.0 - shape.xyz).max() <= 0.00501
    solid = as_trimesh(decode(blobs[1:2]))
    assert solid.is_watertight
    measured = measure(concatenate([[detailed]])).values["volume_m3"][0]
    assert float(solid.volume) == pytest.approx(measured, rel=1e-3)


def test_concave_faces_and_holes_are_cut_rightly() -> None:
    for shape in (polygon(9, 10.0), polygon(24, 30.0), geometries.courtyard()):
        solid = as_trimesh(stored(*meshes_of(shape)))
        assert solid.is_watertight
        assert float(solid.volume) == pytest.approx(
            measure(concatenate([[shape]])).values["volume_m3"][0], rel=0.002
        )


def test_a_hole_that_runs_like_its_exterior_is_still_a_hole() -> None:
    yard = geometries.courtyard()
    ground, *walls, roof = geometries.faces_of(yard)
    wrong = geometries.boundary(
        [[ground[0], ground[1][::-1]], *walls, [roof[0], roof[1][::-1]]],
        [geometries.GROUND, *[geometries.WALL] * 8, geometries.ROOF],
    )
    assert float(as_trimesh(stored(*meshes_of(wrong))).volume) == pytest.approx(504.0)
    assert measure(concatenate([[wrong]])).values["volume_m3"][0] == pytest.approx(504.0)


BOWTIE = geometries.boundary([[[(0, 0, 0), (4, 4, 0), (4, 0, 0), (0, 6, 0)]]], [geometries.ROOF])


def test_a_face_that_crosses_itself_fails_its_object_only() -> None:
    good, bad, last = meshes_of(geometries.cube(2.0), BOWTIE, geometries.gable())
    assert isinstance(good, ObjectMesh)
    assert isinstance(last, ObjectMesh)
    assert isinstance(bad, MeshFailure)
    assert "face 0 has 4.0000 m²" in bad.reason


def test_only_faces_below_a_square_centimetre_are_left_out() -> None:
    sliver: geometries.Face = [[(0, 0, 0), (0.009, 0, 0), (0.009, 0.009, 0), (0, 0.009, 0)]]
    small: geometries.Face = [[(0, 0, 0), (0.02, 0, 0), (0.02, 0.02, 0), (0, 0.02, 0)]]
    (without,) = meshes_of(geometries.boundary([*geometries.faces_of(geometries.cube()), sliver]))
    (with_,) = meshes_of(geometries.boundary([*geometries.faces_of(geometries.cube()), small]))
    assert isinstance(without, ObjectMesh)
    assert isinstance(with_, ObjectMesh)
    assert (without.triangles, with_.triangles) == (12, 14)


def test_objects_without_faces_or_place_fail_with_a_reason() -> None:
    batch = concatenate([[], [geometries.cube()], [geometries.moved(geometries.cube(), (1e9, 0, 0))]])
    nothing, cube, far = build_meshes(batch, measure(batch).surface_type, native(batch))
    assert isinstance(cube, ObjectMesh)
    assert isinstance(nothing, MeshFailure)
    assert "no face" in nothing.reason
    assert isinstance(far, MeshFailure)
    assert "ellipsoid" in far.reason


def test_another_version_of_the_format_is_refused() -> None:
    (mesh,) = meshes_of(geometries.cube())
    assert isinstance(mesh, ObjectMesh)
    with pytest.raises(ValueError, match="version"):
        decode([bytes([99]) + mesh.data[1:]])


def test_nothing_decodes_to_nothing() -> None:
    assert decode([]).positions.shape == (0, 3)
    assert decode([b"", b""]).triangles.shape == (0, 3)
