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

_PIECE = 8192
"""Points measured at a time: what stays in the cache of the processor takes half the time."""


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """What measuring needs of each ring; every row is an integral over the ring's fan.

    ``area`` (3, rings) is the area vector, ``moment`` (rings,) the integral of z dA_z and
    ``volume`` (rings,) a third of area vector times point, all from the object's local origin.
    """

    area: Floats
    moment: Floats
    volume: Floats

    def turned(self, sign: Floats) -> "Rings":
        """The rings with their direction multiplied by ``sign`` (rings,)."""
        if (sign > 0.0).all():
            return self
        return Rings(self.area * sign, self.moment * sign, self.volume * sign)


def ring_integrals(batch: GeometryBatch) -> Rings:
    """Measure every ring of a batch."""
    start = batch.ring_start
    # Behind the last point stands another one, the first of the empty rings that may end a batch.
    xyz = np.concatenate([batch.xyz, np.zeros((1, 3))])
    anchor = np.ascontiguousarray(xyz[start[:-1]].T)
    # Around the first point of the ring, which is the apex of its fan.
    d = np.zeros((3, len(xyz)))
    np.subtract(batch.xyz.T, np.repeat(anchor, np.diff(start), axis=1), out=d[:, :-1])
    summed = segments.sums(_fans(d), start) / 2.0
    area = summed[:3]
    moment = summed[3] / 3.0 + area[2] * anchor[2]
    volume = np.einsum("ir,ir->r", area, anchor) / 3.0
    return Rings(area, moment, volume)


def _fans(d: Floats) -> Floats:
    """Cross products of the triangles of all fans, then z dA_z of each (times 6), shape (4, points).

    Half a cross product of two edges that meet in the apex is the area vector of their triangle.
    ``d`` (3, points + 1) are the points around their apexes. Behind the last point of a ring stands
    the apex of the next one, which is zero, so that no triangle reaches from ring to ring.
    """
    cross = np.empty((4, d.shape[1] - 1))
    for first in range(0, cross.shape[1], _PIECE):
        piece = slice(first, first + _PIECE)
        (ax, ay, az), (bx, by, bz) = d[:, :-1][:, piece], d[:, 1:][:, piece]
        x, y, z, moment = cross[:, piece]
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
    stacked = np.concatenate([rings.area, rings.moment[None], rings.volume[None]])
    summed = segments.sums(stacked, batch.surface_start)
    # The points of a surface are contiguous, holes included.
    points = batch.ring_start[batch.surface_start]
    z = batch.xyz[:, 2]
    vector = summed[:3]
    return Faces(
        vector=vector,
        area=np.sqrt(np.einsum("ij,ij->j", vector, vector)),
        moment=summed[3],
        volume=summed[4],
        z_min=segments.minima(z, points),
        z_max=segments.maxima(z, points),
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
