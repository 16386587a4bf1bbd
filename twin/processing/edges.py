"""Directed edges of faces, matched over a whole batch by hashes of their ends."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints
from twin.processing import segments
from twin.processing.vertices import Hashes, mixed


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

    def open_groups(self, group: Ints, face_sign: Floats) -> Bools:
        """Whether some edge of each group of faces lacks an opposite one in the same group.

        ``group`` (surfaces,) is the group of each face, numbered like surfaces, and so is the
        result; ``face_sign`` (surfaces,) is -1 for each face to be turned around.
        """
        direction = self.sign * face_sign[self.face].astype(np.int8)
        balance = np.zeros(len(group), dtype=np.uint64)
        np.add.at(balance, group[self.face], _signed(self.key, direction))
        return balance != 0


def _signed(key: Hashes, direction: npt.NDArray[np.int8]) -> Hashes:
    """Keys times 1, -1 or 0: modulo 2**64, those of opposite directions cancel out."""
    return key * direction.astype(np.int64).view(np.uint64)


def edge_keys(a: Hashes, b: Hashes) -> Hashes:
    """A hash of each undirected edge between the vertices ``a`` and ``b``."""
    return mixed(a + b)


def fingerprints(batch: GeometryBatch, vertices: Hashes, ring_sign: Floats) -> Hashes:
    """0 for each object whose every edge is met by as many edges the other way, shape (objects,).

    The sum over all edges of a random number per undirected edge, added in one direction and
    subtracted in the other. An unbalanced object gives 0 by chance once in 2**64.
    """
    start, length = batch.ring_start, np.diff(batch.ring_start)
    ends = np.empty_like(vertices)
    ends[:-1] = vertices[1:]
    ends[start[1:][length > 0] - 1] = vertices[start[:-1][length > 0]]
    direction = (vertices < ends).view(np.int8) - (vertices > ends).view(np.int8)
    if (ring_sign < 0).any():
        direction *= np.repeat(ring_sign.astype(np.int8), length)
    term = _signed(edge_keys(vertices, ends), direction)
    return segments.wrapping_sums(term, start[batch.surface_start[batch.object_start]])


def edges_of(batch: GeometryBatch, chosen: Ints, vertices: Hashes, ring_sign: Floats) -> Edges:
    """The directed edges of the chosen surfaces; ``ring_sign`` (rings,) turns a ring around."""
    rings = segments.expand(batch.surface_start, chosen)
    first = batch.ring_start[rings]
    length = batch.ring_start[rings + 1] - first
    point = segments.ranges(first, length)
    following = point + 1
    following[np.cumsum(length)[length > 0] - 1] = first[length > 0]
    a, b = vertices[point], vertices[following]
    direction = (a < b).view(np.int8) - (a > b).view(np.int8)
    direction *= np.repeat(ring_sign[rings].astype(np.int8), length)
    points_of_face = np.diff(batch.ring_start[batch.surface_start])[chosen]
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
    order, start = segments.grouped(edges.key[real])
    order = real[order]
    pair = start[:-1][np.diff(start) == 2]
    return Matches(edges, order, start, order[pair], order[pair + 1])
