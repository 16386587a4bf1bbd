"""Dividing a dataset into grid cells, so that each feature is owned by exactly one of them.

A feature belongs to the cell that holds the centroid of its footprint; its quadkey says which. The
cells of a division cover all quadkeys of the dataset and do not overlap, so that whatever the
division, every feature is computed once and from the same neighbours.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.model.cells import LEVEL
from twin.model.geometry import Ints

UNPLACED_LEVEL = -1
"""Level of the partition of those features that have no place on the map."""

FEATURES = 1000
"""Features of a partition: some seconds of work, and a halo that is small beside it."""


@dataclass(frozen=True, slots=True, order=True)
class Partition:
    """A cell of the grid by level and Morton code, or everything that lies in no cell."""

    level: int
    code: int

    @property
    def quadkeys(self) -> tuple[int, int] | None:
        """The first quadkey inside and the first one behind; None for what has no place."""
        if self.level == UNPLACED_LEVEL:
            return None
        shift = 2 * (LEVEL - self.level)
        return self.code << shift, (self.code + 1) << shift

    def __str__(self) -> str:
        return "unplaced" if self.level == UNPLACED_LEVEL else f"{self.level}/{self.code}"


UNPLACED = Partition(UNPLACED_LEVEL, 0)


def divide(quadkeys: Ints, count: int) -> list[Partition]:
    """At least ``count`` cells that hold the given quadkeys, where so many can be told apart.

    The fullest cell is split until there are enough, so that all hold about as many features.
    """
    keys = np.sort(quadkeys)
    if not len(keys):
        return []
    cells = [(-len(keys), Partition(0, 0), 0, len(keys))]
    whole: list[Partition] = []
    while cells and len(cells) + len(whole) < count:
        size, cell, low, high = heapq.heappop(cells)
        if size == -1 or cell.level == LEVEL:
            whole.append(cell)
            continue
        for child in _children(cell):
            first, behind = _within(keys, child, low, high)
            if behind > first:
                heapq.heappush(cells, (first - behind, child, first, behind))
    return sorted([*whole, *(cell for _, cell, _, _ in cells)])


def _children(cell: Partition) -> list[Partition]:
    return [Partition(cell.level + 1, 4 * cell.code + quarter) for quarter in range(4)]


def _within(keys: Ints, cell: Partition, low: int, high: int) -> tuple[int, int]:
    """Where the quadkeys of a cell lie among ``keys[low:high]``."""
    shift = 2 * (LEVEL - cell.level)
    ends = np.array([cell.code << shift, (cell.code + 1) << shift])
    first, behind = (np.searchsorted(keys[low:high], ends) + low).tolist()
    return first, behind


def divided(keys: Sequence[int | None], count: int | None = None) -> list[Partition]:
    """Partitions of a dataset by the quadkeys of its features, by default one for each thousand.

    Those without a quadkey have one of their own.
    """
    placed = np.array([key for key in keys if key is not None], dtype=np.int64)
    parts = divide(placed, count or -(-len(placed) // FEATURES))
    return parts if len(placed) == len(keys) else [UNPLACED, *parts]
