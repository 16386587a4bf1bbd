"""FlatGeobuf 3: a header, then one length-prefixed FlatBuffer for each feature.

Neither index nor count is in the header, both of which a writer that streams cannot know; readers then go
from the beginning to the end. Nearly all features are one ring, and those with as many points have buffers
that differ in numbers alone: the first of them is laid out, the others are filled in.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, TypeAlias

import numpy as np
import orjson
import shapely

from twin.formats.tables import Columns, Table

MAGIC = b"fgb\x03fgb\x00"
_shapely: Any = shapely

_UNKNOWN, _POLYGON, _MULTIPOLYGON = 0, 3, 6
_BOOL, _LONG, _DOUBLE, _STRING, _JSON, _DATE_TIME = 2, 7, 10, 11, 12, 13


class _Table:
    """A table of a FlatBuffer: fields by their numbers, each a scalar with its size or a part of its own."""

    def __init__(self, fields: Mapping[int, "tuple[str, Any] | bytes | _Table | list[_Table]"]) -> None:
        self.fields = fields


class _Buffer:
    """A FlatBuffer from its root on: what a table refers to lies behind it, as offsets have no sign."""

    def __init__(self) -> None:
        self._data = bytearray()
        self.vectors: list[int] = []
        """Where the vectors of numbers, bytes and letters begin, with their lengths."""

    def of(self, root: _Table) -> bytes:
        self._data += b"\0\0\0\0"
        self._refer(0, self._table(root))
        # Whole words, so that what follows in a file is aligned too.
        self._align(8)
        return bytes(self._data)

    def _align(self, size: int, ahead: int = 0) -> None:
        self._data += bytes(-(len(self._data) + ahead) % size)

    def _refer(self, at: int, target: int) -> None:
        struct.pack_into("<I", self._data, at, target - at)

    def _table(self, table: _Table) -> int:
        """The table with its vtable before it, then what it refers to; where the table is."""
        fields = table.fields
        count = max(fields, default=-1) + 1
        sizes = {n: struct.calcsize(v[0]) if isinstance(v, tuple) else 4 for n, v in fields.items()}
        offsets, length = dict[int, int](), 4
        for number in sorted(fields, key=lambda n: -sizes[n]):
            # The table starts four bytes before a multiple of eight, so that its first field is on one.
            length += -(length + 4) % sizes[number]
            offsets[number] = length
            length += sizes[number]
        vtable = [4 + 2 * count, length, *(offsets.get(number, 0) for number in range(count))]
        self._align(8, ahead=2 * len(vtable) + 4)
        self._data += struct.pack(f"<{len(vtable)}H", *vtable)
        start = len(self._data)
        self._data += struct.pack("<i", 2 * len(vtable)) + bytes(length - 4)
        for number, value in fields.items():
            at = start + offsets[number]
            if isinstance(value, tuple):
                struct.pack_into(f"<{value[0]}", self._data, at, value[1])
            else:
                self._refer(at, self._referred(value))
        return start

    def _referred(self, value: "bytes | _Table | list[_Table]") -> int:
        if isinstance(value, _Table):
            return self._table(value)
        if isinstance(value, bytes):
            return self._vector(value)
        self._align(4)
        start = len(self._data)
        self._data += struct.pack("<I", len(value)) + bytes(4 * len(value))
        for index, table in enumerate(value):
            self._refer(start + 4 + 4 * index, self._table(table))
        return start

    def _vector(self, content: bytes) -> int:
        """A vector as `_vector_of` makes it: the size of an item in a byte, then the items."""
        size, items = content[0], content[1:]
        self._align(max(size, 4), ahead=4)
        start = len(self._data)
        self.vectors.append(start)
        self._data += struct.pack("<I", len(items) // size) + items
        if size == 1:
            self._data += b"\0"  # a string ends with a zero that does not count
        return start


def _text(value: str) -> bytes:
    return b"\x01" + value.encode("utf-8", "replace")


def _vector_of(size: int, content: bytes) -> bytes:
    return bytes([size]) + content


_Encoder: TypeAlias = Callable[[Any], bytes]


def _long(value: int) -> bytes:
    return struct.pack("<q", value)


def _double(value: float) -> bytes:
    return struct.pack("<d", value)


def _bool(value: bool) -> bytes:
    return b"\x01" if value else b"\x00"


def _sized(content: bytes) -> bytes:
    return struct.pack("<I", len(content)) + content


def _string(value: str) -> bytes:
    return _sized(value.encode("utf-8", "replace"))


def _json(value: Any) -> bytes:
    return _sized(orjson.dumps(value))


def _moment(value: date | datetime) -> bytes:
    return _sized(value.isoformat().encode())


_TYPES: dict[str, tuple[int, _Encoder]] = {
    "text": (_STRING, _string),
    "integer": (_LONG, _long),
    "number": (_DOUBLE, _double),
    "boolean": (_BOOL, _bool),
    "date": (_DATE_TIME, _moment),
    "timestamp": (_DATE_TIME, _moment),
    "list": (_JSON, _json),
}
"""The type of a column in FlatGeobuf, and how a value of it is written."""


class FlatGeobufWriter:
    """Writes a table in parts; the geometries are WKB, easting first."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._encoders = [
            (struct.pack("<H", index), _TYPES[field.type][1]) for index, field in enumerate(table.fields)
        ]
        self._forms: dict[tuple[int, bool, int], _Form] = {}

    def start(self) -> bytes:
        return MAGIC + _prefixed(_Buffer().of(self._header()))

    def part(self, columns: Columns) -> bytes:
        shapes = _shapely.from_wkb(list(columns[-1]))
        single = _one_ring(shapes)
        xyz = _shapely.get_coordinates(shapes, include_z=True)
        ends = np.cumsum(_shapely.get_num_coordinates(shapes)).tolist()
        kinds = zip(_shapely.get_type_id(shapes).tolist(), _shapely.has_z(shapes).tolist(), strict=True)
        written: list[bytes] = []
        start = 0
        for index, (kind, content) in enumerate(zip(kinds, self._properties(columns), strict=True)):
            if single[index]:
                form = self._form((*kind, ends[index] - start), shapes[index])
                written.append(form.filled(xyz[start : ends[index]], content))
            else:
                written.append(_Buffer().of(_feature(shapes[index], content)))
            start = ends[index]
        return b"".join(map(_prefixed, written))

    def _form(self, key: tuple[int, bool, int], shape: Any) -> "_Form":
        if key not in self._forms:
            buffer = _Buffer()
            self._forms[key] = _Form(buffer.of(_feature(shape, b"")), buffer.vectors)
        return self._forms[key]

    def finish(self) -> bytes:
        return b""

    def _header(self) -> _Table:
        system = self._table.system
        # Columns: 0 name, 1 type, 3 description. Crs: 0 organisation, 1 code.
        columns = [
            _Table(
                {0: _text(field.name), 1: ("B", _TYPES[field.type][0])}
                | ({} if field.description is None else {3: _text(field.description)})
            )
            for field in self._table.fields
        ]
        code = 4979 if system.heights else system.code
        crs = _Table({0: _text("EPSG"), 1: ("i", code)})
        # 0 name, 2 kind of geometry, 3 heights, 7 columns, 9 size of index nodes, 10 reference system.
        return _Table(
            {
                0: _text(self._table.name),
                2: ("B", _MULTIPOLYGON if self._table.multipolygons else _UNKNOWN),
                3: ("?", system.heights),
                7: columns,
                9: ("H", 0),
                10: crs,
            }
        )

    def _properties(self, columns: Columns) -> list[bytes]:
        """The properties of each row: number of the column, value; missing ones are left out."""
        rows: list[list[bytes]] = [[] for _ in columns[-1]]
        for (number, encode), column in zip(self._encoders, columns, strict=False):
            for row, value in zip(rows, column, strict=True):
                if value is not None:
                    row.append(number + encode(value))
        return [b"".join(row) for row in rows]


def _prefixed(buffer: bytes) -> bytes:
    return struct.pack("<I", len(buffer)) + buffer


def _one_ring(shapes: Any) -> list[bool]:
    """Which shapes are one polygon without holes, be it alone or the only one of a MultiPolygon."""
    polygons = np.isin(_shapely.get_type_id(shapes), (_POLYGON, _MULTIPOLYGON))
    whole = polygons & (_shapely.get_num_geometries(shapes) == 1) & ~_shapely.is_empty(shapes)
    return (whole & (_shapely.get_num_interior_rings(_shapely.get_geometry(shapes, 0)) == 0)).tolist()


@dataclass(frozen=True, slots=True)
class _Form:
    """The buffer of a feature of one ring, and where its vectors are: xy, perhaps z, properties."""

    buffer: bytes
    vectors: list[int]

    def filled(self, xyz: Any, properties: bytes) -> bytes:
        """The same with other coordinates (n, 3) and properties."""
        numbers: list[Any] = [xyz[:, :2], xyz[:, 2]][: len(self.vectors) - 1]
        parts: list[bytes] = []
        done = 0
        for at, values in zip(self.vectors[:-1], numbers, strict=True):
            content = np.ascontiguousarray(values, dtype="<f8").tobytes()
            parts += (self.buffer[done : at + 4], content)
            done = at + 4 + len(content)
        length = self.vectors[-1] + 4 + len(properties)
        parts += (self.buffer[done : self.vectors[-1]], _sized(properties), bytes(-length % 8))
        return b"".join(parts)


def _feature(shape: Any, properties: bytes) -> _Table:
    """A table of a feature: 0 geometry, 1 properties, which come last."""
    fields: dict[int, Any] = {} if shape is None else {0: _geometry(shape)}
    return _Table({**fields, 1: _vector_of(1, properties)})


def _geometry(shape: Any) -> _Table:
    """A table of a geometry: 0 ends of rings, 1 xy, 2 z, 6 kind, 7 parts."""
    kind = _WKB_TYPES[int(_shapely.get_type_id(shape))]
    if kind in (_MULTIPOLYGON, 7):
        parts = [_geometry(part) for part in _shapely.get_parts(shape)]
        return _Table({6: ("B", kind), 7: parts})
    coordinates = _shapely.get_coordinates(shape, include_z=_shapely.has_z(shape))
    fields: dict[int, Any] = {1: _doubles(coordinates[:, :2]), 6: ("B", kind)}
    if coordinates.shape[1] == 3:
        fields[2] = _doubles(coordinates[:, 2])
    pieces = _pieces(shape, kind)
    if len(pieces) > 1:
        ends: Any = np.cumsum([int(_shapely.get_num_coordinates(piece)) for piece in pieces])
        fields[0] = _vector_of(4, ends.astype("<u4").tobytes())
    return _Table(fields)


def _pieces(shape: Any, kind: int) -> Sequence[Any]:
    """The rings or lines that share the coordinates of a geometry."""
    if kind == _POLYGON:
        return list(_shapely.get_rings(shape))
    return list(_shapely.get_parts(shape)) if kind == _MULTI_LINE else [shape]


_MULTI_LINE = 5
_WKB_TYPES = (1, 2, 2, 3, 4, 5, 6, 7)
"""By the numbers that GEOS gives the kinds of geometries."""


def _doubles(values: Any) -> bytes:
    return _vector_of(8, np.ascontiguousarray(values, dtype="<f8").tobytes())
