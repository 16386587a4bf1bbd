"""Writes CityGML 2.0: every type of object that it has, with surfaces, appearances and templates.

Objects of other types become generic city objects that name their type. What CityGML 2.0 has no place
for, or only another one, is counted.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import BinaryIO
from xml.sax.saxutils import escape

from twin.formats.citygml_gml import coordinates
from twin.formats.citygml_object import Writer
from twin.formats.citygml_schema import NAMESPACES
from twin.model.cityobject import CityFeature

Bounds = tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Head:
    """What is said of the whole model; ``bounds`` are its lower and upper corner, eastings first."""

    title: str
    horizontal_epsg: int | None = None
    vertical_epsg: int | None = None
    bounds: Bounds | None = None

    @property
    def reference(self) -> str | None:
        """The reference system as CityGML writes it; None where it is not known."""
        if self.horizontal_epsg is None:
            return None
        if self.vertical_epsg is None:
            return f"urn:ogc:def:crs:EPSG::{self.horizontal_epsg}"
        return f"urn:ogc:def:crs,crs:EPSG::{self.horizontal_epsg},crs:EPSG::{self.vertical_epsg}"


def write(file: BinaryIO, features: Iterable[CityFeature], head: Head) -> Counter[str]:
    """A whole model, one feature in memory at a time; returns what could not be written, with its number."""
    spaces = " ".join(f'xmlns:{prefix}="{space}"' for prefix, space in NAMESPACES.items())
    file.write(f'<?xml version="1.0" encoding="UTF-8"?>\n<core:CityModel {spaces}>\n'.encode())
    file.write(f"<gml:name>{escape(head.title)}</gml:name>\n{_envelope(head)}".encode())
    ledger: Counter[str] = Counter()
    writer = Writer(ledger)
    for feature in features:
        for member in writer.members(feature):
            file.write(f"<core:cityObjectMember>{member}</core:cityObjectMember>\n".encode())
    file.write(b"</core:CityModel>\n")
    return ledger


def _envelope(head: Head) -> str:
    if head.bounds is None:
        return "" if head.reference is None else _bounded(head.reference, "")
    low, high = (coordinates([corner]) for corner in head.bounds)
    corners = f"<gml:lowerCorner>{low}</gml:lowerCorner><gml:upperCorner>{high}</gml:upperCorner>"
    return _bounded(head.reference, corners)


def _bounded(reference: str | None, corners: str) -> str:
    stated = "" if reference is None else f' srsName="{reference}"'
    envelope = f'<gml:Envelope srsDimension="3"{stated}>{corners}</gml:Envelope>'
    return f"<gml:boundedBy>{envelope}</gml:boundedBy>\n"
