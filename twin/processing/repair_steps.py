"""What safe repairs do to the faces of one geometry, by the error that each answers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from twin.model.geometry import Floats, Geometry, Ints, offsets
from twin.processing.validity import Validity
from twin.processing.vertices import SNAP_M

_NEAR_M = SNAP_M + 1e-6


@dataclass(slots=True)
class Draft:
    """Faces as lists of rings, with the semantic surface and the shell of each."""

    faces: list[list[Floats]]
    semantic: list[int]
    shell: list[int]

    @classmethod
    def of(cls, geometry: Geometry) -> "Draft":
        """The faces of a geometry, which stays as it is."""
        start, surface = geometry.ring_start.tolist(), geometry.surface_start.tolist()
        rings = [geometry.xyz[a:b] for a, b in pairwise(start)]
        faces = [rings[a:b] for a, b in pairwise(surface)]
        shell: Ints = np.repeat(np.arange(len(geometry.shell_start) - 1), np.diff(geometry.shell_start))
        return cls(faces, geometry.semantic.tolist(), shell.tolist())

    def geometry(self, model: Geometry) -> Geometry:
        """A geometry of these faces that is otherwise as ``model``, but for its appearance."""
        rings = [ring for face in self.faces for ring in face]
        shells = len(model.shell_start) - 1
        return replace(
            model,
            xyz=np.concatenate(rings),
            ring_start=offsets([len(ring) for ring in rings]),
            surface_start=offsets([len(face) for face in self.faces]),
            shell_start=offsets(np.bincount(np.array(self.shell, dtype=np.int64), minlength=shells)),
            semantic=np.array(self.semantic, dtype=np.int64),
            appearance=None,
        )

    def keep(self, wanted: list[bool]) -> None:
        """Drop the other faces."""
        chosen = [number for number, kept in enumerate(wanted) if kept]
        self.faces = [self.faces[number] for number in chosen]
        self.semantic = [self.semantic[number] for number in chosen]
        self.shell = [self.shell[number] for number in chosen]

    def counts(self) -> str:
        """How much there is."""
        points = sum(len(ring) for face in self.faces for ring in face)
        return f"{len(self.faces)} faces, {points} points"


@dataclass(frozen=True, slots=True, eq=False)
class Errors:
    """What was found in one object of one geometry.

    ``code`` (errors,) with ``shell``, ``face`` and ``ring`` as they are numbered in the geometry, the
    ring within its face; ``faces`` is how many faces were checked.
    """

    code: Ints
    shell: Ints
    face: Ints
    ring: Ints
    faces: int
    verdict: Validity
    first_face: int

    @classmethod
    def of(cls, verdict: Validity, item: int) -> "Errors":
        """The errors of one object."""
        found, subject = verdict.findings, verdict.subject
        rows = slice(*np.searchsorted(found.object, [item, item + 1]).tolist())
        first, last = subject.batch.object_start[item : item + 2].tolist()
        first_shell = int(subject.solid_start[subject.geometry_start[subject.object_start[item]]])
        face = found.surface[rows]
        return cls(
            code=found.code[rows],
            shell=found.shell[rows] - first_shell,
            face=face - first,
            ring=found.ring[rows] - subject.batch.surface_start[face],
            faces=last - first,
            verdict=verdict,
            first_face=first,
        )

    def of_code(self, code: int) -> list[int]:
        """The faces with an error, each once, ascending."""
        found: list[int] = np.unique(self.face[self.code == code]).tolist()
        return found

    def vertices(self, face: int) -> list[int]:
        """The numbers of the vertices of a face, ring after ring."""
        subject = self.verdict.subject
        rings = subject.batch.surface_start[self.first_face + face : self.first_face + face + 2]
        first, last = subject.batch.ring_start[rings].tolist()
        found: list[int] = subject.vertex[first:last].tolist()
        return found


def apply(code: int, draft: Draft, errors: Errors) -> str | None:
    """Answer one error and say what was done; None where it changed nothing."""
    if len(draft.faces) != errors.faces:
        return None  # faces are gone since the verdict: the next round numbers them anew
    what, change = _REPAIRS[code]
    changed = change(draft, errors, code)
    return f"{what}: {changed}" if changed else None


def _drop_repeated(draft: Draft, errors: Errors, code: int) -> int:
    faces = errors.of_code(code)
    for number in faces:
        draft.faces[number] = [_without_repeated(ring) for ring in draft.faces[number]]
    _drop_empty(draft, faces)
    return len(faces)


def _drop_short(draft: Draft, errors: Errors, code: int) -> int:
    faces = errors.of_code(code)
    _drop_empty(draft, faces)
    return len(faces)


def _drop_empty(draft: Draft, faces: list[int]) -> None:
    """Drop rings of fewer than 3 points, and faces without an exterior ring."""
    wanted = [True] * len(draft.faces)
    for number in faces:
        exterior, *holes = draft.faces[number] or [np.zeros((0, 3))]
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


def _drop_spikes(draft: Draft, errors: Errors, code: int) -> int:
    """Take out ways to a point and straight back; what encloses nothing is then gone."""
    changed = [number for number in errors.of_code(code) if _without_spikes_in(draft, number)]
    _drop_empty(draft, changed)
    return len(changed)


def _without_spikes_in(draft: Draft, number: int) -> bool:
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


def _turn_holes(draft: Draft, errors: Errors, code: int) -> int:
    chosen = errors.code == code
    for face, ring in zip(errors.face[chosen].tolist(), errors.ring[chosen].tolist(), strict=True):
        draft.faces[face][ring] = draft.faces[face][ring][::-1]
    return int(chosen.sum())


def _drop_duplicates(draft: Draft, errors: Errors, code: int) -> int:
    """Drop faces that repeat another of their shell, point by point and the same way round."""
    seen: set[tuple[int, tuple[int, ...]]] = set()
    wanted = [True] * len(draft.faces)
    for number in errors.of_code(code):
        vertices = errors.vertices(number)
        first = vertices.index(min(vertices))
        key = (draft.shell[number], (*vertices[first:], *vertices[:first]))
        wanted[number] = key not in seen
        seen.add(key)
    draft.keep(wanted)
    return wanted.count(False)


def _turn_faces(draft: Draft, errors: Errors, code: int) -> int:
    return _turn(draft, errors.of_code(code))


def _turn_shells(draft: Draft, errors: Errors, code: int) -> int:
    shells = set(errors.shell[errors.code == code].tolist())
    return _turn(draft, [number for number, shell in enumerate(draft.shell) if shell in shells])


def _turn(draft: Draft, faces: list[int]) -> int:
    for number in faces:
        draft.faces[number] = [ring[::-1] for ring in draft.faces[number]]
    return len(faces)


_REPAIRS: dict[int, tuple[str, Callable[[Draft, Errors, int], int]]] = {
    101: ("faces without rings of fewer than 3 points", _drop_short),
    102: ("faces without points that repeat the one before", _drop_repeated),
    104: ("faces without ways to a point and back", _drop_spikes),
    208: ("holes turned against their face", _turn_holes),
    303: ("faces dropped that repeat another", _drop_duplicates),
    307: ("faces turned like their neighbours", _turn_faces),
    405: ("faces of shells turned", _turn_shells),
}

REPAIRABLE = frozenset(_REPAIRS)
"""The errors that there is a safe repair for."""
