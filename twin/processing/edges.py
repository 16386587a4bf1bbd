"""Directed edges of faces, matched over a whole batch.

Two points are the same vertex when they fall on the same millimetre of their object's local grid.
A vertex is known by a 64-bit hash of its object and grid cell, an edge by a hash of its two ends;
no table of vertices is built.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats, GeometryBatch, Ints
from twin.processing import segments

SNAP_M = 0.001
"""Points within the same cell of this size are one vertex."""

Hashes: TypeAlias = npt.NDArray[np.uint64]

# Odd random multipliers, one for each coordinate and one for the object.
_X, _Y, _Z, _OBJECT = (
    np.uint64(0x9E3779B97F4A7C15),
    np.uint64(0xC2B2AE3D27D4EB4F),
    np.uint64(0x165667B19E3779F9),
    np.uint64(0xD6E8FEB86659FD93),
)
# The finaliser of SplitMix64 (Steele, Lea and Flood 2014): a bijection that spreads every bit.
_MIX_1, _MIX_2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3, _ROTATE = (np.uint64(n) for n in (30, 27, 31, 32))


def _mixed(key: Hashes) -> Hashes:
    key = (key ^ (key >> _SHIFT_1)) * _MIX_1
    key = (key ^ (key >> _SHIFT_2)) * _MIX_2
    return key ^ (key >> _SHIFT_3)


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """The directed edge that starts in each point of the chosen faces.

    ``key`` is equal for both directions of an edge, ``sign`` is +1 or -1 by direction and 0 for an
    edge shorter than the snapping distance, ``face`` the surface it belongs to, ``point`` and
    ``next_point`` the indices of its ends; all of shape (edges,).
    """

    key: Hashes
    sign: npt.NDArray[np.int8]
    face: Ints
    point: Ints
    next_point: Ints


def vertex_hashes(batch: GeometryBatch) -> Hashes:
    """A hash of object and snapped position of every point, shape (points,)."""
    cell = np.rint(batch.xyz / SNAP_M).astype(np.int64).view(np.uint64)
    starts = batch.ring_start[batch.surface_start[batch.object_start]]
    number = np.arange(1, batch.objects + 1, dtype=np.uint64) * _OBJECT
    salt = np.repeat(number, np.diff(starts))
    return _mixed(cell[:, 0] * _X + cell[:, 1] * _Y + cell[:, 2] * _Z + salt)


def edge_keys(a: Hashes, b: Hashes) -> Hashes:
    """A hash of each undirected edge between the vertices ``a`` and ``b``."""
    low, high = np.minimum(a, b), np.maximum(a, b)
    return _mixed(low + ((high << _ROTATE) | (high >> _ROTATE)))


def fingerprints(batch: GeometryBatch, vertices: Hashes, next_point: Ints, ring_sign: Floats) -> Hashes:
    """0 for each object whose every edge is met by as many edges the other way, shape (objects,).

    The sum over all edges of a random number per undirected edge, added in one direction and
    subtracted in the other. An unbalanced object gives 0 by chance once in 2**64.
    """
    ends = vertices[next_point]
    term = edge_keys(vertices, ends)
    backwards = vertices > ends
    if (ring_sign < 0).any():
        backwards ^= np.repeat(ring_sign < 0, np.diff(batch.ring_start))
    term = np.where(backwards, np.uint64(0) - term, term)
    term[vertices == ends] = 0
    return segments.wrapping_sums(term, batch.ring_start[batch.surface_start[batch.object_start]])


def edges_of(
    batch: GeometryBatch, chosen: Ints, vertices: Hashes, next_point: Ints, ring_sign: Floats
) -> Edges:
    """The directed edges of the chosen surfaces; ``ring_sign`` (rings,) turns a ring around."""
    rings = segments.expand(batch.surface_start, chosen)
    length = batch.ring_start[rings + 1] - batch.ring_start[rings]
    point = segments.ranges(batch.ring_start[rings], length)
    following = next_point[point]
    a, b = vertices[point], vertices[following]
    turn = np.repeat(ring_sign[rings], length).astype(np.int8)
    direction = np.where(a < b, 1, -1).astype(np.int8) * turn
    direction[a == b] = 0
    points_of_face = (
        batch.ring_start[batch.surface_start[chosen + 1]] - (batch.ring_start[batch.surface_start[chosen]])
    )
    return Edges(edge_keys(a, b), direction, np.repeat(chosen, points_of_face), point, following)


@dataclass(frozen=True, slots=True, eq=False)
class Matches:
    """Edges grouped by the undirected edge that they run along.

    ``order`` (real edges,) sorts edges into groups and ``start`` (groups + 1) are offsets into it.
    ``first`` and ``second`` (pairs,) index the two edges of each group of just two.
    """

    edges: Edges
    order: Ints
    start: Ints
    first: Ints
    second: Ints

    @property
    def group_face(self) -> Ints:
        """One face of each group, shape (groups,)."""
        return self.edges.face[self.order[self.start[:-1]]]

    def unmatched(self, face_sign: Floats) -> Ints:
        """How many more edges run one way than the other, shape (groups,).

        ``face_sign`` (surfaces,) is -1 for each face to be turned around.
        """
        sign = self.edges.sign[self.order] * face_sign[self.edges.face[self.order]]
        return np.abs(segments.sums(sign, self.start)).astype(np.int64)


def match(edges: Edges) -> Matches:
    """Group the edges; those shorter than the snapping distance are left out."""
    real = np.flatnonzero(edges.sign)
    order = real[np.argsort(edges.key[real])]
    key = edges.key[order]
    start = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1], [True]])[: len(key) + 1])
    if not len(key):
        start = np.zeros(1, dtype=np.int64)
    pair = start[:-1][np.diff(start) == 2]
    return Matches(edges, order, start, order[pair], order[pair + 1])
