"""What is checked for validity: objects as flat arrays down to snapped vertices, and what is found."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np

from twin.model.geometry import Bools, Floats, Geometry, GeometryBatch, Ints, concatenate, offsets
from twin.processing import segments
from twin.processing.orientation import MAX_REACH_M
from twin.processing.surfaces import next_points
from twin.processing.vertices import joined_hashes, vertex_hashes


class ShellKind(IntEnum):
    """What the type of a geometry promises of its faces (ISO 19107)."""

    LOOSE = 0
    """MultiSurface: nothing."""
    COMPOSITE = 1
    """CompositeSurface: connected and a manifold, but not closed."""
    CLOSED = 2
    """The shell of a solid."""


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """Objects in one batch, points that repeat the one before them left out.

    ``given`` is the batch with all its points, ``batch`` the one with each point moved onto the
    vertex that it is snapped to, both numbered alike down to rings. ``vertex`` (points of
    ``batch``,) numbers the vertices, those of different objects apart. ``shell_start`` (shells + 1)
    are offsets into surfaces, ``solid_start`` (solids + 1) into shells, ``geometry_start``
    (geometries + 1) into solids and ``object_start`` (objects + 1) into geometries; ``kind``
    (shells,) holds ShellKind codes. ``repeated`` (rings,) marks rings that repeat a point in a row
    and ``measurable`` (objects,) objects whose coordinates are numbers within reach; the others
    have no geometry here.
    """

    given: GeometryBatch
    batch: GeometryBatch
    vertex: Ints
    shell_start: Ints
    solid_start: Ints
    geometry_start: Ints
    object_start: Ints
    kind: Ints
    repeated: Bools
    measurable: Bools

    @property
    def shells(self) -> int:
        return len(self.shell_start) - 1

    def shell_of_surface(self) -> Ints:
        """The shell of each surface, shape (surfaces,)."""
        return segments.owner(self.shell_start)

    def object_of_shell(self) -> Ints:
        """The object of each shell, shape (shells,)."""
        start = self.solid_start[self.geometry_start[self.object_start]]
        return segments.owner(start)


def subject_of(objects: Sequence[Sequence[Geometry]]) -> Subject:
    """Objects, each a sequence of geometries of which those without surfaces are left out."""
    chosen = [[placed(item) for item in geometries] for geometries in objects]
    chosen = [[item for item in geometries if item.dimension == 2] for geometries in chosen]
    batch = concatenate(chosen)
    measurable = _within_reach(batch)
    if not measurable.all():
        chosen = [items if fine else [] for items, fine in zip(chosen, measurable.tolist(), strict=True)]
        batch = concatenate(chosen)
    flat = [item for geometries in chosen for item in geometries]
    snapped, vertex, repeated = _snapped(batch)
    kinds = [np.full(len(item.shell_start) - 1, _kind(item), dtype=np.int64) for item in flat]
    return Subject(
        given=batch,
        batch=snapped,
        vertex=vertex,
        shell_start=_joined([item.shell_start for item in flat]),
        solid_start=_joined([item.solid_start for item in flat]),
        geometry_start=offsets([len(item.solid_start) - 1 for item in flat]),
        object_start=offsets([len(geometries) for geometries in chosen]),
        kind=np.concatenate([np.zeros(0, dtype=np.int64), *kinds]),
        repeated=repeated,
        measurable=measurable,
    )


def placed(item: Geometry) -> Geometry:
    """A geometry in native coordinates, an instance of a template as that template in its place."""
    return item if item.instance is None else item.instance.placed(item.xyz[0])


def _kind(item: Geometry) -> ShellKind:
    if item.is_solid:
        return ShellKind.CLOSED
    return ShellKind.COMPOSITE if item.type == "CompositeSurface" else ShellKind.LOOSE


def _joined(starts: Sequence[Ints]) -> Ints:
    return offsets(np.concatenate([np.zeros(0, dtype=np.int64), *(np.diff(start) for start in starts)]))


def _within_reach(batch: GeometryBatch) -> Bools:
    start = batch.ring_start[batch.surface_start[batch.object_start]]
    # A maximum over NaN is NaN, which no comparison finds near.
    reach = segments.maxima(np.abs(batch.xyz).max(axis=1, initial=0.0), start)
    return reach <= MAX_REACH_M


def _snapped(batch: GeometryBatch) -> tuple[GeometryBatch, Ints, Bools]:
    """The batch on its vertices, the number of each point's vertex, and the rings that repeat points."""
    following = next_points(batch.ring_start)
    hashes = joined_hashes(batch, np.arange(len(batch.xyz)), vertex_hashes(batch))
    _, first, vertex = np.unique(hashes, return_index=True, return_inverse=True)
    kept = (vertex != vertex[following]) | (following == np.arange(len(following)))
    counted = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(kept)])
    start = counted[batch.ring_start]
    repeated = np.diff(start) < np.diff(batch.ring_start)
    snapped = replace(batch, xyz=batch.xyz[first[vertex[kept]]], ring_start=start)
    return snapped, vertex[kept].astype(np.int64), repeated


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Errors found, one a row: numbers of the subject's parts, -1 where an error concerns none.

    ``other`` is the second surface or shell of a pair, ``value`` a measure in m or degrees or NaN.
    """

    code: Ints
    object: Ints
    shell: Ints
    surface: Ints
    ring: Ints
    other: Ints
    value: Floats


def in_rings(subject: Subject, code: int, rings: Ints) -> Findings:
    """An error of rings."""
    return replace(in_surfaces(subject, code, segments.owner(subject.batch.surface_start)[rings]), ring=rings)


def in_surfaces(
    subject: Subject, code: int, surfaces: Ints, value: Floats | None = None, other: Ints | None = None
) -> Findings:
    """An error of surfaces, perhaps with a measure or the other surface of a pair."""
    found = in_shells(subject, code, subject.shell_of_surface()[surfaces], other)
    return replace(found, surface=surfaces, value=found.value if value is None else value)


def in_shells(subject: Subject, code: int, shells: Ints, other: Ints | None = None) -> Findings:
    """An error of shells, perhaps with the other shell of a pair."""
    found = in_objects(code, subject.object_of_shell()[shells])
    return replace(found, shell=shells, other=found.other if other is None else other)


def in_objects(code: int, objects: Ints) -> Findings:
    """An error of whole objects."""
    none = np.full(len(objects), -1, dtype=np.int64)
    codes = np.full(len(objects), code, dtype=np.int64)
    return Findings(codes, objects, none, none, none, none, np.full(len(objects), np.nan))


def gathered(parts: Sequence[Findings]) -> Findings:
    """Findings in one, ordered by object and code."""
    parts = [*parts, in_objects(0, np.zeros(0, dtype=np.int64))]
    code, object_ = (np.concatenate([getattr(p, name) for p in parts]) for name in ("code", "object"))
    order = np.lexsort((code, object_))
    shell, surface, ring, other, value = (
        np.concatenate([getattr(part, name) for part in parts])[order]
        for name in ("shell", "surface", "ring", "other", "value")
    )
    return Findings(code[order], object_[order], shell, surface, ring, other, value)
