"""JSON-FG 1.0 (OGC 21-045r1): GeoJSON with solids and other reference systems in ``place``.

``geometry`` stays what GeoJSON readers expect, the outline in CRS84. ``place`` has the delivered geometry in
the reference system of its dataset, axes in the order of that system, or the outline in another system.
All places of one document are in one system, which its outermost object names (``/req/core/same-crs``).
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import orjson

from twin.model.cityobject import CityFeature
from twin.model.crs import Placer
from twin.model.geometry import Floats, Geometry
from twin.model.reference import ReferenceSystem, epsg

MEDIA_TYPE = "application/vnd.ogc.fg+json"
_CLASS = "http://www.opengis.net/spec/json-fg-1/1.0/conf/"
CONFORMS_TO = (f"{_CLASS}core", f"{_CLASS}polyhedra", f"{_CLASS}types-schemas")
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_DECIMALS = 3
_DECIMALS_OF_DEGREES = 8

SHARED = f"{_EPSG}4979"
"""The system of places of several systems: latitude, longitude and ellipsoidal height."""

Json: TypeAlias = dict[str, Any]
Coordinates: TypeAlias = Callable[[Floats], Floats]
"""From (n, 3) easting first, as stored, to (n, 3) as a document has them; NaN where that is unknown."""


def feature_text(geojson: bytes, feature_type: str, place: Json | orjson.Fragment | None) -> bytes:
    """A stored GeoJSON feature as one of JSON-FG."""
    return orjson.dumps(orjson.loads(geojson) | {"featureType": feature_type, "time": None, "place": place})


def root_members(system: str | list[str] | None) -> Json:
    """What the outermost object tells: ``system`` is that of all places, which may be compound."""
    return {"conformsTo": CONFORMS_TO} | ({} if system is None else {"coordRefSys": system})


def compound_system(horizontal: int | None, vertical: int | None) -> list[str] | None:
    """The systems of coordinates with heights; None where either is not stated."""
    if horizontal is None or vertical is None:
        return None
    return [f"{_EPSG}{horizontal}", f"{_EPSG}{vertical}"]


@lru_cache(maxsize=64)
def delivered(horizontal: int) -> Coordinates:
    """Coordinates as they were delivered, in the order of axes of their system."""
    axes = [1, 0, 2] if epsg(horizontal).axis_info[0].direction == "north" else [0, 1, 2]
    return lambda xyz: np.round(xyz[:, axes], _DECIMALS)


@lru_cache(maxsize=64)
def shared(horizontal: int, vertical: int) -> Coordinates:
    """Coordinates in ``SHARED``."""
    placer = Placer.create(ReferenceSystem(horizontal, vertical))

    def coordinates(xyz: Floats) -> Floats:
        found = placer.located(xyz)
        degrees = np.round(found.lonlat[:, ::-1], _DECIMALS_OF_DEGREES)
        return np.column_stack([degrees, np.round(found.height, _DECIMALS)])

    return coordinates


def place(feature: CityFeature, coordinates: Coordinates) -> Json | None:
    """The finest surfaces or solids of each object of a feature; None where there are none, or nowhere.

    A collection of geometries may not have solids: beside surfaces they are the faces of their shells.
    """
    finest = [geometry for item in feature if (geometry := _finest(item.geometries)) is not None]
    placed = [(geometry, coordinates(geometry.xyz)) for geometry in finest]
    if not placed or not all(np.isfinite(xyz).all() for _, xyz in placed):
        return None
    solids = [solid for geometry, xyz in placed for solid in _solids(geometry, xyz)]
    if all(geometry.is_solid for geometry in finest):
        return _one_or_many("Polyhedron", "MultiPolyhedron", solids)
    faces = [face for solid in solids for shell in solid for face in shell]
    return {"type": "MultiPolygon", "coordinates": faces}


def _finest(geometries: Iterable[Geometry]) -> Geometry | None:
    placed = (_in_place(geometry) for geometry in geometries)
    return max((g for g in placed if g.dimension == 2), key=lambda g: (g.lod, g.is_solid), default=None)


def _in_place(geometry: Geometry) -> Geometry:
    return geometry if geometry.instance is None else geometry.instance.placed(geometry.xyz[0])


def _one_or_many(one: str, many: str, members: Sequence[Any]) -> Json:
    if len(members) == 1:
        return {"type": one, "coordinates": members[0]}
    return {"type": many, "coordinates": members}


def _solids(geometry: Geometry, xyz: Floats) -> list[Any]:
    """Coordinates by solid, shell, face and closed ring."""
    points = xyz.tolist()
    rings = [[*points[start:stop], points[start]] for start, stop in pairwise(geometry.ring_start.tolist())]
    levels: list[Any] = rings
    for offsets in (geometry.surface_start, geometry.shell_start, geometry.solid_start):
        levels = [levels[start:stop] for start, stop in pairwise(offsets.tolist())]
    return levels
