"""Geometries of the model as PolyhedralSurface Z and back, without loss.

PostGIS has no type that keeps shells and semantics, so a row of ``object_geometry`` holds the faces
as the patches of one PolyhedralSurface Z (interior rings included) and, beside it, offsets of
shells and solids and a semantic index per face. Points and lines are MultiPoint Z and
MultiLineString Z, an instance of a template the MultiPoint Z of its reference point. The bytes are
extended well-known binary, which COPY BINARY takes as they are.
"""

import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from twin.db.geometry_json import (
    address_json,
    appearance_json,
    read_appearance,
    read_semantics,
    read_template,
    semantics_json,
    template_json,
)
from twin.model.cityobject import Address, same_faces
from twin.model.geometry import Geometry, Ints, offsets

_POLYHEDRAL_Z = 15 | 0x80000000
_POLYGON_Z = 3 | 0x80000000
_SRID = 0x20000000
_MULTI_POINT_Z = 4 | 0x80000000
_MULTI_LINE_Z = 5 | 0x80000000
_POINT_Z = 1 | 0x80000000
_LINE_Z = 2 | 0x80000000
_POINT_BYTES = 24
_FEWEST_POINTS = 4
"""PostGIS takes no ring of fewer points; degenerate ones are filled up with their first point."""
_PATCH_HEADER = struct.pack("<BI", 1, _POLYGON_Z)


def encode(geometries: Sequence[Geometry], srid: int | None) -> list[bytes]:
    """EWKB of each geometry; ``srid`` is the EPSG code of the horizontal reference system, if known."""
    surfaces = iter(_encode_surfaces([g for g in geometries if g.dimension == 2], srid))
    return [next(surfaces) if g.dimension == 2 else _encode_simple(g, srid) for g in geometries]


def _encode_simple(geometry: Geometry, srid: int | None) -> bytes:
    """Points and lines; they are few, so that no batch of them is worth while."""
    is_line = geometry.dimension == 1
    parts = [_head(_MULTI_LINE_Z if is_line else _MULTI_POINT_Z, srid), _count(len(geometry.semantic))]
    cuts: list[int] = geometry.ring_start.tolist()
    for low, high in pairwise(cuts):
        parts.append(struct.pack("<BI", 1, _LINE_Z if is_line else _POINT_Z))
        if is_line:
            parts.append(_count(high - low))
        parts.append(np.ascontiguousarray(geometry.xyz[low:high], dtype="<f8").tobytes())
    return b"".join(parts)


def _count(number: int) -> bytes:
    return struct.pack("<I", number)


def _encode_surfaces(geometries: Sequence[Geometry], srid: int | None) -> list[bytes]:
    """EWKB of surfaces and solids, all of them laid out in one buffer by numpy."""
    rings = [np.diff(g.ring_start) for g in geometries]
    surfaces = [np.diff(g.surface_start) for g in geometries]
    header = _head(_POLYHEDRAL_Z, srid)
    lengths = np.concatenate([*rings, np.zeros(0, np.int64)])
    points = np.maximum(lengths + 1, _FEWEST_POINTS)
    rings_of = np.concatenate([*surfaces, np.zeros(0, np.int64)])
    surfaces_of = np.array([len(s) for s in surfaces], dtype=np.int64)
    ring_size = 4 + _POINT_BYTES * points
    surface_size = 9 + _sums(ring_size, rings_of)
    geometry_size = len(header) + 4 + _sums(surface_size, surfaces_of)
    geometry_at = offsets(geometry_size)
    surface_at = _places(geometry_at, surfaces_of, surface_size, len(header) + 4)
    ring_at = _places(surface_at, rings_of, ring_size, 9)
    buffer = np.zeros(int(geometry_at[-1]), dtype=np.uint8)
    _put(buffer, geometry_at[:-1], np.tile(np.frombuffer(header, np.uint8), (len(geometries), 1)))
    _put(buffer, geometry_at[:-1] + len(header), _uint32(surfaces_of))
    _put(buffer, surface_at, np.tile(np.frombuffer(_PATCH_HEADER, np.uint8), (len(rings_of), 1)))
    _put(buffer, surface_at + 5, _uint32(rings_of))
    _put(buffer, ring_at, _uint32(points))
    _put_points(buffer, geometries, ring_at + 4, lengths, points)
    whole = buffer.tobytes()
    return [whole[a:b] for a, b in pairwise(geometry_at)]


def _head(kind: int, srid: int | None) -> bytes:
    if srid is None:
        return struct.pack("<BI", 1, kind)
    return struct.pack("<BII", 1, kind | _SRID, srid)


def _sums(values: Ints, counts: Ints) -> Ints:
    """Sums of ``values`` over consecutive groups of the given sizes."""
    total = np.concatenate([np.zeros(1, np.int64), np.cumsum(values)])
    ends = np.cumsum(counts)
    return total[ends] - total[ends - counts]


def _places(group_at: Ints, counts: Ints, sizes: Ints, skip: int) -> Ints:
    """Byte offset of each member, where groups start at ``group_at`` with ``skip`` bytes of header."""
    before = np.cumsum(sizes) - sizes
    first = offsets(counts)[:-1]
    group = np.repeat(np.arange(len(counts)), counts)
    return group_at[group] + skip + before - before[first[group]]


def _uint32(values: Ints) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return values.astype("<u4").view(np.uint8).reshape(-1, 4)


def _put(buffer: np.ndarray[Any, np.dtype[np.uint8]], at: Ints, rows: Any) -> None:
    """Each row of bytes at its place, moved as one item: a view has an item at every byte."""
    width = rows.shape[1]
    if len(rows):
        places = np.ndarray((len(buffer) - width + 1,), f"V{width}", buffer, strides=(1,))
        places[at] = np.ascontiguousarray(rows).view(f"V{width}").ravel()


def _put_points(
    buffer: Any, geometries: Sequence[Geometry], ring_at: Ints, lengths: Ints, points: Ints
) -> None:
    """Write every ring with its first point repeated at the end, as well-known binary closes rings."""
    open_start = offsets(lengths)
    ring = np.repeat(np.arange(len(points)), points)
    within = np.arange(len(ring)) - np.repeat(np.cumsum(points) - points, points)
    source = open_start[:-1][ring] + np.where(within < lengths[ring], within, 0)
    xyz = np.concatenate([*(g.xyz for g in geometries), np.zeros((0, 3))])[source]
    rows = np.ascontiguousarray(xyz, dtype="<f8").view(np.uint8).reshape(-1, _POINT_BYTES)
    _put(buffer, ring_at[ring] + within * _POINT_BYTES, rows)


def decode(row: Mapping[str, Any]) -> Geometry:
    """A row of ``object_geometry`` as a geometry; ``geom`` holds EWKB bytes."""
    xyz, ring_start, surface_start = _decode(bytes(row["geom"]))
    faces = len(surface_start) - 1
    shells = _numbers(row["shell_start"], _one(faces))
    semantics = read_semantics(row["surfaces"])
    return Geometry(
        type=row["geometry_type"],
        lod=row["lod"],
        xyz=xyz,
        ring_start=ring_start,
        surface_start=surface_start,
        shell_start=shells,
        solid_start=_numbers(row["solid_start"], _one(len(shells) - 1)),
        semantic=_numbers(row["face_semantic"], _usual_numbers(faces, len(semantics))),
        semantics=semantics,
        appearance=read_appearance(row["appearance"], ring_start),
        instance=read_template(row["template"]),
    )


def _decode(data: bytes) -> tuple[Any, Ints, Ints]:
    (kind,) = struct.unpack_from("<I", data, 1)
    at = 9 if kind & _SRID else 5
    (count,) = struct.unpack_from("<I", data, at)
    if kind & ~_SRID == _POLYHEDRAL_Z:
        return _decode_patches(data, at + 4, count)
    return _decode_simple(data, at + 4, count, is_line=kind & ~_SRID == _MULTI_LINE_Z)


def _decode_simple(data: bytes, at: int, count: int, *, is_line: bool) -> tuple[Any, Ints, Ints]:
    parts: list[Any] = []
    for _ in range(count):
        points = struct.unpack_from("<I", data, at + 5)[0] if is_line else 1
        at += 9 if is_line else 5
        parts.append(np.frombuffer(data, "<f8", points * 3, at).reshape(-1, 3))
        at += points * _POINT_BYTES
    xyz = np.concatenate([*parts, np.zeros((0, 3))])
    return xyz, offsets([len(part) for part in parts]), np.arange(count + 1, dtype=np.int64)


def _decode_patches(data: bytes, at: int, patches: int) -> tuple[Any, Ints, Ints]:
    """Only counts are read one by one; coordinates are cut out and joined as bytes."""
    rings: list[bytes] = []
    lengths: list[int] = []
    per_surface: list[int] = []
    for _ in range(patches):
        count, points = _PATCH.unpack_from(data, at)
        per_surface.append(count)
        at += 13
        for ring in range(count):
            if ring:
                (points,) = _COUNT.unpack_from(data, at)
                at += 4
            length = points - 1 if points > _FEWEST_POINTS else _open_length(data, at)
            lengths.append(length)
            rings.append(data[at : at + length * _POINT_BYTES])
            at += points * _POINT_BYTES
    xyz = np.frombuffer(bytearray().join(rings), "<f8").reshape(-1, 3)
    return xyz, offsets(np.array(lengths, dtype=np.int64)), offsets(np.array(per_surface, dtype=np.int64))


_COUNT = struct.Struct("<I")
_PATCH = struct.Struct("<5xII")
"""A polygon's byte order and type, passed over; how many rings it has, and the first one points."""


def _open_length(data: bytes, at: int) -> int:
    """Points of one of the shortest rings, which were filled up with more than one closing point."""
    points = [data[at + n * _POINT_BYTES : at + (n + 1) * _POINT_BYTES] for n in range(_FEWEST_POINTS - 1)]
    length = _FEWEST_POINTS - 1
    while length > 1 and points[length - 1] == points[0]:
        length -= 1
    return length


def addresses(stated: Sequence[Address]) -> list[dict[str, Any]] | None:
    """The column ``addresses`` of an object; None where it has none."""
    return [address_json(address) for address in stated] or None


def columns(geometry: Geometry) -> dict[str, Any]:
    """What stands beside ``geom`` in a row of ``object_geometry``; lists that are as usual are empty."""
    numbers: list[int] = geometry.semantic.tolist()
    usual = list(range(len(numbers))) if geometry.semantics else [-1] * len(numbers)
    return {
        "lod": geometry.lod,
        "geometry_type": geometry.type,
        "shell_start": _several(geometry.shell_start),
        "solid_start": _several(geometry.solid_start),
        "face_semantic": [] if numbers == usual else numbers,
        "surfaces": semantics_json(geometry.semantics),
        "appearance": appearance_json(geometry.appearance),
        "template": template_json(geometry.instance),
    }


def _one(members: int) -> Ints:
    """Offsets where all are in one: most geometries are of one solid with one shell."""
    return np.array([0, members], dtype=np.int64)


def _usual_numbers(faces: int, surfaces: int) -> Ints:
    """The semantic surface of each face where every face has one of its own, or none has any."""
    return np.arange(faces, dtype=np.int64) if surfaces else np.full(faces, -1, dtype=np.int64)


def _several(start: Ints) -> list[int]:
    return start.tolist() if len(start) > 2 else []


def _numbers(stored: Sequence[int], usual: Ints) -> Ints:
    return np.asarray(stored, dtype=np.int64) if len(stored) else usual


def repeated(geometries: Sequence[Geometry]) -> list[int | None]:
    """For each geometry of an object the number of an earlier one with the same faces, else None.

    A solid is often given once more as a MultiSurface, or the other way round; its faces are stored once.
    """
    found: list[int | None] = []
    for number, geometry in enumerate(geometries):
        earlier = (n for n in range(number) if found[n] is None and _repeats(geometry, geometries[n]))
        found.append(next(earlier, None))
    return found


def _repeats(geometry: Geometry, other: Geometry) -> bool:
    return (
        geometry.lod == other.lod
        and geometry.dimension == other.dimension == 2
        and same_faces(geometry, other)
    )
