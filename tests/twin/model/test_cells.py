import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.model.cells import LEVEL, Cell, cell_bounds, cell_range, deinterleave, interleave, quadkeys

CELLS = st.integers(0, LEVEL).flatmap(
    lambda level: st.builds(Cell, st.just(level), st.integers(0, 2**level - 1), st.integers(0, 2**level - 1))
)


def naive_morton(x: int, y: int) -> int:
    return sum(((x >> bit & 1) << 2 * bit) | ((y >> bit & 1) << 2 * bit + 1) for bit in range(31))


@given(st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), min_size=1))
def test_interleaving_is_the_morton_code(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=np.int64).T
    codes = interleave(x, y)
    assert codes.tolist() == [naive_morton(*pair) for pair in pairs]
    back = deinterleave(codes)
    assert back[0].tolist() == x.tolist()
    assert back[1].tolist() == y.tolist()


@given(CELLS)
def test_a_cell_holds_the_quadkeys_of_points_in_it(cell: Cell) -> None:
    west, south, east, north = cell_bounds(cell.level, cell.x, cell.y)
    middle = np.array([[(west + east) / 2, (south + north) / 2]])
    first, behind = cell_range(cell.level, cell.x, cell.y)
    assert first <= quadkeys(middle)[0] < behind
    assert behind - first == 4 ** (LEVEL - cell.level)


@given(CELLS)
def test_a_cell_comes_back_from_its_code(cell: Cell) -> None:
    assert Cell.from_code(cell.level, cell.code) == cell
    assert cell.exists


def test_a_published_tile() -> None:
    """The example in the documentation of mercantile: the upper left corner of 486, 332 at zoom 10."""
    west, _, _, north = cell_bounds(10, 486, 332)
    assert (west, north) == pytest.approx((-9.140625, 53.33087298301705), abs=1e-12)


def test_points_beyond_the_square_of_mercator_are_kept_in_it() -> None:
    keys = quadkeys(np.array([[-180.0, 90.0], [180.0, -90.0]]))
    assert keys.tolist() == [0, 4**LEVEL - 1]


@pytest.mark.parametrize(
    "cell", [Cell(0, 1, 0), Cell(3, 8, 0), Cell(3, 0, -1), Cell(25, 0, 0), Cell(-1, 0, 0)]
)
def test_cells_outside_of_the_grid_do_not_exist(cell: Cell) -> None:
    assert not cell.exists


def test_containment() -> None:
    assert Cell(2, 1, 3).contains(Cell(4, 7, 12))
    assert Cell(2, 1, 3).contains(Cell(2, 1, 3))
    assert not Cell(2, 1, 3).contains(Cell(1, 0, 1))
    assert not Cell(2, 1, 3).contains(Cell(4, 8, 12))
