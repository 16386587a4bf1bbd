"""Polygons that a fan from one of their points covers, cut in a few numpy calls."""

from typing import NamedTuple

import numpy as np

from twin.model.geometry import Bools, Floats, Ints
from twin.processing import segments


class Fans(NamedTuple):
    """Corners (triangles, 3), polygon and twice the area of triangles, and which polygons they cover."""

    corners: Ints
    polygon: Ints
    twice_area: Floats
    covered: Bools


def fans(points: Floats, first: Ints, length: Ints, normal: Floats, apex: int, no_area: float) -> Fans:
    """Triangles of those simple polygons that a fan from one point covers.

    A polygon is ``length`` of ``points`` (points, 3) from ``first`` on, counter-clockwise seen against its
    unit ``normal`` (polygons, 3). One all of whose fan triangles run its own way is seen whole from its
    point number ``apex``; triangles may have ``no_area``, twice, the other way.
    """
    able = length > max(apex, 2)
    count = np.where(able, length - 2, 0)
    row = np.repeat(np.arange(len(first)), count)
    step = segments.ranges(np.full_like(count, apex + 1), count)
    base, around = first[row], length[row]
    corners = np.stack([base + apex, base + step % around, base + (step + 1) % around], axis=1)
    twice = twice_area(points, corners, normal[row])
    backwards = np.bincount(row[twice < -no_area], minlength=len(first)) > 0
    covered = able & ~backwards
    # A triangle of no area is left out: its middle point lies on the side of a neighbour.
    keep = covered[row] & (twice > 0.0)
    return Fans(corners[keep], row[keep], twice[keep], covered)


def twice_area(points: Floats, corners: Ints, normal: Floats) -> Floats:
    """Twice the area of each triangle seen along a normal (triangles, 3), below 0 seen from behind."""
    origin = points[corners[:, 0]]
    ux, uy, uz = (points[corners[:, 1]] - origin).T
    vx, vy, vz = (points[corners[:, 2]] - origin).T
    nx, ny, nz = normal.T
    return (uy * vz - uz * vy) * nx + (uz * vx - ux * vz) * ny + (ux * vy - uy * vx) * nz
