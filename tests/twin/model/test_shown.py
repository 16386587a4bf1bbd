"""What of a feature is measured, and what is shown beside it."""

from dataclasses import replace

import numpy as np

from tests import geometries
from twin.model.cityobject import CityFeature, CityObject, geometries_at, highest_lod, shapes_at
from twin.model.geometry import Geometry, Instance, points

CUBE = geometries.cube()


def feature(*shapes: Geometry) -> CityFeature:
    return CityFeature((CityObject("a", "Building", {}, shapes),))


def beside(building: CityFeature) -> tuple[Geometry, ...]:
    return shapes_at([building], [CUBE.lod])[0].beside_solids()


def test_a_multisurface_that_repeats_the_solid_counts_once() -> None:
    for shift in (0.0, 1e-5):
        building = feature(replace(CUBE, type="MultiSurface", xyz=CUBE.xyz + shift), CUBE)
        assert geometries_at(building, CUBE.lod) == (CUBE,)
        assert beside(building) == ()


def test_a_surface_more_in_one_of_several_features() -> None:
    sliver = [[(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (0.0, 0.0, 0.0)]]
    faces = geometries.prism_faces(geometries.rectangle(0, 0, 1, 1), 0, 1)
    with_sliver = geometries.boundary([*faces[:2], sliver, *faces[2:]], lod=CUBE.lod)
    nothing = geometries.boundary([sliver, sliver], type="MultiSurface", lod=CUBE.lod)
    lods = [CUBE.lod, CUBE.lod, CUBE.lod, "9"]
    found = shapes_at([feature(CUBE), feature(nothing, with_sliver), feature(nothing), feature(CUBE)], lods)
    assert [len(shapes.whole()) for shapes in found] == [1, 1, 0, 0]
    assert found[0].whole() == (CUBE,)
    (cleaned,) = found[1].whole()
    assert cleaned.xyz.tolist() == CUBE.xyz.tolist()
    assert (cleaned.surface_start.tolist(), cleaned.shell_start.tolist()) == ([*range(7)], [0, 6])


def test_surfaces_that_no_solid_has_are_shown_and_not_measured() -> None:
    eaves = [[(1.0, 0.0, 1.0), (2.0, 0.0, 1.0), (2.0, 1.0, 1.0)]]
    faces = [*geometries.prism_faces(geometries.rectangle(0, 0, 1, 1), 0, 1), eaves]
    overhang = geometries.boundary(faces, type="MultiSurface", lod=CUBE.lod)
    building = feature(CUBE, overhang)
    assert geometries_at(building, CUBE.lod) == (CUBE,)
    (shown,) = beside(building)
    assert shown.xyz.tolist() == [list(point) for point in eaves[0]]
    assert (shown.type, shown.surface_start.tolist(), shown.shell_start.tolist()) == (
        "MultiSurface",
        [0, 1],
        [0, 1],
    )


def test_points_have_no_lod_to_show_and_templates_stand_in_their_place() -> None:
    place = np.array([[10.0, 20.0, 30.0]])
    assert highest_lod(feature(points("MultiPoint", "4", place)).objects) is None
    tree = feature(points("GeometryInstance", CUBE.lod, place, Instance(CUBE, np.diag([2.0, 2.0, 2.0, 1.0]))))
    assert highest_lod(tree.objects) == CUBE.lod
    (shown,) = geometries_at(tree, CUBE.lod)
    assert shown.type == "Solid"
    assert shown.xyz.min(axis=0).tolist() == [10.0, 20.0, 30.0]
    assert shown.xyz.max(axis=0).tolist() == [12.0, 22.0, 32.0]
