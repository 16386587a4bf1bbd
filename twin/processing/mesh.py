"""Triangle meshes of objects on the ellipsoid, made once and stored, so that a tile is a read.

Vertices are not shared between faces: a building is shaded flat and each face has its own surface
type. Positions are whole centimetres in EPSG:4978.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twin.model.geometry import Bools, Floats, Geometry, GeometryBatch, Ints, offsets
from twin.processing import face_measures, mesh_format, segments
from twin.processing.mesh_format import MeshArrays, MeshBatch, decode
from twin.processing.orientation import Boundary, orient, oriented_points
from twin.processing.skins import ObjectSkin, Shown, skins_of
from twin.processing.triangulation import Triangulation, triangulate

__all__ = ["MeshBatch", "MeshFailure", "ObjectMesh", "build_meshes", "decode"]

MAX_EXTENT_M = 20_000.0
"""An object that reaches farther from its first point than this is an error of its coordinates."""

_CENTIMETRES = 100
_ECEF_LIMIT_M = 2e7  # centimetres up to here fit 32 bits; the Earth's radius is a third of it


@dataclass(frozen=True, slots=True)
class ObjectMesh:
    """The encoded mesh of one object, the measures of its faces, the BLAKE2b-128 hash of all, and counts.

    ``templates`` and ``instances`` tell what it has beside its own mesh, if anything; see
    `twin.processing.instances`; ``skins`` are what its own mesh looks like, by theme.
    """

    data: bytes
    faces: bytes
    hash: bytes
    triangles: int
    vertices: int
    templates: bytes = b""
    instances: bytes = b""
    skins: tuple[ObjectSkin, ...] = ()

    def with_skins(self, skins: tuple[ObjectSkin, ...]) -> "ObjectMesh":
        """The same with a look, which its hash then covers."""
        named = b"".join(repr(skin.theme).encode() + skin.data for skin in skins)
        digest = hashlib.blake2b(self.hash + named, digest_size=16).digest()
        return replace(self, hash=digest, skins=skins) if skins else self


@dataclass(frozen=True, slots=True)
class MeshFailure:
    """Why an object has no mesh."""

    reason: str


def build_meshes(
    shown: GeometryBatch | Boundary,
    surface_type: Ints,
    ecef: Floats,
    steps: int = _CENTIMETRES,
    groups: Sequence[Sequence[Geometry]] = (),
) -> list[ObjectMesh | MeshFailure]:
    """The mesh of every object of a batch, or the reason why it has none.

    ``shown`` is the batch, or what ``orient`` made of it, which saves doing that again.
    ``surface_type`` (surfaces,) are the types to store, as classified, and ``ecef`` (points, 3) the
    batch's points in EPSG:4978 in m, rounded to ``steps`` of a metre. Faces below a square
    centimetre are left out; a face that its triangles do not cover fails its object. ``groups`` are the
    geometries of each object, for what they look like.
    """
    boundary = shown if isinstance(shown, Boundary) else orient(shown)
    batch = boundary.batch
    cut = triangulate(boundary)
    placed = ecef[oriented_points(boundary)]
    failures = _failures(boundary, cut, placed)
    sound = np.array([not failure for failure in failures], dtype=np.bool_)
    present = _present(batch, cut, sound)
    arrays = _arrays(batch, cut, placed, surface_type, present, steps)
    blobs = mesh_format.encode(arrays)
    measures = face_measures.encode(boundary.faces, np.flatnonzero(present), arrays.face_start)
    triangles = np.diff(arrays.triangle_start).tolist()
    vertices = np.diff(arrays.vertex_start).tolist()
    made = [
        MeshFailure(failure) if failure else _stored(blob, faces, count, total)
        for failure, blob, faces, count, total in zip(
            failures, blobs, measures, triangles, vertices, strict=True
        )
    ]
    for item, shows in _looks(boundary, groups, present):
        mesh = made[item]
        if isinstance(mesh, ObjectMesh):
            made[item] = mesh.with_skins(skins_of(groups[item], shows))
    return made


def _looks(
    boundary: Boundary, groups: Sequence[Sequence[Geometry]], present: Bools
) -> Iterator[tuple[int, Shown]]:
    """The objects that look like anything, with what their meshes show of their surfaces."""
    dressed = [i for i, shapes in enumerate(groups) if any(g.appearance is not None for g in shapes)]
    if not dressed:
        return
    batch, order = boundary.batch, oriented_points(boundary)
    point_start = batch.ring_start[batch.surface_start]
    for item in dressed:
        first, behind = batch.object_start[item : item + 2].tolist()
        faces = first + np.flatnonzero(present[first:behind])
        points = order[segments.expand(point_start, faces)] - point_start[first]
        yield item, Shown(faces - first, points, np.diff(point_start)[faces])


def _stored(data: bytes, faces: bytes, triangles: int, vertices: int) -> ObjectMesh:
    digest = hashlib.blake2b(data + faces, digest_size=16).digest()
    return ObjectMesh(data, faces, digest, triangles, vertices)


def _present(batch: GeometryBatch, cut: Triangulation, sound: Bools) -> Bools:
    """Which surfaces are shown: those with triangles, of sound objects."""
    present = np.zeros(batch.surfaces, dtype=np.bool_)
    present[cut.face] = True
    return present & sound[batch.object_of_surface()]


def _failures(boundary: Boundary, cut: Triangulation, placed: Floats) -> list[str]:
    """Why each object cannot be meshed; empty where it can, shape (objects,)."""
    batch = boundary.batch
    owner = batch.object_of_surface()
    faces = np.bincount(owner[cut.face], minlength=batch.objects).tolist()
    reasons = ["" if count else "it has no face of a square centimetre or more" for count in faces]
    for face in np.flatnonzero(cut.wrong)[::-1]:
        reasons[owner[face]] = (
            f"face {face - batch.object_start[owner[face]]} has {boundary.faces.area[face]:.4f} m² but its "
            f"triangles cover {cut.covered[face]:.4f} m²: its rings cross themselves or each other"
        )
    start = batch.ring_start[batch.surface_start[batch.object_start]]
    reach = segments.maxima(np.abs(placed - _first_points(placed, start)).T, start).max(axis=0)
    height = segments.maxima(np.abs(placed).T, start).max(axis=0)
    fits = (reach <= MAX_EXTENT_M) & (height <= _ECEF_LIMIT_M)
    for item in np.flatnonzero((np.diff(start) > 0) & ~fits):
        reasons[item] = f"it cannot be placed on the ellipsoid, or reaches over {MAX_EXTENT_M:.0f} m"
    return reasons


def _first_points(points: Floats, start: Ints) -> Floats:
    """The first point of each object, repeated for all its points, shape (points, 3)."""
    return np.repeat(points[start[:-1][np.diff(start) > 0]], np.diff(start)[np.diff(start) > 0], axis=0)


def _arrays(
    batch: GeometryBatch, cut: Triangulation, placed: Floats, surface_type: Ints, present: Bools, steps: int
) -> MeshArrays:
    """The vertices, triangles and faces of all surfaces that are present, in order."""
    owner = batch.object_of_surface()
    faces = np.flatnonzero(present)
    point_start = batch.ring_start[batch.surface_start]
    vertices = np.diff(point_start)
    new_index = np.cumsum(np.repeat(present, vertices)) - 1
    kept = present[cut.face]
    return MeshArrays(
        positions=np.rint(placed[segments.expand(point_start, faces)] * float(steps)).astype(np.int64),
        triangles=new_index[cut.corners[kept]],
        face_vertices=vertices[faces],
        face_normal=_normals(placed, cut)[faces],
        face_type=surface_type[faces].astype(np.uint8),
        vertex_start=offsets(segments.totals(owner[faces], vertices[faces], batch.objects).astype(np.int64)),
        triangle_start=offsets(np.bincount(owner[cut.face[kept]], minlength=batch.objects)),
        face_start=offsets(np.bincount(owner[faces], minlength=batch.objects)),
    )


def _normals(placed: Floats, cut: Triangulation) -> Floats:
    """Unit normals of the faces in EPSG:4978 from their triangles, shape (surfaces, 3)."""
    origin = placed[cut.corners[:, 0]]
    ux, uy, uz = (placed[cut.corners[:, 1]] - origin).T
    vx, vy, vz = (placed[cut.corners[:, 2]] - origin).T
    cross = (uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx)
    summed = np.stack([segments.totals(cut.face, axis, len(cut.wrong)) for axis in cross])
    length = np.sqrt(np.einsum("ij,ij->j", summed, summed))
    return np.divide(summed, length, out=np.zeros_like(summed), where=length > 0.0).T
