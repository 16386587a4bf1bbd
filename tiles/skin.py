"""Meshes with what the source says they look like: one image a tile, and colours of materials."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tiles import atlas
from tiles.colours import Colours, colours, linear
from twin.model.geometry import Ints, offsets
from twin.processing import segments
from twin.processing.mesh import MeshBatch
from twin.processing.skins import Skins

_UNSIGNED_SHORT = 65535


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image, and the place of each vertex in it (vertices, 2): 65535 is its right and its lower edge."""

    data: bytes
    media_type: str
    opaque: bool
    place: npt.NDArray[np.uint16]


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """The colour of each vertex of a mesh (vertices, 4), linear, and a picture if it shows any."""

    colour: Colours
    picture: Picture | None


def painted(
    mesh: MeshBatch, types: Sequence[str], skins: Skins, images: Mapping[bytes, bytes]
) -> Painted | None:
    """A mesh in its skins; None where those say nothing. ``types`` are those of the objects.

    Where there is a picture, what has no part in it keeps its colour: its place is a white one.
    """
    textured = np.flatnonzero(skins.texture >= 0)
    if not len(textured) and not skins.colour.any():
        return None
    own = colours(mesh, types)
    given = skins.colour[mesh.face]
    own[given[:, 3] > 0] = given[given[:, 3] > 0]
    if not len(textured):
        return Painted(linear(own), None)
    start = offsets(np.bincount(mesh.face))
    wanted = _wanted(skins, textured, start, own)
    found = atlas.build(wanted, images)
    _colour_plain(own, found, textured, start)
    if not found.image:
        return Painted(linear(own), None)
    corners = segments.expand(start, textured[~found.plain])
    place = np.tile(found.white, (len(mesh.face), 1))
    place[corners] = found.place[segments.expand(wanted.start, np.flatnonzero(~found.plain))]
    own[corners] = 255
    picture = np.rint(np.clip(place, 0.0, 1.0) * _UNSIGNED_SHORT).astype(np.uint16)
    return Painted(linear(own), Picture(found.image, found.media_type, found.opaque, picture))


def _wanted(skins: Skins, textured: Ints, start: Ints, own: Colours) -> atlas.Wanted:
    """Images are counted from their lower left corner in cities, from the upper left one in glTF."""
    place = np.column_stack([skins.uv[:, 0], 1.0 - skins.uv[:, 1]])
    lengths = np.diff(start)[textured]
    first = start[:-1][textured]
    return atlas.Wanted(skins.textures, skins.texture[textured], place, offsets(lengths), own[first])


def _colour_plain(own: Colours, found: atlas.Atlas, textured: Ints, start: Ints) -> None:
    """Faces that have no part in the atlas get the colour of their image on the whole."""
    chosen = np.flatnonzero(found.plain & (found.colour[:, 3] > 0))
    faces = textured[chosen]
    own[segments.expand(start, faces)] = np.repeat(found.colour[chosen], np.diff(start)[faces], axis=0)
