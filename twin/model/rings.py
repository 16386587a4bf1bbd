"""Rings that enclose nothing: delivered models have them where coordinates were rounded.

They are stored as they came and left out wherever surfaces are measured or shown.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats, Geometry, Ints, offsets

_WEIGHTS = (0.7548776662466927, 0.5698402909980532, 1.3247179572447460)
"""No simple ratios of each other, so that different points hardly get the same fingerprint."""


def ranges(start: Ints, length: Ints) -> Ints:
    """start[i], start[i] + 1, … start[i] + length[i] - 1 for each i, one behind the other."""
    behind = np.cumsum(length)
    total = int(behind[-1]) if len(behind) else 0
    return np.repeat(start - behind + length, length) + np.arange(total, dtype=np.int64)


def fingerprints(xyz: Floats) -> Floats:
    """One number a point, shape (points,): equal points have equal ones, others hardly ever."""
    x, y, z = xyz.T
    return x * _WEIGHTS[0] + y * _WEIGHTS[1] + z * _WEIGHTS[2]


def degenerate(xyz: Floats, start: Ints) -> list[int]:
    """The rings with fewer than 3 distinct points.

    Nearly all rings begin with three distinct points, so that only the others need a closer look.
    """
    if not len(xyz):
        return list(range(len(start) - 1))
    key = fingerprints(xyz)
    first, last = start[:-1], len(key) - 1
    a, b, c = (key[np.minimum(first + corner, last)] for corner in range(3))
    doubtful: list[int] = np.flatnonzero((a == b) | (b == c) | (a == c) | (np.diff(start) < 3)).tolist()
    return [ring for ring in doubtful if len(np.unique(xyz[start[ring] : start[ring + 1]], axis=0)) < 3]


def without_degenerate(geometries: Sequence[Geometry]) -> list[Geometry | None]:
    """Geometries without surfaces and holes that have fewer than 3 distinct points.

    A walk to and fro between two points encloses nothing and leaves the shell as closed as it was.
    None where no surface is left. All are looked at together, as nearly none has to be changed.
    """
    found: list[Geometry | None] = list(geometries)
    lengths = [np.diff(geometry.ring_start) for geometry in geometries]
    if not lengths:
        return found
    rings = offsets(list(map(len, lengths)))
    xyz = np.concatenate([geometry.xyz for geometry in geometries])
    flat = np.array(degenerate(xyz, offsets(np.concatenate(lengths))), dtype=np.int64)
    owner = np.searchsorted(rings, flat, side="right") - 1
    affected: list[int] = np.unique(owner).tolist()
    for index in affected:
        found[index] = _without(geometries[index], flat[owner == index] - rings[index])
    return found


def _without(geometry: Geometry, flat: Ints) -> Geometry | None:
    """A geometry without some of its rings; with an exterior ring goes the surface."""
    ring_kept = np.ones(len(geometry.ring_start) - 1, dtype=np.bool_)
    ring_kept[flat] = False
    surface_kept = ring_kept[geometry.surface_start[:-1]]
    if not surface_kept.any():
        return None
    rings_of_surface = np.diff(geometry.surface_start)
    ring_kept &= np.repeat(surface_kept, rings_of_surface)
    ring_length = np.diff(geometry.ring_start)[ring_kept]
    points = ranges(geometry.ring_start[:-1][ring_kept], ring_length)
    look = geometry.appearance
    return replace(
        geometry,
        xyz=geometry.xyz[points],
        ring_start=offsets(ring_length),
        surface_start=offsets(_counts(ring_kept, geometry.surface_start)[surface_kept]),
        shell_start=offsets(_counts(surface_kept, geometry.shell_start)),
        semantic=geometry.semantic[surface_kept],
        appearance=look and look.of_part(np.flatnonzero(surface_kept), np.flatnonzero(ring_kept), points),
    )


def _counts(kept: npt.NDArray[np.bool_], start: Ints) -> Ints:
    """How many of each group are kept; groups may be empty."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept)])
    return total[start[1:]] - total[start[:-1]]
