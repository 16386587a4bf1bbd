"""Shells as surfaces without boundary: 301-303, 305 and 307, by their edges and vertices alone."""

from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Bools, Floats, Ints
from twin.processing import segments
from twin.processing.graph import components
from twin.processing.surfaces import next_points
from twin.processing.validity_polygons import Polygons
from twin.processing.validity_subject import Findings, ShellKind, Subject, in_shells, in_surfaces

FACES_OF_A_SOLID = 4
"""The simplest solid is a tetrahedron."""


@dataclass(frozen=True, slots=True, eq=False)
class Shells:
    """``fine`` (shells,) marks shells without an error so far, ``volume`` (shells,) is what they enclose."""

    findings: list[Findings]
    fine: Bools
    volume: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Edges:
    """The edges of the chosen shells, those along the same two vertices of one shell side by side.

    All of shape (edges,) but ``start`` (groups + 1): the ``point`` each starts in, the point ``end``
    it ends in, its ``face`` and whether it runs from the lower to the higher vertex (``upward``).
    ``vertex`` (points of the batch,) numbers vertices, those of different shells apart.
    """

    point: Ints
    end: Ints
    face: Ints
    upward: Bools
    start: Ints
    vertex: Ints

    @property
    def uses(self) -> Ints:
        """How many faces meet in the edge of each group."""
        return np.diff(self.start)

    def faces_of(self, groups: Bools) -> Ints:
        """The faces that meet in the chosen groups, each once."""
        return np.unique(self.face[np.repeat(groups, self.uses)])


def check_shells(subject: Subject, polygons: Polygons) -> Shells:
    """Check the shells of solids and composite surfaces, all of whose faces are fine."""
    owner = subject.shell_of_surface()
    flawed = segments.totals(owner, ~polygons.fine, subject.shells) > 0
    filled = np.diff(subject.shell_start) > 0
    fine = ~flawed & filled & (subject.kind != ShellKind.LOOSE)
    findings: list[Findings] = []

    def drop(found: Findings) -> None:
        fine[found.shell] = False
        findings.append(found)

    few = fine & (subject.kind == ShellKind.CLOSED) & (np.diff(subject.shell_start) < FACES_OF_A_SOLID)
    drop(in_shells(subject, 301, np.flatnonzero(few)))
    faces = segments.expand(subject.shell_start, np.flatnonzero(fine))
    edges = _edges_of(subject, faces)
    lonely = edges.faces_of(edges.uses == 1)
    drop(in_surfaces(subject, 302, lonely[subject.kind[owner[lonely]] == ShellKind.CLOSED]))
    drop(in_surfaces(subject, 303, _pinched(subject, edges, fine)))
    drop(in_shells(subject, 305, _in_pieces(subject, edges, faces)))
    volume, turned = _orientation(subject, polygons, edges)
    drop(in_surfaces(subject, 307, turned))
    return Shells(findings, fine, volume)


def _edges_of(subject: Subject, faces: Ints) -> _Edges:
    batch = subject.batch
    face_of_point = segments.owner(batch.ring_start[batch.surface_start])
    point = segments.expand(batch.ring_start[batch.surface_start], faces)
    end = next_points(batch.ring_start)[point]
    vertex = _vertices_of_shells(subject, face_of_point)
    a, b = vertex[point], vertex[end]
    key = np.minimum(a, b) * (int(vertex.max(initial=0)) + 1) + np.maximum(a, b)
    order = np.argsort(key, kind="stable")
    new = np.diff(key[order], prepend=-1) != 0
    start = np.append(np.flatnonzero(new), len(key))
    point, end = point[order], end[order]
    return _Edges(point, end, face_of_point[point], (a < b)[order], start, vertex)


def _vertices_of_shells(subject: Subject, face_of_point: Ints) -> Ints:
    shell = subject.shell_of_surface()[face_of_point]
    if subject.shells == subject.batch.objects:
        return subject.vertex
    count = int(subject.vertex.max(initial=0)) + 1
    _, vertex = np.unique(shell * count + subject.vertex, return_inverse=True)
    return vertex.astype(np.int64)


def _pinched(subject: Subject, edges: _Edges, fine: Bools) -> Ints:
    """Faces at edges of more than two faces, and at vertices around which they form no single fan."""
    crowded = edges.faces_of(edges.uses > 2)
    # Where edges are missing or too many, fans are torn by these alone.
    intact = fine.copy()
    intact[subject.shell_of_surface()[crowded]] = False
    pair = edges.start[:-1][edges.uses == 2]
    first, second = pair, pair + 1
    opposite = edges.upward[first] != edges.upward[second]
    joined = np.where(opposite, edges.end[second], edges.point[second])
    other = np.where(opposite, edges.point[second], edges.end[second])
    points = len(subject.batch.xyz)
    fan = components(
        points,
        np.concatenate([edges.point[first], edges.end[first]]),
        np.concatenate([joined, other]),
    )
    shell = subject.shell_of_surface()[edges.face]
    at, face = edges.point[intact[shell]], edges.face[intact[shell]]
    fans = np.unique(edges.vertex[at] * points + fan[at])
    several = np.bincount(fans // max(points, 1), minlength=int(edges.vertex.max(initial=0)) + 1) > 1
    return np.union1d(crowded, face[several[edges.vertex[at]]])


def _in_pieces(subject: Subject, edges: _Edges, faces: Ints) -> Ints:
    """Shells whose faces are not all linked by vertices."""
    surfaces = subject.batch.surfaces
    vertices = int(edges.vertex.max(initial=0)) + 1
    piece = components(surfaces + vertices, edges.face, surfaces + edges.vertex[edges.point])
    shell = subject.shell_of_surface()[faces]
    pairs = np.unique(np.stack([shell, piece[faces]]), axis=1)
    return np.flatnonzero(np.bincount(pairs[0], minlength=subject.shells) > 1)


def _orientation(subject: Subject, polygons: Polygons, edges: _Edges) -> tuple[Floats, Ints]:
    """The volume of each shell as given, and the faces turned against the rest of their shell.

    Each face is two nodes of a graph, one for each side. Faces that run along their edge in opposite
    directions are joined side by side, else crosswise: the two components of a shell are its sides.
    """
    batch = subject.batch
    pair = edges.start[:-1][edges.uses == 2]
    a, b = edges.face[pair], edges.face[pair + 1]
    against = (edges.upward[pair] == edges.upward[pair + 1]).astype(np.int64)
    volume = segments.sums(polygons.rings.volume, batch.surface_start)
    shell = subject.shell_of_surface()
    enclosed = segments.totals(shell, volume, subject.shells)
    disputed = np.unique(shell[a[against == 1]])
    if not len(disputed):
        return enclosed, np.zeros(0, dtype=np.int64)
    side = components(
        2 * batch.surfaces,
        np.concatenate([2 * a, 2 * a + 1]),
        np.concatenate([2 * b + against, 2 * b + 1 - against]),
    )
    exterior = is_exterior(subject)
    turned: list[Ints] = []
    for item in disputed.tolist():
        faces = segments.expand(subject.shell_start, np.array([item], dtype=np.int64))
        if subject.kind[item] == ShellKind.CLOSED:
            weight = volume[faces] * (1.0 if exterior[item] else -1.0)
        else:
            weight = np.ones(len(faces))
        turned.append(_turned(faces, side, weight))
    return enclosed, np.concatenate(turned)


def _turned(faces: Ints, side: Ints, weight: Floats) -> Ints:
    """Those of a shell's faces on the side of less weight."""
    if side[2 * faces[0]] == side[2 * faces[0] + 1]:
        return faces  # a surface of one side, such as a Moebius strip
    first = side[2 * faces] == side[2 * faces[0]]
    balance = weight[first].sum() - weight[~first].sum()
    return faces[~first] if balance >= 0.0 else faces[first]


def is_exterior(subject: Subject) -> Bools:
    """Whether each shell is the first of its solid, shape (shells,)."""
    exterior = np.zeros(subject.shells, dtype=np.bool_)
    first = subject.solid_start[:-1]
    exterior[first[np.diff(subject.solid_start) > 0]] = True
    return exterior
