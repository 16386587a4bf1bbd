"""Pairs of boxes in space that meet, without a list of all pairs: sweep along the axis that tells most.

A tree of boxes on the map finds who is near whom, but not which of ten thousand slats above each
other are at the same height. Here every box looks along x, y and z and follows the axis with the
fewest others; what is found comes in chunks, so that memory is bounded whatever is compared.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Floats, Ints
from twin.processing import segments

CHUNK = 1_000_000
"""Pairs are looked at this many at a time: some ten megabytes an array."""


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Least and greatest coordinates (3, n) of boxes, and the group (n,) of each."""

    low: Floats
    high: Floats
    group: Ints


def meeting(one: Boxes, other: Boxes) -> Iterator[tuple[Ints, Ints]]:
    """Indices into both of boxes of equal groups that meet or touch, in chunks."""
    sweeps = [_Sweep.along(axis, one, other) for axis in range(3)]
    best = np.argmin([sweep.last - sweep.first for sweep in sweeps], axis=0)
    for axis, sweep in enumerate(sweeps):
        for a, b in sweep.candidates(np.flatnonzero(best == axis)):
            yield _met(one, other, a, b)


@dataclass(frozen=True, slots=True, eq=False)
class _Sweep:
    """``order`` puts the others by group and least coordinate; those a box may meet are from its
    ``first`` place in there to before its ``last``."""

    order: Ints
    first: Ints
    last: Ints

    @classmethod
    def along(cls, axis: int, one: Boxes, other: Boxes) -> "_Sweep":
        low, high, other_low, other_high = _keys(axis, one, other)
        order = np.argsort(other_low)
        # No box before the first one of these reaches up to the least coordinate.
        reached = np.maximum.accumulate(other_high[order]) if len(order) else order
        first = np.searchsorted(reached, low, side="left")
        last = np.searchsorted(other_low[order], high, side="right")
        return cls(order, first, np.maximum(first, last))

    def candidates(self, chosen: Ints) -> Iterator[tuple[Ints, Ints]]:
        """Pairs of the chosen boxes and others, in chunks; a box with very many is divided."""
        first, count = self.first[chosen], (self.last - self.first)[chosen]
        pieces = -(-count // CHUNK)
        box = np.repeat(chosen, pieces)
        at = np.repeat(first, pieces) + CHUNK * segments.ranges(np.zeros_like(pieces), pieces)
        length = np.minimum(np.repeat(first + count, pieces) - at, CHUNK)
        for some in segments.pieces(length, CHUNK):
            place = segments.ranges(at[some], length[some])
            yield np.repeat(box[some], length[some]), self.order[place]


def _keys(axis: int, one: Boxes, other: Boxes) -> tuple[Ints, Ints, Ints, Ints]:
    """Least and greatest coordinates of both as integers that are in order within their groups."""
    values = np.concatenate([side[axis] for side in (one.low, one.high, other.low, other.high)])
    ordered, rank = np.unique(values, return_inverse=True)
    groups = np.concatenate([one.group, one.group, other.group, other.group])
    key = groups * np.int64(len(ordered)) + rank
    n, m = len(one.group), len(other.group)
    return key[:n], key[n : 2 * n], key[2 * n : 2 * n + m], key[2 * n + m :]


def _met(one: Boxes, other: Boxes, a: Ints, b: Ints) -> tuple[Ints, Ints]:
    """Those of some pairs that meet along every axis."""
    for axis in range(3):
        meet = one.low[axis][a] <= other.high[axis][b]
        meet &= other.low[axis][b] <= one.high[axis][a]
        if not meet.all():
            a, b = a[meet], b[meet]
    return a, b
