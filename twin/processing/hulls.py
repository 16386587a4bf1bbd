"""Adapter of scipy: volumes of convex hulls in space."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# scipy has no types.

from itertools import pairwise
from typing import Any, cast

import numpy as np
from scipy import spatial

from twin.model.geometry import Floats, Ints

MAX_POINTS = 200_000
"""Of more points no hull is made: it would take minutes, and memory, if they all lay on it."""

_ConvexHull: Any = spatial.ConvexHull
_QhullError = cast("type[Exception]", spatial.QhullError)


def hull_volumes(xyz: Floats, start: Ints) -> Floats:
    """Volume in m³ of the hull of each run of points (points, 3).

    NaN where they lie in a plane, or are more than ``MAX_POINTS``.
    """
    return np.array([_volume(xyz[a:b]) for a, b in pairwise(start.tolist())], dtype=np.float64)


def _volume(points: Floats) -> float:
    if not 4 <= len(points) <= MAX_POINTS:
        return np.nan
    try:
        return float(_ConvexHull(points).volume)
    except _QhullError:  # flat to within the precision of the points
        return np.nan
