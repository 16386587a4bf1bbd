"""Geometries as CityJSON 2.0 writes them: boundaries, semantics, appearances, templates."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import orjson

from twin.model.appearance import Appearance, Member, TextureTheme
from twin.model.geometry import Geometry, Ints, SemanticSurface

Json: TypeAlias = dict[str, Any]


class Pools:
    """Materials, textures and texture coordinates that geometries refer to by number."""

    def __init__(self) -> None:
        self._materials: dict[bytes, int] = {}
        self._textures: dict[bytes, int] = {}
        self._uv: dict[tuple[float, float], int] = {}

    def material(self, member: Member) -> int:
        return self._materials.setdefault(_key(member), len(self._materials))

    def texture(self, member: Member) -> int:
        return self._textures.setdefault(_key(member), len(self._textures))

    def corner(self, u: float, v: float) -> int:
        return self._uv.setdefault((u, v), len(self._uv))

    def content(self) -> Json:
        """The pools that are in use, as members of ``appearance``."""
        pools: Json = {
            "materials": [orjson.loads(key) for key in self._materials],
            "textures": [orjson.loads(key) for key in self._textures],
            "vertices-texture": [list(corner) for corner in self._uv],
        }
        return {name: members for name, members in pools.items() if members}


class Templates:
    """Geometry templates of a document, each once; their coordinates are not quantised."""

    def __init__(self, pools: Pools | None = None) -> None:
        self.pools = pools or Pools()
        self._number: dict[bytes, int] = {}
        self._templates: list[Json] = []
        self._vertices: dict[tuple[float, ...], int] = {}

    def number(self, template: Geometry) -> int:
        """Where a template stands among the others."""
        points: list[list[float]] = template.xyz.tolist()
        content = geometry_json(template, np.arange(len(points)), self.pools, self)
        key = orjson.dumps((content, points), option=orjson.OPT_SORT_KEYS)
        if key not in self._number:
            numbers = [self._vertices.setdefault(tuple(point), len(self._vertices)) for point in points]
            self._number[key] = len(self._templates)
            self._templates.append(
                geometry_json(template, np.array(numbers, dtype=np.int64), self.pools, self)
            )
        return self._number[key]

    def content(self) -> Json | None:
        """The member ``geometry-templates``; None where there is no template."""
        if not self._templates:
            return None
        return {"templates": self._templates, "vertices-templates": [list(p) for p in self._vertices]}


def _key(member: Member) -> bytes:
    return orjson.dumps(member, option=orjson.OPT_SORT_KEYS)


def geometry_json(geometry: Geometry, numbers: Ints, pools: Pools, templates: Templates) -> Json:
    """A geometry; ``numbers`` (points,) are the numbers of its vertices."""
    if geometry.instance is not None:
        return {
            "type": "GeometryInstance",
            "template": templates.number(geometry.instance.template),
            "boundaries": numbers.tolist(),
            "transformationMatrix": geometry.instance.matrix.reshape(-1).tolist(),
        }
    content: Json = {"type": geometry.type, "lod": geometry.lod, "boundaries": _boundaries(geometry, numbers)}
    if geometry.semantics:
        content["semantics"] = {
            "surfaces": [_semantic_surface(surface) for surface in geometry.semantics],
            "values": _by_face(_nullable(geometry.semantic), geometry),
        }
    if geometry.appearance is not None:
        content |= _appearance(geometry.appearance, geometry, pools)
    return content


def _boundaries(geometry: Geometry, numbers: Ints) -> list[Any]:
    if geometry.dimension == 0:
        return numbers.tolist()
    rings = _nest(numbers.tolist(), geometry.ring_start)
    if geometry.dimension == 1:
        return rings
    return _by_face(_nest(rings, geometry.surface_start), geometry)


def _by_face(faces: list[Any], geometry: Geometry) -> list[Any]:
    """What stands for each face, nested as deep as the type of the geometry asks."""
    shells = _nest(faces, geometry.shell_start)
    if geometry.type == "Solid":
        return shells
    if geometry.is_solid:
        return _nest(shells, geometry.solid_start)
    return shells[0] if shells else []


def _nest(items: list[Any], start: Ints) -> list[Any]:
    """Items as lists of items, cut at the offsets."""
    cuts: list[int] = start.tolist()
    return [items[low:high] for low, high in pairwise(cuts)]


def _nullable(indices: Ints) -> list[int | None]:
    return [None if index < 0 else index for index in indices.tolist()]


def _semantic_surface(surface: SemanticSurface) -> Json:
    content: Mapping[str, Any] = surface.attributes
    identity = {} if surface.id is None else {"id": surface.id}
    return {"type": surface.type, **identity, **content}


def _appearance(appearance: Appearance, geometry: Geometry, pools: Pools) -> Json:
    materials = [pools.material(member) for member in appearance.materials]
    textures = [pools.texture(member) for member in appearance.textures]
    content: Json = {}
    if appearance.material:
        content["material"] = {
            theme: {"values": _by_face([materials[i] if i >= 0 else None for i in faces.tolist()], geometry)}
            for theme, faces in appearance.material.items()
        }
    if appearance.texture:
        content["texture"] = {
            theme: {"values": _by_face(_textured(images, textures, geometry, pools), geometry)}
            for theme, images in appearance.texture.items()
        }
    return content


def _textured(theme: TextureTheme, textures: list[int], geometry: Geometry, pools: Pools) -> list[Any]:
    """For each face the rings, each an image and its corners, or null."""
    cuts: list[int] = geometry.ring_start.tolist()
    corners: list[list[float]] = theme.uv.tolist()
    rings: list[list[int | None]] = []
    for image, (low, high) in zip(theme.image.tolist(), pairwise(cuts), strict=True):
        shown = [pools.corner(u, v) for u, v in corners[low:high]] if image >= 0 else []
        rings.append([textures[image], *shown] if image >= 0 else [None])
    return _nest(rings, geometry.surface_start)
