"""Linear rings of GML: coordinate lists gathered as text and parsed in one go."""

import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
import orjson

from importers.port import Refusal
from importers.rings import FARTHEST, ranges
from importers.xml_stream import Element, line
from twin.model.geometry import Bools, Floats, Ints, offsets

_SEPARATOR = 1e300
_NOT_NUMBERS = ("t", "f", "n", "N", '"', "[", "{", "_")
"""Marks of what JSON or Python would take for values, and lists of coordinates never hold."""


@dataclass(frozen=True, slots=True)
class Rings:
    """Parsed rings: ``xyz`` (points, 3) without closing points, ``start`` (rings + 1)."""

    xyz: Floats
    start: Ints


@dataclass(slots=True)
class RingPool:
    """The rings of one feature in document order."""

    texts: list[str] = field(default_factory=list[str])
    elements: list[Element] = field(default_factory=list[Element])
    _parsed: Rings | None = None

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

    def rings(self) -> Rings:
        """All rings as arrays; Refusal with line and reason for the first one that is none."""
        if self._parsed is None:
            self._parsed = self._parse()
        return self._parsed

    def _parse(self) -> Rings:
        if not self.texts:
            return Rings(np.zeros((0, 3)), np.zeros(1, dtype=np.int64))
        values = _numbers(" 1e300 ".join(self.texts))
        if values is None:
            raise self._diagnose()
        separator = values == _SEPARATOR
        ends = np.concatenate([[-1], np.flatnonzero(separator), [len(values)]])
        lengths = np.diff(ends) - 1
        regular = len(lengths) == len(self.texts) and not (lengths % 3).any() and lengths.min() >= 3
        values = values[~separator]
        if not regular or not (np.abs(values) < FARTHEST).all():
            raise self._diagnose()
        xyz = values.reshape(-1, 3)
        start = offsets(lengths // 3)
        last = start[1:] - 1
        if not (xyz[start[:-1]] == xyz[last]).all():
            raise self._diagnose()
        keep = np.ones(len(xyz), dtype=np.bool_)
        keep[last] = False
        return Rings(xyz[keep], offsets(lengths // 3 - 1))

    def _diagnose(self) -> Refusal:
        """The reason why parsing in one go did not work out, from the first faulty ring."""
        for text, element in zip(self.texts, self.elements, strict=True):
            problem = _problem(text)
            if problem is not None:
                return _refusal(element, *problem)
        return _refusal(self.elements[0], "invalid-coordinates", "the coordinates cannot be read")

    def select(self, faces: Sequence[int], face_start: Sequence[int]) -> tuple[Floats, Ints, Ints]:
        """Points, ring lengths and rings per surface of polygons, ``~number`` being reversed ones."""
        rings = self.rings()
        signed = np.array(faces, dtype=np.int64)
        reverse = signed < 0
        face = np.where(reverse, ~signed, signed)
        starts = np.array(face_start, dtype=np.int64)
        counts = starts[face + 1] - starts[face]
        ring = ranges(starts[face], counts)
        lengths = rings.start[ring + 1] - rings.start[ring]
        points = ranges(rings.start[ring], lengths)
        if reverse.any():
            points = _flip(points, lengths, np.repeat(reverse, counts))
        return rings.xyz[points], lengths, counts


def _flip(points: Ints, lengths: Ints, reverse: Bools) -> Ints:
    """Each ring that is to be reversed read backwards."""
    start = offsets(lengths)
    order = np.arange(len(points), dtype=np.int64)
    mirrored = np.repeat(start[:-1] + start[1:] - 1, lengths) - order
    return points[np.where(np.repeat(reverse, lengths), mirrored, order)]


def _numbers(text: str) -> Floats | None:
    """Numbers in a text; None where a token is none. JSON's parser is the quickest at hand."""
    if any(mark in text for mark in _NOT_NUMBERS):
        return None
    with suppress(ValueError, OverflowError):
        return np.array(orjson.loads("[" + text.replace(" ", ",") + "]"), dtype=np.float64)
    tokens = text.split()  # there are line breaks between the numbers, or several spaces
    with suppress(ValueError, OverflowError):
        return np.array(orjson.loads("[" + ",".join(tokens) + "]"), dtype=np.float64)
    try:  # there are numbers such as .5 or +1, which JSON has not
        return np.array([float(token) for token in tokens])
    except ValueError:
        return None


def _position(element: Element, names: Mapping[str, str]) -> str:
    name, text = names[element.tag], element.text or ""
    if name == "pos":
        if element.get("srsDimension") not in (None, "3"):
            raise _wrong_dimension(element)
        return text
    if name == "coordinates":
        return text.replace(",", " ")
    if name == "posList":
        return text
    raise Refusal(
        "unsupported-ring", f"a ring holds gml:{name or element.tag} instead of positions",
        "export rings with gml:posList", line(element),
    )  # fmt: skip


def _problem(text: str) -> tuple[str, str] | None:
    """Code and reason where a ring cannot be one."""
    numbers: list[float] = []
    for token in text.split():
        try:
            numbers.append(float(token))
        except ValueError:
            return "invalid-coordinates", f"{token[:40]!r} is no number"
    if len(numbers) % 3 or not numbers:
        return "invalid-coordinates", f"{len(numbers)} numbers are no list of 3D points"
    for number in numbers:
        if not math.isfinite(number) or abs(number) >= FARTHEST:
            return "invalid-coordinates", f"{number} is outside of any reference system"
    if numbers[:3] != numbers[-3:]:
        return "ring-not-closed", "the last point of a ring is not its first"
    return None


_SUGGESTIONS = {
    "invalid-coordinates": "correct the coordinates (three finite numbers a point) and import again",
    "ring-not-closed": "repeat the first point at the end of the ring",
}


def _refusal(ring: Element, code: str, reason: str) -> Refusal:
    return Refusal(code, reason, _SUGGESTIONS[code], line(ring))


def _wrong_dimension(element: Element) -> Refusal:
    return Refusal(
        "two-dimensional", f"srsDimension is {element.get('srsDimension')}, so heights are missing",
        "export the model with 3D coordinates", line(element),
    )  # fmt: skip
