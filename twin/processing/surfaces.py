"""Area vectors, areas and inclinations of faces from their rings.

The area vector of a ring (Newell) is half the sum of the cross products of a fan from its first
point; its length is the area and its direction the normal. For a ring that is not planar all
figures are those of this fan, so that the faces of a closed shell still close.
"""

from dataclasses import dataclass, replace

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints
from twin.processing import segments

FLAT_DEGREES = 3.0
"""Faces that rise no more than this count as flat."""

LEVEL_DEGREES = 0.5
"""Faces that rise less than this look nowhere: rounding decides their azimuth."""

DEGENERATE_M2 = 1e-4
"""Faces below one square centimetre have no normal worth using."""

_PIECE = 16384
"""Points measured at a time: what stays in the cache of the processor takes half the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """What measuring needs of each ring; the first three rows are integrals over the ring's fan.

    ``area`` (3, rings) is the area vector, ``moment`` (rings,) the integral of z dA_z and
    ``volume`` (rings,) a third of area vector times point, all from the object's local origin.
    ``z_min`` and ``z_max`` (rings,) are its range, infinity and minus infinity for a ring without points.
    """

    area: Floats
    moment: Floats
    volume: Floats
    z_min: Floats
    z_max: Floats

    def turned(self, sign: Floats) -> "Rings":
        """The rings with their direction multiplied by ``sign`` (rings,)."""
        if (sign > 0.0).all():
            return self
        return replace(self, area=self.area * sign, moment=self.moment * sign, volume=self.volume * sign)


def ring_integrals(batch: GeometryBatch) -> Rings:
    """Measure every ring of a batch."""
    start = batch.ring_start
    anchor, summed, z_range = (np.zeros((rows, len(start) - 1)) for rows in (3, 4, 2))
    for rings in segments.pieces(np.diff(start), _PIECE):
        of_piece = start[rings.start : rings.stop + 1]
        xyz = batch.xyz[of_piece[0] : of_piece[-1]].T
        anchor[:, rings], summed[:, rings] = _fans_of(xyz, of_piece - of_piece[0])
        z_range[:, rings] = _range(xyz[2], of_piece - of_piece[0])
    summed /= 2.0
    area = summed[:3]
    moment = summed[3] / 3.0 + area[2] * anchor[2]
    volume = np.einsum("ir,ir->r", area, anchor) / 3.0
    return Rings(area, moment, volume, *z_range)


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


def _range(z: Floats, start: Ints) -> tuple[Floats, Floats]:
    return segments.minima(z, start), segments.maxima(z, start)


def next_points(ring_start: Ints) -> Ints:
    """The index of the point that follows each point around its ring, shape (points,)."""
    following = np.arange(1, ring_start[-1] + 1, dtype=np.int64)
    filled = ring_start[:-1] < ring_start[1:]
    following[ring_start[1:][filled] - 1] = ring_start[:-1][filled]
    return following


def hole_signs(batch: GeometryBatch, rings: Rings) -> Floats:
    """-1 for each interior ring that runs the same way as its exterior, else 1, shape (rings,).

    GML (ISO 19107) lets an interior ring be given either way; as a boundary it runs against the
    exterior, and only so do the integrals of a surface with holes add up.
    """
    sign = np.ones(rings.area.shape[1])
    if len(sign) == batch.surfaces:
        return sign
    exterior = batch.surface_start[:-1][batch.surface_of_ring()]
    interior = np.flatnonzero(exterior != np.arange(len(sign)))
    around = exterior[interior]
    same_way = np.einsum("ir,ir->r", rings.area[:, interior], rings.area[:, around]) > 0.0
    sign[interior[same_way]] = -1.0
    return sign


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """One row a surface: area vector (3, surfaces) and its length, integrals of ``Rings``, z range."""

    vector: Floats
    area: Floats
    moment: Floats
    volume: Floats
    z_min: Floats
    z_max: Floats

    @property
    def normal_z(self) -> Floats:
        """Vertical component of the unit normal; 0 where a face has no area."""
        area = self.area
        return np.divide(self.vector[2], area, out=np.zeros_like(area), where=area > 0.0)

    def turned(self, sign: Floats) -> "Faces":
        """The faces with their direction multiplied by ``sign`` (surfaces,)."""
        return replace(self, vector=self.vector * sign, moment=self.moment * sign, volume=self.volume * sign)


def faces_of(batch: GeometryBatch, rings: Rings) -> Faces:
    """Sum the rings of each surface."""
    start = batch.surface_start
    vector = segments.sums(rings.area, start)
    return Faces(
        vector=vector,
        area=np.sqrt(np.einsum("ij,ij->j", vector, vector)),
        moment=segments.sums(rings.moment, start),
        volume=segments.sums(rings.volume, start),
        z_min=segments.minima(rings.z_min, start),
        z_max=segments.maxima(rings.z_max, start),
    )


def slope_deg(faces: Faces) -> Floats:
    """Angle of each face to the horizontal in degrees, 0 for a level roof, 180 for a ground.

    NaN for a face without area.
    """
    slope = np.degrees(np.arctan2(_level_part(faces), faces.vector[2]))
    return np.where(faces.area > 0.0, slope, np.nan)


def azimuth_deg(faces: Faces) -> Floats:
    """Compass direction that each face looks to, 0 north, 90 east; NaN on level faces."""
    azimuth = np.degrees(np.arctan2(faces.vector[0], faces.vector[1]))
    azimuth += np.where(azimuth < 0.0, 360.0, 0.0)
    return np.where(_level_part(faces) > np.sin(np.radians(LEVEL_DEGREES)) * faces.area, azimuth, np.nan)


def _level_part(faces: Faces) -> Floats:
    """Length of the area vectors seen from above; much faster than ``np.hypot``."""
    return np.sqrt(faces.vector[0] ** 2 + faces.vector[1] ** 2)


def is_flat(faces: Faces) -> Bools:
    """Whether each face is within ``FLAT_DEGREES`` of level, either side up, shape (surfaces,)."""
    return np.abs(faces.normal_z) >= np.cos(np.radians(FLAT_DEGREES))
