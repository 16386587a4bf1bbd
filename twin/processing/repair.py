"""Safe repairs: what leaves the measured volume and area as they are and makes the geometry valid.

Points that repeat and faces that enclose nothing go, faces and holes that look the wrong way are
turned. No point is moved and no gap is filled: that would be guessing.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from twin.model.geometry import Floats, Geometry, Ints, concatenate, offsets
from twin.processing.orientation import orient
from twin.processing.validity import Validity, validate
from twin.processing.vertices import SNAP_M

TOLERANCE = 0.001
"""A repair is accepted if volume and area change by less than this share."""

_NEAR_M = SNAP_M + 1e-6
_MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One repair: the error it answers, what was done, and how much there was before and after."""

    code: int
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, eq=False)
class Repaired:
    """A valid geometry and how it came to be; ``original`` is the very geometry that was given.

    Its appearance is left out: textures belong to the points as delivered.
    """

    geometry: Geometry
    original: Geometry
    steps: tuple[Step, ...]
    volume_m3: tuple[float, float]
    area_m2: tuple[float, float]


@dataclass(slots=True)
class _Draft:
    """Faces as lists of rings, with the semantic surface and the shell of each."""

    faces: list[list[Floats]]
    semantic: list[int]
    shell: list[int]

    def keep(self, wanted: list[bool]) -> None:
        chosen = [number for number, kept in enumerate(wanted) if kept]
        self.faces = [self.faces[number] for number in chosen]
        self.semantic = [self.semantic[number] for number in chosen]
        self.shell = [self.shell[number] for number in chosen]

    def counts(self) -> str:
        points = sum(len(ring) for face in self.faces for ring in face)
        return f"{len(self.faces)} faces, {points} points"


def repair(geometry: Geometry) -> Repaired | None:
    """The geometry made valid, or None: it is valid, or no safe repair makes it so.

    The geometry given is never changed.
    """
    draft, current = _draft(geometry), geometry
    steps: list[Step] = []
    for _ in range(_MAX_ROUNDS):
        verdict = validate([[current]])
        if not verdict.codes[0]:
            break
        done = [step for code in verdict.codes[0] if (step := _apply(code, draft, verdict)) is not None]
        if not done or not draft.faces:
            return None
        steps += done
        current = _geometry(draft, geometry)
    else:
        return None
    if not steps or verdict.valid != [True]:
        return None
    result = _measured(geometry, current, tuple(steps))
    same = all(_near(*pair) for pair in (result.volume_m3, result.area_m2))
    return result if same else None


def _near(before: float, after: float) -> bool:
    return abs(after - before) <= TOLERANCE * abs(before)


def _measured(original: Geometry, repaired: Geometry, steps: tuple[Step, ...]) -> Repaired:
    """Both measured as everything is: after their faces were turned outward."""
    boundary = orient(concatenate([[original], [repaired]]))
    start = boundary.batch.object_start[:-1]
    volume = np.abs(np.add.reduceat(boundary.faces.volume, start))
    area = np.add.reduceat(boundary.faces.area, start)
    if not original.is_solid:
        volume = np.zeros(2)  # loose surfaces enclose none
    return Repaired(repaired, original, steps, _pair(volume), _pair(area))


def _pair(values: Floats) -> tuple[float, float]:
    return float(values[0]), float(values[1])


def _draft(geometry: Geometry) -> _Draft:
    start, surface = geometry.ring_start.tolist(), geometry.surface_start.tolist()
    rings = [geometry.xyz[a:b] for a, b in pairwise(start)]
    faces = [rings[a:b] for a, b in pairwise(surface)]
    shell: Ints = np.repeat(np.arange(len(geometry.shell_start) - 1), np.diff(geometry.shell_start))
    return _Draft(faces, geometry.semantic.tolist(), shell.tolist())


def _geometry(draft: _Draft, geometry: Geometry) -> Geometry:
    rings = [ring for face in draft.faces for ring in face]
    shells = len(geometry.shell_start) - 1
    return replace(
        geometry,
        xyz=np.concatenate(rings),
        ring_start=offsets([len(ring) for ring in rings]),
        surface_start=offsets([len(face) for face in draft.faces]),
        shell_start=offsets(np.bincount(np.array(draft.shell, dtype=np.int64), minlength=shells)),
        semantic=np.array(draft.semantic, dtype=np.int64),
        appearance=None,
    )


def _apply(code: int, draft: _Draft, verdict: Validity) -> Step | None:
    """Answer one error; None where there is no safe answer, or where it changed nothing."""
    known = _REPAIRS.get(code)
    if known is None:
        return None
    if len(draft.faces) != verdict.subject.batch.surfaces:
        return None  # faces are gone since the verdict: the next round numbers them anew
    what, change = known
    before = draft.counts()
    changed = change(draft, verdict, code)
    return Step(code, f"{what}: {changed}", before, draft.counts()) if changed else None


def _surfaces(verdict: Validity, code: int) -> list[int]:
    """The surfaces with an error, each once."""
    found: list[int] = np.unique(verdict.findings.surface[verdict.findings.code == code]).tolist()
    return found


def _drop_repeated(draft: _Draft, verdict: Validity, code: int) -> int:
    surfaces = _surfaces(verdict, code)
    for number in surfaces:
        draft.faces[number] = [_without_repeated(ring) for ring in draft.faces[number]]
    _drop_empty(draft, surfaces)
    return len(surfaces)


def _drop_short(draft: _Draft, verdict: Validity, code: int) -> int:
    surfaces = _surfaces(verdict, code)
    _drop_empty(draft, surfaces)
    return len(surfaces)


def _drop_empty(draft: _Draft, surfaces: list[int]) -> None:
    """Drop rings of fewer than 3 points, and faces without an exterior ring."""
    wanted = [True] * len(draft.faces)
    for number in surfaces:
        exterior, *holes = draft.faces[number]
        wanted[number] = len(exterior) >= 3
        draft.faces[number] = [exterior, *(hole for hole in holes if len(hole) >= 3)]
    draft.keep(wanted)


def _without_repeated(ring: Floats) -> Floats:
    kept: list[Floats] = []
    for point in ring:
        if not kept or not _same(point, kept[-1]):
            kept.append(point)
    while len(kept) > 1 and _same(kept[0], kept[-1]):
        kept.pop()
    return np.array(kept).reshape(-1, 3)


def _same(a: Floats, b: Floats) -> bool:
    return float(np.linalg.norm(a - b)) <= _NEAR_M


def _drop_spikes(draft: _Draft, verdict: Validity, code: int) -> int:
    """Take out ways to a point and straight back; what encloses nothing is then gone."""
    changed = [number for number in _surfaces(verdict, code) if _without_spikes_in(draft, number)]
    _drop_empty(draft, changed)
    return len(changed)


def _without_spikes_in(draft: _Draft, number: int) -> bool:
    before = [len(ring) for ring in draft.faces[number]]
    draft.faces[number] = [_without_spikes(ring) for ring in draft.faces[number]]
    return before != [len(ring) for ring in draft.faces[number]]


def _without_spikes(ring: Floats) -> Floats:
    points = list(ring)
    index = 0
    while len(points) >= 3 and index < len(points):
        if _same(points[index - 1], points[(index + 1) % len(points)]):
            for gone in sorted((index, (index + 1) % len(points)), reverse=True):
                del points[gone]
            index = max(index - 2, 0)
        else:
            index += 1
    if (
        len(points) == 3
        and float(np.linalg.norm(np.cross(points[1] - points[0], points[2] - points[0]))) == 0
    ):
        points = points[:2]
    return np.array(points).reshape(-1, 3)


def _turn_holes(draft: _Draft, verdict: Validity, code: int) -> int:
    batch = verdict.subject.batch
    rings: list[int] = verdict.findings.ring[verdict.findings.code == code].tolist()
    for ring, surface in zip(rings, batch.surface_of_ring()[rings].tolist(), strict=True):
        local = ring - int(batch.surface_start[surface])
        draft.faces[surface][local] = draft.faces[surface][local][::-1]
    return len(rings)


def _drop_duplicates(draft: _Draft, verdict: Validity, code: int) -> int:
    """Drop faces that repeat another of their shell, point by point and the same way round."""
    subject = verdict.subject
    start = subject.batch.ring_start[subject.batch.surface_start]
    seen: set[tuple[int, tuple[int, ...]]] = set()
    wanted = [True] * len(draft.faces)
    for number in _surfaces(verdict, code):
        vertices: list[int] = subject.vertex[start[number] : start[number + 1]].tolist()
        first = vertices.index(min(vertices))
        key = (draft.shell[number], (*vertices[first:], *vertices[:first]))
        wanted[number] = key not in seen
        seen.add(key)
    draft.keep(wanted)
    return wanted.count(False)


def _turn_faces(draft: _Draft, verdict: Validity, code: int) -> int:
    return _turn(draft, _surfaces(verdict, code))


def _turn_shells(draft: _Draft, verdict: Validity, code: int) -> int:
    shells = set(verdict.findings.shell[verdict.findings.code == code].tolist())
    return _turn(draft, [number for number, shell in enumerate(draft.shell) if shell in shells])


def _turn(draft: _Draft, surfaces: list[int]) -> int:
    for number in surfaces:
        draft.faces[number] = [ring[::-1] for ring in draft.faces[number]]
    return len(surfaces)


_REPAIRS: dict[int, tuple[str, Callable[[_Draft, Validity, int], int]]] = {
    101: ("faces without rings of fewer than 3 points", _drop_short),
    102: ("faces without points that repeat the one before", _drop_repeated),
    104: ("faces without ways to a point and back", _drop_spikes),
    208: ("holes turned against their face", _turn_holes),
    303: ("faces dropped that repeat another", _drop_duplicates),
    307: ("faces turned like their neighbours", _turn_faces),
    405: ("faces of shells turned", _turn_shells),
}
