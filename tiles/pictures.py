"""Adapter of Pillow: images to pixels and back. Only JPEG and PNG, and only of sizes that imports let in."""

import io
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

Pixels: TypeAlias = npt.NDArray[np.uint8]
"""Rows of pixels (height, width, 4), or colours (n, 4), in sRGB with opacity."""
Size: TypeAlias = tuple[int, int]
"""Width and height."""

_FORMATS = ("JPEG", "PNG")
_FAULTS = (OSError, SyntaxError, ValueError)
_QUALITY = 85
_FEW = (64, 64)


def size_of(data: bytes) -> Size | None:
    """Width and height of an image; None of what is none."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            return image.size
    except _FAULTS:
        return None


def decoded(data: bytes, size: Size) -> Pixels | None:
    """An image brought to a size; None where it is damaged."""
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            image.draft(None, size)
            shown = _eight_bits(image)
            if shown.size != size:
                # Of images with opacity Pillow weighs colours by it.
                shown = shown.resize(size, Image.Resampling.BOX)
            return np.asarray(shown.convert("RGBA"))
    except _FAULTS:
        return None


def average(data: bytes) -> tuple[int, int, int, int] | None:
    """The colour of an image on the whole, opaque; None where it is damaged."""
    pixels = decoded(data, _FEW)
    if pixels is None:
        return None
    red, green, blue = np.rint(pixels[..., :3].mean(axis=(0, 1))).tolist()
    return int(red), int(green), int(blue), 255


def encoded(pixels: Pixels, *, opaque: bool) -> tuple[bytes, str]:
    """An image as JPEG, or as PNG where something shows through, and its media type."""
    out = io.BytesIO()
    if opaque:
        Image.fromarray(np.ascontiguousarray(pixels[..., :3])).save(out, "JPEG", quality=_QUALITY)
        return out.getvalue(), "image/jpeg"
    Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue(), "image/png"


def _eight_bits(image: Image.Image) -> Image.Image:
    """With eight bits a channel: of sixteen Pillow would cut off what is above."""
    if not image.mode.startswith("I"):
        return image.convert("RGBA") if image.mode in ("P", "PA", "LA") else image
    values: Any = np.asarray(image)
    return Image.fromarray((values >> 8).astype(np.uint8))
