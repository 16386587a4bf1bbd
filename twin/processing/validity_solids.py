"""Shells of one solid (401-403, 405) and solids of one building (601)."""

from dataclasses import dataclass
from itertools import combinations

import numpy as np

from twin.model.geometry import Bools, Floats, Ints
from twin.processing import segments
from twin.processing.validity_crossings import Crossings
from twin.processing.validity_shells import Shells, is_exterior
from twin.processing.validity_subject import Findings, ShellKind, Subject, in_shells
from twin.processing.validity_triangles import Triangles, meeting, piercing, winding

OVERLAP_M = 0.01
"""Building parts may reach this far into each other: as far as points may lie off their plane."""

MAX_PAIRS = 4_000_000
"""Pairs of triangles, or of points and triangles, beyond which two shells are not compared."""

MAX_SHELLS = 64
"""Solids of more shells, and buildings of more solids, are not compared with each other."""

_SAMPLES = 256


@dataclass(frozen=True, slots=True, eq=False)
class Solids:
    """``fine`` (solids,) marks those without an error so far; ``unchecked`` are shells or objects."""

    findings: list[Findings]
    fine: Bools
    unchecked: Ints


def check_solids(subject: Subject, shells: Shells, crossings: Crossings) -> Solids:
    """Check how the shells of each solid lie to each other, and which way they look."""
    closed = crossings.fine & (subject.kind == ShellKind.CLOSED)
    solid = segments.owner(subject.solid_start)
    volume = np.where(is_exterior(subject), shells.volume, -shells.volume)
    wrong = closed & (volume < 0.0)
    findings = [in_shells(subject, 405, np.flatnonzero(wrong))]
    count = np.diff(subject.solid_start)
    whole = (segments.totals(solid, ~closed, len(count)) == 0) & (count > 0)
    unchecked = list[int]()
    for item in np.flatnonzero(whole & (count > 1)).tolist():
        first, last = subject.solid_start[item : item + 2].tolist()
        if last - first > MAX_SHELLS or not _comparable(subject, crossings, first, last):
            unchecked.append(first)
            continue
        findings += _check_voids(subject, crossings.triangles, first, last)
    fine = whole.copy()
    for found in findings:
        fine[solid[found.shell]] = False
    return Solids(findings, fine, np.array(unchecked, dtype=np.int64))


def _comparable(subject: Subject, crossings: Crossings, first: int, last: int) -> bool:
    sizes = [len(_range(subject, crossings.triangles, shell)) for shell in range(first, last)]
    return all(sizes) and sum(sizes) ** 2 <= MAX_PAIRS


def _range(subject: Subject, triangles: Triangles, shell: int) -> range:
    """The numbers of the triangles of one shell."""
    first, last = np.searchsorted(triangles.face, subject.shell_start[shell : shell + 2]).tolist()
    return range(first, last)


def _check_voids(subject: Subject, triangles: Triangles, first: int, last: int) -> list[Findings]:
    found: dict[int, list[tuple[int, int]]] = {401: [], 402: [], 403: []}
    parts = {shell: _range(subject, triangles, shell) for shell in range(first, last)}
    for a, b in combinations(parts, 2):
        code = _relation(triangles, parts[a], parts[b], enclosing=a == first)
        if code:
            found[code].append((b, a))
    return [_pairs(subject, code, pairs) for code, pairs in found.items()]


def _pairs(subject: Subject, code: int, pairs: list[tuple[int, int]]) -> Findings:
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return in_shells(subject, code, rows[:, 0], rows[:, 1])


def _relation(triangles: Triangles, a: range, b: range, enclosing: bool) -> int:
    """The error of a void ``b`` beside the exterior shell or another void, 0 where there is none."""
    one, other = triangles.taken(np.array(a)), triangles.taken(np.array(b))
    common = np.intersect1d(one.vertex, other.vertex)
    if len(common) == len(np.unique(one.vertex)) == len(np.unique(other.vertex)):
        return 402
    # A void may not touch another shell, not even in a point.
    if len(common) or meeting(triangles, *_near(triangles, a, b)).any():
        return 401
    inside = abs(float(winding(one, other.xyz[:1, 0])[0])) > 0.5
    around = abs(float(winding(other, one.xyz[:1, 0])[0])) > 0.5
    if enclosing:
        return 0 if inside else 403
    return 401 if inside or around else 0


def _near(triangles: Triangles, a: range, b: range) -> tuple[Ints, Ints]:
    """The pairs of a triangle of each of two shells whose boxes touch."""
    one, other = slice(a.start, a.stop), slice(b.start, b.stop)
    near = np.ones((len(a), len(b)), dtype=np.bool_)
    for axis in range(3):
        near &= triangles.low[one, axis, None] <= triangles.high[None, other, axis]
        near &= triangles.low[None, other, axis] <= triangles.high[one, axis, None]
    i, j = np.nonzero(near)
    return i + a.start, j + b.start


@dataclass(frozen=True, slots=True, eq=False)
class Buildings:
    """What was found of whole objects; ``unchecked`` are objects too large to compare their parts."""

    findings: list[Findings]
    unchecked: Ints


def check_buildings(subject: Subject, crossings: Crossings, solids: Solids) -> Buildings:
    """Compare the solids of each object that has several, all that are valid by themselves."""
    start = subject.geometry_start[subject.object_start]
    pairs: list[tuple[int, int]] = []
    unchecked: list[int] = []
    for item in np.flatnonzero(np.diff(start) > 1).tolist():
        chosen = np.flatnonzero(solids.fine[start[item] : start[item + 1]]) + start[item]
        close = _close(subject, crossings.triangles, subject.solid_start[chosen].tolist())
        if close is None:
            unchecked.append(item)
        else:
            pairs += close
    overlapping = _overlapping(subject, crossings.triangles, pairs)
    return Buildings([_pairs(subject, 601, overlapping)], np.array(unchecked, dtype=np.int64))


def _close(subject: Subject, triangles: Triangles, shells: list[int]) -> list[tuple[int, int]] | None:
    """Pairs of exterior shells whose boxes overlap; None if there is too much to compare."""
    if len(shells) > MAX_SHELLS:
        return None
    parts = [_range(subject, triangles, shell) for shell in shells]
    if not all(parts):
        return None  # a shell with a face too large to be cut
    low = np.array([triangles.low[part.start : part.stop].min(axis=0) for part in parts])
    high = np.array([triangles.high[part.start : part.stop].max(axis=0) for part in parts])
    pairs: list[tuple[int, int]] = []
    for a, b in combinations(range(len(shells)), 2):
        if (np.minimum(high[a], high[b]) - np.maximum(low[a], low[b]) <= OVERLAP_M).any():
            continue
        if len(parts[a]) * len(parts[b]) > MAX_PAIRS:
            return None
        pairs.append((shells[b], shells[a]))
    return pairs


def _overlapping(
    subject: Subject, triangles: Triangles, pairs: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """Those pairs of shells whose interiors overlap, many compared at once."""
    ranges = [tuple(_range(subject, triangles, shell) for shell in pair) for pair in pairs]
    overlapping: list[tuple[int, int]] = []
    first = 0
    while first < len(pairs):
        last, size = first, 0
        while last < len(pairs) and size <= MAX_PAIRS:
            size += len(ranges[last][0]) * len(ranges[last][1])
            last += 1
        near = [_near(triangles, *both) for both in ranges[first:last]]
        i, j = (np.concatenate(side) for side in zip(*near, strict=True))
        pair = np.repeat(np.arange(len(near)), [len(side) for side, _ in near])
        pierced = set(pair[piercing(triangles, i, j, OVERLAP_M)].tolist())
        for index, both in enumerate(ranges[first:last]):
            if index in pierced or _overlap(*(triangles.taken(np.array(part)) for part in both)):
                overlapping.append(pairs[first + index])
        first = last
    return overlapping


def _overlap(one: Triangles, other: Triangles) -> bool:
    return _reaches_into(one, other) or _reaches_into(other, one)


def _reaches_into(one: Triangles, other: Triangles) -> bool:
    """Whether a point just behind a face of one is inside both."""
    points = _inner_points(one)
    low, high = other.low.min(axis=0), other.high.max(axis=0)
    points = points[((points > low) & (points < high)).all(axis=1)]
    if len(points):
        points = points[_inside(other, points)]
    return bool(len(points)) and bool(_inside(one, points).any())


def _inner_points(part: Triangles) -> Floats:
    """A point behind the middle of each of the largest triangles, two tolerances deep."""
    largest = np.argsort(-np.linalg.norm(part.twice_areas, axis=1), kind="stable")[:_SAMPLES]
    return part.xyz[largest].mean(axis=1) - 2.0 * OVERLAP_M * part.normal[largest]


def _inside(part: Triangles, points: Floats) -> Bools:
    step = max(1, MAX_PAIRS // max(len(part.face), 1))
    chunks = [winding(part, points[first : first + step]) for first in range(0, len(points), step)]
    return np.abs(np.concatenate(chunks)) > 0.5
