"""Shells that are their own convex hulls: a box, a house with a gable. They need no hull."""

import numpy as np

from twin.model.geometry import Bools, Floats, Ints, offsets
from twin.processing import segments
from twin.processing.orientation import Boundary

MAX_PAIRS = 1024
"""Of objects with more pairs of a face and a vertex nothing is said: trying them all takes longer."""

_NEAR_M = 1e-6


def are_convex(boundary: Boundary, chosen: Ints, xyz: Floats, start: Ints) -> Bools:
    """Whether no vertex of an object lies outside the plane of any of its faces, shape (chosen,).

    ``xyz`` (points, 3) are the vertices of the chosen objects, those of one from ``start`` (chosen + 1,)
    on. False of shells that are open, and where there are more than ``MAX_PAIRS`` to look at.
    """
    batch = boundary.batch
    faces, vertices = np.diff(batch.object_start)[chosen], np.diff(start)
    result = boundary.closed[chosen] & (faces * vertices <= MAX_PAIRS)
    tried = np.flatnonzero(result)
    if not len(tried):
        return result
    face = segments.expand(batch.object_start, chosen[tried])
    normal, offset = _planes(boundary, face)
    owner = np.repeat(tried, faces[tried])
    pair = np.repeat(np.arange(len(face)), vertices[owner])
    x, y, z = xyz[segments.ranges(start[owner], vertices[owner])].T
    nx, ny, nz = normal[:, pair]
    outside = nx * x + ny * y + nz * z - offset[pair]
    result[tried] = segments.maxima(outside, offsets((faces * vertices)[tried])) <= _NEAR_M
    return result


def _planes(boundary: Boundary, face: Ints) -> tuple[Floats, Floats]:
    """Unit normals (3, faces), zero of a face without area, and their products with a point of the face."""
    batch, area = boundary.batch, boundary.faces.area[face]
    vector = boundary.faces.vector[:, face]
    normal = np.divide(vector, area, out=np.zeros_like(vector), where=area > 0.0)
    x, y, z = batch.xyz[batch.ring_start[batch.surface_start[face]]].T
    return normal, normal[0] * x + normal[1] * y + normal[2] * z
