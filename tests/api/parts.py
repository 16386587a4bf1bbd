"""A block of buildings with parts, made of boxes whose measures are known, as CityJSON."""

from pathlib import Path
from typing import Any, NamedTuple

import orjson

Json = dict[str, Any]
SYSTEM = (
    "http://www.opengis.net/def/crs-compound?1=http://www.opengis.net/def/crs/EPSG/0/3879"
    "&2=http://www.opengis.net/def/crs/EPSG/0/3900"
)
EAST, NORTH = 25496000.0, 6672000.0


class Box(NamedTuple):
    """A box in metres from the corner of the block; ``z`` is the height of its ground."""

    x: float
    y: float
    width: float
    depth: float
    height: float
    z: float = 5.0

    @property
    def area(self) -> float:
        return self.width * self.depth

    @property
    def volume(self) -> float:
        return self.area * self.height

    @property
    def corners(self) -> list[tuple[float, float]]:
        """In EPSG:3879, easting first."""
        west, south = EAST + self.x, NORTH + self.y
        east, north = west + self.width, south + self.depth
        return [(west, south), (east, south), (east, north), (west, north)]


SHAPES = {
    "wing": Box(0, 0, 10, 20, 6),
    "hall": Box(10, 0, 30, 20, 12),
    "tower": Box(40, 0, 5, 5, 30),
    "only": Box(100, 0, 12, 12, 9),
    "both": Box(150, 0, 8, 8, 4),
    "plain": Box(200, 0, 6, 6, 3),
    "canopy": Box(12, 20, 4, 2, 3),
}
"""By object: parts of the court, the single part of a house, a house with geometry of its own, a canopy."""

PARENTS = {"wing": "court", "hall": "court", "tower": "hall", "only": "villa", "shed": "both"}
BUILDINGS = {"wing": "court", "hall": "court", "tower": "court", "only": "villa", "shed": "both"}
"""Parts by id: the tower is a part of the hall; the shed has no geometry."""

ROOTS = ("court", "villa", "both", "plain")


def model(shapes: dict[str, Box] | None = None, **attributes: Json) -> Json:
    """The block, with attributes of single objects by id."""
    vertices: list[list[int]] = []
    solids = {name: [_solid(box, vertices)] for name, box in (shapes or SHAPES).items()}
    objects: Json = {root: {"type": "Building", "attributes": {"called": root}} for root in ROOTS}
    for root in ("both", "plain"):
        objects[root]["geometry"] = solids[root]
    for name, parent in PARENTS.items():
        objects[name] = {"type": "BuildingPart", "attributes": {"called": name}, "parents": [parent]}
        objects[name] |= {"geometry": solids[name]} if name in solids else {}
    objects["canopy"] = {
        "type": "BuildingInstallation", "parents": ["hall"], "geometry": solids["canopy"]
    }  # fmt: skip
    for name, item in objects.items():
        children = [other for other, found in objects.items() if name in found.get("parents", ())]
        item |= {"children": children} if children else {}
        if more := attributes.get(name):
            item["attributes"] = {**item.get("attributes", {}), **more}
    return {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {"referenceSystem": SYSTEM},
        "transform": {"scale": [0.001] * 3, "translate": [EAST, NORTH, 0.0]},
        "CityObjects": objects,
        "vertices": vertices,
    }


def _solid(box: Box, vertices: list[list[int]]) -> Json:
    first = len(vertices)
    for z in (box.z, box.z + box.height):
        for x, y in box.corners:
            vertices.append([round(1000 * (x - EAST)), round(1000 * (y - NORTH)), round(1000 * z)])
    walls = [[i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i] for i in range(4)]
    faces = [[[first + i for i in ring]] for ring in ([3, 2, 1, 0], [4, 5, 6, 7], *walls)]
    return {"type": "Solid", "lod": "2", "boundaries": [faces]}


def written(path: Path, content: Json) -> Path:
    """The content as a file."""
    path.write_bytes(orjson.dumps(content))
    return path
