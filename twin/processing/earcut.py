"""Adapter of mapbox_earcut, which triangulates one polygon with holes a call."""

import mapbox_earcut
import numpy as np

from twin.model.geometry import Floats, Ints


def triangulate(
    xy: Floats, ring_end: Ints, polygon_start: Ints, ring_start: Ints, wanted: Ints | None = None
) -> tuple[Ints, Ints]:
    """Triangles of many polygons with holes and how many each has; of the ``wanted`` ones, if given.

    ``xy`` (points, 2) holds the rings of each polygon, its exterior first. ``polygon_start``
    (polygons + 1) are offsets into the points and ``ring_start`` (polygons + 1) into ``ring_end``
    (rings,), which tells where in its polygon each ring ends. The corners, shape (triangles, 3),
    index ``xy``; a degenerate polygon has no triangles.
    """
    plane, ends = np.ascontiguousarray(xy), ring_end.astype(np.uint32)
    polygons = np.arange(len(polygon_start) - 1) if wanted is None else wanted
    places = (of[polygons + more].tolist() for of in (polygon_start, ring_start) for more in (0, 1))
    pieces = [
        mapbox_earcut.triangulate_float64(plane[a:b], ends[c:d]) for a, b, c, d in zip(*places, strict=True)
    ]
    count = np.fromiter(map(len, pieces), dtype=np.int64, count=len(pieces)) // 3
    corners = np.concatenate([np.zeros(0, dtype=np.uint32), *pieces]).astype(np.int64).reshape(-1, 3)
    return corners + np.repeat(polygon_start[polygons], count)[:, None], count
