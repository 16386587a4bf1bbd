"""Skins: what the faces of a stored mesh look like in a theme, beside the mesh and in the same order.

A face has a part of an image, a colour, or neither. Little-endian, one section after the other:

    header      16 bytes: version u1, zero u1, textures u2, faces u4, corners u4, zero u4
    textures    hash of the image 16 bytes, place in `WRAPS` u1, zero u1[3], colour of the border u1[4]
    faces       place among the textures u2 (65535: none), colour u1[4] in sRGB (of no opacity: none)
    corners     texture coordinates f4[2] of the vertices of faces that have a texture, v upwards

Only what a tile is asked to show textured reads them.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt

from twin.model.appearance import Appearance, Member
from twin.model.geometry import Floats, Geometry, Ints, offsets
from twin.processing import segments

VERSION = 1

WRAPS = ("wrap", "mirror", "clamp", "border", "none")
"""What lies outside of an image (CityJSON 2.0, section 5.2). Without a word it is repeated, as viewers do."""

IMAGE_HASH = 16
_NO_TEXTURE = 0xFFFF
_FARTHEST = 1e4
"""Texture coordinates farther away than this, in images, are errors."""

_HEADER = np.dtype(
    [("version", "u1"), ("zero", "u1"), ("textures", "<u2"), ("faces", "<u4"), ("corners", "<u4"),
     ("spare", "<u4")]
)  # fmt: skip
_TEXTURE = np.dtype([("image", "V16"), ("wrap", "u1"), ("zero", "u1", (3,)), ("border", "u1", (4,))])
_FACE = np.dtype([("texture", "<u2"), ("colour", "u1", (4,))])

Colours = npt.NDArray[np.uint8]


class Texture(NamedTuple):
    """An image by its hash, how it goes on outside of itself, and the colour of its border in sRGB."""

    image: bytes
    wrap: str = "wrap"
    border: tuple[int, int, int, int] = (0, 0, 0, 255)


@dataclass(frozen=True, slots=True)
class ObjectSkin:
    """The encoded skin of an object in a theme; ``theme`` is None for one put together of two themes."""

    theme: str | None
    data: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Skins:
    """Decoded skins of the meshes of a tile, one after the other.

    ``texture`` (faces,) points into ``textures``, -1 for none; ``colour`` (faces, 4) is in sRGB, of no
    opacity where there is none; ``uv`` (corners, 2) are of the vertices of faces with a texture, in order.
    """

    textures: tuple[Texture, ...]
    texture: Ints
    colour: Colours
    uv: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Which surfaces of an object its mesh shows, and its points (vertices,) in the order of the vertices."""

    surfaces: Ints
    points: Ints
    vertices: Ints


def skins_of(geometries: Sequence[Geometry], shown: Shown) -> tuple[ObjectSkin, ...]:
    """The skins of an object with these geometries, one behind the other; the first is shown by default."""
    looks = [geometry.appearance for geometry in geometries]
    made = (
        (name, _encoded(geometries, texture, material, shown)) for name, texture, material in _themes(looks)
    )
    return tuple(ObjectSkin(name, data) for name, data in made if data)


def _themes(looks: Sequence[Appearance | None]) -> Iterator[tuple[str | None, str | None, str | None]]:
    """Names of skins with their themes of textures and of materials; the default one comes first."""
    present = [look for look in looks if look is not None]
    textures = _counted({t: int((s.image >= 0).sum()) for t, s in look.texture.items()} for look in present)
    materials = _counted({t: int((f >= 0).sum()) for t, f in look.material.items()} for look in present)
    default = (
        _first(textures, [look.default_texture for look in present]),
        _first(materials, [look.default_material for look in present]),
    )
    if default == (None, None):
        return
    named = [(name, name if name in textures else None, name if name in materials else None)
             for name in sorted({*textures, *materials})]  # fmt: skip
    yield next((each for each in named if each[1:] == default), (None, *default))
    yield from (each for each in named if each[1:] != default)


def _counted(each: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for counts in each:
        for theme, count in counts.items():
            total[theme] = total.get(theme, 0) + count
    return {theme: count for theme, count in total.items() if count}


def _first(counts: Mapping[str, int], wanted: Sequence[str | None]) -> str | None:
    """The theme that the source wants, else the one that shows most; by name where several do."""
    stated = next((theme for theme in wanted if theme in counts), None)
    return stated or min(counts, key=lambda theme: (-counts[theme], theme), default=None)


def _encoded(
    geometries: Sequence[Geometry], texture: str | None, material: str | None, shown: Shown
) -> bytes:
    """The skin of a theme; empty where no face has any."""
    places: dict[Texture, int] = {}
    pieces = [_textured(geometry, texture, places) for geometry in geometries]
    number = np.concatenate([piece[0] for piece in pieces])[shown.surfaces]
    uv = np.concatenate([piece[1] for piece in pieces])[shown.points]
    colour = np.concatenate([_coloured(geometry, material) for geometry in geometries])[shown.surfaces]
    uv = _near(uv, number, shown.vertices, list(places))
    number[~_usable(uv, shown.vertices)] = -1
    faces = np.zeros(len(number), dtype=_FACE)
    faces["texture"] = np.where(number < 0, _NO_TEXTURE, number)
    faces["colour"] = colour
    if not (number >= 0).any() and not colour.any():
        return b""
    corners = uv[np.repeat(number >= 0, shown.vertices)].astype("<f4")
    header = np.zeros(1, dtype=_HEADER)
    header["version"], header["textures"] = VERSION, len(places)
    header["faces"], header["corners"] = len(faces), len(corners)
    return b"".join([header.tobytes(), _records(places), faces.tobytes(), corners.tobytes()])


def _records(textures: Mapping[Texture, int]) -> bytes:
    rows = [(t.image, WRAPS.index(t.wrap), (0, 0, 0), t.border) for t in textures]
    return np.array(rows, dtype=_TEXTURE).tobytes()


def _textured(geometry: Geometry, theme: str | None, places: dict[Texture, int]) -> tuple[Ints, Floats]:
    """The texture of each surface, that of its exterior ring, and the coordinates of each point."""
    look = geometry.appearance
    if look is None or theme is None or theme not in look.texture or not look.images:
        return np.full(len(geometry.semantic), -1, np.int64), np.full((len(geometry.xyz), 2), np.nan)
    found = look.texture[theme]
    numbers = [
        places.setdefault(_texture(member, image), len(places)) if image else -1
        for member, image in zip(look.textures, look.images, strict=True)
    ]
    usable = np.array([n if n < _NO_TEXTURE else -1 for n in [*numbers, -1]], dtype=np.int64)
    return usable[found.image[geometry.surface_start[:-1]]], found.uv


def _texture(member: Member, image: str) -> Texture:
    wrap = member.get("wrapMode")
    border = _colour(member.get("borderColor")) or (0, 0, 0, 255)
    return Texture(bytes.fromhex(image), wrap if wrap in WRAPS else WRAPS[0], border)


def _coloured(geometry: Geometry, theme: str | None) -> Colours:
    """The diffuse colour of each surface (surfaces, 4)."""
    look = geometry.appearance
    if look is None or theme is None or theme not in look.material:
        return np.zeros((len(geometry.semantic), 4), dtype=np.uint8)
    known = [_colour(member.get("diffuseColor")) or (0, 0, 0, 0) for member in look.materials]
    return np.array([*known, (0, 0, 0, 0)], dtype=np.uint8)[look.material[theme]]


def _colour(given: Any) -> tuple[int, int, int, int] | None:
    """Three or four shares of 1 as bytes; None where it is no colour."""
    parts = cast("list[Any]", given) if isinstance(given, list) else []
    if len(parts) not in (3, 4) or not all(isinstance(part, (int, float)) for part in parts):
        return None
    red, green, blue = (round(255 * min(max(float(part), 0.0), 1.0)) for part in parts[:3])
    return red, green, blue, 255


def _near(uv: Floats, number: Ints, vertices: Ints, textures: Sequence[Texture]) -> Floats:
    """Coordinates moved by whole images to the first ones, where an image is repeated."""
    period = np.array([{"wrap": 1.0, "mirror": 2.0}.get(t.wrap, 0.0) for t in textures] + [0.0])[number]
    low = np.minimum.reduceat(uv, offsets(vertices)[:-1]) if len(vertices) else uv
    step = np.where(period > 0.0, period, 1.0)[:, None]
    moved = np.where(period[:, None] > 0.0, np.floor(low / step) * step, 0.0)
    return uv - np.repeat(moved, vertices, axis=0)


def _usable(uv: Floats, vertices: Ints) -> npt.NDArray[np.bool_]:
    """Which faces have coordinates at all their vertices (faces,)."""
    u, v = np.abs(uv).T
    wrong = ~((u <= _FARTHEST) & (v <= _FARTHEST))
    face = np.repeat(np.arange(len(vertices)), vertices)
    return segments.totals(face, wrong.astype(np.float64), len(vertices)) == 0.0


def images(blobs: Sequence[bytes | None]) -> list[bytes]:
    """The hashes of the images of skins, each once, ascending."""
    return sorted({texture.image for blob in blobs if blob for texture in _sections(blob)[0]})


def decode(blobs: Sequence[bytes | None], counts: Sequence[int]) -> Skins:
    """Skins of meshes with as many faces each; None has neither images nor colours.

    Raises ValueError for a blob of another version of the format.
    """
    places: dict[Texture, int] = {}
    texture = [np.full(count, -1, dtype=np.int64) for count in counts]
    colour = [np.zeros((count, 4), dtype=np.uint8) for count in counts]
    uv = [np.zeros((0, 2))]
    for number, blob in enumerate(blobs):
        if blob:
            textures, faces, corners = _sections(blob)
            known = [places.setdefault(found, len(places)) for found in textures]
            texture[number] = np.array([*known, -1], dtype=np.int64)[
                np.where(faces["texture"] == _NO_TEXTURE, -1, faces["texture"].astype(np.int64))
            ]
            colour[number] = faces["colour"]
            uv.append(corners)
    whole = np.concatenate([np.zeros((0, 4), np.uint8), *colour])
    return Skins(tuple(places), np.concatenate([np.zeros(0, np.int64), *texture]), whole, np.concatenate(uv))


def _sections(blob: bytes) -> tuple[list[Texture], npt.NDArray[Any], Floats]:
    (header,) = np.frombuffer(blob, _HEADER, 1)
    if header["version"] != VERSION:
        raise ValueError(f"a stored skin is not of version {VERSION}: import or process its dataset again")
    at_textures = _HEADER.itemsize
    at_faces = at_textures + int(header["textures"]) * _TEXTURE.itemsize
    at_corners = at_faces + int(header["faces"]) * _FACE.itemsize
    textures = [
        Texture(row["image"].tobytes(), WRAPS[row["wrap"]], tuple(row["border"].tolist()))
        for row in np.frombuffer(blob, _TEXTURE, int(header["textures"]), at_textures)
    ]
    faces = np.frombuffer(blob, _FACE, int(header["faces"]), at_faces)
    corners = np.frombuffer(blob, "<f4", 2 * int(header["corners"]), at_corners)
    return textures, faces, corners.reshape(-1, 2).astype(np.float64)
