"""Ridges, hips and valleys, and the shape of a roof from its faces."""

from dataclasses import dataclass

import numpy as np

from twin.model.attributes import ROOF_TYPES
from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, SurfaceType
from twin.processing import edges as edge_matching
from twin.processing import segments
from twin.processing.columns import named
from twin.processing.orientation import Boundary
from twin.processing.surfaces import Integrals, Levels, is_flat

LEVEL_SLOPE = 0.05
"""A ridge rises less than this over its length; a hip rises far more."""

TINY_SHARE = 0.05
"""Roof faces below this share of the roof (dormers, steps) do not shape it."""

SAME_LEVEL_M = 0.5
"""Flat roofs within this height of each other are one level."""

FLAT_SHARE = 0.9
"""A roof of which at least this share is flat is a flat roof."""

ANNEX_SHARE = 1.0 / 3.0
"""Up to this share of flat faces (annexes, dormers) leaves a sloped roof its name."""

HIPPED_SHARE = 2.0 / 3.0
"""Of a hipped roof at least this share of the sloped faces ends at a hip."""

SECTOR_DEGREES = 15.0
"""Sloped faces that look within this angle of each other look the same way."""

_FLAT, _MULTIPLE_FLAT, _SHED, _GABLED, _HIPPED, _COMPLEX = range(len(ROOF_TYPES))


@dataclass(frozen=True, slots=True, eq=False)
class RoofEdges:
    """What the edges between two sloped roof faces tell of each object, shape (objects,).

    ``ridge_z`` is the height of the longest ridge from the local origin (NaN without one), ``hip``
    and ``valley`` the total length of hips and of valleys in m. ``at_hip`` (surfaces,) are the faces
    that end at a hip.
    """

    ridge_z: Floats
    hip: Floats
    valley: Floats
    at_hip: Bools


def roof_edges(boundary: Boundary, types: Ints) -> RoofEdges:
    """Find ridges, hips and valleys: edges shared by two sloped roof faces.

    Along a ridge and a hip the roof is convex, along a valley it is not. A ridge is level, and its
    two faces look away from each other, which a break of slope (mansard) does not.
    """
    batch, faces = boundary.batch, boundary.faces
    sloped = np.flatnonzero((types == SurfaceType.ROOF) & ~is_flat(faces) & (faces.area > 0.0))
    matches = edge_matching.match(boundary.edges_of(sloped))
    edges = matches.edges
    one, other = edges.face[matches.first], edges.face[matches.second]
    start, end = (batch.xyz.take(of[matches.first], axis=0) for of in (edges.point, edges.next_point))
    along = (end - start) * boundary.ring_sign_of_points[edges.point[matches.first]][:, None]
    normal, normal_other = (faces.vector[:, f] / faces.area[f] for f in (one, other))
    bend = np.einsum("ij,ji->j", np.cross(normal, normal_other, axis=0), along)
    length = np.sqrt(np.einsum("ij,ij->i", along, along))
    apart = normal[0] * normal_other[0] + normal[1] * normal_other[1] < 0.0
    level = np.abs(along[:, 2]) <= LEVEL_SLOPE * length
    owner = batch.object_of_surface()[one]
    folded = np.abs(bend) > 0.02 * length
    ridge = folded & (bend > 0.0) & level & apart
    hip = folded & (bend > 0.0) & ~level
    at_hip = np.zeros(batch.surfaces, dtype=np.bool_)
    at_hip[one[hip]] = at_hip[other[hip]] = True
    return RoofEdges(
        ridge_z=_longest(owner[ridge], length[ridge], np.maximum(start, end)[ridge, 2], batch.objects),
        hip=_total(owner, length, hip, batch.objects),
        valley=_total(owner, length, folded & (bend < 0.0), batch.objects),
        at_hip=at_hip,
    )


def _longest(owner: Ints, length: Floats, z: Floats, objects: int) -> Floats:
    """The z of the longest edge of each object, the higher one of equals; NaN without edges."""
    result = np.full(objects, np.nan)
    order = np.lexsort((z, np.round(length, 3), owner))
    result[owner[order]] = z[order]
    return result


def _total(owner: Ints, length: Floats, chosen: Bools, objects: int) -> Floats:
    return segments.totals(owner[chosen], length[chosen], objects)


def roof_types(boundary: Boundary, types: Ints, roof_edges: RoofEdges) -> list[str | None]:
    """The shape of each object's roof as in the catalogue's ROOF_TYPES; None without a roof."""
    batch, faces = boundary.batch, boundary.faces
    area = np.where(types == SurfaceType.ROOF, faces.area, 0.0)
    total = segments.sums(area, batch.object_start)
    owner = batch.object_of_surface()
    shaping = (area > 0.0) & (area >= TINY_SHARE * total[owner])
    flat = is_flat(faces)
    flat_area, shaping_area = segments.sums(
        np.stack([np.where(flat & shaping, area, 0.0), np.where(shaping, area, 0.0)]), batch.object_start
    )
    flat_share = np.divide(flat_area, shaping_area, out=np.ones_like(total), where=shaping_area > 0.0)
    step = _flat_step(batch, flat & shaping)
    shape = _sloped_shape(batch, faces, shaping & ~flat, roof_edges)
    shape[flat_share > ANNEX_SHARE] = _COMPLEX
    is_flat_roof = flat_share >= FLAT_SHARE
    shape[is_flat_roof] = np.where(step[is_flat_roof] > SAME_LEVEL_M, _MULTIPLE_FLAT, _FLAT)
    return named(ROOF_TYPES, shape, total > 0.0)


def _flat_step(batch: GeometryBatch, chosen: Bools) -> Floats:
    """Height between the lowest and the highest chosen face of each object; below 0 if none."""
    surfaces = np.flatnonzero(chosen)
    low, high = Levels(batch).of_surfaces(surfaces)
    middle, start = (low + high) / 2.0, np.searchsorted(surfaces, batch.object_start)
    low, high = segments.minima(middle, start), segments.maxima(middle, start)
    return np.where(np.isfinite(high), high - np.where(np.isfinite(low), low, 0.0), -1.0)


def _sloped_shape(batch: GeometryBatch, faces: Integrals, chosen: Bools, roof_edges: RoofEdges) -> Ints:
    """Shed, gabled, hipped or complex by the directions that the chosen faces look to.

    Directions are counted from the largest face of each object: the same way, opposite, or across.
    """
    index = np.flatnonzero(chosen)
    owner = batch.object_of_surface()[index]
    azimuth = np.degrees(np.arctan2(faces.vector[0, index], faces.vector[1, index]))
    main = np.zeros(batch.objects)
    order = np.argsort(faces.area[index], kind="stable")
    main[owner[order]] = azimuth[order]
    turn = (azimuth - main[owner] + SECTOR_DEGREES) % 360.0
    quarter = (turn // 90.0).astype(np.int64)
    aligned = turn % 90.0 <= 2.0 * SECTOR_DEGREES
    counts = np.zeros((4, batch.objects), dtype=np.int64)
    np.add.at(counts, (quarter, owner), 1)
    oblique = np.bincount(owner[~aligned], minlength=batch.objects) > 0
    ahead, right, behind, left = counts > 0
    sides = right.astype(np.int64) + left
    shape = np.full(batch.objects, _COMPLEX)
    whole = ~oblique & (roof_edges.valley <= 0.1 * np.maximum(roof_edges.hip, 1.0))
    # A gabled nave with a spire has hips too, but most of its roof does not end at them.
    area = segments.totals(owner, faces.area[index], batch.objects)
    ending = segments.totals(owner, np.where(roof_edges.at_hip[index], faces.area[index], 0.0), batch.objects)
    whole &= ending >= HIPPED_SHARE * area
    shape[~oblique & ahead & ~behind & (sides == 0)] = _SHED
    shape[~oblique & behind & (sides == 0)] = _GABLED
    shape[whole & (ahead.astype(np.int64) + behind + sides >= 3) & (roof_edges.hip > 0.0)] = _HIPPED
    return shape
