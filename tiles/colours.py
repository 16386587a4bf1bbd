"""The colours of what has no texture, by surface and by the type of the object."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from twin.model.geometry import SurfaceType
from twin.processing.mesh import MeshBatch

Colours = npt.NDArray[np.uint8]

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


_SHARE = np.arange(256) / 255
_LINEAR = np.rint(
    np.where(_SHARE <= 0.04045, _SHARE / 12.92, ((_SHARE + 0.055) / 1.055) ** 2.4) * 255
).astype(np.uint8)


def linear(srgb: Colours) -> Colours:
    """Colours (n, 4) as glTF wants them, where people and images have sRGB; opacity as it is."""
    found = _LINEAR[srgb]
    found[:, 3] = srgb[:, 3]
    return found


def _coded(codes: Sequence[str]) -> Colours:
    return np.array([[*bytes.fromhex(code), 255] for code in codes], dtype=np.uint8)


_PALETTE = _coded([_COLOURS.get(surface, _OTHER_COLOUR) for surface in SurfaceType])
OBJECT_TYPES = [*_COLOURS_OF_OBJECTS, ""]
_OBJECT_PALETTE = _coded([*_COLOURS_OF_OBJECTS.values(), _OTHER_COLOUR])
_LINEAR_PALETTE, _LINEAR_OBJECT_PALETTE = linear(_PALETTE), linear(_OBJECT_PALETTE)


def linear_colours(mesh: MeshBatch, types: Sequence[str]) -> Colours:
    """The colour of each vertex (vertices, 4) as glTF wants it: of buildings by surface, else by object."""
    return _by_type(mesh, types, (_LINEAR_PALETTE, _LINEAR_OBJECT_PALETTE))


def colours(mesh: MeshBatch, types: Sequence[str]) -> Colours:
    """The same in sRGB."""
    return _by_type(mesh, types, (_PALETTE, _OBJECT_PALETTE))


def _by_type(mesh: MeshBatch, types: Sequence[str], palettes: tuple[Colours, Colours]) -> Colours:
    found = palettes[0][mesh.surface_type]
    if any(name != "Building" for name in types):
        places = {name: place for place, name in enumerate(OBJECT_TYPES)}
        kinds = np.array([places.get(name, places[""]) for name in types])
        built = np.array([name == "Building" for name in types])
        other = np.flatnonzero(~built[mesh.object_of_vertex])
        found[other] = palettes[1][kinds[mesh.object_of_vertex[other]]]
    return found
