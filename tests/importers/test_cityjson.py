"""The CityJSON reader on a canonical cube: what is read, and one mutation for each thing that can differ."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from importers.reader import open_model
from tests.importers.cityjson_cube import (
    Json,
    building,
    document,
    geometry,
    line,
    read,
    sequence,
    vertices,
    write,
)
from twin.errors import UnreadableFile
from twin.model.cityobject import Address, CityFeature, geometries_at

PLANE = [[[0, 1, 2, 3]], [[4, 5, 6, 7]]]


def only(folder: Path, content: Json | bytes) -> CityFeature:
    """The one feature of a file."""
    features, refused, _ = read(folder, content)
    assert refused == []
    (feature,) = features
    return feature


@pytest.mark.parametrize("content", [document(), sequence(line())], ids=["document", "sequence"])
def test_a_solid_with_semantics(tmp_path: Path, content: Json | bytes) -> None:
    feature = only(tmp_path, content)
    (solid,) = feature.root.geometries
    assert (feature.root.id, feature.root.type, feature.root.attributes) == (
        "B1",
        "Building",
        {"RATU": 64497},
    )
    assert (solid.type, solid.lod) == ("Solid", "2")
    assert solid.ring_start.tolist() == [0, 4, 8, 12, 16, 20, 24]
    assert solid.surface_start.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert solid.shell_start.tolist() == [0, 6]
    assert solid.solid_start.tolist() == [0, 1]
    assert solid.semantic.tolist() == [0, 1, 2, -1, 3, -1]
    assert solid.xyz[:2].tolist() == [[25500000.0, 6674000.0, 0.0], [25500000.0, 6674010.0, 0.0]]
    ground, _, wall, window = solid.semantics
    assert (ground.type, ground.id, ground.attributes) == ("GroundSurface", "s_ground", {"Area": 100.0})
    assert (wall.attributes, window.attributes) == ({"children": [3]}, {"parent": 2})


def test_metadata(tmp_path: Path) -> None:
    metadata = open_model(write(tmp_path, document())).metadata
    assert metadata.format == "CityJSON 2.0"
    assert metadata.title == "Cube"
    assert metadata.reference_system == "https://www.opengis.net/def/crs/EPSG/0/3879"
    assert not metadata.synthetic
    assert open_model(write(tmp_path, sequence(line()))).metadata.format == "CityJSONSeq 2.0"


def test_a_publisher_and_a_synthetic_title(tmp_path: Path) -> None:
    said = {"title": "SYNTHETIC city", "pointOfContact": {"contactName": "City of Helsinki"}}
    metadata = open_model(write(tmp_path, document(metadata=said))).metadata
    assert (metadata.synthetic, metadata.publisher) == (True, "City of Helsinki")


def _place(boundaries: Any, type_: str, values: Any = None) -> Json:
    content: Json = {"type": type_, "lod": "1", "boundaries": boundaries}
    if values is not None:
        content["semantics"] = {"surfaces": [{"type": "RoofSurface"}], "values": values}
    return document({"B1": building(geometry=[content])})


@pytest.mark.parametrize(
    ("content", "shells", "solids", "semantic"),
    [
        (_place(PLANE, "MultiSurface", [None, 0]), [0, 2], [0, 1], [-1, 0]),
        (_place(PLANE, "CompositeSurface", [0, 0]), [0, 2], [0, 1], [0, 0]),
        (_place([PLANE, PLANE], "Solid", [[0, None], [None, 0]]), [0, 2, 4], [0, 2], [0, -1, -1, 0]),
        (_place([PLANE, PLANE], "Solid", [None, [0, 0]]), [0, 2, 4], [0, 2], [-1, -1, 0, 0]),
        (_place([[PLANE], [PLANE]], "MultiSolid", [[[0, 0]], None]), [0, 2, 4], [0, 1, 2], [0, 0, -1, -1]),
        (_place([[PLANE], [PLANE, PLANE]], "CompositeSolid"), [0, 2, 4, 6], [0, 1, 3], [-1] * 6),
    ],
)
def test_all_types_of_surfaces(
    tmp_path: Path, content: Json, shells: list[int], solids: list[int], semantic: list[int]
) -> None:
    (found,) = only(tmp_path, content).root.geometries
    assert found.shell_start.tolist() == shells
    assert found.solid_start.tolist() == solids
    assert found.semantic.tolist() == semantic


def test_holes_and_several_lods(tmp_path: Path) -> None:
    holed = {"type": "MultiSurface", "lod": "1.2", "boundaries": [[[0, 1, 2, 3], [4, 5, 6]]]}
    content = document({"B1": building(geometry=[holed, geometry()])})
    first, second = only(tmp_path, content).root.geometries
    assert (first.lod, second.lod) == ("1.2", "2")
    assert first.ring_start.tolist() == [0, 4, 7]
    assert first.surface_start.tolist() == [0, 2]
    assert second.surface_start.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_repeated_first_vertex_is_left_out(tmp_path: Path) -> None:
    content = _place([[[0, 1, 2, 3, 0]], [[4, 5, 6]]], "MultiSurface")
    assert only(tmp_path, content).root.geometries[0].ring_start.tolist() == [0, 4, 7]


def test_children_follow_their_parents(tmp_path: Path) -> None:
    objects = {
        "P2": {"type": "BuildingInstallation", "parents": ["P1"]},
        "P1": {"type": "BuildingPart", "parents": ["B1"], "children": ["P2"], "geometry": [geometry()]},
        "B1": {"type": "Building", "children": ["P1"]},
        "B2": building(),
    }
    features, refused, _ = read(tmp_path, document(objects))
    assert refused == []
    assert [[(item.id, item.parent) for item in feature] for feature in features] == [
        [("B1", None), ("P1", "B1"), ("P2", "P1")],
        [("B2", None)],
    ]


def test_groups_are_no_parents(tmp_path: Path) -> None:
    objects = {
        "G": {"type": "CityObjectGroup", "children": ["B1"]},
        "B1": building(parents=["G"]),
    }
    features, refused, opened = read(tmp_path, document(objects))
    assert refused == []
    assert [(feature.root.id, feature.root.parent) for feature in features] == [("G", None), ("B1", None)]
    assert features[0].root.extra == {"children": ["B1"]}
    assert not opened.ledger


def test_addresses(tmp_path: Path) -> None:
    location = {"type": "MultiPoint", "lod": "1", "boundaries": [0]}
    listed = [
        {
            "thoroughfareName": "rue de la Patate",
            "thoroughfareNumber": 1,
            "postcode": "H0H",
            "location": location,
        },
        {"LocalityName": "Chibougamau", "CountryName": "Canada", "planet": "Earth"},
    ]
    (feature,), _, opened = read(tmp_path, document({"B1": building(address=listed)}))
    assert feature.root.addresses == (
        Address("rue de la Patate", "1", "H0H"),
        Address(locality="Chibougamau", country="Canada"),
    )
    first, second = feature.root.addresses
    assert first.location is not None
    assert (first.location.type, first.location.lod) == ("MultiPoint", "1")
    assert first.location.xyz.tolist() == [[25500000.0, 6674000.0, 0.0]]
    assert second.fields == listed[1]
    assert not opened.ledger


def test_members_of_extensions_are_kept(tmp_path: Path) -> None:
    objects = {"B1": building(**{"+x": 1, "geographicalExtent": [0, 0, 0, 1, 1, 1]})}
    (feature,), _, opened = read(tmp_path, document(objects, **{"+y": {"z": [1]}, "extensions": {"X": {}}}))
    assert feature.root.extra == {"+x": 1, "geographicalExtent": [0, 0, 0, 1, 1, 1]}
    kept = opened.metadata.document
    assert (kept["+y"], kept["extensions"]) == ({"z": [1]}, {"X": {}})
    assert not opened.ledger


def test_slivers_are_kept(tmp_path: Path) -> None:
    content = _place([[[0, 1, 2], [4, 5, 4, 5]], [[0, 1, 0]], [[4, 5, 6]]], "MultiSurface", [0, 0, None])
    (feature,), refused, opened = read(tmp_path, content)
    assert refused == []
    (found,) = feature.root.geometries
    assert found.ring_start.tolist() == [0, 3, 7, 9, 12]
    assert found.semantic.tolist() == [0, 0, -1]
    assert not opened.ledger
    (shown,) = geometries_at(feature, found.lod)
    assert shown.ring_start.tolist() == [0, 3, 6]
    assert shown.surface_start.tolist() == [0, 1, 2]
    assert shown.semantic.tolist() == [0, -1]


def test_version_1_0_needs_no_transform_and_has_numeric_lods(tmp_path: Path) -> None:
    content = document({"B1": building(geometry=[geometry() | {"lod": 2}])}, version="1.0")
    del content["transform"]
    (found,) = only(tmp_path, content).root.geometries
    assert found.lod == "2"
    assert found.xyz[1].tolist() == [0.0, 10000.0, 0.0]


def test_places_are_bytes_or_objects(tmp_path: Path) -> None:
    features, _, _ = read(tmp_path, document())
    assert features[0].place == "CityObjects/B1"
    content = sequence(line("B1"), line("B2"))
    features, _, _ = read(tmp_path, content)
    starts = [content.index(b'{"type":"CityJSONFeature"'), content.rindex(b'{"type":"CityJSONFeature"')]
    assert [feature.place for feature in features] == [f"byte {start}" for start in starts]


def test_a_feature_may_stand_alone(tmp_path: Path) -> None:
    feature, _, opened = read(tmp_path, line())
    assert len(feature) == 1
    assert opened.metadata.format == "CityJSONFeature"
    assert opened.ledger["transform that is not stated"] == 1


def _nested(lists: Any) -> Json:
    content: Json = {"type": "Solid", "lod": "2", "boundaries": lists}
    return document({"B1": building(geometry=[content])})


def _semantics(content: Any) -> Json:
    return document({"B1": building(geometry=[geometry() | {"semantics": content}])})


WALL = [{"type": "WallSurface"}]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (_nested([[[[0, 1, 99]]]]), "vertex-out-of-range"),
        (_nested([[[[0, 1, -1]]]]), "vertex-out-of-range"),
        (_nested([[[[0, 1, 2.5]]]]), "invalid-boundaries"),
        (_nested([[[[0, 1, None]]]]), "invalid-boundaries"),
        (_nested([[[[0, 1, "2"]]]]), "invalid-boundaries"),
        (_nested([[[[0, 1, [2]]]]]), "invalid-boundaries"),
        (_nested([[[0, 1, 2]]]), "invalid-boundaries"),
        (_nested([[[]]]), "invalid-boundaries"),
        (_nested(None), "invalid-boundaries"),
        (_nested([[[[]]]]), "invalid-boundaries"),
        (document({"B1": building(geometry=[geometry() | {"type": "Cone"}])}), "unknown-geometry"),
        (document({"B1": building(geometry=[geometry() | {"lod": "high"}])}), "invalid-lod"),
        (document({"B1": building(geometry=[{"type": "Solid", "boundaries": []}])}), "invalid-lod"),
        (document({"B1": building(geometry=["Solid"])}), "invalid-geometry"),
        (document({"B1": building(geometry={"type": "Solid"})}), "invalid-geometry"),
        (document({"B1": building(attributes=[1])}), "invalid-attributes"),
        (document({"B1": building(type=None)}), "missing-type"),
        (document({"B1": []}), "invalid-object"),
        (document({"B1": building(parents=["nobody"])}), "orphan"),
        (_semantics({"surfaces": WALL, "values": [[0, 0]]}), "invalid-semantics"),
        (_semantics({"surfaces": WALL, "values": [[0, 0, 0, 0, 0, 1]]}), "invalid-semantics"),
        (_semantics({"surfaces": WALL, "values": [[0, 0, 0, 0, 0, "x"]]}), "invalid-semantics"),
        (_semantics({"surfaces": WALL, "values": [0, 0, 0, 0, 0, 0]}), "invalid-semantics"),
        (_semantics({"surfaces": [{}], "values": [[0] * 6]}), "invalid-semantics"),
        (_semantics([]), "invalid-semantics"),
        (orjson.dumps(document()).replace(b"10000", b"99999999999999999999"), "invalid-coordinates"),
        (document(vertices=[*vertices()[:-1], [0, 2**62, 0]]), "invalid-coordinates"),
        (document(vertices=[*vertices()[:-1], [0, 1]]), "invalid-vertices"),
        (document(vertices=[*vertices()[:-1], [0, 1, "2"]]), "invalid-vertices"),
        (document(vertices=7), "invalid-vertices"),
    ],
)  # fmt: skip
def test_refusals(tmp_path: Path, content: Json | bytes, code: str) -> None:
    features, (entry,), _ = read(tmp_path, content)
    assert features == []
    assert entry.code == code
    assert entry.reason
    assert entry.suggestion


def test_one_bad_object_costs_one_feature(tmp_path: Path) -> None:
    broken = geometry() | {"boundaries": [[[[0, 1, 99]]]]}
    objects = {
        "B1": building(),
        "B2": building(children=["P"]),
        "P": {"type": "BuildingPart", "parents": ["B2"], "geometry": [broken]},
        "B3": building(),
    }
    features, (entry,), _ = read(tmp_path, document(objects))
    assert [feature.root.id for feature in features] == ["B1", "B3"]
    assert (entry.object_id, entry.place) == ("B2", "CityObjects/P")


def test_cyclic_parents_are_refused(tmp_path: Path) -> None:
    objects = {"A": building(parents=["B"]), "B": building(parents=["A"]), "C": building()}
    features, refused, _ = read(tmp_path, document(objects))
    assert [feature.root.id for feature in features] == ["C"]
    assert [(entry.object_id, entry.code) for entry in refused] == [
        ("A", "cyclic-parents"),
        ("B", "cyclic-parents"),
    ]


def _of_booleans() -> Json:
    return {"type": "MultiSurface", "lod": "2", "boundaries": [[[0, True, 2, 3]]]}


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b'{"type":"CityJSONFeature",', "not-well-formed"),
        (b"[1, 2]", "unexpected-type"),
        (line("B2", type="CityJSONFeatur"), "unexpected-type"),
        (line("B2", id="nobody"), "root-unresolved"),
        (line("B2", vertices=[[1, 2]]), "invalid-vertices"),
        (line("B2", vertices=[]), "vertex-out-of-range"),
        (line("B2", vertices=[[True, 0, 0], *vertices()[1:]]), "invalid-vertices"),
        (line("B2", {"B2": building(geometry=[_of_booleans()])}), "invalid-boundaries"),
    ],
)
def test_a_bad_line_costs_one_feature(tmp_path: Path, bad: Json | bytes, code: str) -> None:
    content = sequence(line("B1"), bad, b"", line("B3"))
    features, (entry,), opened = read(tmp_path, content)
    assert [feature.root.id for feature in features] == ["B1", "B3"]
    assert entry.code == code
    assert entry.place == f"byte {len(sequence(line('B1')))}"
    assert opened.position == opened.size


def test_each_line_has_vertices_of_its_own(tmp_path: Path) -> None:
    """Many lines are read together, whatever the number of their vertices."""
    moved = [[[x + 1000 * n, y, z] for x, y, z in vertices()] + [[0, 0, 0]] * n for n in range(3)]
    features, refused, _ = read(
        tmp_path, sequence(*(line(f"B{n}", vertices=corners) for n, corners in enumerate(moved)))
    )
    assert refused == []
    (first,), *others = ([g.xyz for g in feature.root.geometries] for feature in features)
    assert [(xyz - first).tolist() for (xyz,) in others] == [[[n, 0, 0]] * len(first) for n in (1, 2)]


def test_a_sequence_that_is_cut_off_is_unreadable(tmp_path: Path) -> None:
    opened = iter(open_model(write(tmp_path, sequence(line("B1"), line("B2"))[:-40])))
    first = next(opened)
    assert isinstance(first, CityFeature)
    with pytest.raises(UnreadableFile, match=r"model\.data: byte \d+: the last line is not whole"):
        next(opened)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"type": "CityJSON",\n "version": }', "line 2 column 13"),
        ({"type": "FeatureCollection", "features": []}, "has the type 'FeatureCollection'"),
        ({"version": "2.0"}, "has no type"),
        (document(version="0.9"), "version '0.9' is not supported.*cjio model.data upgrade save"),
        (document(version="3.0"), "version '3.0' is not supported"),
        (document(transform=None), "transform is missing"),
        (document(transform={"scale": [1, 1], "translate": [0, 0, 0]}), "transform is missing"),
        (document(transform={"scale": [1, 1, "x"], "translate": [0, 0, 0]}), "transform is missing"),
        (document(CityObjects=[]), "there is no CityObjects"),
        (b'{"type": "CityJSON", "a": "\xff"}', "not valid UTF-8|not well-formed"),
        (b'{"a":' * 5000, "not well-formed"),
    ],
)
def test_files_that_are_no_city_model(tmp_path: Path, content: Json | bytes, message: str) -> None:
    with pytest.raises(UnreadableFile, match=message):
        list(open_model(write(tmp_path, content)))
