"""Appearances of CityGML: colours and images whose targets are surfaces and rings by gml:id."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np

from importers.citygml_values import number
from importers.gml import HREF, GmlPool, gml_id
from importers.xml_stream import Element, local_name
from twin.model.appearance import Appearance, Member, TextureTheme
from twin.model.geometry import Geometry, Ints

_COLOURS = frozenset({"diffuseColor", "emissiveColor", "specularColor", "borderColor"})
_NUMBERS = frozenset({"ambientIntensity", "shininess", "transparency"})
_TEXTS = frozenset({"wrapMode", "textureType"})
_DEFAULT_THEME = "default"


@dataclass(slots=True)
class Paint:
    """What is said about surfaces and rings by their ids: themes with a material, or an image and corners."""

    surfaces: dict[str, list[tuple[str, Member]]] = field(
        default_factory=dict[str, "list[tuple[str, Member]]"]
    )
    rings: dict[str, list[tuple[str, Member, list[float]]]] = field(
        default_factory=dict[str, "list[tuple[str, Member, list[float]]]"]
    )

    def take(self, appearance: Element, ledger: Counter[str]) -> None:
        """Take up an Appearance element; ``ledger`` counts what has no place in CityJSON."""
        theme = _text(appearance, "theme") or _DEFAULT_THEME
        for member in appearance:
            for data in member:
                kind = local_name(data.tag)
                if kind == "X3DMaterial":
                    self._take_material(data, theme)
                elif kind == "ParameterizedTexture":
                    self._take_texture(data, theme, ledger)
                elif local_name(member.tag) in ("surfaceDataMember", "surfaceData"):
                    ledger[f"appearance {kind}"] += 1

    def _take_material(self, element: Element, theme: str) -> None:
        member = {"name": gml_id(element) or theme, **_members(element)}
        for target in element:
            if local_name(target.tag) == "target":
                self.surfaces.setdefault(_id(target.text or target.get(HREF)), []).append((theme, member))

    def _take_texture(self, element: Element, theme: str, ledger: Counter[str]) -> None:
        image = _text(element, "imageURI") or ""
        member = {"type": _image_type(element, image), "image": image, **_members(element)}
        for inner in element.iter():
            kind = local_name(inner.tag)
            if kind == "TexCoordGen":
                ledger["appearance TexCoordGen"] += 1
            elif kind == "TexCoordList":
                for ring, corners in _corners(inner):
                    self.rings.setdefault(ring, []).append((theme, member, corners))


def _corners(element: Element) -> Iterator[tuple[str, list[float]]]:
    """Rings with their coordinates; in CityGML 3.0 the ring is an element that follows."""
    waiting: list[float] = []
    for child in element:
        if local_name(child.tag) == "textureCoordinates":
            found = [number(token) for token in (child.text or "").split()]
            waiting = [value for value in found if isinstance(value, float)]
            ring = child.get("ring")
            if ring is not None:
                yield _id(ring), waiting
        elif local_name(child.tag) == "ring":
            yield _id(child.text), waiting


def _id(reference: str | None) -> str:
    return (reference or "").strip().removeprefix("#")


def _text(element: Element, name: str) -> str | None:
    return next((c.text.strip() for c in element if local_name(c.tag) == name and c.text), None)


def _image_type(element: Element, image: str) -> str:
    """JPG or PNG, the two that CityJSON knows."""
    return "PNG" if "png" in f"{_text(element, 'mimeType')} {image}".lower() else "JPG"


def _members(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for child in element:
        name, text = local_name(child.tag), (child.text or "").strip()
        if name in _COLOURS:
            found[name] = [number(token) for token in text.split()]
        elif name in _NUMBERS:
            found[name] = number(text)
        elif name in _TEXTS and text:
            found[name] = text
        elif name == "isSmooth":
            found[name] = text in ("true", "1")
    return found


class Dresser:
    """Gives the geometries of one feature what its own and the model's appearances say."""

    def __init__(self, pool: GmlPool, paints: Sequence[Paint], ledger: Counter[str]) -> None:
        self._pool = pool
        self._ledger = ledger
        self._face: dict[int, list[tuple[str, Member]]] = {}
        self._ring: dict[int, list[tuple[str, Member, list[float]]]] = {}
        for paint in paints:
            if paint.surfaces:
                for identifier, face in pool.faces_by_id(paint.surfaces):
                    self._face.setdefault(face, []).extend(paint.surfaces[identifier])
            if paint.rings:
                for place, element in enumerate(pool.rings.elements):
                    known = paint.rings.get(gml_id(element) or "")
                    if known:
                        self._ring.setdefault(place, []).extend(known)

    def dress(self, geometry: Geometry, faces: Sequence[int]) -> Geometry:
        """The geometry, whose polygons are ``faces``, with its appearance."""
        if not self._face and not self._ring:
            return geometry
        materials, textures = _Members(), _Members()
        material = self._materials(faces, materials)
        texture = self._textures(geometry, faces, textures)
        found = Appearance(tuple(materials.members), tuple(textures.members), material, texture)
        return geometry if found.is_empty else replace(geometry, appearance=found)

    def _materials(self, faces: Sequence[int], members: "_Members") -> dict[str, Ints]:
        themes: dict[str, Ints] = {}
        for place, face in enumerate(faces):
            for theme, member in self._face.get(face if face >= 0 else ~face, ()):
                themes.setdefault(theme, np.full(len(faces), -1, dtype=np.int64))
                if themes[theme][place] < 0:  # the nearest target stands first, and counts
                    themes[theme][place] = members.number(member)
        return themes

    def _textures(
        self, geometry: Geometry, faces: Sequence[int], members: "_Members"
    ) -> dict[str, TextureTheme]:
        themes: dict[str, TextureTheme] = {}
        cuts: list[int] = geometry.ring_start.tolist()
        for place, (ring, is_reversed) in enumerate(self._rings_of(faces)):
            low, high = cuts[place], cuts[place + 1]
            for theme, member, corners in self._ring.get(ring, ()):
                uv = np.array(corners[: len(corners) // 2 * 2]).reshape(-1, 2)[: high - low]
                if len(uv) != high - low:
                    self._ledger["appearance texture that does not fit"] += 1
                    continue
                if theme not in themes:
                    image = np.full(len(cuts) - 1, -1, dtype=np.int64)
                    themes[theme] = TextureTheme(image, np.full((cuts[-1], 2), np.nan))
                themes[theme].image[place] = members.number(member)
                themes[theme].uv[low:high] = uv[::-1] if is_reversed else uv
        return themes

    def _rings_of(self, faces: Sequence[int]) -> Iterator[tuple[int, bool]]:
        spans = list(pairwise(self._pool.face_start))
        for face in faces:
            low, high = spans[face if face >= 0 else ~face]
            for ring in range(low, high):
                yield ring, face < 0


class _Members:
    """Materials or textures, each once."""

    def __init__(self) -> None:
        self._place: dict[int, int] = {}
        self.members: list[Member] = []

    def number(self, member: Member) -> int:
        if id(member) not in self._place:
            self._place[id(member)] = len(self.members)
            self.members.append(member)
        return self._place[id(member)]
