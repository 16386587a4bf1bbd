"""Footprints: unions without slivers, valid whatever the ground surfaces are like."""

import numpy as np
import pytest
import shapely

from tests import geometries
from twin.model.geometry import Geometry, concatenate
from twin.processing.compute import Measures, measure


def measured(*parts: Geometry) -> Measures:
    return measure(concatenate([list(parts)]))


def box(x: float, width: float, y: float = 0.0) -> Geometry:
    return geometries.prism(geometries.rectangle(x, y, width, 5.0), 0.0, 3.0)


@pytest.mark.parametrize("gap", [0.0, 0.0003, -0.0003, -2.0])
def test_neighbouring_parts_become_one_outline(gap: float) -> None:
    result = measured(box(0.0, 4.0), box(4.0 + gap, 4.0))
    assert len(result.footprints[0].geoms) == 1
    assert len(result.footprints[0].geoms[0].interiors) == 0
    assert result.values["footprint_area_m2"][0] == pytest.approx(5.0 * (8.0 + gap), abs=0.01)
    assert result.values["footprint_perimeter_m"][0] == pytest.approx(2.0 * (13.0 + gap), abs=0.01)


def test_parts_apart_stay_apart() -> None:
    result = measured(box(0.0, 4.0), box(6.0, 4.0))
    assert len(result.footprints[0].geoms) == 2
    assert result.values["footprint_area_m2"][0] == pytest.approx(40.0)


def test_a_yard_between_parts_is_a_hole() -> None:
    corners = [(0.0, 12.0, 0.0), (0.0, 4.0, 5.0), (8.0, 4.0, 5.0), (0.0, 12.0, 10.0)]
    result = measured(*(box(x, width, y) for x, width, y in corners))
    assert len(result.footprints[0].geoms[0].interiors) == 1
    assert result.values["footprint_area_m2"][0] == pytest.approx(180.0 - 20.0)
    assert result.values["footprint_perimeter_m"][0] == pytest.approx(54.0 + 18.0)


def test_a_crossing_ground_gives_a_valid_footprint() -> None:
    ground: geometries.Face = [[(0, 0, 0), (0, 6, 0), (4, 0, 0), (4, 4, 0)]]
    roof: geometries.Face = [[(0, 0, 3), (4, 0, 3), (4, 4, 3), (0, 6, 3)]]
    result = measured(
        geometries.boundary([ground, roof], [geometries.GROUND, geometries.ROOF], "MultiSurface")
    )
    assert shapely.is_valid(result.footprints[0])
    assert result.values["footprint_area_m2"][0] == pytest.approx(10.4)


def test_without_ground_the_roofs_are_the_plan() -> None:
    result = measured(geometries.without_faces(geometries.gable(), [0]))
    assert result.values["footprint_area_m2"][0] == pytest.approx(80.0)
    assert len(result.footprints[0].geoms) == 1


def test_walls_alone_have_no_footprint() -> None:
    walls = geometries.without_faces(geometries.cube(), [0, 5])
    result = measured(walls)
    assert result.footprints[0] is None
    assert np.isnan(result.values["footprint_area_m2"][0])
    assert result.values["wall_area_m2"][0] == pytest.approx(4.0)


def test_objects_of_a_batch_keep_their_own() -> None:
    shapes = [[box(0.0, 4.0)], [], [box(0.0, 4.0), box(4.0, 1.0)], [box(10.0, 2.0), box(12.0, 2.0)]]
    result = measure(concatenate(shapes))
    areas = [None if shape is None else shape.area for shape in result.footprints]
    assert areas == [pytest.approx(20.0), None, pytest.approx(25.0), pytest.approx(20.0)]
    assert result.footprints[3].bounds == pytest.approx((10.0, 0.0, 14.0, 5.0))
