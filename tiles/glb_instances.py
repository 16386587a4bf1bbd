"""A template in a GLB: a mesh in its own axes, drawn wherever it stands.

EXT_mesh_gpu_instancing gives each instance a translation, rotation and scale; that scale also turns the
whole steps of the mesh into metres. EXT_instance_features tells whose instance it is: row i of the table of
objects. The vertices tell their surface alone, which all instances share.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tiles.colours import linear_colours
from tiles.frame import Frame
from tiles.glb_binary import FLOAT, UNSIGNED_INT, UNSIGNED_SHORT, Binary, Vertices, feature_ids, primitive_of
from tiles.instances import Group
from tiles.metadata import SURFACE_CLASS
from twin.model.geometry import Floats
from twin.processing import rotations

Json: TypeAlias = dict[str, Any]

INSTANCING, INSTANCE_FEATURES = "EXT_mesh_gpu_instancing", "EXT_instance_features"

_OBJECTS, _SURFACES = 0, 1


def instanced(
    binary: Binary, group: Group, frame: Frame, types: Sequence[str], first_face: int, *, normals: bool
) -> tuple[Json, Json]:
    """The node and the primitive of a template; its surfaces have numbers from ``first_face`` on."""
    axes = frame.axes_of_gltf
    records = group.records
    places: Floats = (records["position"] - frame.origin) @ axes.T
    middle = np.rint((places.min(axis=0) + places.max(axis=0)) / 2.0)
    turned = axes @ rotations.matrices(records["rotation"].astype(np.float64))
    attributes = {
        "TRANSLATION": binary.instances((places - middle).astype("<f4"), FLOAT, "VEC3"),
        "ROTATION": binary.instances(rotations.quaternions(turned).astype("<f4"), FLOAT, "VEC4"),
        "SCALE": binary.instances(records["scale"].astype("<f4"), FLOAT, "VEC3"),
        "_FEATURE_ID_0": _owners(binary, group.owner),
    }
    node = {
        "translation": middle.tolist(),
        "extensions": {
            INSTANCING: {"attributes": attributes},
            INSTANCE_FEATURES: {"featureIds": [feature_ids(0, group.owner, "object", _OBJECTS)]},
        },
    }
    return node, _template(binary, group, types, first_face, normals=normals)


def _owners(binary: Binary, owner: npt.NDArray[Any]) -> int:
    short = int(owner.max()) < 1 << 16
    kind, component = ("<u2", UNSIGNED_SHORT) if short else ("<u4", UNSIGNED_INT)
    return binary.instances(owner.astype(kind)[:, None], component, "SCALAR")


def _template(binary: Binary, group: Group, types: Sequence[str], first_face: int, *, normals: bool) -> Json:
    mesh = group.mesh
    own_type = types[int(group.owner[0])] if types else ""
    shown = Vertices(
        mesh.positions.astype("<i2"),
        mesh.normals.astype(np.float64) if normals else None,
        linear_colours(mesh, [own_type] if own_type else []),
    )
    return primitive_of(binary, shown, mesh.triangles, [(SURFACE_CLASS, _SURFACES, mesh.face + first_face)])
