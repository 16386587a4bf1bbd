"""Colours of what is shown: of buildings by surface, of others by what they are."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from twin.model.geometry import SurfaceType
from twin.processing.mesh import MeshBatch

Array: TypeAlias = npt.NDArray[Any]

_COLOURS: dict[SurfaceType, str] = {
    SurfaceType.GROUND: "8f8a80",
    SurfaceType.WALL: "e6ddd0",
    SurfaceType.ROOF: "a9644f",
    SurfaceType.OUTER_CEILING: "cdc5b8",
    SurfaceType.OUTER_FLOOR: "b9a999",
    SurfaceType.CLOSURE: "dcdcd8",
    SurfaceType.WINDOW: "86a5bb",
    SurfaceType.DOOR: "8a6b4f",
}
_OTHER_COLOUR = "d8d2c8"

_COLOURS_OF_OBJECTS = {
    "TINRelief": "a9ad8c",
    "ReliefFeature": "a9ad8c",
    "LandUse": "b9c09c",
    "PlantCover": "86a06a",
    "SolitaryVegetationObject": "6f9157",
    "WaterBody": "7ea6c4",
    "Waterway": "7ea6c4",
    "Road": "8f8f90",
    "TransportSquare": "a5a3a0",
    "TransportationComplex": "8f8f90",
    "Track": "a59a88",
    "Railway": "7b7570",
    "Bridge": "b0a697",
    "Tunnel": "7d7973",
    "CityFurniture": "8b7a5c",
}
"""Of first-level objects that are no buildings (CityJSON 2.0, section 3), whatever their surfaces."""


def _linear_colours(codes: Sequence[str]) -> npt.NDArray[np.uint8]:
    """Colours (codes, 4); glTF wants them linear where the tables above are sRGB."""
    srgb = np.array([list(bytes.fromhex(code)) for code in codes], dtype=np.float64) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    opaque = np.ones((len(codes), 1))
    return np.rint(np.hstack([linear, opaque]) * 255).astype(np.uint8)


_PALETTE = _linear_colours([_COLOURS.get(surface, _OTHER_COLOUR) for surface in SurfaceType])
_OBJECT_TYPES = [*_COLOURS_OF_OBJECTS, ""]
_OBJECT_PALETTE = _linear_colours([*_COLOURS_OF_OBJECTS.values(), _OTHER_COLOUR])


def colours(mesh: MeshBatch, types: Sequence[str]) -> Array:
    """The colour of each vertex (vertices, 4), of buildings by surface, else by the type of the object."""
    colours = _PALETTE[mesh.surface_type]
    if any(name != "Building" for name in types):
        places = {name: place for place, name in enumerate(_OBJECT_TYPES)}
        kinds = np.array([places.get(name, places[""]) for name in types])
        built = np.array([name == "Building" for name in types])
        other = np.flatnonzero(~built[mesh.object_of_vertex])
        colours[other] = _OBJECT_PALETTE[kinds[mesh.object_of_vertex[other]]]
    return colours
