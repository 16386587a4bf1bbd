"""What stands beside the coordinates of a geometry, as JSON: appearances, templates, addresses.

Numbers keep all their digits: JSONB stores decimals, and those of Python are the shortest that lead
back to the same number.
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, cast

import numpy as np

from twin.model.appearance import Appearance, TextureTheme
from twin.model.cityobject import Address
from twin.model.geometry import Floats, Geometry, Instance, Ints, SemanticSurface, offsets

Json = dict[str, Any]


def appearance_json(appearance: Appearance | None) -> Json | None:
    """Materials and textures with the indices of faces and rings; None where there is none."""
    if appearance is None or appearance.is_empty:
        return None
    stored: Json = {
        "materials": list(appearance.materials),
        "textures": list(appearance.textures),
        "material": {theme: faces.tolist() for theme, faces in appearance.material.items()},
        "texture": {theme: _texture_json(images) for theme, images in appearance.texture.items()},
    }
    beside = {
        "images": list(appearance.images),
        "default_texture": appearance.default_texture,
        "default_material": appearance.default_material,
    }
    return stored | {name: value for name, value in beside.items() if value}


def _texture_json(theme: TextureTheme) -> Json:
    """Only rings with an image have coordinates in it."""
    known = ~np.isnan(theme.uv[:, 0])
    return {"image": theme.image.tolist(), "uv": theme.uv[known].reshape(-1).tolist()}


def read_appearance(stored: Mapping[str, Any] | None, ring_start: Ints) -> Appearance | None:
    """The appearance of a geometry with these rings."""
    if stored is None:
        return None
    return Appearance(
        materials=tuple(stored["materials"]),
        textures=tuple(stored["textures"]),
        material={theme: _ints(faces) for theme, faces in stored["material"].items()},
        texture={theme: _texture(images, ring_start) for theme, images in stored["texture"].items()},
        images=tuple(stored.get("images", ())),
        default_texture=stored.get("default_texture"),
        default_material=stored.get("default_material"),
    )


def _texture(stored: Mapping[str, Any], ring_start: Ints) -> TextureTheme:
    image = _ints(stored["image"])
    uv = np.full((int(ring_start[-1]), 2), np.nan)
    uv[np.repeat(image >= 0, np.diff(ring_start))] = _floats(stored["uv"]).reshape(-1, 2)
    return TextureTheme(image, uv)


def semantics_json(semantics: Sequence[SemanticSurface]) -> Json:
    """Semantic surfaces member by member, each a list with an entry for every surface.

    A geometry has many surfaces of the same few members, whose names would be most of what is stored.
    """
    if not semantics:
        return {}
    types, ids, attributes = zip(*semantics, strict=True)
    found: Json = {"type": types}
    if ids.count(None) < len(ids):
        found["id"] = ids
    if any(attributes):
        found["attributes"] = _by_name(attributes)
    return found


def _by_name(attributes: Sequence[Json]) -> Json | Sequence[Json]:
    """A list for each attribute, null where a surface does not have it; as it is where one has a null."""
    if len(set(map(tuple, attributes))) == 1:
        columns = list(zip(*(values.values() for values in attributes), strict=True))
        is_null = any(None in column for column in columns)
        return attributes if is_null else dict(zip(attributes[0], columns, strict=True))
    if any(None in values.values() for values in attributes):
        return attributes
    names = dict.fromkeys(chain.from_iterable(attributes))
    return {name: [values.get(name) for values in attributes] for name in names}


def read_semantics(stored: Json) -> tuple[SemanticSurface, ...]:
    """Semantic surfaces as the model has them."""
    types: list[str] = stored.get("type", [])
    ids: list[str | None] = stored.get("id") or [None] * len(types)
    return tuple(map(SemanticSurface, types, ids, _by_surface(stored.get("attributes"), len(types))))


def _by_surface(stored: Any, surfaces: int) -> list[Json]:
    if not stored:
        return [{}] * surfaces
    if isinstance(stored, list):
        return cast("list[Json]", stored)
    names, columns = stored.keys(), stored.values()
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in zip(*columns, strict=True)
    ]


def template_json(instance: Instance | None) -> Json | None:
    """A template with its matrix, row by row."""
    if instance is None:
        return None
    return {"matrix": instance.matrix.reshape(-1).tolist(), "geometry": geometry_json(instance.template)}


def read_template(stored: Mapping[str, Any] | None) -> Instance | None:
    """The instance in a row's ``template``."""
    if stored is None:
        return None
    return Instance(read_geometry(stored["geometry"]), _floats(stored["matrix"]).reshape(4, 4))


def geometry_json(geometry: Geometry) -> Json:
    """A whole geometry; only templates and locations of addresses, which are small, are stored so."""
    return {
        "type": geometry.type,
        "lod": geometry.lod,
        "xyz": geometry.xyz.reshape(-1).tolist(),
        "rings": np.diff(geometry.ring_start).tolist(),
        "surfaces": np.diff(geometry.surface_start).tolist(),
        "shells": np.diff(geometry.shell_start).tolist(),
        "solids": np.diff(geometry.solid_start).tolist(),
        "semantic": geometry.semantic.tolist(),
        "semantics": semantics_json(geometry.semantics),
        "appearance": appearance_json(geometry.appearance),
    }


def read_geometry(stored: Mapping[str, Any]) -> Geometry:
    """A geometry of ``geometry_json``."""
    ring_start = offsets(stored["rings"])
    return Geometry(
        type=stored["type"],
        lod=stored["lod"],
        xyz=_floats(stored["xyz"]).reshape(-1, 3),
        ring_start=ring_start,
        surface_start=offsets(stored["surfaces"]),
        shell_start=offsets(stored["shells"]),
        solid_start=offsets(stored["solids"]),
        semantic=_ints(stored["semantic"]),
        semantics=read_semantics(stored["semantics"]),
        appearance=read_appearance(stored["appearance"], ring_start),
    )


def address_json(address: Address) -> Json:
    """The parts of an address, the source's own fields and its location."""
    content: Json = dict(address.parts())
    if address.fields:
        content["fields"] = address.fields
    if address.location is not None:
        content["location"] = geometry_json(address.location)
    return content


def read_address(stored: Mapping[str, Any]) -> Address:
    """An address of ``address_json``."""
    location = stored.get("location")
    return Address.of(stored, stored.get("fields"), read_geometry(location) if location else None)


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _floats(values: list[float]) -> Floats:
    return np.array(values, dtype=np.float64)
