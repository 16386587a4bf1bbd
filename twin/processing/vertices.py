"""Points that are the same vertex, known by 64-bit hashes; no table of vertices is built.

A point falls into a cell of a millimetre grid around its object's origin. Points of one cell are
one vertex. Where that leaves a boundary open, points of neighbouring cells that are within the
snapping distance are joined too, so that it does not matter where the grid lies.
"""

from itertools import product
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints
from twin.processing import segments

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

# One of each pair of opposite directions to the 26 cells around a cell.
_AROUND = np.array([step for step in product((-1, 0, 1), repeat=3) if step > (0, 0, 0)], dtype=np.int64)


def mixed(key: Hashes) -> Hashes:
    """Spread every bit of a key over all 64."""
    key = (key ^ (key >> _SHIFT_1)) * _MIX_1
    key = (key ^ (key >> _SHIFT_2)) * _MIX_2
    return key ^ (key >> _SHIFT_3)


def vertex_hashes(batch: GeometryBatch) -> Hashes:
    """A hash of object and grid cell of every point, shape (points,)."""
    return mixed(_cell_keys(batch.xyz, _object_salt(batch)))


def joined_hashes(batch: GeometryBatch, objects: Bools, hashes: Hashes) -> Hashes:
    """``hashes`` with neighbouring cells joined in the chosen objects, where points are near."""
    points = segments.expand(_object_points(batch), np.flatnonzero(objects))
    xyz = batch.xyz[points]
    keys = _cell_keys(xyz, _object_salt(batch)[points])
    cells, representative, cell_of_point = np.unique(keys, return_index=True, return_inverse=True)
    label = np.arange(len(cells))
    a, b = _near_cells(cells, xyz[representative])
    while len(a):
        before = label.copy()
        np.minimum.at(label, a, before[b])
        np.minimum.at(label, b, before[a])
        if np.array_equal(label, before):
            break
    result = hashes.copy()
    result[points] = hashes[points[representative[label]]][cell_of_point]
    return result


def _near_cells(cells: Hashes, xyz: Floats) -> tuple[Ints, Ints]:
    """Pairs of cells next to each other whose points are within the snapping distance."""
    pairs: list[tuple[Ints, Ints]] = []
    steps: Hashes = (_AROUND.view(np.uint64) * _AXES).sum(axis=1, dtype=np.uint64)
    for step in steps:
        wanted: Hashes = cells + step
        found = np.minimum(np.searchsorted(cells, wanted), len(cells) - 1)
        gap = xyz[found] - xyz
        near = (cells[found] == wanted) & (np.einsum("ij,ij->i", gap, gap) <= _REACH_M**2)
        pairs.append((np.flatnonzero(near), found[near].astype(np.int64)))
    a, b = zip(*pairs, strict=True)
    return np.concatenate(a), np.concatenate(b)


def _object_points(batch: GeometryBatch) -> Ints:
    return batch.ring_start[batch.surface_start[batch.object_start]]


def _object_salt(batch: GeometryBatch) -> Hashes:
    number = np.arange(1, batch.objects + 1, dtype=np.uint64) * _OBJECT
    return np.repeat(number, np.diff(_object_points(batch)))


def _cell_keys(xyz: Floats, salt: Hashes) -> Hashes:
    """A key of each point that is linear in its grid cell, so that neighbours are a sum away."""
    key = salt
    for axis, multiplier in zip(xyz.T, _AXES, strict=True):
        key = key + np.rint(axis * _CELLS_PER_M).astype(np.int64).view(np.uint64) * multiplier
    return key
