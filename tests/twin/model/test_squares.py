"""Squares are squares in their system."""

import pytest
from pyproj import Transformer

from twin.errors import InvalidParameter
from twin.model.squares import SYSTEMS, SquareGrid


@pytest.mark.parametrize("code", SYSTEMS)
@pytest.mark.parametrize("size", [250.0, 5000.0])
def test_corners_lie_on_the_grid(code: int, size: float) -> None:
    back = Transformer.from_crs(4326, code, always_xy=True)
    x, y = back.transform(24.9, 60.1)
    column, row = int(x // size), int(y // size)
    (ring,) = SquareGrid(size, code).outlines([(column, row)])
    assert ring[0] == ring[-1]
    places = [back.transform(*corner) for corner in ring]
    assert min(a for a, _ in places) == pytest.approx(column * size, abs=0.02)
    assert max(a for a, _ in places) == pytest.approx((column + 1) * size, abs=0.02)
    assert min(b for _, b in places) == pytest.approx(row * size, abs=0.02)
    assert max(b for _, b in places) == pytest.approx((row + 1) * size, abs=0.02)


def test_names_tell_the_corner() -> None:
    assert SquareGrid(250).name(1540, 26684) == "E385000N6671000"
    assert SquareGrid(2.5).name(-1, 3) == "E-2.5N7.5"


def test_systems_and_sizes_are_bounded() -> None:
    for arguments in ((250.0, 3857), (0.5, 3067), (2e6, 3067)):
        with pytest.raises(InvalidParameter, match="'square' takes"):
            SquareGrid(*arguments)
