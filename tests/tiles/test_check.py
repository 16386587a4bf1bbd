import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tiles.cubes import built, street
from tests.tiles.test_glb import CELL, encode, table
from tiles import check_meshopt, compression, glb
from tiles.check import check_path, check_tileset
from tiles.check_glb import inspect_glb
from tiles.frame import Frame
from tiles.tileset import Addresses, cell_tileset
from tiles.tiling import Node, Region
from twin.model.cells import Cell
from twin.processing import face_measures
from twin.processing.mesh import decode

Json = dict[str, Any]

REGION = Region(24.9699, 60.1849, 24.9730, 60.1865, 19.0, 45.0)
TILE = f"15/{CELL.x}/{CELL.y}.glb"
NESTED = "13/9/9/tileset.json"
METADATA = "EXT_structural_metadata"


def good() -> dict[str, bytes]:
    """A root tileset that refers to a nested one and that to a tile."""
    leaf = Node(CELL, REGION, 13.0, 0.0, 40, "leaf")
    nested = Node(Cell(13, 9, 9), REGION, 13.0, 13.0, 40, "nested")
    return {
        "tileset.json": orjson.dumps(cell_tileset(nested, Cell(0, 0, 0), Addresses())),
        NESTED: orjson.dumps(cell_tileset(leaf, Cell(13, 9, 9), Addresses("../../../"))),
        TILE: encode(street(40)),
    }


def codes(files: dict[str, bytes]) -> set[str]:
    def read(address: str) -> bytes:
        if address not in files:
            raise FileNotFoundError(address)
        return files[address]

    return {finding.code for finding in check_tileset("tileset.json", read)}


def changed(data: bytes, change: Callable[[Json], Any]) -> bytes:
    document = json.loads(data)
    change(document)
    return json.dumps(document).encode()


def changed_glb(data: bytes, change: Callable[[Json], Any]) -> bytes:
    """A GLB whose JSON was changed."""
    length = struct.unpack_from("<I", data, 12)[0]
    text = changed(data[20 : 20 + length], change)
    text += b" " * (-len(text) % 4)
    rest = data[20 + length :]
    total = 20 + len(text) + len(rest)
    return struct.pack("<4sII", b"glTF", 2, total) + struct.pack("<I4s", len(text), b"JSON") + text + rest


def poked(data: bytes, accessor: int, value: bytes) -> bytes:
    """A GLB with other bytes at the start of an accessor's view."""
    length = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + length])
    view = document["bufferViews"][document["accessors"][accessor]["bufferView"]]
    start = 20 + length + 8 + view["byteOffset"]
    return data[:start] + value + data[start + len(value) :]


def test_good_tilesets_are_found_good(tmp_path: Path) -> None:
    assert codes(good()) == set()
    for name, body in good().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    assert check_path(tmp_path) == []
    assert check_path(tmp_path / TILE) == []


def test_an_empty_tileset_is_good() -> None:
    body = orjson.dumps(cell_tileset(None, Cell(0, 0, 0), Addresses()))
    assert codes({"tileset.json": body}) == set()


def without_content(tile: Json) -> Json:
    return {name: value for name, value in tile.items() if name != "content"}


def _region(number: int, value: float) -> Callable[[Json], Any]:
    return lambda d: d["root"]["boundingVolume"]["region"].__setitem__(number, value)


def _root(**values: Any) -> Callable[[Json], Any]:
    return lambda d: d["root"].update(values)


TILESET_FAULTS: list[tuple[str, Callable[[Json], Any]]] = [
    ("tileset-version", lambda d: d["asset"].update(version="2.0")),
    ("geometric-error", lambda d: d.update(geometricError=None)),
    ("geometric-error", _root(geometricError=-1)),
    ("geometric-error", _root(geometricError="12")),
    ("error-grows", _root(geometricError=14.0)),
    ("no-root", lambda d: d.pop("root")),
    ("no-volume", _root(boundingVolume={})),
    ("volume", _region(1, 1.2)),
    ("volume", _region(0, -4.0)),
    ("volume", _region(4, 99.0)),
    ("volume", _root(boundingVolume={"region": [0, 0, 0]})),
    ("volume", _root(boundingVolume={"box": [0.0] * 11})),
    ("child-outside", _region(2, 0.43584)),
    ("child-outside", _region(5, 44.0)),
    ("refine", _root(refine="replace")),
    ("refine", lambda d: d["root"].pop("refine")),
    ("empty-leaf", lambda d: d.update(root={**d["root"], "children": [without_content(d["root"])]})),
    ("content-uri", _root(content={"url": "x.glb"})),
    ("dangling", _root(content={"uri": "13/9/8/tileset.json"})),
    ("dangling", _root(content={"uri": "13/9/8.glb"})),
    ("nested-children", lambda d: d["root"].update(children=[dict(d["root"])])),
    ("repeated", lambda d: d["root"].update(children=[dict(d["root"])])),
    ("transform", _root(transform=[1.0] * 15)),
    ("transform", _root(transform=[0.0] * 16)),
    ("structure", _root(children=7)),
]


@pytest.mark.parametrize(("code", "change"), TILESET_FAULTS, ids=[code for code, _ in TILESET_FAULTS])
def test_planted_faults_of_tilesets_are_found(code: str, change: Callable[[Json], Any]) -> None:
    files = good()
    files["tileset.json"] = changed(files["tileset.json"], change)
    assert code in codes(files)


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_what_is_no_json_object_is_found(body: bytes) -> None:
    assert codes({"tileset.json": body}) == {"json"}


def test_a_nested_tileset_reaching_out_of_its_tile_is_found() -> None:
    files = good()
    files[NESTED] = changed(files[NESTED], _region(5, 60.0))
    assert codes(files) == {"child-outside"}


def test_a_tile_in_the_gulf_of_guinea_is_found() -> None:
    files = good()
    files[NESTED] = changed(files[NESTED], lambda d: d["root"].pop("transform"))
    assert codes(files) == {"content-outside"}


def test_a_vertex_above_its_region_is_found() -> None:
    files = good()
    for name in ("tileset.json", NESTED):
        files[name] = changed(files[name], _region(5, 38.5))
    assert "content-outside" not in codes(files)
    for name in ("tileset.json", NESTED):
        files[name] = changed(files[name], _region(5, 37.5))
    assert codes(files) == {"content-outside"}


def _extension(document: Json) -> Json:
    return document["extensions"][METADATA]


def _table(document: Json) -> Json:
    return _extension(document)["propertyTables"][0]


def _property(name: str, **values: Any) -> Callable[[Json], Any]:
    return lambda d: _extension(d)["schema"]["classes"]["building"]["properties"][name].update(values)


def _shorter(name: str) -> Callable[[Json], Any]:
    def change(document: Json) -> None:
        document["bufferViews"][_table(document)["properties"][name]["values"]]["byteLength"] -= 1

    return change


def _accessor(number: int, **values: Any) -> Callable[[Json], Any]:
    return lambda d: d["accessors"][number].update(values)


def _feature_ids(number: int, **values: Any) -> Callable[[Json], Any]:
    def change(document: Json) -> None:
        (primitive,) = document["meshes"][0]["primitives"]
        primitive["extensions"]["EXT_mesh_features"]["featureIds"][number].update(values)

    return change


def _primitive(document: Json) -> Json:
    return document["meshes"][0]["primitives"][0]


GLB_FAULTS: list[tuple[str, Callable[[Json], Any]]] = [
    ("gltf-version", lambda d: d["asset"].update(version="1.0")),
    ("buffer-length", lambda d: d["buffers"][0].update(byteLength=12)),
    ("view-range", lambda d: d["bufferViews"][2].update(byteLength=10**7)),
    ("dangling-view", _accessor(0, bufferView=99)),
    ("dangling-accessor", lambda d: _primitive(d).update(indices=99)),
    ("accessor-range", _accessor(0, count=10**6)),
    ("attribute-count", _accessor(1, count=3)),
    ("alignment", lambda d: d["bufferViews"][0].update(byteStride=6)),
    ("extremes", _accessor(0, max=[1, 2, 3])),
    ("extremes", lambda d: d["accessors"][0].pop("min")),
    ("triangles", _accessor(5, count=31)),
    ("no-position", lambda d: _primitive(d)["attributes"].pop("POSITION")),
    ("normal-length", _accessor(1, normalized=False)),
    ("gltf-structure", _accessor(0, componentType=5124)),
    ("feature-id-attribute", _feature_ids(0, attribute=3)),
    ("feature-count", _feature_ids(0, featureCount=39)),
    ("feature-count", _feature_ids(0, featureCount=41)),
    ("dangling-table", _feature_ids(1, propertyTable=2)),
    ("unknown-class", lambda d: _table(d).update({"class": "house"})),
    ("undeclared-property", lambda d: _table(d)["properties"].update(width=_table(d)["properties"]["id"])),
    ("required-property", lambda d: _table(d)["properties"].pop("id")),
    ("table-count", lambda d: _table(d).update(count=0)),
    ("column-length", lambda d: d["bufferViews"][10].update(byteLength=8)),
    ("string-offsets", lambda d: _table(d)["properties"]["id"].update(stringOffsetType="UINT32")),
    ("string-offsets", lambda d: _table(d)["properties"]["id"].pop("stringOffsets")),
    ("string-offsets", _shorter("id")),
    ("schema-id", lambda d: _extension(d)["schema"].update(id="two words")),
    ("property-type", _property("height_m", type="FLOAT32")),
    ("component-type", _property("height_m", componentType="FLOAT16")),
    ("semantic", _property("id", semantic="ID")),
    ("no-data", _property("height_m", noData="none")),
    ("no-data", _property("year_of_construction", noData=-(2**31) - 1)),
    ("no-data", _property("current_use", noData="nothing")),
    ("no-data", _property("city", noData=0)),
    ("no-data", _property("id", noData="")),
    ("no-data", _property("closed", type="BOOLEAN")),
    ("unknown-enum", _property("current_use", enumType="use")),
    ("enum-value", lambda d: _extension(d)["schema"]["enums"]["current_use"]["values"].pop(10)),
    ("enum-duplicate", lambda d: _extension(d)["schema"]["enums"]["closed"]["values"][0].update(value=1)),
]


@pytest.mark.parametrize(("code", "change"), GLB_FAULTS, ids=[code for code, _ in GLB_FAULTS])
def test_planted_faults_of_tiles_are_found(code: str, change: Callable[[Json], Any]) -> None:
    found = {
        problem.code
        for problem in inspect_glb(changed_glb(encode(street(40), profile="plain"), change)).problems
    }
    assert code in found


def with_measures(count: int, **wrong: float) -> bytes:
    """A tile with the measures of all surfaces of blocks, those of the first one perhaps wrong."""
    made = built(street(count))
    columns = face_measures.decode([mesh.faces for mesh in made], [6] * count)
    for name, value in wrong.items():
        columns[name] = np.concatenate([[value], columns[name][1:]])
    return glb.encode(
        glb.Model(decode([mesh.data for mesh in made]), columns), Frame.of_cell(CELL), table(count)
    )


def test_measures_of_surfaces_are_found_good() -> None:
    assert _codes(with_measures(20)) == set()


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("area_m2", 200.0, "surface-area"),
        ("slope_deg", 2.0, "surface-slope"),
        ("azimuth_deg", 360.0, "surface-azimuth"),
        ("azimuth_deg", -1.0, "surface-azimuth"),
        ("slope_deg", math.inf, "not-finite"),
    ],
)
def test_planted_measures_of_surfaces_are_found(name: str, value: float, code: str) -> None:
    assert code in _codes(with_measures(20, **{name: value}))


def test_planted_values_are_found() -> None:
    data = encode(street(40), profile="plain")
    indices, positions, objects = 5, 0, 3
    assert _codes(poked(data, indices, struct.pack("<H", 60_000))) == {"index-range"}
    assert _codes(poked(data, positions, struct.pack("<h", 32_000))) == {"extremes"}
    assert "feature-id-range" in _codes(poked(data, objects, struct.pack("<H", 40)))


def test_not_a_number_is_found() -> None:
    far = encode([street(1)[0], street(1)[0].__class__(3_000, 0)], profile="plain")
    assert "not-finite" in _codes(poked(far, 0, struct.pack("<f", math.nan)))


def _packed(number: int, **values: Any) -> Callable[[Json], Any]:
    return lambda d: d["bufferViews"][number]["extensions"]["EXT_meshopt_compression"].update(values)


MESHOPT_FAULTS: list[tuple[str, Callable[[Json], Any]]] = [
    ("meshopt-required", lambda d: d["extensionsRequired"].remove("EXT_meshopt_compression")),
    ("meshopt-length", _packed(3, count=3)),
    ("meshopt-length", lambda d: d["bufferViews"][3].update(byteStride=12)),
    ("meshopt", _packed(3, mode="INDICES")),
    ("meshopt", _packed(5, mode="ATTRIBUTES")),
    ("meshopt", _packed(5, mode="TRIANGLES")),
    ("meshopt", _packed(3, byteLength=40)),
    ("meshopt", _packed(3, byteOffset=8)),
    ("view-range", _packed(3, byteLength=10**7)),
    ("view-range", lambda d: d["buffers"][1].update(byteLength=100)),
    ("dangling-buffer", _packed(3, buffer=1)),
    ("unchecked", _packed(4, filter="OCTAHEDRAL")),
]


@pytest.mark.parametrize(("code", "change"), MESHOPT_FAULTS)
def test_planted_faults_of_compression_are_found(code: str, change: Callable[[Json], Any]) -> None:
    assert code in _codes(changed_glb(encode(street(40)), change))


@settings(max_examples=60)
@given(
    st.integers(1, 700),
    st.sampled_from([4, 8, 12, 64]),
    st.sampled_from([0, 1, 3, 9, 255]),
    st.integers(0, 10**6),
)
def test_vertices_are_decompressed_as_the_library_does(count: int, size: int, steps: int, seed: int) -> None:
    rows = np.cumsum(np.random.default_rng(seed).integers(0, steps + 1, (count, size)), axis=0).astype("u1")
    assert check_meshopt.decode(compression.vertices(rows), count, size, "ATTRIBUTES") == rows.tobytes()


@settings(max_examples=60)
@given(st.lists(st.integers(0, 2**29) | st.integers(0, 9), min_size=1, max_size=300))
def test_indices_are_decompressed_as_the_library_does(values: list[int]) -> None:
    indices = np.array(values, dtype="<u4")
    code = compression.indices(indices)
    assert check_meshopt.decode(code, len(values), 4, "INDICES") == indices.tobytes()


CONTAINER_FAULTS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("glb-magic", lambda data: b"b3dm" + data[4:]),
    ("glb-magic", lambda data: data[:10]),
    ("glb-version", lambda data: data[:4] + struct.pack("<I", 1) + data[8:]),
    ("glb-length", lambda data: data[:-4]),
    ("glb-chunk", lambda data: data[:12] + struct.pack("<I", 7) + data[16:]),
    ("glb-chunk", lambda data: data[:16] + b"TEXT" + data[20:]),
    ("glb-json", lambda data: data[:20] + b"x" + data[21:]),
]


@pytest.mark.parametrize(("code", "break_"), CONTAINER_FAULTS)
def test_broken_containers_are_found(code: str, break_: Callable[[bytes], bytes]) -> None:
    assert _codes(break_(encode(street(2)))) == {code}


def _codes(data: bytes) -> set[str]:
    return {problem.code for problem in inspect_glb(data).problems}
