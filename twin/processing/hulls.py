"""Adapter of scipy: volumes of convex hulls in space."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# scipy has no types.

from itertools import pairwise
from typing import Any, cast

import numpy as np
from scipy import spatial

from twin.model.geometry import Floats, Ints

MAX_POINTS = 500_000
"""Of more points no hull is made: some seconds and a gigabyte, if they all lie on it."""

MANY_POINTS = 500
"""Of more points the hull is made of points moved by a hair: a round flat roof, all of whose points
lie in a plane and on a circle, takes the square of their number otherwise. The volume is right to
1e-5, and the same every time."""

_FLAT = 1e-6
"""Volume over that of the box's diagonal cubed: less is a hair's."""

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
        if len(points) <= MANY_POINTS:
            return float(_ConvexHull(points).volume)
        volume = float(_ConvexHull(points, qhull_options="QJ").volume)
    except _QhullError:  # flat to within the precision of the points
        return np.nan
    diagonal = float(np.linalg.norm(np.ptp(points, axis=0)))
    return volume if volume > _FLAT * diagonal**3 else np.nan
