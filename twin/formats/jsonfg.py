"""JSON-FG 1.0 (OGC 21-045r1): GeoJSON with solids and other reference systems in ``place``.

``geometry`` stays what GeoJSON readers expect, the outline in CRS84. ``place`` has the delivered geometry in
the reference system of its dataset, axes in the order of that system, or the outline in another system.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import orjson

from twin.model.cityobject import CityFeature
from twin.model.geometry import Geometry
from twin.model.reference import epsg

MEDIA_TYPE = "application/vnd.ogc.fg+json"
_CLASS = "http://www.opengis.net/spec/json-fg-1/1.0/conf/"
CONFORMS_TO = (f"{_CLASS}core", f"{_CLASS}polyhedra", f"{_CLASS}types-schemas")
_EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
_DECIMALS = 3

Json: TypeAlias = dict[str, Any]


def feature_text(
    geojson: bytes, feature_type: str, place: Json | orjson.Fragment | None, system: str | list[str] | None
) -> bytes:
    """A stored GeoJSON feature as one of JSON-FG; ``system`` is that of ``place``, which may be compound."""
    document = orjson.loads(geojson)
    more: Json = {"featureType": feature_type, "time": None, "place": place}
    if place is not None and system is not None:
        more["coordRefSys"] = system
    return orjson.dumps(document | more)


def compound_system(horizontal: int | None, vertical: int | None) -> list[str] | None:
    """The systems of coordinates with heights; None where either is not stated."""
    if horizontal is None or vertical is None:
        return None
    return [f"{_EPSG}{horizontal}", f"{_EPSG}{vertical}"]


def place(feature: CityFeature, horizontal: int) -> Json | None:
    """The finest surfaces or solids of each object of a feature; None where there are none."""
    finest = [geometry for item in feature if (geometry := _finest(item.geometries)) is not None]
    flip = _north_first(horizontal)
    solids = [solid for geometry in finest if geometry.is_solid for solid in _solids(geometry, flip=flip)]
    surfaces = [
        face
        for geometry in finest
        if not geometry.is_solid
        for solid in _solids(geometry, flip=flip)
        for shell in solid
        for face in shell
    ]
    found: list[Json] = []
    if solids:
        found.append(_one_or_many("Polyhedron", "MultiPolyhedron", solids))
    if surfaces:
        found.append({"type": "MultiPolygon", "coordinates": surfaces})
    if len(found) > 1:
        return {"type": "GeometryCollection", "geometries": found}
    return found[0] if found else None


def _finest(geometries: Iterable[Geometry]) -> Geometry | None:
    placed = (_in_place(geometry) for geometry in geometries)
    return max((g for g in placed if g.dimension == 2), key=lambda g: (g.lod, g.is_solid), default=None)


def _in_place(geometry: Geometry) -> Geometry:
    return geometry if geometry.instance is None else geometry.instance.placed(geometry.xyz[0])


def _one_or_many(one: str, many: str, members: Sequence[Any]) -> Json:
    if len(members) == 1:
        return {"type": one, "coordinates": members[0]}
    return {"type": many, "coordinates": members}


def _solids(geometry: Geometry, *, flip: bool) -> list[Any]:
    """Coordinates by solid, shell, face and closed ring."""
    xyz = np.round(geometry.xyz[:, [1, 0, 2]] if flip else geometry.xyz, _DECIMALS).tolist()
    rings = [[*xyz[start:stop], xyz[start]] for start, stop in pairwise(geometry.ring_start.tolist())]
    levels: list[Any] = rings
    for offsets in (geometry.surface_start, geometry.shell_start, geometry.solid_start):
        levels = [levels[start:stop] for start, stop in pairwise(offsets.tolist())]
    return levels


@lru_cache(maxsize=64)
def _north_first(code: int) -> bool:
    return epsg(code).axis_info[0].direction == "north"
