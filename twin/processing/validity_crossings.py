"""Shells that cross, touch or cover themselves (306), by the triangles of their faces."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Bools, Floats, Ints
from twin.processing import segments
from twin.processing.validity_polygons import Polygons
from twin.processing.validity_shells import Shells
from twin.processing.validity_subject import Findings, Subject, in_surfaces
from twin.processing.validity_triangles import Triangles, meeting, triangles_of

MAX_PAIRS = 100_000_000
"""Shells with more pairs of triangles near each other along their longest side are not checked."""

_CHUNK = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Crossings:
    """``fine`` (shells,) marks shells without an error so far, ``unchecked`` are those too large."""

    findings: list[Findings]
    fine: Bools
    unchecked: Ints
    triangles: Triangles


def check_crossings(subject: Subject, polygons: Polygons, shells: Shells) -> Crossings:
    """Compare the triangles of each shell that is a manifold with each other."""
    owner = subject.shell_of_surface()
    whole = segments.totals(owner, polygons.uncut, subject.shells) == 0
    triangles = triangles_of(subject, polygons, (shells.fine & whole)[owner])
    shell = owner[triangles.face]
    order, reach, too_many = _swept(triangles, shell, subject.shells)
    pairs: list[Ints] = []
    for i, j in _near(triangles, order, reach):
        i, j = order[i], order[j]
        met = meeting(triangles, i, j)
        pairs.append(np.sort(np.stack([triangles.face[i[met]], triangles.face[j[met]]]), axis=0))
    a, b = np.unique(np.concatenate([np.zeros((2, 0), dtype=np.int64), *pairs], axis=1), axis=1)
    fine = shells.fine.copy()
    fine[owner[a]] = False
    return Crossings([in_surfaces(subject, 306, a, other=b)], fine, np.flatnonzero(too_many), triangles)


def _swept(triangles: Triangles, shell: Ints, shells: int) -> tuple[Ints, Ints, Bools]:
    """Triangles in order along the longest side of their shell, and how many of the next each may meet.

    The last result marks shells (shells,) with too many such pairs, which are left out.
    """
    low, high = (
        np.full((shells, 3), np.inf),
        np.full((shells, 3), -np.inf),
    )
    np.minimum.at(low, shell, triangles.low)
    np.maximum.at(high, shell, triangles.high)
    axis = np.where(np.isfinite(low), high - low, 0.0).argmax(axis=1)[shell]
    row = np.arange(len(shell))
    first, last = triangles.low[row, axis], triangles.high[row, axis]
    # Shells one behind the other on one line, none in reach of the next.
    span = float(last.max(initial=0.0) - first.min(initial=0.0)) + 1.0
    first, last = first + shell * span, last + shell * span
    order = np.argsort(first, kind="stable")
    reach = np.searchsorted(first[order], last[order], side="right") - np.arange(1, len(order) + 1)
    too_many = segments.totals(shell[order], reach, shells) > MAX_PAIRS
    reach[too_many[shell[order]]] = 0
    return order, reach, too_many


def _near(triangles: Triangles, order: Ints, reach: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Pairs of positions in the order whose boxes touch, of different faces, some at a time."""
    face, low, high = triangles.face[order], triangles.low[order], triangles.high[order]
    end = np.cumsum(reach)
    first = 0
    while first < len(order):
        last = int(np.searchsorted(end, (end[first - 1] if first else 0) + _CHUNK, side="right"))
        last = max(last, first + 1)
        i = np.repeat(np.arange(first, last), reach[first:last])
        j = segments.ranges(np.arange(first, last) + 1, reach[first:last])
        first = last
        near = face[i] != face[j]
        for axis in range(3):
            i, j = i[near], j[near]
            near = _overlap(low[:, axis], high[:, axis], i, j)
        yield i[near], j[near]


def _overlap(low: Floats, high: Floats, i: Ints, j: Ints) -> Bools:
    return (low[i] <= high[j]) & (low[j] <= high[i])
