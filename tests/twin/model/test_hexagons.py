"""The lattice finds the cells that the H3 library finds, also across edges of its icosahedron."""

from itertools import pairwise
from typing import Any

import h3 as _untyped
import numpy as np
import pytest

from twin.errors import InvalidParameter
from twin.model.geometry import Floats
from twin.model.hexagons import Box, Face, HexagonGrid, outline

_h3: Any = _untyped
CITIES = ((24.8, 60.1, 25.3, 60.3), (24.5, 59.3, 25.0, 59.6))
ESTONIA = ((21.8, 57.5, 28.2, 59.7),)
"""An edge between two faces runs through it."""


def _points(boxes: tuple[Box, ...], number: int) -> Floats:
    chance = np.random.default_rng(3)
    return np.concatenate([chance.uniform(box[:2], box[2:], (number, 2)) for box in boxes])


def _nearest(grid: HexagonGrid, vectors: Floats) -> list[int]:
    centres = np.stack([vectors @ np.array(face.centre) for face in grid.faces])
    return centres.argmax(axis=0).tolist()


def cells(grid: HexagonGrid, lonlat: Floats) -> list[tuple[int, int]]:
    """As a database computes them."""
    lng, lat = np.radians(lonlat.T)
    vectors = np.stack([np.cos(lng), np.sin(lng), np.tan(lat)], axis=1)
    found: list[tuple[int, int]] = []
    for vector, face in zip(vectors, _nearest(grid, vectors), strict=True):
        found.append(_cell(vector, grid.faces[face]))
    return found


def _cell(vector: Floats, face: Face) -> tuple[int, int]:
    first, third = (
        float(vector @ np.array(form)) / float(vector @ np.array(face.centre))
        for form in (face.first, face.third)
    )
    m = np.floor((np.floor(first) + np.floor(-third) + 2) / 3)
    n = np.floor((np.floor(first + third) + np.floor(third) + 2) / 3)
    return int(m), int(n)


@pytest.mark.parametrize(
    ("boxes", "resolution", "faces"),
    [
        *((CITIES, resolution, 1) for resolution in (3, 8, 9, 15)),
        *((ESTONIA, resolution, 2) for resolution in (2, 5, 8)),
    ],
)
def test_cells_are_those_of_the_library(boxes: Any, resolution: int, faces: int) -> None:
    grid = HexagonGrid.around(boxes, resolution)
    assert len(grid.faces) == faces
    points = _points(boxes, 1_500)
    ours = cells(grid, points)
    named = {cell: grid.cell(*cell) for cell in set(ours)}
    expected = [_h3.latlng_to_cell(lat, lng, resolution) for lng, lat in points.tolist()]
    assert [named[cell] for cell in ours] == expected
    assert len(named) == len(set(expected))


def test_the_outline_is_a_hexagon_around_its_points() -> None:
    grid = HexagonGrid.around(CITIES, 8)
    ((m, n),) = cells(grid, np.array([[24.94, 60.17]]))
    ring = outline(grid.cell(m, n))
    assert ring[0] == ring[-1]
    assert len(ring) == 7
    turns = [(x1 - x0) * (60.17 - y0) - (24.94 - x0) * (y1 - y0) for (x0, y0), (x1, y1) in pairwise(ring)]
    assert min(turns) > 0


def test_what_no_plane_holds_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="resolution from 0"):
        HexagonGrid.around(CITIES, 16)
    with pytest.raises(InvalidParameter, match="neighbouring faces"):
        HexagonGrid.around(((-180, -80, 180, 80),), 5)
    assert len(HexagonGrid.around((), 5).faces) == 1
