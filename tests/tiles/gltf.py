"""A reader of GLB that shares no code with writer and checker, and the Khronos validator if it is there."""

import json
import shutil
import struct
import subprocess
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import meshopt
import numpy as np
import numpy.typing as npt
import pytest

codec: Any = meshopt

Array = npt.NDArray[Any]

_TYPES = {5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32, 5126: np.float32}
_COLUMNS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
_VALIDATOR = Path(__file__).parent.parent / "gltf"


@dataclass(frozen=True)
class Glb:
    """A GLB taken apart."""

    document: dict[str, Any]
    binary: bytes

    @property
    def primitive(self) -> dict[str, Any]:
        (mesh,) = self.document["meshes"]
        (primitive,) = mesh["primitives"]
        return primitive

    def view(self, number: int) -> bytes:
        view = self.document["bufferViews"][number]
        if "extensions" in view:
            packed = view["extensions"]["EXT_meshopt_compression"]
            stored = self.binary[packed["byteOffset"] :][: packed["byteLength"]]
            size = packed["byteStride"]
            return codec.decode_gltf_buffer(stored, packed["count"], size, packed["mode"]).tobytes()
        return self.binary[view["byteOffset"] :][: view["byteLength"]]

    def accessor(self, number: int) -> Array:
        """Values (count, components), element by element with struct-like slices."""
        accessor = self.document["accessors"][number]
        view = self.document["bufferViews"][accessor["bufferView"]]
        dtype = np.dtype(_TYPES[accessor["componentType"]])
        columns = _COLUMNS[accessor["type"]]
        stride = view.get("byteStride", columns * dtype.itemsize)
        data = self.view(accessor["bufferView"])
        rows = [
            np.frombuffer(data, dtype, columns, stride * i + accessor.get("byteOffset", 0))
            for i in range(accessor["count"])
        ]
        return np.array(rows)

    def attribute(self, name: str) -> Array:
        return self.accessor(self.primitive["attributes"][name])

    def positions(self) -> Array:
        """Metres in the tile's frame, east, north, up."""
        (node,) = self.document["nodes"]
        scale, translation = np.array(node.get("scale", [1, 1, 1])), np.array(node["translation"])
        x, y, z = (self.attribute("POSITION") * scale + translation).T
        return np.column_stack([x, -z, y])

    def drawn(self) -> tuple[Array, Array]:
        """Corners in metres in the tile's frame, east, north, up, and the object of each, of all nodes."""
        places: list[Array] = []
        objects: list[Array] = []
        for node in self.document["nodes"]:
            (primitive,) = self.document["meshes"][node["mesh"]]["primitives"]
            local = self.accessor(primitive["attributes"]["POSITION"]).astype(np.float64)
            beside = node.get("extensions", {}).get("EXT_mesh_gpu_instancing")
            if beside is None:
                found = local * node.get("scale", [1, 1, 1])
                owner = self.accessor(primitive["attributes"]["_FEATURE_ID_0"])[:, 0]
            else:
                columns = (
                    beside["attributes"][n] for n in ("TRANSLATION", "ROTATION", "SCALE", "_FEATURE_ID_0")
                )
                each = zip(*map(self.accessor, columns), strict=True)
                turned = [
                    (_turned(local * scale, turn) + place, int(own[0])) for place, turn, scale, own in each
                ]
                found = np.concatenate([points for points, _ in turned])
                owner = np.repeat([own for _, own in turned], len(local))
            places.append(found + node["translation"])
            objects.append(owner)
        x, y, z = np.concatenate(places).T
        return np.column_stack([x, -z, y]), np.concatenate(objects)

    @property
    def metadata(self) -> dict[str, Any]:
        return self.document["extensions"]["EXT_structural_metadata"]

    def column(self, table: int, name: str) -> list[Any]:
        """A property table column as Python values; noData becomes None."""
        found = self.metadata["propertyTables"][table]
        schema = self.metadata["schema"]
        declared = schema["classes"][found["class"]]["properties"][name]
        column = found["properties"][name]
        data = self.view(column["values"])
        if declared["type"] == "STRING":
            size = {"UINT16": np.uint16, "UINT32": np.uint32}[column["stringOffsetType"]]
            offsets = np.frombuffer(self.view(column["stringOffsets"]), size).tolist()
            values: list[Any] = [data[a:b].decode() for a, b in pairwise(offsets)]
        elif declared["type"] == "ENUM":
            names = {v["value"]: v["name"] for v in schema["enums"][declared["enumType"]]["values"]}
            values = [names[code] for code in data]
        else:
            size = {"INT32": np.int32, "FLOAT32": np.float32}[declared["componentType"]]
            values = np.frombuffer(data, size).tolist()
        return [None if value == declared.get("noData") else value for value in values]


def _turned(points: Array, quaternion: Array) -> Array:
    """Points (n, 3) turned by x, y, z, w, as Hamilton has it: q p q*."""
    x, y, z, w = quaternion.astype(np.float64)
    q = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    conjugate = np.array([[w, x, y, z], [-x, w, -z, y], [-y, z, w, -x], [-z, -y, x, w]])
    padded = np.column_stack([np.zeros(len(points)), points])
    return (padded @ (conjugate @ q).T)[:, 1:]


def read(data: bytes) -> Glb:
    magic, version, length = struct.unpack_from("<4sII", data)
    assert (magic, version, length) == (b"glTF", 2, len(data))
    json_length, kind = struct.unpack_from("<I4s", data, 12)
    assert kind == b"JSON"
    start = 20 + json_length
    binary_length, kind = struct.unpack_from("<I4s", data, start)
    assert kind == b"BIN\0"
    assert start + 8 + binary_length == len(data)
    return Glb(json.loads(data[20:start]), data[start + 8 :])


def validate(path: Path) -> dict[str, Any]:
    """The report of the Khronos validator over a folder; skips where it is not installed."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed, so the Khronos glTF validator cannot run")
    if not (_VALIDATOR / "node_modules" / "gltf-validator").is_dir():
        pytest.skip("the Khronos glTF validator is not installed: npm ci --prefix tests/gltf")
    script = _VALIDATOR / "validate.mjs"
    done = subprocess.run([node, str(script), str(path)], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)
