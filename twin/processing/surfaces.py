"""Area vectors, areas and inclinations of faces from their rings.

The area vector of a ring (Newell) is half the sum of the cross products of a fan from its first
point; its length is the area and its direction the normal. For a ring that is not planar all
figures are those of this fan, so that the faces of a closed shell still close.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, offsets
from twin.processing import segments

FLAT_DEGREES = 3.0
"""Faces that rise no more than this count as flat."""

LEVEL_DEGREES = 0.5
"""Faces that rise less than this look nowhere: rounding decides their azimuth."""

DEGENERATE_M2 = 1e-4
"""Faces below one square centimetre have no normal worth using."""

_PIECE = 16384
"""Points measured at a time: what stays in the cache of the processor takes half the time."""


@dataclass(frozen=True, eq=False)
class Integrals:
    """What is integrated over the fans of rings, or summed up for each face, from its object's origin.

    ``rows`` (5, n) are the area vector (3 rows), the integral of z dA_z, and a third of area vector
    times point.
    """

    rows: Floats

    @property
    def vector(self) -> Floats:
        """Area vectors in m², shape (3, n)."""
        return self.rows[:3]

    @cached_property
    def area(self) -> Floats:
        """Lengths of the area vectors in m², shape (n,)."""
        return np.sqrt(np.einsum("ij,ij->j", self.vector, self.vector))

    @property
    def moment(self) -> Floats:
        """Integrals of z dA_z in m³, shape (n,)."""
        return self.rows[3]

    @property
    def volume(self) -> Floats:
        """Thirds of area vector times point in m³, shape (n,); those of a closed shell are its volume."""
        return self.rows[4]

    @property
    def normal_z(self) -> Floats:
        """Vertical component of the unit normal; 0 where there is no area."""
        area = self.area
        return np.divide(self.vector[2], area, out=np.zeros_like(area), where=area > 0.0)

    def turned(self, sign: Floats) -> "Integrals":
        """With the direction of each multiplied by ``sign`` (n,)."""
        return self if (sign > 0.0).all() else Integrals(self.rows * sign)

    def of(self, chosen: Ints) -> "Integrals":
        """The chosen ones."""
        return Integrals(self.rows.take(chosen, axis=1))


def ring_integrals(batch: GeometryBatch) -> Integrals:
    """Measure every ring of a batch."""
    start = batch.ring_start
    anchor, rows = (np.empty((count, len(start) - 1)) for count in (3, 5))
    for rings in segments.pieces(np.diff(start), _PIECE):
        of_piece = start[rings.start : rings.stop + 1]
        xyz = batch.xyz[of_piece[0] : of_piece[-1]].T
        anchor[:, rings], rows[:4, rings] = _fans_of(xyz, of_piece - of_piece[0])
    rows[:4] /= 2.0
    rows[3] = rows[3] / 3.0 + rows[2] * anchor[2]
    rows[4] = np.einsum("ir,ir->r", rows[:3], anchor) / 3.0
    return Integrals(rows)


def _fans_of(xyz: Floats, start: Ints) -> tuple[Floats, Floats]:
    """The apex (3, rings) of the fan of each ring of points (3, points), and its fan summed (4, rings)."""
    # Behind the last point stands another one, the first of the empty rings that may end a piece.
    d = np.zeros((3, xyz.shape[1] + 1))
    d[:, :-1] = xyz
    anchor = np.take(d, start[:-1], axis=1)
    # Around the first point of the ring, which is the apex of its fan.
    d[:, :-1] -= np.repeat(anchor, np.diff(start), axis=1)
    return anchor, segments.sums(_fans(d), start)


def _fans(d: Floats) -> Floats:
    """Cross products of the triangles of all fans, then z dA_z of each (times 6), shape (4, points).

    Half a cross product of two edges that meet in the apex is the area vector of their triangle.
    ``d`` (3, points + 1) are the points around their apexes. Behind the last point of a ring stands
    the apex of the next one, which is zero, so that no triangle reaches from ring to ring.
    """
    cross = np.empty((4, d.shape[1] - 1))
    (ax, ay, az), (bx, by, bz) = d[:, :-1], d[:, 1:]
    x, y, z, moment = cross
    np.subtract(ay * bz, az * by, out=x)
    np.subtract(az * bx, ax * bz, out=y)
    np.subtract(ax * by, ay * bx, out=z)
    np.multiply(z, az + bz, out=moment)
    return cross


def next_points(ring_start: Ints) -> Ints:
    """The index of the point that follows each point around its ring, shape (points,)."""
    following = np.arange(1, ring_start[-1] + 1, dtype=np.int64)
    filled = ring_start[:-1] < ring_start[1:]
    following[ring_start[1:][filled] - 1] = ring_start[:-1][filled]
    return following


def hole_signs(batch: GeometryBatch, rings: Integrals) -> Floats:
    """-1 for each interior ring that runs the same way as its exterior, else 1, shape (rings,).

    GML (ISO 19107) lets an interior ring be given either way; as a boundary it runs against the
    exterior, and only so do the integrals of a surface with holes add up.
    """
    sign = np.ones(rings.rows.shape[1])
    if len(sign) == batch.surfaces:
        return sign
    exterior = batch.surface_start[:-1][batch.surface_of_ring()]
    interior = np.flatnonzero(exterior != np.arange(len(sign)))
    around = exterior[interior]
    same_way = np.einsum("ir,ir->r", rings.vector[:, interior], rings.vector[:, around]) > 0.0
    sign[interior[same_way]] = -1.0
    return sign


def faces_of(batch: GeometryBatch, rings: Integrals) -> Integrals:
    """Sum the rings of each surface."""
    return Integrals(segments.sums(rings.rows, batch.surface_start))


class Levels:
    """Least and greatest z of surfaces and of objects; infinity and its opposite of those without points."""

    def __init__(self, batch: GeometryBatch) -> None:
        self._z = batch.xyz[:, 2].copy()
        self._start = batch.ring_start[batch.surface_start]
        self._object_start = batch.object_start

    def of_surfaces(self, chosen: Ints) -> tuple[Floats, Floats]:
        """Of the chosen surfaces."""
        return _range(*self._points_of(chosen))

    def of_objects(self, chosen: Ints | None = None) -> tuple[Floats, Floats]:
        """Of all objects; of their points, or of those of the chosen surfaces, given in their order."""
        if chosen is None:
            return _range(self._z, self._start[self._object_start])
        z, start = self._points_of(chosen)
        return _range(z, start[np.searchsorted(chosen, self._object_start)])

    def _points_of(self, chosen: Ints) -> tuple[Floats, Ints]:
        """z of all points of surfaces, one surface after the other, and offsets of these."""
        first, size = self._start[chosen], self._start[chosen + 1] - self._start[chosen]
        return self._z[segments.ranges(first, size)], offsets(size)


def _range(z: Floats, start: Ints) -> tuple[Floats, Floats]:
    return segments.minima(z, start), segments.maxima(z, start)


def slope_deg(faces: Integrals) -> Floats:
    """Angle of each face to the horizontal in degrees, 0 for a level roof, 180 for a ground.

    NaN for a face without area.
    """
    slope = np.degrees(np.arctan2(_level_part(faces), faces.vector[2]))
    return np.where(faces.area > 0.0, slope, np.nan)


def azimuth_deg(faces: Integrals) -> Floats:
    """Compass direction that each face looks to, 0 north, 90 east; NaN on level faces."""
    azimuth = np.degrees(np.arctan2(faces.vector[0], faces.vector[1]))
    azimuth += np.where(azimuth < 0.0, 360.0, 0.0)
    return np.where(_level_part(faces) > np.sin(np.radians(LEVEL_DEGREES)) * faces.area, azimuth, np.nan)


def _level_part(faces: Integrals) -> Floats:
    """Length of the area vectors seen from above; much faster than ``np.hypot``."""
    return np.sqrt(faces.vector[0] ** 2 + faces.vector[1] ** 2)


def is_flat(faces: Integrals) -> Bools:
    """Whether each face is within ``FLAT_DEGREES`` of level, either side up, shape (surfaces,)."""
    return np.abs(faces.normal_z) >= np.cos(np.radians(FLAT_DEGREES))
