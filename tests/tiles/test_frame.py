from typing import Any

import numpy as np
import pyproj
import pytest

from tiles.frame import Frame
from twin.model.cells import Cell

_TO_ECEF: Any = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)

PLACES = [(24.97, 60.185, 0.0), (24.75, 59.43, 40.0), (-179.99, -84.0, 5.0), (0.0, 0.0, 0.0)]


@pytest.mark.parametrize("place", PLACES)
def test_the_origin_is_where_proj_puts_it(place: tuple[float, float, float]) -> None:
    assert Frame.at(*place).origin == pytest.approx(_TO_ECEF.transform(*place), abs=1e-3)


@pytest.mark.parametrize("place", PLACES)
def test_a_kilometre_away_is_a_kilometre_in_the_frame(place: tuple[float, float, float]) -> None:
    longitude, latitude, height = place
    above = np.array([_TO_ECEF.transform(longitude, latitude, height + 1000.0)])
    assert Frame.at(*place).local(above)[0] == pytest.approx([0, 0, 1000], abs=1e-3)
    north = np.array([_TO_ECEF.transform(longitude, latitude + 1e-5, height)])
    east, along, up = Frame.at(*place).local(north)[0]
    assert along == pytest.approx(1.11, rel=0.01)
    assert (east, up) == pytest.approx((0, 0), abs=1e-3)


def test_the_matrix_leads_back() -> None:
    frame = Frame.of_cell(Cell(14, 9327, 4741))
    points = np.array([[0.0, 0.0, 0.0], [300.0, -200.0, 50.0]])
    matrix = np.array(frame.matrix()).reshape(4, 4).T
    ecef = points @ matrix[:3, :3].T + matrix[:3, 3]
    assert frame.local(ecef) == pytest.approx(points, abs=1e-4)
    assert matrix[3].tolist() == [0, 0, 0, 1]
