"""Content hashes: what tells a changed feature from an unchanged one."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from importers.port import Refusal
from twin.model.appearance import Appearance
from twin.model.cityobject import CityFeature, CityObject
from twin.model.geometry import Geometry

VERSION = 3
"""Counted up when reading or harmonising changes, so that the next import writes the features anew."""

HALF = 16
"""The hash is two halves of 16 bytes: geometry first, then everything else."""


def content_hash(feature: CityFeature, seed: bytes) -> bytes:
    """Hash (32 bytes) of a feature as it is stored, easting first.

    ``seed`` (up to 64 bytes) stands for how it is understood.

    Raises Refusal where the feature holds what no database text may hold.
    """
    geometry: list[Any] = []
    rest: list[bytes] = []
    for item in feature:
        rest.append(_description(item))
        for g in item.geometries:
            _add_geometry(geometry, g)
        for address in item.addresses:
            if address.location is not None:
                _add_geometry(geometry, address.location)
    # All at once: most parts are short, and each call takes longer than to hash them.
    return (
        hashlib.blake2b(b"".join(geometry), key=seed, digest_size=HALF).digest()
        + hashlib.blake2b(b"".join(rest), digest_size=HALF).digest()
    )


def file_hash(path: Path) -> bytes:
    """Hash (32 bytes) of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=2 * HALF)).digest()


def seed(*how: object) -> bytes:
    """Hash (16 bytes) of how something is understood; each value has to have a text of its own."""
    return hashlib.blake2b(repr(how).encode(), digest_size=HALF).digest()


def _description(item: CityObject) -> bytes:
    surfaces = [[(s.type, s.id, s.attributes) for s in g.semantics] for g in item.geometries]
    addresses = [(address.parts(), address.fields) for address in item.addresses]
    looks = [_looks(g.appearance) for g in item.geometries]
    whole = (item.id, item.type, item.parent, item.attributes, addresses, surfaces, item.extra, looks)
    text = orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)
    if b"\\u0000" in text:
        raise Refusal("nul-character", "a text holds the character U+0000", "remove it from the source")
    return text


def _looks(appearance: Appearance | None) -> Any:
    if appearance is None:
        return None
    faces = {theme: values.tolist() for theme, values in appearance.material.items()}
    rings = {theme: (t.image.tolist(), t.uv.tolist()) for theme, t in appearance.texture.items()}
    look = (appearance.materials, appearance.textures, faces, rings)
    beside = (appearance.images, appearance.default_texture, appearance.default_material)
    return (*look, *beside) if any(beside) else look


def _add_geometry(parts: list[Any], geometry: Geometry) -> None:
    """Append all that makes up a geometry as bytes or buffers of numbers."""
    parts.append(f"{geometry.type} {geometry.lod} {len(geometry.xyz)}".encode())
    parts.append(np.ascontiguousarray(geometry.xyz).data)
    for offsets in (geometry.ring_start, geometry.surface_start, geometry.shell_start, geometry.solid_start):
        parts.append(np.ascontiguousarray(offsets).data)
    parts.append(np.ascontiguousarray(geometry.semantic).data)
    if geometry.instance is not None:
        parts.append(np.ascontiguousarray(geometry.instance.matrix).data)
        _add_geometry(parts, geometry.instance.template)
