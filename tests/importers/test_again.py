"""The same file again: not even read where that is sure to change nothing, and read wherever it is not."""

import gzip
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import Engine

from importers import ingest
from importers.ingest import ImportOptions, Ingest
from importers.inputs import sources
from importers.report import Report
from importers.selection import Selection
from importers.source_files import read_source
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.cityjson_cube import Json, building, document, write
from tests.importers.stored import clean, counts, features
from twin.db import admin
from twin.db.engine import Database
from twin.errors import InputError

ESTONIA = SHARED_DATA / "tallinn" / "ee_tartu_kvissentali_6_lod2_maaamet_style.gml"

BROKEN = building(geometry=[{"type": "MultiPoint", "lod": "1", "boundaries": [99]}])


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that imports opened."""
    paths: list[Path] = []
    open_model = ingest.open_model

    def noting(path: Path) -> Any:
        paths.append(path)
        return open_model(path)

    monkeypatch.setattr(ingest, "open_model", noting)
    return paths


def run(engine: Engine, path: Path, **options: Any) -> Report:
    return Ingest(engine, ImportOptions(**options)).run(path)


def delivery(folder: Path, *, height: int = 10, **objects: Json) -> Path:
    """A model of cubes in a folder of its own."""
    folder.mkdir(exist_ok=True)
    content = document({"B1": building(), "B2": building(), **objects})
    content["vertices"] = [[x, y, z * height // 10] for x, y, z in content["vertices"]]
    return write(folder, content)


def said(report: Report) -> dict[str, Any]:
    """What a report says of the file, not of what was done with it."""
    done = ("added", "unchanged", "rows_written", "seconds")
    return {name: value for name, value in report.as_dict().items() if name not in done}


def test_an_identical_file_is_not_opened(engine: Engine, tmp_path: Path, opened: list[Path]) -> None:
    path = delivery(tmp_path / "a", B3=BROKEN)
    first, before = run(engine, path), counts(engine)
    again = run(engine, path)
    assert (len(opened), counts(engine)) == (1, before)
    assert said(again) == said(first)
    assert (first.added, again.unchanged, again.rows_written, len(again.refused)) == (2, 2, 0, 1)


def test_the_name_and_packing_of_a_file_do_not_matter(
    engine: Engine, tmp_path: Path, opened: list[Path]
) -> None:
    path = delivery(tmp_path / "a")
    run(engine, path)
    folder = tmp_path / "b"
    folder.mkdir()
    (folder / "other.json.gz").write_bytes(gzip.compress(path.read_bytes()))
    (source,) = sources([folder])
    with source.unpacked() as unpacked:
        again = Ingest(engine).run(unpacked, source.name)
    assert (len(opened), again.unchanged, again.source) == (1, 2, source.name)


def _nothing(engine: Engine, tmp_path: Path) -> None:
    del engine, tmp_path


def _remove(engine: Engine, tmp_path: Path) -> None:
    del tmp_path
    with engine.begin() as connection:
        admin.remove(connection, "helsinki_lod2")


def _another_delivery(engine: Engine, tmp_path: Path) -> None:
    assert run(engine, delivery(tmp_path / "other", height=20)).geometry_changed == 2


def _a_complete_one_without(engine: Engine, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    ingest = Ingest(engine, ImportOptions(complete=True))
    ingest.run(write(folder, document()))
    assert ingest.end_absent() == {"helsinki_lod2": 1}


def _a_source(tmp_path: Path) -> Any:
    path = tmp_path / "ours.toml"
    path.write_text('name = "ours"\ncrs = "EPSG:3879"\n[attributes]\nmunicipal_id = ["RATU"]\n')
    return read_source(path)


@pytest.mark.parametrize(
    ("meanwhile", "options", "added", "changed"),
    [
        (_nothing, {"complete": True}, 0, 0),
        (_nothing, {"dataset": "helsinki_lod2"}, 0, 0),
        (_nothing, {"undulation_m": 17.0}, 0, 0),
        (_nothing, {"axis_order": "en"}, 0, 0),
        (_nothing, {"city": "helsinki"}, 0, 0),
        (_nothing, {"selection": Selection.parse(["id=B1"], [])}, 0, 0),
        (_remove, {}, 2, 0),
        (_another_delivery, {}, 0, 2),
        (_a_complete_one_without, {}, 1, 0),
    ],
)
def test_it_is_read_where_something_may_be_different(
    engine: Engine,
    tmp_path: Path,
    opened: list[Path],
    meanwhile: Callable[[Engine, Path], None],
    options: dict[str, Any],
    added: int,
    changed: int,
) -> None:
    path = delivery(tmp_path / "a")
    run(engine, path)
    meanwhile(engine, tmp_path)
    again = run(engine, path, **options)
    assert opened.count(path) == 2
    assert (again.added, again.geometry_changed) == (added, changed)


def test_another_version_or_source_reads_it_again(
    engine: Engine, tmp_path: Path, opened: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = delivery(tmp_path / "a")
    run(engine, path)
    run(engine, path, sources=(_a_source(tmp_path),))
    assert len(opened) == 2
    monkeypatch.setattr(ingest, "VERSION", ingest.VERSION + 1)
    assert run(engine, path).attributes_changed + run(engine, path).unchanged == 2
    assert len(opened) == 3


def test_a_part_first_and_then_the_whole(engine: Engine, tmp_path: Path) -> None:
    path = delivery(tmp_path / "a")
    only = {"selection": Selection.parse(["id=B1"], [])}
    assert [run(engine, path, **options).added for options in (only, {}, only)] == [1, 1, 0]
    assert len(features(engine, "helsinki_lod2")) == 2


def test_fail_fast_still_fails(engine: Engine, tmp_path: Path) -> None:
    path = delivery(tmp_path / "a", B3=BROKEN)
    run(engine, path)
    with pytest.raises(InputError, match="B3"):
        run(engine, path, fail_fast=True)


_POINT = re.compile(r"([-+.\deE]+) ([-+.\deE]+) ([-+.\deE]+)")


@needs_shared_data
def test_the_axis_order_of_a_file_makes_no_other_building(engine: Engine, tmp_path: Path) -> None:
    """The delivery of the Estonian board, northing first, and the same easting first."""
    text = ESTONIA.read_text()
    lists = re.compile(r"(<gml:(?:posList|pos|lowerCorner|upperCorner)[^>]*>)([^<]*)")
    turned = tmp_path / "easting_first.gml"
    turned.write_text(lists.sub(lambda m: m[1] + _POINT.sub(r"\2 \1 \3", m[2]), text))
    first, before = run(engine, ESTONIA), counts(engine)
    second = run(engine, turned)
    assert (first.axis_order, second.axis_order) == ("ne", "en")
    assert (second.unchanged, second.rows_written) == (first.read, 0)
    assert counts(engine) == before


def test_a_template_turned_into_the_other_order_is_the_same(engine: Engine, tmp_path: Path) -> None:
    """Its matrix turns with the axes of the file, its own coordinates do not."""
    pool = {
        "templates": [{"type": "MultiSurface", "lod": "2", "boundaries": [[[0, 1, 2]]]}],
        "vertices-templates": [[0, 0, 0], [3, 0, 0], [0, 1, 0]],
    }
    matrix = [2, 1, 0, 5, 0, 3, 0, 6, 0, 0, 1, 7, 0, 0, 0, 1]
    turned = [*matrix[4:8], *matrix[:4], *matrix[8:]]
    made = {"type": "GeometryInstance", "template": 0, "boundaries": [1]}
    whole = document({"T": building(geometry=[made | {"transformationMatrix": matrix}])})
    whole["geometry-templates"] = pool
    other = orjson.loads(orjson.dumps(whole))
    other["CityObjects"]["T"]["geometry"][0]["transformationMatrix"] = turned
    other["vertices"] = [[y, x, z] for x, y, z in whole["vertices"]]
    other["transform"]["translate"] = [6674000.0, 25500000.0, 0.0]
    reports: list[Report] = []
    for number, content in enumerate((whole, other)):
        folder = tmp_path / str(number)
        folder.mkdir()
        reports.append(run(engine, write(folder, content)))
    assert [report.axis_order for report in reports] == ["en", "ne"]
    assert (reports[0].added, reports[1].unchanged, reports[1].rows_written) == (1, 1, 0)
