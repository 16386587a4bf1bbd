"""Images as a graphics card reads them: between the middles of pixels, with what lies outside of them."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from tests.tiles.gltf import Glb

Floats = npt.NDArray[np.float64]

FOLDED: dict[str, Callable[[int, int], int | None]] = {
    "clamp": lambda i, n: min(max(i, 0), n - 1),
    "wrap": lambda i, n: i - n * (i // n),
    "mirror": lambda i, n: (i - n * (i // n)) if (i // n) % 2 == 0 else n - 1 - (i - n * (i // n)),
    "border": lambda i, n: i if 0 <= i < n else None,
}
"""The pixel in place of one outside of an image; None: the border."""


@dataclass(frozen=True)
class Sampled:
    """An image (height, width, channels), read at places counted from its upper left corner."""

    pixels: npt.NDArray[Any]
    wrap: str = "clamp"
    border: tuple[int, ...] = (0, 0, 0)

    def at(self, right: float, down: float) -> Floats:
        """The colour at shares of width and height, between the four pixels around."""
        height, width = self.pixels.shape[:2]
        x, y = right * width - 0.5, down * height - 0.5
        left, top = int(np.floor(x)), int(np.floor(y))
        dx, dy = x - left, y - top
        upper = self._pixel(left, top) * (1 - dx) + self._pixel(left + 1, top) * dx
        lower = self._pixel(left, top + 1) * (1 - dx) + self._pixel(left + 1, top + 1) * dx
        return upper * (1 - dy) + lower * dy

    def _pixel(self, x: int, y: int) -> Floats:
        height, width = self.pixels.shape[:2]
        column, row = FOLDED[self.wrap](x, width), FOLDED[self.wrap](y, height)
        if column is None or row is None:
            return np.array(self.border, dtype=float)
        return self.pixels[row, column].astype(float)


def picture(tile: Glb) -> Sampled:
    """The one image of a tile."""
    (image,) = tile.document["images"]
    with Image.open(io.BytesIO(tile.view(image["bufferView"]))) as found:
        assert found.get_format_mimetype() == image["mimeType"]
        return Sampled(np.asarray(found))
