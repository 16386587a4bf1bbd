"""Adapter of shapely: plane geometry over whole arrays, one geometry or None an element."""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# shapely's functions take untyped keywords.

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import shapely

from twin.model.geometry import Bools, Floats, Ints, offsets

GRID_M = 0.001
"""Unions are taken on a millimetre grid, so that gaps below it close."""

_MANY_PAIRS = 10_000_000
_FEW = 500

Shapes: TypeAlias = npt.NDArray[Any]
"""Shapely geometries or None, as an object array."""


def rings(xy: Floats, ring_of_point: Ints) -> Shapes:
    """A closed ring for each run of points."""
    return np.asarray(shapely.linearrings(xy, indices=ring_of_point), dtype=object)


def polygons(outlines: Shapes, polygon_of_ring: Ints, count: int) -> Shapes:
    """Polygons of an exterior ring and its holes; None where a polygon has no rings."""
    result = np.full(count, None, dtype=object)
    shapely.polygons(outlines, indices=polygon_of_ring, out=result)
    return result


def multipolygons(parts: Shapes, owner: Ints, count: int) -> Shapes:
    """MultiPolygons of polygons; None where there are no parts."""
    result = np.full(count, None, dtype=object)
    shapely.multipolygons(parts, indices=owner, out=result)
    return result


def as_multipolygons(shapes: Shapes | Sequence[Any]) -> Shapes:
    """The polygons within each shape of any type as a MultiPolygon; None where it has no area."""
    result = np.full(len(shapes), None, dtype=object)
    shapes = np.fromiter(shapes, dtype=object, count=len(shapes))
    single = shapely.get_type_id(shapes) == int(shapely.GeometryType.POLYGON)
    single &= ~shapely.is_empty(shapes)
    shapely.multipolygons(shapes[single], indices=np.flatnonzero(single), out=result)
    parts, owner = polygon_parts(shapes[~single])
    shapely.multipolygons(parts, indices=np.flatnonzero(~single)[owner], out=result)
    return result


def clockwise(shapes: Shapes) -> Shapes:
    """The shapes with outer rings clockwise and holes the other way round, as vector tiles want them."""
    return shapely.orient_polygons(shapes, exterior_cw=True)


def missing(shapes: Shapes) -> Bools:
    """Whether each element is None or empty."""
    return np.asarray(shapely.is_missing(shapes) | shapely.is_empty(shapes), dtype=np.bool_)


def valid(shapes: Shapes) -> Shapes:
    """The shapes, those that cross themselves made valid as the area that they enclose."""
    broken = ~(shapely.is_valid(shapes) | shapely.is_missing(shapes))
    if broken.any():
        shapes = shapes.copy()
        parts, owner = polygon_parts(shapely.make_valid(shapes[broken], method="structure"))
        shapes[broken] = multipolygons(parts, owner, int(broken.sum()))
    return shapes


def polygon_parts(shapes: Shapes) -> tuple[Shapes, Ints]:
    """All polygons within shapes of any type and the shape of each; lines and points have no area."""
    parts, owner = shapely.get_parts(shapes, return_index=True)
    parts, inner = shapely.get_parts(parts, return_index=True)
    areal = shapely.get_dimensions(parts) == 2
    return parts[areal], owner[inner[areal]]


def united(shapes: Shapes, owner: Ints) -> Shapes:
    """The union of the shapes of each owner, without parts and holes thinner than the grid.

    Shapes come in order of owners, each of whom has some.
    """
    groups = np.asarray(shapely.geometrycollections(shapes, indices=owner), dtype=object)
    parts, owner = polygon_parts(np.asarray(shapely.union_all(groups[:, None], grid_size=GRID_M, axis=1)))
    outlines, part = shapely.get_rings(parts, return_index=True)
    filled = np.asarray(shapely.polygons(outlines), dtype=object)
    thick = 2.0 * area(filled) > GRID_M * length(filled)
    exterior = np.diff(part, prepend=-1) != 0
    thick &= thick[exterior][part]
    kept = polygons(outlines[thick], part[thick], len(parts))
    real = ~missing(kept)
    return multipolygons(kept[real], owner[real], len(groups))


def transformed(shapes: Shapes, transform: Callable[[Floats], Floats]) -> Shapes:
    """The shapes with each coordinate pair (m, 2) put through ``transform``."""
    xy = transform(np.asarray(shapely.get_coordinates(shapes)))
    return np.asarray(shapely.set_coordinates(shapes.copy(), xy), dtype=object)


def centroids(shapes: Shapes) -> Floats:
    """Centroids (n, 2) of shapes that are neither None nor empty."""
    return np.asarray(shapely.get_coordinates(shapely.centroid(shapes)))


def ewkb(shapes: Shapes, srid: int) -> list[bytes | None]:
    """Extended well-known binary of each shape."""
    marked: Any = shapely.set_srid(shapes, srid)
    return np.asarray(shapely.to_wkb(marked, include_srid=True), dtype=object).tolist()


def geojson(shapes: Shapes, decimals: int) -> list[str | None]:
    """GeoJSON text of each shape, coordinates rounded."""
    rounded: Any = transformed(shapes, lambda xy: np.round(xy, decimals))
    return np.asarray(shapely.to_geojson(rounded), dtype=object).tolist()


def moved(shapes: Shapes, offset: Floats) -> Shapes:
    """The shapes moved by one offset each, shape (shapes, 2)."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    return np.asarray(shapely.set_coordinates(shapes.copy(), xy + offset[owner]), dtype=object)


def area(shapes: Shapes) -> Floats:
    """Area in m²; NaN where there is no shape."""
    return np.asarray(shapely.area(shapes), dtype=np.float64)


def length(shapes: Shapes) -> Floats:
    """Length of all outlines in m; NaN where there is no shape."""
    return np.asarray(shapely.length(shapes), dtype=np.float64)


def from_wkb(data: Sequence[bytes | None]) -> Shapes:
    """Shapes of well-known binary; None stays."""
    return np.asarray(shapely.from_wkb(np.array(data, dtype=object)), dtype=object)


def overlapping_boxes(boxes: Floats, among: Floats) -> tuple[Ints, Ints]:
    """Pairs of a box and one among others (each n, 4) that meet, as indices into both."""
    tree = shapely.STRtree(shapely.box(*among.T))
    found: Any = tree.query(shapely.box(*boxes.T))
    return found[0], found[1]


def hull_points(shapes: Shapes) -> tuple[Floats, Ints]:
    """Points (n, 2) of the convex hulls, counter-clockwise from a first one, and the shape of each.

    The points are around the first point of their hull; shapes without area have none.
    """
    hulls: Any = shapely.normalize(shapely.convex_hull(shapes))
    areal = np.flatnonzero(shapely.get_type_id(hulls) == int(shapely.GeometryType.POLYGON))
    areal = areal[~shapely.is_empty(hulls[areal])]
    xy, ring = shapely.get_coordinates(cast("Shapes", hulls)[areal], return_index=True)
    first = np.flatnonzero(np.diff(ring, prepend=-1) != 0)
    closing = np.zeros(len(ring), dtype=np.bool_)
    closing[first] = True
    # A normalised ring runs clockwise and ends with the point that it began with.
    points = np.flatnonzero(~closing)[::-1]
    points = points[np.argsort(ring[points], kind="stable")]
    return xy[points] - xy[first][ring[points]], areal[ring[points]].astype(np.int64)


def hull_areas(xy: Floats, owner: Ints, count: int) -> Floats:
    """Area (count,) of the convex hull of each owner's points (n, 2), given in order of owners."""
    points = np.full(count, None, dtype=object)
    shapely.multipoints(xy, indices=owner, out=points)
    return area(np.asarray(shapely.convex_hull(points), dtype=object))


def simple(outlines: Shapes) -> Bools:
    """Whether each ring neither crosses nor touches itself."""
    return np.asarray(shapely.is_simple(outlines), dtype=np.bool_)


def invalid_reasons(shapes: Shapes) -> list[str | None]:
    """Why each shape is not valid by OGC Simple Features, in the words of GEOS; None for a valid one."""
    reasons: list[str | None] = [None] * len(shapes)
    for index in np.flatnonzero(~np.asarray(shapely.is_valid(shapes), dtype=np.bool_)).tolist():
        reasons[index] = str(shapely.is_valid_reason(shapes[index]))
    return reasons


def constrained_triangles(shapes: Shapes) -> tuple[Floats, Ints]:
    """Constrained Delaunay triangles of polygons: corners (triangles, 3, 3) and the polygon of each.

    The third coordinate of each corner is that of the polygon's point in this place.
    """
    cut = shapely.constrained_delaunay_triangles(shapes)
    triangles, owner = shapely.get_parts(cut, return_index=True)
    corners = np.asarray(shapely.get_coordinates(triangles, include_z=True), dtype=np.float64)
    return corners.reshape(-1, 4, 3)[:, :3], np.asarray(owner, dtype=np.int64)


def intersections(one: Shapes, other: Shapes) -> Shapes:
    """What each pair of valid shapes shares; empty where they share nothing."""
    return np.asarray(shapely.intersection(one, other), dtype=object)


def union_areas(shapes: Shapes) -> Floats:
    """Area of the union of each row of shapes (rows, columns)."""
    return area(np.asarray(shapely.union_all(shapes, axis=1), dtype=object))


def distances(one: Shapes, other: Shapes) -> Floats:
    """Least distance of each pair of shapes; NaN where one is missing."""
    one, other = np.broadcast_arrays(one, other)
    effort = shapely.get_num_coordinates(one).astype(np.float64) * shapely.get_num_coordinates(other)
    large = effort > _MANY_PAIRS
    result = np.full(one.shape, np.nan)
    result[~large] = shapely.distance(one[~large], other[~large])
    # GEOS compares every segment of both, which takes minutes where each has many.
    pairs = zip(one[large], other[large], strict=True)
    result[large] = [0.0 if shapely.intersects(a, b) else _indexed_distance(a, b) for a, b in pairs]
    return result


def _indexed_distance(one: Any, other: Any) -> float:
    """Least distance by an index of segments; some of them first, so that most of the others stop early."""
    tree = shapely.STRtree(_segments(other))
    segments = _segments(one)
    best = np.inf
    for step in (_FEW, 1):
        limit = None if step > 1 else best * (1.0 + 1e-9) + 1e-9
        found: Any = tree.query_nearest(
            segments[::step], max_distance=limit, all_matches=False, return_distance=True
        )
        best = min(best, float(found[1].min(initial=np.inf)))
    return best


def _segments(shape: Any) -> Shapes:
    """The segments of all outlines of a polygon or multipolygon."""
    rings = shapely.get_rings(shapely.get_parts(shape))
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    same = ring[1:] == ring[:-1]
    return np.asarray(shapely.linestrings(np.stack([xy[:-1][same], xy[1:][same]], axis=1)), dtype=object)


def boxes(bounds: Floats) -> Shapes:
    """Rectangles of west, south, east, north (n, 4)."""
    return np.asarray(shapely.box(*bounds.T), dtype=object).reshape(-1)


def outlines(shapes: Shapes) -> tuple[Floats, Ints, Ints, Ints]:
    """The rings of all polygons within shapes, exteriors counter-clockwise and holes clockwise.

    Points (n, 2) of each ring once, offsets (rings + 1,) into the points, offsets (polygons + 1,)
    into the rings, and the shape of each polygon.
    """
    parts, owner = polygon_parts(shapes)
    found, polygon = shapely.get_rings(shapely.orient_polygons(parts), return_index=True)
    xy, ring = shapely.get_coordinates(found, return_index=True)
    last = np.append(ring[1:] != ring[:-1], True)[: len(ring)]
    count = np.bincount(ring, minlength=len(found)) - 1
    return xy[~last], offsets(count), offsets(np.bincount(polygon, minlength=len(parts))), owner


def bounds(shapes: Shapes) -> Floats:
    """West, south, east, north of each shape, shape (n, 4); NaN where it is missing."""
    return np.asarray(shapely.bounds(shapes), dtype=np.float64).reshape(-1, 4)


def outermost_points(shapes: Shapes, directions: Floats) -> Floats:
    """The point of each shape farthest along each direction (2, d), shape (shapes, d, 2); NaN if missing."""
    xy, owner = shapely.get_coordinates(shapes, return_index=True)
    result = np.full((len(shapes), directions.shape[1], 2), np.nan)
    present, first = np.unique(owner, return_index=True)
    middle = xy[first][np.searchsorted(present, owner)]
    for column, (x, y) in enumerate(directions.T):
        along = (xy[:, 0] - middle[:, 0]) * x + (xy[:, 1] - middle[:, 1]) * y
        order = np.lexsort((-along, owner))
        result[present, column] = xy[order[first]]
    return result
