"""The CityJSON writer: what it writes is read back as it was, by this reader and by cjio."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from importers.port import Refused
from importers.reader import open_model
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.geometries import boundary, cube, gable, prism_faces, rectangle, shells
from twin.formats.cityjson import Transform, cityjson_document, cityjson_feature, cityjson_header
from twin.model.cityobject import Address, CityObject
from twin.model.geometry import Geometry, SemanticSurface

REFERENCE = "https://www.opengis.net/def/crs/EPSG/0/3879"


def _holed() -> Geometry:
    outer = [(0.0, 0.0, 0.0), (9.0, 0.0, 0.0), (9.0, 9.0, 0.0), (0.0, 9.0, 0.0)]
    hole = [(2.0, 2.0, 0.0), (2.0, 4.0, 0.0), (4.0, 4.0, 0.0)]
    return boundary([[outer, hole]], ["GroundSurface"], "MultiSurface", "0")


def _with_cavity() -> Geometry:
    outside = prism_faces(rectangle(0, 0, 9, 9), 0, 9)
    inside = [[ring[::-1] for ring in face] for face in prism_faces(rectangle(3, 3, 2, 2), 3, 5)]
    return shells([outside, inside])


def _two_solids(type_: str) -> Geometry:
    both = shells([prism_faces(rectangle(0, 0, 4, 4), 0, 4), prism_faces(rectangle(4, 0, 4, 4), 0, 4)])
    return replace(both, type=type_, solid_start=np.array([0, 1, 2]))


def _linked() -> Geometry:
    surfaces = (
        SemanticSurface("WallSurface", "w", {"children": [1], "Area": 12.5}),
        SemanticSurface("Window", None, {"parent": 0}),
    )
    return replace(cube(), semantics=surfaces, semantic=np.array([-1, 0, 0, 1, -1, 0]))


GEOMETRIES = {
    "cube": cube(),
    "gable": gable(),
    "without semantics": cube(named=False),
    "hole": _holed(),
    "cavity": _with_cavity(),
    "composite": _two_solids("CompositeSolid"),
    "multi": _two_solids("MultiSolid"),
    "linked": _linked(),
}


def _city() -> list[CityObject]:
    """A building with a part, and a bench; the coordinates are those of Helsinki."""
    moved = np.array([25500913.019, 6674555.691, 3.1805])
    there = {name: replace(g, xyz=g.xyz + moved) for name, g in GEOMETRIES.items()}
    return [
        CityObject(
            "B/1 ä", "Building", {"RATU": 64497, "empty": None, "set": {"a": [1, 2]}},
            (there["gable"], there["hole"]),
            addresses=(Address("Katu", "6", "00580", "Helsinki", "Suomi"), Address(street="Kuja")),
        ),
        CityObject("P", "BuildingPart", {}, (there["cavity"], there["linked"]), parent="B/1 ä"),
        CityObject("bench", "CityFurniture", {}, (there["multi"], there["composite"])),
        CityObject("odd", "ReliefFeature", {}, (there["without semantics"],)),
    ]  # fmt: skip


def _read(folder: Path, *documents: Any) -> list[CityObject]:
    path = folder / "model.json"
    path.write_bytes(b"\n".join(map(orjson.dumps, documents)))
    found: list[CityObject] = []
    for feature in open_model(path):
        assert not isinstance(feature, Refused), feature
        found.extend(feature)
    return found


def _same_geometry(one: Geometry, other: Geometry) -> None:
    assert (one.type, one.lod, one.semantics) == (other.type, other.lod, other.semantics)
    for name in ("ring_start", "surface_start", "shell_start", "solid_start", "semantic"):
        assert getattr(one, name).tolist() == getattr(other, name).tolist(), name
    assert np.abs(one.xyz - other.xyz).max() <= 0.0005 + 1e-8


def _same(one: CityObject, other: CityObject) -> None:
    assert (one.id, one.attributes, one.parent, one.addresses) == (
        other.id, other.attributes, other.parent, other.addresses,
    )  # fmt: skip
    assert len(one.geometries) == len(other.geometries)
    for mine, theirs in zip(one.geometries, other.geometries, strict=True):
        _same_geometry(mine, theirs)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_every_type_of_geometry_comes_back(tmp_path: Path, name: str) -> None:
    item = CityObject("B1", "Building", {}, (GEOMETRIES[name],))
    (found,) = _read(tmp_path, cityjson_document([item]))
    _same_geometry(found.geometries[0], GEOMETRIES[name])


def test_a_city_comes_back_as_it_was(tmp_path: Path) -> None:
    city = _city()
    found = _read(tmp_path, cityjson_document(city, REFERENCE, title="City"))
    assert [item.type for item in found] == ["Building", "BuildingPart", "CityFurniture", "+ReliefFeature"]
    for one, other in zip(found, city, strict=True):
        _same(one, other)


def test_a_sequence_comes_back_as_it_was(tmp_path: Path) -> None:
    city = _city()
    transform = Transform.around(city)
    lines = [cityjson_feature(part, transform) for part in (city[:2], city[2:3], city[3:])]
    found = _read(tmp_path, cityjson_header(REFERENCE, transform), *lines)
    for one, other in zip(found, city, strict=True):
        _same(one, other)


def test_vertices_are_millimetres_and_shared() -> None:
    document = cityjson_document([CityObject("B1", "Building", {}, (cube(),))])
    assert document["transform"] == {"scale": [0.001] * 3, "translate": [0.0] * 3}
    assert len(document["vertices"]) == 8
    assert max(document["vertices"]) == [1000, 1000, 1000]


def test_metadata_stands_only_where_it_is_known() -> None:
    assert "metadata" not in cityjson_document([])
    metadata = cityjson_document([], REFERENCE, title="T")["metadata"]
    assert metadata == {"title": "T", "referenceSystem": REFERENCE}


def test_a_part_alone_has_no_parent() -> None:
    part = CityObject("P", "BuildingPart", {}, (), parent="B1")
    assert cityjson_document([part])["CityObjects"] == {"P": {"type": "BuildingPart"}}


def test_cjio_reads_what_is_written() -> None:
    """cjio is the reference implementation of the CityJSON authors."""
    from tests.reference_cjio import cityjson

    city = [item for item in _city() if item.type != "ReliefFeature"]
    model = cityjson.CityJSON(j=cityjson_document(city, REFERENCE))
    assert model.get_epsg() == 3879
    assert model.number_city_objects_level1() == 2
    box = model.calculate_bbox()
    low = np.min([g.xyz.min(axis=0) for item in city for g in item.geometries], axis=0)
    assert np.abs(np.array(box[:3]) - low).max() <= 0.001
    model.remove_duplicate_vertices()
    before = len(model.j["vertices"])
    model.remove_orphan_vertices()
    assert len(model.j["vertices"]) == before
    assert set(model.get_subset_ids(["B/1 ä"]).j["CityObjects"]) == {"B/1 ä", "P"}


@needs_shared_data
@pytest.mark.parametrize(
    "name",
    [
        "helsinki/kalasatama_2549_6674.gml",
        "tallinn/ee_tartu_kvissentali_6_lod2.city.json",
        "cityjson/3dbag_delft_319.city.jsonl",
        "cityjson/corpus3dgi/semantic_complete.city.json",
    ],
)
def test_real_models_come_back_as_they_were(tmp_path: Path, name: str) -> None:
    features = [item for item in open_model(SHARED_DATA / name) if not isinstance(item, Refused)]
    objects = [item for feature in features for item in feature]
    assert objects
    for one, other in zip(_read(tmp_path, cityjson_document(objects)), objects, strict=True):
        _same(one, other)
