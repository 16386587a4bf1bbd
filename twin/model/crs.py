"""Reference systems, axis order and heights: from a file's coordinates to the ellipsoid.

Horizontal coordinates go through PROJ, never by a ballpark transformation, always easting first; heights
through ``twin.model.heights``. ETRS89 and its national realisations count as WGS 84, as everywhere on the
web: they part by some decimetres, together with the plate, and no client knows the epoch.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyproj import Transformer
from pyproj.enums import TransformDirection
from pyproj.transformer import TransformerGroup

from twin.errors import InputError, UnknownReferenceSystem
from twin.model import heights
from twin.model.axis import AxisDecision, AxisOrder, decide_axis_order, swap
from twin.model.geometry import Floats, Ints
from twin.model.heights import APPROXIMATE, PLACEMENTS, UNPLACED, Placement, Undulations
from twin.model.reference import ReferenceSystem, epsg, parse_reference_system

__all__ = [
    "PLACEMENTS",
    "AxisDecision",
    "AxisOrder",
    "Placement",
    "Placer",
    "ReferenceSystem",
    "decide_axis_order",
    "earth_centred",
    "parse_reference_system",
    "swap",
    "web_mercator",
]

_WGS84 = 4326
_WGS84_SEMI_MAJOR_M = 6378137.0
_WGS84_ECCENTRICITY_SQUARED = 0.0066943799901413165
_MERCATOR_MAX_LATITUDE = 85.0511287798066

_ENOUGH_PLACED = 0.9
_NOT_STATED = "no reference system is stated; give it with --crs EPSG:n[+m]"

HORIZONTAL_LIMIT_M = 1.5
"""A datum shift stated as less accurate than this makes a placement approximate."""


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Where points lie: ``lonlat`` (n, 2) in degrees, ellipsoidal ``height`` (n,) in metres, NaN where
    unknown; ``rank`` (n,), index into ``PLACEMENTS``."""

    lonlat: Floats
    height: Floats
    rank: Ints


@dataclass(frozen=True, slots=True)
class Placer:
    """Takes the coordinates of one import to the ellipsoid; made once, then used on arrays.

    All coordinates are (n, 3) easting first, in the units of the reference system. A point that cannot be
    placed comes back as NaN; ``placements`` says which.
    """

    reference: ReferenceSystem
    to_wgs84: Transformer | None
    horizontal_accuracy_m: float | None
    height_unit_m: float
    undulations: tuple[Undulations, ...]

    @classmethod
    def create(cls, reference: ReferenceSystem, *, undulation_m: float | None = None) -> "Placer":
        """A placer for a reference system; ``undulation_m`` is a person's constant for where nothing else is.

        Without a horizontal system everything is unplaced. Raises UnknownReferenceSystem for a code that
        PROJ does not know, cannot take to WGS 84, or that is earth-centred.
        """
        if reference.horizontal is None:
            return cls(reference, None, None, 1.0, ())
        transformer, accuracy = _to_wgs84(reference.horizontal)
        chain = (
            heights.ellipsoidal()
            if _has_ellipsoidal_heights(reference)
            else heights.sources(reference.vertical, undulation_m)
        )
        return cls(reference, transformer, accuracy, _height_unit(reference), chain)

    @property
    def heights(self) -> dict[str, Any]:
        """The best source of heights on this machine, and ``also`` those behind it, for want of points."""
        return self._describe(self.undulations[:1], self.undulations[1:])

    def heights_at(self, xyz: Floats) -> dict[str, Any]:
        """What places these points, for a dataset's metadata.

        ``method``, ``accuracy_m``, ``credit`` and ``note`` are those of the last source in use, which is the
        least accurate; ``also`` lists the others; ``vertical`` names the height system.
        """
        used = self._used(self.lonlat(xyz))
        return self._describe(used[-1:], used[:-1])

    @property
    def has_lonlat(self) -> bool:
        """Whether points get a place on the map, be their heights known or not."""
        return self.to_wgs84 is not None

    def _describe(self, main: Sequence[Undulations], also: Sequence[Undulations]) -> dict[str, Any]:
        method = main[0].about if main else {"method": None, "note": self._why_unplaced()}
        about: dict[str, Any] = {"vertical": self._vertical(), **method}
        if also:
            about["also"] = [source.about for source in also]
        if (self.horizontal_accuracy_m or 0.0) > HORIZONTAL_LIMIT_M:
            about["horizontal_accuracy_m"] = self.horizontal_accuracy_m
        return about

    def place(self, xyz: Floats) -> Placement:
        """How well a sample is placed: as well as the worst of its points.

        Up to a tenth of points without a place do not count, for one stray point says nothing of a dataset;
        the objects that they belong to are marked by ``placements``.
        """
        ranks = self.placements(xyz)
        placed = ranks[ranks != UNPLACED]
        if len(placed) < _ENOUGH_PLACED * len(ranks) or not len(placed):
            return PLACEMENTS[UNPLACED]
        return PLACEMENTS[int(placed.max())]

    def placements(self, xyz: Floats) -> Ints:
        """Index into ``PLACEMENTS`` per point, (n,)."""
        return self.located(xyz).rank

    def located(self, xyz: Floats) -> Located:
        """All that is known of the place of each point.

        The corners of a wall share easting and northing with each other and with what adjoins, and only
        these matter to PROJ: each pair is transformed once.
        """
        first, place = _distinct_plan(xyz)
        lonlat = self.lonlat(xyz[first])
        undulation, rank = heights.undulation(self.undulations, lonlat)
        if (self.horizontal_accuracy_m or 0.0) > HORIZONTAL_LIMIT_M:
            rank = np.maximum(rank, APPROXIMATE)
        height = xyz[:, 2] * self.height_unit_m + undulation[place]
        return Located(lonlat[place], height, rank[place])

    def lonlat(self, xyz: Floats) -> Floats:
        """Longitude and latitude in degrees, (n, 2); needs no heights."""
        if self.to_wgs84 is None:
            return np.full((len(xyz), 2), np.nan)
        lon, lat = self.to_wgs84.transform(xyz[:, 0], xyz[:, 1])
        lonlat = np.column_stack([lon, lat])
        lonlat[~np.isfinite(lonlat).all(axis=1)] = np.nan
        return lonlat

    def native(self, lonlat: Floats) -> Floats:
        """Easting and northing, (n, 2), of longitude and latitude in degrees: ``lonlat`` the other way."""
        if self.to_wgs84 is None:
            return np.full((len(lonlat), 2), np.nan)
        back = self.to_wgs84.transform(lonlat[:, 0], lonlat[:, 1], direction=TransformDirection.INVERSE)
        return np.column_stack(back)

    def ellipsoidal_heights(self, xyz: Floats, lonlat: Floats) -> Floats:
        """Ellipsoidal heights in metres, (n,), NaN where unknown; ``lonlat`` are those of ``xyz``."""
        undulation, _ = heights.undulation(self.undulations, lonlat)
        return xyz[:, 2] * self.height_unit_m + undulation

    def geodetic(self, xyz: Floats) -> Floats:
        """Longitude, latitude in degrees and ellipsoidal height in metres, (n, 3).

        Raises InputError where there is no source of heights at all for these points.
        """
        return self._geodetic(self.located(xyz))

    def ecef(self, xyz: Floats) -> Floats:
        """Earth-centred coordinates in metres (EPSG:4978), (n, 3); raises as ``geodetic``."""
        return self.earth_centred(self.located(xyz))

    def earth_centred(self, located: Located) -> Floats:
        """The same of points whose place is known already."""
        return earth_centred(self._geodetic(located))

    def _geodetic(self, located: Located) -> Floats:
        if len(located.height) and np.isnan(located.height).all():
            raise InputError(self._why_unplaced())
        return np.column_stack([located.lonlat, located.height])

    def _used(self, lonlat: Floats) -> list[Undulations]:
        used: list[Undulations] = []
        open_ = lonlat
        for source in self.undulations:
            _, weight = source.weighted(open_)
            if (weight > 0).any():
                used.append(source)
            open_ = open_[weight < 1]
        return used

    def _vertical(self) -> str | None:
        if self.reference.vertical is not None:
            return f"{epsg(self.reference.vertical).name} (EPSG:{self.reference.vertical})"
        return "ellipsoidal" if _has_ellipsoidal_heights(self.reference) else None

    def _why_unplaced(self) -> str:
        if self.reference.horizontal is None:
            return _NOT_STATED
        return (
            f"no geoid grid or table covers these points in {self.reference}, so their heights above the "
            "ellipsoid are unknown; install PROJ's grid for the vertical system"
        )


def _distinct_plan(xyz: Floats) -> tuple[Ints, Ints]:
    """Indices of points with all pairs of easting and northing, and which of those each point has.

    Pairs are found by a hash; should two of them ever share one, each point is its own.
    """
    bits = np.ascontiguousarray(xyz[:, :2]).view(np.uint64)
    key = (bits[:, 0] ^ (bits[:, 0] >> _HALF_WORD)) * _SPREAD
    key = (key ^ (key >> _HALF_WORD)) + bits[:, 1]
    key = (key ^ (key >> _HALF_WORD)) * _SPREAD
    # Sorted here, as numpy's unique asks for a stable order, which takes seven times as long.
    order = np.argsort(key)
    ordered = key[order]
    new = np.ones(len(key), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    first, place = order[new], np.empty_like(order)
    place[order] = np.cumsum(new) - 1
    if not (bits[first[place]] == bits).all():
        first = place = np.arange(len(xyz))
    return first, place


_HALF_WORD = np.uint64(32)
_SPREAD = np.uint64(0x9E3779B97F4A7C15)


def earth_centred(geodetic: Floats) -> Floats:
    """Longitude, latitude, ellipsoidal height (n, 3) to EPSG:4978 (n, 3), on the ellipsoid of WGS 84."""
    lon, lat = np.radians(geodetic[:, 0]), np.radians(geodetic[:, 1])
    height = geodetic[:, 2]
    sine, cosine = np.sin(lat), np.cos(lat)
    normal = _WGS84_SEMI_MAJOR_M / np.sqrt(1 - _WGS84_ECCENTRICITY_SQUARED * sine * sine)
    across = (normal + height) * cosine
    xyz = np.empty((len(geodetic), 3))
    xyz[:, 0] = across * np.cos(lon)
    xyz[:, 1] = across * np.sin(lon)
    xyz[:, 2] = (normal * (1 - _WGS84_ECCENTRICITY_SQUARED) + height) * sine
    return xyz


def web_mercator(lonlat: Floats) -> Floats:
    """Degrees (n, 2) to EPSG:3857 metres (n, 2); latitudes beyond the square are held at its edge."""
    lat = np.radians(np.clip(lonlat[:, 1], -_MERCATOR_MAX_LATITUDE, _MERCATOR_MAX_LATITUDE))
    x = np.radians(lonlat[:, 0]) * _WGS84_SEMI_MAJOR_M
    return np.column_stack([x, np.arcsinh(np.tan(lat)) * _WGS84_SEMI_MAJOR_M])


def _to_wgs84(horizontal: int) -> tuple[Transformer, float | None]:
    """The transformer to longitude and latitude, and the stated accuracy of its datum shift."""
    crs = epsg(horizontal)
    if not (crs.is_projected or crs.is_geographic):
        raise UnknownReferenceSystem(
            f"EPSG:{horizontal} ({crs.name}) is neither projected nor geographic; "
            "give another with --crs EPSG:n"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pyproj warns where the best grid is missing
        group = TransformerGroup(crs.to_2d(), _WGS84, always_xy=True, allow_ballpark=False)
    if not group.transformers:
        raise UnknownReferenceSystem(
            f"PROJ has no transformation from EPSG:{horizontal} to WGS 84; give another with --crs EPSG:n"
        )
    accuracy = group.transformers[0].accuracy
    transformer = Transformer.from_crs(crs.to_2d(), _WGS84, always_xy=True, allow_ballpark=False)
    return transformer, accuracy if accuracy >= 0 else None


def _has_ellipsoidal_heights(reference: ReferenceSystem) -> bool:
    if reference.horizontal is None or reference.vertical is not None:
        return False
    return len(epsg(reference.horizontal).axis_info) == 3


def _height_unit(reference: ReferenceSystem) -> float:
    """Metres per unit of z; negative for depths."""
    if reference.vertical is None:
        return 1.0
    axis = epsg(reference.vertical).axis_info[0]
    return -axis.unit_conversion_factor if axis.direction == "down" else axis.unit_conversion_factor
