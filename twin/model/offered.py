"""The reference systems in which answers are given, beside CRS84, in which outlines are stored.

Axes follow the standard of each system, as OGC API Features Part 2 asks: northing or latitude comes
first in EPSG:4326, 4979, 3879 and 3301.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from pyproj import CRS, Transformer

from twin.model.geometry import Floats

_OGC = "http://www.opengis.net/def/crs/OGC/0/"
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_STEPS = 32
"""Edges of a box in metres are bent in degrees; each becomes so many lines."""


@dataclass(frozen=True, slots=True)
class OfferedSystem:
    """A reference system by its URI; ``code`` is the EPSG code of the same coordinates, easting first.

    ``decimals`` of a coordinate are about a centimetre or finer. ``heights`` are ellipsoidal, in metres.
    """

    uri: str
    name: str
    code: int
    north_first: bool = False
    heights: bool = False
    decimals: int = 3

    @property
    def in_degrees(self) -> bool:
        return self.code == _WGS84

    @property
    def projjson(self) -> dict[str, Any]:
        """The whole definition, as GeoParquet and GeoArrow carry it."""
        return _projjson(self.uri)

    def to_crs84(self, corners: Sequence[float]) -> list[tuple[float, float]]:
        """The outline of a box, given by its lower and upper corners in the order of the axes.

        Longitudes and latitudes, as a ring that is not closed.
        """
        (x0, y0), (x1, y1) = (self._east_first(*corners[:2]), self._east_first(*corners[2:]))
        share = np.arange(_STEPS) / _STEPS
        xs = np.concatenate([x0 + (x1 - x0) * share, np.full(_STEPS, x1), x1 + (x0 - x1) * share,
                             np.full(_STEPS, x0)])  # fmt: skip
        ys = np.concatenate([np.full(_STEPS, y0), y0 + (y1 - y0) * share, np.full(_STEPS, y1),
                             y1 + (y0 - y1) * share])  # fmt: skip
        lon, lat = to_degrees(self.code).transform(xs, ys)
        ring: Floats = np.column_stack([lon, lat])
        return [(float(x), float(y)) for x, y in ring]

    def east_first(self, numbers: Sequence[float]) -> list[float]:
        """The corners of a box in degrees, of 4 numbers or 6 with heights, with longitude before latitude."""
        half = len(numbers) // 2
        low, high = numbers[:half], numbers[half:]
        return [*self._east_first(*low[:2]), *low[2:], *self._east_first(*high[:2]), *high[2:]]

    def _east_first(self, first: float, second: float) -> tuple[float, float]:
        return (second, first) if self.north_first else (first, second)


_WGS84 = 4326

CRS84 = OfferedSystem("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "CRS84", _WGS84, decimals=7)
CRS84H = OfferedSystem(f"{_OGC}CRS84h", "CRS84h", _WGS84, heights=True, decimals=7)

SYSTEMS: tuple[OfferedSystem, ...] = (
    CRS84,
    CRS84H,
    OfferedSystem(f"{_EPSG}4326", "EPSG:4326", _WGS84, north_first=True, decimals=7),
    OfferedSystem(f"{_EPSG}4979", "EPSG:4979", _WGS84, north_first=True, heights=True, decimals=7),
    OfferedSystem(f"{_EPSG}3857", "EPSG:3857", 3857),
    OfferedSystem(f"{_EPSG}3879", "EPSG:3879", 3879, north_first=True),
    OfferedSystem(f"{_EPSG}3067", "EPSG:3067", 3067),
    OfferedSystem(f"{_EPSG}3301", "EPSG:3301", 3301, north_first=True),
)


def offered(heights: bool) -> tuple[OfferedSystem, ...]:
    """The systems of a collection, with or without those that have heights."""
    return tuple(system for system in SYSTEMS if heights or not system.heights)


@lru_cache(maxsize=16)
def to_degrees(code: int) -> Transformer:
    """From easting and northing of a system to longitude and latitude."""
    return Transformer.from_crs(code, _WGS84, always_xy=True)


@lru_cache(maxsize=16)
def _projjson(uri: str) -> dict[str, Any]:
    crs: Any = CRS
    return crs.from_user_input(uri).to_json_dict()
