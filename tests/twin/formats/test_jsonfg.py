"""Places of JSON-FG."""

from dataclasses import replace

import numpy as np

from tests.geometries import courtyard, cube
from twin.formats import jsonfg
from twin.model.cityobject import CityFeature, CityObject
from twin.model.crs import Placer
from twin.model.geometry import Floats, Geometry
from twin.model.reference import ReferenceSystem

ORIGIN = np.array([25496000.0, 6672000.0, 10.0])


def feature(*geometries: Geometry, origin: Floats = ORIGIN) -> CityFeature:
    """A building with one part for each geometry, by default in Helsinki."""
    placed = (replace(geometry, xyz=geometry.xyz + origin) for geometry in geometries)
    parts = (CityObject(f"{n}", "BuildingPart", parent="b", geometries=(g,)) for n, g in enumerate(placed))
    return CityFeature((CityObject("b", "Building"), *parts))


def test_beside_surfaces_solids_are_their_faces() -> None:
    """A GeometryCollection of JSON-FG 1.0 has no solids in it."""
    surfaces = replace(courtyard(), type="MultiSurface")
    found = jsonfg.place(feature(cube(), surfaces), jsonfg.delivered(3879))
    assert found is not None
    assert found["type"] == "MultiPolygon"
    assert len(found["coordinates"]) == 6 + len(surfaces.surface_start) - 1
    assert {len(point) for face in found["coordinates"] for ring in face for point in ring} == {3}


def test_shared_places_are_latitude_longitude_and_height_above_the_ellipsoid() -> None:
    shape = feature(cube())
    found = jsonfg.place(shape, jsonfg.shared(3879, 3900))
    assert found is not None
    assert found["type"] == "Polyhedron"
    points = np.array([p for shell in found["coordinates"] for face in shell for ring in face for p in ring])
    lon, lat, height = Placer.create(ReferenceSystem(3879, 3900)).geodetic(ORIGIN[None])[0]
    np.testing.assert_allclose(points.min(axis=0), [lat, lon, height], atol=2e-8 + 0.001)
    np.testing.assert_allclose(points.min(axis=0)[:2], [lat, lon], atol=2e-6)
    assert 15 < height - ORIGIN[2] < 20


def test_what_has_no_known_heights_has_no_place() -> None:
    delft = feature(cube(), origin=np.array([84000.0, 447000.0, 0.0]))
    assert jsonfg.place(delft, jsonfg.shared(28992, 5709)) is None
    assert jsonfg.place(delft, jsonfg.delivered(28992)) is not None
    assert jsonfg.place(feature(), jsonfg.delivered(3879)) is None
