"""Cubes of 10 m in Helsinki whose south walls have images, and what a tile shows at places of those walls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
from PIL import Image

from tests.importers.cityjson_cube import building, document, geometry
from tests.tiles.gltf import Glb
from tests.tiles.pixels import picture

Json = dict[str, Any]
Pixels = npt.NDArray[np.uint8]

SOUTH, ROOF = 2, 1
"""Faces of the cube."""
WHOLE = (0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True)
class Wall:
    """An image on the south wall of a cube, from ``uv`` (left, bottom, right, top), by theme."""

    id: str
    image: str
    uv: tuple[float, float, float, float] = WHOLE
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])
    theme: str = "photo"


def gradient(width: int = 64, height: int = 48, blue: int = 40) -> Pixels:
    """An image that is redder to the right and greener downwards."""
    red = np.linspace(30, 220, width)[None, :].repeat(height, axis=0)
    green = np.linspace(40, 200, height)[:, None].repeat(width, axis=1)
    return np.rint(np.stack([red, green, np.full_like(red, blue)], axis=-1)).astype(np.uint8)


def saved(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path)
    return path


def model(walls: Sequence[Wall], **more: Any) -> Json:
    """A CityJSON document with a cube for each wall, 25 m from one to the next."""
    names = [{"type": "PNG", "image": wall.image, **wall.more} for wall in walls]
    uv = [corner for wall in walls for corner in _corners(*wall.uv)]
    objects = {wall.id: building(geometry=[_cube(n, wall)]) for n, wall in enumerate(walls)}
    corners = [(0, 0), (10, 0), (10, 10), (0, 10)]
    vertices = [
        [1000 * (x + 25 * n), 1000 * y, 1000 * z]
        for n in range(len(walls))
        for z in (0, 10)
        for x, y in corners
    ]
    appearance = {"textures": names, "vertices-texture": uv, **more}
    return document(objects, vertices=vertices, appearance=appearance, metadata=_METADATA)


_METADATA = {
    "title": "Textured",
    "referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879",
}


def _corners(left: float, bottom: float, right: float, top: float) -> list[list[float]]:
    return [[left, bottom], [right, bottom], [right, top], [left, top]]


def _cube(number: int, wall: Wall) -> Json:
    cube = geometry()
    cube["boundaries"] = [
        [[[8 * number + i for i in ring] for ring in face] for face in cube["boundaries"][0]]
    ]
    shown: list[Any] = [[[None]]] * 6
    shown[SOUTH] = [[number, *(4 * number + corner for corner in range(4))]]
    return {**cube, "texture": {wall.theme: {"values": [shown]}}}


def written(folder: Path, document: Json, images: Mapping[str, Pixels]) -> Path:
    """A model beside its images."""
    for name, pixels in images.items():
        saved(folder / name, pixels)
    path = folder / "model.city.json"
    path.write_bytes(orjson.dumps(document))
    return path


@dataclass(frozen=True)
class Place:
    """A point of a wall: shares of its width and height, and the colour that a tile shows there."""

    right: float
    up: float
    colour: npt.NDArray[np.float64]


def south_walls(tile: Glb) -> dict[str, list[Place]]:
    """What a tile shows at some points of each south wall, by the id of the object."""
    ids = tile.column(0, "id")
    positions, normals = tile.positions(), tile.attribute("NORMAL").astype(float)
    owner = tile.attribute("_FEATURE_ID_0")[:, 0]
    # glTF has y up and south along z.
    south = normals[:, 2] > 100
    triangles = tile.accessor(tile.primitive["indices"]).reshape(-1, 3)
    image, place = picture(tile), tile.attribute("TEXCOORD_0") / 65535
    found: dict[str, list[Place]] = {}
    for number, name in enumerate(ids):
        own = positions[owner == number]
        low, size = own.min(axis=0), np.ptp(own, axis=0)
        points: list[Place] = []
        for corners in triangles[(owner[triangles[:, 0]] == number) & south[triangles[:, 0]]]:
            for weights in _WEIGHTS:
                east, _, up = (weights @ positions[corners] - low) / size
                points.append(Place(east, up, image.at(*(weights @ place[corners]))))
        found[name.partition(".")[2]] = points
    return found


_STEPS = [(a / 14, b / 14) for a in range(1, 14) for b in range(1, 14 - a)]
_WEIGHTS = [np.array([a, b, 1 - a - b]) for a, b in _STEPS]
