"""Points that are near each other."""

from itertools import product

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats, Ints
from twin.processing import segments

_AHEAD = [step for step in product((-1, 0, 1), repeat=3) if step >= (0, 0, 0)]
"""From a cell to itself and to half of those around it: each pair of cells once."""

_MIXERS = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)
_GROUP = np.uint64(0xD6E8FEB86659FD93)


def near_pairs(xyz: Floats, group: Ints, reach_m: float) -> tuple[Ints, Ints]:
    """Pairs of points (points, 3) of one group (points,) that are within ``reach_m`` of each other.

    By cells as wide as the reach, of which few hold many points.
    """
    crowded = _crowded(xyz, group, reach_m)
    if not len(crowded):
        return crowded, crowded
    xyz, group = xyz[crowded], group[crowded]
    cell = np.floor((xyz - xyz.min(axis=0)) / reach_m).astype(np.int64)
    key = _keys(cell, group)
    order = np.argsort(key)
    key = key[order]
    found: list[tuple[Ints, Ints]] = []
    for step in _AHEAD:
        sought = _keys(cell + step, group)
        first, last = (np.searchsorted(key, sought, side=side) for side in ("left", "right"))
        a = np.repeat(np.arange(len(xyz)), last - first)
        b = order[segments.ranges(first, last - first)]
        near = (group[a] == group[b]) & (cell[b] == cell[a] + step).all(axis=1)
        near &= ((xyz[a] - xyz[b]) ** 2).sum(axis=1) <= reach_m**2
        near &= (a < b) | any(step)
        found.append((a[near], b[near]))
    return crowded[np.concatenate([a for a, _ in found])], crowded[np.concatenate([b for _, b in found])]


def _keys(cell: Ints, group: Ints) -> npt.NDArray[np.uint64]:
    """A hash of each cell (points, 3) of a group."""
    mixed = cell.astype(np.uint64) * _MIXERS
    return mixed[:, 0] + mixed[:, 1] + mixed[:, 2] + group.astype(np.uint64) * _GROUP


def _crowded(xyz: Floats, group: Ints, reach_m: float) -> Ints:
    """The points that may have others near: few, where points are corners of buildings.

    Along each axis in turn, clusters of points are divided where a gap is wider than the reach.
    """
    cluster = group
    for axis in xyz.T if len(xyz) else ():
        step = ((axis - axis.min()) / reach_m).astype(np.int64)
        key = cluster * (step.max() + 2) + step
        order = np.argsort(key)
        cluster = np.empty_like(order)
        cluster[order] = np.cumsum(np.diff(key[order], prepend=key[order[0]]) > 1)
    return np.flatnonzero(np.bincount(cluster)[cluster] > 1)
