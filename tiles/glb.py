"""The content of a tile: binary glTF 2.0 as 3D Tiles 1.1 asks for it.

Vertices are centimetres in the tile's frame (KHR_mesh_quantization), each with a normal, a colour
and two feature ids (EXT_mesh_features): set 0 is the object, set 1 the surface. Both index property
tables (EXT_structural_metadata). Every vertex attribute takes a multiple of 4 bytes, as glTF 2.0
asks for in section 3.6.2.4. Feature ids and indices are compressed by EXT_meshopt_compression unless
the profile is ``plain``. Positions, normals and colours are not: corners that faces share repeat, which
brotli and zstd find unless that codec has taken the values apart (a quarter fewer bytes in all).
``compact`` leaves the normals out, so that clients light each triangle by itself (glTF 2.0, 3.7.2.1) or
not at all, and rounds to 3 cm; ``lean`` leaves the ground surfaces out as well. ``textured`` is as the
standard where the source has neither images nor materials.

Templates are nodes of their own with EXT_mesh_gpu_instancing, whose instances are the objects
(EXT_instance_features); see `tiles.glb_instances`.
"""

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import orjson

from tiles.colours import linear_colours
from tiles.frame import Frame
from tiles.glb_binary import MESHOPT, Binary, Vertices, primitive_of, property_table
from tiles.glb_instances import INSTANCE_FEATURES, INSTANCING, instanced
from tiles.instances import Group
from tiles.metadata import SURFACE_CLASS, SURFACE_PROPERTIES, SURFACE_TYPE, FeatureTable, schema
from tiles.skin import Painted, Picture
from twin.errors import InputError
from twin.model.geometry import Floats
from twin.processing.mesh import MeshBatch

Json: TypeAlias = dict[str, Any]
Array: TypeAlias = npt.NDArray[Any]

MEDIA_TYPE = "model/gltf-binary"

Profile: TypeAlias = Literal["standard", "compact", "lean", "plain", "textured"]
PROFILES: tuple[Profile, ...] = get_args(Profile)
_SMALL = ("compact", "lean")


def named_profile(name: str) -> Profile:
    """The profile of a name; InputError with those there are."""
    for profile in PROFILES:
        if profile == name:
            return profile
    raise InputError(f"'{name}' is no profile; known: {', '.join(PROFILES)}.")


_METRES_PER_UNIT = 0.01
"""Of meshes as they are stored."""

_SAMPLER: Json = {"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}
"""Smooth from near and far; nothing beyond the edges."""

_STEP_M, _COMPACT_STEP_M = 0.01, 0.03
_LARGEST_SHORT = 32767


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What a tile draws: meshes, ``measures`` (faces,) of their surfaces by name beside the type, NaN for no
    value, and templates where they stand. All name the objects by their row in the table of features.
    ``paint`` is what the meshes look like, if the source says so."""

    mesh: MeshBatch
    measures: Mapping[str, Floats] = field(default_factory=dict[str, Floats])
    groups: Sequence[Group] = ()
    paint: Painted | None = None


def encode(
    model: Model, frame: Frame, table: FeatureTable, *, step_m: float = _STEP_M, profile: Profile = "standard"
) -> bytes:
    """A GLB of a model in a tile's frame, with a table of its features.

    Positions may be rounded to ``step_m`` where that saves bytes.
    """
    binary = Binary(meshopt=profile != "plain")
    small = profile in _SMALL
    surfaces = _surface_table(model)
    finest = _COMPACT_STEP_M if small else _STEP_M
    nodes: list[Json] = []
    primitives: list[Json] = []
    if len(model.mesh.positions):
        positions, placement = _positions(model.mesh, frame, finest, max(step_m, finest))
        normals = None if small else model.mesh.normals @ frame.axes_of_gltf.T
        shown = Vertices(positions, normals, _colours(model, table), _place(model))
        primitives.append(_primitive(binary, model.mesh, shown))
        nodes.append(placement)
    first = int(model.mesh.face.max(initial=-1)) + 1
    for group in model.groups:
        node, primitive = instanced(binary, group, frame, table.types, first, normals=not small)
        first += group.face_count
        nodes.append(node)
        primitives.append(primitive)
    tables = (table.told, surfaces)
    metadata = {
        "schema": schema(tuple((each.kind, each.attributes) for each in tables)),
        "propertyTables": [property_table(binary, each) for each in tables],
    }
    document = _document(binary, nodes, primitives, metadata)
    picture = model.paint.picture if model.paint is not None else None
    return _pack(document if picture is None else _with_picture(document, binary, picture), binary)


def _colours(model: Model, table: FeatureTable) -> Array:
    return linear_colours(model.mesh, table.types) if model.paint is None else model.paint.colour


def _place(model: Model) -> Array | None:
    return model.paint.picture.place if model.paint is not None and model.paint.picture is not None else None


def _with_picture(document: Json, binary: Binary, picture: Picture) -> Json:
    """The document with an image on the meshes, which come first; templates have none."""
    view = binary.view(picture.data)
    (plain,) = document["materials"]
    look = {**plain["pbrMetallicRoughness"], "baseColorTexture": {"index": 0}}
    seen = {} if picture.opaque else {"alphaMode": "MASK", "alphaCutoff": 0.5}
    rest = document["meshes"][1:]
    for mesh in rest:
        mesh["primitives"][0]["material"] = 1
    return {
        **document,
        "materials": [{**plain, "pbrMetallicRoughness": look, **seen}, *([plain] if rest else [])],
        "textures": [{"source": 0, "sampler": 0}],
        "images": [{"bufferView": view, "mimeType": picture.media_type}],
        "samplers": [_SAMPLER],
        # It has grown by the image.
        "buffers": binary.buffers,
    }


def _primitive(binary: Binary, mesh: MeshBatch, shown: Vertices) -> Json:
    """The primitive of meshes, whose vertices tell their object and surface."""
    ids = [("object", 0, mesh.object_of_vertex), (SURFACE_CLASS, 1, mesh.face)]
    return primitive_of(binary, shown, mesh.triangles, ids)


def _document(binary: Binary, nodes: Sequence[Json], primitives: Sequence[Json], metadata: Json) -> Json:
    required = ["KHR_mesh_quantization", *([MESHOPT] if binary.meshopt else [])]
    used = ["EXT_mesh_features", "EXT_structural_metadata"]
    if any("extensions" in node for node in nodes):
        required.append(INSTANCING)
        used.append(INSTANCE_FEATURES)
    return {
        "asset": {"version": "2.0", "generator": "finest-twin"},
        "extensionsUsed": [*required, *used],
        "extensionsRequired": required,
        "scene": 0,
        "scenes": [{"nodes": list(range(len(nodes)))}],
        "nodes": [{"mesh": number, **node} for number, node in enumerate(nodes)],
        "meshes": [{"primitives": [primitive]} for primitive in primitives],
        # Not every source turns its faces outwards, and a missing wall is worse than a second side.
        "materials": [
            {"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.9}, "doubleSided": True}
        ],
        "accessors": binary.accessors,
        "bufferViews": binary.views,
        "buffers": binary.buffers,
        "extensions": {"EXT_structural_metadata": metadata},
    }


def _pack(document: Json, binary: Binary) -> bytes:
    text = orjson.dumps(document)
    text += b" " * (-len(text) % 4)
    return b"".join(
        [
            struct.pack("<4sII", b"glTF", 2, 12 + 8 + len(text) + 8 + binary.length),
            struct.pack("<I4s", len(text), b"JSON"),
            text,
            struct.pack("<I4s", binary.length, b"BIN\0"),
            *binary.parts,
        ]
    )


def _positions(mesh: MeshBatch, frame: Frame, finest_m: float, coarsest_m: float) -> tuple[Array, Json]:
    """Positions (n, 3) as they are stored, and what the node does to get metres in the frame.

    16 bits span 655 m in centimetres and more in coarser steps. Where a tile reaches further,
    positions are 32-bit floats in metres.
    """
    # One row for each axis, since numpy takes the extremes of long rows many times faster.
    ecef = np.multiply(mesh.positions.T, _METRES_PER_UNIT, order="C") - frame.origin[:, None]
    local = frame.axes_of_gltf @ ecef
    low, high = local.min(axis=1), local.max(axis=1)
    reach = float((high - low).max()) / 2 + 2 * finest_m
    step = max(finest_m, min(coarsest_m, reach / _LARGEST_SHORT))
    middle = np.floor((low + high) / 2 / step) * step
    centred = np.rint((local - middle[:, None]) / step)
    translation: list[float] = [round(value, 6) for value in middle.tolist()]
    if np.abs(centred).max() > _LARGEST_SHORT:
        return (centred * step).T.astype("<f4"), {"translation": translation}
    return centred.T.astype("<i2"), {"translation": translation, "scale": [step] * 3}


def _surface_table(model: Model) -> FeatureTable:
    """One row for each face, those of templates behind the others: its type, and the measures asked for."""
    types = np.concatenate([_face_types(mesh) for mesh in (model.mesh, *(g.mesh for g in model.groups))])
    attributes = (SURFACE_TYPE, *(SURFACE_PROPERTIES[name] for name in model.measures))
    return FeatureTable(SURFACE_CLASS, attributes, (types, *model.measures.values()))


def _face_types(mesh: MeshBatch) -> npt.NDArray[np.uint8]:
    types = np.zeros(int(mesh.face.max(initial=-1)) + 1, dtype=np.uint8)
    types[mesh.face] = mesh.surface_type
    return types
