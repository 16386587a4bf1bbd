"""Triangles of all faces of a batch.

Most faces of buildings are triangles, quads and other polygons that a fan from one of their points
covers; those are cut in a few numpy calls. Only what is left goes through earcut one by one.
"""

from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints
from twin.processing import earcut, segments
from twin.processing.orientation import Boundary, oriented_points
from twin.processing.surfaces import DEGENERATE_M2

AREA_TOLERANCE = 0.001
"""Triangles may differ from their face by this share of its area (or by DEGENERATE_M2)."""

_FAN_APEXES = 4


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
    batch = boundary.batch
    points = batch.xyz[oriented_points(boundary)]
    area = boundary.faces.area
    degenerate = ~(area >= DEGENERATE_M2)
    normal = boundary.faces.vector / np.where(degenerate, 1.0, area)
    cut: list[tuple[Ints, Ints]] = []
    left = np.flatnonzero(~degenerate & (np.diff(batch.surface_start) == 1))
    for apex in range(_FAN_APEXES):
        corners, face, left = _fans(batch, points, normal, left, apex)
        cut.append((corners, face))
    with_holes = np.flatnonzero(~degenerate & (np.diff(batch.surface_start) > 1))
    cut.append(_ears(batch, points, normal, np.sort(np.concatenate([left, with_holes]))))
    corners = np.concatenate([corners for corners, _ in cut])
    face = np.concatenate([face for _, face in cut])
    order = np.argsort(face, kind="stable")
    corners, face = corners[order], face[order]
    corners, face, covered = _outward(points, corners, face, normal)
    allowed = np.maximum(AREA_TOLERANCE * area, DEGENERATE_M2)
    wrong = ~degenerate & ~(np.abs(covered - area) <= allowed)
    return Triangulation(points, corners, face, degenerate, wrong, covered)


def _fans(
    batch: GeometryBatch, points: Floats, normal: Floats, faces: Ints, apex: int
) -> tuple[Ints, Ints, Ints]:
    """Triangles of those faces that a fan from one point covers, their faces, and what is left.

    A simple polygon all of whose fan triangles run its own way is seen whole from the apex.
    """
    first = batch.ring_start[batch.surface_start[faces]]
    length = batch.ring_start[batch.surface_start[faces] + 1] - first
    able = length > max(apex, 2)
    count = np.where(able, length - 2, 0)
    row = np.repeat(np.arange(len(faces)), count)
    step = segments.ranges(np.ones_like(count), count) + apex
    corners = np.stack([np.full_like(step, apex), step % length[row], (step + 1) % length[row]], axis=1)
    corners += first[row][:, None]
    twice = _twice_area(points, corners, normal[:, faces[row]])
    # A fan triangle of no area is left out: its points lie on a side of its neighbour.
    backwards = np.bincount(row[twice < -DEGENERATE_M2 * 1e-2], minlength=len(faces)) > 0
    covered = able & ~backwards
    keep = covered[row] & (twice > 0.0)
    return corners[keep], faces[row[keep]], faces[~covered]


def _twice_area(points: Floats, corners: Ints, normal: Floats) -> Floats:
    """Twice the area of each triangle seen along a normal (3, triangles), below 0 seen from behind."""
    a, b, c = (points[corners[:, i]] for i in range(3))
    return np.einsum("ij,ji->i", np.cross(b - a, c - a), normal)


def _ears(batch: GeometryBatch, points: Floats, normal: Floats, faces: Ints) -> tuple[Ints, Ints]:
    """Triangles of faces by earcut, on the coordinate plane that each of them lies flattest on."""
    dropped = np.abs(normal).argmax(axis=0)
    kept = np.array([[1, 2], [2, 0], [0, 1]])
    pieces = [np.zeros((0, 3), dtype=np.int64)]
    counts: list[int] = []
    for face in faces:
        ends = batch.ring_start[batch.surface_start[face] : batch.surface_start[face + 1] + 1]
        first = ends[0]
        corners = earcut.triangulate(points[first : ends[-1], kept[dropped[face]]], ends[1:] - first)
        pieces.append(corners + first)
        counts.append(len(corners))
    return np.concatenate(pieces), np.repeat(faces, np.array(counts, dtype=np.int64))


def _outward(points: Floats, corners: Ints, face: Ints, normal: Floats) -> tuple[Ints, Ints, Floats]:
    """Triangles turned to their face's side, those without area dropped, and the area covered."""
    twice = _twice_area(points, corners, normal[:, face])
    backwards = twice < 0.0
    corners[backwards] = corners[backwards][:, ::-1]
    covered = np.bincount(face, weights=np.abs(twice), minlength=normal.shape[1]) / 2.0
    real = twice != 0.0
    return corners[real], face[real], covered
