"""The readers on real and conformance models."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from importers.port import Refused
from importers.reader import open_model
from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.errors import UnreadableFile
from twin.model.cityobject import CityFeature, CityObject
from twin.model.geometry import Floats, Geometry

pytestmark = needs_shared_data

KALASATAMA = SHARED_DATA / "helsinki" / "kalasatama_2549_6674.gml"
TALLINN = SHARED_DATA / "tallinn"
FILES = sorted(
    path
    for folder in ("helsinki", "tallinn", "citygml", "cityjson", "invalid")
    for path in (SHARED_DATA / folder).rglob("*.*")
    if path.suffix in {".gml", ".json", ".jsonl"}
)
NO_MODELS = {
    "generic.ext.json": "CityJSONExtension",
    "o4.json": "version '0.9'",
    "citygmlorg_tin_not_wellformed.gml": "line 117",
    "invalid_missing_type.json": "has no type",
    "invalid_out_of_range_vertex_index.json": "transform is missing",
}
"""Files that are refused whole, and what the message says."""
REFUSED = {
    "cube_20.jsonl": ["unexpected-type"],
    "duplicate.json": ["duplicate-id"],
    "extension.jsonl": ["unexpected-type"],
    "gocitygml_malformed_poslist.gml": ["invalid-coordinates"],
    "gocitygml_malformed_ring.gml": ["ring-not-closed"],
    "invalid_cityjsonfeature_root_id_unresolved.city.jsonl": ["root-unresolved"],
    "invalid_u64_f64_bounds.json": ["invalid-coordinates"],
    "o.json": ["vertex-out-of-range"],
    "sem.json": ["invalid-semantics", "invalid-semantics"],
}
"""Files with features that are refused, and why; every other file is read whole."""


def features(path: Path) -> list[CityFeature]:
    """The features of a file in which none is refused."""
    found: list[CityFeature] = []
    for item in open_model(path):
        assert isinstance(item, CityFeature), item
        found.append(item)
    return found


def _objects(path: Path) -> Iterator[CityObject]:
    for feature in features(path):
        yield from feature


def ring_normal(ring: Floats) -> Floats:
    """Newell's normal of a ring, twice its area long."""
    local = ring - ring[0]
    return np.cross(local, np.roll(local, -1, axis=0)).sum(axis=0)


def surface_areas(geometry: Geometry) -> list[float]:
    """Area of each surface, holes taken away."""
    rings = [
        float(np.linalg.norm(ring_normal(geometry.xyz[low:high]))) / 2
        for low, high in zip(geometry.ring_start[:-1], geometry.ring_start[1:], strict=True)
    ]
    return [
        rings[low] - sum(rings[low + 1 : high])
        for low, high in zip(geometry.surface_start[:-1], geometry.surface_start[1:], strict=True)
    ]


def unmatched_edges(geometry: Geometry) -> int:
    """Edges without a counterpart in the opposite direction; 0 where the shell is closed."""
    directed: Counter[tuple[bytes, bytes]] = Counter()
    for low, high in zip(geometry.ring_start[:-1], geometry.ring_start[1:], strict=True):
        points = [point.tobytes() for point in geometry.xyz[low:high]]
        directed.update(zip(points, [*points[1:], points[0]], strict=True))
    return sum(abs(n - directed[b, a]) for (a, b), n in directed.items())


def _oracle(name: str) -> list[dict[str, str]]:
    with (SHARED_DATA / "oracle" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.fixture(scope="module")
def kalasatama() -> list[CityFeature]:
    return features(KALASATAMA)


def test_kalasatama_is_whole(kalasatama: list[CityFeature]) -> None:
    geometries = [geometry for feature in kalasatama for item in feature for geometry in item.geometries]
    assert len(kalasatama) == 61
    assert {(geometry.type, geometry.lod) for geometry in geometries} == {("Solid", "2")}
    assert len(geometries) == 61
    classes = Counter(surface.type for geometry in geometries for surface in geometry.semantics)
    expected = Counter(row["class"] for row in _oracle("helsinki_kalasatama_surfaces.tsv"))
    assert classes == expected
    assert sum(classes.values()) == 1103
    assert all((geometry.semantic >= 0).all() for geometry in geometries)


def test_kalasatama_solids_are_closed_but_one(kalasatama: list[CityFeature]) -> None:
    open_shells = {
        feature.root.id for feature in kalasatama if unmatched_edges(feature.root.geometries[0]) > 0
    }
    expected = {
        row["gml_id"]
        for row in _oracle("helsinki_kalasatama_buildings.tsv")
        if int(row["unmatched_edges"]) > 0
    }
    assert open_shells == expected
    assert len(open_shells) == 1


def test_kalasatama_areas_are_those_of_the_city(kalasatama: list[CityFeature]) -> None:
    rows = {row["gml_id"]: row for row in _oracle("helsinki_kalasatama_surfaces.tsv")}
    compared = 0
    for feature in kalasatama:
        (geometry,) = feature.root.geometries
        areas = np.array(surface_areas(geometry))
        for index, surface in enumerate(geometry.semantics):
            row = rows[surface.id or ""]
            faces = np.flatnonzero(geometry.semantic == index)
            assert len(faces) == int(row["n_polygons"])
            assert surface.type == row["class"]
            assert surface.attributes.get("Area") == (float(row["src_Area"]) if row["src_Area"] else None)
            if len(faces) == 1 and row["src_Area"]:
                assert abs(areas[faces[0]] - float(row["src_Area"])) < 0.06
                compared += 1
    assert compared > 900


def test_kalasatama_attributes(kalasatama: list[CityFeature]) -> None:
    rows = {row["gml_id"]: row for row in _oracle("helsinki_kalasatama_buildings.tsv")}
    assert {feature.root.id for feature in kalasatama} == set(rows)
    for feature in kalasatama:
        attributes, row = feature.root.attributes, rows[feature.root.id]
        assert attributes["measuredHeight"] == float(row["measuredHeight"])
        for name, old_name in (("VTJ_PRT", "Rakennustunnus_(VTJ-PRT)"), ("RATU", "Rakennustunnus_(RATU)")):
            value = attributes.get(name, attributes.get(old_name))
            assert str(value or "") == row[name].removeprefix("0")
    first = kalasatama[0].root
    assert first.attributes["C_KAYTTARK"] is None
    assert first.attributes["Integrate_LoD[2]"]["matching_mode"] == 1
    assert first.attributes["externalReference"]["name"] == "04b55dd6-c136-49a6-b142-723c0eb5ee89"
    assert kalasatama[0].place == "line 6"


def test_kalasatama_states_its_reference_system() -> None:
    opened = open_model(KALASATAMA)
    assert opened.metadata.reference_system == "urn:ogc:def:crs:EPSG::3879"
    list(opened)
    assert not opened.ledger


def test_both_files_of_tartu_are_the_same_buildings() -> None:
    """The GML has northings first, the CityJSON eastings; readers leave the order as it is."""
    gml = {item.id: item for item in _objects(TALLINN / "ee_tartu_kvissentali_6_lod2_maaamet_style.gml")}
    json = {item.id: item for item in _objects(TALLINN / "ee_tartu_kvissentali_6_lod2.city.json")}
    assert len(gml) == 6
    assert gml.keys() == json.keys()
    for identifier, item in gml.items():
        (one,), (other,) = item.geometries, json[identifier].geometries
        assert (one.type, one.lod, len(one.semantics)) == ("MultiSurface", "2", 0)
        assert one.ring_start.tolist() == other.ring_start.tolist()
        assert one.surface_start.tolist() == other.surface_start.tolist()
        assert np.abs(one.xyz[:, [1, 0, 2]] - other.xyz).max() < 1e-6
        for name in ("etak_id", "ehr_gid", "tyyp_tekst", "measuredHeight"):
            assert item.attributes.get(name) == json[identifier].attributes[name]
        assert item.addresses[0].locality == "Tartu"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_file_is_read_or_refused_with_a_reason(path: Path) -> None:
    if path.name in NO_MODELS:
        with pytest.raises(UnreadableFile, match=NO_MODELS[path.name]):
            list(open_model(path))
        return
    found = list(open_model(path))
    refused = [item for item in found if isinstance(item, Refused)]
    assert [item.code for item in refused] == REFUSED.get(path.name, [])
    assert all(item.place and item.reason and item.suggestion for item in refused)
    for feature in found:
        if isinstance(feature, CityFeature):
            for item in feature:
                for geometry in item.geometries:
                    _check_arrays(geometry)


def _check_arrays(geometry: Geometry) -> None:
    assert geometry.solid_start[-1] == len(geometry.shell_start) - 1
    assert geometry.shell_start[-1] == len(geometry.surface_start) - 1 == len(geometry.semantic)
    assert geometry.surface_start[-1] == len(geometry.ring_start) - 1
    assert geometry.ring_start[-1] == len(geometry.xyz)
    assert np.isfinite(geometry.xyz).all()
    assert (np.diff(geometry.ring_start) >= 1).all()
    assert (np.diff(geometry.surface_start) >= 1).all()
    assert (geometry.semantic >= -1).all()
    assert (geometry.semantic < len(geometry.semantics)).all()
    assert float(geometry.lod) >= 0


@pytest.mark.parametrize(
    ("name", "objects"),
    [
        ("cityjson/3dbag_delft_319.city.jsonl", 319),
        ("cityjson/3dbag_delft_319.city.json", 319),
        ("cityjson/vienna_592.city.jsonl", 592),
        ("cityjson/cjio_zurich_lod2_210.json", 210),
        ("cityjson/cjio_delft_570obj_cj20.json", 570),
        ("cityjson/threejs_3dfier_cj10_98.json", 98),
        ("cityjson/citygml4j_berlin100.city.jsonl", 100),
        ("citygml/citygml4j/berlin100_v3.gml", 100),
        ("citygml/zurich_lod2_citygml1.gml", 10),
        ("invalid/gocitygml_unsupported_objects.gml", 4),
    ],
)
def test_counts_of_objects(name: str, objects: int) -> None:
    assert sum(1 for _ in _objects(SHARED_DATA / name)) == objects


def _shape(geometry: Geometry) -> list[tuple[str, list[list[float]]]]:
    """What a geometry looks like, wherever its rings start and in whatever order its faces stand."""
    faces: list[tuple[str, list[list[float]]]] = []
    for face in range(len(geometry.semantic)):
        low, high = geometry.ring_start[geometry.surface_start[face : face + 2]]
        type_ = geometry.semantics[int(geometry.semantic[face])].type
        faces.append((type_, sorted(np.round(geometry.xyz[low:high], 2).tolist())))
    return sorted(faces)


def test_the_three_files_of_berlin_are_the_same_buildings() -> None:
    trio = [
        {item.id: item for item in _objects(SHARED_DATA / name)}
        for name in (
            "citygml/citygml4j/berlin100_v3.gml",
            "cityjson/citygml4j_berlin100.city.jsonl",
            "cityjson/citygml4j_berlin100_cj20.json",
        )
    ]
    gml, seq, json = trio
    assert gml.keys() == seq.keys() == json.keys()
    for identifier, item in gml.items():
        shape = _shape(item.geometries[0])
        assert _shape(seq[identifier].geometries[0]) == shape
        assert _shape(json[identifier].geometries[0]) == shape


@pytest.mark.parametrize("name", ["CityGML", "CityGML_v2_extended", "Berlin_Moabit_1Bldg"])
def test_the_same_building_in_2_0_and_3_0(name: str) -> None:
    folder = SHARED_DATA / "citygml" / "tum_pairs"
    stem = name.replace("_v2", "_v{0}") if "_v2" in name else name + "_v{0}"
    (old,), (new,) = (features(folder / (stem.format(version) + ".gml")) for version in (2, 3))
    assert old.root.id == new.root.id
    assert [_shape(g) for g in old.root.geometries] == [_shape(g) for g in new.root.geometries]
    assert new.root.addresses == old.root.addresses
    renamed_in_3_0 = {"creationDate", "externalReference", "measuredHeight"}
    kept = old.root.attributes.keys() - renamed_in_3_0
    assert kept
    assert {key: new.root.attributes[key] for key in kept} == {key: old.root.attributes[key] for key in kept}
