"""Axis order from the coordinates themselves.

``urn:ogc:def:crs:EPSG::3879`` means northing, easting, and Helsinki writes easting first under that name. So
what a file states is no evidence: its coordinates are held against the area of use of the reference system.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias

import numpy as np
from pyproj import Transformer
from pyproj.exceptions import ProjError

from twin.errors import AxisOrderUnclear
from twin.model.geometry import Floats
from twin.model.reference import ReferenceSystem, epsg

AxisOrder: TypeAlias = Literal["en", "ne"]
Bounds: TypeAlias = tuple[float, float, float, float]

ENOUGH = 0.9
"""Share of the points that has to lie in the area of use; a stray point must not decide."""

_MARGIN_METRES = 50_000.0
_MARGIN_DEGREES = 0.5


@dataclass(frozen=True, slots=True)
class AxisDecision:
    """Order of the first two coordinates in the file, and why, for the import report."""

    order: AxisOrder
    reason: str


def swap(xyz: Floats, order: AxisOrder) -> Floats:
    """Coordinates (n, 2 or 3) in file order to easting first."""
    if order == "en":
        return xyz
    return np.ascontiguousarray(xyz[:, [1, 0, *range(2, xyz.shape[1])]])


def decide_axis_order(
    reference: ReferenceSystem, xy: Floats, forced: AxisOrder | None = None
) -> AxisDecision:
    """The axis order of coordinates (n, ≥ 2) as they stand in the file.

    ``forced`` is a person's word and wins. Raises AxisOrderUnclear with both readings where the coordinates
    lie in the area of use in neither order.
    """
    if forced is not None:
        return AxisDecision(forced, "given by a person")
    points = xy[np.isfinite(xy[:, :2]).all(axis=1), :2]
    if reference.horizontal is None:
        return AxisDecision("en", "no reference system is stated, so coordinates stay as they are")
    bounds = area_of_use(reference.horizontal)
    if bounds is None or not len(points):
        missing = "no coordinates" if bounds is not None else "no area of use to compare with"
        return AxisDecision("en", f"{missing}; easting first, as CityJSON has it")
    return _decide(reference, points, bounds)


def _decide(reference: ReferenceSystem, points: Floats, bounds: Bounds) -> AxisDecision:
    for margin in (0.0, _MARGIN_DEGREES if _in_degrees(reference) else _MARGIN_METRES):
        easting_first = _share_inside(points, bounds, margin) >= ENOUGH
        northing_first = _share_inside(points[:, ::-1], bounds, margin) >= ENOUGH
        if easting_first and northing_first:
            return AxisDecision(
                "en", f"both orders fit the area of use of {reference}; easting first, as CityJSON has it"
            )
        if easting_first or northing_first:
            return _fits("en" if easting_first else "ne", reference, bounds)
    raise AxisOrderUnclear(_neither(reference, points, bounds))


def _fits(order: AxisOrder, reference: ReferenceSystem, bounds: Bounds) -> AxisDecision:
    first = "easting" if order == "en" else "northing"
    return AxisDecision(order, f"only {first} first fits the area of use of {reference} ({_text(bounds)})")


def _share_inside(points: Floats, bounds: Bounds, margin: float) -> float:
    west, south, east, north = bounds
    low = np.array([west - margin, south - margin])
    high = np.array([east + margin, north + margin])
    return float(((points >= low) & (points <= high)).all(axis=1).mean())


def _neither(reference: ReferenceSystem, points: Floats, bounds: Bounds) -> str:
    first, second = (float(value) for value in np.median(points, axis=0))
    return (
        f"the coordinates fit no axis order of {reference}: read easting first, the middle of the file is at "
        f"E {first:.10g}, N {second:.10g}; read northing first, at E {second:.10g}, N {first:.10g}; "
        f"expected is {_text(bounds)}. Give the right system with --crs EPSG:n or the order with --axis-order"
    )


def _text(bounds: Bounds) -> str:
    west, south, east, north = bounds
    return f"E {west:.10g} to {east:.10g}, N {south:.10g} to {north:.10g}"


def _in_degrees(reference: ReferenceSystem) -> bool:
    return reference.horizontal is not None and epsg(reference.horizontal).is_geographic


@lru_cache(maxsize=256)
def area_of_use(horizontal: int) -> Bounds | None:
    """Area of use in the system's own coordinates, easting first: west, south, east, north.

    None where the EPSG registry states no area or it cannot be projected.
    """
    crs = epsg(horizontal)
    area = crs.area_of_use
    if area is None or area.west > area.east or crs.is_geocentric:
        return None
    if crs.is_geographic:
        return area.bounds
    base = crs.geodetic_crs
    if base is None:
        return None
    # From the system's own geodetic base no datum shift is needed, so none can be a ballpark one.
    project = Transformer.from_crs(base, crs, always_xy=True, allow_ballpark=False)
    try:
        bounds = project.transform_bounds(*area.bounds)
    except ProjError:
        return None
    if not np.isfinite(bounds).all():
        return None
    west, south, east, north = (float(round(value)) for value in bounds)
    return west, south, east, north
