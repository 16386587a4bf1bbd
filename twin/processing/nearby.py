"""Points that are near each other; adapter of scipy's KD-tree."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# scipy has no types.

from typing import Any

import numpy as np
from scipy import spatial

from twin.model.geometry import Floats, Ints

_KDTree: Any = spatial.KDTree


def near_pairs(xyz: Floats, group: Ints, reach_m: float) -> tuple[Ints, Ints]:
    """Pairs of points (points, 3) of one group (points,) that are within ``reach_m`` of each other.

    ``reach_m`` is less than a metre.
    """
    crowded = _crowded(xyz, group, reach_m)
    if not len(crowded):
        return crowded, crowded
    # A metre apart for each step in a fourth dimension, groups cannot be near each other.
    tree = _KDTree(np.column_stack([xyz[crowded], group[crowded]]))
    pairs: Ints = tree.query_pairs(reach_m, output_type="ndarray")
    return crowded[pairs[:, 0]], crowded[pairs[:, 1]]


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
