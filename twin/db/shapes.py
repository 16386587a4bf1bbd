"""Geometries that people send with a request, checked; the one place here that meets shapely.

All are kept as longitude and latitude in degrees (CRS84), whatever reference system they come in.
"""

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from twin.model.offered import CRS84, OfferedSystem, to_degrees

MAX_VERTICES = 10_000
_LONGEST_EDGE_M = 1000.0
_COLLECTION = 7
"""The type of a GeometryCollection, in the first byte after the byte order of little-endian WKB."""

_BOX = struct.Struct("<BIIII10d")
_POLYGON_WITH_SRID = 0x20000003

_shapely: Any = shapely


class ShapeError(ValueError):
    """A geometry cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A checked geometry as EWKB in EPSG:4326, in two dimensions.

    ``solid`` are west, south, lowest, east, north and highest of a box with ellipsoidal heights;
    ``rectangle`` are west, south, east and north where it is all that lies between them.
    """

    ewkb: bytes
    solid: tuple[float, ...] | None = None
    rectangle: tuple[float, float, float, float] | None = None

    @property
    def is_collection(self) -> bool:
        """Whether it mixes kinds of geometries, which few spatial relations are defined for."""
        return self.ewkb[1] == _COLLECTION


def from_wkt(text: str, system: OfferedSystem = CRS84) -> Shape:
    """The geometry of a well-known text, axes in the order of a reference system; raises ShapeError."""
    return _read(_shapely.from_wkt, text, system)


def from_geojson(text: str, system: OfferedSystem = CRS84) -> Shape:
    """The geometry of a GeoJSON geometry object, likewise; raises ShapeError."""
    return _read(_shapely.from_geojson, text, system)


def _read(reader: Any, text: str, system: OfferedSystem) -> Shape:
    try:
        shape = reader(text)
    except (_shapely.errors.GEOSException, NotImplementedError) as error:
        raise ShapeError(f"{str(error).partition(': ')[2] or error}.") from None
    return _checked(shape if system is CRS84 else _in_degrees(shape, system))


def _in_degrees(shape: Any, system: OfferedSystem) -> Any:
    """A geometry of a system in longitude and latitude; long edges are divided, as they bend."""
    vertices = int(_shapely.get_num_coordinates(shape))
    if 0 < vertices <= MAX_VERTICES and not system.in_degrees:
        step = max(_LONGEST_EDGE_M, float(_shapely.length(shape)) / MAX_VERTICES * 10)
        shape = _shapely.segmentize(shape, step) if math.isfinite(step) else shape

    def moved(numbers: Any) -> Any:
        east_first = numbers[:, ::-1] if system.north_first else numbers
        if system.in_degrees:
            return east_first
        return np.column_stack(to_degrees(system.code).transform(east_first[:, 0], east_first[:, 1]))

    return _shapely.transform(shape, moved)


def _checked(shape: Any) -> Shape:
    vertices = int(_shapely.get_num_coordinates(shape))
    if vertices == 0:
        raise ShapeError("it has no coordinates.")
    if vertices > MAX_VERTICES:
        raise ShapeError(f"it has {vertices} vertices, more than {MAX_VERTICES}.")
    _check_range(shape)
    if not _shapely.is_valid(shape):
        raise ShapeError(f"{_shapely.is_valid_reason(shape)}.")
    flat = _shapely.set_srid(_shapely.force_2d(shape), 4326)
    return Shape(_shapely.to_wkb(flat, byte_order=1, include_srid=True))


def _check_range(shape: Any) -> None:
    coordinates = _shapely.get_coordinates(shape)
    # The comparison is false for NaN as well.
    outside = ~((abs(coordinates[:, 0]) <= 180) & (abs(coordinates[:, 1]) <= 90))
    if outside.any():
        x, y = coordinates[outside.argmax()]
        raise ShapeError(
            f"{x:g} {y:g} is not a longitude (-180 to 180) and a latitude (-90 to 90), in this order."
        )


def box(west: float, south: float, east: float, north: float) -> Shape:
    """The rectangle between two corners; two rectangles where it crosses the antimeridian."""
    if south > north:
        raise ShapeError(f"its south edge {south:g} lies above its north edge {north:g}.")
    if -180 <= west < east <= 180 and -90 <= south < north <= 90:
        # What most requests send, without a detour by GEOS.
        ewkb = _BOX.pack(1, _POLYGON_WITH_SRID, 4326, 1, 5,
                         east, south, east, north, west, north, west, south, east, south)  # fmt: skip
        return Shape(ewkb, rectangle=(west, south, east, north))
    if west <= east:
        return _checked(_rectangle(west, south, east, north))
    halves = [_rectangle(west, south, 180.0, north), _rectangle(-180.0, south, east, north)]
    for half in halves:
        # Before they are joined: GEOS overflows over numbers that are no degrees.
        _check_range(half)
    return _checked(_shapely.union_all(halves))


def solid_box(*corners: float) -> Shape:
    """The box of west, south, lowest, east, north, highest; raises ShapeError."""
    west, south, low, east, north, high = corners
    if low > high:
        raise ShapeError(f"its lowest height {low:g} lies above its highest {high:g}.")
    return replace(box(west, south, east, north), solid=corners)


def box_in(system: OfferedSystem, numbers: Sequence[float]) -> Shape:
    """The box between two corners of 2 numbers, or of 3 with heights, in the order of the axes."""
    if len(numbers) == 6 and not (system.heights or system is CRS84):
        raise ShapeError(f"it has heights and {system.name} has none; give 4 numbers.")
    if system.in_degrees:
        corners = system.east_first(numbers)
        return box(*corners) if len(corners) == 4 else solid_box(*corners)
    if numbers[0] > numbers[2] or numbers[1] > numbers[3]:
        raise ShapeError("its first corner is not the lower one on both axes.")
    return outline(system.to_crs84(numbers))


def outline(ring: Sequence[tuple[float, float]]) -> Shape:
    """What a ring of points encloses, or the line or point that it is when it encloses nothing."""
    if not all(math.isfinite(number) for point in ring for number in point):
        raise ShapeError("it lies outside of its reference system.")
    shape = _shapely.Polygon(ring)
    if shape.area == 0:
        shape = _shapely.Point(ring[0]) if len(set(ring)) == 1 else _shapely.LineString(ring)
    return _checked(shape)


def _rectangle(west: float, south: float, east: float, north: float) -> Any:
    """A polygon, or the line or point that it is when it has no width or height."""
    if west == east and south == north:
        return _shapely.Point(west, south)
    if west == east or south == north:
        return _shapely.LineString([(west, south), (east, north)])
    return _shapely.box(west, south, east, north)


def to_geojson(shape: Shape) -> str:
    """The geometry as GeoJSON text."""
    return _shapely.to_geojson(_shapely.from_wkb(shape.ewkb))
