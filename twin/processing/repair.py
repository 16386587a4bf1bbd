"""Safe repairs: what leaves the measured volume and area as they are and makes the geometry valid.

Points that repeat and faces that enclose nothing go, faces and holes that look the wrong way are
turned. No point is moved and no gap is filled: that would be guessing. Many geometries are repaired
at once, in rounds: each round checks them all together and answers the errors of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from twin.model.geometry import Floats, Geometry, concatenate
from twin.processing.orientation import orient
from twin.processing.repair_steps import REPAIRABLE, Draft, Errors, apply
from twin.processing.validity import Validity, validate
from twin.processing.validity_subject import placed

TOLERANCE = 0.001
"""A repair is accepted if volume and area change by less than this share."""

MAX_POINTS = 100_000
"""A geometry of more points is not repaired, which bounds the time of a round."""

_MAX_ROUNDS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One repair: the error it answers, what was done, how much there was before and after.

    ``volume_change_m3`` and ``area_change_m2`` are what it changed of what is measured.
    """

    code: int
    what: str
    before: str
    after: str
    volume_change_m3: float
    area_change_m2: float


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


def repair(geometry: Geometry) -> Repaired | None:
    """The geometry made valid, or None: it is valid, or no safe repair makes it so."""
    return repair_all([geometry])[0]


def repair_all(geometries: Sequence[Geometry]) -> list[Repaired | None]:
    """Each geometry made valid, or None: it is valid, or no safe repair makes it so.

    The geometries given are never changed; instances of templates are put in place.
    """
    attempts = [_Attempt(item, placed(item)) for item in geometries]
    for _ in range(_MAX_ROUNDS):
        unfinished = [attempt for attempt in attempts if attempt.unfinished]
        if not unfinished:
            break
        verdict = validate([[attempt.current] for attempt in unfinished])
        for item, attempt in enumerate(unfinished):
            attempt.answer(verdict, item)
    return _accepted(attempts)


def beyond_repair(codes: Sequence[int]) -> list[int]:
    """Those of some errors that no repair answers, and that no repair of another error removes."""
    return [code for code in codes if code not in REPAIRABLE]


@dataclass(slots=True, eq=False)
class _Attempt:
    """A geometry on the way to being valid, with what it looked like after each step."""

    original: Geometry
    placed: Geometry
    unfinished: bool = True
    valid: bool = False
    done: list[tuple[int, str, str, str]] = field(default_factory=list[tuple[int, str, str, str]])
    states: list[Geometry] = field(default_factory=list[Geometry])

    def __post_init__(self) -> None:
        self.unfinished = len(self.placed.xyz) <= MAX_POINTS

    @property
    def current(self) -> Geometry:
        return self.states[-1] if self.states else self.placed

    def answer(self, verdict: Validity, item: int) -> None:
        """Take one step for each error found, or find that there is nothing more to do."""
        codes = verdict.codes[item]
        self.valid = verdict.valid[item] is True
        self.unfinished = bool(codes) and not beyond_repair(codes) and self._stepped(verdict, item)

    def _stepped(self, verdict: Validity, item: int) -> bool:
        draft, errors = Draft.of(self.current), Errors.of(verdict, item)
        before = len(self.done)
        for code in verdict.codes[item]:
            had = draft.counts()
            if what := apply(code, draft, errors):
                self.done.append((code, what, had, draft.counts()))
                if draft.faces:
                    self.states.append(draft.geometry(self.placed))
        return len(self.done) > before and bool(draft.faces)


def _accepted(attempts: Sequence[_Attempt]) -> list[Repaired | None]:
    """What became valid by some steps and measures as before."""
    found: list[Repaired | None] = [None] * len(attempts)
    chosen = [number for number, attempt in enumerate(attempts) if attempt.valid and attempt.done]
    if not chosen:
        return found
    states = [[attempts[number].placed, *attempts[number].states] for number in chosen]
    volume, area = _measured([state for several in states for state in several])
    first = 0
    for number, several in zip(chosen, states, strict=True):
        last = first + len(several)
        found[number] = _result(attempts[number], volume[first:last], area[first:last])
        first = last
    return found


def _result(attempt: _Attempt, volume: Floats, area: Floats) -> Repaired | None:
    """``volume`` and ``area`` hold the values before all steps and after each."""
    if not (_near(volume) and _near(area)):
        return None
    changes = zip(np.diff(volume).tolist(), np.diff(area).tolist(), strict=True)
    steps = [Step(*done, *change) for done, change in zip(attempt.done, changes, strict=True)]
    return Repaired(attempt.current, attempt.original, tuple(steps), _ends(volume), _ends(area))


def _near(values: Floats) -> bool:
    before, after = _ends(values)
    return abs(after - before) <= TOLERANCE * abs(before)


def _ends(values: Floats) -> tuple[float, float]:
    return float(values[0]), float(values[-1])


def _measured(geometries: Sequence[Geometry]) -> tuple[Floats, Floats]:
    """Volume and area of each, measured as everything is: after faces were turned outward."""
    boundary = orient(concatenate([[item] for item in geometries]))
    start = boundary.batch.object_start[:-1]
    volume = np.abs(np.add.reduceat(boundary.faces.volume, start))
    area = np.add.reduceat(boundary.faces.area, start)
    solid = np.array([item.is_solid for item in geometries])
    return np.where(solid, volume, 0.0), area  # loose surfaces enclose none
