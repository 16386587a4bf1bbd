"""Areas over a grid of degrees: which of them a cell lies in, and where an edge is near.

Most points stand in a cell that lies in one area or in none, so that nothing is to be asked of a geometry.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from twin.model.geometry import Bools, Floats, Ints

_shapely: Any = shapely

SIDE = 512
"""Cells in either direction."""

EDGE = 0xFFFF
"""The code of a cell of which the points have to be asked one by one."""

MOST = EDGE - 1
"""Areas whose numbers fit two bytes."""

_LEAST_DEG = 1e-6
_POLYGONS = (3, 6)
_MARGIN = 1e-6
"""Of a cell: so far from its sides rounding may put a point into another one."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """A grid from ``west`` and ``south`` with `SIDE` cells each way, of ``width`` and ``height`` degrees.

    ``codes`` (`SIDE` x `SIDE`, row by row from the south): the number of the areas that a cell lies in, from
    1 on, 0 in none, `EDGE` where it depends on the point. Outside of the grid there are no areas.
    """

    west: float
    south: float
    width: float
    height: float
    codes: Ints

    @classmethod
    def of(cls, areas: Sequence[bytes], numbers: Sequence[int]) -> "Coverage | None":
        """Of areas as WKB in degrees, with the number of each, 0 of those that count as none.

        None where they are not all valid polygons, or more than `MOST`.
        """
        shapes = _shapely.from_wkb(np.array([bytes(area) for area in areas], dtype=object))
        polygons = np.isin(_shapely.get_type_id(shapes), _POLYGONS) & ~_shapely.is_empty(shapes)
        if not len(shapes) or len(shapes) > MOST or not (polygons & _shapely.is_valid(shapes)).all():
            return None
        bounds: Floats = _shapely.bounds(shapes)
        low, high = bounds[:, :2].min(axis=0), bounds[:, 2:].max(axis=0)
        # One more all around, so that also what lies on the outermost edges is within.
        size = np.maximum((high - low) / (SIDE - 2), _LEAST_DEG)
        low = low - size
        codes = np.where(_edges(shapes, low, size), EDGE, 0)
        for shape, bound, number in zip(shapes, bounds, numbers, strict=True):
            _fill(codes, shape, (bound.reshape(2, 2) - low) / size, (low, size), number)
        west, south, width, height = map(float, (*low, *size))
        return cls(west, south, width, height, codes)


def _edges(shapes: Any, low: Floats, size: Floats) -> Bools:
    """The cells (rows, columns) that an edge of an area may touch."""
    lines = _shapely.segmentize(_shapely.boundary(_shapely.get_parts(shapes)), float(size.min()))
    points, line = _shapely.get_coordinates(_shapely.get_parts(lines), return_index=True)
    places: Floats = (points - low) / size
    within = line[1:] == line[:-1]
    # No piece is longer than a cell: it touches none but those between its ends.
    first = np.minimum(places[1:], places[:-1])[within] - _MARGIN
    last = np.maximum(places[1:], places[:-1])[within] + _MARGIN
    marked = np.zeros((SIDE, SIDE), dtype=np.bool_)
    ends = np.floor(first).astype(np.int64), np.floor(last).astype(np.int64)
    for across in ends:
        for up in ends:
            marked[up[:, 1], across[:, 0]] = True
    return marked


def _fill(codes: Ints, shape: Any, bounds: Floats, grid: tuple[Floats, Floats], number: int) -> None:
    """Gives the cells that lie in an area its number; those that lie in two are like edges."""
    low, size = grid
    (west, south), (east, north) = np.floor(bounds).astype(np.int64).tolist()
    part = codes[south : north + 1, west : east + 1]
    rows, columns = np.nonzero(part != EDGE)
    middles: Floats = low + (np.column_stack((columns + west, rows + south)) + 0.5) * size
    _shapely.prepare(shape)
    inside: Bools = _shapely.contains_xy(shape, middles[:, 0], middles[:, 1])
    rows, columns = rows[inside], columns[inside]
    taken = part[rows, columns] != 0
    part[rows, columns] = np.where(taken, EDGE, number)
