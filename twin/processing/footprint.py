"""Footprints: the union of an object's ground surfaces, seen from above."""

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, SurfaceType
from twin.processing import planar, segments
from twin.processing.classification import WALL_NORMAL_Z
from twin.processing.orientation import Boundary
from twin.processing.planar import Shapes


def footprints(boundary: Boundary, types: Ints) -> Shapes:
    """A valid MultiPolygon of each object in native 2D coordinates, else None, shape (objects,).

    Objects without ground surfaces get the plan of their roofs.
    """
    batch = boundary.batch
    chosen = _plan_faces(boundary, types)
    plans = _plans(batch, chosen)
    real = ~planar.missing(plans)
    merged = _merge(plans[real], batch.object_of_surface()[chosen[real]], batch.objects)
    parts, owner = planar.polygon_parts(planar.moved(merged, batch.origin[:, :2]))
    return planar.multipolygons(parts, owner, batch.objects)


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


def _plans(batch: GeometryBatch, chosen: Ints) -> Shapes:
    """The chosen surfaces seen from above, as valid polygons or multipolygons."""
    rings = segments.expand(batch.surface_start, chosen)
    length = batch.ring_start[rings + 1] - batch.ring_start[rings]
    surface = np.repeat(np.arange(len(chosen)), np.diff(batch.surface_start)[chosen])
    drawable = length >= 3
    rings, length, surface = rings[drawable], length[drawable], surface[drawable]
    points = segments.ranges(batch.ring_start[rings], length)
    outlines = planar.rings(batch.xyz[points, :2], np.repeat(np.arange(len(rings)), length))
    return planar.valid(planar.polygons(outlines, surface, len(chosen)))


def _merge(plans: Shapes, owner: Ints, objects: int) -> Shapes:
    """One shape of each object; objects with as many plans are united in one call."""
    merged = np.full(objects, None, dtype=object)
    start = np.searchsorted(owner, np.arange(objects + 1))
    count = np.diff(start)
    single = count == 1
    merged[single] = plans[start[:-1][single]]
    for size in np.unique(count[count > 1]):
        alike = np.flatnonzero(count == size)
        merged[alike] = planar.united(plans[start[alike][:, None] + np.arange(size)])
    return merged


def measured(shapes: Shapes) -> tuple[Floats, Floats]:
    """Area in m² and length of all outlines in m; NaN where there is no footprint."""
    return planar.area(shapes), planar.length(shapes)
