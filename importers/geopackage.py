"""GeoPackage (OGC 12-128r19) read with the SQLite of Python: no drivers, no native parsers."""

import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeAlias

from twin.errors import UnreadableFile

_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
"""By the envelope code in the flags of a geometry (clause 2.1.3.1.1)."""

_TYPES = {
    "BOOLEAN": "boolean", "TINYINT": "integer", "SMALLINT": "integer", "MEDIUMINT": "integer",
    "INT": "integer", "INTEGER": "integer", "FLOAT": "number", "DOUBLE": "number", "REAL": "number",
    "TEXT": "text", "DATE": "date", "DATETIME": "timestamp",
}  # fmt: skip
"""Column types (clause 1.1.1.1.3); the others, BLOB among them, are left out."""


Row: TypeAlias = tuple[int, bytes | None, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Table:
    """A layer as it is stored: ``rows`` are id, WKB and properties; ``epsg`` is None where unstated."""

    geometry_name: str
    epsg: int | None
    types: Mapping[str, str]
    rows: tuple[Row, ...]


def read_geopackage(data: bytes, layer: str | None = None) -> Table:
    """The named layer, or the only one; UnreadableFile says what is wrong."""
    if not data.startswith(b"SQLite format 3\0"):
        raise UnreadableFile("The file is no GeoPackage: it does not begin as SQLite does.")
    with tempfile.TemporaryDirectory(prefix="twin-") as folder:
        path = Path(folder) / "upload.gpkg"
        path.write_bytes(data)
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as database:
                # What the file defines may not call functions while it is read.
                database.execute("PRAGMA trusted_schema = OFF")
                return _table(database, layer)
        except (sqlite3.Error, OverflowError, UnicodeDecodeError) as error:
            raise UnreadableFile(f"The GeoPackage cannot be read: {error}.") from None


def _table(database: sqlite3.Connection, layer: str | None) -> Table:
    name, geometry, epsg = _chosen(database, layer)
    columns = [
        (row[1], _type(row[2]), row[5])
        for row in database.execute("SELECT * FROM pragma_table_info(?)", (name,))
    ]
    key = next((column for column, _, primary in columns if primary), "rowid")
    types = {column: kind for column, kind, primary in columns if kind and not primary and column != geometry}
    selected = ", ".join(map(_quoted, (key, geometry, *types)))
    rows = database.execute(f"SELECT {selected} FROM {_quoted(name)} ORDER BY 1")  # noqa: S608
    return Table(geometry, epsg, types, tuple(_rows(rows, types)))


def _chosen(database: sqlite3.Connection, layer: str | None) -> tuple[str, str, int | None]:
    """Table, geometry column and EPSG code of a layer."""
    found = database.execute(
        "SELECT g.table_name, g.column_name, CASE WHEN upper(s.organization) = 'EPSG'"
        " THEN s.organization_coordsys_id END, g.srs_id FROM gpkg_geometry_columns g"
        " JOIN sqlite_master m ON m.name = g.table_name AND m.type = 'table'"
        " LEFT JOIN gpkg_spatial_ref_sys s ON s.srs_id = g.srs_id ORDER BY 1"
    ).fetchall()
    names = [row[0] for row in found]
    if layer is None and len(found) == 1:
        layer = names[0]
    for name, geometry, epsg, srs in found:
        if name == layer:
            if epsg is None and srs > 0:
                raise UnreadableFile(f"The layer '{name}' has a reference system without an EPSG code.")
            return name, geometry, epsg
    wanted = f"There is no layer '{layer}'" if layer else "The GeoPackage holds several layers"
    raise UnreadableFile(f"{wanted}; name one with 'layer': {', '.join(names) or 'none is there'}.")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _type(declared: str) -> str | None:
    return _TYPES.get(declared.upper().partition("(")[0].strip())


def _rows(
    rows: sqlite3.Cursor, types: Mapping[str, str]
) -> Iterator[tuple[int, bytes | None, dict[str, Any]]]:
    for fid, geometry, *values in rows:
        properties = {
            name: _value(kind, value) for (name, kind), value in zip(types.items(), values, strict=True)
        }
        yield fid, _wkb(geometry, fid), properties


def _wkb(blob: Any, fid: int) -> bytes | None:
    """The well-known binary after the header of a GeoPackage geometry; None where it is empty."""
    if blob is None:
        return None
    if not isinstance(blob, bytes) or len(blob) < 8 or not blob.startswith(b"GP"):
        raise UnreadableFile(f"feature {fid}: its geometry is no GeoPackage geometry.")
    flags = blob[3]
    code = flags >> 1 & 7
    if code >= len(_ENVELOPE_BYTES):
        raise UnreadableFile(f"feature {fid}: its geometry has an envelope of an unknown kind.")
    return None if flags & 16 else blob[8 + _ENVELOPE_BYTES[code] :]


def _value(kind: str, value: Any) -> Any:
    """A value as its column declares it; SQLite itself holds any value in any column."""
    try:
        match kind:
            case _ if value is None:
                return None
            case "boolean":
                return bool(value)
            case "integer":
                return int(value)
            case "number":
                return float(value)
            case "date":
                return date.fromisoformat(value)
            case "timestamp":
                return _time(value)
            case _:
                return value if isinstance(value, str) else str(value)
    except (ValueError, TypeError):
        raise UnreadableFile(f"'{str(value)[:60]}' is no {kind}, as its column says.") from None


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
