"""The BIN chunk of a GLB, with buffer views, accessors and columns of property tables into it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tiles import compression
from tiles.metadata import BinaryColumn, FeatureTable, binary_column

Json: TypeAlias = dict[str, Any]
Array: TypeAlias = npt.NDArray[Any]

MESHOPT = "EXT_meshopt_compression"
"""The EXT form and not KHR_meshopt_compression, which CesiumJS does not read."""

BYTE, UNSIGNED_BYTE, SHORT, UNSIGNED_SHORT, UNSIGNED_INT, FLOAT = 5120, 5121, 5122, 5123, 5125, 5126
_ARRAY_BUFFER, _ELEMENT_ARRAY_BUFFER = 34962, 34963
_LARGEST_UNSIGNED_SHORT = 65535


@dataclass(slots=True)
class Binary:
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
        for column in range(columns):
            # Columns are long, and rows of three are slow to copy.
            padded[:, column] = values[:, column]
        stride, data = padded.shape[1] * size, padded.tobytes()
        target = {"byteStride": stride, "target": _ARRAY_BUFFER}
        if self.meshopt and not as_is:
            view = self.packed(data, stride, compression.vertices(padded), "ATTRIBUTES", **target)
        else:
            view = self.view(data, **target)
        return self.accessor(view, componentType=component, type=shape, count=count, **more)

    def instances(self, values: Array, component: int, shape: str) -> int:
        """Add an attribute of instances (n, components); its accessor.

        It lies close, since GLTFLoader of three.js takes such attributes without their stride.
        """
        return self.accessor(
            self.view(values.tobytes()), componentType=component, type=shape, count=len(values)
        )

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


@dataclass(frozen=True, slots=True, eq=False)
class Vertices:
    """Positions (n, 3) as they are stored, unit normals (n, 3), y up, if there are any, colours (n, 4), and
    places (n, 2) in an image, if there is one."""

    positions: Array
    normals: Array | None
    colours: Array
    places: Array | None = None


def primitive_of(
    binary: Binary, shown: Vertices, triangles: Array, ids: Sequence[tuple[str, int, Array]]
) -> Json:
    """A primitive, with sets of feature ids: label, number of the property table, and ids (n,)."""
    positions = shown.positions
    component = SHORT if positions.dtype == np.int16 else FLOAT
    columns = np.ascontiguousarray(positions.T)
    extremes = {"min": columns.min(axis=1).tolist(), "max": columns.max(axis=1).tolist()}
    attributes = {"POSITION": binary.vertices(positions, component, "VEC3", as_is=True, **extremes)}
    if shown.normals is not None:
        packed = np.rint(shown.normals * 127).astype(np.int8)
        attributes["NORMAL"] = binary.vertices(packed, BYTE, "VEC3", as_is=True, normalized=True)
    colours = binary.vertices(shown.colours, UNSIGNED_BYTE, "VEC4", as_is=True, normalized=True)
    attributes["COLOR_0"] = colours
    if shown.places is not None:
        place = binary.vertices(shown.places, UNSIGNED_SHORT, "VEC2", as_is=True, normalized=True)
        attributes["TEXCOORD_0"] = place
    for number, (_, _, values) in enumerate(ids):
        attributes[f"_FEATURE_ID_{number}"] = _feature_ids(binary, values)
    return {
        "attributes": attributes,
        "indices": _indices(binary, triangles, len(positions)),
        "material": 0,
        "extensions": {
            "EXT_mesh_features": {
                "featureIds": [
                    feature_ids(number, values, label, table)
                    for number, (label, table, values) in enumerate(ids)
                ]
            }
        },
    }


def feature_ids(attribute: int, ids: Array, label: str, table: int) -> Json:
    """A set of feature ids in an attribute, as EXT_mesh_features and EXT_instance_features tell of it."""
    features = int(np.count_nonzero(np.bincount(ids)))
    return {"featureCount": features, "attribute": attribute, "propertyTable": table, "label": label}


def _feature_ids(binary: Binary, ids: Array) -> int:
    """Vertex attributes have no 32-bit integers (glTF 2.0, 3.6.2.2), but floats are exact to 2**24."""
    if len(ids) and int(ids.max()) > _LARGEST_UNSIGNED_SHORT:
        return binary.vertices(ids.astype("<f4")[:, None], FLOAT, "SCALAR")
    return binary.vertices(ids.astype("<u2")[:, None], UNSIGNED_SHORT, "SCALAR")


def _indices(binary: Binary, triangles: Array, vertices: int) -> int:
    """The highest value of an index type restarts primitives and is not used (glTF 2.0, 3.7.2.1)."""
    short = vertices <= _LARGEST_UNSIGNED_SHORT
    component = UNSIGNED_SHORT if short else UNSIGNED_INT
    return binary.indices(triangles.astype("<u2" if short else "<u4"), component)


def property_table(binary: Binary, table: FeatureTable) -> Json:
    """A property table of EXT_structural_metadata with its columns."""
    columns = {
        attribute.name: _table_property(binary, binary_column(attribute, values))
        for attribute, values in zip(table.attributes, table.columns, strict=True)
    }
    return {"class": table.kind, "count": table.count, "properties": columns}


def _table_property(binary: Binary, column: BinaryColumn) -> Json:
    found: Json = {"values": binary.view(column.values)}
    if column.offsets is not None:
        found["stringOffsets"] = binary.view(column.offsets)
        found["stringOffsetType"] = column.offset_type
    return found
