"""Footprints: the union of an object's ground surfaces, seen from above."""

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import shapely

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, SurfaceType
from twin.processing import segments
from twin.processing.classification import WALL_NORMAL_Z
from twin.processing.orientation import Boundary

GRID_M = 0.001
"""Unions are taken on a millimetre grid, so that gaps below it close."""

Polygons: TypeAlias = npt.NDArray[Any]
"""Shapely geometries or None, as an object array."""


def footprints(boundary: Boundary, types: Ints) -> Polygons:
    """A valid MultiPolygon of each object in native 2D coordinates, else None, shape (objects,).

    Objects without ground surfaces get the plan of their roofs.
    """
    batch = boundary.batch
    chosen = _plan_faces(boundary, types)
    polygons = _polygons(batch, chosen)
    owner = batch.object_of_surface()[chosen]
    sound = ~(shapely.is_empty(polygons) | shapely.is_missing(polygons))
    merged = _merge(polygons[sound], owner[sound], batch.objects)
    return _as_multipolygons(_moved(merged, batch.origin[:, :2]))


def _plan_faces(boundary: Boundary, types: Ints) -> Ints:
    """The surfaces whose plans make up the footprints, in order of objects."""
    batch, faces = boundary.batch, boundary.faces
    spread = np.abs(faces.normal_z) > WALL_NORMAL_Z
    ground = (types == SurfaceType.GROUND) & spread
    roof = (types == SurfaceType.ROOF) & spread
    has_ground = segments.sums(ground.astype(np.float64), batch.object_start) > 0.0
    return np.flatnonzero(np.where(has_ground[batch.object_of_surface()], ground, roof))


def _polygons(batch: GeometryBatch, chosen: Ints) -> Polygons:
    """The plans of the chosen surfaces as valid polygons or multipolygons."""
    rings = segments.expand(batch.surface_start, chosen)
    length = batch.ring_start[rings + 1] - batch.ring_start[rings]
    surface = np.repeat(np.arange(len(chosen)), np.diff(batch.surface_start)[chosen])
    drawable = length >= 3
    rings, length, surface = rings[drawable], length[drawable], surface[drawable]
    points = segments.ranges(batch.ring_start[rings], length)
    outlines = shapely.linearrings(batch.xyz[points, :2], indices=np.repeat(np.arange(len(rings)), length))
    polygons = np.full(len(chosen), None, dtype=object)
    shapely.polygons(outlines, indices=surface, out=polygons)
    return _valid(polygons)


def _valid(polygons: Polygons) -> Polygons:
    broken = ~shapely.is_valid(polygons) & ~shapely.is_missing(polygons)
    if broken.any():
        polygons[broken] = _areal(shapely.make_valid(polygons[broken], method="structure"))
    return polygons


def _areal(geometries: Polygons) -> Polygons:
    """The polygons of geometry collections; lines and points have no area."""
    parts, owner = shapely.get_parts(geometries, return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)
    owner = owner[inner]
    areal = shapely.get_dimensions(parts) == 2
    result = np.full(len(geometries), shapely.MultiPolygon(), dtype=object)
    shapely.multipolygons(parts[areal], indices=owner[areal], out=result)
    return result


def _merge(polygons: Polygons, owner: Ints, objects: int) -> Polygons:
    """One geometry of each object; objects with as many polygons are united in one call."""
    merged = np.full(objects, None, dtype=object)
    start = np.searchsorted(owner, np.arange(objects + 1))
    count = np.diff(start)
    single = count == 1
    merged[single] = polygons[start[:-1][single]]
    for size in np.unique(count[count > 1]):
        alike = np.flatnonzero(count == size)
        grid = polygons[start[alike][:, None] + np.arange(size)]
        merged[alike] = _without_slivers(shapely.union_all(grid, grid_size=GRID_M, axis=1))
    return merged


def _without_slivers(geometries: Polygons) -> Polygons:
    """The geometries without outlines and holes that are thinner than the grid."""
    parts, owner = shapely.get_parts(_areal(geometries), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    outlines = shapely.polygons(rings)
    thick = 2.0 * shapely.area(outlines) > GRID_M * shapely.length(outlines)
    exterior = np.concatenate([[True], part[1:] != part[:-1]])[: len(part)]
    thick &= thick[exterior][part]
    kept = np.full(len(parts), None, dtype=object)
    shapely.polygons(rings[thick], indices=part[thick], out=kept)
    real = ~shapely.is_missing(kept)
    result = np.full(len(geometries), shapely.MultiPolygon(), dtype=object)
    shapely.multipolygons(kept[real], indices=owner[real], out=result)
    return result


def _moved(geometries: Polygons, origin: Floats) -> Polygons:
    """The geometries moved by one offset each, shape (objects, 2)."""
    xy, owner = shapely.get_coordinates(geometries, return_index=True)
    return shapely.set_coordinates(geometries, xy + origin[owner])


def _as_multipolygons(geometries: Polygons) -> Polygons:
    parts, owner = shapely.get_parts(geometries, return_index=True)
    result = np.full(len(geometries), None, dtype=object)
    shapely.multipolygons(parts, indices=owner, out=result)
    return result


def measured(geometries: Polygons) -> tuple[Floats, Floats]:
    """Area in m² and length of all outlines in m; NaN where there is no footprint."""
    missing: Bools = shapely.is_missing(geometries)
    area = np.where(missing, np.nan, shapely.area(geometries))
    return area, np.where(missing, np.nan, shapely.length(geometries))
