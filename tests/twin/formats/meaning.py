"""What features say, however it is written: values to compare, with nothing that only points elsewhere."""

from collections.abc import Iterable
from itertools import pairwise
from typing import Any

import orjson

from twin.model.cityobject import CityFeature, CityObject
from twin.model.geometry import Geometry


def meaning(features: Iterable[CityFeature]) -> dict[str, Any]:
    """Every object by its id."""
    return {item.id: _object(item) for feature in features for item in feature}


def _object(item: CityObject) -> dict[str, Any]:
    return {
        "type": item.type,
        "parent": item.parent,
        "attributes": _plain(item.attributes),
        "geometries": sorted(_key(shape(g)) for g in item.geometries if len(g.xyz)),
        "addresses": [
            (address.parts(), None if address.location is None else address.location.xyz.tolist())
            for address in item.addresses
        ],
        "extra": _plain(item.extra),
    }


def shape(geometry: Geometry) -> list[Any]:
    """Type, level, and the faces of each shell in no order, with what they mean and look like."""
    faces = [_key(_face(geometry, face)) for face in range(len(geometry.semantic))]
    shells = [sorted(faces[low:high]) for low, high in pairwise(geometry.shell_start.tolist())]
    solids = [shells[low:high] for low, high in pairwise(geometry.solid_start.tolist())]
    found: list[Any] = [geometry.type, geometry.lod, solids]
    if geometry.instance is not None:
        found += [geometry.instance.matrix.tolist(), shape(geometry.instance.template)]
    return found


def _face(geometry: Geometry, face: int) -> list[Any]:
    rings = range(int(geometry.surface_start[face]), int(geometry.surface_start[face + 1]))
    looks = geometry.appearance
    material = looks.material.items() if looks is not None else ()
    return [
        [_ring(geometry, ring) for ring in rings],
        _semantic(geometry, int(geometry.semantic[face])),
        {t: looks.materials[int(m[face])] for t, m in material if looks is not None and m[face] >= 0},
    ]


def _ring(geometry: Geometry, ring: int) -> list[Any]:
    low, high = geometry.ring_start[ring : ring + 2].tolist()
    looks = geometry.appearance
    themes = looks.texture.items() if looks is not None else ()
    images = {
        theme: [looks.textures[int(texture.image[ring])], texture.uv[low:high].tolist()]
        for theme, texture in themes
        if looks is not None and texture.image[ring] >= 0
    }
    return [geometry.xyz[low:high].tolist(), images]


def _semantic(geometry: Geometry, index: int) -> Any:
    """A surface with its wall, if it is an opening."""
    if index < 0:
        return None
    surface = geometry.semantics[index]
    known = {k: v for k, v in surface.attributes.items() if k not in ("parent", "children")}
    parent: Any = surface.attributes.get("parent")
    return [surface.type, surface.id, known, None if parent is None else _semantic(geometry, parent)]


def _key(value: Any) -> str:
    return orjson.dumps(_plain(value), option=orjson.OPT_SORT_KEYS).decode()


def _plain(value: Any) -> Any:
    """Numbers as they compare: 1 and 1.0 are the same."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return float(value) + 0.0  # the database has no negative zero
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]  # pyright: ignore[reportUnknownVariableType]
    return value
