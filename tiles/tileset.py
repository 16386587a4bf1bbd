"""The JSON of explicit tilesets (OGC 3D Tiles 1.1, 22-025r4)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from tiles.frame import EARTH, Frame
from tiles.tiling import Node, Region
from twin.model.cells import Cell, cell_bounds

Json: TypeAlias = dict[str, Any]

GENERATOR = "finest-twin"
_RADIAN_STEPS = 1e10  # 0.6 mm on the ground
_HEIGHT_STEPS = 100
_ROUNDING_M = 0.1
"""Vertices are stored in steps, of 15 cm at most in blocks, so that one may lie half a step outside."""

_POLAR_RADIUS_M = 6_356_752.0


@dataclass(frozen=True, slots=True)
class Tile:
    """The content of a cell: the meshes of its objects, or blocks of those of ``least_m`` or more."""

    cell: Cell
    least_m: int | None = None

    @property
    def path(self) -> str:
        """Where it is kept below its tileset, without a suffix."""
        folder = tile_path(self.cell)
        return folder if self.least_m is None else f"{folder}/blocks-{self.least_m}"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses in a tileset: relative, each with the query string of the tileset itself.

    ``up`` leads from the tileset to the folder of the root tileset; ``query`` is what narrows or
    shapes the tiles, as names and values that are not yet encoded.
    """

    up: str = ""
    query: Sequence[tuple[str, str]] = ()

    def of(self, path: str) -> str:
        """The address of a path below the root tileset's folder."""
        return f"{self.up}{path}{encode_query(self.query)}"

    def nested(self, cell: Cell) -> str:
        return self.of(f"{tile_path(cell)}/tileset.json")

    def content(self, tile: Tile) -> str:
        return self.of(f"{tile.path}.glb")


def tile_of(node: Node) -> Tile | None:
    """The tile that a node shows; None for a nested tileset and a parent without content."""
    if node.kind == "leaf":
        return Tile(node.cell)
    return None if node.least_m is None else Tile(node.cell, node.least_m)


def tile_path(cell: Cell) -> str:
    """Where a cell is kept below its tileset."""
    return f"{cell.level}/{cell.x}/{cell.y}"


def encode_query(query: Sequence[tuple[str, str]]) -> str:
    """A query string with its question mark, or nothing; spaces become %20, which all clients read."""
    if not query:
        return ""
    return "?" + "&".join(f"{quote(name, safe='')}={quote(value, safe='')}" for name, value in query)


def tileset(root: Json, error_m: float) -> Json:
    """A tileset around its root tile; ``error_m`` is what is missing where it is not shown at all."""
    return {
        "asset": {"version": "1.1", "generator": GENERATOR},
        "geometricError": _error(error_m),
        "root": {**root, "refine": "REPLACE"},
    }


def cell_tileset(root: Node | None, cell: Cell, addresses: Addresses) -> Json:
    """The tileset of a cell; one without objects is a single empty tile."""
    if root is None:
        return tileset(_empty(cell), 0.0)
    return tileset(tile(root, addresses), root.size_m)


def joint_tileset(parts: Sequence[tuple[Node, Addresses]]) -> Json:
    """One tileset over several roots, each with addresses of its own."""
    tiles = [tile(node, addresses) for node, addresses in parts]
    error_m = max((node.size_m for node, _ in parts), default=0.0)
    if len(parts) <= 1:
        return tileset(tiles[0] if tiles else _empty(Cell(0, 0, 0)), error_m)
    region = enclosing([node.region for node, _ in parts])
    return tileset({**_bounded(region), "geometricError": _error(error_m), "children": tiles}, error_m)


def tile(node: Node, addresses: Addresses, around: Frame = EARTH) -> Json:
    """The tile of a node with all below it, inside a tile with a frame."""
    found = {**_bounded(node.region), "geometricError": _error(node.error_m)}
    frame, content = EARTH, tile_of(node)
    if content is not None:
        frame = Frame.of_cell(node.cell)
        found["content"] = {"uri": addresses.content(content)}
    elif node.kind == "nested":
        found["content"] = {"uri": addresses.nested(node.cell)}
    if frame is not around:
        found["transform"] = frame.matrix(around)
    if node.children:
        found["children"] = [tile(child, addresses, frame) for child in node.children]
    return found


def enclosing(regions: Sequence[Region]) -> Region:
    """The smallest region around one or more."""
    return Region(
        min(region.west for region in regions),
        min(region.south for region in regions),
        max(region.east for region in regions),
        max(region.north for region in regions),
        min(region.z_min for region in regions),
        max(region.z_max for region in regions),
    )


def _empty(cell: Cell) -> Json:
    west, south, east, north = cell_bounds(cell.level, cell.x, cell.y)
    return {**_bounded(Region(west, south, east, north, 0.0, 0.0)), "geometricError": 0}


def _bounded(region: Region) -> Json:
    """A bounding volume around what is drawn, rounded outwards so that no child sticks out of its parent."""
    up = _ROUNDING_M / _POLAR_RADIUS_M
    across = up / max(math.cos(math.radians(max(abs(region.south), abs(region.north)))), up)
    west, south = math.radians(region.west) - across, math.radians(region.south) - up
    east, north = math.radians(region.east) + across, math.radians(region.north) + up
    plan = [
        max(_down(west, _RADIAN_STEPS), -math.pi),
        max(_down(south, _RADIAN_STEPS), -math.pi / 2),
        min(_up(east, _RADIAN_STEPS), math.pi),
        min(_up(north, _RADIAN_STEPS), math.pi / 2),
    ]
    heights = [
        _down(region.z_min - _ROUNDING_M, _HEIGHT_STEPS),
        _up(region.z_max + _ROUNDING_M, _HEIGHT_STEPS),
    ]
    return {"boundingVolume": {"region": plan + heights}}


def _error(size_m: float) -> float:
    return _up(size_m, _HEIGHT_STEPS)


def _down(value: float, steps: float) -> float:
    return math.floor(value * steps) / steps


def _up(value: float, steps: float) -> float:
    return math.ceil(value * steps) / steps
