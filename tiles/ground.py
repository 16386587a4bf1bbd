"""Meshes without what lies on the ground, which nobody sees from above."""

import numpy as np

from twin.model.geometry import Ints, SurfaceType
from twin.processing.mesh import MeshBatch


def without_ground(mesh: MeshBatch) -> tuple[MeshBatch, Ints]:
    """A batch without its ground surfaces, and the numbers that the faces left had in it.

    An object of nothing else keeps them, so that no feature is without a vertex.
    """
    above = mesh.surface_type != SurfaceType.GROUND
    shown = np.bincount(mesh.object_of_vertex, above) > 0
    kept = above | ~shown[mesh.object_of_vertex]
    place = np.cumsum(kept) - 1
    faces, face = np.unique(mesh.face[kept], return_inverse=True)
    triangles = mesh.triangles[kept[mesh.triangles[:, 0]]]
    return MeshBatch(
        positions=mesh.positions[kept],
        normals=mesh.normals[kept],
        triangles=place[triangles].astype(np.uint32),
        object_of_vertex=mesh.object_of_vertex[kept],
        surface_type=mesh.surface_type[kept],
        face=face.astype(np.int64),
    ), faces
