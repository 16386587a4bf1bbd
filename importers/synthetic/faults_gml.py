"""Faults that are made in the CityGML text of a building."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from importers.synthetic.faults import Outcome, good_id

_BUILDING: Final = re.compile(r"<bldg:Building ")
_RING: Final = re.compile(r"<gml:LinearRing><gml:posList[^>]*>([^<]*)</gml:posList></gml:LinearRing>")
_POLYGON: Final = re.compile(r"<gml:Polygon.*</gml:Polygon>")
_ID: Final = re.compile(r'gml:id="([^"]*)"')
_POSITIONS: Final = re.compile(r"<gml:posList[^>]*>")
_VALUE: Final = re.compile(r'(?<=<gen:stringAttribute name=")([^"]*"><gen:value)>[^<]*</gen:value>')
_LINK: Final = re.compile(r'<gml:surfaceMember xlink:href="#([^"]*)"/>')


@dataclass(frozen=True, slots=True)
class GmlFault:
    """A kind of broken member; ``change`` gives the text with the fault and the offset where it is."""

    kind: str
    outcome: Outcome
    code: str
    change: Callable[[str], tuple[str, int]]
    listed: Callable[[str], str] = lambda identifier: identifier
    """The id under which an import lists the building of some id."""


def building_at(text: str) -> int:
    """Where the building begins in the text of its member."""
    found = _BUILDING.search(text)
    return found.start() if found else 0


def _replaced(
    pattern: re.Pattern[str], by: Callable[[re.Match[str]], str]
) -> Callable[[str], tuple[str, int]]:
    """Replace the first place where a pattern fits."""

    def change(text: str) -> tuple[str, int]:
        found = pattern.search(text)
        assert found is not None, f"{pattern.pattern} is in every building"
        return text[: found.start()] + by(found) + text[found.end() :], found.start()

    return change


def _ring(numbers: Callable[[list[str]], list[str]]) -> Callable[[str], tuple[str, int]]:
    """Change the coordinates of the first ring."""

    def by(found: re.Match[str]) -> str:
        return found[0].replace(found[1], " ".join(numbers(found[1].split())))

    return _replaced(_RING, by)


def _coordinate(text: str) -> Callable[[str], tuple[str, int]]:
    """Put a text in the place of the height of the second point of a ring."""
    return _ring(lambda numbers: [*numbers[:5], text, *numbers[6:]])


def _without_id(text: str) -> tuple[str, int]:
    return re.sub(r'(?<=<bldg:Building) gml:id="[^"]*"', "", text, count=1), building_at(text)


def _same_id(text: str) -> tuple[str, int]:
    """The id of the good building that this one was copied from; the ids of its surfaces are its own."""
    changed = re.sub(r'(?<=<bldg:Building )gml:id="([^"]*)_broken"', r'gml:id="\1"', text, count=1)
    return changed, building_at(changed)


def _missing_link(text: str) -> tuple[str, int]:
    """A link to a surface that is nowhere, in the place of a surface or of a link to one."""
    pattern = (
        _LINK
        if _LINK.search(text)
        else re.compile(f"<gml:surfaceMember>{_POLYGON.pattern}</gml:surfaceMember>")
    )
    return _replaced(pattern, lambda _: '<gml:surfaceMember xlink:href="#nowhere"/>')(text)


def _circle(found: re.Match[str]) -> str:
    """A surface that consists of itself by a link, under the id of the polygon in whose place it is."""
    identifier = _ID.search(found[0])
    name = identifier[1] if identifier else "circle"
    link = f'<gml:surfaceMember xlink:href="#{name}"/>'
    return f'<gml:CompositeSurface gml:id="{name}">{link}</gml:CompositeSurface>'


GML_FAULTS: Final = (
    GmlFault("ring-not-closed", "refused", "ring-not-closed", _ring(lambda numbers: numbers[:-3])),
    GmlFault("no-number", "refused", "invalid-coordinates", _coordinate("4,2")),
    GmlFault("nan", "refused", "invalid-coordinates", _coordinate("NaN")),
    GmlFault("infinite", "refused", "invalid-coordinates", _coordinate("INF")),
    GmlFault("far-coordinate", "refused", "invalid-coordinates", _coordinate("1e308")),
    GmlFault("number-missing", "refused", "invalid-coordinates", _ring(lambda numbers: numbers[1:])),
    GmlFault("no-coordinates", "refused", "invalid-coordinates", _ring(lambda _: [])),
    GmlFault("two-dimensional", "refused", "two-dimensional",
             _replaced(_POSITIONS, lambda _: '<gml:posList srsDimension="2">')),
    GmlFault("unknown-geometry", "refused", "unsupported-geometry",
             _replaced(_POLYGON, lambda _: "<gml:Sphere/>")),
    GmlFault("curved-ring", "refused", "unsupported-ring", _replaced(_RING, lambda _: "<gml:Ring/>")),
    GmlFault("polygon-without-ring", "refused", "invalid-polygon",
             _replaced(_POLYGON, lambda _: "<gml:Polygon/>")),
    GmlFault("unresolved-xlink", "refused", "unresolved-xlink", _missing_link),
    GmlFault("cyclic-xlink", "refused", "cyclic-xlink", _replaced(_POLYGON, _circle)),
    GmlFault("other-reference-system", "refused", "other-reference-system",
             _replaced(re.compile("<gml:MultiSurface>"), lambda _: '<gml:MultiSurface srsName="EPSG:4979">')),
    GmlFault("duplicate-id", "refused", "duplicate-id", _same_id, good_id),
    GmlFault("missing-id", "repaired", "", _without_id, lambda _: ""),
    GmlFault("empty-value", "stored", "", _replaced(_VALUE, lambda found: f"{found[1]}/>")),
)  # fmt: skip
