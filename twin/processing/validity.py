"""Validity by the rules of ISO 19107, in val3dity's numbering, thresholds and order.

Checks go from rings (1xx) over polygons (2xx) and shells (3xx) to solids (4xx) and buildings (601);
what is flawed on one level is not looked at on the next, as the flaw would only be found again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.model.cityobject import CityFeature, CityObject, measured
from twin.model.geometry import Bools, Geometry, Ints
from twin.processing.validity_codes import ERRORS
from twin.processing.validity_crossings import check_crossings
from twin.processing.validity_polygons import check_polygons
from twin.processing.validity_shells import check_shells
from twin.processing.validity_solids import check_buildings, check_solids
from twin.processing.validity_subject import Findings, Subject, gathered, in_objects, subject_of

ALGORITHM = "2 snap=0.001 planarity=0.01 overlap=20"
"""Version of the checks and repairs with their thresholds: a change asks for new verdicts."""


@dataclass(frozen=True, slots=True)
class Finding:
    """An error of one object: what it is and where, -1 where it concerns no such part.

    ``geometry`` counts the object's geometries with surfaces; ``shell`` and ``face`` count within
    the geometry, as CityJSON nests them, flattened; ``ring`` within the face, 0 being the exterior.
    """

    code: int
    name: str
    geometry: int
    shell: int
    face: int
    ring: int
    text: str


@dataclass(frozen=True, slots=True, eq=False)
class Validity:
    """The verdict on each object.

    ``valid`` is None where there is nothing to check, or where no error was found but checks were
    left out for size; ``codes`` are the errors found, ascending; ``unchecked`` the errors that were
    not looked for. ``details`` tells where each error is.
    """

    valid: list[bool | None]
    codes: list[list[int]]
    unchecked: list[list[int]]
    findings: Findings
    subject: Subject

    def details(self, item: int) -> list[Finding]:
        """Every error of one object with its place and a sentence."""
        first, last = np.searchsorted(self.findings.object, [item, item + 1]).tolist()
        return [self._finding(row) for row in range(first, last)]

    def _finding(self, row: int) -> Finding:
        subject, found = self.subject, self.findings
        error = ERRORS[int(found.code[row])]
        shell, surface, ring = (int(column[row]) for column in (found.shell, found.surface, found.ring))
        first = _first_parts(subject, shell)
        parents = (first.geometry, first.shell, first.surface)
        geometry, local_shell, face = (
            number - parent if number >= 0 else -1
            for number, parent in zip((first.of_shell, shell, surface), parents, strict=True)
        )
        other = int(found.other[row]) - (first.surface if surface >= 0 else first.shell_of_object)
        text = error.sentence.format(value=float(found.value[row]), other=other)
        place = f"geometry {geometry}" if geometry >= 0 else "object"
        place += f", shell {local_shell}" if shell >= 0 else ""
        place += f", face {face}" if surface >= 0 else ""
        local_ring = ring - int(subject.batch.surface_start[surface]) if ring >= 0 else -1
        place += f", ring {local_ring}" if ring >= 0 else ""
        return Finding(error.number, error.name, geometry, local_shell, face, local_ring, f"{place}: {text}")


@dataclass(frozen=True, slots=True)
class _FirstParts:
    """The geometry of a shell, and the first numbers of its object's and its geometry's parts."""

    of_shell: int
    geometry: int
    shell: int
    surface: int
    shell_of_object: int


def _first_parts(subject: Subject, shell: int) -> _FirstParts:
    if shell < 0:
        return _FirstParts(-1, 0, 0, 0, 0)
    shells_of_geometry = subject.solid_start[subject.geometry_start]
    geometry = int(np.searchsorted(shells_of_geometry, shell, side="right")) - 1
    item = int(np.searchsorted(subject.object_start, geometry, side="right")) - 1
    first_shell = int(shells_of_geometry[geometry])
    first = int(subject.object_start[item])
    return _FirstParts(
        geometry, first, first_shell, int(subject.shell_start[first_shell]), int(shells_of_geometry[first])
    )


def validate(objects: Sequence[Sequence[Geometry]]) -> Validity:
    """Check objects, each given by its geometries of one LoD (those of all its parts): see ``delivered``.

    Points and lines are left out, instances put in place. Never raises for bad geometry; the time
    is bounded: see ``Validity.unchecked``.
    """
    subject = subject_of(objects)
    polygons = check_polygons(subject)
    shells = check_shells(subject, polygons)
    crossings = check_crossings(subject, polygons, shells)
    solids = check_solids(subject, shells, crossings)
    buildings = check_buildings(subject, crossings, solids)
    findings = gathered(
        [
            in_objects(999, np.flatnonzero(~subject.measurable)),
            *polygons.findings,
            *shells.findings,
            *crossings.findings,
            *solids.findings,
            *buildings.findings,
        ]
    )
    unchecked = _unchecked(
        subject, polygons.uncut, crossings.unchecked, solids.unchecked, buildings.unchecked
    )
    codes = _per_object(findings, len(objects))
    empty = (np.diff(subject.batch.object_start) == 0).tolist()
    valid = [
        _verdict(found, left, nothing) for found, left, nothing in zip(codes, unchecked, empty, strict=True)
    ]
    return Validity(valid, codes, unchecked, findings, subject)


def delivered(feature: CityFeature, lod: str | None) -> tuple[Geometry, ...]:
    """The geometries of a feature that are measured at one LoD, with the faces that measuring leaves out.

    Faces of fewer than 3 distinct points enclose nothing and are not measured, but they are errors.
    """
    return tuple(found for _, geometries in delivered_by_object(feature, lod) for found in geometries)


def delivered_by_object(
    feature: CityFeature, lod: str | None
) -> list[tuple[CityObject, tuple[Geometry, ...]]]:
    """As ``delivered``, with the object that each geometry is of."""
    at_lod = [
        tuple(g for g in item.geometries if g.lod == lod and (g.dimension == 2 or g.instance is not None))
        for item in feature.objects
    ]
    pairs = list(zip(feature.objects, map(measured, at_lod), strict=True))
    return [(item, geometries) for item, geometries in pairs[1:] if geometries] or pairs[:1]


def _verdict(codes: list[int], unchecked: list[int], empty: bool) -> bool | None:
    if codes:
        return False
    return None if unchecked or empty else True


def _per_object(findings: Findings, objects: int) -> list[list[int]]:
    pairs = np.unique(np.stack([findings.object, findings.code]), axis=1)
    start = np.searchsorted(pairs[0], np.arange(objects + 1))
    codes: list[int] = pairs[1].tolist()
    return [codes[a:b] for a, b in zip(start[:-1].tolist(), start[1:].tolist(), strict=True)]


def _unchecked(
    subject: Subject, uncut: Bools, crossed: Ints, solids: Ints, buildings: Ints
) -> list[list[int]]:
    """The errors not looked for in each object, from large faces, shells and solids.

    201 stands for all errors of rings beside each other.
    """
    owner = subject.object_of_shell()
    of_surface = owner[subject.shell_of_surface()[np.flatnonzero(uncut)]]
    left: list[list[int]] = [[] for _ in range(subject.batch.objects)]
    for number, items in (
        *((number, of_surface) for number in (104, 201, 204)),
        (306, np.concatenate([of_surface, owner[crossed]])),
        (401, owner[solids]),
        (403, owner[solids]),
        (601, buildings),
    ):
        touched: list[int] = np.unique(items).tolist()
        for item in touched:
            left[item].append(number)
    return left
