import numpy as np
import pytest

from twin.errors import AxisOrderUnclear
from twin.model.axis import area_of_use
from twin.model.crs import AxisOrder, ReferenceSystem, decide_axis_order, swap
from twin.model.geometry import Floats

HELSINKI = np.array([[25500913.0, 6674900.0, 3.0], [25500950.0, 6674950.0, 12.0]])
TALLINN = np.array([[538094.21, 6584173.41, 33.61], [538100.0, 6584180.0, 40.0]])
DELFT = np.array([[85000.0, 446000.0, 0.0]])
MUNICH = np.array([[691000.0, 5335000.0, 520.0]])


def northing_first(xyz: Floats) -> Floats:
    return xyz[:, [1, 0, 2]]


@pytest.mark.parametrize(
    ("epsg", "easting_first"), [(3879, HELSINKI), (3301, TALLINN), (28992, DELFT), (25832, MUNICH)]
)
def test_the_coordinates_decide(epsg: int, easting_first: Floats) -> None:
    reference = ReferenceSystem(epsg)
    assert decide_axis_order(reference, easting_first).order == "en"
    assert decide_axis_order(reference, northing_first(easting_first)).order == "ne"


def test_the_decision_says_why() -> None:
    decision = decide_axis_order(ReferenceSystem(3301, 9663), northing_first(TALLINN))
    assert "only northing first fits" in decision.reason
    assert "EPSG:3301+9663" in decision.reason


def test_coordinates_of_another_system_are_refused_with_both_readings() -> None:
    with pytest.raises(AxisOrderUnclear) as caught:
        decide_axis_order(ReferenceSystem(3301), HELSINKI)
    message = str(caught.value)
    assert "read easting first, the middle of the file is at E 25500931.5, N 6674925" in message
    assert "read northing first, at E 6674925, N 25500931.5" in message
    assert "--axis-order" in message


@pytest.mark.parametrize("order", ["en", "ne"])
def test_a_person_has_the_last_word(order: AxisOrder) -> None:
    decision = decide_axis_order(ReferenceSystem(3301), HELSINKI, forced=order)
    assert (decision.order, decision.reason) == (order, "given by a person")


def test_both_orders_may_fit() -> None:
    soldner_berlin = np.array([[20_000.0, 21_000.0, 40.0]])
    decision = decide_axis_order(ReferenceSystem(3068), soldner_berlin)
    assert decision.order == "en"
    assert "both orders fit" in decision.reason


def test_the_area_itself_decides_before_its_surroundings_do() -> None:
    # Within the margin of Soldner Berlin both readings fit, inside its area of use only one does.
    _, south, east, north = area_of_use(3068) or (0, 0, 0, 0)
    inside = np.array([[east - 100, south + 100, 0.0]])
    assert inside[0, 0] > north
    assert decide_axis_order(ReferenceSystem(3068), inside).order == "en"
    assert decide_axis_order(ReferenceSystem(3068), northing_first(inside)).order == "ne"


def test_a_model_just_over_the_border_is_not_refused() -> None:
    over = HELSINKI + np.array([60_000.0, 0.0, 0.0])
    assert decide_axis_order(ReferenceSystem(3879), northing_first(over)).order == "ne"


def test_one_stray_point_does_not_decide() -> None:
    points = np.vstack([np.repeat(northing_first(TALLINN), 10, axis=0), [[0.0, 0.0, 0.0]], [[np.nan] * 3]])
    assert decide_axis_order(ReferenceSystem(3301), points).order == "ne"


def test_degrees_are_told_apart_where_they_can_be() -> None:
    estonia = np.array([[59.437, 24.745, 33.0]])
    assert decide_axis_order(ReferenceSystem(4326), estonia).order == "en"  # both are on earth
    assert decide_axis_order(ReferenceSystem(4258), estonia).order == "ne"  # only one is in Europe


def test_without_anything_to_go_by_coordinates_stay() -> None:
    assert decide_axis_order(ReferenceSystem(None), HELSINKI).order == "en"
    assert decide_axis_order(ReferenceSystem(3879), np.zeros((0, 3))).order == "en"


def test_swap_puts_easting_first_and_keeps_heights() -> None:
    assert swap(northing_first(TALLINN), "ne").tolist() == TALLINN.tolist()
    assert swap(TALLINN, "en") is TALLINN
    assert swap(TALLINN[:, :2], "ne").tolist() == TALLINN[:, [1, 0]].tolist()


def test_areas_of_use_are_those_of_the_cities() -> None:
    west, south, east, north = area_of_use(3879) or (0, 0, 0, 0)
    assert 25.4e6 < west < 25.5e6 < east < 25.6e6
    assert 6.6e6 < south < 6.67e6 < north
    assert area_of_use(4326) == (-180.0, -90.0, 180.0, 90.0)
