"""Atlases: the parts of images that the faces of a tile show, in one image.

Of each image only the rectangles that faces use are taken, at most as fine as they come and coarser
where they would not fit. Around each goes a gutter of what lies next to it, so that filtering takes in no
neighbour. What repeats is laid out as often as it is shown, up to a bound.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from threading import BoundedSemaphore
from typing import Any, TypeAlias

import numpy as np
from scipy import ndimage

from tiles.pictures import Pixels, Size, average, decoded, encoded, size_of
from twin.model.geometry import Bools, Floats, Ints
from twin.processing import segments
from twin.processing.skins import Texture

scipy_image: Any = ndimage  # the types of what it gives are those of all that it could

MOST_PIXELS = 2_048
"""Width and height at most: what every client can take."""

_MOST_WITH_OPACITY = 1_024
"""JPEG has no opacity, and PNG takes many more bytes."""

MOST_REPEATS = 64
"""A face that shows an image more often, in either direction, has its average colour."""

_REPEATS = (2, 8, MOST_REPEATS)
"""Faces with more or fewer repeats are laid out by themselves, so that these do not become as coarse."""

_MOST_REPEATED = 1_024
"""Width and height at most of what repeats: the same pixels again and again."""

GUTTER = 2
_WHITE = 16
"""Width and height of the white part, which faces without a texture have: two blocks of JPEG."""

_GRID = 128
"""Cells of an image across, by which the parts of it that are used are told apart."""

_OUTSIDE = 1e-3
"""Coordinates as little outside of an image are meant to be on its edge."""

_FULL = 0.9
_LEAST_SCALE = 1 / 256
_baking = BoundedSemaphore(2)
"""An image unpacks to a hundred megabytes: no more of them at a time, however many threads there are."""

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom in widths and heights of an image, from its upper left corner."""


@dataclass(frozen=True, slots=True, eq=False)
class Wanted:
    """Faces with a texture: which, ``place`` (corners, 2) to the right and down in widths and heights of
    its image, offsets of the faces into them (faces + 1,), and the colour (faces, 4) that each has without.
    """

    textures: Sequence[Texture]
    texture: Ints
    place: Floats
    start: Ints
    colour: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class Atlas:
    """An image with places in it: of the corners (corners, 2), and of its white part (2,).

    ``colour`` (faces, 4) is that of faces which have no part in it; no opacity: none either. Without any
    that has, ``image`` is empty.
    """

    image: bytes
    media_type: str
    opaque: bool
    place: Floats
    white: Floats
    plain: Bools
    colour: Pixels


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """A rectangle of an image that faces show; ``outside``: it reaches out of it."""

    texture: Texture
    box: Box
    faces: Ints
    outside: bool


@dataclass(frozen=True, slots=True)
class _Cut:
    """A part in pixels: the size its image is brought to, and left, top, right, bottom in it."""

    image: Size
    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> Size:
        return self.right - self.left + 2 * GUTTER, self.bottom - self.top + 2 * GUTTER


def build(wanted: Wanted, images: Mapping[bytes, bytes]) -> Atlas:
    """The atlas of faces; an image that is missing or damaged costs its faces their texture."""
    with _baking:
        atlas = _build(wanted, images, MOST_PIXELS)
        if not atlas.opaque:
            atlas = _build(wanted, images, _MOST_WITH_OPACITY)
        return atlas


def _build(wanted: Wanted, images: Mapping[bytes, bytes], most: int) -> Atlas:
    sizes = {key: size for key, data in images.items() if (size := size_of(data)) is not None}
    low, high = _extents(wanted)
    parts = list(_parts(wanted, sizes, low, high))
    cuts, places, extent = _laid_out(parts, sizes, most)
    canvas = np.full((extent[1], extent[0], 4), 255, dtype=np.uint8)
    plain = np.ones(len(wanted.texture), dtype=np.bool_)
    corner = wanted.place.copy()
    pixels, held = None, None
    for number in _by_image(parts, cuts):
        part, cut, (x, y) = parts[number], cuts[number], places[number]
        if held != (part.texture.image, cut.image):
            pixels, held = None, (part.texture.image, cut.image)
            pixels = decoded(images[part.texture.image], cut.image)
        if pixels is None:
            continue
        canvas[y : y + cut.size[1], x : x + cut.size[0]] = _shown(part, cut, pixels)
        plain[part.faces] = False
        corners = segments.expand(wanted.start, part.faces)
        at = wanted.place[corners] if part.outside else np.clip(wanted.place[corners], 0.0, 1.0)
        corner[corners] = at * cut.image - [cut.left, cut.top] + [x + GUTTER, y + GUTTER]
    opaque = bool((canvas[..., 3] == 255).all())
    image, media_type = (b"", "") if plain.all() else encoded(canvas, opaque=opaque)
    colour = _averages(wanted, images, plain)
    white = np.array([_WHITE / 2, _WHITE / 2]) / extent
    return Atlas(image, media_type, opaque, corner / extent, white, plain, colour)


def _extents(wanted: Wanted) -> tuple[Floats, Floats]:
    """The least and the greatest place of each face (faces, 2)."""
    first = wanted.start[:-1]
    return np.minimum.reduceat(wanted.place, first), np.maximum.reduceat(wanted.place, first)


def _parts(wanted: Wanted, sizes: Mapping[bytes, Size], low: Floats, high: Floats) -> Iterator[_Part]:
    within = ((low >= -_OUTSIDE) & (high <= 1.0 + _OUTSIDE)).all(axis=1)
    repeats = np.maximum(np.abs(low), np.abs(high)).max(axis=1)
    often = (repeats[:, None] > np.array(_REPEATS)).sum(axis=1)
    for number, texture in enumerate(wanted.textures):
        if texture.image not in sizes:
            continue
        own = wanted.texture == number
        inner = np.flatnonzero(own & within)
        for group in _groups(np.clip(low[inner], 0.0, 1.0), np.clip(high[inner], 0.0, 1.0)):
            faces = inner[group]
            yield _Part(
                texture, _around(np.clip(low, 0.0, 1.0), np.clip(high, 0.0, 1.0), faces), faces, False
            )
        for filled, faces in _filled(texture, np.flatnonzero(own & ~within), wanted.colour):
            for alike in (faces[often[faces] == number] for number in range(len(_REPEATS))):
                if len(alike):
                    yield _Part(filled, _around(low, high, alike), alike, True)


def _filled(texture: Texture, faces: Ints, colour: Pixels) -> Iterator[tuple[Texture, Ints]]:
    """Faces by what they show outside of their image; where it is nothing, that is their own colour."""
    if not len(faces):
        return
    if texture.wrap != "none":
        yield texture, faces
        return
    colours, which = np.unique(colour[faces], axis=0, return_inverse=True)
    for number, (red, green, blue, _) in enumerate(colours.tolist()):
        filled = texture._replace(wrap="border", border=(red, green, blue, 255))
        yield filled, faces[which.reshape(-1) == number]


def _around(low: Floats, high: Floats, faces: Ints) -> Box:
    left, top = low[faces].min(axis=0).tolist()
    right, bottom = high[faces].max(axis=0).tolist()
    return left, top, right, bottom


def _groups(low: Floats, high: Floats) -> Iterator[Ints]:
    """Faces whose rectangles lie close together in an image, as numbers."""
    if not len(low):
        return
    first = np.minimum((low * _GRID).astype(np.int64), _GRID - 1)
    last = np.minimum((high * _GRID).astype(np.int64), _GRID - 1)
    used = np.zeros((_GRID, _GRID), dtype=np.bool_)
    for (left, top), (right, bottom) in zip(first.tolist(), last.tolist(), strict=True):
        used[top : bottom + 1, left : right + 1] = True
    labels, _ = scipy_image.label(used, structure=np.ones((3, 3)))
    label: Ints = labels[first[:, 1], first[:, 0]]
    order = np.argsort(label, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(label[order])) + 1)


def _laid_out(
    parts: Sequence[_Part], sizes: Mapping[bytes, Size], most: int
) -> tuple[list[_Cut], list[tuple[int, int]], Size]:
    """Parts in pixels with their places, as fine as fits; and width and height of the whole.

    Without any that fits, as with a million parts, there are none.
    """
    scale = 1.0
    while parts and scale >= _LEAST_SCALE:
        cuts = [_cut(part, sizes[part.texture.image], scale, most) for part in parts]
        area = sum(width * height for width, height in (cut.size for cut in cuts)) + _WHITE**2
        if area <= most * most * _FULL:
            found = _packed([cut.size for cut in cuts], area, most)
            if found is not None:
                return cuts, *found
            scale *= _FULL
        else:
            scale *= min(_FULL, math.sqrt(most * most * _FULL / area))
    return [], [], (_WHITE, _WHITE)


def _cut(part: _Part, size: Size, scale: float, most: int) -> _Cut:
    left, top, right, bottom = part.box
    side = max((right - left) * size[0], (bottom - top) * size[1], 1.0)
    limit = _MOST_REPEATED if part.outside else most - 2 * GUTTER - _WHITE
    share = scale * min(1.0, (limit - 2) / side)
    width, height = (max(1, round(length * share)) for length in size)
    x, y = math.floor(left * width), math.floor(top * height)
    return _Cut(
        (width, height),
        x,
        y,
        max(x + 1, math.ceil(right * width)),
        max(y + 1, math.ceil(bottom * height)),
    )


def _packed(sizes: Sequence[Size], area: int, most: int) -> tuple[list[tuple[int, int]], Size] | None:
    """Places of rectangles on shelves, the highest first, behind the white part; None if it is too high."""
    width = max(64, 1 << math.ceil(math.log2(max(math.sqrt(area / _FULL), *(w for w, _ in sizes)))))
    while width <= most:
        places, height = _shelves(sizes, width)
        if height <= most:
            return places, (width, -(-height // 4) * 4)
        width *= 2
    return None


def _shelves(sizes: Sequence[Size], width: int) -> tuple[list[tuple[int, int]], int]:
    places = [(0, 0)] * len(sizes)
    x, y, shelf = _WHITE, 0, _WHITE
    for number in sorted(range(len(sizes)), key=lambda n: (-sizes[n][1], -sizes[n][0])):
        own, height = sizes[number]
        if x + own > width:
            x, y, shelf = 0, y + shelf, 0
        places[number] = x, y
        x, shelf = x + own, max(shelf, height)
    return places, y + shelf


def _by_image(parts: Sequence[_Part], cuts: Sequence[_Cut]) -> list[int]:
    """The numbers of the parts that were laid out, image by image, since one at a time is unpacked."""
    return sorted(range(len(cuts)), key=lambda n: (parts[n].texture.image, cuts[n].image))


def _shown(part: _Part, cut: _Cut, pixels: Pixels) -> Pixels:
    """The pixels of a part with its gutter."""
    columns = np.arange(cut.left - GUTTER, cut.right + GUTTER)
    rows = np.arange(cut.top - GUTTER, cut.bottom + GUTTER)
    wrap = part.texture.wrap if part.outside else "clamp"
    width, height = cut.image
    found = pixels[_within(rows, height, wrap)[:, None], _within(columns, width, wrap)]
    if wrap == "border":
        beyond = ((rows < 0) | (rows >= height))[:, None] | ((columns < 0) | (columns >= width))
        found[beyond] = part.texture.border
    return found


def _within(index: Ints, length: int, wrap: str) -> Ints:
    """Where in an image the pixels along a side are (CityJSON 2.0, section 5.2: wrapMode)."""
    if wrap == "wrap":
        return index % length
    if wrap == "mirror":
        folded = index % (2 * length)
        return np.where(folded < length, folded, 2 * length - 1 - folded)
    return np.clip(index, 0, length - 1)


def _averages(wanted: Wanted, images: Mapping[bytes, bytes], plain: Bools) -> Pixels:
    """The colour of faces without a part: that of their image on the whole, if it can be read."""
    colour = np.zeros((len(plain), 4), dtype=np.uint8)
    numbers: list[int] = np.unique(wanted.texture[plain]).tolist()
    for number in numbers:
        data = images.get(wanted.textures[number].image)
        found = None if data is None else average(data)
        if found is not None:
            colour[plain & (wanted.texture == number)] = found
    return colour
