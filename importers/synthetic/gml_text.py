"""Pieces of CityGML 2.0 as text; everything that could hold markup is escaped."""

from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from typing import Final

from importers.synthetic.city import Corner
from importers.synthetic.register import Attribute, Value
from importers.synthetic.shells import Face

_TEN_MILLION_METRES: Final = 10_000_000_000
"""In millimetres; from here on Java prints a double with an exponent."""


def java_double(millimetres: int) -> str:
    """A length in metres as Java prints it: ``6674505.099``, but ``2.5498920816E7``."""
    if millimetres < _TEN_MILLION_METRES:
        return repr(millimetres / 1000)
    digits = str(millimetres)
    return f"{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - 4}"


def easting_first(corner: Corner) -> str:
    """As Helsinki writes it, whatever the order of axes of EPSG:3879."""
    return f"{java_double(corner[0])} {java_double(corner[1])} {java_double(corner[2])}"


def northing_first(corner: Corner) -> str:
    """As the Estonian product writes it, in the order of axes of EPSG:3301."""
    return f"{corner[1] / 1000:.3f} {corner[0] / 1000:.3f} {corner[2] / 1000:.3f}"


def polygon(face: Face, points: Sequence[str], identifier: str = "") -> str:
    """A gml:Polygon; ``points`` are the corners of its part as text."""
    rings: list[str] = []
    for index, ring in enumerate(face.rings):
        text = " ".join([*(points[corner] for corner in ring), points[ring[0]]])
        tag = "interior" if index else "exterior"
        rings.append(
            f'<gml:{tag}><gml:LinearRing><gml:posList srsDimension="3">{text}</gml:posList>'
            f"</gml:LinearRing></gml:{tag}>"
        )
    head = f'<gml:Polygon gml:id="{identifier}">' if identifier else "<gml:Polygon>"
    return f"{head}{''.join(rings)}</gml:Polygon>"


def generic(attributes: Sequence[Attribute]) -> str:
    """Generic attributes; None is written as an empty value."""
    text: list[str] = []
    for kind, name, value in attributes:
        before, after = _tags(kind, name)
        if value is None:
            text.append(f"{before}<gen:value/>{after}")
        else:
            content = escape(value) if isinstance(value, str) else value
            text.append(f"{before}<gen:value>{content}</gen:value>{after}")
    return "".join(text)


@cache
def _tags(kind: str, name: str) -> tuple[str, str]:
    """The tags of a generic attribute; the names of a delivery are few."""
    return f'<gen:{kind}Attribute name="{escape(name)}">', f"</gen:{kind}Attribute>\n"


def generic_sets(sets: Mapping[str, Sequence[Attribute]]) -> str:
    """Named sets of generic attributes."""
    return "".join(
        f'<gen:genericAttributeSet name="{escape(name)}">\n{generic(attributes)}</gen:genericAttributeSet>\n'
        for name, attributes in sets.items()
    )


def standard(attributes: Mapping[str, Value], unit: str) -> str:
    """Attributes of CityGML itself, given in the order of its schema."""
    text: list[str] = []
    for name, value in attributes.items():
        uom = f' uom="{unit}"' if name == "measuredHeight" else ""
        text.append(f"<bldg:{name}{uom}>{value}</bldg:{name}>\n")
    return "".join(text)
