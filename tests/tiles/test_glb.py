import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zstandard

from tests.tiles import gltf
from tests.tiles.cubes import Block, built, ecef, meshes, street
from tiles import glb
from tiles.check_glb import inspect_glb
from tiles.frame import Frame
from tiles.ground import without_ground
from tiles.metadata import FeatureTable
from tiles.tiling import DEFAULT_LIMITS
from twin.model.cells import Cell, quadkeys
from twin.model.geometry import SurfaceType
from twin.processing import face_measures
from twin.processing.mesh import MeshBatch, decode

CELL = Cell.from_code(15, int(quadkeys(np.array([[24.9705, 60.1855]]))[0]) >> 18)
PROPERTIES = ("city", "height_m", "current_use", "year_of_construction", "closed")


def table(count: int) -> FeatureTable:
    rows: list[dict[str, Any]] = [
        {
            "id": f"test.Tëst-{i}",
            "city": "helsinki",
            "height_m": None if i % 5 == 4 else 12.0 + i % 7,
            "current_use": None if i % 3 == 2 else "office",
            "year_of_construction": None if i % 4 == 3 else 1900 + i,
            "closed": (True, False, None)[i % 3],
        }
        for i in range(count)
    ]
    return FeatureTable.from_rows("building", PROPERTIES, rows)


def encode(blocks: Sequence[Block], cell: Cell = CELL, *, profile: glb.Profile = "standard") -> bytes:
    return glb.encode(
        glb.Model(decode(meshes(blocks))), Frame.of_cell(cell), table(len(blocks)), profile=profile
    )


@pytest.mark.parametrize(
    "blocks",
    [street(1), street(40), [Block(0, 0), Block(3_000, 2_500)], [Block(0, 0, low=-3.0, high=900.0)]],
    ids=["one", "many", "far apart", "tall"],
)
def test_vertices_are_where_proj_puts_them(blocks: Sequence[Block]) -> None:
    tile = gltf.read(encode(blocks))
    frame = Frame.of_cell(CELL)
    transform = np.array(frame.matrix()).reshape(4, 4).T
    placed = tile.positions() @ transform[:3, :3].T + transform[:3, 3]
    owners = tile.attribute("_FEATURE_ID_0")[:, 0]
    for number, block in enumerate(blocks):
        expected = ecef(block.corners())
        distance = np.linalg.norm(placed[owners == number][:, None] - expected[None], axis=2)
        assert distance.min(axis=1).max() < 0.02, "a vertex that is no corner"
        assert distance.min(axis=0).max() < 0.02, "a corner without a vertex"


def test_positions_take_16_bits_where_they_can() -> None:
    near, far = gltf.read(encode(street(20))), gltf.read(encode([Block(0, 0), Block(3_000, 0)]))
    assert near.attribute("POSITION").dtype == np.int16
    assert far.attribute("POSITION").dtype == np.float32


def test_triangles_face_outwards_and_cover_the_blocks() -> None:
    blocks = street(3)
    tile = gltf.read(encode(blocks))
    corners = tile.positions()[tile.accessor(tile.primitive["indices"]).reshape(-1, 3)]
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    volume = np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6
    # DEGREES of the blocks are rounded, so their edges measure up to 0.2 % more or less.
    expected = sum(b.width * b.depth * (b.high - b.low) for b in blocks)
    assert volume == pytest.approx(expected, rel=0.01)


def test_normals_agree_with_the_triangles() -> None:
    tile = gltf.read(encode(street(5)))
    normals = tile.attribute("NORMAL")
    x, y, z = (normals / 127).T
    z_up = np.column_stack([x, -z, y])
    triangles = tile.accessor(tile.primitive["indices"]).reshape(-1, 3)
    corners = tile.positions()[triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    cross /= np.linalg.norm(cross, axis=1)[:, None]
    assert np.einsum("ij,ij->i", cross, z_up[triangles[:, 0]]).min() > 0.99


def test_surfaces_have_ids_types_and_colours() -> None:
    tile = gltf.read(encode(street(2)))
    ids = tile.attribute("_FEATURE_ID_1")[:, 0]
    assert sorted(set(ids.tolist())) == list(range(12))
    types = tile.column(1, "surface_type")
    assert [types.count(name) for name in ("GroundSurface", "WallSurface", "RoofSurface")] == [2, 8, 2]
    normals_up = tile.attribute("NORMAL")[:, 1]
    for surface, up in (("GroundSurface", -127), ("WallSurface", 0), ("RoofSurface", 127)):
        of_type = np.array([types[number] == surface for number in ids])
        assert np.abs(normals_up[of_type] - up).max() <= 1
        assert len({tuple(colour) for colour in tile.attribute("COLOR_0")[of_type].tolist()}) == 1
    assert len({tuple(colour) for colour in tile.attribute("COLOR_0").tolist()}) == 3


def measured(blocks: Sequence[Block]) -> dict[str, Any]:
    return face_measures.decode([mesh.faces for mesh in built(blocks)], [6] * len(blocks))


def test_surfaces_have_the_measures_that_are_asked_for() -> None:
    blocks = street(7)
    mesh, columns = decode(meshes(blocks)), measured(blocks)
    assert mesh.faces_of_objects(7) == [6] * 7
    tile = gltf.read(glb.encode(glb.Model(mesh, columns), Frame.of_cell(CELL), table(7)))
    types = tile.column(1, "surface_type")
    for number, (kind, area, slope, azimuth) in enumerate(
        zip(types, *(tile.column(1, name) for name in ("area_m2", "slope_deg", "azimuth_deg")), strict=True)
    ):
        block = blocks[number // 6]
        if kind == "WallSurface":
            height = block.high - block.low
            assert area in (pytest.approx(block.width * height), pytest.approx(block.depth * height))
            assert (slope, azimuth % 90) == (pytest.approx(90), pytest.approx(0))
        else:
            assert area == pytest.approx(block.width * block.depth)
            assert (slope, azimuth) == (pytest.approx(0 if kind == "RoofSurface" else 180), None)
    declared = tile.metadata["schema"]["classes"]["surface"]["properties"]
    assert list(declared) == ["surface_type", "area_m2", "slope_deg", "azimuth_deg"]
    only = gltf.read(
        glb.encode(glb.Model(mesh, {"slope_deg": columns["slope_deg"]}), Frame.of_cell(CELL), table(7))
    )
    assert list(only.metadata["propertyTables"][1]["properties"]) == ["surface_type", "slope_deg"]


def test_faces_of_an_older_version_have_no_values() -> None:
    first, second = (mesh.faces for mesh in built(street(2)))
    columns = face_measures.decode([first, None], [6, 6])
    assert np.isnan(columns["area_m2"]).tolist() == [False] * 6 + [True] * 6
    assert second
    tile = gltf.read(glb.encode(glb.Model(decode(meshes(street(2))), columns), Frame.of_cell(CELL), table(2)))
    assert tile.column(1, "area_m2")[6:] == [None] * 6


def test_the_property_table_holds_the_values() -> None:
    tile, expected = gltf.read(encode(street(12))), table(12)
    for attribute, values in zip(expected.attributes, expected.columns, strict=True):
        found = tile.column(0, attribute.name)
        if attribute.name == "closed":
            assert found == [None if value is None else str(value).lower() for value in values]
        else:
            assert found == list(values)
    declared = tile.metadata["schema"]["classes"]["building"]["properties"]
    assert "semantic" not in declared["id"]  # the official validator knows none of single properties
    assert declared["height_m"]["description"].endswith("Unit: m.")
    assert declared["current_use"]["type"] == "ENUM"


def test_text_that_no_feature_has_is_left_out() -> None:
    """The official validator wants just the bytes of the strings in a column, glTF one at least."""
    rows: list[dict[str, Any]] = [{"id": f"test.{i}", "city": "helsinki", "street": None} for i in range(3)]
    empty = FeatureTable.from_rows("building", ("city", "street"), rows)
    data = glb.encode(glb.Model(decode(meshes(street(3)))), Frame.of_cell(CELL), empty)
    (table, _) = gltf.read(data).metadata["propertyTables"]
    assert list(table["properties"]) == ["id", "city"]
    assert list(gltf.read(data).metadata["schema"]["classes"]["building"]["properties"]) == ["id", "city"]
    assert inspect_glb(data).problems == []


def test_feature_id_sets_are_declared() -> None:
    objects, surfaces = gltf.read(encode(street(4))).primitive["extensions"]["EXT_mesh_features"][
        "featureIds"
    ]
    assert (objects["featureCount"], objects["propertyTable"], objects["attribute"]) == (4, 0, 0)
    assert (surfaces["featureCount"], surfaces["label"]) == (24, "surface")


def test_more_vertices_than_16_bits_can_count() -> None:
    blocks = street(3_000, step=12.0)
    tile = gltf.read(encode(blocks))
    assert len(tile.attribute("POSITION")) > 65_535
    assert tile.accessor(tile.primitive["indices"]).dtype == np.uint32
    assert tile.attribute("_FEATURE_ID_0").max() == 2_999


def test_more_surfaces_than_16_bits_can_count() -> None:
    mesh = decode(meshes(street(2)))
    many = replace(mesh, face=mesh.face + 65_530)
    tile = gltf.read(glb.encode(glb.Model(many), Frame.of_cell(CELL), table(2)))
    ids = tile.attribute("_FEATURE_ID_1")[:, 0]
    assert ids.dtype == np.float32
    assert ids.max() == 65_541


def test_every_normal_is_of_unit_length_for_the_checker() -> None:
    rng = np.random.default_rng(7)
    mesh = decode(meshes(street(30)))
    directions = rng.normal(size=mesh.normals.shape)
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    turned = replace(mesh, normals=directions.astype(np.float32))
    assert inspect_glb(glb.encode(glb.Model(turned), Frame.of_cell(CELL), table(30))).problems == []


@pytest.mark.parametrize(
    "blocks", [street(1), street(100), [Block(0, 0), Block(3_000, 2_500)]], ids=["one", "many", "far apart"]
)
def test_compressed_tiles_hold_the_same(blocks: Sequence[Block]) -> None:
    packed, plain = encode(blocks), encode(blocks, profile="plain")
    ours, theirs = gltf.read(packed), gltf.read(plain)
    for name in ours.primitive["attributes"]:
        assert np.array_equal(ours.attribute(name), theirs.attribute(name)), name
    indices = ours.primitive["indices"]
    assert np.array_equal(ours.accessor(indices), theirs.accessor(indices))
    assert np.array_equal(inspect_glb(packed).positions, inspect_glb(plain).positions)
    if len(blocks) > 50:
        assert len(packed) < 0.75 * len(plain)
        assert travelling(packed) < 0.6 * travelling(plain)


def travelling(data: bytes) -> int:
    """Bytes of a tile on its way to a client."""
    return len(zstandard.ZstdCompressor(level=3).compress(data))


def test_compact_tiles_lack_normals_and_round_to_three_centimetres() -> None:
    data = encode(street(100), profile="compact")
    whole, compact = gltf.read(encode(street(100))), gltf.read(data)
    assert whole.primitive["attributes"].keys() - compact.primitive["attributes"].keys() == {"NORMAL"}
    for name in compact.primitive["attributes"].keys() - {"POSITION"}:
        assert np.array_equal(compact.attribute(name), whole.attribute(name)), name
    apart = np.abs(compact.positions() - whole.positions())
    assert 0.01 < apart.max() < 0.0151 + 0.005
    assert inspect_glb(data).problems == []


def test_lean_tiles_lack_the_ground_too() -> None:
    blocks = street(100)
    data = encode(blocks, profile="compact")
    compact = gltf.read(data)
    mesh, faces = without_ground(decode(meshes(blocks)))
    lean = gltf.read(glb.encode(glb.Model(mesh), Frame.of_cell(CELL), table(len(blocks)), profile="lean"))
    above = [kind != "GroundSurface" for kind in compact.column(1, "surface_type")]
    assert faces.tolist() == np.flatnonzero(above).tolist()
    assert lean.column(1, "surface_type") == [
        kind for kind in compact.column(1, "surface_type") if kind != "GroundSurface"
    ]
    shown = np.array(above)[compact.attribute("_FEATURE_ID_1")[:, 0].astype(int)]
    assert np.abs(lean.positions() - compact.positions()[shown]).max() < 0.031
    assert np.array_equal(lean.attribute("_FEATURE_ID_0"), compact.attribute("_FEATURE_ID_0")[shown])


def test_an_object_of_ground_alone_keeps_it() -> None:
    mesh = decode(meshes(street(2)))
    first = mesh.object_of_vertex == 0
    flat = replace(mesh, surface_type=np.where(first, np.uint8(SurfaceType.GROUND), mesh.surface_type))
    lean, faces = without_ground(flat)
    assert np.count_nonzero(lean.object_of_vertex == 0) == np.count_nonzero(first)
    assert set(lean.object_of_vertex.tolist()) == {0, 1}
    assert len(faces) == 6 + 5


def test_the_khronos_validator_finds_nothing(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    mesh = decode(meshes(street(30)))
    directions = rng.normal(size=mesh.normals.shape)
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    odd_types = replace(
        mesh,
        normals=directions.astype(np.float32),
        surface_type=rng.integers(0, len(SurfaceType), len(mesh.face)).astype(np.uint8),
    )
    (tmp_path / "one.glb").write_bytes(encode(street(1)))
    (tmp_path / "many.glb").write_bytes(encode(street(DEFAULT_LIMITS.objects)))
    (tmp_path / "far.glb").write_bytes(encode([Block(0, 0), Block(3_000, 0)]))
    (tmp_path / "odd.glb").write_bytes(glb.encode(glb.Model(odd_types), Frame.of_cell(CELL), table(30)))
    (tmp_path / "measured.glb").write_bytes(
        glb.encode(glb.Model(mesh, measured(street(30))), Frame.of_cell(CELL), table(30))
    )
    nothing = FeatureTable.from_rows("building", ("city",), [{"id": "a", "city": None}])
    (tmp_path / "empty-strings.glb").write_bytes(
        glb.encode(glb.Model(decode(meshes(street(1)))), Frame.of_cell(CELL), nothing)
    )
    (tmp_path / "plain.glb").write_bytes(encode(street(30), profile="plain"))
    (tmp_path / "compact.glb").write_bytes(encode(street(30), profile="compact"))
    (tmp_path / "lean.glb").write_bytes(encode(street(30), profile="lean"))
    report = gltf.validate(tmp_path)
    assert report["files"] == 9
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]


@pytest.mark.slow
def test_a_building_of_a_million_triangles_is_a_tile(tmp_path: Path) -> None:
    """Of more surfaces and vertices than 16 bits count, in bounded time, and still found good."""
    faces = np.arange(500_000)
    x, y = faces % 708 * 0.1, faces // 708 * 0.1
    z = np.sin(x, dtype=np.float64) + 20.0
    around = ((0.0, 0.0), (0.1, 0.0), (0.1, 0.1), (0.0, 0.1))
    corners = np.stack([np.column_stack([x + dx, y + dy, z]) for dx, dy in around], axis=1).reshape(-1, 3)
    triangles = 4 * faces[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]])
    upwards = Frame.of_cell(CELL).axes[2].astype(np.float32)
    mesh = MeshBatch(
        positions=np.rint(ecef(corners.astype(np.float64)) * 100).astype(np.int32),
        normals=np.tile(upwards, (len(corners), 1)),
        triangles=triangles.reshape(-1, 3).astype(np.uint32),
        object_of_vertex=np.zeros(len(corners), dtype=np.int64),
        surface_type=np.full(len(corners), SurfaceType.ROOF, dtype=np.uint8),
        face=np.repeat(faces, 4),
    )
    started = time.process_time()
    data = glb.encode(glb.Model(mesh), Frame.of_cell(CELL), table(1))
    assert time.process_time() - started < 30
    tile = gltf.read(data)
    assert tile.document["accessors"][tile.primitive["indices"]]["count"] == 3_000_000
    assert inspect_glb(data).problems == []
    (tmp_path / "million.glb").write_bytes(data)
    report = gltf.validate(tmp_path)
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]
