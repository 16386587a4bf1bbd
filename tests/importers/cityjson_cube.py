"""A small CityJSON 2.0 building, canonical: a cube of 10 m, and how to write and read mutations of it."""

from pathlib import Path
from typing import Any

import orjson

from importers.port import Model, Refused
from importers.reader import open_model
from twin.model.cityobject import CityFeature

Json = dict[str, Any]


def geometry() -> Json:
    """The solid of a cube whose first face is ground, second roof, third wall; the rest has no meaning."""
    return {
        "type": "Solid",
        "lod": "2",
        "boundaries": [
            [[[0, 3, 2, 1]], [[4, 5, 6, 7]], [[0, 1, 5, 4]], [[1, 2, 6, 5]], [[2, 3, 7, 6]], [[3, 0, 4, 7]]]
        ],
        "semantics": {
            "surfaces": [
                {"type": "GroundSurface", "id": "s_ground", "Area": 100.0},
                {"type": "RoofSurface"},
                {"type": "WallSurface", "children": [3]},
                {"type": "Window", "parent": 2},
            ],
            "values": [[0, 1, 2, None, 3, None]],
        },
    }


def building(**more: Any) -> Json:
    """A building with the cube."""
    return {"type": "Building", "attributes": {"RATU": 64497}, "geometry": [geometry()]} | more


def vertices() -> list[list[int]]:
    """The corners of the cube in millimetres."""
    corners = [(0, 0), (10, 0), (10, 10), (0, 10)]
    return [[1000 * x, 1000 * y, 1000 * z] for z in (0, 10) for x, y in corners]


def document(objects: Json | None = None, **more: Any) -> Json:
    """A document of the objects, by default one building."""
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001, 0.001, 0.001], "translate": [25500000.0, 6674000.0, 0.0]},
        "metadata": {"title": "Cube", "referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879"},
        "CityObjects": {"B1": building()} if objects is None else objects,
        "vertices": vertices(),
    } | more


def line(identifier: str = "B1", objects: Json | None = None, **more: Any) -> Json:
    """A CityJSONFeature of the objects, by default one building."""
    return {
        "type": "CityJSONFeature",
        "id": identifier,
        "CityObjects": {identifier: building()} if objects is None else objects,
        "vertices": vertices(),
    } | more


def sequence(*lines: Json | bytes) -> bytes:
    """A CityJSONSeq of a header and lines."""
    header = document({}, vertices=[])
    encoded = [item if isinstance(item, bytes) else orjson.dumps(item) for item in (header, *lines)]
    return b"\n".join(encoded) + b"\n"


def write(folder: Path, content: Json | bytes) -> Path:
    """The content as a file whose name says nothing of its format."""
    path = folder / "model.data"
    path.write_bytes(content if isinstance(content, bytes) else orjson.dumps(content))
    return path


def read(folder: Path, content: Json | bytes) -> tuple[list[CityFeature], list[Refused], Model]:
    """What the readers make of the content: features, refused ones, and the model."""
    opened = open_model(write(folder, content))
    found = list(opened)
    return (
        [item for item in found if isinstance(item, CityFeature)],
        [item for item in found if isinstance(item, Refused)],
        opened,
    )
