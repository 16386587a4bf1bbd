"""Closed forms: shapes whose measures can be worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest
import shapely

from tests import geometries
from twin.model.attributes import BY_NAME, Origin, Stage, of_stage
from twin.model.geometry import Geometry, concatenate
from twin.processing.compute import Measures, measure


def measured(*parts: Geometry) -> dict[str, Any]:
    """All values of one object."""
    values = measure(concatenate([list(parts)])).values
    return {name: column[0] for name, column in values.items()}


CLOSED_FORMS = {
    "cube": (geometries.cube(2.0), {"volume_m3": 8.0, "wall_area_m2": 16.0, "footprint_area_m2": 4.0}),
    "gable": (
        geometries.gable(),
        {
            "volume_m3": 600.0,
            "wall_area_m2": 240.0,
            "roof_area_m2": 100.0,
            "roof_area_sloped_m2": 100.0,
            "roof_area_flat_m2": 0.0,
            "height_eave_m": 6.0,
            "height_ridge_m": 9.0,
            "roof_type": "gabled",
        },
    ),
    "hip": (
        geometries.hip(),
        {
            "volume_m3": 688.0,
            "roof_area_m2": 120.0,
            "wall_area_m2": 240.0,
            "height_ridge_m": 9.0,
            "roof_type": "hipped",
        },
    ),
    "shed": (
        geometries.shed(),
        {
            "volume_m3": 96.0,
            "roof_area_m2": 24.0 * math.sqrt(1.25),
            "height_ridge_m": 5.0,
            "height_eave_m": 3.0,
            "roof_type": "shed",
        },
    ),
    "L": (
        geometries.l_shape(),
        {"volume_m3": 240.0, "wall_area_m2": 180.0, "footprint_area_m2": 48.0, "footprint_perimeter_m": 36.0},
    ),
    "courtyard": (
        geometries.courtyard(),
        {
            "volume_m3": 504.0,
            "wall_area_m2": 336.0,
            "roof_area_m2": 84.0,
            "footprint_area_m2": 84.0,
            "footprint_perimeter_m": 56.0,
            "roof_type": "flat",
        },
    ),
}


@pytest.mark.parametrize("shape", CLOSED_FORMS)
def test_closed_forms(shape: str) -> None:
    geometry, expected = CLOSED_FORMS[shape]
    values = measured(geometry)
    for name, value in expected.items():
        assert values[name] == (value if isinstance(value, str) else pytest.approx(value, abs=1e-9)), name
    assert values["closed"] is True
    assert values["volume_method"] == "divergence"
    assert values["quality"] == "exact"
    assert values["volume_disagreement"] < 1e-9


@pytest.mark.parametrize(
    "build", [geometries.gable, geometries.hip, geometries.courtyard, geometries.l_shape]
)
def test_unnamed_faces_are_measured_like_named_ones(build: Any) -> None:
    named, unnamed = measured(build(named=True)), measured(build(named=False))
    assert unnamed == {
        name: pytest.approx(value) if isinstance(value, float) else value for name, value in named.items()
    }


def test_void_is_taken_off() -> None:
    batch = concatenate([[geometries.hollow_cube()]])
    result = measure(batch)
    assert result.values["volume_m3"][0] == pytest.approx(56.0)
    assert result.face_area_m2.sum() == pytest.approx(120.0)
    assert result.values["closed"][0] is True


def test_parts_add_up() -> None:
    parts = [geometries.gable(), geometries.moved(geometries.gable(), (10.0, 0.0, 0.0))]
    values = measured(*parts)
    assert values["volume_m3"] == pytest.approx(1200.0)
    assert values["footprint_area_m2"] == pytest.approx(160.0)
    assert values["footprint_perimeter_m"] == pytest.approx(56.0)
    assert values["surfaces"] == 14


def test_heights_are_native_and_count_from_the_ground() -> None:
    values = measured(geometries.moved(geometries.gable(), (25_496_000.0, 6_672_000.0, 12.25)))
    assert values["height_ground_m"] == pytest.approx(12.25)
    assert values["height_max_m"] == pytest.approx(21.25)
    assert values["height_eave_m"] == pytest.approx(18.25)
    assert values["height_m"] == pytest.approx(9.0)


def test_slope_and_azimuth_of_a_gable() -> None:
    result = measure(concatenate([[geometries.gable()]]))
    assert result.face_slope_deg[-2:] == pytest.approx([math.degrees(math.atan2(3, 4))] * 2)
    assert result.face_azimuth_deg[-2:] == pytest.approx([180.0, 0.0], abs=1e-9)
    assert result.face_slope_deg[0] == pytest.approx(180.0)
    assert math.isnan(result.face_azimuth_deg[0])
    assert result.face_azimuth_deg[1:5] == pytest.approx([180.0, 90.0, 0.0, 270.0])


def test_open_shell_is_measured_by_prisms() -> None:
    values = measured(geometries.without_faces(geometries.gable(), [2]))
    assert values["closed"] is False
    assert values["volume_method"] == "roof-ground integral"
    assert values["volume_m3"] == pytest.approx(600.0)
    assert values["quality"] == "prism"
    assert values["volume_disagreement"] > 0.01


def test_shell_without_ground_is_estimated_above_its_lowest_point() -> None:
    values = measured(geometries.without_faces(geometries.gable(), [0]))
    assert values["volume_m3"] == pytest.approx(600.0)
    assert values["quality"] == "estimated"
    assert values["footprint_area_m2"] == pytest.approx(80.0)
    assert values["ground_area_m2"] == 0.0


def test_object_without_geometry_has_no_values() -> None:
    result = measure(concatenate([[geometries.cube()], [], [geometries.cube()]]))
    for name, column in result.values.items():
        value = column[1]
        assert value is None or value == 0 if name in {"surfaces"} else value is None or np.isnan(value), name
    assert result.footprints[1] is None
    assert [result.values["volume_m3"][i] for i in (0, 2)] == pytest.approx([1.0, 1.0])


def test_nothing_is_measured_of_no_objects() -> None:
    result = measure(concatenate([]))
    assert all(len(column) == 0 for column in result.values.values())
    assert len(result.footprints) == 0


def test_every_computed_attribute_of_the_catalogue_is_given() -> None:
    result: Measures = measure(concatenate([[geometries.cube()]]))
    told_by_import = {"placement", "lod"}
    of_object = {a.name for a in of_stage(Stage.IMPORT) if a.origin is Origin.COMPUTED}
    assert set(result.values) == of_object - told_by_import


def test_codes_are_those_of_the_catalogue() -> None:
    shapes = [geometries.cube(), geometries.gable(), geometries.without_faces(geometries.gable(), [0, 2])]
    result = measure(concatenate([[shape] for shape in shapes]))
    for name in ("roof_type", "volume_method", "footprint_method", "quality"):
        assert set(result.values[name]) <= set(BY_NAME[name].codes)


def test_footprint_is_in_native_coordinates() -> None:
    result = measure(concatenate([[geometries.moved(geometries.courtyard(), (550_000.0, 6_580_000.0, 5.0))]]))
    footprint = result.footprints[0]
    assert isinstance(footprint, shapely.MultiPolygon)
    assert footprint.bounds == pytest.approx((550_000.0, 6_580_000.0, 550_010.0, 6_580_010.0))
    assert len(footprint.geoms[0].interiors) == 1
