"""Walls that stand against each other: party walls of buildings, inner walls between their parts.

Two walls face each other where their normals are opposite (within 10 degrees) and their planes are
no more than 5 cm apart in the middle of what they share. What they share is measured in the plane of
the wall that is asked about; where several walls face one, their union is measured, so that no
piece counts twice.

Everything is computed from the wall's own building outward, and what is added up is put in an order
that follows from coordinates alone. So a building's values are the same to the last bit in
whatever batch it is measured.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, SurfaceType
from twin.processing import planar, segments
from twin.processing.meeting_boxes import CHUNK, Boxes, meeting
from twin.processing.planar import Shapes
from twin.processing.surfaces import DEGENERATE_M2, Integrals

OPPOSITE = -0.985
"""The product of two unit normals up to which they are opposite: 10 degrees."""

GAP_M = 0.05
"""Walls up to this far apart, or this deep in each other, touch."""

TOUCHING_M2 = 0.1
"""Buildings that share less wall than this meet in a corner by chance of digitising."""

_STEEP = 0.5
"""Horizontal part of the unit normal from which a face named a wall can face another one."""

_SLIVER_M = 1e-5
"""What two walls share is wider and higher than this."""

_REACH = np.array([[GAP_M], [GAP_M], [0.0]])
"""How far boxes of walls may be apart along x, y and z."""

_OBJECTS = 1_000
"""Objects look for others this many at a time."""

MAX_PAIRS = 200_000
"""An object with more pairs of walls that face each other is not measured: walls of thousands of strips
across each other would take minutes and gigabytes."""


@dataclass(frozen=True, slots=True, eq=False)
class PartyWalls:
    """Areas in m² and numbers of each object, shape (objects,); 0 where there is none.

    ``measured`` (objects,) are those with no more than ``MAX_PAIRS`` pairs of walls.
    """

    party_m2: Floats
    inner_m2: Floats
    touching: Ints
    measured: Bools


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What pairs of walls share, in order of the first wall: one row a pair.

    ``wall`` and ``other`` are surfaces, ``gap_m`` is how far their planes are apart, ``area_m2`` how
    much they share; ``shape`` is that in the plane of ``wall``. Of objects outside ``measured``
    (objects,) there are none.
    """

    wall: Ints
    other: Ints
    gap_m: Floats
    area_m2: Floats
    shape: Shapes
    measured: Bools


def party_walls(batch: GeometryBatch, faces: Integrals, types: Ints, part: Ints, wanted: Bools) -> PartyWalls:
    """Measure the wanted objects (objects,); ``part`` (surfaces,) numbers the parts of the batch, ascending.

    ``faces`` look outward and ``types`` are their SurfaceType. The batch is of one CRS.
    """
    shared = shared_walls(batch, faces, types, part, wanted)
    owner = batch.object_of_surface()
    foreign = owner[shared.wall] != owner[shared.other]
    party = _covered(shared, foreign, batch.surfaces)
    both = _covered(shared, np.ones_like(foreign), batch.surfaces)
    start = batch.object_start
    return PartyWalls(
        party_m2=segments.sums(party, start),
        inner_m2=segments.sums(np.maximum(both - party, 0.0), start),
        touching=_touching(shared, owner, foreign, batch.objects),
        measured=shared.measured,
    )


def shared_walls(batch: GeometryBatch, faces: Integrals, types: Ints, part: Ints, wanted: Bools) -> Shared:
    """All pairs of a wall of a wanted object and a wall of another object or part that faces it."""
    area = faces.area
    upright = np.hypot(faces.vector[0], faces.vector[1]) >= _STEEP * area
    walls = np.flatnonzero((types == SurfaceType.WALL) & upright & (area > DEGENERATE_M2))
    first, second, measured = _candidates(batch, faces, walls, part, wanted)
    frames = _Frames(batch, faces)
    box, gap = frames.overlap(first, second)
    near = (np.abs(gap) <= GAP_M) & ((box[:, 2:] - box[:, :2]) > _SLIVER_M).all(axis=1)
    first, second, box, gap = first[near], second[near], box[near], gap[near]
    # By the wall, then by what is shared: an order that does not depend on who else is in the batch.
    order = np.lexsort((*box.T, first))
    first, second, box, gap = first[order], second[order], box[order], gap[order]
    shape = frames.shared(first, second)
    shared_area = planar.area(shape)
    real = shared_area > 0.0
    return Shared(first[real], second[real], gap[real], shared_area[real], shape[real], measured)


def _candidates(
    batch: GeometryBatch, faces: Integrals, walls: Ints, part: Ints, wanted: Bools
) -> tuple[Ints, Ints, Bools]:
    """Pairs of walls of different parts, with opposite normals, whose boxes meet.

    The last result (objects,) marks objects that do not have too many of them.
    """
    low, high = _boxes(batch, walls)
    owner, number = batch.object_of_surface()[walls], part[walls]
    unit = faces.vector[:, walls] / faces.area[walls]
    found = [(walls[:0], walls[:0])]
    count = np.zeros(batch.objects, dtype=np.int64)
    for a, b in _meeting(Boxes(low, high, owner), number, wanted):
        facing = np.einsum("ip,ip->p", unit[:, a], unit[:, b]) < OPPOSITE
        facing &= number[a] != number[b]
        facing &= (low[2][a] < high[2][b]) & (low[2][b] < high[2][a])
        count += np.bincount(owner[a[facing]], minlength=batch.objects)
        facing &= count[owner[a]] <= MAX_PAIRS
        found.append((walls[a[facing]], walls[b[facing]]))
    first, second = (np.concatenate(side) for side in zip(*found, strict=True))
    measured = count <= MAX_PAIRS
    kept = measured[batch.object_of_surface()[first]]
    return first[kept], second[kept], measured


def _meeting(walls: Boxes, part: Ints, wanted: Bools) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of walls, the first of a wanted object, whose boxes meet but for the gap; in chunks.

    Objects are compared first, then only those walls of two that are within reach of the other one.
    ``walls`` are grouped by their objects, ascending.
    """
    start = np.flatnonzero(np.diff(walls.group, prepend=-1, append=-1) != 0)
    low, high = segments.minima(walls.low, start), segments.maxima(walls.high, start)
    whole = part[start[:-1]] == part[start[1:] - 1]
    asked = np.flatnonzero(wanted[walls.group[start[:-1]]])
    for some in segments.pieces(np.ones_like(asked), _OBJECTS):
        one, other = _near(low, high, asked[some])
        apart = (one != other) | ~whole[one]
        one, other = one[apart], other[apart]
        for run in segments.pieces(np.diff(start)[one] + np.diff(start)[other], CHUNK):
            a, around = _within(walls, start, one[run], low[:, other[run]], high[:, other[run]])
            b, boxes = _within(walls, start, other[run], low[:, one[run]], high[:, one[run]])
            for i, j in meeting(Boxes(around.low - _REACH, around.high + _REACH, around.group), boxes):
                yield a[i], b[j]


def _near(low: Floats, high: Floats, asked: Ints) -> tuple[Ints, Ints]:
    """Pairs of an asked object and any, itself too, whose boxes (3, objects) meet but for the gap."""
    boxes = np.vstack([low[:2], high[:2]]).T
    a, other = planar.overlapping_boxes(boxes[asked] + np.array([-GAP_M, -GAP_M, GAP_M, GAP_M]), boxes)
    one = asked[a]
    level = (low[2][one] <= high[2][other]) & (low[2][other] <= high[2][one])
    return one[level], other[level]


def _within(walls: Boxes, start: Ints, owner: Ints, low: Floats, high: Floats) -> tuple[Ints, Boxes]:
    """The walls of each owner that are within reach of the box beside it, grouped by its place."""
    index = segments.expand(start, owner)
    group = np.repeat(np.arange(len(owner)), np.diff(start)[owner])
    inside = (walls.low[:, index] <= (high + _REACH)[:, group]).all(axis=0)
    inside &= (walls.high[:, index] >= (low - _REACH)[:, group]).all(axis=0)
    index, group = index[inside], group[inside]
    return index, Boxes(walls.low[:, index], walls.high[:, index], group)


def _boxes(batch: GeometryBatch, surfaces: Ints) -> tuple[Floats, Floats]:
    """Least and greatest native coordinates of surfaces, each (3, n)."""
    start = batch.ring_start[batch.surface_start]
    points = segments.expand(start, surfaces)
    ends = np.concatenate([[0], np.cumsum(np.diff(start)[surfaces])]).astype(np.int64)
    xyz = np.ascontiguousarray(batch.xyz[points].T)
    origin = batch.origin[batch.object_of_surface()[surfaces]].T
    return segments.minima(xyz, ends) + origin, segments.maxima(xyz, ends) + origin


class _Frames:
    """Planes of walls with two axes each: ``u`` level, ``v`` up the wall, around its first point."""

    def __init__(self, batch: GeometryBatch, faces: Integrals) -> None:
        self._batch = batch
        self._owner = batch.object_of_surface()
        self._start = batch.ring_start[batch.surface_start]
        self._vector = faces.vector

    def overlap(self, first: Ints, second: Ints) -> tuple[Floats, Floats]:
        """The box (pairs, 4) that two walls share in the plane of the first, and the gap there (pairs,)."""
        own_low, own_high = self._extent(first, first)
        low, high = self._extent(first, second)
        low, high = np.maximum(low, own_low), np.minimum(high, own_high)
        middle = (low + high) / 2.0
        (ux, uy), (vx, vy, vz), _ = self._axes(first)
        x, y, z = ux * middle[0] + vx * middle[1], uy * middle[0] + vy * middle[1], vz * middle[1]
        shift = self._shift(first, second)
        origin = self._first_point(first) - self._first_point(second) + shift
        bx, by, bz = self._unit(second)
        gap = bx * (x + origin[0]) + by * (y + origin[1]) + bz * (z + origin[2])
        return np.vstack([low, high]).T, gap

    def shared(self, first: Ints, second: Ints) -> Shapes:
        """What walls share, in the plane of the first one."""
        unique, where = np.unique(first, return_inverse=True)
        own = self._polygons(unique, unique)[where]
        return planar.intersections(own, self._polygons(first, second))

    def _polygons(self, frame: Ints, face: Ints) -> Shapes:
        rings = segments.expand(self._batch.surface_start, face)
        count = np.diff(self._batch.surface_start)[face]
        length = np.diff(self._batch.ring_start)[rings]
        owner = np.repeat(np.arange(len(face)), count)
        uv = self._projected(frame, face)
        drawable = length >= 3
        points = np.repeat(drawable, length)
        ring_of_point = np.repeat(np.arange(int(drawable.sum())), length[drawable])
        outlines = planar.rings(uv[:, points].T, ring_of_point)
        return planar.valid(planar.polygons(outlines, owner[drawable], len(face)))

    def _extent(self, frame: Ints, face: Ints) -> tuple[Floats, Floats]:
        ends = np.concatenate([[0], np.cumsum(np.diff(self._start)[face])]).astype(np.int64)
        uv = self._projected(frame, face)
        return segments.minima(uv, ends), segments.maxima(uv, ends)

    def _projected(self, frame: Ints, face: Ints) -> Floats:
        """The points of faces in the planes of frames, one after the other, shape (2, points)."""
        count = np.diff(self._start)[face]
        x, y, z = self._batch.xyz[segments.expand(self._start, face)].T
        offset = self._first_point(frame) + self._shift(frame, face)
        dx, dy, dz = (axis - np.repeat(o, count) for axis, o in zip((x, y, z), offset, strict=True))
        (ux, uy), (vx, vy, vz), _ = (
            tuple(np.repeat(axis, count) for axis in axes) for axes in self._axes(frame)
        )
        return np.stack([ux * dx + uy * dy, vx * dx + vy * dy + vz * dz])

    def _shift(self, frame: Ints, face: Ints) -> Floats:
        """From the local origin of the face's object to that of the frame's: whole metres, so exact."""
        origin = self._batch.origin
        return (origin[self._owner[frame]] - origin[self._owner[face]]).T

    def _first_point(self, face: Ints) -> Floats:
        return self._batch.xyz[self._start[face]].T

    def _unit(self, face: Ints) -> Floats:
        vector = self._vector[:, face]
        return vector / np.sqrt(vector[0] ** 2 + vector[1] ** 2 + vector[2] ** 2)

    def _axes(self, face: Ints) -> tuple[tuple[Floats, ...], tuple[Floats, ...], tuple[Floats, ...]]:
        nx, ny, nz = self._unit(face)
        level = np.sqrt(nx**2 + ny**2)
        ux, uy = -ny / level, nx / level
        return (ux, uy), (-nz * uy, nz * ux, level), (nx, ny, nz)


def _covered(shared: Shared, chosen: Bools, surfaces: int) -> Floats:
    """How much of each surface is covered by the union of the chosen shapes, in m²."""
    index = np.flatnonzero(chosen)
    result = np.zeros(surfaces)
    wall, start = np.unique(shared.wall[index], return_index=True)
    count = np.diff(np.append(start, len(index)))
    single = count == 1
    result[wall[single]] = shared.area_m2[index[start[single]]]
    for size in np.unique(count[~single]):
        alike = count == size
        rows = index[start[alike][:, None] + np.arange(size)]
        result[wall[alike]] = planar.union_areas(shared.shape[rows])
    return result


def _touching(shared: Shared, owner: Ints, foreign: Bools, objects: int) -> Ints:
    """How many other objects share more wall with each object than by chance."""
    key = owner[shared.wall[foreign]] * np.int64(objects) + owner[shared.other[foreign]]
    pair, member = np.unique(key, return_inverse=True)
    area = segments.totals(member, shared.area_m2[foreign], len(pair))
    return np.bincount(pair[area > TOUCHING_M2] // max(objects, 1), minlength=objects)
