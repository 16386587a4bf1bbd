"""What GDAL, pyarrow and DuckDB read of one download, in each format that they know, is the same."""

import io
import math
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import httpx
import pytest

from tests.api.seeding import PRIMARY, Seeded

NAMES = ("city", "object_id", "height_m", "year_of_construction", "surfaces", "closed", "material")
_ipc, _parquet, _csv, _shapely, _duckdb, _gdal = cast(
    tuple[Any, ...],
    tuple(
        map(
            import_module,
            ("pyarrow.ipc", "pyarrow.parquet", "pyarrow.csv", "shapely", "duckdb", "pyogrio.raw"),
        )
    ),
)
"""Libraries without types."""

Rows = dict[str, tuple[Any, ...]]
Names = Sequence[str]


@pytest.fixture(scope="module")
def files(address: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("files")
    found: dict[str, Path] = {}
    for form, ending in (
        ("geoparquet", "parquet"),
        ("flatgeobuf", "fgb"),
        ("csv", "csv"),
        ("arrow", "arrows"),
    ):
        asked = {"f": form, "properties": ",".join(NAMES), "dataset": ",".join(PRIMARY)}
        got = httpx.get(f"{address}/collections/buildings/download", params=asked).raise_for_status()
        found[form] = folder / f"buildings.{ending}"
        found[form].write_bytes(got.content)
    return found


@pytest.fixture(scope="module")
def expected(seeded_towns: list[Seeded]) -> Rows:
    return {
        item.id: (*(item.properties[name] for name in NAMES), _shapely.box(*item.square))
        for item in seeded_towns
    }


def of_table(table: Any, names: Names = NAMES) -> Rows:
    return {row["id"]: (*(row[name] for name in names), row["geometry"]) for row in table.to_pylist()}


def by_gdal(path: Path, names: Names = NAMES, **options: str) -> Rows:
    about, _, shapes, columns = _gdal.read(path, **options)
    named = dict(zip(about["fields"].tolist(), columns, strict=True))
    rows = zip(*(named[name].tolist() for name in ("id", *names)), shapes, strict=True)
    return {id: tuple(values) for id, *values in rows}


def by_duckdb(path: Path, names: Names = NAMES) -> Rows:
    columns = ", ".join(("id", *names, "geometry"))
    # GeoParquet's geometries are WKB also without DuckDB's extension for them.
    found = _duckdb.sql(f"SELECT {columns} FROM '{path}'").fetchall()
    return {id: tuple(values) for id, *values in found}


def same(found: Rows, expected: Rows, apart: float = 1e-15) -> None:
    """``apart``: by how many square degrees outlines may part, for the digits that a format has."""
    assert found.keys() == expected.keys()
    for id, (*values, shape) in found.items():
        *stated, outline = expected[id]
        assert list(map(plain, values)) == list(map(plain, stated)), id
        if outline is None:
            assert shape is None or shape == "", id
            continue
        read = _shapely.from_wkt(shape) if isinstance(shape, str) else _shapely.from_wkb(bytes(shape))
        assert read.symmetric_difference(outline).area < apart, id


def plain(value: Any) -> Any:
    """A value as readers of formats without a missing value, or without booleans, give it."""
    if value is None or value == "" or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, str):
        return {"true": 1.0, "false": 0.0}.get(value, value)
    return float(value)


def test_geoparquet(files: dict[str, Path], expected: Rows) -> None:
    same(of_table(_parquet.read_table(files["geoparquet"])), expected)
    same(by_duckdb(files["geoparquet"]), expected)


def test_arrow(files: dict[str, Path], expected: Rows) -> None:
    with _ipc.open_stream(files["arrow"]) as stream:
        same(of_table(stream.read_all()), expected)


def test_flatgeobuf(files: dict[str, Path], expected: Rows) -> None:
    same(by_gdal(files["flatgeobuf"]), expected)


def test_csv(files: dict[str, Path], expected: Rows) -> None:
    same(of_table(_csv.read_csv(io.BytesIO(files["csv"].read_bytes()))), expected)
    same(by_duckdb(files["csv"]), expected)
    # GDAL takes a column of text for the geometry only where it is told to, and "true" for a text.
    told = {"GEOM_POSSIBLE_NAMES": "geometry", "KEEP_GEOM_COLUMNS": "NO", "AUTODETECT_TYPE": "YES"}
    same(by_gdal(files["csv"], **told), expected)
