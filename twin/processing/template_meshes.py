"""The meshes of templates: in the template's own axes, once for all places where it stands."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b

import numpy as np

from twin.model.geometry import Floats, Geometry, Ints, concatenate
from twin.model.rings import without_degenerate
from twin.processing.compute import measure_core
from twin.processing.mesh import ObjectMesh, build_meshes

STEPS = 2_000
"""Of a mesh for each unit of the template as it is meshed: 16 to 32 units across, so that positions have
16 bits, and faces too small to see are left out of templates of any unit alike."""

_SIZE_BITS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """The mesh of a template around the ``middle`` (3,) of its points, ``enlarged`` so many times.

    ``points`` (points, 3) are all of its points in steps, as its mesh rounds them, but those of degenerate
    surfaces. Surfaces that the source does not name are told by how the template itself stands.
    """

    mesh: ObjectMesh
    middle: Floats
    enlarged: float
    points: Ints

    @property
    def id(self) -> bytes:
        """The hash (16 bytes) of its mesh and the measures of its faces: what is equal is stored once."""
        return self.mesh.hash


@dataclass(frozen=True, slots=True)
class _Shape:
    """A geometry, equal to others of the same content."""

    digest: bytes
    geometry: Geometry = field(compare=False)


def template_of(geometry: Geometry) -> Template | None:
    """The template with a geometry; None where it has no mesh."""
    return _made(_Shape(_digest(geometry), geometry))


def _digest(geometry: Geometry) -> bytes:
    """Of all that its mesh is made of."""
    levels = (geometry.ring_start, geometry.surface_start, geometry.shell_start, geometry.solid_start)
    arrays = (geometry.xyz, *levels, geometry.surface_types())
    digest = blake2b(geometry.type.encode(), digest_size=16)
    for array in arrays:
        digest.update(len(array).to_bytes(8, "little"))
        digest.update(np.ascontiguousarray(array).data)
    return digest.digest()


@lru_cache(maxsize=256)
def _made(shape: _Shape) -> Template | None:
    (clean,) = without_degenerate([shape.geometry])
    if clean is None:
        return None
    low, high = clean.xyz.min(axis=0), clean.xyz.max(axis=0)
    across = float((high - low).max())
    if not 0.0 < across < np.inf:
        return None
    middle, enlarged = (low + high) / 2.0, 2.0 ** (_SIZE_BITS - np.frexp(across)[1])
    batch = concatenate([[replace(clean, xyz=(clean.xyz - middle) * enlarged)]])
    measures = measure_core(batch)
    points = batch.xyz + batch.origin[0]
    (mesh,) = build_meshes(measures.boundary, measures.surface_type, points, steps=STEPS)
    if not isinstance(mesh, ObjectMesh):
        return None
    rounded = np.rint(points * STEPS).astype(np.int64)
    return Template(mesh, middle, float(enlarged), rounded)
