"""Rows in the binary form of COPY, made a column at a time.

It needs no connection, so that the processes that compute rows can pack them as well: one text of bytes
passes between processes in no time, thousands of mappings do not. The form is that of PostgreSQL, "COPY",
section "Binary Format"; values are as its send functions write them.
"""

import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import repeat
from operator import itemgetter
from typing import Any

import numpy as np
import orjson
import psycopg
from sqlalchemy import Column, Connection, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Packed:
    """Rows of one shape: the names of their columns, and the rows behind each other."""

    names: tuple[str, ...] = ()
    data: bytes = b""
    rows: int = 0

    def __len__(self) -> int:
        return self.rows


def pack(table: Table, rows: Sequence[Row]) -> Packed:
    """The rows, all of them with the same columns of the table."""
    if not rows:
        return Packed()
    columns = [column for column in table.columns if column.name in rows[0]]
    # One look-up of all names a row, and the turning over, are loops of C.
    names = [column.name for column in columns]
    values = zip(*map(itemgetter(*names, names[0]), rows), strict=True)
    fields = [_fields(column, of_rows) for column, of_rows in zip(columns, values, strict=False)]
    head = repeat(_COUNT.pack(len(columns)), len(rows))
    data = b"".join(map(b"".join, zip(head, *fields, strict=True)))
    return Packed(tuple(names), data, len(rows))


def copy_packed(connection: Connection, name: str, packed: Packed) -> None:
    """COPY rows into a table or partition called ``name``."""
    if not packed.rows:
        return
    names = ", ".join(f'"{column}"' for column in packed.names)
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    command = f"COPY {name} ({names}) FROM STDIN (FORMAT BINARY)"
    with driver.cursor() as cursor, cursor.copy(command.encode()) as copy:
        copy.write(_SIGNATURE)
        copy.write(packed.data)
        copy.write(_END)


def copy_rows(connection: Connection, table: Table, name: str, rows: Sequence[Row]) -> None:
    """COPY rows of one shape into a table or partition called ``name``."""
    copy_packed(connection, name, pack(table, rows))


_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_END = b"\xff\xff"
_COUNT, _LENGTH = struct.Struct(">h"), struct.Struct(">i")
_NULL = _LENGTH.pack(-1)
_JSONB_VERSION = b"\x01"
_ARRAY_HEAD, _DIMENSION = struct.Struct(">3i"), struct.Struct(">2i")
_INT4, _INT4_BYTES = 23, 4
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def _fields(column: Column[Any], values: Sequence[Any]) -> Iterable[bytes]:
    """Each value with its length before it."""
    if values.count(None) == len(values):
        return repeat(_NULL, len(values))
    field = _field_of(column)
    if isinstance(column.type, Text):
        # Most are terms, of which there are few.
        known = {value: field(value) for value in set(values) if value is not None}
        return [known.get(value, _NULL) for value in values]
    return [_NULL if value is None else field(value) for value in values]


def _field_of(column: Column[Any]) -> Callable[[Any], bytes]:
    if isinstance(column.type, JSONB):
        return _jsonb
    if isinstance(column.type, ARRAY):
        return _integers
    return _FIELDS.get(column.type.__visit_name__, _bytes)


def _bytes(value: bytes) -> bytes:
    """Bytes as they are; of a geometry its EWKB."""
    return _LENGTH.pack(len(value)) + value


def _text(value: str) -> bytes:
    return _bytes(value.encode())


def _jsonb(value: Any) -> bytes:
    return _bytes(_JSONB_VERSION + orjson.dumps(value))


def _integers(values: Sequence[int]) -> bytes:
    """An int4[]: dimensions, nulls, type, length, lower bound; then each with its size."""
    count = len(values)
    if not count:
        return _NO_INTEGERS
    items = np.full((count, 2), _INT4_BYTES, dtype=">i4")
    items[:, 1] = values
    return _bytes(_ARRAY_HEAD.pack(1, 0, _INT4) + _DIMENSION.pack(count, 1) + items.tobytes())


_NO_INTEGERS = _bytes(_ARRAY_HEAD.pack(0, 0, _INT4))


def _sized(form: str) -> Callable[[Any], bytes]:
    """Numbers of one size."""
    return partial(struct.Struct(f">i{form}").pack, struct.calcsize(f">{form}"))


def _moment(value: datetime) -> bytes:
    return _INT8((value - _EPOCH) // _MICROSECOND)


_INT8 = _sized("q")
_FIELDS: dict[str, Callable[[Any], bytes]] = {
    "text": _text,
    "small_integer": _sized("h"),
    "integer": _sized("i"),
    "big_integer": _INT8,
    "double": _sized("d"),
    "boolean": _sized("?"),
    "datetime": _moment,
}
