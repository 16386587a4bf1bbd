"""Faults planted into the instances of a tile are found, and good ones have none."""

import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.tiles.park import park
from tests.tiles.test_check import changed_glb, codes, poked
from tests.tiles.test_instances import HELSINKI, features, members, request, tile_around
from tiles.build import build_tile
from tiles.check import check_path
from tiles.check_glb import inspect_glb
from tiles.tileset import Addresses, cell_tileset
from tiles.tiling import Node, Region
from twin.model.cells import Cell
from twin.processing.derive import derive

Json = dict[str, Any]
INSTANCING, FEATURES = "EXT_mesh_gpu_instancing", "EXT_instance_features"
TREES = 20


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A tileset of one tile of trees."""
    found = derive(features(tmp_path_factory.mktemp("park"), park("helsinki", TREES)), HELSINKI)
    tile = tile_around(found)
    sides = ("west", "south", "z_min")
    low = [min(getattr(each.place, side) for each in found) for side in sides]
    high = [max(getattr(each.place, side) for each in found) for side in ("east", "north", "z_max")]
    leaf = Node(
        tile.cell, Region(low[0], low[1], high[0], high[1], low[2], high[2]), 13.0, 0.0, TREES, "leaf"
    )
    return {
        "tileset.json": orjson.dumps(cell_tileset(leaf, Cell(0, 0, 0), Addresses())),
        f"{tile.path}.glb": build_tile(request(profile="plain"), tile, members(found)),
    }


@pytest.fixture
def tile(files: dict[str, bytes]) -> bytes:
    return list(files.values())[1]


def faults(data: bytes) -> set[str]:
    return {problem.code for problem in inspect_glb(data).problems}


def test_good_instances_are_found_good(files: dict[str, bytes]) -> None:
    assert codes(files) == set()


def _node(change: Callable[[Json], Any]) -> Callable[[Json], Any]:
    return lambda document: change(document["nodes"][0])


def _attributes(change: Callable[[Json], Any]) -> Callable[[Json], Any]:
    return _node(lambda node: change(node["extensions"][INSTANCING]["attributes"]))


def _set(**values: Any) -> Callable[[Json], Any]:
    return _node(lambda node: node["extensions"][FEATURES]["featureIds"][0].update(values))


def _accessor(name: str, **values: Any) -> Callable[[Json], Any]:
    def change(document: Json) -> None:
        number = document["nodes"][0]["extensions"][INSTANCING]["attributes"][name]
        document["accessors"][number].update(values)

    return change


FAULTS: list[tuple[str, Callable[[Json], Any]]] = [
    ("instance-count", _accessor("TRANSLATION", count=2)),
    ("instance-count", _accessor("_FEATURE_ID_0", count=1)),
    ("instance-type", _accessor("ROTATION", type="VEC3")),
    ("instance-type", _accessor("TRANSLATION", componentType=5125)),
    ("instance-attributes", _attributes(lambda names: names.clear())),
    ("instance-mesh", _node(lambda node: node.pop("mesh"))),
    ("instance-features", _node(lambda node: node["extensions"].pop(INSTANCING))),
    ("instancing-required", lambda d: d["extensionsRequired"].remove(INSTANCING)),
    ("feature-id-attribute", _set(attribute=1)),
    ("feature-id-attribute", _attributes(lambda names: names.pop("_FEATURE_ID_0"))),
    ("feature-count", _set(featureCount=TREES)),
    ("dangling-table", _set(propertyTable=2)),
    ("feature-count", _node(lambda node: node["extensions"].pop(FEATURES))),
    ("dangling-accessor", _attributes(lambda names: names.update(SCALE=999))),
]


@pytest.mark.parametrize(("code", "change"), FAULTS)
def test_planted_faults_are_found(tile: bytes, code: str, change: Callable[[Json], Any]) -> None:
    assert code in faults(changed_glb(tile, change))


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("ROTATION", struct.pack("<f", 1.5), "instance-rotation"),
        ("ROTATION", struct.pack("<4f", 0, 0, 0, 0), "instance-rotation"),
        ("SCALE", struct.pack("<f", 0.0), "instance-scale"),
        ("TRANSLATION", struct.pack("<f", math.nan), "not-finite"),
        ("_FEATURE_ID_0", struct.pack("<H", TREES), "feature-id-range"),
    ],
)
def test_planted_values_are_found(tile: bytes, name: str, value: bytes, code: str) -> None:
    document = orjson.loads(tile[20 : 20 + struct.unpack_from("<I", tile, 12)[0]])
    number = document["nodes"][0]["extensions"][INSTANCING]["attributes"][name]
    assert code in faults(poked(tile, number, value))


def test_an_instance_outside_of_its_tile_is_found(files: dict[str, bytes], tile: bytes) -> None:
    """However good the template is where it is not turned, sized and moved."""
    path = next(name for name in files if name.endswith(".glb"))
    away = poked(tile, 0, struct.pack("<f", 5_000.0))
    assert codes({**files, path: away}) == {"content-outside"}
    document = orjson.loads(tile[20 : 20 + struct.unpack_from("<I", tile, 12)[0]])
    large = poked(
        tile, document["nodes"][0]["extensions"][INSTANCING]["attributes"]["SCALE"], struct.pack("<f", 1.0)
    )
    assert codes({**files, path: large}) == {"content-outside"}


def test_good_tiles_are_good_to_the_command_too(files: dict[str, bytes], tmp_path: Path) -> None:
    for name, body in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(body)
    assert check_path(tmp_path) == []
