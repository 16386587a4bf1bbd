"""What of a feature is measured, and what is shown beside it."""

from dataclasses import replace

import numpy as np

from tests import geometries
from twin.model.cityobject import CityFeature, CityObject, beside_solids, geometries_at, highest_lod
from twin.model.geometry import Geometry, Instance, points

CUBE = geometries.cube()


def feature(*shapes: Geometry) -> CityFeature:
    return CityFeature((CityObject("a", "Building", {}, shapes),))


def test_a_multisurface_that_repeats_the_solid_counts_once() -> None:
    repeated = replace(CUBE, type="MultiSurface", xyz=CUBE.xyz + 1e-5)
    building = feature(repeated, CUBE)
    assert geometries_at(building, CUBE.lod) == (CUBE,)
    assert beside_solids(building, CUBE.lod) == ()


def test_surfaces_that_no_solid_has_are_shown_and_not_measured() -> None:
    eaves = [[(1.0, 0.0, 1.0), (2.0, 0.0, 1.0), (2.0, 1.0, 1.0)]]
    faces = [*geometries.prism_faces(geometries.rectangle(0, 0, 1, 1), 0, 1), eaves]
    overhang = geometries.boundary(faces, type="MultiSurface", lod=CUBE.lod)
    building = feature(CUBE, overhang)
    assert geometries_at(building, CUBE.lod) == (CUBE,)
    (shown,) = beside_solids(building, CUBE.lod)
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
