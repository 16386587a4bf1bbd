"""Triangles of faces in space: which of them meet, and which points they enclose."""

from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Bools, Floats, Ints
from twin.processing.validity_polygons import Polygons
from twin.processing.validity_subject import Subject

TOUCH_M = 1e-6
"""What is nearer than this touches: far above the rounding of coordinates, far below their snapping."""

COVER_M = 1e-4
"""Triangles in one plane cover each other when they overlap by more than this in every direction."""


@dataclass(frozen=True, slots=True, eq=False)
class Triangles:
    """Triangles with their planes: ``xyz`` (triangles, 3 corners, 3) and ``vertex`` (triangles, 3).

    ``face`` (triangles,) is the surface of each, ``normal`` (triangles, 3) of unit length and
    ``low`` and ``high`` (triangles, 3) their boxes. Triangles lower than TOUCH_M are left out:
    they are part of the edges around them.
    """

    xyz: Floats
    vertex: Ints
    face: Ints
    normal: Floats
    low: Floats
    high: Floats

    def taken(self, chosen: Ints | Bools) -> "Triangles":
        """Some of the triangles."""
        return Triangles(
            self.xyz[chosen],
            self.vertex[chosen],
            self.face[chosen],
            self.normal[chosen],
            self.low[chosen],
            self.high[chosen],
        )

    @property
    def twice_areas(self) -> Floats:
        """Twice the area vector of each triangle, shape (triangles, 3)."""
        return np.cross(self.xyz[:, 1] - self.xyz[:, 0], self.xyz[:, 2] - self.xyz[:, 0])


def triangles_of(subject: Subject, polygons: Polygons, faces: Bools) -> Triangles:
    """The triangles of the chosen faces, in order of faces."""
    chosen = faces[polygons.face]
    corners, face = polygons.corners[chosen], polygons.face[chosen]
    xyz = subject.batch.xyz[corners]
    area = np.cross(xyz[:, 1] - xyz[:, 0], xyz[:, 2] - xyz[:, 0])
    twice = np.sqrt(np.einsum("ti,ti->t", area, area))
    side = xyz[:, [1, 2, 0]] - xyz
    longest = np.sqrt(np.einsum("tci,tci->tc", side, side).max(axis=1, initial=0.0))
    real = twice > TOUCH_M * longest
    xyz, normal = xyz[real], area[real] / twice[real, None]
    vertex = subject.vertex[corners[real]]
    return Triangles(xyz, vertex, face[real], normal, xyz.min(axis=1), xyz.max(axis=1))


def meeting(triangles: Triangles, i: Ints, j: Ints) -> Bools:
    """Whether the triangles ``i`` and ``j`` (pairs,) meet elsewhere than in vertices and edges they share."""
    met = np.zeros(len(i), dtype=np.bool_)
    left = np.arange(len(i))
    for a, b in ((i, j), (j, i)):
        # Whatever is strictly on one side of the other's plane, shared vertices apart, meets it nowhere.
        off = _distances(triangles, a[left], b[left])
        shared = _shared(triangles, a[left], b[left])
        above, below = (off > TOUCH_M) | shared, (off < -TOUCH_M) | shared
        apart = (above.all(axis=1) | below.all(axis=1)) & ~shared.all(axis=1)
        left = left[~apart]
    i, j = i[left], j[left]
    met[left] = _covering(triangles, i, j) | _piercing(triangles, i, j) | _piercing(triangles, j, i)
    return met


def _distances(triangles: Triangles, i: Ints, j: Ints) -> Floats:
    """The distance of each corner of ``j`` from the plane of ``i``, shape (pairs, 3)."""
    normal = triangles.normal[i]
    along: Floats = (triangles.xyz[j] @ normal[:, :, None])[:, :, 0]
    return along - np.einsum("pi,pi->p", triangles.xyz[i, 0], normal)[:, None]


def _shared(triangles: Triangles, i: Ints, j: Ints) -> Bools:
    """Whether each corner of ``j`` is a vertex of ``i`` too, shape (pairs, 3)."""
    a, b = triangles.vertex[i], triangles.vertex[j]
    return (b == a[:, :1]) | (b == a[:, 1:2]) | (b == a[:, 2:])


def _piercing(triangles: Triangles, i: Ints, j: Ints, depth: float = 0.0) -> Bools:
    """Whether a corner of ``j`` touches triangle ``i``, or an edge of ``j`` goes through it.

    With a ``depth`` in m touching does not count, and edges have to reach that far on both sides.
    """
    off, shared = _distances(triangles, i, j), _shared(triangles, i, j)
    met = np.zeros(len(i), dtype=np.bool_)
    for corner in range(3):
        start, end = triangles.xyz[j, corner], triangles.xyz[j, (corner + 1) % 3]
        a, b = off[:, corner], off[:, (corner + 1) % 3]
        if not depth:
            touching = np.flatnonzero(~shared[:, corner] & (np.abs(a) <= TOUCH_M))
            met[touching] |= _within(triangles, i[touching], start[touching], -TOUCH_M)
        reach = max(depth, TOUCH_M)
        free = ~shared[:, corner] & ~shared[:, (corner + 1) % 3]
        through = np.flatnonzero(free & (np.minimum(a, b) < -reach) & (np.maximum(a, b) > reach))
        share = (a[through] / (a[through] - b[through]))[:, None]
        point = start[through] + share * (end[through] - start[through])
        met[through] |= _within(triangles, i[through], point, depth or -TOUCH_M)
    return met


def _within(triangles: Triangles, i: Ints, point: Floats, margin: float) -> Bools:
    """Whether points in the planes of triangles are within them by a margin in m (below 0: near)."""
    xyz, normal = triangles.xyz[i], triangles.normal[i]
    inside = np.ones(len(i), dtype=np.bool_)
    for corner in range(3):
        along = xyz[:, (corner + 1) % 3] - xyz[:, corner]
        inward = np.cross(normal, along)
        far = np.einsum("pi,pi->p", point - xyz[:, corner], inward)
        inside &= far >= margin * np.sqrt(np.einsum("pi,pi->p", along, along))
    return inside


def _covering(triangles: Triangles, i: Ints, j: Ints) -> Bools:
    """Whether two triangles lie in one plane and cover each other in part (separating axes)."""
    flat = np.abs(_distances(triangles, i, j)).max(axis=1, initial=0.0) <= TOUCH_M
    flat &= np.abs(_distances(triangles, j, i)).max(axis=1, initial=0.0) <= TOUCH_M
    covered = flat.copy()
    for owner in (i, j):
        for corner in range(3):
            rows = np.flatnonzero(covered)
            a, b, edge = triangles.xyz[i[rows]], triangles.xyz[j[rows]], triangles.xyz[owner[rows]]
            axis = np.cross(triangles.normal[owner[rows]], edge[:, (corner + 1) % 3] - edge[:, corner])
            axis /= np.linalg.norm(axis, axis=1)[:, None]
            of_a, of_b = (np.einsum("pci,pi->pc", xyz - a[:, :1], axis) for xyz in (a, b))
            overlap = np.minimum(of_a.max(axis=1), of_b.max(axis=1)) - np.maximum(
                of_a.min(axis=1), of_b.min(axis=1)
            )
            covered[rows] = overlap > COVER_M
    return covered


def piercing(triangles: Triangles, i: Ints, j: Ints, depth: float) -> Bools:
    """Whether the triangles ``i`` and ``j`` (pairs,) go through each other by more than ``depth`` m."""
    return _piercing(triangles, i, j, depth) | _piercing(triangles, j, i, depth)


def winding(triangles: Triangles, points: Floats) -> Floats:
    """How often the triangles go round each of some points (points, 3): 0 outside, ±1 inside a shell.

    The solid angles of the triangles (Van Oosterom and Strackee 1983) over that of the sphere.
    """
    a, b, c = (triangles.xyz[None, :, corner] - points[:, None] for corner in range(3))
    la, lb, lc = (np.linalg.norm(side, axis=2) for side in (a, b, c))
    ab, bc, ca = (np.einsum("pti,pti->pt", *pair) for pair in ((a, b), (b, c), (c, a)))
    volume = np.einsum("pti,pti->pt", a, np.cross(b, c))
    angle = np.arctan2(volume, la * lb * lc + ab * lc + bc * la + ca * lb)
    return angle.sum(axis=1) / (2.0 * np.pi)
