"""The closed forms against textbook figures, and against an independent measurement of the shells."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from importers.synthetic import shapes
from importers.synthetic.frames import Frame, frame_near
from importers.synthetic.shapes import Form, Heights
from tests.importers.shell_measures import measure

UNIT = 0.1
GROUND, EAVE, TOP = 5_000, 11_000, 14_000
LEVEL, SLOPED = Heights(GROUND, EAVE, EAVE), Heights(GROUND, EAVE, TOP)

FORMS: dict[str, Callable[[float], Form]] = {
    "flat": lambda unit: shapes.flat(120, 80, LEVEL, unit),
    "shed": lambda unit: shapes.shed(120, 80, SLOPED, unit),
    "gable": lambda unit: shapes.gable(100, 80, SLOPED, unit),
    "hip": lambda unit: shapes.hip(120, 80, 40, SLOPED, unit),
    "pyramid": lambda unit: shapes.hip(80, 80, 40, SLOPED, unit),
    "mansard": lambda unit: shapes.mansard(150, 120, SLOPED, unit),
    "l_shape": lambda unit: shapes.l_shape((200, 180), (90, 70), LEVEL, unit),
    "u_shape": lambda unit: shapes.u_shape((301, 200), (121, 90), LEVEL, unit),
    "courtyard": lambda unit: shapes.courtyard((300, 240), 80, LEVEL, unit),
    "corner_gable": lambda unit: shapes.corner_gable((220, 180), 100, SLOPED, unit),
    "stepped": lambda unit: shapes.stepped(90, 130, 100, SLOPED, unit),
    "tower": lambda unit: shapes.tower((300, 240), (120, 110), SLOPED, unit),
    "church": lambda unit: shapes.church((300, 160), 80, SLOPED, 45_000, unit),
}
ROOF_TYPES = {
    "flat": "flat",
    "shed": "shed",
    "gable": "gabled",
    "hip": "hipped",
    "pyramid": "hipped",
    "mansard": "gabled",
    "l_shape": "flat",
    "u_shape": "flat",
    "courtyard": "flat",
    "corner_gable": "complex",
    "stepped": "multiple flat",
    "tower": "multiple flat",
    "church": "complex",
}


def exactly(value: float) -> object:
    """Nothing is rounded away: only the arithmetic of floats is allowed for."""
    return pytest.approx(value, rel=1e-9, abs=1e-6)  # pyright: ignore[reportUnknownMemberType]


def rings_of(form: Form, frame: Frame) -> list[list[list[np.ndarray]]]:
    return [
        [
            [
                np.array([(*frame.point(*shell.vertices[i][:2]), shell.vertices[i][2]) for i in ring]) / 1000
                for ring in face.rings
            ]
            for face in shell.faces
        ]
        for shell in form.shells
    ]


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("angle", [0.0, 0.4, 2.9, -1.2])
def test_closed_forms_hold_exactly_after_rotation(name: str, angle: float) -> None:
    frame = frame_near(25_497_500, 6_673_500, angle)
    truth = FORMS[name](frame.unit / 1000).truth
    found = measure(rings_of(FORMS[name](frame.unit / 1000), frame))
    assert found.closed
    assert found.volume == exactly(truth.volume)
    assert found.ground_area == exactly(truth.ground_area)
    assert found.perimeter == exactly(truth.perimeter)
    assert found.wall_area == exactly(truth.wall_area)
    assert found.roof_flat == exactly(truth.roof_flat)
    assert found.roof_sloped == exactly(truth.roof_sloped)
    assert found.surfaces == truth.surfaces
    assert round(found.ground_z * 1000) == truth.heights.ground
    assert round(found.eave_z * 1000) == truth.heights.eave
    assert round(found.top_z * 1000) == truth.heights.top
    assert round(found.ridge_z * 1000) == truth.ridge


@pytest.mark.parametrize("name", FORMS)
def test_every_shape_names_itself_and_its_roof(name: str) -> None:
    form = FORMS[name](UNIT)
    assert form.shape == name
    assert form.truth.roof_type == ROOF_TYPES[name]


@pytest.mark.parametrize("name", FORMS)
def test_width_and_depth_are_the_extent(name: str) -> None:
    form = FORMS[name](UNIT)
    corners = [vertex for shell in form.shells for vertex in shell.vertices]
    assert (min(p for p, _, _ in corners), max(p for p, _, _ in corners)) == (0, form.width)
    assert (min(q for _, q, _ in corners), max(q for _, q, _ in corners)) == (0, form.depth)


def test_gable_of_the_textbook() -> None:
    truth = shapes.gable(100, 80, SLOPED, UNIT).truth
    assert truth.volume == pytest.approx(600)
    assert truth.wall_area == pytest.approx(240)
    assert truth.roof_sloped == pytest.approx(100)


def test_hip_of_the_textbook() -> None:
    truth = shapes.hip(120, 80, 40, SLOPED, UNIT).truth
    assert truth.volume == pytest.approx(688)
    assert truth.roof_sloped == pytest.approx(120)


def test_courtyard_has_an_interior_ring_in_ground_and_roof() -> None:
    shell = shapes.courtyard((300, 240), 80, LEVEL, UNIT).shells[0]
    assert sorted(face.kind for face in shell.faces if len(face.rings) == 2) == [
        "GroundSurface",
        "RoofSurface",
    ]


@pytest.mark.parametrize("degrees", range(-180, 181, 7))
def test_frames_are_exact_and_near_the_angle(degrees: int) -> None:
    frame = frame_near(542_500.5, 6_588_800.25, math.radians(degrees))
    assert frame.cos**2 + frame.sin**2 == frame.unit**2
    assert (frame.x, frame.y) == (542_500_500, 6_588_800_250)
    off = (math.degrees(frame.angle) - degrees + 180) % 360 - 180
    assert abs(off) < 3.5


def test_a_quarter_turn_keeps_the_lattice() -> None:
    frame = frame_near(0, 0, 0.3)
    turned = frame.at(7, 3, 1)
    assert turned.point(0, 0) == frame.point(7, 3)
    assert turned.point(5, 2) == frame.point(7 - 2, 3 + 5)
