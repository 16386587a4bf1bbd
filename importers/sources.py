"""What is known about the deliveries that cities and countries publish.

A source says who publishes a model, under which licence, what a file leaves unsaid about its reference
system, and in which schema its attributes are.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

from importers.mappings import Mapped, Schema, Terms
from importers.port import ModelMetadata
from twin.model.axis import AxisOrder
from twin.model.cityobject import CityObject, highest_lod
from twin.model.heights import EH2000, N2000
from twin.model.reference import ReferenceSystem

ETRS_GK25FIN, L_EST97 = 3879, 3301
ELSEWHERE = "other"
"""The city of objects that stand in none that is known or named."""

_NOT_STATED = ReferenceSystem(None)
_SIGNS_LOOKED_AT = 100
_LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Source:
    """A product of a publisher. ``name`` is that of its dataset, ``page`` where people get it.

    ``reference`` is what its files mean where they do not say. ``signs`` are attributes that only its files
    have, in small letters; ``object_id`` matches the ids that only its files have. ``place`` names the city
    of all of its objects, where it is one. ``mapping`` is used instead of that of ``schema``; with
    ``assumed`` the files are of ``reference`` where they state none, as a person says. ``files`` is what the
    addresses of its files look like that ``page`` links to.
    """

    name: str
    title: str
    city: str = ELSEWHERE
    publisher: str | None = None
    licence: str | None = None
    page: str | None = None
    reference: ReferenceSystem = _NOT_STATED
    schema: Schema = "generic"
    signs: frozenset[str] = frozenset()
    object_id: str | None = None
    place: str | None = None
    mapping: Mapped | None = None
    assumed: bool = False
    axis_order: AxisOrder | None = None
    undulation_m: float | None = None
    files: str | None = None

    def described(self) -> tuple[object, ...]:
        """What its own mapping says; the same for the same mapping, in every process."""
        return tuple(
            (name, tuple((*f.names, *(f.terms.items() if isinstance(f, Terms) else ())) for f in fields))
            for name, fields in (self.mapping or {}).items()
        )

    def complete(self, stated: ReferenceSystem) -> ReferenceSystem:
        """What a file states, with the vertical system that its publisher means added.

        A horizontal system is added only where a person said so: else the objects stay unplaced.
        """
        if stated.horizontal is None and self.assumed:
            return self.reference
        if stated.horizontal is None or stated.vertical is not None or self.reference.vertical is None:
            return stated
        return replace(stated, vertical=self.reference.vertical)


@dataclass(frozen=True, slots=True)
class Place:
    """A city by a rough box: west, south, east, north in degrees."""

    city: str
    box: tuple[float, float, float, float]

    def holds(self, lonlat: tuple[float, float]) -> bool:
        """Whether a longitude and latitude lies in the box; NaN lies nowhere."""
        west, south, east, north = self.box
        return west <= lonlat[0] <= east and south <= lonlat[1] <= north


PLACES = (
    Place("helsinki", (24.83, 59.92, 25.25, 60.298)),
    Place("tallinn", (24.55, 59.35, 24.93, 59.60)),
    Place("tartu", (26.64, 58.335, 26.80, 58.42)),
)
"""Boxes tell which city a model lies in if nothing else does; Tartu is here so as to be no other's."""

HELSINKI = Source(
    name="helsinki",
    title="Helsinki 3D city information model",
    city="helsinki",
    publisher="City of Helsinki",
    licence="CC BY 4.0",
    page="https://hri.fi/data/en_GB/dataset/helsingin-3d-kaupunkimalli",
    reference=ReferenceSystem(ETRS_GK25FIN, N2000),
    schema="helsinki",
    signs=frozenset(
        {"vtj_prt", "ratu", "c_kayttark", "i_kerrlkm", "rakennustunnus_(vtj-prt)", "rakennustunnus_(ratu)"}
    ),
    place="helsinki",
)

ESTONIA = Source(
    name="estonia",
    title="3D models of buildings, Estonia",
    publisher="Republic of Estonia Land and Spatial Development Board",
    licence="Land and Spatial Development Board open data licence 01.01.2025 (attribution; like CC BY 4.0)",
    page="https://geoportaal.maaruum.ee/eng/spatial-data/geo3d/download-3d-data-p837.html",
    reference=ReferenceSystem(L_EST97, EH2000),
    schema="estonia",
    signs=frozenset({"etak_id", "ehr_kood", "ehr_gid", "tyyp_tekst"}),
    object_id=r"etak_\d+_hooned\w*",
)

SOURCES = (HELSINKI, ESTONIA)
"""The deliveries that are recognised; anything else is read by the standard attributes alone."""


def recognise(
    metadata: ModelMetadata,
    reference: ReferenceSystem,
    roots: Sequence[CityObject],
    lonlat: tuple[float, float] | None,
    city: str | None,
    known: Sequence[Source] = SOURCES,
) -> Source:
    """The source that a file comes from, with its city and level of detail.

    ``lonlat`` is where the model lies, None as long as that is not known; ``city`` is a person's word. The
    dataset of a known source is named after the city, or the source elsewhere, and the level of detail, so
    that LoD1 and LoD2 of a place stay apart; that of any other after the model's title, or its city.
    """
    declared = next((s for s in known if _is_from(s, reference, roots, lonlat)), None)
    if declared is None:
        place = city or _locality(roots) or _place(lonlat) or ELSEWHERE
        title = metadata.title or "City model"
        return Source(name=_name(metadata.title or place)[:_LONGEST_NAME], title=title, city=place)
    lod = _lod(roots)
    # A national product may name a district as locality, so where the model lies goes before.
    place = city or declared.place or _place(lonlat) or _locality(roots) or ELSEWHERE
    name = _name(f"{declared.name if place == ELSEWHERE else place} lod{lod}")
    return replace(declared, name=name, title=f"{declared.title}, LoD{lod}", city=place)


def _is_from(
    source: Source,
    reference: ReferenceSystem,
    roots: Sequence[CityObject],
    lonlat: tuple[float, float] | None,
) -> bool:
    """By what only its files have; else by a reference system that only this place uses."""
    if any(_signed(source, root) for root in roots[:_SIGNS_LOOKED_AT]):
        return True
    if reference.horizontal != source.reference.horizontal:
        return False
    return source.place is None or lonlat is None or _place(lonlat) == source.place


def _signed(source: Source, root: CityObject) -> bool:
    if source.object_id is not None and re.fullmatch(source.object_id, root.id):
        return True
    names = {name.casefold() for name in root.attributes}
    for value in root.attributes.values():
        if isinstance(value, dict):
            names |= {name.casefold() for name in cast("dict[str, object]", value)}
    return not source.signs.isdisjoint(names)


def _locality(roots: Sequence[CityObject]) -> str | None:
    """The locality that most addresses name."""
    named = [_name(a.locality) for root in roots for a in root.addresses if a.locality]
    return max(sorted(set(named)), key=named.count) if named else None


def _place(lonlat: tuple[float, float] | None) -> str | None:
    """The known city that a point lies in."""
    if lonlat is None:
        return None
    return next((place.city for place in PLACES if place.holds(lonlat)), None)


def _name(text: str) -> str:
    """A text as a name in small letters of ASCII: ``Tallinna linn`` is ``tallinna_linn``."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "_", plain).strip("_") or ELSEWHERE


def _lod(roots: Sequence[CityObject]) -> str:
    """The highest level of detail in whole numbers; parts are not looked at, roots without any say 2."""
    return (highest_lod(roots) or "2").split(".")[0]
