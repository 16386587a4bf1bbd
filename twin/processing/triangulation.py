"""Triangles of all faces of a batch.

Most faces of buildings are triangles, quads and other polygons that a fan from one of their points
covers; those are cut in a few numpy calls. Only what is left goes through earcut one by one.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, offsets
from twin.processing import earcut, segments
from twin.processing.fans import fans, twice_area
from twin.processing.orientation import Boundary, oriented_points
from twin.processing.surfaces import DEGENERATE_M2

AREA_TOLERANCE = 0.001
"""Triangles may differ from their face by this share of its area (or by DEGENERATE_M2)."""

_FAN_APEXES = 4
_NO_AREA_M2 = DEGENERATE_M2 * 1e-2

_Cut: TypeAlias = tuple[Ints, Ints, Floats]
"""Corners (triangles, 3), face and twice the area of some triangles."""


@dataclass(frozen=True, slots=True, eq=False)
class Triangulation:
    """Triangles of the faces of a batch, in order of faces.

    ``points`` (points, 3) are the batch's points, local, with turned rings in their new order.
    ``corners`` (triangles, 3) index them and run counter-clockwise seen from outside; ``face``
    (triangles,) is the surface of each. ``degenerate`` (surfaces,) marks faces below
    DEGENERATE_M2, which have no triangles; ``wrong`` (surfaces,) those whose triangles do not
    cover them, with the area covered in ``covered`` (surfaces,) in m².
    """

    points: Floats
    corners: Ints
    face: Ints
    degenerate: Bools
    wrong: Bools
    covered: Floats


def triangulate(boundary: Boundary) -> Triangulation:
    """Cut every face of a boundary into triangles and compare their area with the face's."""
    batch, area = boundary.batch, boundary.faces.area
    points = batch.xyz[oriented_points(boundary)]
    degenerate = ~(area >= DEGENERATE_M2)
    normal = (boundary.faces.vector / np.where(degenerate, 1.0, area)).T
    rings = np.diff(batch.surface_start)
    left = np.flatnonzero(~degenerate & (rings == 1))
    cut: list[_Cut] = []
    for apex in range(_FAN_APEXES):
        covered_faces, left = _fans(batch, points, normal, left, apex)
        cut.append(covered_faces)
    with_holes = np.flatnonzero(~degenerate & (rings > 1))
    cut.append(_ears(batch, points, normal, np.sort(np.concatenate([left, with_holes]))))
    corners, face, twice = (np.concatenate(parts) for parts in zip(*cut, strict=True))
    order = np.argsort(face, kind="stable")
    covered = segments.totals(face, twice, batch.surfaces) / 2.0
    allowed = np.maximum(AREA_TOLERANCE * area, DEGENERATE_M2)
    wrong = ~degenerate & ~(np.abs(covered - area) <= allowed)
    return Triangulation(points, corners[order], face[order], degenerate, wrong, covered)


def _fans(batch: GeometryBatch, points: Floats, normal: Floats, faces: Ints, apex: int) -> tuple[_Cut, Ints]:
    """Triangles of those faces of one ring that a fan from one point covers, and the faces that are left."""
    first = batch.ring_start[batch.surface_start[faces]]
    length = batch.ring_start[batch.surface_start[faces] + 1] - first
    found = fans(points, first, length, normal[faces], apex, _NO_AREA_M2)
    return (found.corners, faces[found.polygon], found.twice_area), faces[~found.covered]


def _ears(batch: GeometryBatch, points: Floats, normal: Floats, faces: Ints) -> _Cut:
    """Triangles of faces by earcut, on the coordinate plane that each of them lies flattest on."""
    first, last = (
        batch.ring_start[batch.surface_start[faces]],
        batch.ring_start[batch.surface_start[faces + 1]],
    )
    index = segments.ranges(first, last - first)
    rings = segments.expand(batch.surface_start, faces)
    ring_start = offsets(np.diff(batch.surface_start)[faces])
    ring_end = batch.ring_start[rings + 1] - np.repeat(first, np.diff(ring_start))
    dropped = np.repeat(np.abs(normal[faces]).argmax(axis=1), last - first)
    plane = np.stack([points[index, (dropped + 1) % 3], points[index, (dropped + 2) % 3]], axis=1)
    corners, count = earcut.triangulate(plane, ring_end, offsets(last - first), ring_start)
    corners, face = index[corners], np.repeat(faces, count)
    twice = twice_area(points, corners, normal[face])
    corners[twice < 0.0] = corners[twice < 0.0][:, ::-1]
    real = twice != 0.0
    return corners[real], face[real], np.abs(twice[real])
