"""What every format asks of rings."""

from collections import Counter
from dataclasses import replace

import numpy as np

from importers.port import Refusal
from twin.model.geometry import Floats, Geometry, Ints, offsets

FARTHEST = 1e9
"""No reference system has coordinates beyond this; larger ones are mistakes or attacks."""
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


def without_degenerate(geometry: Geometry, ledger: Counter[str]) -> Geometry:
    """The geometry without surfaces and holes that have fewer than 3 distinct points.

    Delivered models have such slivers where coordinates were rounded. A walk to and fro between two
    points encloses nothing and leaves the shell as closed as it was, so that it can go (and is
    counted). Refusal where a shell would be left with no surface at all.
    """
    if not len(geometry.xyz):
        return geometry
    flat = degenerate(geometry.xyz, geometry.ring_start)
    if not flat:
        return geometry
    ledger["degenerate ring"] += len(flat)
    ring_kept = np.ones(len(geometry.ring_start) - 1, dtype=np.bool_)
    ring_kept[flat] = False
    surface_kept = ring_kept[geometry.surface_start[:-1]]
    rings_of_surface = np.diff(geometry.surface_start)
    ring_kept &= np.repeat(surface_kept, rings_of_surface)
    shell_length = np.add.reduceat(surface_kept.astype(np.int64), geometry.shell_start[:-1])
    if not shell_length.all():
        raise Refusal(
            "degenerate-ring", "every ring of a shell has fewer than 3 distinct points",
            "remove the geometry or complete its rings",
        )  # fmt: skip
    ring_length = np.diff(geometry.ring_start)[ring_kept]
    rings_left = np.add.reduceat(ring_kept.astype(np.int64), geometry.surface_start[:-1])[surface_kept]
    return replace(
        geometry,
        xyz=geometry.xyz[ranges(geometry.ring_start[:-1][ring_kept], ring_length)],
        ring_start=offsets(ring_length),
        surface_start=offsets(rings_left),
        shell_start=offsets(shell_length),
        semantic=geometry.semantic[surface_kept],
    )
