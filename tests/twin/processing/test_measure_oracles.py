"""Real models beside values that nobody here computed."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest

from importers.reader import open_model
from tests import geometries
from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.model.cityobject import CityFeature, geometries_at, highest_lod
from twin.model.geometry import Floats, Geometry, GeometryBatch, SurfaceType, concatenate
from twin.processing.compute import Measures, measure
from twin.processing.derive import native
from twin.processing.mesh import MeshFailure, build_meshes
from twin.processing.orientation import Boundary, orient
from twin.processing.surfaces import Integrals

pytestmark = needs_shared_data

Row: TypeAlias = dict[str, str]
Loaded: TypeAlias = tuple[list[CityFeature], list[list[Geometry]], GeometryBatch, Measures]


def load(path: Path, northing_first: bool = False) -> Loaded:
    features = [item for item in open_model(path) if isinstance(item, CityFeature)]
    shapes = [list(geometries_at(f, highest_lod(f.objects))) for f in features]
    if northing_first:
        shapes = [[geometries.with_points(g, g.xyz[:, [1, 0, 2]]) for g in object_] for object_ in shapes]
    batch = concatenate(shapes)
    return features, shapes, batch, measure(batch)


def column(result: Measures, name: str) -> Floats:
    return np.asarray(result.values[name], dtype=np.float64)


@pytest.fixture(scope="module")
def delft() -> Loaded:
    return load(SHARED_DATA / "cityjson" / "3dbag_delft_319.city.json")


@pytest.fixture(scope="module")
def kalasatama() -> Loaded:
    return load(SHARED_DATA / "helsinki" / "kalasatama_2549_6674.gml")


def stored(features: list[CityFeature], *names: str) -> Floats:
    return np.array([sum(f.root.attributes[name] for name in names) for f in features])


def test_delft_volumes(delft: Loaded) -> None:
    features, _, _, result = delft
    volume, expected = column(result, "volume_m3"), stored(features, "b3_volume_lod22")
    assert len(features) == 159
    assert np.abs(volume / expected - 1.0).max() < 1e-3
    assert (np.abs(volume - expected) <= 0.0025 * column(result, "ground_area_m2")).all()


def test_delft_walls_and_grounds(delft: Loaded) -> None:
    features, _, _, result = delft
    walls = column(result, "wall_area_m2") - stored(features, "b3_opp_buitenmuur", "b3_opp_scheidingsmuur")
    # The stored areas are rounded to centimetres twice.
    assert (np.abs(walls) <= 0.0201).mean() >= 0.95
    grounds = column(result, "ground_area_m2") - stored(features, "b3_opp_grond")
    assert (np.abs(grounds) <= 0.0101).mean() >= 0.95


def test_delft_open_shells_are_flagged(delft: Loaded) -> None:
    """One shell has an edge without its opposite; val3dity finds all others closed (no 302)."""
    features, _, _, result = delft
    verdicts = [feature.root.attributes["b3_val3dity_lod22"] for feature in features]
    pairs = list(zip(verdicts, result.values["closed"], result.values["quality"], strict=True))
    assert all(closed for verdict, closed, _ in pairs if verdict == "[]")
    assert [verdict for verdict, closed, _ in pairs if not closed] == ["[102]"]
    assert all(quality == ("exact" if closed else "prism") for _, closed, quality in pairs)


def test_delft_roofs_cover_the_grounds(delft: Loaded) -> None:
    """Closed shells: all area vectors sum to nothing, roofs and grounds cover the same plan."""
    _, _, batch, _ = delft
    boundary = orient(batch)
    vectors = sums_by_object(boundary, lambda faces: faces.vector)
    size = sums_by_object(boundary, lambda faces: faces.area)
    assert (np.abs(vectors[:, boundary.closed]).max(axis=0) <= 1e-6 * size[boundary.closed]).all()
    types = np.isin(batch.surface_type, [SurfaceType.ROOF, SurfaceType.GROUND])
    plans = sums_by_object(boundary, lambda faces: np.where(types, faces.vector[2], 0.0))
    assert (np.abs(plans[boundary.closed]) <= 1e-6 * size[boundary.closed]).all()


def sums_by_object(boundary: Boundary, of_face: Callable[[Integrals], Floats]) -> Floats:
    return np.add.reduceat(of_face(boundary.faces), boundary.batch.object_start[:-1], axis=-1)


def test_delft_flat_roofs_are_called_flat(delft: Loaded) -> None:
    features, _, _, result = delft
    pairs = list(
        zip((f.root.attributes["b3_dak_type"] for f in features), result.values["roof_type"], strict=True)
    )
    slanted = [own for theirs, own in pairs if theirs == "slanted"]
    assert sum(own not in {"flat", "multiple flat"} for own in slanted) / len(slanted) > 0.9
    level = [own for theirs, own in pairs if theirs == "horizontal"]
    assert sum(own == "flat" for own in level) / len(level) > 0.8


def test_delft_types_are_found_without_their_names(delft: Loaded) -> None:
    _, _, batch, result = delft
    bare = GeometryBatch(
        batch.origin,
        batch.xyz,
        batch.ring_start,
        batch.surface_start,
        batch.object_start,
        np.zeros_like(batch.surface_type),
    )
    found = measure(bare)
    same = found.surface_type == batch.surface_type
    assert result.face_area_m2[same].sum() / result.face_area_m2.sum() > 0.98
    assert np.abs(column(found, "volume_m3") / column(result, "volume_m3") - 1.0).max() < 1e-3


def rows(name: str) -> dict[str, Row]:
    with (SHARED_DATA / "oracle" / name).open(encoding="utf-8", newline="") as file:
        return {row["gml_id"]: row for row in csv.DictReader(file, delimiter="\t")}


def test_kalasatama_buildings(kalasatama: Loaded) -> None:
    features, _, batch, result = kalasatama
    oracle = rows("helsinki_kalasatama_buildings.tsv")
    expected = [oracle[feature.root.id] for feature in features]
    assert len(expected) == 61
    closed = np.array([row["unmatched_edges"] == "0" for row in expected])
    assert closed.sum() == 60
    assert result.values["closed"] == closed.tolist()
    assert orient(batch).unmatched_edges.tolist() == [int(row["unmatched_edges"]) for row in expected]
    assert [q for q in result.values["quality"] if q != "exact"] == ["prism"]
    for name, own, limit in (
        ("calc_ground_area", "ground_area_m2", 0.01),
        ("calc_roof_area", "roof_area_m2", 0.01),
        ("calc_wall_area", "wall_area_m2", 0.01),
        ("calc_zmin", "height_ground_m", 0.001),
        ("calc_zmax", "height_max_m", 0.001),
    ):
        difference = column(result, own) - np.array([float(row[name]) for row in expected])
        assert np.abs(difference).max() <= limit, own
    volume = np.array([float(row["calc_volume_m3"]) for row in expected])
    assert np.abs(column(result, "volume_m3") / volume - 1.0).max() < 1e-3


def test_kalasatama_surfaces(kalasatama: Loaded) -> None:
    _, shapes, _, result = kalasatama
    oracle = rows("helsinki_kalasatama_surfaces.tsv")
    flat = [geometry for object_ in shapes for geometry in object_]
    ids = [geometry.semantics[int(code)].id or "" for geometry in flat for code in geometry.semantic]
    assert len(set(ids)) == 1103
    checked = {"area": 0, "pitch": 0, "orientation": 0}
    for face, row in ((face, oracle[id_]) for face, id_ in enumerate(ids)):
        if row["n_polygons"] != "1":
            continue
        checked["area"] += 1
        assert result.face_area_m2[face] == pytest.approx(float(row["src_Area"]), abs=0.06)
        if not row["src_RoofPitch"] or float(row["src_Area"]) < 1.0:
            continue
        checked["pitch"] += 1
        assert 90.0 - result.face_slope_deg[face] == pytest.approx(float(row["src_RoofPitch"]), abs=0.1)
        if float(row["src_RoofOrientation"]) >= 0.0:
            checked["orientation"] += 1
            turn = result.face_azimuth_deg[face] - float(row["src_RoofOrientation"])
            assert abs((turn + 180.0) % 360.0 - 180.0) <= 0.1
    assert checked["area"] > 900
    assert checked["pitch"] > 140
    assert checked["orientation"] > 50


TALLINN = (
    ("ee_tartu_kvissentali_6_lod2.city.json", False),
    ("ee_tartu_kvissentali_6_lod2_maaamet_style.gml", True),
)


@pytest.mark.parametrize(("name", "northing_first"), TALLINN)
def test_estonian_buildings_without_semantics(name: str, northing_first: bool) -> None:
    features, _, batch, result = load(SHARED_DATA / "tallinn" / name, northing_first)
    assert (batch.surface_type == SurfaceType.UNKNOWN).all()
    assert result.values["closed"] == [True] * 6
    assert result.values["quality"] == ["exact"] * 6
    grounds = result.surface_type == SurfaceType.GROUND
    assert np.bincount(batch.object_of_surface()[grounds]).tolist() == [1] * 6
    assert column(result, "roof_area_m2") == pytest.approx(
        [65.57, 342.10, 143.74, 62.51, 90.02, 90.73], abs=0.01
    )
    assert column(result, "footprint_area_m2") == pytest.approx(column(result, "ground_area_m2"), abs=1e-6)
    stated = np.array([f.root.attributes["measuredHeight"] for f in features])
    assert np.abs(column(result, "height_m") - stated).max() <= 0.011


def test_both_estonian_files_measure_the_same() -> None:
    first, second = (load(SHARED_DATA / "tallinn" / name, swap)[3] for name, swap in TALLINN)
    for name, values in first.values.items():
        other: list[Any] = list(second.values[name])
        assert list(values) == [pytest.approx(v, rel=1e-6) if isinstance(v, float) else v for v in other]


@pytest.mark.parametrize(
    ("path", "count"),
    [("helsinki/kalasatama_2549_6674.gml", 61), ("cityjson/3dbag_delft_319.city.json", 159)],
)
def test_every_real_building_has_a_mesh(path: str, count: int) -> None:
    _, _, batch, result = load(SHARED_DATA / path)
    meshes = build_meshes(batch, result.surface_type, native(batch) - batch.origin.min(axis=0))
    assert [mesh for mesh in meshes if isinstance(mesh, MeshFailure)] == []
    assert len(meshes) == count
