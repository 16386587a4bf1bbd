"""GDAL reads what is written as FlatGeobuf, of every kind of geometry and property."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyogrio
import pytest
import shapely

from twin.formats.flatgeobuf import FlatGeobufWriter
from twin.formats.tables import Field, Table
from twin.model.offered import CRS84, CRS84H, SYSTEMS, OfferedSystem

_pyogrio: Any = pyogrio
_shapely: Any = shapely

FIELDS = (
    Field("id", "text", "Identifier"),
    Field("whole", "integer"),
    Field("number", "number"),
    Field("closed", "boolean"),
    Field("names", "list"),
    Field("day", "date"),
    Field("moment", "timestamp"),
)
SQUARE = "((0 0, 4 0, 4 4, 0 4, 0 0))"
SHAPES = (
    f"POLYGON {SQUARE}",
    f"MULTIPOLYGON ({SQUARE})",
    "MULTIPOLYGON (((5 5, 7 5, 7 7, 5 5)))",
    "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0), (1 1, 2 1, 2 2, 1 1))",
    f"MULTIPOLYGON ({SQUARE}, ((5 5, 9 5, 9 9, 5 5), (6 5.5, 7 5.5, 7 6, 6 5.5)))",
    "POINT (24.9 60.1)",
    "MULTIPOINT ((1 2), (3 4))",
    "LINESTRING (0 0, 1 1, 2 0)",
    "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3, 4 2))",
    "GEOMETRYCOLLECTION (POINT (1 2), LINESTRING (0 0, 1 1))",
    None,
)


def written(system: OfferedSystem, columns: list[Any], path: Path, parts: int = 1) -> Path:
    writer = FlatGeobufWriter(Table("things", FIELDS, system, multipolygons=system.heights))
    size = max(1, -(-len(columns[-1]) // parts))
    chunks = [[c[start : start + size] for c in columns] for start in range(0, len(columns[-1]), size)]
    path.write_bytes(writer.start() + b"".join(map(writer.part, chunks)) + writer.finish())
    return path


def columns_of(shapes: list[str | None]) -> list[Any]:
    number = len(shapes)
    geometries = [None if text is None else _shapely.to_wkb(_shapely.from_wkt(text)) for text in shapes]
    return [
        [None if n % 5 == 4 else "ä" * n for n in range(number)],
        [None if n % 7 == 3 else (-(2**40)) ** (n % 2) for n in range(number)],
        [n / 3 for n in range(number)],
        [(True, False, None)[n % 3] for n in range(number)],
        [[n, "x"] for n in range(number)],
        [date(2020, 1, 1 + n) for n in range(number)],
        [datetime(2020, 1, 1 + n, 12, 30, tzinfo=UTC) for n in range(number)],
        geometries,
    ]


@pytest.mark.parametrize("parts", [1, 4])
def test_every_kind(tmp_path: Path, parts: int) -> None:
    columns = columns_of(list(SHAPES))
    file = written(CRS84, columns, tmp_path / "a.fgb", parts)
    told, _, shapes, values = _pyogrio.raw.read(file)
    assert told["crs"] == "EPSG:4326"
    assert list(told["fields"]) == [field.name for field in FIELDS]
    for shape, text in zip(shapes, SHAPES, strict=True):
        if text is None:
            assert shape is None
        else:
            assert _shapely.from_wkb(shape).equals_exact(_shapely.from_wkt(text))
    for index in (0, 2):
        assert list(values[index]) == columns[index]
    for index, missing in ((1, columns[1]), (3, columns[3])):
        pairs = zip(values[index], missing, strict=True)
        assert all(float(found) == known if known is not None else found != found for found, known in pairs)
    assert list(values[4]) == [f'[{n},"x"]' for n in range(len(SHAPES))]
    assert [str(day)[:10] for day in values[5]] == [str(day) for day in columns[5]]
    assert [str(moment)[:16] for moment in values[6]] == [moment.isoformat()[:16] for moment in columns[6]]


def test_heights(tmp_path: Path) -> None:
    texts = [f"MULTIPOLYGON Z (((0 0 {n}, 4 0 6, 4 4 7, 0 0 {n})))" for n in range(4)]
    texts.append("MULTIPOLYGON Z (((0 0 1, 4 0 2, 4 4 3, 0 0 1)), ((5 5 1, 9 5 2, 9 9 3, 5 5 1)))")
    file = written(CRS84H, columns_of([*texts]), tmp_path / "a.fgb")
    told, _, shapes, _ = _pyogrio.raw.read(file)
    assert (told["crs"], told["geometry_type"]) == ("EPSG:4979", "MultiPolygon Z")
    assert [_shapely.to_wkt(_shapely.from_wkb(shape), trim=True) for shape in shapes] == [
        _shapely.to_wkt(_shapely.from_wkt(text), trim=True) for text in texts
    ]


@pytest.mark.parametrize("system", SYSTEMS, ids=lambda system: system.name)
def test_systems(tmp_path: Path, system: OfferedSystem) -> None:
    file = written(system, columns_of([]), tmp_path / "a.fgb")
    told = _pyogrio.read_info(file)
    assert told["crs"] == f"EPSG:{4979 if system.heights else system.code}"


def test_there_may_be_no_features(tmp_path: Path) -> None:
    _, _, shapes, _ = _pyogrio.raw.read(written(CRS84, columns_of([]), tmp_path / "a.fgb"))
    assert list(shapes) == []
