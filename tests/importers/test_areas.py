"""Areas from GeoJSON, GeoPackage and CSV become one kind of layer."""

import sqlite3
import struct
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
import shapely

from importers.areas import Layer, feature_text, read_layer
from twin.errors import UnreadableFile

_shapely: Any = shapely


def feature(properties: dict[str, Any], x: float = 24.9, **more: Any) -> dict[str, Any]:
    return {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [x, 60.2]},
        "properties": properties,
        **more,
    }


def read(*features: dict[str, Any], **more: Any) -> Layer:
    return read_layer(orjson.dumps({"type": "FeatureCollection", "features": list(features), **more}))


def test_types_come_from_the_values() -> None:
    layer = read(
        feature(
            {
                "a": 1,
                "b": 1.5,
                "c": "x",
                "d": True,
                "e": "2026-01-31",
                "f": ["u", 2],
                "h": None,
                "i": {"k": 1},
            }
        ),
        feature(
            {"a": 2.5, "b": None, "c": 7, "d": False, "e": "2026-02-01", "f": [], "g": "2026-01-31T12:00:00Z"}
        ),
    )
    assert layer.types == {
        "a": "number", "b": "number", "c": "text", "d": "boolean", "e": "date", "f": "list", "h": "text",
        "i": "text", "g": "timestamp",
    }  # fmt: skip
    first, second = layer.areas
    assert first.properties["a"] == 1.0
    assert first.properties["e"] == date(2026, 1, 31)
    assert first.properties["i"] == '{"k":1}'
    assert second.properties["c"] == "7"
    assert second.properties["g"] == datetime(2026, 1, 31, 12, tzinfo=UTC)
    assert orjson.loads(feature_text(second))["properties"]["g"] == "2026-01-31T12:00:00Z"


def test_ids_are_kept_where_they_tell_features_apart() -> None:
    kept = read(feature({}, id="north"), feature({}, id=7))
    assert [area.id for area in kept.areas] == ["north", "7"]
    numbered = read(feature({}, id="a"), feature({}, id="a"))
    assert [area.id for area in numbered.areas] == ["1", "2"]


def test_geojson_on_lines() -> None:
    lines = b"\n".join(orjson.dumps(feature({"a": number})) for number in range(3))
    assert [area.properties["a"] for area in read_layer(lines).areas] == [0, 1, 2]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"{", "no JSON"),
        (b'{"type":"FeatureCollection","features":[]}', "holds no features"),
        (b'{"type":"FeatureCollection","features":{}}', "no list"),
        (
            b'{"type":"FeatureCollection","features":[{"type":"Point"}]}',
            "feature 1: it is no GeoJSON Feature",
        ),
        (orjson.dumps({"features": [feature({}, x=2500000)]}), "no longitude and latitude"),
        (orjson.dumps({"features": [{**feature({}), "properties": 3}]}), "no JSON object"),
        (orjson.dumps({"features": [{**feature({}), "geometry": {"type": "Blob"}}]}), "cannot be read"),
        (orjson.dumps({"crs": {"name": "EPSG:3879"}, "features": [feature({})]}), "ogr2ogr"),
        (b"SQLite format 3\0 and then nothing", "cannot be read"),
        (b"a,b\n1,2\n", "no geometry"),
        (b"wkt,b\nPOINT(1 2)\n", "as many values"),
        (b"wkt,b\nPOINT(1,2\n", "cannot be read"),
        (b"lon,lat\nx,2\n", "are no longitude and latitude"),
        (b"lon,lat\n24,\xff\n", "not UTF-8"),
    ],
)
def test_what_cannot_be_read_is_explained(data: bytes, message: str) -> None:
    with pytest.raises(UnreadableFile) as refused:
        read_layer(data)
    assert message in str(refused.value)


def test_csv_with_coordinates_or_well_known_text() -> None:
    points = read_layer(b"name;lon;lat;code;count\nKallio;24,95;60,18;007;3\n")
    assert points.types == {"name": "text", "code": "text", "count": "integer"}
    assert points.areas[0].properties == {"name": "Kallio", "code": "007", "count": 3}
    assert _shapely.from_wkb(points.areas[0].geometry).wkt == "POINT (24.95 60.18)"
    areas = read_layer(b'name,geometry\nA,"POLYGON((0 0,1 0,1 1,0 0))"\nB,\n')
    assert areas.areas[1].geometry is None
    assert _shapely.from_wkb(areas.areas[0].geometry).area == 0.5


def test_broken_and_mixed_geometries_become_usable() -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
    mixed = {"type": "GeometryCollection", "geometries": [bow, {"type": "Point", "coordinates": [5, 5]}]}
    for shape in (bow, mixed):
        (area,) = read({**feature({}), "geometry": shape}).areas
        found = _shapely.from_wkb(area.geometry)
        assert found.is_valid
        assert found.geom_type == "MultiPolygon"
        assert found.area == 2.0


def geopackage(path: Path, epsg: int, wkb: bytes) -> bytes:
    """A GeoPackage with one layer of one feature."""
    with sqlite3.connect(path) as database:
        database.executescript(
            "CREATE TABLE gpkg_spatial_ref_sys"
            " (srs_id INTEGER, organization TEXT, organization_coordsys_id INTEGER);"
            "CREATE TABLE gpkg_geometry_columns (table_name TEXT, column_name TEXT, srs_id INTEGER);"
            'CREATE TABLE "dis""tricts"'
            ' (fid INTEGER PRIMARY KEY, shape BLOB, "na me" TEXT, n REAL, t DATETIME, x BLOB);'
            "INSERT INTO gpkg_geometry_columns VALUES ('dis\"tricts', 'shape', 1);"
        )
        database.execute("INSERT INTO gpkg_spatial_ref_sys VALUES (1, 'EPSG', ?)", (epsg,))
        blob = b"GP\0\1" + struct.pack("<i", 1) + wkb
        row = (blob, "it's", 2, "2026-01-31T12:00:00", b"x")
        database.execute('INSERT INTO "dis""tricts" VALUES (7, ?, ?, ?, ?, ?)', row)
    database.close()
    return path.read_bytes()


def test_geopackage_in_another_reference_system(tmp_path: Path) -> None:
    wkb = _shapely.to_wkb(_shapely.Point(25_496_000, 6_673_000))
    layer = read_layer(geopackage(tmp_path / "a.gpkg", 3879, wkb))
    assert layer.geometry_name == "shape"
    assert layer.types == {"na me": "text", "n": "number", "t": "timestamp"}
    (area,) = layer.areas
    assert area.id == "7"
    assert area.properties == {"na me": "it's", "n": 2.0, "t": datetime(2026, 1, 31, 12, tzinfo=UTC)}
    point = _shapely.from_wkb(area.geometry)
    assert (point.x, point.y) == pytest.approx((24.928, 60.16), abs=0.01)


def test_a_layer_that_is_not_there_is_refused(tmp_path: Path) -> None:
    data = geopackage(tmp_path / "a.gpkg", 4326, _shapely.to_wkb(_shapely.Point(1, 2)))
    with pytest.raises(UnreadableFile, match="no layer 'roads'"):
        read_layer(data, "roads")
    with pytest.raises(UnreadableFile, match="Only a GeoPackage"):
        read_layer(b"{}", "roads")
