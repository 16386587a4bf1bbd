"""Shape measures: the least rectangle around a footprint, and how compact plan and shell are.

Definitions: Labetski, Vitalis, Biljecki, Arroyo Ohori, Stoter, "3D building metrics for urban
morphology" (International Journal of Geographical Information Science, 2023).
"""

from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Floats, Ints, offsets
from twin.processing import planar, segments
from twin.processing.convex import are_convex
from twin.processing.hulls import hull_volumes
from twin.processing.orientation import Boundary
from twin.processing.planar import Shapes
from twin.processing.vertices import vertex_hashes

STOREY_M = 3.0
"""Height of a storey where nobody tells how many there are."""

_ROUNDING_M = 0.001
"""Heights in files are rounded to millimetres: three storeys of 3 m may be 8.999 m high."""

_HAIR_DEGREES = 1e-6

_SAME_AREA = 1e-9
"""Rectangles whose areas differ by this share are equally small; the first clockwise from north wins."""


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Least rectangles: ``length`` ≥ ``width`` in m, ``azimuth`` of the long side in [0, 180) degrees."""

    length: Floats
    width: Floats
    azimuth: Floats


def boxes(shapes: Shapes) -> Boxes:
    """The rectangle of least area around each shape, shape (shapes,); NaN where there is no area.

    One side of it lies on an edge of the convex hull (Freeman and Shapira 1975), so every edge is
    tried. Along a convex ring the directions of edges only ever increase, so the point farthest in
    any direction is found by sorting directions: n log n for n points.
    """
    hull = _hulls(shapes)
    owner, angle = hull.owner, hull.angle
    reach = [hull.farthest(owner, angle + quarter * (np.pi / 2.0)) for quarter in (0, 1, 2)]
    ux, uy = np.cos(angle), np.sin(angle)
    along = ux * (reach[0] - reach[2])[:, 0] + uy * (reach[0] - reach[2])[:, 1]
    across = ux * (reach[1] - hull.xy)[:, 1] - uy * (reach[1] - hull.xy)[:, 0]
    length, width = np.maximum(along, across), np.minimum(along, across)
    direction = np.degrees(np.where(along >= across, angle, angle + np.pi / 2.0))
    # Of a square's sides the first one clockwise from north; a hair before north is north.
    period = np.where(length - width > _ROUNDING_M, 180.0, 90.0)
    azimuth = np.maximum((90.0 - direction + _HAIR_DEGREES) % period - _HAIR_DEGREES, 0.0)
    best = _least(owner, length * width, azimuth, len(shapes))
    found = np.full((3, len(shapes)), np.nan)
    found[:, owner[best]] = length[best], width[best], azimuth[best]
    return Boxes(*found)


@dataclass(frozen=True, slots=True, eq=False)
class _Hulls:
    """The edges of all hulls, counter-clockwise, of each hull by direction from -pi to pi.

    ``xy`` (edges, 2) is the point that an edge starts in, ``owner`` the shape it belongs to.
    """

    xy: Floats
    owner: Ints
    angle: Floats

    def farthest(self, owner: Ints, angle: Floats) -> Floats:
        """The points of the owners' hulls that lie farthest in the directions, shape (directions, 2).

        That is where the first edge begins that has turned a quarter beyond the direction.
        """
        sought = (angle + np.pi / 2.0 + np.pi) % (2.0 * np.pi) - np.pi
        edges = len(self.owner)
        keys = np.concatenate([self.angle, sought]), np.concatenate([self.owner, owner])
        # Equal directions: the edge first, so that the point is the one behind it.
        order = np.lexsort((np.arange(edges + len(owner)) >= edges, *keys))
        passed = np.cumsum(order < edges)
        following = np.empty(len(owner), dtype=np.int64)
        asked = order >= edges
        following[order[asked] - edges] = passed[asked]
        first, last = (np.searchsorted(self.owner, owner, side=side) for side in ("left", "right"))
        return self.xy[np.where(following < last, following, first)]


def _hulls(shapes: Shapes) -> _Hulls:
    xy, owner = planar.hull_points(shapes)
    end = np.flatnonzero(np.append(owner[1:] != owner[:-1], True)) if len(owner) else owner
    following = np.arange(1, len(owner) + 1)
    following[end] = np.concatenate([[0], end[:-1] + 1])[: len(end)]
    step = xy[following] - xy
    angle = np.arctan2(step[:, 1], step[:, 0])
    order = np.lexsort((angle, owner))
    return _Hulls(xy[order], owner[order], angle[order])


def _least(owner: Ints, area: Floats, azimuth: Floats, count: int) -> Ints:
    """Of each owner the row of the least area, of equal ones that of the least azimuth."""
    start = np.searchsorted(owner, np.arange(count + 1))
    least = segments.minima(area, start)[owner]
    near = np.flatnonzero(area <= least * (1.0 + _SAME_AREA))
    near = near[np.lexsort((azimuth[near], owner[near]))]
    return near[np.diff(owner[near], prepend=-1) != 0]


def plan_measures(shapes: Shapes, area: Floats, perimeter: Floats) -> dict[str, Floats]:
    """Least rectangle, elongation, rectangularity and circularity of footprints, shape (shapes,)."""
    box = boxes(shapes)
    return {
        "box_length_m": box.length,
        "box_width_m": box.width,
        "box_azimuth_deg": box.azimuth,
        "elongation": 1.0 - _ratio(box.width, box.length),
        "rectangularity": _ratio(area, box.length * box.width),
        "circularity": _ratio(4.0 * np.pi * area, perimeter**2),
    }


def shell_measures(boundary: Boundary, volume: Floats) -> dict[str, Floats]:
    """Hemisphericality, cubeness and convexity, shape (objects,); NaN where there is no volume."""
    surface = segments.sums(boundary.faces.area, boundary.batch.object_start)
    return {
        "hemisphericality": _ratio(3.0 * np.sqrt(2.0 * np.pi) * volume, surface * np.sqrt(surface)),
        "cubeness": _ratio(6.0 * np.cbrt(volume) ** 2, surface),
        "convexity": _ratio(volume, _hull_volumes(boundary, volume)),
    }


def _hull_volumes(boundary: Boundary, volume: Floats) -> Floats:
    """Volume of the hull of the points of the objects that have a volume, else NaN, shape (objects,).

    Not of ``boundary.vertices``: those may join a chain of points that is metres long.
    """
    batch = boundary.batch
    order, group = segments.grouped(vertex_hashes(batch))
    vertices = np.sort(np.minimum.reduceat(order, group[:-1])) if len(order) else order
    point_start = batch.ring_start[batch.surface_start[batch.object_start]]
    start = np.searchsorted(vertices, point_start)
    index = np.flatnonzero(np.isfinite(volume))
    xyz = batch.xyz[vertices[segments.expand(start, index)]]
    ends = offsets(np.diff(start)[index])
    convex = are_convex(boundary, index, xyz, ends)
    result = volume.copy()
    others = np.flatnonzero(~convex)
    points = xyz[segments.expand(ends, others)]
    result[index[others]] = hull_volumes(points, offsets(np.diff(ends)[others]))
    return result


def storeys(height: Floats) -> Floats:
    """How many storeys fit into each height in m, at least one; NaN where it is not known."""
    return np.maximum(np.floor((height + _ROUNDING_M) / STOREY_M), 1.0)


def _ratio(above: Floats, below: Floats) -> Floats:
    """The quotient, NaN where there is nothing to divide by."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0.0)
