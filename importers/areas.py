"""Areas and other simple features as people have them: GeoJSON, GeoPackage, CSV.

All become one `Layer`: geometries in longitude and latitude, properties with one type each.
"""

import csv
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Literal, TypeAlias, cast

import orjson

from importers.area_geometry import (
    Transform,
    from_geojson,
    from_wkb,
    from_wkt,
    point,
    to_geojson,
    to_lonlat,
)
from importers.geopackage import read_geopackage
from twin.errors import UnreadableFile

PropertyType: TypeAlias = Literal["text", "integer", "number", "boolean", "date", "timestamp", "list"]

MAX_FEATURES = 200_000
MAX_PROPERTIES = 300

_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)")
_INT64 = range(-(2**63), 2**63)
_GEOMETRY = ("geometry", "wkt", "geom", "wkt_geom", "the_geom")
_LONGITUDE = ("longitude", "lon", "lng", "x")
_LATITUDE = ("latitude", "lat", "y")


@dataclass(frozen=True, slots=True)
class Area:
    """A feature: its id, its geometry as WKB in longitude and latitude, and its properties."""

    id: str
    geometry: bytes | None
    properties: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """Features of one kind; every value has the type that ``types`` states, or is None."""

    geometry_name: str
    types: Mapping[str, PropertyType]
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class _Raw:
    id: object
    geometry: bytes | None
    properties: dict[str, Any]


def read_geojson(data: bytes) -> Layer:
    """The features of a FeatureCollection, a Feature, or a sequence of them, one on each line."""
    raws: list[_Raw] = []
    for number, feature in enumerate(_features(data), start=1):
        place = f"feature {number}"
        if not isinstance(feature, dict) or cast(dict[str, Any], feature).get("type") != "Feature":
            raise UnreadableFile(f"{place}: it is no GeoJSON Feature.")
        members = cast(dict[str, Any], feature)
        shape = members.get("geometry")
        geometry = None if shape is None else from_geojson(orjson.dumps(shape).decode(), place)
        raws.append(_Raw(members.get("id"), geometry, _object(members.get("properties"), place)))
    return _layer("geometry", raws)


def _features(data: bytes) -> list[Any]:
    try:
        document = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return _sequence(data, error)
    if not isinstance(document, dict):
        raise UnreadableFile("The file is no GeoJSON FeatureCollection.")
    members = cast(dict[str, Any], document)
    _check_reference(members.get("crs"))
    found = members.get("features", [members])
    if not isinstance(found, list):
        raise UnreadableFile("'features' of the GeoJSON is no list.")
    return cast(list[Any], found)


def _sequence(data: bytes, error: Exception) -> list[Any]:
    """GeoJSON text sequences (RFC 8142) and features on lines of their own."""
    lines = [line.strip(b"\x1e \r\t") for line in data.splitlines()]
    try:
        return [orjson.loads(line) for line in lines if line]
    except orjson.JSONDecodeError:
        raise UnreadableFile(f"The file is no JSON: {error}.") from None


def _check_reference(crs: Any) -> None:
    """GeoJSON is in CRS84 (RFC 7946, 4); files after the older draft say otherwise."""
    if crs is not None and not re.search(r"CRS84|4326", json.dumps(crs)):
        raise UnreadableFile(
            "The GeoJSON states another reference system than CRS84, which RFC 7946 asks for. "
            "Convert it, for instance with: ogr2ogr -t_srs CRS84 out.geojson in.geojson"
        )


def _object(value: Any, place: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise UnreadableFile(f"{place}: its properties are no JSON object.")
    return {name.replace("\0", ""): member for name, member in cast(dict[str, Any], value).items()}


def read_csv(data: bytes) -> Layer:
    """Rows with a column of WKT (``geometry``, ``wkt``) or with columns of longitude and latitude."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFile(f"The CSV is not UTF-8: {error}.") from None
    try:
        dialect = csv.Sniffer().sniff(text.partition("\n")[0], delimiters=",;\t")
    except csv.Error:
        dialect = csv.excel
    rows = csv.DictReader(io.StringIO(text, newline=""), dialect=dialect, strict=True)
    try:
        geometry, used = _csv_geometry(rows.fieldnames or ())
        raws = [_csv_row(row, number, geometry, used) for number, row in enumerate(rows, start=2)]
    except csv.Error as error:
        raise UnreadableFile(f"The CSV cannot be read: {error}.") from None
    return _layer("geometry", raws)


def _csv_geometry(names: Iterable[str]) -> tuple[Callable[[Mapping[str, str], str], bytes | None], set[str]]:
    """How to find the geometry of a row, and the columns that it takes."""
    known = {name.lower().strip(): name for name in names}
    wkt = next((known[name] for name in _GEOMETRY if name in known), None)
    if wkt is not None:
        return lambda row, place: from_wkt(row[wkt], place) if row[wkt] else None, {wkt}
    x = next((known[name] for name in _LONGITUDE if name in known), None)
    y = next((known[name] for name in _LATITUDE if name in known), None)
    if x is None or y is None:
        raise UnreadableFile(
            "The CSV has no geometry: it needs a column 'geometry' or 'wkt' with well-known text, or the "
            f"columns 'longitude' and 'latitude'. Found: {', '.join(known)[:200] or 'none'}."
        )
    return lambda row, place: point(row[x], row[y], place) if row[x] and row[y] else None, {x, y}


def _csv_row(row: dict[Any, Any], number: int, geometry: Any, used: set[str]) -> _Raw:
    if None in row or None in row.values():
        raise UnreadableFile(f"line {number}: it does not have as many values as the header has names.")
    values = {name: value if value != "" else None for name, value in row.items() if name not in used}
    return _Raw(None, geometry(row, f"line {number}"), {n: _read_text(v) for n, v in values.items()})


def _read_text(value: str | None) -> Any:
    """A number where the text is one and would be written like it; codes such as 007 stay texts."""
    if value is None or value.lower() in {"true", "false"}:
        return None if value is None else value.lower() == "true"
    if re.fullmatch(r"-?(0|[1-9]\d{0,17})", value):
        return int(value)
    if re.fullmatch(r"-?(0|[1-9]\d*)\.\d+([eE][+-]?\d+)?", value):
        return float(value)
    return value


def read_gpkg(data: bytes, layer: str | None = None) -> Layer:
    """One layer of a GeoPackage: the named one, or the only one."""
    table = read_geopackage(data, layer)
    transform: Transform | None = to_lonlat(table.epsg) if table.epsg is not None else None
    raws = [
        _Raw(fid, None if wkb is None else from_wkb(wkb, transform, f"feature {fid}"), properties)
        for fid, wkb, properties in table.rows
    ]
    return _layer(table.geometry_name, raws, table.types)


def _layer(geometry_name: str, raws: list[_Raw], stated: Mapping[str, str] | None = None) -> Layer:
    if not raws:
        raise UnreadableFile("The file holds no features.")
    if len(raws) > MAX_FEATURES:
        raise UnreadableFile(f"The file holds {len(raws)} features, more than {MAX_FEATURES}.")
    names = dict.fromkeys(name for raw in raws for name in raw.properties)
    if len(names) > MAX_PROPERTIES:
        raise UnreadableFile(f"The features have {len(names)} properties, more than {MAX_PROPERTIES}.")
    types: dict[str, PropertyType] = {
        name: cast(PropertyType, stated[name]) if stated else _common_type(raws, name) for name in names
    }
    areas = tuple(
        Area(id, raw.geometry, {name: _as(types[name], raw.properties.get(name)) for name in names})
        for id, raw in zip(_ids(raws), raws, strict=True)
    )
    return Layer(geometry_name, types, areas)


def _ids(raws: list[_Raw]) -> Iterator[str]:
    """The ids of the file where each feature has one of its own; else numbers from 1."""
    stated = [str(raw.id) for raw in raws if isinstance(raw.id, str | int) and raw.id != ""]
    if len(set(stated)) == len(raws) and not any("\0" in id for id in stated):
        yield from stated
    else:
        yield from (str(number) for number in range(1, len(raws) + 1))


def _common_type(raws: list[_Raw], name: str) -> PropertyType:
    kinds = {_type_of(raw.properties.get(name)) for raw in raws} - {None}
    if len(kinds) == 1:
        return cast(PropertyType, kinds.pop())
    return "number" if kinds == {"integer", "number"} else "text"


def _type_of(value: Any) -> PropertyType | None:
    match value:
        case None:
            return None
        case bool():
            return "boolean"
        case int():
            return "integer" if value in _INT64 else "number"
        case float():
            return "number"
        case str():
            return _type_of_text(value)
        case list() if all(isinstance(item, str | int | float) for item in cast(list[Any], value)):
            return "list"
        case _:
            return "text"


def _type_of_text(text: str) -> PropertyType:
    try:
        if _DATE.fullmatch(text) and date.fromisoformat(text):
            return "date"
        if _TIME.fullmatch(text) and _time(text):
            return "timestamp"
    except (ValueError, OverflowError):
        pass
    return "text"


def _time(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _as(kind: PropertyType, value: Any) -> Any:
    """A value as its property's type; None where it is missing or cannot be stored."""
    if value is None:
        return None
    match kind:
        case "text":
            text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
            return text.replace("\0", "")
        case "number":
            return float(value) if math.isfinite(value) else None
        case "date":
            return value if isinstance(value, date) else date.fromisoformat(value)
        case "timestamp":
            return value if isinstance(value, datetime) else _time(value)
        case "list":
            return orjson.loads(orjson.dumps(value).replace(b"\\u0000", b""))
        case _:
            return value


def read_layer(data: bytes, layer: str | None = None) -> Layer:
    """A file of any of the formats, told apart by how it begins; UnreadableFile says what is wrong."""
    if data.startswith(b"SQLite format 3"):
        return read_gpkg(data, layer)
    if layer is not None:
        raise UnreadableFile("Only a GeoPackage has layers; leave 'layer' out.")
    if data.lstrip(b"\xef\xbb\xbf\x1e \t\r\n").startswith(b"{"):
        return read_geojson(data.removeprefix(b"\xef\xbb\xbf"))
    return read_csv(data)


def feature_text(area: Area) -> str:
    """A feature as GeoJSON text."""
    geometry = None if area.geometry is None else orjson.Fragment(to_geojson(area.geometry))
    members = {"type": "Feature", "id": area.id, "geometry": geometry, "properties": dict(area.properties)}
    return orjson.dumps(members, option=orjson.OPT_UTC_Z).decode()
