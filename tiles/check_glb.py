"""What is wrong with a GLB: container, buffers, accessors, feature ids and property tables.

Part of the checker of `tiles.check`. It follows glTF 2.0, EXT_mesh_features and
EXT_structural_metadata, and shares no code with the writer, so that a mistake is not made twice.
"""

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from tiles import check_meshopt
from tiles.check_instances import attributes_of, check_instances, feature_sets, matrices
from tiles.check_metadata import check_metadata
from tiles.check_surfaces import Shown, check_surfaces
from tiles.check_textures import check_places, check_textures

Array: TypeAlias = npt.NDArray[Any]
Json: TypeAlias = dict[str, Any]

_TYPES = {5120: "i1", 5121: "u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
_COMPONENTS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
_TRIANGLES = 4
_BASE = "/extensions/EXT_structural_metadata"
_UNIT_TOLERANCE = 0.01
_MESHOPT = "EXT_meshopt_compression"


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a document: where (a JSON pointer), a code, and words."""

    place: str
    code: str
    message: str


class Broken(Exception):
    """The document cannot be read any further."""

    def __init__(self, place: str, code: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(place, code, message)


@dataclass(slots=True, eq=False)
class Inspection:
    """What a GLB holds as far as it could be read: problems, and all vertices in scene coordinates."""

    problems: list[Problem] = field(default_factory=list[Problem])
    positions: Array = field(default_factory=lambda: np.zeros((0, 3)))


def inspect_glb(data: bytes) -> Inspection:
    """Check a GLB as far as it can be read; never raises for what is in it."""
    found = Inspection()
    try:
        document, binary = _chunks(data)
        _Document(document, binary, found).check()
    except Broken as broken:
        found.problems.append(broken.problem)
    except (KeyError, TypeError, IndexError, ValueError, AttributeError) as error:
        found.problems.append(Problem("", "gltf-structure", f"The glTF is not as it should be: {error!r}."))
    return found


def _chunks(data: bytes) -> tuple[Json, bytes]:
    if len(data) < 20 or data[:4] != b"glTF":
        raise Broken("", "glb-magic", "The file does not start as a GLB.")
    version, length = struct.unpack_from("<II", data, 4)
    if version != 2:
        raise Broken("", "glb-version", f"The GLB has version {version}, not 2.")
    if length != len(data):
        raise Broken("", "glb-length", f"The GLB says {length} bytes but has {len(data)}.")
    chunks = dict(_each_chunk(data))
    if b"JSON" not in chunks:
        raise Broken("", "glb-chunk", "The GLB has no JSON chunk.")
    try:
        return json.loads(chunks[b"JSON"]), chunks.get(b"BIN\0", b"")
    except ValueError as error:
        raise Broken("", "glb-json", f"The JSON chunk is not JSON: {error}.") from error


def _each_chunk(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = 12
    while position < len(data):
        length, kind = struct.unpack_from("<I4s", data, position)
        if length % 4 or position + 8 + length > len(data):
            raise Broken("", "glb-chunk", f"The chunk at byte {position} has a wrong length of {length}.")
        yield kind, data[position + 8 : position + 8 + length]
        position += 8 + length


class _Document:
    def __init__(self, document: Json, binary: bytes, found: Inspection) -> None:
        self.json = document
        self.binary = binary
        self.found = found
        self._views: dict[int, bytes] = {}
        self._used: dict[int, set[float]] = {}

    def report(self, place: str, code: str, message: str) -> None:
        self.found.problems.append(Problem(place, code, message))

    def check(self) -> None:
        if self.json.get("asset", {}).get("version") != "2.0":
            self.report("/asset/version", "gltf-version", "The glTF version is not 2.0.")
        self._check_views()
        for number, mesh in enumerate(self.json.get("meshes", [])):
            for part, primitive in enumerate(mesh["primitives"]):
                self._check_primitive(f"/meshes/{number}/primitives/{part}", primitive)
        for problem in check_textures(self.json, self.view):
            self.report(*problem)
        self._check_instances()
        self._check_tables()
        metadata = self.json.get("extensions", {}).get("EXT_structural_metadata")
        if metadata is not None:
            for problem in check_metadata(metadata, self.view):
                self.report(*problem)
        self.found.positions = self._scene_positions()

    def _check_views(self) -> None:
        buffers: list[Json] = self.json.get("buffers", [])
        if buffers and not 0 <= len(self.binary) - buffers[0]["byteLength"] < 4:
            message = f"The buffer has {buffers[0]['byteLength']} bytes, the chunk {len(self.binary)}."
            self.report("/buffers/0/byteLength", "buffer-length", message)
        for number, view in enumerate(self.json.get("bufferViews", [])):
            place = f"/bufferViews/{number}"
            packed: Json | None = view.get("extensions", {}).get(_MESHOPT)
            if packed is not None:
                self._check_packed(place, view, packed)
            stored = packed or view
            if view["byteLength"] < 1 or stored.get("byteOffset", 0) + stored["byteLength"] > len(
                self.binary
            ):
                raise Broken(place, "view-range", "The view reaches out of the buffer.")
            if stored["buffer"] != 0:
                raise Broken(place, "dangling-buffer", f"There are no bytes of buffer {stored['buffer']}.")

    def _check_packed(self, place: str, view: Json, packed: Json) -> None:
        """What EXT_meshopt_compression asks of a compressed view and of the buffer it stands in for."""
        if packed["count"] * packed["byteStride"] != view["byteLength"]:
            message = f"{packed['count']} elements of {packed['byteStride']} bytes in {view['byteLength']}."
            self.report(place, "meshopt-length", message)
        if view.get("byteStride", packed["byteStride"]) != packed["byteStride"]:
            self.report(place, "meshopt-length", "The view and its code have different strides.")
        fallback: Json = self.json["buffers"][view["buffer"]]
        if view.get("byteOffset", 0) + view["byteLength"] > fallback["byteLength"]:
            self.report(place, "view-range", "The view reaches out of the buffer that it unpacks to.")
        alone = fallback.get("extensions", {}).get(_MESHOPT, {}).get("fallback", False)
        if alone and _MESHOPT not in self.json.get("extensionsRequired", []):
            self.report("/extensionsRequired", "meshopt-required", f"Nothing can be read without {_MESHOPT}.")

    def view(self, number: int) -> bytes:
        """The bytes of a buffer view, decompressed."""
        views: list[Json] = self.json.get("bufferViews", [])
        if not 0 <= number < len(views):
            raise Broken(f"/bufferViews/{number}", "dangling-view", f"There is no buffer view {number}.")
        if number not in self._views:
            self._views[number] = self._read(f"/bufferViews/{number}", views[number])
        return self._views[number]

    def _read(self, place: str, view: Json) -> bytes:
        packed: Json | None = view.get("extensions", {}).get(_MESHOPT)
        stored = packed or view
        start = stored.get("byteOffset", 0)
        data = self.binary[start : start + stored["byteLength"]]
        if packed is None:
            return data
        if packed.get("filter", "NONE") != "NONE":
            raise Broken(place, "unchecked", "Views with a filter are not understood.")
        try:
            return check_meshopt.decode(data, packed["count"], packed["byteStride"], packed["mode"])
        except check_meshopt.Undecodable as error:
            raise Broken(place, "meshopt", f"The view cannot be decompressed: {error}.") from error

    def values(self, number: int, *, vertex: bool = False) -> Array:
        """The values of an accessor, shape (count, components)."""
        place = f"/accessors/{number}"
        accessors: list[Json] = self.json.get("accessors", [])
        if not 0 <= number < len(accessors):
            raise Broken(place, "dangling-accessor", f"There is no accessor {number}.")
        accessor = accessors[number]
        data = self.view(accessor["bufferView"])
        kind = np.dtype(_TYPES[accessor["componentType"]])
        columns = _COMPONENTS[accessor["type"]]
        view = self.json["bufferViews"][accessor["bufferView"]]
        stride = view.get("byteStride", columns * kind.itemsize)
        offset = accessor.get("byteOffset", 0)
        if (view.get("byteOffset", 0) + offset) % kind.itemsize or (vertex and (offset % 4 or stride % 4)):
            self.report(place, "alignment", "The accessor is not aligned.")
        count = accessor["count"]
        if count < 1 or offset + stride * (count - 1) + columns * kind.itemsize > len(data):
            raise Broken(place, "accessor-range", f"{count} elements reach out of the buffer view.")
        values = np.ndarray((count, columns), kind, data, offset, (stride, kind.itemsize))
        if kind.kind == "f" and not np.isfinite(values).all():
            self.report(place, "not-finite", "The accessor holds NaN or infinity.")
        self._check_extremes(place, accessor, values)
        return values

    def _check_extremes(self, place: str, accessor: Json, values: Array) -> None:
        for name, actual in (("min", values.min(axis=0)), ("max", values.max(axis=0))):
            if name in accessor and not np.array_equal(np.array(accessor[name], dtype=values.dtype), actual):
                self.report(
                    place, "extremes", f"{name} is {accessor[name]}, the data have {actual.tolist()}."
                )

    def _check_primitive(self, place: str, primitive: Json) -> None:
        names: dict[str, int] = primitive["attributes"]
        attributes = {name: self.values(number, vertex=True) for name, number in names.items()}
        if "POSITION" not in attributes:
            raise Broken(place, "no-position", "The primitive has no positions.")
        count = len(attributes["POSITION"])
        for name, values in attributes.items():
            if len(values) != count:
                self.report(
                    place, "attribute-count", f"{name} has {len(values)} values for {count} vertices."
                )
        if not {"min", "max"} <= self.json["accessors"][names["POSITION"]].keys():
            self.report(place, "extremes", "The positions have no min and max.")
        self._check_indices(place, primitive, count)
        for code, message in check_places(self.json, primitive, attributes):
            self.report(place, code, message)
        if "NORMAL" in attributes:
            self._check_normals(place, names["NORMAL"], attributes["NORMAL"])
        self._check_feature_ids(place, primitive, attributes)

    def _check_indices(self, place: str, primitive: Json, vertices: int) -> None:
        count = vertices
        if "indices" in primitive:
            indices = self.values(primitive["indices"])
            count = len(indices)
            if int(indices.max()) >= vertices:
                self.report(place, "index-range", f"Index {int(indices.max())} of {vertices} vertices.")
        if primitive.get("mode", _TRIANGLES) == _TRIANGLES and count % 3:
            self.report(place, "triangles", f"{count} indices are no whole number of triangles.")

    def _check_normals(self, place: str, number: int, values: Array) -> None:
        scale = 127 if self.json["accessors"][number].get("normalized") else 1
        lengths = np.linalg.norm(values.astype(np.float64) / scale, axis=1)
        off = int(np.count_nonzero(np.abs(lengths - 1) > _UNIT_TOLERANCE))
        if off:
            self.report(place, "normal-length", f"{off} normals are not of unit length.")

    @property
    def _tables(self) -> list[Json]:
        metadata: Json = self.json.get("extensions", {}).get("EXT_structural_metadata", {})
        return metadata.get("propertyTables", [])

    def _check_feature_ids(self, place: str, primitive: Json, attributes: dict[str, Array]) -> None:
        sets = primitive.get("extensions", {}).get("EXT_mesh_features", {}).get("featureIds", [])
        for number, ids in enumerate(sets):
            here = f"{place}/extensions/EXT_mesh_features/featureIds/{number}"
            table, name = ids.get("propertyTable"), f"_FEATURE_ID_{ids.get('attribute')}"
            sound = self._check_set(here, ids, attributes.get(name))
            if sound and table is not None and self._tables[table]["class"] == "surface":
                self._check_surfaces(primitive, table, name)

    def _check_instances(self) -> None:
        for problem in check_instances(self.json, self.values):
            self.report(*problem)
        for number, node in enumerate(self.json.get("nodes", [])):
            names = attributes_of(node)
            for position, ids in enumerate(feature_sets(node)):
                here = f"/nodes/{number}/extensions/EXT_instance_features/featureIds/{position}"
                accessor = names.get(f"_FEATURE_ID_{ids.get('attribute')}")
                self._check_set(here, ids, None if accessor is None else self.values(accessor))

    def _check_set(self, place: str, ids: Json, values: Array | None) -> bool:
        """Whether a set of feature ids is sound, as far as tables can be compared with it."""
        table: int | None = ids.get("propertyTable")
        if values is None:
            message = f"There is no attribute _FEATURE_ID_{ids.get('attribute')}."
            self.report(place, "feature-id-attribute", message)
            return False
        if table is not None and not 0 <= table < len(self._tables):
            self.report(place, "dangling-table", f"There is no property table {table}.")
            return False
        if table is not None:
            self._used.setdefault(table, set()).update(values.ravel().tolist())
        return self._check_ids(place, values, ids["featureCount"], table)

    def _check_tables(self) -> None:
        """Whether every row of a table of features belongs to something that is drawn."""
        for table, used in self._used.items():
            rows: int = self._tables[table]["count"]
            if len(used) < rows:
                message = f"{rows} rows, but {len(used)} features are drawn."
                self.report(f"{_BASE}/propertyTables/{table}", "feature-count", message)

    def _check_ids(self, place: str, values: Array, count: int, table: int | None) -> bool:
        before = len(self.found.problems)
        if (values != np.floor(values)).any() or values.min() < 0:
            self.report(place, "feature-id-value", "Feature ids are not whole numbers from 0.")
        rows = count if table is None else self._tables[table]["count"]
        if values.max() >= rows:
            self.report(place, "feature-id-range", f"Feature id {values.max()} of {rows} features.")
        different = len(np.unique(values))
        if different != count:
            self.report(place, "feature-count", f"{different} different feature ids where {count} are told.")
        return len(self.found.problems) == before

    def _check_surfaces(self, primitive: Json, table: int, ids: str) -> None:
        """Whether the measures of surfaces are those of the triangles that carry their ids."""
        metadata: Json = self.json["extensions"]["EXT_structural_metadata"]
        names: dict[str, int] = primitive["attributes"]
        positions = self.values(names["POSITION"]).astype(np.float64)
        corners = self.values(primitive["indices"])[:, 0]
        if len(corners) % 3 or int(corners.max()) >= len(positions) or "NORMAL" not in names:
            return
        corners = corners.reshape(-1, 3)
        nodes: list[Json] = self.json.get("nodes", [])
        scale: list[float] = next((node["scale"] for node in nodes if "scale" in node), [1.0, 1.0, 1.0])
        shown = Shown(
            triangles=(positions * scale)[corners],
            normal=self.values(names["NORMAL"])[corners[:, 0]].astype(np.float64),
            surface=self.values(names[ids])[corners[:, 0], 0].astype(np.int64),
        )
        for code, message in check_surfaces(metadata, table, shown, self.view):
            self.report(f"{_BASE}/propertyTables/{table}", code, message)

    def _scene_positions(self) -> Array:
        parts = [np.zeros((0, 3))]
        nodes: list[Json] = self.json.get("nodes", [])
        for scene in self.json.get("scenes", []):
            pending: list[tuple[int, Array]] = [(number, np.eye(4)) for number in scene.get("nodes", [])]
            while pending:
                number, above = pending.pop()
                matrix = above @ node_matrix(nodes[number])
                pending += [(child, matrix) for child in nodes[number].get("children", [])]
                if "mesh" in nodes[number]:
                    places = matrix @ matrices(self.json, nodes[number], self.values)
                    for primitive in self.json["meshes"][nodes[number]["mesh"]]["primitives"]:
                        local = self.values(primitive["attributes"]["POSITION"]).astype(np.float64)
                        placed = local @ places[:, :3, :3].transpose(0, 2, 1) + places[:, None, :3, 3]
                        parts.append(placed.reshape(-1, 3))
        return np.concatenate(parts)


def node_matrix(node: Json) -> Array:
    """The 4 x 4 transform of a node without rotation, or of one with a matrix."""
    if "matrix" in node:
        return np.array(node["matrix"], dtype=np.float64).reshape(4, 4).T
    if "rotation" in node:
        raise Broken("/nodes", "unchecked", "Nodes with a rotation are not understood.")
    matrix = np.diag([*node.get("scale", [1.0, 1.0, 1.0]), 1.0]).astype(np.float64)
    matrix[:3, 3] = node.get("translation", [0.0, 0.0, 0.0])
    return matrix
