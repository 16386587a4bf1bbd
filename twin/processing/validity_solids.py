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
    sizes = [len(_of_shell(subject, crossings.triangles, shell).face) for shell in range(first, last)]
    return all(sizes) and sum(sizes) ** 2 <= MAX_PAIRS


def _of_shell(subject: Subject, triangles: Triangles, shell: int) -> Triangles:
    """The triangles of one shell."""
    first, last = np.searchsorted(triangles.face, subject.shell_start[shell : shell + 2]).tolist()
    return triangles.taken(np.arange(first, last, dtype=np.int64))


def _check_voids(subject: Subject, triangles: Triangles, first: int, last: int) -> list[Findings]:
    parts = {shell: _of_shell(subject, triangles, shell) for shell in range(first, last)}
    found: dict[int, list[tuple[int, int]]] = {401: [], 402: [], 403: []}
    for a, b in combinations(parts, 2):
        code = _relation(parts[a], parts[b], enclosing=a == first)
        if code:
            found[code].append((b, a))
    return [_pairs(subject, code, pairs) for code, pairs in found.items()]


def _pairs(subject: Subject, code: int, pairs: list[tuple[int, int]]) -> Findings:
    rows = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return in_shells(subject, code, rows[:, 0], rows[:, 1])


def _relation(one: Triangles, other: Triangles, enclosing: bool) -> int:
    """The error of a void ``other`` beside the exterior shell or another void, 0 where there is none."""
    common = np.intersect1d(one.vertex, other.vertex)
    if len(common) == len(np.unique(one.vertex)) == len(np.unique(other.vertex)):
        return 402
    # A void may not touch another shell, not even in a point.
    if len(common) or _met(one, other):
        return 401
    inside = abs(float(winding(one, other.xyz[:1, 0])[0])) > 0.5
    around = abs(float(winding(other, one.xyz[:1, 0])[0])) > 0.5
    if enclosing:
        return 0 if inside else 403
    return 401 if inside or around else 0


def _met(one: Triangles, other: Triangles) -> bool:
    both, i, j = _near(one, other)
    return bool(meeting(both, i, j).any())


def _near(one: Triangles, other: Triangles) -> tuple[Triangles, Ints, Ints]:
    """Two shells' triangles in one, and the pairs of one of each whose boxes touch."""
    both = Triangles(
        *(
            np.concatenate([getattr(one, name), getattr(other, name)])
            for name in ("xyz", "vertex", "face", "normal", "low", "high")
        )
    )
    near = (one.low[:, None] <= other.high[None]) & (other.low[None] <= one.high[:, None])
    i, j = np.nonzero(near.all(axis=2))
    return both, i, j + len(one.face)


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
        shells = subject.solid_start[chosen].tolist()
        overlapping = _overlapping(subject, crossings.triangles, shells)
        if overlapping is None:
            unchecked.append(item)
        else:
            pairs += overlapping
    return Buildings([_pairs(subject, 601, pairs)], np.array(unchecked, dtype=np.int64))


def _overlapping(subject: Subject, triangles: Triangles, shells: list[int]) -> list[tuple[int, int]] | None:
    """Pairs of exterior shells whose interiors overlap; None if there is too much to compare."""
    if len(shells) > MAX_SHELLS:
        return None
    parts = {shell: _of_shell(subject, triangles, shell) for shell in shells}
    if not all(len(part.face) for part in parts.values()):
        return None  # a shell with a face too large to be cut
    boxes = {shell: (part.low.min(axis=0), part.high.max(axis=0)) for shell, part in parts.items()}
    pairs: list[tuple[int, int]] = []
    for a, b in combinations(boxes, 2):
        shared = np.minimum(boxes[a][1], boxes[b][1]) - np.maximum(boxes[a][0], boxes[b][0])
        if (shared <= OVERLAP_M).any():
            continue
        if len(parts[a].face) * len(parts[b].face) > MAX_PAIRS:
            return None
        if _overlap(parts[a], parts[b]):
            pairs.append((b, a))
    return pairs


def _overlap(one: Triangles, other: Triangles) -> bool:
    both, i, j = _near(one, other)
    if piercing(both, i, j, OVERLAP_M).any():
        return True
    return _reaches_into(one, other) or _reaches_into(other, one)


def _reaches_into(one: Triangles, other: Triangles) -> bool:
    """Whether a point just behind a face of one is inside both."""
    points = _inner_points(one)
    low, high = other.low.min(axis=0), other.high.max(axis=0)
    points = points[((points > low) & (points < high)).all(axis=1)]
    points = points[_inside(other, points)]
    return bool(_inside(one, points).any())


def _inner_points(part: Triangles) -> Floats:
    """A point behind the middle of each of the largest triangles, two tolerances deep."""
    largest = np.argsort(-np.linalg.norm(part.twice_areas, axis=1), kind="stable")[:_SAMPLES]
    return part.xyz[largest].mean(axis=1) - 2.0 * OVERLAP_M * part.normal[largest]


def _inside(part: Triangles, points: Floats) -> Bools:
    step = max(1, MAX_PAIRS // max(len(part.face), 1))
    chunks = [winding(part, points[first : first + step]) for first in range(0, len(points), step)]
    return np.abs(np.concatenate([np.zeros(0), *chunks])) > 0.5
