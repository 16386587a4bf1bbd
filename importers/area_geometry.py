"""Geometries of uploaded features, checked and brought to longitude and latitude: meets shapely."""

from collections.abc import Callable
from functools import cache
from typing import Any, TypeAlias

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from twin.errors import UnreadableFile

Transform: TypeAlias = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_shapely: Any = shapely
_pyproj: Any = pyproj
_FARTHEST = np.array([180.0, 90.0]) + 1e-6
"""Coordinates at the antimeridian and the poles are often rounded a little beyond them."""

_TYPES_OF_DIMENSION = {0: "MultiPoint", 1: "MultiLineString", 2: "MultiPolygon"}


@cache
def to_lonlat(epsg: int) -> Transform | None:
    """From a reference system, coordinates with x east and y north, to CRS84; None if it is that."""
    if epsg == 4326:
        return None
    try:
        transformer = _pyproj.Transformer.from_crs(epsg, "OGC:CRS84", always_xy=True)
    except _pyproj.exceptions.ProjError as error:
        raise UnreadableFile(f"The reference system EPSG:{epsg} is not known: {error}.") from None

    def transform(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(transformer.transform(xy[:, 0], xy[:, 1]))

    return transform


def from_geojson(text: str, place: str) -> bytes | None:
    """A GeoJSON geometry as WKB; None of an empty one."""
    return _checked(_read(_shapely.from_geojson, text, place), None, place)


def from_wkt(text: str, place: str) -> bytes | None:
    """Well-known text, or EWKT with SRID=4326, as WKB; None of an empty one."""
    return _checked(_read(_shapely.from_wkt, text.removeprefix("SRID=4326;"), place), None, place)


def from_wkb(data: bytes, transform: Transform | None, place: str) -> bytes | None:
    """WKB in some reference system as WKB in CRS84; None of an empty one."""
    return _checked(_read(_shapely.from_wkb, data, place), transform, place)


def point(longitude: str, latitude: str, place: str) -> bytes | None:
    """Two texts of numbers as WKB of a point."""
    try:
        shape = _shapely.Point(float(longitude.replace(",", ".")), float(latitude.replace(",", ".")))
    except ValueError:
        raise UnreadableFile(
            f"{place}: '{longitude[:30]}' and '{latitude[:30]}' are no longitude and latitude."
        ) from None
    return _checked(shape, None, place)


def to_geojson(wkb: bytes) -> str:
    """WKB as the text of a GeoJSON geometry."""
    return _shapely.to_geojson(_shapely.from_wkb(wkb))


def _read(reader: Any, data: Any, place: str) -> Any:
    try:
        return reader(data)
    except (_shapely.errors.GEOSException, NotImplementedError, ValueError, TypeError) as error:
        raise UnreadableFile(f"{place}: its geometry cannot be read: {str(error)[:200]}.") from None


def _checked(shape: Any, transform: Transform | None, place: str) -> bytes | None:
    if shape is None or _shapely.is_empty(shape):
        return None
    flat = _shapely.force_2d(shape)
    if transform is not None:
        flat = _shapely.transform(flat, transform)
    coordinates = _shapely.get_coordinates(flat)
    inside = (np.abs(coordinates) <= _FARTHEST).all(axis=1)
    if not inside.all():
        x, y = coordinates[np.argmin(inside)]
        raise UnreadableFile(f"{place}: {x:g} {y:g} is no longitude and latitude, in this order.")
    if not _shapely.is_valid(flat):
        flat = _shapely.make_valid(flat)
    return _shapely.to_wkb(_of_one_kind(flat), byte_order=1)


def _of_one_kind(shape: Any) -> Any:
    """The parts with the most dimensions: few relations are defined for mixed collections."""
    if shape.geom_type != "GeometryCollection":
        return shape
    parts = [
        part for nested in _shapely.get_parts(shape) for part in _shapely.get_parts(_of_one_kind(nested))
    ]
    dimension = max(_shapely.get_dimensions(part) for part in parts)
    kept = [part for part in parts if _shapely.get_dimensions(part) == dimension]
    return getattr(_shapely, _TYPES_OF_DIMENSION[dimension])(kept)
