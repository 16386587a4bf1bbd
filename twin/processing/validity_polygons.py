"""Rings (101-104) and polygons (201-208), each in the plane fitted to the points of its face."""

from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints
from twin.processing import planar, segments
from twin.processing.surfaces import Integrals, next_points, ring_integrals
from twin.processing.validity_subject import Findings, Subject, in_rings, in_surfaces

PLANARITY_M = 0.01
"""Points may lie this far off the plane of their face (val3dity's default)."""

OVERLAP_DEGREES = 20.0
"""Triangles of a face may tilt this far from its plane (val3dity's default)."""

FOLD_M = 0.001
"""Triangles lower than the snapping distance have no direction: their points are known no better."""

COLLAPSED = 1e-6
"""A ring encloses nothing when its area is below this many metres times its length."""

MAX_POINTS = 20_000
"""Faces of more points are only looked at point by point: whether they cross could take hours."""

_REASONS = {
    "Hole lies outside shell": 206,
    "Holes are nested": 207,
    "Interior is disconnected": 205,
}
"""How GEOS words what is wrong with rings that are simple; whatever else it says is an intersection."""


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """The plane of each face, fitted to its points by least squares.

    ``u``, ``v`` and ``normal`` (surfaces, 3) are orthonormal, the exterior ring counter-clockwise
    seen against the normal; ``uv`` (points, 2) are the points in it and ``off`` (points,) their
    distance from it in m.
    """

    normal: Floats
    uv: Floats
    off: Floats


@dataclass(frozen=True, slots=True, eq=False)
class _Quads:
    """Faces of one ring of four points that two triangles, ``corners`` (quads, 2, 3), cover."""

    surface: Ints
    corners: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Polygons:
    """What the checks of faces leave for those of shells.

    ``fine`` (surfaces,) marks faces without an error so far. ``corners`` (triangles, 3) index the
    points of the subject's batch and run as the exterior ring does; ``face`` (triangles,) is the
    surface of each, ascending. ``uncut`` (surfaces,) marks faces too large to be cut.
    """

    findings: list[Findings]
    fine: Bools
    rings: Integrals
    corners: Ints
    face: Ints
    uncut: Bools


def check_polygons(subject: Subject) -> Polygons:
    """Check every ring and face of a subject."""
    batch = subject.batch
    integrals = ring_integrals(batch)
    planes = _planes(batch, integrals)
    quads = _quads(batch, planes)
    findings, sound_ring = _check_rings(subject, integrals, planes, quads)
    surface_of_ring = batch.surface_of_ring()
    sound = np.ones(batch.surfaces, dtype=np.bool_)
    sound[surface_of_ring[~sound_ring]] = False
    bare = np.diff(batch.surface_start) == 0
    findings.append(in_surfaces(subject, 101, np.flatnonzero(bare)))
    sound &= ~bare
    fine = sound.copy()
    large = _points_of(batch) > MAX_POINTS
    for found in (*_check_holes(subject, planes, sound & ~large), _check_distance(subject, planes, sound)):
        fine[found.surface] = False
        findings.append(found)
    uncut = fine & large
    corners, face = _triangles(batch, planes, quads, np.flatnonzero(fine & ~uncut))
    folded = _check_folds(subject, planes, corners, face)
    fine[folded.surface] = False
    kept = fine[face]
    return Polygons([*findings, folded], fine, integrals, corners[kept], face[kept], uncut)


def _points_of(batch: GeometryBatch) -> Ints:
    return np.diff(batch.ring_start[batch.surface_start])


def _planes(batch: GeometryBatch, integrals: Integrals) -> Planes:
    start = batch.ring_start[batch.surface_start]
    count = np.maximum(np.diff(start), 1)
    owner = segments.owner(start)
    centre = segments.sums(np.ascontiguousarray(batch.xyz.T), start) / count
    x, y, z = relative = batch.xyz.T - centre[:, owner]
    moments = segments.sums(np.stack([x * x, x * y, x * z, y * y, y * z, z * z]), start)
    _, axes = np.linalg.eigh(moments[[0, 1, 2, 1, 3, 4, 2, 4, 5]].T.reshape(-1, 3, 3))
    # Columns in ascending order of spread: the normal first.
    normal, u = axes[:, :, 0], axes[:, :, 2]
    normal = normal * np.where(_along(batch, integrals, normal) < 0.0, -1.0, 1.0)[:, None]
    v = np.cross(normal, u)
    uv = np.stack([np.einsum("ip,pi->p", relative, axis[owner]) for axis in (u, v)], axis=1)
    return Planes(normal, uv, np.einsum("ip,pi->p", relative, normal[owner]))


def _quads(batch: GeometryBatch, planes: Planes) -> _Quads:
    """Most faces: cut without calling for each of them, along the diagonal that Delaunay would take."""
    surface = np.flatnonzero((_points_of(batch) == 4) & (np.diff(batch.surface_start) == 1))
    first = batch.ring_start[batch.surface_start[surface]]
    halves = first[:, None, None] + np.array([[[0, 1, 2], [0, 2, 3]], [[1, 2, 3], [1, 3, 0]]]).reshape(
        1, 4, 3
    )
    a, b, c = (planes.uv[halves[:, :, corner]] for corner in range(3))
    ab, bc, ca = b - a, c - b, a - c
    twice = ab[..., 0] * bc[..., 1] - ab[..., 1] * bc[..., 0]
    longest = np.max([(side**2).sum(axis=2) for side in (ab, bc, ca)], axis=0)
    # The flatter a triangle, the less its area beside the square of its longest side.
    shape = np.divide(twice, longest, out=np.zeros_like(twice), where=longest > 0.0)
    worst = shape.reshape(-1, 2, 2).min(axis=2)
    best = worst.argmax(axis=1)
    row = np.arange(len(surface))
    covered = worst[row, best] > 0.0
    return _Quads(surface[covered], halves.reshape(-1, 2, 2, 3)[row, best][covered])


def _along(batch: GeometryBatch, integrals: Integrals, normal: Floats) -> Floats:
    """The area of each exterior ring seen against a normal, shape (surfaces,)."""
    result = np.zeros(batch.surfaces)
    filled = np.flatnonzero(np.diff(batch.surface_start) > 0)
    exterior = batch.surface_start[:-1][filled]
    result[filled] = np.einsum("ij,ji->j", integrals.vector[:, exterior], normal[filled])
    return result


def _check_rings(
    subject: Subject, integrals: Integrals, planes: Planes, quads: _Quads
) -> tuple[list[Findings], Bools]:
    """101, 102 and 104, and which rings have none of them, shape (rings,)."""
    batch = subject.batch
    few = np.diff(subject.given.ring_start) < 3
    length = np.diff(batch.ring_start)
    # A ring of fewer points once repeated ones are left out is judged as one that repeats points.
    whole = length >= 3
    area = np.abs(np.einsum("ir,ri->r", integrals.vector, planes.normal[batch.surface_of_ring()]))
    span = segments.sums(_step(planes.uv, batch.ring_start), batch.ring_start)
    crossed = whole & (area <= COLLAPSED * span)
    # A triangle that encloses something cannot cross itself, nor can two triangles side by side.
    known = np.zeros(len(length), dtype=np.bool_)
    known[batch.surface_start[quads.surface]] = True
    known |= (_points_of(batch) > MAX_POINTS)[batch.surface_of_ring()]
    open_question = np.flatnonzero(whole & ~crossed & (length > 3) & ~known)
    outlines = _outlines(batch, planes.uv, open_question)
    crossed[open_question[~planar.simple(outlines)]] = True
    findings = [
        in_rings(subject, code, np.flatnonzero(flawed))
        for code, flawed in ((101, few), (102, subject.repeated), (104, crossed))
    ]
    return findings, ~few & ~crossed & ~subject.repeated


def _step(uv: Floats, ring_start: Ints) -> Floats:
    """The way from each point to the next of its ring, shape (points,)."""
    return np.hypot(*(uv[next_points(ring_start)] - uv).T)


def _outlines(batch: GeometryBatch, coordinates: Floats, rings: Ints) -> planar.Shapes:
    points = segments.expand(batch.ring_start, rings)
    owner = np.repeat(np.arange(len(rings)), np.diff(batch.ring_start)[rings])
    return planar.rings(coordinates[points], owner)


def _polygons(batch: GeometryBatch, coordinates: Floats, surfaces: Ints) -> planar.Shapes:
    rings = segments.expand(batch.surface_start, surfaces)
    owner = np.repeat(np.arange(len(surfaces)), np.diff(batch.surface_start)[surfaces])
    return planar.polygons(_outlines(batch, coordinates, rings), owner, len(surfaces))


def _check_holes(subject: Subject, planes: Planes, sound: Bools) -> list[Findings]:
    """201, 202 and 205-208 of faces with holes."""
    batch = subject.batch
    faces = np.flatnonzero(sound & (np.diff(batch.surface_start) > 1))
    if not len(faces):
        return []
    double = np.unique(
        batch.surface_of_ring()[_duplicates(subject, segments.expand(batch.surface_start, faces))]
    )
    judged = np.setdiff1d(faces, double)
    reasons = planar.invalid_reasons(_polygons(batch, planes.uv, judged))
    code = np.array([_code(reason) for reason in reasons], dtype=np.int64)
    wrong = [in_surfaces(subject, number, judged[code == number]) for number in (201, 205, 206, 207)]
    return [in_surfaces(subject, 202, double), *wrong, _same_way_round(subject, planes, judged[code == 0])]


def _code(reason: str | None) -> int:
    return 0 if reason is None else _REASONS.get(reason.split("[")[0], 201)


def _duplicates(subject: Subject, rings: Ints) -> Ints:
    """Rings with the same vertices as another ring of their face."""
    start, vertex = subject.batch.ring_start, subject.vertex
    owner = subject.batch.surface_of_ring()
    seen: set[tuple[int, bytes]] = set()
    double: list[int] = []
    for ring in rings.tolist():
        key = (int(owner[ring]), np.sort(vertex[start[ring] : start[ring + 1]]).tobytes())
        if key in seen:
            double.append(ring)
        seen.add(key)
    return np.array(double, dtype=np.int64)


def _same_way_round(subject: Subject, planes: Planes, faces: Ints) -> Findings:
    batch = subject.batch
    rings = segments.expand(batch.surface_start, faces)
    holes = rings[batch.surface_start[:-1][batch.surface_of_ring()[rings]] != rings]
    area = _area_uv(batch, planes.uv)
    # In its plane the exterior ring of every face runs counter-clockwise.
    return in_rings(subject, 208, holes[area[holes] > 0.0])


def _area_uv(batch: GeometryBatch, uv: Floats) -> Floats:
    u, v = uv.T
    following = next_points(batch.ring_start)
    return segments.sums((u * v[following] - v * u[following]) / 2.0, batch.ring_start)


def _check_distance(subject: Subject, planes: Planes, sound: Bools) -> Findings:
    batch = subject.batch
    farthest = segments.maxima(np.abs(planes.off), batch.ring_start[batch.surface_start])
    bent = np.flatnonzero(sound & (farthest > PLANARITY_M))
    return in_surfaces(subject, 203, bent, farthest[bent])


def _triangles(batch: GeometryBatch, planes: Planes, quads: _Quads, faces: Ints) -> tuple[Ints, Ints]:
    """Constrained Delaunay triangles of faces that are valid in their plane.

    Of all triangles these have the largest least angles, so that next to none is a sliver.
    """
    chosen = np.zeros(batch.surfaces, dtype=np.bool_)
    chosen[faces] = True
    whole = chosen[quads.surface]
    chosen[quads.surface] = False
    triangular = chosen & (_points_of(batch) == 3) & (np.diff(batch.surface_start) == 1)
    ready, others = np.flatnonzero(triangular), np.flatnonzero(chosen & ~triangular)
    of_ready = segments.expand(batch.ring_start, batch.surface_start[ready]).reshape(-1, 3)
    numbered = np.column_stack([planes.uv, np.arange(len(planes.uv), dtype=np.float64)])
    cut, polygon = planar.constrained_triangles(_polygons(batch, numbered, others))
    index = cut[:, :, 2].astype(np.int64)
    (ax, ay), (bx, by) = ((cut[:, corner, :2] - cut[:, 0, :2]).T for corner in (1, 2))
    clockwise = ax * by - ay * bx < 0.0
    index[clockwise] = index[clockwise][:, ::-1]
    corners = np.concatenate([of_ready, index, quads.corners[whole].reshape(-1, 3)])
    face = np.concatenate([ready, others[polygon], np.repeat(quads.surface[whole], 2)])
    order = np.argsort(face, kind="stable")
    return corners[order], face[order]


def _check_folds(subject: Subject, planes: Planes, corners: Ints, face: Ints) -> Findings:
    """204: a triangle that tilts from the plane of its face, if it is high enough to have a direction."""
    a, b, c = (subject.batch.xyz[corners[:, corner]] for corner in range(3))
    normal = np.cross(b - a, c - a)
    twice = np.linalg.norm(normal, axis=1)
    longest = np.sqrt(np.max([((p - q) ** 2).sum(axis=1) for p, q in ((a, b), (b, c), (c, a))], axis=0))
    cosine = np.einsum("ti,ti->t", normal, planes.normal[face]) / np.where(twice > 0.0, twice, 1.0)
    steep = (cosine < np.cos(np.radians(OVERLAP_DEGREES))) & (twice > FOLD_M * longest)
    tilt = np.zeros(subject.batch.surfaces)
    np.maximum.at(tilt, face[steep], np.degrees(np.arccos(np.clip(cosine[steep], -1.0, 1.0))))
    folded = np.flatnonzero(tilt)
    return in_surfaces(subject, 204, folded, tilt[folded])
