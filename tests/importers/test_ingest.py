"""Files in the database: once, whole, or not at all."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from importers.ingest import ImportOptions, Ingest
from importers.report import Report
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.stored import clean, counts, features
from twin.db import schema
from twin.db.engine import Database
from twin.errors import InputError, InvalidParameter, UnknownReferenceSystem, UnreadableFile
from twin.processing import pipeline

KALASATAMA = SHARED_DATA / "helsinki" / "kalasatama_2549_6674.gml"
ESTONIA_GML = SHARED_DATA / "tallinn" / "ee_tartu_kvissentali_6_lod2_maaamet_style.gml"
ESTONIA_JSON = SHARED_DATA / "tallinn" / "ee_tartu_kvissentali_6_lod2.city.json"
ORACLE = SHARED_DATA / "oracle" / "helsinki_kalasatama_buildings.tsv"


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


def run(engine: Engine, path: Path, **options: Any) -> Report:
    return Ingest(engine, ImportOptions(**options)).run(path)


def cube(x: float = 0.0, height: float = 3.0) -> dict[str, Any]:
    """A closed cube of CityJSON in EPSG:3879, on vertices of its own."""
    base = [(0, 0), (4, 0), (4, 4), (0, 4)]
    vertices = [[25496730.0 + x + a, 6672500.0 + b, z] for z in (0.0, height) for a, b in base]
    faces = [[3, 2, 1, 0], [4, 5, 6, 7], *([i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i] for i in range(4))]
    return {"vertices": vertices, "boundaries": [[[face] for face in faces]]}


def document(*heights: float, reference: str | None = "EPSG/0/3879", **attributes: Any) -> dict[str, Any]:
    """A CityJSON model of cubes named a, b, c … with the given heights."""
    whole: dict[str, Any] = {"type": "CityJSON", "version": "2.0", "CityObjects": {}, "vertices": []}
    whole["transform"] = {"scale": [0.001] * 3, "translate": [0.0] * 3}
    if reference:
        whole["metadata"] = {"referenceSystem": f"https://www.opengis.net/def/crs/{reference}"}
    for number, height in enumerate(heights):
        shape = cube(10.0 * number, height)
        first = len(whole["vertices"])
        boundaries = [
            [[[first + i for i in ring] for ring in face] for face in s] for s in shape["boundaries"]
        ]
        whole["CityObjects"]["abcdefgh"[number]] = {
            "type": "Building",
            "attributes": attributes,
            "geometry": [{"type": "Solid", "lod": "2", "boundaries": boundaries}],
        }
        whole["vertices"] += [[round(v * 1000) for v in vertex] for vertex in shape["vertices"]]
    return whole


def written(path: Path, content: dict[str, Any]) -> Path:
    path.write_text(json.dumps(content))
    return path


@needs_shared_data
def test_kalasatama_is_stored_whole(engine: Engine) -> None:
    report = run(engine, KALASATAMA)
    assert (report.added, report.refused, report.problems) == (61, [], [])
    assert (report.city, report.placement, report.axis_order) == ("helsinki", "exact", "en")
    with engine.connect() as connection:
        surfaces = func.sum(func.jsonb_array_length(schema.object_geometry.c.surfaces["type"]))
        assert connection.execute(select(surfaces)).scalar_one() == 1103


@needs_shared_data
def test_kalasatama_volumes_agree_with_the_oracle(engine: Engine) -> None:
    run(engine, KALASATAMA)
    stored = {row["object_id"]: row for row in features(engine, "helsinki_lod2")}
    with ORACLE.open() as file:
        oracle = {row["gml_id"]: row for row in csv.DictReader(file, delimiter="\t")}
    assert stored.keys() == oracle.keys()
    closed = {i for i, row in oracle.items() if row["unmatched_edges"] == "0"}
    assert len(closed) == 60
    for object_id in closed:
        expected = float(oracle[object_id]["calc_volume_m3"])
        assert stored[object_id]["volume_m3"] == pytest.approx(expected, rel=1e-3)
        assert stored[object_id]["closed"]
    [opened] = stored.keys() - closed
    assert not stored[opened]["closed"]
    assert stored[opened]["volume_method"] == "roof-ground integral"
    assert stored[opened]["volume_m3"] > 0


@needs_shared_data
@pytest.mark.parametrize("path", [KALASATAMA, ESTONIA_JSON], ids=lambda path: path.name)
def test_repeating_an_import_writes_nothing(engine: Engine, path: Path) -> None:
    first = run(engine, path)
    before = counts(engine)
    again = run(engine, path)
    assert (again.rows_written, again.unchanged, again.added) == (0, first.read, 0)
    assert counts(engine) == before


@needs_shared_data
def test_both_estonian_files_give_the_same_buildings(engine: Engine) -> None:
    reports = [run(engine, path, dataset=path.suffix[1:]) for path in (ESTONIA_GML, ESTONIA_JSON)]
    assert [(r.axis_order, r.placement, r.city) for r in reports] == [
        ("ne", "approximate", "tartu"),
        ("en", "approximate", "tartu"),
    ]
    gml, plain = ({row["object_id"]: row for row in features(engine, name)} for name in ("gml", "json"))
    assert len(gml) == 6
    assert gml.keys() == plain.keys()
    computed = ("volume_m3", "height_m", "footprint_area_m2", "roof_area_m2", "wall_area_m2", "roof_type")
    source = ("national_building_id", "municipal_id", "measured_height_m", "street", "house_number")
    for object_id, row in gml.items():
        twin = plain[object_id]
        assert {n: row[n] for n in source} == {n: twin[n] for n in source}
        assert {n: row[n] for n in computed} == {n: twin[n] for n in computed}
        # A degree of longitude is 58 km here, so 1e-6 degrees are well within a metre.
        assert (row["west"], row["south"]) == pytest.approx((twin["west"], twin["south"]), abs=1e-6)
        assert (row["west"], row["south"]) == pytest.approx((26.69, 58.41), abs=0.01)


def test_a_changed_feature_becomes_a_new_version(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(3.0, 3.0))
    run(engine, path, dataset="a")
    written(path, document(3.0, 5.0))
    report = run(engine, path, dataset="a")
    assert (report.unchanged, report.geometry_changed, report.added) == (1, 1, 0)
    assert [row["volume_m3"] for row in features(engine, "a")] == pytest.approx([48.0, 80.0])
    after = counts(engine)
    history = ("feature_history", "city_object_history", "object_geometry_history")
    assert [after[name] for name in history] == [1, 1, 1]
    written(path, document(3.0, 5.0, name="new"))
    report = run(engine, path, dataset="a")
    assert (report.attributes_changed, report.geometry_changed) == (2, 0)


def test_a_complete_delivery_ends_what_it_does_not_hold(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(3.0, 3.0, 3.0))
    run(engine, path, dataset="a")
    written(path, document(3.0, 3.0))
    ingest = Ingest(engine, ImportOptions(dataset="a", complete=True))
    ingest.run(path)
    assert ingest.end_absent() == {"a": 1}
    assert [row["object_id"] for row in features(engine, "a")] == ["a", "b"]
    assert counts(engine)["feature_history"] == 1


def test_without_complete_nothing_ends(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(3.0, 3.0))
    run(engine, path, dataset="a")
    run(engine, written(path, document(3.0)), dataset="a")
    assert len(features(engine, "a")) == 2


def test_an_object_may_stand_in_two_files_of_a_delivery(engine: Engine, tmp_path: Path) -> None:
    ingest = Ingest(engine, ImportOptions(dataset="a"))
    one = ingest.run(written(tmp_path / "one.city.json", document(3.0, 4.0)))
    two = ingest.run(written(tmp_path / "two.city.json", document(3.0)))
    assert (one.added, two.unchanged, two.refused) == (2, 1, [])
    assert ingest.end_absent() == {"a": 0}


def test_a_dry_run_reports_and_writes_nothing(engine: Engine, tmp_path: Path) -> None:
    before = counts(engine)
    report = run(engine, written(tmp_path / "a.city.json", document(3.0)), dry_run=True)
    assert report.added == 1
    assert counts(engine) == before


def test_an_unknown_reference_system_is_refused_unless_allowed(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(3.0, reference="EPSG/0/999999"))
    before = counts(engine)
    with pytest.raises(UnknownReferenceSystem, match=r"a\.city\.json.*EPSG:999999"):
        run(engine, path)
    assert counts(engine) == before
    assert run(engine, path, dataset="a", allow_unplaced=True).placement == "unplaced"
    [row] = features(engine, "a")
    assert row["volume_m3"] == pytest.approx(48.0)
    assert (row["placement"], row["mesh_hash"], row["quadkey"]) == ("unplaced", None, None)


def test_a_missing_reference_system_is_stored_unplaced(engine: Engine, tmp_path: Path) -> None:
    report = run(engine, written(tmp_path / "a.city.json", document(3.0, reference=None)))
    assert (report.added, report.placement) == (1, "unplaced")


def test_an_empty_model_is_stored_and_said_to_be_empty(engine: Engine, tmp_path: Path) -> None:
    report = run(engine, written(tmp_path / "a.city.json", document()), dataset="empty")
    assert [entry.code for entry in report.refused] == ["empty-model"]
    assert features(engine, "empty") == []
    assert counts(engine)["dataset"] == 1


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.city.json", '{"type": "CityJSON", "version": "2.0", ', "a.city.json"),
        ("a.txt", "name;height\n", "not a city model"),
        ("a.gml", "", "empty"),
    ],
)
def test_an_unusable_file_leaves_the_database_as_it_was(
    engine: Engine, tmp_path: Path, name: str, content: str, reason: str
) -> None:
    path = tmp_path / name
    path.write_text(content)
    before = counts(engine)
    with pytest.raises(InputError, match=reason) as caught:
        run(engine, path)
    assert "\n" not in str(caught.value)
    assert counts(engine) == before


@needs_shared_data
def test_a_truncated_file_leaves_the_database_as_it_was(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "truncated.gml"
    path.write_bytes(KALASATAMA.read_bytes()[:1_000_000])
    before = counts(engine)
    with pytest.raises(UnreadableFile, match=r"truncated\.gml: line \d+"):
        run(engine, path)
    assert counts(engine) == before


def test_one_bad_feature_costs_one_feature(engine: Engine, tmp_path: Path) -> None:
    broken = document(3.0, 3.0)
    broken["CityObjects"]["a"]["geometry"][0]["boundaries"][0][0] = [[0, 1, 99_999]]
    report = run(engine, written(tmp_path / "a.city.json", broken), dataset="a")
    assert report.added == 1
    [refused] = report.refused
    assert refused.object_id == "a"
    assert [row["object_id"] for row in features(engine, "a")] == ["b"]


def test_a_text_with_nul_is_refused_alone(engine: Engine, tmp_path: Path) -> None:
    poisoned = document(3.0, 3.0)
    poisoned["CityObjects"]["b"]["attributes"] = {"name": "a\0b"}
    report = run(engine, written(tmp_path / "a.city.json", poisoned), dataset="a")
    assert [entry.code for entry in report.refused] == ["nul-character"]
    assert report.added == 1


def test_several_jobs_store_the_same(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(3.0, 4.0, 5.0))
    run(engine, path, dataset="one")
    run(engine, path, dataset="two", jobs=2)
    one, two = ([row["volume_m3"] for row in features(engine, name)] for name in ("one", "two"))
    assert one == two


def test_a_real_dataset_takes_the_first_place_from_a_synthetic_one(engine: Engine, tmp_path: Path) -> None:
    synthetic = document(3.0)
    synthetic["metadata"]["title"] = "SYNTHETIC city"
    run(engine, written(tmp_path / "s.city.json", synthetic), dataset="made", city="helsinki")
    run(engine, written(tmp_path / "r.city.json", document(3.0)), dataset="real", city="helsinki")
    run(engine, written(tmp_path / "x.city.json", document(4.0)), dataset="other", city="helsinki")
    d = schema.dataset.c
    with engine.connect() as connection:
        roles = {row.name: row.role for row in connection.execute(select(d.name, d.role))}
    assert roles == {"made": "alternative", "real": "primary", "other": "alternative"}


def test_a_name_that_is_no_name_is_refused(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="no name for a dataset"):
        run(engine, written(tmp_path / "a.city.json", document(3.0)), dataset="a.b")


def test_processing_again_changes_no_value(engine: Engine, tmp_path: Path) -> None:
    run(engine, written(tmp_path / "a.city.json", document(3.0, 5.0)), dataset="a")
    pipeline.process(engine, "a")
    before = features(engine, "a")
    assert pipeline.process(engine, "a")[0].rows_written == 0
    [report] = pipeline.process(engine, "a", force=True)
    assert report.outdated == 2
    assert features(engine, "a") == before
