"""Materials and textures of CityJSON (2.0, section 5): from pools of the file to the geometry itself."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from importers.json_values import Json, as_list, as_object
from importers.port import Refusal
from twin.model.appearance import Appearance, Member, TextureTheme
from twin.model.geometry import Geometry, Ints

Solids: TypeAlias = Sequence[Json]
"""Boundaries with all levels: solids, shells, surfaces, rings."""


@dataclass(frozen=True, slots=True)
class Resources:
    """What the geometries of a document or a line refer to by number.

    ``templates`` has a Refusal in the place of a template that cannot be read. ``renamed`` are types
    that CityJSON 2.0 calls differently.
    """

    materials: Sequence[Json] = ()
    textures: Sequence[Json] = ()
    uv: Sequence[Json] = ()
    templates: Sequence[Geometry | Refusal] = ()
    renamed: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class NestedAppearance:
    """Themes with an index per face, and per ring an image and its texture coordinates."""

    material: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    texture: dict[str, list[list[Json]]] = field(default_factory=dict[str, list[list[Json]]])


def nested_appearance(geometry: Mapping[str, Json], solids: Solids, depth: int) -> NestedAppearance | None:
    """The appearance of a geometry, flattened; None where it has none.

    ``depth`` is how many levels stand above the surfaces in its boundaries: 0, 1 or 2.
    """
    if "material" not in geometry and "texture" not in geometry:
        return None
    found = NestedAppearance()
    shells = [shell for solid in solids for shell in solid]
    for theme, content in (as_object(geometry.get("material")) or {}).items():
        found.material[theme] = _material(as_object(content) or {}, solids, shells, depth)
    for theme, content in (as_object(geometry.get("texture")) or {}).items():
        values = (as_object(content) or {}).get("values")
        faces = _faces(shells, flatten(values, solids, depth))
        found.texture[theme] = [ring for surface, shown in faces for ring in _rings(surface, shown)]
    return found


def _faces(shells: Sequence[Json], values: Sequence[Json]) -> list[tuple[Json, Json]]:
    return list(zip((surface for shell in shells for surface in shell), values, strict=True))


def _rings(surface: Json, shown: Json) -> list[list[Json]]:
    """The values of each ring of a face; rings that are not mentioned have no image."""
    rings: list[list[Json]] = [as_list(ring) or [None] for ring in shown or ()]
    return rings + [[None]] * (len(surface) - len(rings))


def _material(content: Mapping[str, Json], solids: Solids, shells: Sequence[Json], depth: int) -> list[int]:
    if "value" in content:
        value = content["value"]
        return [-1 if value is None else value] * sum(map(len, shells))
    return [-1 if value is None else value for value in flatten(content.get("values"), solids, depth)]


def flatten(values: Json, solids: Solids, depth: int) -> list[Json]:
    """Values face by face; null for a whole shell or solid stands for null for each of its faces.

    TypeError or ValueError where the values are not nested as the boundaries are.
    """
    if values is None:
        return [None] * sum(len(shell) for solid in solids for shell in solid)
    if depth == 0:
        return list(values)
    per_solid = [values] if depth == 1 else list(values)
    flat: list[Json] = []
    for value, solid in zip(per_solid, solids, strict=True):
        per_shell = [None] * len(solid) if value is None else value
        for inner, shell in zip(per_shell, solid, strict=True):
            flat.extend([None] * len(shell) if inner is None else inner)
    return flat


def dressed(
    geometry: Geometry, nested: NestedAppearance | None, resources: Resources, ledger: Counter[str]
) -> Geometry:
    """The geometry with its appearance; a theme that does not fit is left out and noted."""
    if nested is None:
        return geometry
    return replace(geometry, appearance=_appearance(nested, geometry, resources, ledger))


def _appearance(
    nested: NestedAppearance, geometry: Geometry, resources: Resources, ledger: Counter[str]
) -> Appearance | None:
    materials, textures = _Used(resources.materials), _Used(resources.textures)
    material: dict[str, Ints] = {}
    texture: dict[str, TextureTheme] = {}
    for theme, faces in nested.material.items():
        numbers = materials.take(faces)
        if numbers is None or len(numbers) != len(geometry.semantic):
            ledger["appearance material that does not fit"] += 1
        else:
            material[theme] = numbers
    for theme, rings in nested.texture.items():
        images = _texture(rings, geometry.ring_start, textures.take, resources.uv)
        if images is None:
            ledger["appearance texture that does not fit"] += 1
        else:
            texture[theme] = images
    found = Appearance(tuple(materials.members), tuple(textures.members), material, texture)
    return None if found.is_empty else found


class _Used:
    """The members of a pool that a geometry uses, numbered anew."""

    def __init__(self, pool: Sequence[Json]) -> None:
        self._pool = pool
        self._place: dict[int, int] = {}
        self.members: list[Member] = []

    def take(self, numbers: Sequence[Json]) -> Ints | None:
        """Numbers in the pool as numbers among the used; None where one is no member."""
        for number in numbers:
            if not isinstance(number, int) or not -1 <= number < len(self._pool):
                return None
            if number >= 0 and number not in self._place:
                member = as_object(self._pool[number])
                if member is None:
                    return None
                self._place[number] = len(self.members)
                self.members.append(member)
        return np.array([self._place.get(number, -1) for number in numbers], dtype=np.int64)


def _texture(
    rings: Sequence[list[Json]],
    ring_start: Ints,
    take: Callable[[Sequence[Json]], Ints | None],
    pool: Sequence[Json],
) -> TextureTheme | None:
    """Images and coordinates of rings; None where they do not fit. Closing points may have some too."""
    if len(rings) != len(ring_start) - 1 or not all(as_list(ring) for ring in rings):
        return None
    image = take([-1 if ring[0] is None else ring[0] for ring in rings])
    if image is None:
        return None
    uv = np.full((int(ring_start[-1]), 2), np.nan)
    cuts: list[int] = ring_start.tolist()
    for (low, high), ring, number in zip(pairwise(cuts), rings, image.tolist(), strict=True):
        if number >= 0:
            corners = _corners(ring[1:], pool)
            if corners is None or len(corners) < high - low:
                return None
            uv[low:high] = corners[: high - low]
    return TextureTheme(image, uv)


def _corners(numbers: Sequence[Json], pool: Sequence[Json]) -> list[Json] | None:
    if not all(isinstance(number, int) and 0 <= number < len(pool) for number in numbers):
        return None
    corners = [pool[number] for number in numbers]
    return corners if all(_is_pair(corner) for corner in corners) else None


def _is_pair(corner: Json) -> bool:
    pair = as_list(corner) or []
    return len(pair) == 2 and all(isinstance(value, int | float) for value in pair)
