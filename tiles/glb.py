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
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import orjson

from tiles import compression
from tiles.colours import linear_colours
from tiles.frame import Frame
from tiles.metadata import (
    SURFACE_CLASS,
    SURFACE_PROPERTIES,
    SURFACE_TYPE,
    BinaryColumn,
    FeatureTable,
    binary_column,
    schema,
)
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


MESHOPT = "EXT_meshopt_compression"
"""The EXT form and not KHR_meshopt_compression, which CesiumJS does not read."""

_BYTE, _UNSIGNED_BYTE, _SHORT, _UNSIGNED_SHORT, _UNSIGNED_INT, _FLOAT = 5120, 5121, 5122, 5123, 5125, 5126
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_METRES_PER_UNIT = 0.01
"""Of meshes as they are stored."""

_SAMPLER: Json = {"magFilter": 9729, "minFilter": 9987, "wrapS": 33071, "wrapT": 33071}
"""Smooth from near and far; nothing beyond the edges."""

_STEP_M, _COMPACT_STEP_M = 0.01, 0.03
_LARGEST_SHORT = 32767
_LARGEST_UNSIGNED_SHORT = 65535


@dataclass(slots=True)
class _Binary:
    """The BIN chunk while it grows, with the buffer views and accessors into it.

    ``unpacked`` is the length of the buffer that exists only once a client has decompressed it.
    """

    meshopt: bool
    parts: list[bytes] = field(default_factory=list[bytes])
    length: int = 0
    unpacked: int = 0
    views: list[Json] = field(default_factory=list[Json])
    accessors: list[Json] = field(default_factory=list[Json])

    def view(self, data: bytes, **more: int) -> int:
        """Add a buffer view on an 8-byte boundary; its index."""
        return self._add({**self._put(data), **more})

    def packed(self, data: bytes, size: int, code: bytes, mode: str, **more: int) -> int:
        """Add a buffer view of elements of a size, stored as the code of an EXT_meshopt_compression mode."""
        stored = {**self._put(code), "byteStride": size, "count": len(data) // size, "mode": mode}
        start, self.unpacked = self.unpacked, self.unpacked + len(data) + -len(data) % 8
        place = {"buffer": 1, "byteOffset": start, "byteLength": len(data)}
        return self._add({**place, **more, "extensions": {MESHOPT: stored}})

    def accessor(self, view: int, **more: Any) -> int:
        self.accessors.append({"bufferView": view, **more})
        return len(self.accessors) - 1

    def vertices(self, values: Array, component: int, shape: str, *, as_is: bool = False, **more: Any) -> int:
        """Add a vertex attribute (n, components), each vertex padded to 4 bytes; its accessor.

        ``as_is`` leaves it out of EXT_meshopt_compression.
        """
        count, columns = values.shape
        size = values.dtype.itemsize
        padded = np.zeros((count, -(-columns * size // 4) * 4 // size), dtype=values.dtype)
        padded[:, :columns] = values
        stride, data = padded.shape[1] * size, padded.tobytes()
        target = {"byteStride": stride, "target": _ARRAY_BUFFER}
        if self.meshopt and not as_is:
            view = self.packed(data, stride, compression.vertices(padded), "ATTRIBUTES", **target)
        else:
            view = self.view(data, **target)
        return self.accessor(view, componentType=component, type=shape, count=count, **more)

    def indices(self, triangles: Array, component: int) -> int:
        """Add the corners of triangles; their accessor."""
        data, target = triangles.tobytes(), {"target": _ELEMENT_ARRAY_BUFFER}
        if self.meshopt:
            code = compression.indices(triangles.ravel())
            view = self.packed(data, triangles.itemsize, code, "INDICES", **target)
        else:
            view = self.view(data, **target)
        return self.accessor(view, componentType=component, type="SCALAR", count=triangles.size)

    @property
    def buffers(self) -> list[Json]:
        found: list[Json] = [{"byteLength": self.length}]
        if self.unpacked:
            found.append({"byteLength": self.unpacked, "extensions": {MESHOPT: {"fallback": True}}})
        return found

    def _put(self, data: bytes) -> Json:
        place = {"buffer": 0, "byteOffset": self.length, "byteLength": len(data)}
        padding = b"\0" * (-len(data) % 8)
        self.parts += [data, padding]
        self.length += len(data) + len(padding)
        return place

    def _add(self, view: Json) -> int:
        self.views.append(view)
        return len(self.views) - 1


def encode(
    shown: MeshBatch | Painted,
    frame: Frame,
    table: FeatureTable,
    measures: Mapping[str, Floats] = MappingProxyType({}),
    *,
    step_m: float = _STEP_M,
    profile: Profile = "standard",
) -> bytes:
    """A GLB of the objects in a mesh, whose object i is row i of ``table``, in a tile's frame.

    ``measures`` (faces,) are further properties of the surfaces, by name; NaN for no value.
    Positions may be rounded to ``step_m`` where that saves bytes.
    """
    mesh, paint = (shown.mesh, shown) if isinstance(shown, Painted) else (shown, None)
    binary = _Binary(meshopt=profile != "plain")
    small = profile in _SMALL
    surfaces = _surface_table(mesh, measures)
    finest = _COMPACT_STEP_M if small else _STEP_M
    positions, placement = _positions(mesh, frame, finest, max(step_m, finest))
    extremes = _extremes(positions)
    attributes = {
        "POSITION": binary.vertices(positions, _component(positions), "VEC3", as_is=True, **extremes)
    }
    if not small:
        normals = _normals(mesh, frame)
        attributes["NORMAL"] = binary.vertices(normals, _BYTE, "VEC3", as_is=True, normalized=True)
    colours = linear_colours(mesh, table.types) if paint is None else paint.colour
    attributes |= {
        "COLOR_0": binary.vertices(colours, _UNSIGNED_BYTE, "VEC4", as_is=True, normalized=True),
        "_FEATURE_ID_0": _feature_ids(binary, mesh.object_of_vertex),
        "_FEATURE_ID_1": _feature_ids(binary, mesh.face),
    }
    picture = paint.picture if paint is not None else None
    if picture is not None:
        place = binary.vertices(picture.place, _UNSIGNED_SHORT, "VEC2", as_is=True, normalized=True)
        attributes["TEXCOORD_0"] = place
    primitive = {
        "attributes": attributes,
        "indices": _indices(binary, mesh.triangles, len(positions)),
        "material": 0,
        "extensions": {"EXT_mesh_features": {"featureIds": _feature_id_sets(table.count, surfaces.count)}},
    }
    tables = (table.told, surfaces)
    metadata = {
        "schema": schema(tuple((each.kind, each.attributes) for each in tables)),
        "propertyTables": [_property_table(binary, each) for each in tables],
    }
    document = _document(binary, primitive, placement, metadata)
    return _pack(document if picture is None else _with_picture(document, binary, picture), binary)


def _with_picture(document: Json, binary: _Binary, picture: Picture) -> Json:
    """The document with an image on its one material."""
    view = binary.view(picture.data)
    material: Json = document["materials"][0]
    look = {**material["pbrMetallicRoughness"], "baseColorTexture": {"index": 0}}
    seen = {} if picture.opaque else {"alphaMode": "MASK", "alphaCutoff": 0.5}
    return {
        **document,
        "materials": [{**material, "pbrMetallicRoughness": look, **seen}],
        "textures": [{"source": 0, "sampler": 0}],
        "images": [{"bufferView": view, "mimeType": picture.media_type}],
        "samplers": [_SAMPLER],
        # It has grown by the image.
        "buffers": binary.buffers,
    }


def _document(binary: _Binary, primitive: Json, placement: Json, metadata: Json) -> Json:
    required = ["KHR_mesh_quantization", *([MESHOPT] if binary.meshopt else [])]
    return {
        "asset": {"version": "2.0", "generator": "finest-twin"},
        "extensionsUsed": [*required, "EXT_mesh_features", "EXT_structural_metadata"],
        "extensionsRequired": required,
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, **placement}],
        "meshes": [{"primitives": [primitive]}],
        # Not every source turns its faces outwards, and a missing wall is worse than a second side.
        "materials": [
            {"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 0.9}, "doubleSided": True}
        ],
        "accessors": binary.accessors,
        "bufferViews": binary.views,
        "buffers": binary.buffers,
        "extensions": {"EXT_structural_metadata": metadata},
    }


def _pack(document: Json, binary: _Binary) -> bytes:
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


def _y_up(local: Floats) -> Floats:
    """East, north, up to the axes of glTF: east, up, south."""
    return np.column_stack([local[:, 0], local[:, 2], -local[:, 1]])


def _positions(mesh: MeshBatch, frame: Frame, finest_m: float, coarsest_m: float) -> tuple[Array, Json]:
    """Positions (n, 3) as they are stored, and what the node does to get metres in the frame.

    16 bits span 655 m in centimetres and more in coarser steps. Where a tile reaches further,
    positions are 32-bit floats in metres.
    """
    local = _y_up(frame.local(mesh.positions.astype(np.float64) * _METRES_PER_UNIT))
    low, high = local.min(axis=0), local.max(axis=0)
    reach = float((high - low).max()) / 2 + 2 * finest_m
    step = max(finest_m, min(coarsest_m, reach / _LARGEST_SHORT))
    middle = np.floor((low + high) / 2 / step) * step
    centred = np.rint((local - middle) / step)
    translation: list[float] = [round(value, 6) for value in middle.tolist()]
    if np.abs(centred).max() > _LARGEST_SHORT:
        return (centred * step).astype("<f4"), {"translation": translation}
    return centred.astype("<i2"), {"translation": translation, "scale": [step] * 3}


def _component(positions: Array) -> int:
    return _SHORT if positions.dtype == np.int16 else _FLOAT


def _extremes(positions: Array) -> Json:
    return {"min": positions.min(axis=0).tolist(), "max": positions.max(axis=0).tolist()}


def _normals(mesh: MeshBatch, frame: Frame) -> Array:
    local = _y_up(mesh.normals.astype(np.float64) @ frame.axes.T)
    return np.rint(local * 127).astype(np.int8)


def _feature_ids(binary: _Binary, ids: Array) -> int:
    """Vertex attributes have no 32-bit integers (glTF 2.0, 3.6.2.2), but floats are exact to 2**24."""
    if len(ids) and int(ids.max()) > _LARGEST_UNSIGNED_SHORT:
        return binary.vertices(ids.astype("<f4")[:, None], _FLOAT, "SCALAR")
    return binary.vertices(ids.astype("<u2")[:, None], _UNSIGNED_SHORT, "SCALAR")


def _indices(binary: _Binary, triangles: Array, vertices: int) -> int:
    """The highest value of an index type restarts primitives and is not used (glTF 2.0, 3.7.2.1)."""
    short = vertices <= _LARGEST_UNSIGNED_SHORT
    component = _UNSIGNED_SHORT if short else _UNSIGNED_INT
    return binary.indices(triangles.astype("<u2" if short else "<u4"), component)


def _feature_id_sets(objects: int, surfaces: int) -> list[Json]:
    return [
        {"featureCount": objects, "attribute": 0, "propertyTable": 0, "label": "object"},
        {"featureCount": surfaces, "attribute": 1, "propertyTable": 1, "label": SURFACE_CLASS},
    ]


def _surface_table(mesh: MeshBatch, measures: Mapping[str, Floats]) -> FeatureTable:
    """One row for each face: its surface type, and the measures that are asked for."""
    types = np.zeros(int(mesh.face.max()) + 1, dtype=np.uint8)
    types[mesh.face] = mesh.surface_type
    attributes = (SURFACE_TYPE, *(SURFACE_PROPERTIES[name] for name in measures))
    return FeatureTable(SURFACE_CLASS, attributes, (types, *measures.values()))


def _property_table(binary: _Binary, table: FeatureTable) -> Json:
    columns = {
        attribute.name: _table_property(binary, binary_column(attribute, values))
        for attribute, values in zip(table.attributes, table.columns, strict=True)
    }
    return {"class": table.kind, "count": table.count, "properties": columns}


def _table_property(binary: _Binary, column: BinaryColumn) -> Json:
    found: Json = {"values": binary.view(column.values)}
    if column.offsets is not None:
        found["stringOffsets"] = binary.view(column.offsets)
        found["stringOffsetType"] = column.offset_type
    return found
