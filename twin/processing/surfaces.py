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


@dataclass(frozen=True, slots=True, eq=False)
class Rings:
    """What measuring needs of each ring; every row is an integral over the ring's fan.

    ``area`` (3, rings) is the area vector, ``moment`` (rings,) the integral of z dA_z and
    ``volume`` (rings,) a third of area vector times point, all from the object's local origin.
    ``next_point`` (points,) is the index of the following point of the same ring.
    """

    area: Floats
    moment: Floats
    volume: Floats
    next_point: Ints

    def turned(self, sign: Floats) -> "Rings":
        """The rings with their direction multiplied by ``sign`` (rings,)."""
        return replace(self, area=self.area * sign, moment=self.moment * sign, volume=self.volume * sign)


def ring_integrals(batch: GeometryBatch) -> Rings:
    """Measure every ring of a batch."""
    start = batch.ring_start
    following = next_points(start)
    x, y, z = np.ascontiguousarray(batch.xyz.T)
    length = np.diff(start)
    first = start[:-1][length > 0]
    length = length[length > 0]
    x0, y0, z0 = (np.repeat(axis[first], length) for axis in (x, y, z))
    ax, ay, az = x - x0, y - y0, z - z0
    bx, by, bz = x[following] - x0, y[following] - y0, z[following] - z0
    # The fan of a ring: half the cross product of its two edges that meet in the first point.
    cross = np.empty((4, len(x)))
    np.subtract(ay * bz, az * by, out=cross[0])
    np.subtract(az * bx, ax * bz, out=cross[1])
    np.subtract(ax * by, ay * bx, out=cross[2])
    np.multiply(cross[2], az + bz, out=cross[3])
    summed = segments.sums(cross, start) / 2.0
    area = summed[:3]
    anchor = np.zeros((3, len(start) - 1))
    anchor[:, np.diff(start) > 0] = np.stack([x[first], y[first], z[first]])
    moment = summed[3] / 3.0 + area[2] * anchor[2]
    volume = np.einsum("ir,ir->r", area, anchor) / 3.0
    return Rings(area, moment, volume, following)


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
    same_way = np.einsum("ir,ir->r", rings.area, rings.area[:, exterior]) > 0.0
    interior = exterior != np.arange(len(sign))
    sign[same_way & interior] = -1.0
    return sign


@dataclass(frozen=True, slots=True, eq=False)
class Faces:
    """One row a surface: area vector (3, surfaces), the integrals of ``Rings``, and its z range."""

    vector: Floats
    moment: Floats
    volume: Floats
    z_min: Floats
    z_max: Floats

    @property
    def area(self) -> Floats:
        """Area in its own plane in m², shape (surfaces,)."""
        return np.sqrt(np.einsum("ij,ij->j", self.vector, self.vector))

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
    return Faces(
        vector=summed[:3],
        moment=summed[3],
        volume=summed[4],
        z_min=segments.minima(z, points),
        z_max=segments.maxima(z, points),
    )


def slope_deg(faces: Faces) -> Floats:
    """Angle of each face to the horizontal in degrees, 0 for a level roof, 180 for a ground.

    NaN for a face without area.
    """
    horizontal = np.hypot(faces.vector[0], faces.vector[1])
    slope = np.degrees(np.arctan2(horizontal, faces.vector[2]))
    return np.where(faces.area > 0.0, slope, np.nan)


def azimuth_deg(faces: Faces) -> Floats:
    """Compass direction that each face looks to, 0 north, 90 east; NaN on level faces."""
    azimuth = np.degrees(np.arctan2(faces.vector[0], faces.vector[1])) % 360.0
    horizontal = np.hypot(faces.vector[0], faces.vector[1])
    return np.where(horizontal > np.sin(np.radians(LEVEL_DEGREES)) * faces.area, azimuth, np.nan)


def is_flat(faces: Faces) -> Bools:
    """Whether each face is within ``FLAT_DEGREES`` of level, either side up, shape (surfaces,)."""
    return np.abs(faces.normal_z) >= np.cos(np.radians(FLAT_DEGREES))
