"""Flat tables of features, written in parts: CSV, an Arrow stream and GeoParquet.

The last column is the outline: well-known text in a CSV, WKB in the others. Lists and other structures
are the text of their JSON.
"""

import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from twin.model.offered import CRS84, OfferedSystem

GEOMETRY = "geometry"
Columns: TypeAlias = Sequence[Sequence[Any]]
"""The values of each column of a table, the geometries last."""

_pa: Any = pa
_pq: Any = pq
_shapely: Any = shapely
_ROWS_OF_A_GROUP = 25_000
"""Readers skip groups of rows by their statistics, and a group of few is a waste."""


@dataclass(frozen=True, slots=True)
class Field:
    """A column by name, with its type as the catalogue calls it and its meaning."""

    name: str
    type: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A table before it has rows: the columns before the geometry, and the system of that.

    ``multipolygons``: no geometry is of another kind, and all have heights where the system has them.
    """

    name: str
    fields: tuple[Field, ...]
    system: OfferedSystem = CRS84
    multipolygons: bool = False


class TableWriter(Protocol):
    """Writes a table in parts."""

    def start(self) -> bytes: ...
    def part(self, columns: Columns) -> bytes: ...
    def finish(self) -> bytes: ...


class CsvWriter:
    """A table after RFC 4180 in UTF-8; what is missing is empty."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def start(self) -> bytes:
        return _csv([[*(field.name for field in self._table.fields), GEOMETRY]])

    def part(self, columns: Columns) -> bytes:
        written = [
            _written(field, column) for field, column in zip(self._table.fields, columns, strict=False)
        ]
        return _csv(zip(*written, columns[-1], strict=True))

    def finish(self) -> bytes:
        return b""


def _csv(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode("utf-8", "replace")


def _written(field: Field, values: Sequence[Any]) -> Sequence[Any]:
    convert = _CSV_TEXTS.get(field.type)
    return values if convert is None else [None if value is None else convert(value) for value in values]


def _json_text(value: Any) -> str:
    return orjson.dumps(value).decode()


def _moment(value: datetime) -> str:
    return value.isoformat().replace("+00:00", "Z")


_CSV_TEXTS: dict[str, Callable[[Any], str]] = {
    "boolean": lambda value: "true" if value else "false",
    "timestamp": _moment,
    "list": _json_text,
}

_ARROW_TYPES: dict[str, Any] = {
    "text": _pa.string(),
    "integer": _pa.int64(),
    "number": _pa.float64(),
    "boolean": _pa.bool_(),
    "date": _pa.date32(),
    "timestamp": _pa.timestamp("us", tz="UTC"),
    "list": _pa.string(),
}


def _arrow_fields(table: Table) -> list[Any]:
    return [
        _pa.field(
            field.name,
            _ARROW_TYPES[field.type],
            metadata=None if field.description is None else {"description": field.description},
        )
        for field in table.fields
    ]


def _arrays(table: Table, columns: Columns) -> list[Any]:
    return [
        _pa.array(list(map(_or_json, column)) if field.type == "list" else column, _ARROW_TYPES[field.type])
        for field, column in zip(table.fields, columns, strict=False)
    ]


def _or_json(value: Any) -> str | None:
    return None if value is None else _json_text(value)


class _Sink(io.RawIOBase):
    """Takes what a writer of files writes, and gives it away."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:
        self._parts.append(bytes(data))
        self._written += len(self._parts[-1])
        return len(self._parts[-1])

    def tell(self) -> int:
        return self._written

    def take(self) -> bytes:
        taken, self._parts = b"".join(self._parts), []
        return taken


class ArrowWriter:
    """An Arrow IPC stream; the geometry is of the extension type ``geoarrow.wkb``."""

    def __init__(self, table: Table) -> None:
        self._table = table
        extension = {
            "ARROW:extension:name": "geoarrow.wkb",
            "ARROW:extension:metadata": _json_text({"crs": table.system.projjson, "crs_type": "projjson"}),
        }
        shape = _pa.field(GEOMETRY, _pa.binary(), metadata=extension)
        self._schema = _pa.schema([*_arrow_fields(table), shape])
        self._sink = _Sink()
        self._stream: Any = None

    def start(self) -> bytes:
        self._stream = _pa.ipc.new_stream(self._sink, self._schema)
        return self._sink.take()

    def part(self, columns: Columns) -> bytes:
        arrays = [*_arrays(self._table, columns), _pa.array(columns[-1], _pa.binary())]
        self._stream.write_batch(_pa.record_batch(arrays, schema=self._schema))
        return self._sink.take()

    def finish(self) -> bytes:
        self._stream.close()
        return self._sink.take()


_EDGES = ("xmin", "ymin", "xmax", "ymax")
_BBOX = _pa.struct([(edge, _pa.float64()) for edge in _EDGES])


@dataclass(slots=True)
class _Extent:
    """What GeoParquet's metadata tell of all geometries."""

    types: set[str] = field(default_factory=set[str])
    boxes: list[Any] = field(default_factory=list[Any])

    def take(self, geometries: Sequence[bytes | None]) -> Any:
        """Adds geometries; their boxes as an array of structures, null where there is no geometry."""
        shapes = _shapely.from_wkb(list(geometries))
        bounds = _shapely.bounds(shapes)
        known = ~_shapely.is_missing(shapes) & ~_shapely.is_empty(shapes)
        kinds: set[tuple[int, bool]] = set(
            zip(
                _shapely.get_type_id(shapes[known]).tolist(),
                _shapely.has_z(shapes[known]).tolist(),
                strict=True,
            )
        )
        self.types.update(_TYPE_NAMES[kind] + (" Z" if solid else "") for kind, solid in kinds)
        if known.any():
            self.boxes.append((bounds[known, :2].min(axis=0), bounds[known, 2:].max(axis=0)))
        edges = [_pa.array(bounds[:, index]) for index in range(4)]
        return _pa.StructArray.from_arrays(edges, fields=list(_BBOX), mask=_pa.array(~known))

    def box(self) -> list[float] | None:
        if not self.boxes:
            return None
        lows, highs = zip(*self.boxes, strict=True)
        x, y = (min(float(low[axis]) for low in lows) for axis in (0, 1))
        return [x, y, *(max(float(high[axis]) for high in highs) for axis in (0, 1))]


_TYPE_NAMES = (
    "Point", "LineString", "LinearRing", "Polygon",
    "MultiPoint", "MultiLineString", "MultiPolygon", "GeometryCollection",
)  # fmt: skip
"""By the numbers that GEOS gives them."""


class GeoParquetWriter:
    """GeoParquet 1.1: WKB, and a column ``bbox`` that readers skip groups of rows by."""

    def __init__(self, table: Table) -> None:
        self._table = table
        taken = {field.name for field in table.fields}
        self._boxes = next(name for name in ("bbox", "geometry_bbox", "_bbox") if name not in taken)
        boxes = _pa.field(self._boxes, _BBOX)
        self._schema = _pa.schema([*_arrow_fields(table), boxes, _pa.field(GEOMETRY, _pa.binary())])
        self._sink = _Sink()
        self._file: Any = None
        self._extent = _Extent()
        self._waiting: list[Any] = []
        self._rows = 0

    def start(self) -> bytes:
        self._file = _pq.ParquetWriter(self._sink, self._schema, compression="zstd")
        return self._sink.take()

    def part(self, columns: Columns) -> bytes:
        boxes = self._extent.take(columns[-1])
        arrays = [*_arrays(self._table, columns), boxes, _pa.array(columns[-1], _pa.binary())]
        self._waiting.append(_pa.record_batch(arrays, schema=self._schema))
        self._rows += len(columns[-1])
        if self._rows >= _ROWS_OF_A_GROUP:
            self._write()
        return self._sink.take()

    def finish(self) -> bytes:
        self._write()
        self._file.add_key_value_metadata({"geo": _json_text(self._metadata())})
        self._file.close()
        return self._sink.take()

    def _write(self) -> None:
        if self._waiting:
            self._file.write_table(_pa.Table.from_batches(self._waiting), row_group_size=_ROWS_OF_A_GROUP * 2)
        self._waiting, self._rows = [], 0

    def _metadata(self) -> Mapping[str, Any]:
        described: dict[str, Any] = {
            "encoding": "WKB",
            "geometry_types": sorted(self._extent.types),
            "covering": {"bbox": {edge: [self._boxes, edge] for edge in _EDGES}},
        }
        if self._table.system is not CRS84:
            described["crs"] = self._table.system.projjson
        if (box := self._extent.box()) is not None:
            described["bbox"] = box
        return {"version": "1.1.0", "primary_column": GEOMETRY, "columns": {GEOMETRY: described}}


def column_values(rows: Iterable[Iterable[Any]], width: int) -> Columns:
    """The values of rows by column, of the first ``width`` columns."""
    found = list(zip(*rows, strict=True))[:width]
    return found or [()] * width
