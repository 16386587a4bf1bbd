"""Appearances as CityGML 2.0 has them: themes with colours and images that name their targets."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import orjson

from twin.formats.citygml_gml import Gml
from twin.model.appearance import Appearance, Member

_MATERIAL = (
    "ambientIntensity", "diffuseColor", "emissiveColor", "specularColor", "shininess", "transparency",
    "isSmooth",
)  # fmt: skip
_TEXTURE = ("textureType", "wrapMode", "borderColor")
_MIME = {"PNG": "image/png", "JPG": "image/jpeg"}


@dataclass(slots=True)
class Looks:
    """What the geometries of an object look like: targets by theme and by material or image."""

    _materials: dict[tuple[str, bytes], list[str]] = field(default_factory=dict[tuple[str, bytes], list[str]])
    _textures: dict[tuple[str, bytes], dict[str, list[str]]] = field(
        default_factory=dict[tuple[str, bytes], dict[str, list[str]]]
    )

    def take(self, gml: Gml, appearance: Appearance) -> None:
        """Note what a geometry looks like, whose polygons have ids (``shown_faces``)."""
        for theme, faces in appearance.material.items():
            for face, index in enumerate(faces.tolist()):
                if index >= 0:
                    key = theme, orjson.dumps(appearance.materials[index])
                    self._materials.setdefault(key, []).append(gml.face_id(face))
        starts: list[int] = gml.geometry.ring_start.tolist()
        for theme, texture in appearance.texture.items():
            corners: list[list[float]] = texture.uv.tolist()
            face_of = list(_face_of_ring(gml.geometry.surface_start.tolist()))
            for ring, (index, (low, high)) in enumerate(
                zip(texture.image.tolist(), pairwise(starts), strict=True)
            ):
                if index >= 0:
                    key = theme, orjson.dumps(appearance.textures[index])
                    text = " ".join(repr(v) for corner in [*corners[low:high], corners[low]] for v in corner)
                    of_ring = f"<app:textureCoordinates ring={quoteattr('#' + gml.ring_id(ring))}>{text}"
                    targets = self._textures.setdefault(key, {})
                    targets.setdefault(gml.face_id(face_of[ring]), []).append(
                        f"{of_ring}</app:textureCoordinates>"
                    )

    def written(self) -> str:
        """The appearance properties of the object, one for each theme."""
        themes = dict.fromkeys(theme for theme, _ in (*self._materials, *self._textures))
        return "".join(map(self._theme, themes))

    def _theme(self, theme: str) -> str:
        data = "".join(
            f"<app:surfaceDataMember>{item}</app:surfaceDataMember>"
            for item in (*self._material_data(theme), *self._texture_data(theme))
        )
        content = f"<app:Appearance><app:theme>{escape(theme)}</app:theme>{data}</app:Appearance>"
        return f"<app:appearance>{content}</app:appearance>"

    def _material_data(self, theme: str) -> Iterator[str]:
        for (known, member), targets in self._materials.items():
            if known == theme:
                content: Member = orjson.loads(member)
                name = f"<gml:name>{escape(str(content['name']))}</gml:name>" if "name" in content else ""
                on = "".join(f"<app:target>{escape('#' + target)}</app:target>" for target in targets)
                yield f"<app:X3DMaterial>{name}{_members(content, _MATERIAL)}{on}</app:X3DMaterial>"

    def _texture_data(self, theme: str) -> Iterator[str]:
        for (known, member), targets in self._textures.items():
            if known == theme:
                content: Member = orjson.loads(member)
                image = f"<app:imageURI>{escape(str(content.get('image', '')))}</app:imageURI>"
                mime = _MIME.get(str(content.get("type")), "")
                kind = f"<app:mimeType>{mime}</app:mimeType>" if mime else ""
                on = "".join(
                    f"<app:target uri={quoteattr('#' + target)}><app:TexCoordList>{''.join(rings)}"
                    "</app:TexCoordList></app:target>"
                    for target, rings in targets.items()
                )
                inner = f"{image}{kind}{_members(content, _TEXTURE)}{on}"
                yield f"<app:ParameterizedTexture>{inner}</app:ParameterizedTexture>"


def unwritten(appearance: Appearance) -> Iterator[str]:
    """Members of materials and images that CityGML has no place for."""
    known = {"name", "type", "image", *_MATERIAL, *_TEXTURE}
    for member in (*appearance.materials, *appearance.textures):
        yield from member.keys() - known


def shown_faces(appearance: Appearance, surface_start: Sequence[int]) -> set[int]:
    """The faces with a colour or an image, which have to have ids."""
    faces = {face for indices in appearance.material.values() for face in _set(indices.tolist())}
    owner = list(_face_of_ring(surface_start))
    rings = (ring for texture in appearance.texture.values() for ring in _set(texture.image.tolist()))
    return faces | {owner[ring] for ring in rings}


def _set(indices: Sequence[int]) -> Iterator[int]:
    return (place for place, index in enumerate(indices) if index >= 0)


def _face_of_ring(surface_start: Sequence[int]) -> Iterator[int]:
    for face, (low, high) in enumerate(pairwise(surface_start)):
        yield from [face] * (high - low)


def _members(content: Member, names: Sequence[str]) -> str:
    return "".join(f"<app:{name}>{_text(content[name])}</app:{name}>" for name in names if name in content)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return " ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType]
    return escape(str(value))
