"""Cells of the WebMercatorQuad grid (OGC Two Dimensional Tile Matrix Set, annex D.1) as integers.

A cell is a level and a column ``x`` that grows eastwards and a row ``y`` that grows southwards. Its
Morton code interleaves both, ``x`` in the even bits; a *quadkey* is that code at ``LEVEL``. All
quadkeys inside a cell are one range, so that a B-tree answers what lies in any cell of any level.
"""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from twin.model.geometry import Floats, Ints

Number = TypeVar("Number", int, Ints)
"""One, or many of them."""

LEVEL = 24
"""Level of quadkeys: cells of about 1.2 m in Helsinki; 48 bits."""

SUMMARY_LEVEL = 15
"""Level of the cells whose objects are counted when they change: about 600 m in Helsinki."""

LEAST_M = (0, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 91, 128, 181, 256, 362, 512, 724, 1024)
"""The least height or width of the objects of a class of size, in metres.

Counts by these and by `SUMMARY_LEVEL` are stored: who changes them has to count anew in a migration.
"""

MAX_LATITUDE = 85.05112877980659
"""Where the square of Web Mercator ends."""

_SPREAD = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def quadkeys(lonlat: Floats) -> Ints:
    """Quadkeys (n,) of points (n, 2) given as longitude and latitude in degrees."""
    size = float(1 << LEVEL)
    longitude = lonlat[:, 0]
    latitude = np.radians(np.clip(lonlat[:, 1], -MAX_LATITUDE, MAX_LATITUDE))
    x = (longitude + 180.0) / 360.0 * size
    y = (1.0 - np.arcsinh(np.tan(latitude)) / np.pi) / 2.0 * size
    return interleave(_whole(x), _whole(y))


def _whole(value: Floats) -> Ints:
    return np.clip(np.floor(value), 0, (1 << LEVEL) - 1).astype(np.int64)


def interleave(x: Ints, y: Ints) -> Ints:
    """Morton codes of columns and rows below 2**31, all of shape (n,)."""
    return _spread(x) | (_spread(y) << 1)


def deinterleave(code: Ints) -> tuple[Ints, Ints]:
    """Columns and rows of Morton codes, all of shape (n,)."""
    return _gather(code), _gather(code >> 1)


def _spread(value: Number) -> Number:
    spread = value & 0x7FFFFFFF
    for shift, mask in _SPREAD:
        spread = (spread | (spread << shift)) & mask
    return spread


def _gather(code: Number) -> Number:
    value = code & 0x5555555555555555
    for (shift, _), (_, mask) in zip(_SPREAD[::-1], [*_SPREAD[-2::-1], (0, 0x00000000FFFFFFFF)], strict=True):
        value = (value | (value >> shift)) & mask
    return value


@dataclass(frozen=True, slots=True, order=True)
class Cell:
    """One cell of the grid; ``Cell(0, 0, 0)`` is the world."""

    level: int
    x: int
    y: int

    @classmethod
    def from_code(cls, level: int, code: int) -> "Cell":
        """The cell of a level with the given Morton code."""
        code = int(code)
        return cls(level, _gather(code), _gather(code >> 1))

    @property
    def code(self) -> int:
        """The Morton code of the cell at its own level."""
        return _spread(self.x) | (_spread(self.y) << 1)

    @property
    def exists(self) -> bool:
        """Whether the grid has this cell."""
        if not 0 <= self.level <= LEVEL:
            return False
        size = 1 << self.level
        return 0 <= self.x < size and 0 <= self.y < size

    def contains(self, other: "Cell") -> bool:
        """Whether the other cell is this one or lies inside it."""
        deeper = other.level - self.level
        return deeper >= 0 and (other.x >> deeper, other.y >> deeper) == (self.x, self.y)


def cell_range(level: int, x: int, y: int) -> tuple[int, int]:
    """The quadkeys in a cell: the first one inside and the first one behind it."""
    code = Cell(level, x, y).code
    shift = 2 * (LEVEL - level)
    return code << shift, (code + 1) << shift


def cell_bounds(level: int, x: int, y: int) -> tuple[float, float, float, float]:
    """West, south, east and north of a cell in degrees."""
    size = 1 << level
    west, east = x / size * 360.0 - 180.0, (x + 1) / size * 360.0 - 180.0
    return west, _latitude((y + 1) / size), east, _latitude(y / size)


def _latitude(fraction: float) -> float:
    return float(np.degrees(np.arctan(np.sinh(np.pi * (1.0 - 2.0 * fraction)))))
