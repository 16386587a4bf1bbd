"""Adapter of scipy: volumes of convex hulls in space."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false
# scipy has no types.

from contextlib import suppress
from itertools import pairwise
from typing import Any, cast

import numpy as np
from scipy import spatial

from twin.model.geometry import Floats, Ints
from twin.processing import planar, segments

MAX_POINTS = 500_000
"""Of more points no hull is made: some seconds and a gigabyte, if they all lie on it."""

MANY_POINTS = 500
"""Of more points the hull is made of points moved by a hair: a round flat roof, all of whose points
lie in a plane and on a circle, takes the square of their number otherwise. The volume is right to
1e-5, and the same every time."""

_FLAT = 1e-6
"""Volume over that of the box's diagonal cubed: less is a hair's."""

_CORNERS = 6
"""Of the least prism, on a triangle."""

_SLIVER_M2 = 1e-3
_NEAR_M = 1e-6

_ConvexHull: Any = spatial.ConvexHull
_QhullError = cast("type[Exception]", spatial.QhullError)


def hull_volumes(xyz: Floats, start: Ints) -> Floats:
    """Volume in m³ of the hull of each run of points (points, 3).

    NaN where they lie in a plane, or are more than ``MAX_POINTS``.
    """
    result = _prisms(xyz, start)
    spans: list[tuple[int, int]] = list(pairwise(start.tolist()))
    for index in np.flatnonzero(np.isnan(result)).tolist():
        first, last = spans[index]
        result[index] = _volume(xyz[first:last])
    return result


def _prisms(xyz: Floats, start: Ints) -> Floats:
    """Volumes (runs,) of the hulls of runs of points that lie in two levels, one above the other; else NaN.

    Those are the blocks with flat roofs: a third of a city, and no work for Qhull.
    """
    result = np.full(len(start) - 1, np.nan)
    count = np.diff(start)
    low, high = segments.minima(xyz[:, 2], start), segments.maxima(xyz[:, 2], start)
    between = (xyz[:, 2] != np.repeat(low, count)) & (xyz[:, 2] != np.repeat(high, count))
    level = segments.sums(between.astype(np.float64), start) == 0.0
    few = (count % 2 == 0) & (count >= _CORNERS) & (count <= MANY_POINTS)
    chosen = np.flatnonzero(level & few & (low < high))
    if not len(chosen):
        return result
    points = xyz[segments.expand(start, chosen)]
    owner = np.repeat(np.arange(len(chosen)), count[chosen])
    points = points[np.lexsort((*points.T[::-1], owner))]
    under, over = points[::2], points[1::2]
    apart = (under[:, :2] != over[:, :2]).any(axis=1) | (under[:, 2] >= over[:, 2])
    upright = segments.totals(owner[::2], apart, len(chosen)) == 0.0
    area = planar.hull_areas(under[:, :2], owner[::2], len(chosen))
    sound = upright & (area > _SLIVER_M2)
    result[chosen[sound]] = (area * (high - low)[chosen])[sound]
    return result


def _volume(points: Floats) -> float:
    if not 4 <= len(points) <= MAX_POINTS:
        return np.nan
    try:
        if len(points) <= MANY_POINTS:
            return float(_hull(points).volume)
        volume = float(_ConvexHull(points, qhull_options="QJ").volume)
    except _QhullError:  # flat to within the precision of the points
        return np.nan
    diagonal = float(np.linalg.norm(np.ptp(points, axis=0)))
    return volume if volume > _FLAT * diagonal**3 else np.nan


def _hull(points: Floats) -> Any:
    """The hull, without Qhull's care for rounding, which takes as long again, where it does not matter."""
    with suppress(_QhullError):
        hull = _ConvexHull(points, qhull_options="Q0")
        planes = hull.equations
        if ((planes[:, :3] @ points.T).max(axis=1) + planes[:, 3]).max() <= _NEAR_M:
            return hull
    return _ConvexHull(points)
