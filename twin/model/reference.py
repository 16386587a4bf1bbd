"""Reference systems as files state them: URN, URL or short form, to EPSG codes."""

import re
from dataclasses import dataclass
from functools import lru_cache

from pyproj import CRS
from pyproj.exceptions import CRSError

from twin.errors import UnknownReferenceSystem

_URN = re.compile(r"(?:urn:(?:x-)?ogc:def:)?(?:crs:)?epsg:(?:[\d.]*:)?(\d{4,6})", re.IGNORECASE)
_URL = re.compile(
    r"https?://www\.opengis\.net/(?:def/crs/epsg/[\d.]+/|gml/srs/epsg\.xml#)(\d{4,6})", re.IGNORECASE
)
_COMPOUND_URL = re.compile(r"https?://www\.opengis\.net/def/crs-compound\?", re.IGNORECASE)
_CRS84 = re.compile(
    r"(?:urn:ogc:def:crs:ogc:[\d.]*:|https?://www\.opengis\.net/def/crs/ogc/[\d.]+/)crs84(h?)",
    re.IGNORECASE,
)
_WGS84, _WGS84_WITH_HEIGHT = 4326, 4979


@dataclass(frozen=True, slots=True)
class ReferenceSystem:
    """EPSG codes of the horizontal and the vertical system; None where it is not stated.

    A three-dimensional geographic system (EPSG:4979) is ``horizontal``, its heights are ellipsoidal.
    """

    horizontal: int | None
    vertical: int | None = None

    def __str__(self) -> str:
        if self.horizontal is None:
            return "no reference system"
        return f"EPSG:{self.horizontal}" + (f"+{self.vertical}" if self.vertical else "")


@lru_cache(maxsize=256)
def epsg(code: int) -> CRS:
    """The system behind an EPSG code; UnknownReferenceSystem where PROJ has none."""
    try:
        return CRS.from_epsg(code)
    except CRSError as error:
        raise UnknownReferenceSystem(
            f"EPSG:{code} is no reference system that PROJ knows; give the right one with --crs EPSG:n"
        ) from error


def parse_reference_system(text: str | None) -> ReferenceSystem:
    """What a file states as its reference system.

    Understood are OGC URNs with and without version, compound URNs and URLs, ``EPSG:3879+3900``, a bare
    code, and CRS84. None or an empty text is "not stated"; anything else raises UnknownReferenceSystem.
    """
    stated = (text or "").strip()
    if not stated:
        return ReferenceSystem(None, None)
    if crs84 := _CRS84.fullmatch(stated):
        return ReferenceSystem(_WGS84_WITH_HEIGHT if crs84[1] else _WGS84)
    codes = [_code(component, stated) for component in _components(stated)]
    return _reference(codes, stated)


def _components(stated: str) -> list[str]:
    if _COMPOUND_URL.match(stated):
        query = stated.split("?", 1)[1]
        return [pair.split("=", 1)[-1] for pair in query.split("&")]
    if stated.lower().startswith("urn:ogc:def:crs,"):
        return stated.split(",")[1:]
    return stated.split("+")


def _code(component: str, stated: str) -> int:
    component = component.strip()
    match = _URN.fullmatch(component) or _URL.fullmatch(component) or re.fullmatch(r"(\d{4,6})", component)
    if match is None:
        raise _unknown(stated)
    return int(match[1])


def _reference(codes: list[int], stated: str) -> ReferenceSystem:
    parts = [part for code in codes for part in _split(code, stated)]
    if not parts or len(parts) > 2 or epsg(parts[0]).is_vertical:
        raise _unknown(stated)
    if len(parts) == 2 and not epsg(parts[1]).is_vertical:
        raise _unknown(stated)
    return ReferenceSystem(parts[0], parts[1] if len(parts) == 2 else None)


def _split(code: int, stated: str) -> list[int]:
    """A compound system (EPSG:7415) as its parts; any other as itself."""
    crs = epsg(code)
    if not crs.is_compound:
        return [code]
    parts = [part.to_epsg(min_confidence=100) for part in crs.sub_crs_list]
    if None in parts:
        raise _unknown(stated)
    return [part for part in parts if part is not None]


def _unknown(stated: str) -> UnknownReferenceSystem:
    return UnknownReferenceSystem(
        f"the reference system {stated!r} is not known; give the right one with --crs EPSG:n[+m]"
    )
