"""Triangle meshes of objects on the ellipsoid, made once and stored, so that a tile is a read.

Vertices are not shared between faces: a building is shaded flat and each face has its own surface
type. Positions are whole centimetres in EPSG:4978.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats, GeometryBatch, Ints
from twin.processing import mesh_format, segments
from twin.processing.mesh_format import MeshArrays, MeshBatch, decode
from twin.processing.orientation import Boundary, orient
from twin.processing.triangulation import Triangulation, triangulate

__all__ = ["MeshBatch", "MeshFailure", "ObjectMesh", "build_meshes", "decode"]

ToEcef: TypeAlias = Callable[[Floats], Floats]
"""Maps native coordinates (points, 3) to EPSG:4978 in m."""

_MAX_EXTENT_M = 20_000.0


@dataclass(frozen=True, slots=True)
class ObjectMesh:
    """The encoded mesh of one object, its BLAKE2b-128 hash and its counts."""

    data: bytes
    hash: bytes
    triangles: int
    vertices: int


@dataclass(frozen=True, slots=True)
class MeshFailure:
    """Why an object has no mesh."""

    reason: str


def build_meshes(batch: GeometryBatch, surface_type: Ints, ecef: ToEcef) -> list[ObjectMesh | MeshFailure]:
    """The mesh of every object of a batch, or the reason why it has none.

    ``surface_type`` (surfaces,) are the types to store, as classified. Faces below a square
    centimetre are left out; a face that its triangles do not cover fails its object.
    """
    boundary = orient(batch)
    cut = triangulate(boundary)
    failures = _failures(boundary, cut)
    arrays = _arrays(boundary, cut, surface_type, ecef, np.array([not f for f in failures], dtype=np.bool_))
    blobs = mesh_format.encode(arrays)
    triangles = np.diff(arrays.triangle_start).tolist()
    vertices = np.diff(arrays.vertex_start).tolist()
    return [
        MeshFailure(failure) if failure else _stored(blob, count, points)
        for failure, blob, count, points in zip(failures, blobs, triangles, vertices, strict=True)
    ]


def _stored(data: bytes, triangles: int, vertices: int) -> ObjectMesh:
    return ObjectMesh(data, hashlib.blake2b(data, digest_size=16).digest(), triangles, vertices)


def _failures(boundary: Boundary, cut: Triangulation) -> list[str]:
    """Why each object cannot be meshed; empty where it can, shape (objects,)."""
    batch = boundary.batch
    faces = np.bincount(batch.object_of_surface()[cut.face], minlength=batch.objects)
    reasons = ["" if count else "it has no face of a square centimetre or more" for count in faces]
    owner = batch.object_of_surface()
    for face in np.flatnonzero(cut.wrong)[::-1]:
        number = face - batch.object_start[owner[face]]
        reasons[owner[face]] = (
            f"face {number} has {boundary.faces.area[face]:.4f} m² but its triangles cover "
            f"{cut.covered[face]:.4f} m²: its rings cross themselves or each other"
        )
    points = batch.ring_start[batch.surface_start[batch.object_start]]
    extent = segments.maxima(np.abs(batch.xyz).max(axis=1), points) if len(batch.xyz) else faces * 0.0
    for item in np.flatnonzero(~(extent <= _MAX_EXTENT_M) & (np.diff(points) > 0)):
        reasons[item] = f"it is wider than {_MAX_EXTENT_M:.0f} m or has coordinates that are no numbers"
    return reasons


def _arrays(
    boundary: Boundary, cut: Triangulation, surface_type: Ints, ecef: ToEcef, sound: npt.NDArray[np.bool_]
) -> MeshArrays:
    """The vertices, triangles and faces to store, in order of objects."""
    batch = boundary.batch
    owner = batch.object_of_surface()
    points_of_object = np.diff(batch.ring_start[batch.surface_start[batch.object_start]])
    placed = ecef(cut.points + np.repeat(batch.origin, points_of_object, axis=0))
    present = np.zeros(batch.surfaces, dtype=np.bool_)
    present[cut.face] = True
    present &= sound[owner]
    faces = np.flatnonzero(present)
    point_start = batch.ring_start[batch.surface_start]
    vertices = np.diff(point_start)[faces]
    new_index = np.cumsum(np.repeat(present, np.diff(point_start))) - 1
    kept = present[cut.face]
    objects = np.arange(batch.objects + 1)
    return MeshArrays(
        positions=np.rint(placed[segments.expand(point_start, faces)] * 100.0).astype(np.int64),
        triangles=new_index[cut.corners[kept]],
        face_vertices=vertices,
        face_normal=_normals(placed, cut)[faces],
        face_type=surface_type[faces].astype(np.uint8),
        vertex_start=_starts(np.repeat(owner[faces], vertices), objects),
        triangle_start=_starts(owner[cut.face[kept]], objects),
        face_start=_starts(owner[faces], objects),
    )


def _starts(owner: Ints, objects: Ints) -> Ints:
    return np.searchsorted(owner, objects).astype(np.int64)


def _normals(placed: Floats, cut: Triangulation) -> Floats:
    """Unit normals of the faces in EPSG:4978 from their triangles, shape (surfaces, 3)."""
    a, b, c = (placed[cut.corners[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    summed = np.stack(
        [np.bincount(cut.face, weights=cross[:, i], minlength=len(cut.wrong)) for i in range(3)], axis=1
    )
    length = np.sqrt(np.einsum("ij,ij->i", summed, summed))[:, None]
    return np.divide(summed, length, out=np.zeros_like(summed), where=length > 0.0)
