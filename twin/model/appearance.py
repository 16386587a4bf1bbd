"""Colours and images of geometries (CityJSON 2.0, section 5), by theme.

Materials and textures stand by value at each geometry, as the members CityJSON gives them, so that a
feature is whole without a pool that the whole file shares. Images are kept by their content, beside.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

Member = dict[str, Any]
"""A material or a texture with the members of CityJSON, such as ``diffuseColor`` or ``image``."""


@dataclass(frozen=True, slots=True, eq=False)
class TextureTheme:
    """Images on the rings of a geometry.

    ``image`` (rings,) points into the textures, -1 where a ring has none; ``uv`` (points, 2) are
    coordinates within the image, NaN on rings without.
    """

    image: npt.NDArray[np.int64]
    uv: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Appearance:
    """What a geometry looks like in each theme.

    ``material`` has for each theme an index into ``materials`` per surface (surfaces,), -1 for none.
    ``images`` are hashes of the images that are kept of ``textures``, as hexadecimal digits, "" of one
    that is not; empty where none is. ``default_texture`` and ``default_material`` are the themes that
    the source wants to be shown first.
    """

    materials: tuple[Member, ...] = ()
    textures: tuple[Member, ...] = ()
    material: Mapping[str, npt.NDArray[np.int64]] = field(default_factory=dict[str, "npt.NDArray[np.int64]"])
    texture: Mapping[str, TextureTheme] = field(default_factory=dict[str, TextureTheme])
    images: tuple[str, ...] = ()
    default_texture: str | None = None
    default_material: str | None = None

    @property
    def is_empty(self) -> bool:
        return not self.material and not self.texture

    def of_part(
        self, surfaces: npt.NDArray[np.int64], rings: npt.NDArray[np.int64], points: npt.NDArray[np.int64]
    ) -> "Appearance":
        """What a part of the geometry looks like: of some surfaces with their rings and points, by number."""
        return replace(
            self,
            material={theme: faces[surfaces] for theme, faces in self.material.items()},
            texture={
                theme: TextureTheme(shown.image[rings], shown.uv[points])
                for theme, shown in self.texture.items()
            },
        )
