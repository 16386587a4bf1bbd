"""Templates in a tile: drawn where they stand, or turned into meshes like any other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tiles.ground import without_ground
from twin.model.geometry import Floats, Ints
from twin.processing import face_measures, instance_format, rotations
from twin.processing.mesh import MeshBatch, decode

Row: TypeAlias = Mapping[str, Any]

_CENTIMETRES = 100.0
_WORTH_VERTICES = 64
"""From so many repeated vertices on a template takes fewer bytes than meshes in all of its places, as
`benchmarks/bench_templates.py` measures: of 72 vertices twice 6 % of a tile of nothing else."""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """A template with the places where a tile has it.

    ``mesh`` is in the template's own axes and steps; ``records`` (places,) are those of
    `twin.processing.instance_format`, and ``owner`` (places,) the row of each. ``faces`` are the measures
    of its faces as stored, where they are asked for.
    """

    mesh: MeshBatch
    records: npt.NDArray[Any]
    owner: Ints
    faces: bytes | None = None

    @property
    def face_count(self) -> int:
        return int(self.mesh.face.max()) + 1

    @property
    def is_worth_it(self) -> bool:
        """Whether it takes fewer bytes than as many meshes."""
        return (len(self.owner) - 1) * len(self.mesh.positions) >= _WORTH_VERTICES

    def without_ground(self) -> "Group":
        """The same without what lies on the ground."""
        return replace(self, mesh=without_ground(self.mesh)[0])


def groups_of(rows: Sequence[Row]) -> list[Group]:
    """The templates of a tile's members, each once for each type of objects, which gives the colour."""
    meshes: dict[bytes, tuple[bytes, bytes | None]] = {}
    places: dict[tuple[bytes, str], list[tuple[int, npt.NDArray[Any]]]] = {}
    for number, row in enumerate(rows):
        if row.get("instances") is None:
            continue
        ids = _ids(row["templates"])
        if row["template_mesh"] is not None:
            faces = row.get("template_faces") or [None] * len(ids)
            meshes.update(zip(ids, zip(row["template_mesh"], faces, strict=True), strict=True))
        records = instance_format.decode(row["instances"])
        for place, template in enumerate(ids):
            mine = records[records["template"] == place]
            places.setdefault((template, row["type"]), []).append((number, mine))
    return [_group(*meshes[template], found) for (template, _), found in places.items()]


def _ids(templates: bytes) -> list[bytes]:
    size = instance_format.ID_BYTES
    return [templates[start : start + size] for start in range(0, len(templates), size)]


def _group(mesh: bytes, faces: bytes | None, found: Sequence[tuple[int, npt.NDArray[Any]]]) -> Group:
    owner = np.repeat([number for number, _ in found], [len(records) for _, records in found])
    return Group(decode([mesh]), np.concatenate([records for _, records in found]), owner, faces)


def joined(mesh: MeshBatch, groups: Sequence[Group]) -> MeshBatch:
    """Meshes, and behind them the templates in each of their places, in the same order."""
    parts = [mesh, *map(_spread, groups)]
    vertices = np.cumsum([0, *(len(part.positions) for part in parts)])
    faces = np.cumsum([0, *(int(part.face.max(initial=-1)) + 1 for part in parts)])
    return MeshBatch(
        positions=np.concatenate([part.positions for part in parts]),
        normals=np.concatenate([part.normals for part in parts]),
        triangles=np.concatenate(
            [part.triangles + np.uint32(first) for part, first in zip(parts, vertices, strict=False)]
        ),
        object_of_vertex=np.concatenate([part.object_of_vertex for part in parts]),
        surface_type=np.concatenate([part.surface_type for part in parts]),
        face=np.concatenate([part.face + first for part, first in zip(parts, faces, strict=False)]),
    )


def _spread(group: Group) -> MeshBatch:
    """A template as one mesh in each of its places."""
    mesh, count = group.mesh, len(group.owner)
    vertices, faces = len(mesh.positions), group.face_count
    scale = group.records["scale"].astype(np.float64)
    turned = rotations.matrices(group.records["rotation"].astype(np.float64)).transpose(0, 2, 1)
    # A normal is squeezed where the shape is stretched.
    normals = ((mesh.normals[None] / scale[:, None]) @ turned).reshape(-1, 3)
    normals /= np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-12)
    numbers = np.arange(count)
    first = (numbers * vertices).astype(np.uint32)
    places = instance_format.placed(group.records, mesh.positions)
    return MeshBatch(
        positions=np.rint(places.reshape(-1, 3) * _CENTIMETRES).astype(np.int32),
        normals=normals.astype(np.float32),
        triangles=(mesh.triangles[None] + first[:, None, None]).reshape(-1, 3),
        object_of_vertex=np.repeat(group.owner, vertices),
        surface_type=np.tile(mesh.surface_type, count),
        face=(mesh.face[None] + (numbers * faces)[:, None]).reshape(-1),
    )


def measures(group: Group) -> dict[str, Floats]:
    """The measures (places x faces,) of a template's faces in each of its places, by name."""
    mesh = group.mesh
    stored = face_measures.decode([group.faces], [group.face_count])
    first = np.flatnonzero(np.diff(mesh.face, prepend=-1))
    vectors = mesh.normals[first].astype(np.float64) * stored["area_m2"][:, None]
    native = group.records["native"].astype(np.float64)
    # An area turns and grows by the cofactors of what turns and stretches its edges.
    cofactors = np.linalg.det(native)[:, None, None] * np.linalg.inv(native).transpose(0, 2, 1)
    return face_measures.of_areas((vectors[None] @ cofactors.transpose(0, 2, 1)).reshape(-1, 3))
