"""Appearances of CityGML: colours and images whose targets are surfaces and rings by gml:id.

CityJSON knows texture coordinates only, so that images which CityGML projects (TexCoordGen) or lays on
the ground (GeoreferencedTexture) are kept as the projection that gives those coordinates.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from importers.citygml_values import number
from importers.gml import HREF, gml_id
from importers.image_size import image_size
from importers.xml_stream import Element, local_name
from twin.model.appearance import Member
from twin.model.geometry import Floats

_COLOURS = frozenset({"diffuseColor", "emissiveColor", "specularColor", "borderColor"})
_NUMBERS = frozenset({"ambientIntensity", "shininess", "transparency"})
_TEXTS = frozenset({"wrapMode", "textureType"})
_DEFAULT_THEME = "default"

Projection: TypeAlias = Floats
"""A matrix (3, 4) from (x, y, z, 1) to texture coordinates times their divisor: worldToTexture."""
Corners: TypeAlias = "list[tuple[str, list[float]]]"
"""Rings by id with their texture coordinates."""


@dataclass(slots=True)
class _Data:
    """A material or an image with what it is on: surfaces by id, which images cover in some way."""

    member: Member
    surfaces: list[str] = field(default_factory=list[str])
    corners: list[Corners] = field(default_factory=list[Corners])
    projected: list[tuple[str, Projection]] = field(default_factory=list[tuple[str, Projection]])
    links: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


@dataclass(slots=True)
class Paint:
    """What is said about surfaces and rings by their ids: themes with a material, or an image and corners.

    ``folder`` is where images are looked for if their size is needed; without it they are not.
    """

    folder: Path | None = None
    surfaces: dict[str, list[tuple[str, Member]]] = field(
        default_factory=dict[str, "list[tuple[str, Member]]"]
    )
    rings: dict[str, list[tuple[str, Member, list[float]]]] = field(
        default_factory=dict[str, "list[tuple[str, Member, list[float]]]"]
    )
    projected: dict[str, list[tuple[str, Member, Projection]]] = field(
        default_factory=dict[str, "list[tuple[str, Member, Projection]]"]
    )
    _data: dict[str, _Data] = field(default_factory=dict[str, _Data])
    _parametrisations: dict[str, "Corners | Projection"] = field(
        default_factory=dict[str, "Corners | Projection"]
    )
    _waiting: list[tuple[str, "_Data | str"]] = field(default_factory=list[tuple[str, "_Data | str"]])

    def take(self, appearance: Element, ledger: Counter[str]) -> None:
        """Take up an Appearance element; ``ledger`` counts what has no place in CityJSON."""
        theme = _theme(appearance)
        for member in appearance:
            if local_name(member.tag) not in ("surfaceDataMember", "surfaceData"):
                continue
            link = member.get(HREF)
            if link is not None:
                self._waiting.append((theme, _id(link)))
            for element in member:
                data = self._read(element, theme, ledger)
                if data is None:
                    continue
                self._waiting.append((theme, data))
                identifier = gml_id(element)
                if identifier is not None:
                    self._data[identifier] = data

    def settle(self, ledger: Counter[str]) -> None:
        """Follow the links between what was taken, whichever way they point."""
        for theme, waiting in self._waiting:
            data = self._data.get(waiting) if isinstance(waiting, str) else waiting
            if data is None:
                ledger["appearance link that leads nowhere"] += 1
            else:
                self._lay(theme, data, ledger)
        self._waiting.clear()

    def _lay(self, theme: str, data: _Data, ledger: Counter[str]) -> None:
        for surface in data.surfaces:
            self.surfaces.setdefault(surface, []).append((theme, data.member))
        for surface, link in data.links:
            found = self._parametrisations.get(link)
            if found is None:
                ledger["appearance link that leads nowhere"] += 1
            elif isinstance(found, list):
                data.corners.append(found)
            else:
                data.projected.append((surface, found))
        data.links.clear()
        for ring, corners in (pair for known in data.corners for pair in known):
            self.rings.setdefault(ring, []).append((theme, data.member, corners))
        for surface, projection in data.projected:
            self.projected.setdefault(surface, []).append((theme, data.member, projection))

    def _read(self, element: Element, theme: str, ledger: Counter[str]) -> _Data | None:
        kind = local_name(element.tag)
        if _text(element, "isFront") in ("false", "0"):
            ledger["appearance of the back of surfaces"] += 1
            return None
        if kind == "X3DMaterial":
            name = _text(element, "name") or gml_id(element) or theme
            return _Data({"name": name, **_members(element)}, _targets(element))
        if kind == "ParameterizedTexture":
            return self._parametrised(element, ledger)
        if kind == "GeoreferencedTexture":
            return self._georeferenced(element, ledger)
        ledger[f"appearance {kind}"] += 1
        return None

    def _parametrised(self, element: Element, ledger: Counter[str]) -> _Data:
        data = _Data(_texture(element))
        for surface, holder in _parametrisations(element):
            link = holder.get(HREF)
            if link is not None and not len(holder):
                data.links.append((surface, _id(link)))
            for content in holder:
                found = _parametrisation(content)
                if found is None:
                    ledger[f"appearance {local_name(content.tag)} that cannot be read"] += 1
                    continue
                if isinstance(found, list):
                    data.corners.append(found)
                else:
                    data.projected.append((surface, found))
                identifier = gml_id(content)
                if identifier is not None:
                    self._parametrisations[identifier] = found
        return data

    def _georeferenced(self, element: Element, ledger: Counter[str]) -> _Data | None:
        """An image on the ground: where its pixels are says what part of it a point is on."""
        data = _Data(_texture(element))
        size = image_size(self.folder, data.member["image"])
        projection = None if size is None else _laid_out(element, size)
        if projection is None:
            ledger["appearance GeoreferencedTexture without a place or image"] += 1
            return None
        data.projected.extend((surface, projection) for surface in _targets(element))
        return data


def _theme(appearance: Element) -> str:
    """The name of the theme, which may be empty."""
    named = [c.text or "" for c in appearance if local_name(c.tag) == "theme"]
    return named[0].strip() if named else _DEFAULT_THEME


def _targets(element: Element) -> list[str]:
    return [_id(c.text or c.get(HREF)) for c in element if local_name(c.tag) == "target"]


def _texture(element: Element) -> Member:
    image = _text(element, "imageURI") or ""
    return {"type": _image_type(element, image), "image": image, **_members(element)}


def _parametrisations(element: Element) -> Iterator[tuple[str, Element]]:
    """Surfaces with the element that holds, or links to, how an image is on them."""
    for child in element:
        if local_name(child.tag) == "target":
            yield _id(child.get("uri")), child
        for association in child:
            if local_name(association.tag) == "TextureAssociation":  # of CityGML 3.0
                surface = _text(association, "target") or _text(association, "uri")
                for inner in association:
                    if local_name(inner.tag) == "textureParameterization":
                        yield _id(surface), inner


def _parametrisation(element: Element) -> "Corners | Projection | None":
    if local_name(element.tag) == "TexCoordList":
        return list(_corners(element))
    return _matrix(_floats(_text(element, "worldToTexture") or ""), (3, 4))


def _laid_out(element: Element, size: tuple[int, int]) -> Projection | None:
    """From the world to an image of that width and height, by the middle of its upper left pixel.

    The orientation is the left part of a world file, row by row: metres to the right and down.
    """
    turn = _matrix(_floats(_text(element, "orientation") or ""), (2, 2))
    places = [inner.text or "" for inner in element.iter() if local_name(inner.tag) == "pos"]
    origin = _floats(places[0])[:2] if places else []
    if turn is None or len(origin) != 2 or not np.linalg.det(turn):
        return None
    inverse = np.linalg.inv(turn)
    column, row = np.column_stack([inverse, -inverse @ np.array(origin)])
    width, height = size
    half = np.array([0.0, 0.0, 0.5])
    u, v = (column + half) / width, np.array([0.0, 0.0, 1.0]) - (row + half) / height
    return np.array([[u[0], u[1], 0.0, u[2]], [v[0], v[1], 0.0, v[2]], [0.0, 0.0, 0.0, 1.0]])


def _matrix(values: list[float], shape: tuple[int, int]) -> Floats | None:
    return np.array(values).reshape(shape) if len(values) == shape[0] * shape[1] else None


def _floats(text: str) -> list[float]:
    found = [number(token) for token in text.split()]
    return [value for value in found if isinstance(value, float)]


def _corners(element: Element) -> Iterator[tuple[str, list[float]]]:
    """Rings with their coordinates; in CityGML 3.0 the ring is an element that follows."""
    waiting: list[float] = []
    for child in element:
        if local_name(child.tag) == "textureCoordinates":
            waiting = _floats(child.text or "")
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
