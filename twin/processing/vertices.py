"""Points that are the same vertex, known by 64-bit hashes; no table of vertices is built.

A point falls into a cell of a millimetre grid around its object's origin. Points of one cell are
one vertex. Where that leaves a boundary open, points of different cells that are within the
snapping distance are joined too, so that it does not matter where the grid lies.
"""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from twin.model.geometry import GeometryBatch, Ints
from twin.processing import segments
from twin.processing.graph import components
from twin.processing.nearby import near_pairs

SNAP_M = 0.001
"""Points within this distance are one vertex (val3dity's default)."""

_REACH_M = SNAP_M + 1e-6
"""Where coordinates are rounded to millimetres, points are just the snapping distance apart; the
rounding of binary numbers may not decide."""

_CELLS_PER_M = round(1.0 / SNAP_M)

Hashes: TypeAlias = npt.NDArray[np.uint64]

# Odd random multipliers, one for each coordinate and one for the object.
_AXES = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_OBJECT = np.uint64(0xD6E8FEB86659FD93)
# The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection that spreads every bit.
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = (np.uint64(n) for n in (30, 27, 31))

_PIECE = 8192
"""Points hashed at a time: what stays in the cache of the processor takes half the time."""

_ROUNDING = 1.5 * 2.0**52
"""Added to a number, it leaves no bits for a fraction."""


def mixed(key: Hashes) -> Hashes:
    """Spread every bit of a key over all 64."""
    spread = key >> _SHIFT_1
    spread ^= key
    spread *= _MIX_1
    shifted = spread >> _SHIFT_2
    spread ^= shifted
    spread *= _MIX_2
    np.right_shift(spread, _SHIFT_3, out=shifted)
    spread ^= shifted
    return spread


def vertex_hashes(batch: GeometryBatch) -> Hashes:
    """A hash of object and grid cell of every point, shape (points,)."""
    start = batch.ring_start[batch.surface_start[batch.object_start]]
    key = np.repeat(np.arange(1, batch.objects + 1, dtype=np.uint64) * _OBJECT, np.diff(start))
    for first in range(0, len(key), _PIECE):
        piece = slice(first, first + _PIECE)
        for axis, multiplier in zip(batch.xyz[piece].T, _AXES, strict=True):
            cell = axis * _CELLS_PER_M
            # Leaves the integer in the lowest bits; much faster than rounding and converting.
            cell += _ROUNDING
            bits = cell.view(np.uint64)
            bits *= multiplier
            key[piece] += bits
        key[piece] = mixed(key[piece])
    return key


def joined_hashes(batch: GeometryBatch, points: Ints, hashes: Hashes) -> Hashes:
    """``hashes`` with cells of an object joined where two of the given points are near each other."""
    order, start = segments.grouped(hashes[points])
    first = points[np.minimum.reduceat(order, start[:-1])] if len(points) else points
    cell = hashes[first]
    object_start = batch.ring_start[batch.surface_start[batch.object_start]]
    owner = np.searchsorted(object_start, first, side="right")
    a, b = near_pairs(batch.xyz[first], owner, _REACH_M)
    if not len(a):
        return hashes
    label = components(len(cell), a, b)
    renamed = np.flatnonzero(label != np.arange(len(label)))
    place = np.minimum(np.searchsorted(cell[renamed], hashes), len(renamed) - 1)
    return np.where(cell[renamed][place] == hashes, cell[label[renamed]][place], hashes)
