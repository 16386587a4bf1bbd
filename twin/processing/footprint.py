"""Footprints: the union of an object's ground surfaces, seen from above."""

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, SurfaceType
from twin.processing import planar, segments
from twin.processing.orientation import WALL_NORMAL_Z, Boundary
from twin.processing.planar import Shapes


def footprints(boundary: Boundary, types: Ints) -> Shapes:
    """A valid MultiPolygon of each object in native 2D coordinates, else None, shape (objects,).

    Objects without ground surfaces get the plan of their roofs.
    """
    batch = boundary.batch
    chosen = _plan_faces(boundary, types)
    found = plans(batch, chosen)
    real = ~planar.missing(found)
    return _merge(found[real], batch.object_of_surface()[chosen[real]], batch.origin[:, :2])


def grounded(boundary: Boundary, types: Ints) -> Bools:
    """Whether an object has ground surfaces to make its footprint of, shape (objects,)."""
    ground = (types == SurfaceType.GROUND) & _spread(boundary)
    return segments.sums(ground.astype(np.float64), boundary.batch.object_start) > 0.0


def _spread(boundary: Boundary) -> Bools:
    return np.abs(boundary.faces.normal_z) > WALL_NORMAL_Z


def _plan_faces(boundary: Boundary, types: Ints) -> Ints:
    """The surfaces whose plans make up the footprints, in order of objects."""
    has_ground = grounded(boundary, types)[boundary.batch.object_of_surface()]
    wanted = np.where(has_ground, int(SurfaceType.GROUND), int(SurfaceType.ROOF))
    return np.flatnonzero((types == wanted) & _spread(boundary))


def plans(batch: GeometryBatch, chosen: Ints) -> Shapes:
    """The chosen surfaces seen from above, around their object's origin; None where nothing is seen."""
    rings = segments.expand(batch.surface_start, chosen)
    length = batch.ring_start[rings + 1] - batch.ring_start[rings]
    surface = np.repeat(np.arange(len(chosen)), np.diff(batch.surface_start)[chosen])
    drawable = length >= 3
    rings, length, surface = rings[drawable], length[drawable], surface[drawable]
    points = segments.ranges(batch.ring_start[rings], length)
    outlines = planar.rings(batch.xyz.take(points, axis=0)[:, :2], np.repeat(np.arange(len(rings)), length))
    return planar.valid(planar.polygons(outlines, surface, len(chosen)))


def _merge(seen: Shapes, owner: Ints, origin: Floats) -> Shapes:
    """One shape of each object, moved by its origin (objects, 2).

    Those of several plans are united first, around their origins, where digits are fine.
    """
    merged = np.full(len(origin), None, dtype=object)
    count = np.bincount(owner, minlength=len(origin))
    single = count[owner] == 1
    merged[owner[single]] = seen[single]
    several = np.flatnonzero(count > 1)
    if len(several):
        merged[several] = planar.united(seen[~single], np.searchsorted(several, owner[~single]))
    return planar.as_multipolygons(planar.moved(merged, origin))


def measured(shapes: Shapes) -> tuple[Floats, Floats]:
    """Area in m² and length of all outlines in m; NaN where there is no footprint."""
    return planar.area(shapes), planar.length(shapes)
