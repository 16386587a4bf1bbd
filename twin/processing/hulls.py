"""Adapter of manifold3d: volumes of convex hulls in space."""

from collections.abc import Callable
from itertools import pairwise
from typing import cast

import numpy as np
from manifold3d import Manifold

from twin.model.geometry import Floats, Ints
from twin.processing import planar, segments

MAX_POINTS = 500_000
"""Of more points no hull is made: some seconds and a gigabyte, if they all lie on it."""

MANY_POINTS = 500
"""Of more points it is not looked whether they lie in two levels."""

_FLAT = 1e-7
"""Volume over that of the box's diagonal cubed: less is rounding, for points nearer to a face than
1e-7 of the size of the whole count as in its plane."""

_FEWEST = 4
"""Points of a hull that has a volume."""

_CORNERS = 6
"""Of the least prism, on a triangle."""

_SLIVER_M2 = 1e-3

_hull_of = cast("Callable[[Floats], Manifold]", Manifold.hull_points)  # pyright: ignore[reportUnknownMemberType]


def hull_volumes(xyz: Floats, start: Ints) -> Floats:
    """Volume in m³ of the hull of each run of points (points, 3).

    NaN where they lie in a plane, or are more than ``MAX_POINTS``.
    """
    result = _prisms(xyz, start)
    count = np.diff(start)
    left = np.flatnonzero(np.isnan(result) & (count >= _FEWEST) & (count <= MAX_POINTS))
    spans: list[tuple[int, int]] = list(pairwise(start.tolist()))
    for index in left.tolist():
        first, last = spans[index]
        result[index] = _volume(xyz[first:last])
    size = segments.maxima(xyz.T, start) - segments.minima(xyz.T, start)
    flat = left[~(result[left] > _FLAT * np.sqrt((size[:, left] ** 2).sum(axis=0)) ** 3)]
    result[flat] = np.nan
    return result


def _prisms(xyz: Floats, start: Ints) -> Floats:
    """Volumes (runs,) of the hulls of runs of points that lie in two levels, one above the other; else NaN.

    Those are the blocks with flat roofs: a third of a city, and no work for a hull.
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
    return _hull_of(points).volume()
