"""The binary form of stored meshes, made to decode many of them in a few numpy calls.

Little-endian; every section starts on 4 bytes:

    header      32 bytes: version u1, bytes of an offset u1 (2 or 4), bytes of a corner u1 (1, 2 or 4),
                bytes of a face u1 (8 or 12), vertices u4, triangles u4, faces u4, anchor i4[3], zero u4
    offsets     vertices x 3: centimetres in EPSG:4978 from the anchor
    corners     triangles x 3: vertices of the mesh, counter-clockwise seen from outside
    faces       unit normal in EPSG:4978 times 32767 i2[3], SurfaceType u1, vertices u1; or, where a
                face has more than 255 vertices: normal, SurfaceType, zero u1, vertices u4.
                Faces own their vertices in order.

Several meshes are decoded at once: joined, they are one buffer in which each section of all meshes
is gathered by one index array.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats, Ints
from twin.processing import segments

VERSION = 1

_HEADER = np.dtype(
    [
        ("version", "u1"),
        ("offset_bytes", "u1"),
        ("corner_bytes", "u1"),
        ("face_bytes", "u1"),
        ("vertices", "<u4"),
        ("triangles", "<u4"),
        ("faces", "<u4"),
        ("anchor", "<i4", (3,)),
        ("spare", "<u4"),
    ]
)
_FACE = {
    8: np.dtype([("normal", "<i2", (3,)), ("type", "u1"), ("vertices", "u1")]),
    12: np.dtype([("normal", "<i2", (3,)), ("type", "u1"), ("zero", "u1"), ("vertices", "<u4")]),
}
_OFFSET = {2: np.dtype("<i2"), 4: np.dtype("<i4")}
_CORNER = {1: np.dtype("<u1"), 2: np.dtype("<u2"), 4: np.dtype("<u4")}
_UNIT_NORMAL = 32767.0
_PADDING = (b"", b"\0", b"\0\0", b"\0\0\0")


@dataclass(frozen=True, slots=True, eq=False)
class MeshArrays:
    """The meshes of many objects before encoding.

    ``positions`` (vertices, 3) are centimetres in EPSG:4978, ``triangles`` (triangles, 3) index
    them, ``face_vertices``, ``face_normal`` (faces, 3) and ``face_type`` describe the faces;
    the three ``start`` arrays (objects + 1) are offsets of the objects.
    """

    positions: Ints
    triangles: Ints
    face_vertices: Ints
    face_normal: Floats
    face_type: npt.NDArray[np.uint8]
    vertex_start: Ints
    triangle_start: Ints
    face_start: Ints


@dataclass(frozen=True, slots=True, eq=False)
class MeshBatch:
    """Decoded meshes, one after the other.

    ``positions`` (vertices, 3) are centimetres in EPSG:4978; ``normals`` (vertices, 3) are in the
    same frame; ``triangles`` (triangles, 3) index the vertices of the whole batch;
    ``object_of_vertex``, ``surface_type`` and ``face`` (vertices,) give the mesh, the SurfaceType
    and the number of the face (counted over the batch) that each vertex belongs to.
    """

    positions: npt.NDArray[np.int32]
    normals: npt.NDArray[np.float32]
    triangles: npt.NDArray[np.uint32]
    object_of_vertex: Ints
    surface_type: npt.NDArray[np.uint8]
    face: Ints


def encode(arrays: MeshArrays) -> list[bytes]:
    """One blob for each object; empty for an object without vertices."""
    header = _headers(arrays)
    offsets = arrays.positions - np.repeat(header["anchor"], header["vertices"], axis=0)
    corners = arrays.triangles - np.repeat(arrays.vertex_start[:-1], header["triangles"])[:, None]
    columns = (
        _slices(header.view(f"V{_HEADER.itemsize}"), np.arange(len(header) + 1)),
        _sized(offsets, _OFFSET, header["offset_bytes"], arrays.vertex_start),
        _sized(corners, _CORNER, header["corner_bytes"], arrays.triangle_start),
        _faces(arrays, header["face_bytes"]),
    )
    return [b"".join(pieces) if pieces[1] else b"" for pieces in zip(*columns, strict=True)]


def _headers(arrays: MeshArrays) -> npt.NDArray[np.void]:
    vertices = np.diff(arrays.vertex_start)
    low = segments.minima(arrays.positions.T.astype(np.float64), arrays.vertex_start)
    high = segments.maxima(arrays.positions.T.astype(np.float64), arrays.vertex_start)
    filled = vertices > 0
    anchor = np.floor(np.where(filled, low, 0.0) / 2.0 + np.where(filled, high, 0.0) / 2.0)
    reach = np.where(filled, np.maximum(high - anchor, anchor - low).max(axis=0), 0.0)
    most = segments.maxima(arrays.face_vertices.astype(np.float64), arrays.face_start)
    header = np.zeros(len(vertices), dtype=_HEADER)
    header["version"] = VERSION
    header["offset_bytes"] = np.where(reach < 1 << 15, 2, 4)
    header["corner_bytes"] = np.select([vertices <= 1 << 8, vertices <= 1 << 16], [1, 2], 4)
    header["face_bytes"] = np.where(most < 1 << 8, 8, 12)
    header["vertices"] = vertices
    header["triangles"] = np.diff(arrays.triangle_start)
    header["faces"] = np.diff(arrays.face_start)
    header["anchor"] = anchor.T
    return header


def _sized(values: Ints, types: Mapping[int, np.dtype[Any]], size: Ints, start: Ints) -> list[bytes]:
    """The rows of each object in the type of its size."""
    used = {int(width): values.astype(types[int(width)]) for width in np.unique(size)}
    return _choose({width: _slices(array, start) for width, array in used.items()}, size)


def _faces(arrays: MeshArrays, size: Ints) -> list[bytes]:
    used: dict[int, list[bytes]] = {}
    for width in np.unique(size):
        record = np.zeros(len(arrays.face_type), dtype=_FACE[int(width)])
        record["normal"] = np.rint(arrays.face_normal * _UNIT_NORMAL)
        record["type"] = arrays.face_type
        record["vertices"] = arrays.face_vertices.astype(record.dtype["vertices"])
        used[int(width)] = _slices(record, arrays.face_start)
    return _choose(used, size)


def _slices(rows: npt.NDArray[Any], start: Ints) -> list[bytes]:
    """The rows of each object as bytes, filled up to a multiple of 4."""
    data, size = rows.tobytes(), rows.strides[0]
    bounds = (start * size).tolist()
    return [data[a:b] + _PADDING[(a - b) % 4] for a, b in pairwise(bounds)]


def _choose(variants: Mapping[int, list[bytes]], size: Ints) -> list[bytes]:
    if len(variants) == 1:
        return next(iter(variants.values()))
    return [variants[width][i] for i, width in enumerate(size.tolist())]


def decode(blobs: Sequence[bytes]) -> MeshBatch:
    """Decode meshes into one batch; an empty blob has no vertices.

    Raises ValueError for a blob of another version of the format.
    """
    buffer = np.frombuffer(b"".join(blobs), dtype=np.uint8)
    length = np.fromiter(map(len, blobs), dtype=np.int64, count=len(blobs))
    filled = np.flatnonzero(length)
    start = (np.cumsum(length) - length)[filled]
    header = _gather(buffer, start, np.full(len(filled), _HEADER.itemsize)).view(_HEADER)
    if (header["version"] != VERSION).any():
        raise ValueError(f"a stored mesh is not of version {VERSION}: import or process its dataset again")
    vertices, triangles, faces = (header[n].astype(np.int64) for n in ("vertices", "triangles", "faces"))
    at_corners = start + _HEADER.itemsize + _padded(vertices * 3 * header["offset_bytes"])
    at_faces = at_corners + _padded(triangles * 3 * header["corner_bytes"])
    offsets = _mixed(buffer, start + _HEADER.itemsize, vertices * 3, header["offset_bytes"], _OFFSET)
    corners = _mixed(buffer, at_corners, triangles * 3, header["corner_bytes"], _CORNER)
    normal, surface_type, count = _decode_faces(buffer, at_faces, faces, header["face_bytes"])
    base = np.cumsum(vertices) - vertices
    return MeshBatch(
        positions=offsets.reshape(-1, 3) + np.repeat(header["anchor"], vertices, axis=0),
        normals=np.repeat(normal, count, axis=0),
        triangles=(corners + np.repeat(base, triangles * 3)).astype(np.uint32).reshape(-1, 3),
        object_of_vertex=np.repeat(filled, vertices),
        surface_type=np.repeat(surface_type, count),
        face=np.repeat(np.arange(len(count), dtype=np.int64), count),
    )


def _decode_faces(
    buffer: npt.NDArray[np.uint8], start: Ints, faces: Ints, size: Ints
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8], Ints]:
    """Normal, surface type and number of vertices of every face."""
    normal = np.empty((int(faces.sum()), 3), dtype=np.float32)
    surface_type = np.empty(len(normal), dtype=np.uint8)
    count = np.empty(len(normal), dtype=np.int64)
    width_of_face = np.repeat(size, faces)
    for width in np.unique(size):
        alike, rows = size == width, width_of_face == width
        record = _gather(buffer, start[alike], faces[alike] * int(width)).view(_FACE[int(width)])
        normal[rows] = record["normal"] / np.float32(_UNIT_NORMAL)
        surface_type[rows] = record["type"]
        count[rows] = record["vertices"]
    return normal, surface_type, count


def _mixed(
    buffer: npt.NDArray[np.uint8], start: Ints, count: Ints, size: Ints, types: Mapping[int, np.dtype[Any]]
) -> npt.NDArray[np.int32]:
    """Elements of each mesh, ``count`` from byte ``start`` on, each mesh with its own element size."""
    result = np.empty(int(count.sum()), dtype=np.int32)
    size_of_element = np.repeat(size, count)
    for width in np.unique(size):
        alike = size == width
        values = buffer.view(types[int(width)])
        result[size_of_element == width] = values[segments.ranges(start[alike] // int(width), count[alike])]
    return result


def _gather(buffer: npt.NDArray[np.uint8], start: Ints, length: Ints) -> npt.NDArray[np.uint8]:
    """The bytes of several stretches, one after the other; starts and lengths are multiples of 4."""
    words = buffer.view("<u4")
    return words[segments.ranges(start // 4, length // 4)].view(np.uint8)


def _padded(size: Ints) -> Ints:
    return (size + 3) // 4 * 4
