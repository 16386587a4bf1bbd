"""Linear rings of GML: coordinate lists gathered as text and parsed in one go.

Most buildings have a few dozen rings of a few points, where plain lists beat arrays; arrays are made
once, of the geometry.
"""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import orjson

from importers.port import Refusal
from importers.rings import FARTHEST
from importers.xml_stream import Element, line
from twin.model.geometry import Floats

_NOT_NUMBERS = ("t", "f", "n", "N", '"', "[", "{", "_")
"""Marks of what JSON or Python would take for values, and lists of coordinates never hold."""


@dataclass(slots=True)
class RingPool:
    """The rings of one feature in document order."""

    texts: list[str] = field(default_factory=list[str])
    elements: list[Element] = field(default_factory=list[Element])
    _rings: list[list[float]] | None = None

    def __len__(self) -> int:
        return len(self.texts)

    def add(self, ring: Element, name: str, names: Mapping[str, str]) -> None:
        """Take up a ring element; ``names`` maps tags to their GML names."""
        if name != "LinearRing":
            raise Refusal(
                "unsupported-ring", f"a ring is a gml:{name or ring.tag}, which may hold curves",
                "export rings as gml:LinearRing", line(ring),
            )  # fmt: skip
        first = ring[0] if len(ring) else ring
        if names[first.tag] == "posList":
            if first.attrib and first.get("srsDimension") not in (None, "3"):
                raise _wrong_dimension(first)
            text = first.text
        else:
            text = " ".join([_position(child, names) for child in ring])
        self.texts.append(text or "")
        self.elements.append(ring)

    def rings(self) -> list[list[float]]:
        """The numbers of each ring, its closing point left out.

        Refusal with line and reason for the first ring that is none.
        """
        if self._rings is None:
            rings = self._parse(self.texts) or self._parse([" ".join(text.split()) for text in self.texts])
            if rings is None:
                raise self._diagnose()
            self._rings = rings
        return self._rings

    def _parse(self, texts: Sequence[str]) -> list[list[float]] | None:
        """Rings from texts with single spaces between numbers; None where something is not as it should."""
        values = _numbers(",".join(texts).replace(" ", ","))
        if values is None:
            return None
        rings: list[list[float]] = []
        start = 0
        for text in texts:
            end = start + text.count(" ") + 1
            if (end - start) % 3 or values[start : start + 3] != values[end - 3 : end]:
                return None
            rings.append(values[start : end - 3] or values[start:end])
            start = end
        return rings if start == len(values) else None

    def _diagnose(self) -> Refusal:
        """The reason why parsing in one go did not work out, from the first faulty ring."""
        for text, element in zip(self.texts, self.elements, strict=True):
            problem = _problem(text)
            if problem is not None:
                code, reason, suggestion = problem
                return Refusal(code, reason, suggestion, line(element))
        return Refusal("invalid-coordinates", "the coordinates cannot be read", _CORRECT)

    def select(self, faces: Sequence[int], face_start: Sequence[int]) -> tuple[Floats, list[int], list[int]]:
        """Points, ring lengths and rings per surface of polygons, ``~number`` being reversed ones."""
        rings = self.rings()
        numbers: list[float] = []
        lengths: list[int] = []
        counts: list[int] = []
        for face in faces:
            number = face if face >= 0 else ~face
            first, last = face_start[number], face_start[number + 1]
            counts.append(last - first)
            for ring in rings[first:last]:
                numbers.extend(ring if face >= 0 else _backwards(ring))
                lengths.append(len(ring) // 3)
        xyz = np.array(numbers, dtype=np.float64).reshape(-1, 3)
        if len(numbers) and not np.abs(xyz).max() < FARTHEST:
            raise self._diagnose()
        return xyz, lengths, counts


def _backwards(ring: list[float]) -> list[float]:
    """The points of a ring in the opposite order."""
    return [number for start in range(len(ring) - 3, -3, -3) for number in ring[start : start + 3]]


def _numbers(text: str) -> list[float] | None:
    """Numbers between commas; None where one is none. JSON's parser is the quickest at hand."""
    if any(mark in text for mark in _NOT_NUMBERS):
        return None
    with suppress(ValueError):
        return orjson.loads(f"[{text}]")
    try:  # there are numbers such as .5 or +1, which JSON has not
        return [float(token) for token in text.split(",")]
    except ValueError:
        return None


def _position(element: Element, names: Mapping[str, str]) -> str:
    name, text = names[element.tag], element.text or ""
    if name == "pos":
        if element.get("srsDimension") not in (None, "3"):
            raise _wrong_dimension(element)
        return text.strip()
    if name == "coordinates":
        return text.replace(",", " ")
    if name == "posList":
        return text
    raise Refusal(
        "unsupported-ring", f"a ring holds gml:{name or element.tag} instead of positions",
        "export rings with gml:posList", line(element),
    )  # fmt: skip


_CORRECT = "correct the coordinates (three finite numbers a point) and import again"


def _problem(text: str) -> tuple[str, str, str] | None:
    """Code, reason and suggestion where a ring cannot be one."""
    numbers: list[float] = []
    for token in text.split():
        try:
            numbers.append(float(token))
        except ValueError:
            return "invalid-coordinates", f"{token[:40]!r} is no number", _CORRECT
    if len(numbers) % 3 or not numbers:
        return "invalid-coordinates", f"{len(numbers)} numbers are no list of 3D points", _CORRECT
    for number in numbers:
        if not math.isfinite(number) or abs(number) >= FARTHEST:
            return "invalid-coordinates", f"{number} is outside of any reference system", _CORRECT
    if numbers[:3] != numbers[-3:]:
        reason = "the last point of a ring is not its first"
        return "ring-not-closed", reason, "repeat the first point at the end of the ring"
    return None


def _wrong_dimension(element: Element) -> Refusal:
    return Refusal(
        "two-dimensional", f"srsDimension is {element.get('srsDimension')}, so heights are missing",
        "export the model with 3D coordinates", line(element),
    )  # fmt: skip
