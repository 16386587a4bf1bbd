"""Adapter of mapbox_earcut, which triangulates one polygon with holes a call."""

import mapbox_earcut
import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats, Ints


def triangulate(xy: Floats, ring_ends: Ints) -> Ints:
    """Indices of the corners of each triangle of a polygon, shape (triangles, 3).

    ``xy`` (points, 2) holds the exterior ring and then the holes; ``ring_ends`` (rings,) is where
    each of them ends. Degenerate polygons give no triangles.
    """
    ends: npt.NDArray[np.uint32] = ring_ends.astype(np.uint32)
    corners = mapbox_earcut.triangulate_float64(np.ascontiguousarray(xy), ends)
    return np.asarray(corners, dtype=np.int64).reshape(-1, 3)
