"""What depends on the buildings around: distances, counts, party walls, and the envelope that is left.

Pure functions of the wanted buildings and of those near them. A building's values depend on nothing
beyond ``HALO_M``, and are the same to the last bit whoever else is in the batch.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Bools, Floats, Geometry, Ints, concatenate
from twin.processing import planar, segments
from twin.processing.columns import Column
from twin.processing.compute import Measures, measure_core
from twin.processing.party_walls import GAP_M, party_walls
from twin.processing.planar import Shapes

VERSION = 1
"""Raised whenever a definition changes, so that stored values are computed again."""

HALO_M = 100.0
"""How far neighbours are looked for."""

TOUCH_M = 2.0 * GAP_M
"""How far from a footprint walls can be that touch the building's walls."""

NEAR_M = 50.0
_FIRST = 6


@dataclass(frozen=True, slots=True, eq=False)
class Surroundings:
    """Of each wanted building (wanted,): the nearest other one up to 100 m, and how many are near.

    ``surrounded`` tells whether others stand on all sides: without that the delivery may end here.
    """

    nearest_m: Floats
    within_50m: Ints
    within_100m: Ints
    surrounded: Bools


def neighbour_values(
    groups: Sequence[Sequence[Geometry]], wanted: int, outlines: Shapes
) -> dict[str, Column]:
    """Every attribute of the stage, for the first ``wanted`` buildings.

    ``groups`` are the geometries of the wanted buildings and, after them, of all within ``TOUCH_M``;
    ``outlines`` the footprints of the wanted ones and, after them, of all within ``HALO_M``. All are
    in native coordinates of one CRS. A number is NaN where the building has no footprint or no
    geometry.
    """
    batch = concatenate(groups)
    values = envelope(measure_core(batch), parts_of(groups), np.arange(batch.objects) < wanted)
    around = surroundings(outlines, wanted)
    known = ~planar.missing(outlines[:wanted])
    return {
        **{name: column[:wanted] for name, column in values.items()},
        "nearest_distance_m": np.where(known, around.nearest_m, np.nan),
        "neighbours_50m": _whole(around.within_50m, known),
        "neighbours_100m": _whole(around.within_100m, known),
        "neighbours_quality": [
            ("exact" if inside else "edge") if some else None
            for inside, some in zip(around.surrounded, known, strict=True)
        ],
    }


def _whole(numbers: Ints, known: Bools) -> Column:
    return [int(number) if some else None for number, some in zip(numbers, known, strict=True)]


def parts_of(groups: Sequence[Sequence[Geometry]]) -> Ints:
    """A number for each surface of a batch of these groups that tells the parts of buildings apart.

    Each solid is a part, and so is each geometry without solids.
    """
    sizes: list[Ints] = [np.zeros(0, dtype=np.int64)]
    for geometries in groups:
        sizes.extend(np.diff(g.shell_start[g.solid_start]) for g in geometries)
    size = np.concatenate(sizes)
    return np.repeat(np.arange(len(size)), size)


def envelope(measures: Measures, part: Ints, wanted: Bools) -> dict[str, Column]:
    """Party walls and what follows from them, for all objects of a batch; right for the wanted ones.

    ``part`` (surfaces,) numbers the parts of the batch. Walls between parts of one building are
    neither exterior nor party walls. NaN where there are too many pairs of walls to compare.
    """
    boundary = measures.boundary
    found = party_walls(boundary.batch, boundary.faces, measures.surface_type, part, wanted)
    wall, roof, ground, volume = (
        np.asarray(measures.values[name], dtype=np.float64)
        for name in ("wall_area_m2", "roof_area_m2", "ground_area_m2", "volume_m3")
    )
    known = np.isfinite(wall) & found.measured
    exterior = np.where(known, np.maximum(wall - found.party_m2 - found.inner_m2, 0.0), np.nan)
    shell = roof + exterior + ground
    return {
        "party_wall_area_m2": np.where(known, found.party_m2, np.nan),
        "inner_wall_area_m2": np.where(known, found.inner_m2, np.nan),
        "exterior_wall_area_m2": exterior,
        "envelope_area_m2": shell,
        "surface_to_volume": np.divide(shell, volume, out=np.full_like(shell, np.nan), where=volume > 0.0),
        "touching_neighbours": _whole(found.touching, known),
    }


def surroundings(outlines: Shapes, wanted: int) -> Surroundings:
    """Look around the first ``wanted`` footprints; a missing one has and is no neighbour."""
    own, other = _near(outlines, wanted)
    nearest = _nearest(outlines, own, other, wanted)
    within = _within(outlines, own, other)
    one, two = own[within <= HALO_M], other[within <= HALO_M]
    return Surroundings(
        nearest_m=nearest,
        within_50m=np.bincount(own[within <= NEAR_M], minlength=wanted),
        within_100m=np.bincount(one, minlength=wanted),
        surrounded=_surrounded(outlines, one, two, wanted),
    )


def _near(outlines: Shapes, wanted: int) -> tuple[Ints, Ints]:
    """Pairs of a wanted footprint and another one whose boxes are within the halo, by the first."""
    present = np.flatnonzero(~planar.missing(outlines))
    asked = present[present < wanted]
    if not len(asked):
        return asked, asked
    boxes = planar.bounds(outlines[present])
    reach = boxes[: len(asked)] + np.array([-HALO_M, -HALO_M, HALO_M, HALO_M])
    a, b = planar.overlapping_boxes(reach, boxes)
    own, other = asked[a], present[b]
    apart = own != other
    order = np.lexsort((other[apart], own[apart]))
    return own[apart][order], other[apart][order]


def _least_distances(outlines: Shapes, own: Ints, other: Ints) -> Floats:
    """Distances of the boxes of pairs: the footprints are at least as far apart."""
    boxes = planar.bounds(outlines)
    a, b = boxes[own], boxes[other]
    gap = np.maximum(np.maximum(a[:, :2] - b[:, 2:], b[:, :2] - a[:, 2:]), 0.0)
    return np.hypot(gap[:, 0], gap[:, 1])


def _nearest(outlines: Shapes, own: Ints, other: Ints, wanted: int) -> Floats:
    """Least distance of each wanted footprint to another one, ``HALO_M`` where none is nearer.

    The boxes nearest to it come first; of the others only those are measured whose boxes are nearer
    than what was found.
    """
    least = _least_distances(outlines, own, other)
    order = np.lexsort((least, own))
    own, other, least = own[order], other[order], least[order]
    start = np.searchsorted(own, np.arange(wanted + 1))
    rank = np.arange(len(own)) - start[own]
    best = np.full(wanted, HALO_M)
    for turn in (rank < _FIRST, rank >= _FIRST):
        chosen = np.flatnonzero(turn & (least < best[own]))
        np.minimum.at(best, own[chosen], planar.distances(outlines[own[chosen]], outlines[other[chosen]]))
    return best


def _within(outlines: Shapes, own: Ints, other: Ints) -> Floats:
    """A number for each pair on the same side of 50 m and of 100 m as its distance.

    Where the boxes and two points of the footprints leave no doubt, the distance is not measured.
    """
    low = _least_distances(outlines, own, other)
    high = _distances_of_points(outlines, own, other)
    result = high.copy()
    doubtful = np.zeros(len(own), dtype=np.bool_)
    for limit in (NEAR_M, HALO_M):
        doubtful |= (low <= limit) & (high > limit)
    result[low > HALO_M] = low[low > HALO_M]
    chosen = np.flatnonzero(doubtful)
    result[chosen] = planar.distances(outlines[own[chosen]], outlines[other[chosen]])
    return result


def _distances_of_points(outlines: Shapes, own: Ints, other: Ints) -> Floats:
    """Distances of pairs between points of the footprints: these are no farther apart.

    Of each footprint the points farthest along eight directions are known; those that look at
    each other are taken.
    """
    corners = planar.outermost_points(outlines, _DIRECTIONS)
    boxes = planar.bounds(outlines)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    step = middle[other] - middle[own]
    sector = np.rint(np.arctan2(step[:, 1], step[:, 0]) / (np.pi / 4.0)).astype(np.int64) % 8
    gap = corners[own, sector] - corners[other, (sector + 4) % 8]
    return np.hypot(gap[:, 0], gap[:, 1])


_DIRECTIONS = np.stack([np.cos(np.arange(8) * np.pi / 4.0), np.sin(np.arange(8) * np.pi / 4.0)])


def _surrounded(outlines: Shapes, own: Ints, other: Ints, wanted: int) -> Bools:
    """Whether no half of the horizon is without a neighbour, seen from each wanted footprint."""
    boxes = planar.bounds(outlines)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2.0
    step = middle[other] - middle[own]
    bearing = np.arctan2(step[:, 1], step[:, 0])
    order = np.lexsort((bearing, own))
    bearing, owner = bearing[order], own[order]
    start = np.searchsorted(owner, np.arange(wanted + 1))
    if not len(owner):
        return np.zeros(wanted, dtype=np.bool_)
    following = np.arange(1, len(owner) + 1)
    last = start[1:][np.diff(start) > 0] - 1
    following[last] = start[:-1][np.diff(start) > 0]
    turn = bearing[following] - bearing
    turn[last] += 2.0 * np.pi
    widest = segments.maxima(turn, start)
    return (widest < np.pi) & (np.diff(start) > 0)
