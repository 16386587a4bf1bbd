import json
import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urljoin, urlsplit

import numpy as np
import pytest

from tests.tiles.test_tiling import WORLD, City
from tiles.frame import Frame
from tiles.tileset import Addresses, cell_tileset, encode_query, joint_tileset
from tiles.tiling import Node, Region
from twin.model.cells import Cell

HOST = "http://host/collections/buildings/3dtiles/"
FILTER = "height_m > 20 AND street = 'Mäkelän & Co #1 + 2'"


def tiles(tile: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield tile
    for child in tile.get("children", []):
        yield from tiles(child)


def test_all_addresses_carry_the_query_and_resolve_against_their_tileset() -> None:
    city = City(5, 200, 0.01)
    query = (("filter", FILTER), ("properties", "height_m,city"))
    cell = next(node.cell for node in city.tree(WORLD) or () if node.kind == "nested")
    for base, node, addresses in (
        (f"{HOST}tileset.json", city.tree(WORLD), Addresses("", query)),
        (f"{HOST}10/{cell.x}/{cell.y}/tileset.json", city.tree(cell), Addresses("../../../", query)),
    ):
        assert node is not None
        uris = [
            tile["content"]["uri"]
            for tile in tiles(cell_tileset(node, cell, addresses)["root"])
            if "content" in tile
        ]
        assert uris
        for uri in uris:
            address = urlsplit(urljoin(base, uri))
            assert dict(parse_qsl(address.query, strict_parsing=True)) == dict(query)
            level, x, y = address.path.removeprefix("/collections/buildings/3dtiles/").split("/")[:3]
            assert Cell(int(level), int(x), int(y.removesuffix(".glb"))).exists


def test_queries_are_encoded_for_every_client() -> None:
    assert (
        encode_query([("filter", "a = 'b c'+1 & ä?#")])
        == "?filter=a%20%3D%20%27b%20c%27%2B1%20%26%20%C3%A4%3F%23"
    )
    assert encode_query([]) == ""


def test_regions_are_radians_around_what_is_rounded() -> None:
    """A tenth of a metre farther out, as far as the vertices of blocks may be moved."""
    region = Region(24.123456789123, 60.0, 24.2, 60.123456789123, -1.234567, 56.7891)
    found = cell_tileset(Node(Cell(15, 1, 1), region, 12.3456, 0.0, 1, "leaf"), WORLD, Addresses())
    west, south, east, north, low, high = found["root"]["boundingVolume"]["region"]
    exact = [math.radians(angle) for angle in (region.west, region.south, region.east, region.north)]
    beyond = np.array([exact[0] - west, exact[1] - south, east - exact[2], north - exact[3]])
    metres = beyond * 6_371_000 * [math.cos(exact[3]), 1, math.cos(exact[3]), 1]
    assert metres == pytest.approx([0.1] * 4, abs=0.002)
    assert (low, high) == (-1.34, 56.89)
    assert found["geometricError"] == 12.35
    assert found["root"]["geometricError"] == 0


@pytest.mark.parametrize("latitude", [-90.0, 0.0, 90.0])
def test_regions_end_where_the_globe_does(latitude: float) -> None:
    region = Region(-180.0, latitude, 180.0, latitude, 0.0, 0.0)
    found = cell_tileset(Node(WORLD, region, 0.0, 0.0, 1, "leaf"), WORLD, Addresses())
    west, south, east, north, *_ = found["root"]["boundingVolume"]["region"]
    assert (west, east) == (-math.pi, math.pi)
    assert -math.pi / 2 <= south < north <= math.pi / 2


def placed(tile: dict[str, Any], around: Any) -> Iterator[tuple[str, Any]]:
    """The address of each content and what its transform leads to, multiplied as a client does."""
    here = around @ np.array(tile.get("transform", np.eye(4).ravel())).reshape(4, 4).T
    if "content" in tile:
        yield tile["content"]["uri"], here
    for child in tile.get("children", []):
        yield from placed(child, here)


def test_every_content_has_the_transform_of_its_cell_and_nested_tilesets_none() -> None:
    found: list[str] = []
    for uri, matrix in placed(
        cell_tileset(City(5, 300, 0.01).tree(WORLD), WORLD, Addresses())["root"], np.eye(4)
    ):
        level, x, y = (int(part) for part in uri.removesuffix(".glb").split("/")[:3])
        nested = uri.endswith("tileset.json")
        expected = (
            np.eye(4) if nested else np.array(Frame.of_cell(Cell(level, x, y)).matrix()).reshape(4, 4).T
        )
        assert np.abs(matrix - expected).max() < 1e-4
        found.append("nested" if nested else "blocks" if "blocks" in uri else "meshes")
    assert {"nested", "blocks"} <= set(found)


def test_one_object_is_a_block_over_its_mesh() -> None:
    root = City(1, 1, 0.01).tree(WORLD)
    assert root is not None
    found = cell_tileset(root, WORLD, Addresses())["root"]
    (leaf,) = found["children"]
    assert found["content"]["uri"] == f"10/{root.cell.x}/{root.cell.y}/blocks-0.glb"
    assert leaf["content"]["uri"] == f"10/{root.cell.x}/{root.cell.y}.glb"
    assert found["geometricError"] > leaf["geometricError"] == 0
    assert (found["refine"], "refine" in leaf, "transform" in leaf) == ("REPLACE", False, True)


@pytest.mark.parametrize("cell", [WORLD, Cell(13, 4663, 2371)])
def test_nothing_gives_one_empty_tile(cell: Cell) -> None:
    found = cell_tileset(None, cell, Addresses())
    west, south, east, north, low, high = found["root"].pop("boundingVolume")["region"]
    assert -math.pi <= west < east <= math.pi
    assert -math.pi / 2 < south < north < math.pi / 2
    assert (low, high) == (-0.1, 0.1)
    assert found["root"] == {"geometricError": 0, "refine": "REPLACE"}
    assert json.dumps(found)


def test_a_joint_tileset_has_the_roots_as_children() -> None:
    first, second = City(5, 100, 0.01).tree(WORLD), City(6, 100, 0.02).tree(WORLD)
    assert first is not None
    assert second is not None
    found = joint_tileset([(first, Addresses("../a/")), (second, Addresses("../b/"))])
    root = found["root"]
    assert [tile["geometricError"] for tile in root["children"]] == [
        pytest.approx(node.error_m, abs=0.01) for node in (first, second)
    ]
    for child in root["children"]:
        for number, ours, theirs in zip(
            range(6), root["boundingVolume"]["region"], child["boundingVolume"]["region"], strict=True
        ):
            assert ours <= theirs if number in {0, 1, 4} else ours >= theirs
    uris = [tile["content"]["uri"] for tile in tiles(root) if "content" in tile]
    assert {uri[:5] for uri in uris} == {"../a/", "../b/"}


def test_a_joint_tileset_of_one_part_is_that_part() -> None:
    node = City(5, 100, 0.01).tree(WORLD)
    assert node is not None
    assert joint_tileset([(node, Addresses())]) == cell_tileset(node, WORLD, Addresses())
    assert joint_tileset([])["geometricError"] == 0
