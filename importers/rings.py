"""What every format asks of rings."""

import numpy as np

from twin.model.geometry import Floats, Ints

FARTHEST = 1e9
"""No reference system has coordinates beyond this; larger ones are mistakes or attacks."""


def degenerate(xyz: Floats, start: Ints) -> int | None:
    """The first ring with fewer than 3 distinct points, None where there is none."""
    lengths = np.diff(start)
    short = np.flatnonzero(lengths < 3)
    if len(short):
        return int(short[0])
    first = start[:-1]
    a, b, c = xyz[first], xyz[first + 1], xyz[first + 2]
    doubtful = (a == b).all(axis=1) | (b == c).all(axis=1) | (a == c).all(axis=1)
    for ring in np.flatnonzero(doubtful).tolist():
        if len(np.unique(xyz[start[ring] : start[ring + 1]], axis=0)) < 3:
            return int(ring)
    return None
