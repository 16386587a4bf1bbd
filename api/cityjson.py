"""One item as CityJSON 2.0: native coordinates, all LoDs, parts and original attributes."""

from collections.abc import Sequence
from dataclasses import replace

import orjson
from anyio import to_thread

from twin.db import objects
from twin.db.pool import ReadPool, Row
from twin.db.query import View
from twin.errors import InvalidParameter
from twin.formats.cityjson import cityjson_document
from twin.model.cityobject import CityObject
from twin.model.geometry import Geometry

EPSG = "https://www.opengis.net/def/crs/EPSG/0/"


async def cityjson_item(pool: ReadPool, view: View, item: Row) -> bytes:
    """The document of an item, a row of `twin.db.feature_query.item`."""
    if view.as_of is not None:
        raise InvalidParameter("f=cityjson shows the present only; leave 'datetime' out or use GeoJSON.")
    chosen = item["dataset_id"], [item["object_id"]]
    rows = await pool.fetch(objects.object_rows(*chosen))
    geometries = await pool.fetch(objects.geometry_rows(*chosen))
    return await to_thread.run_sync(_document, view, item["horizontal_epsg"], rows, geometries)


def _document(view: View, epsg: int | None, rows: Sequence[Row], geometries: Sequence[Row]) -> bytes:
    members = [member for feature in objects.features(rows, geometries) for member in feature]
    if "personal" not in view.scopes:
        members = [_without_originals(member) for member in members]
    reference = None if epsg is None else f"{EPSG}{epsg}"
    return orjson.dumps(cityjson_document(members, reference))


def _without_originals(member: CityObject) -> CityObject:
    """Without what the source says of an object and of its surfaces, in which there may be anything."""
    shapes = tuple(map(_without_attributes, member.geometries))
    return replace(member, attributes={}, addresses=(), extra={}, geometries=shapes)


def _without_attributes(shape: Geometry) -> Geometry:
    instance = shape.instance
    if instance is not None:
        instance = replace(instance, template=_without_attributes(instance.template))
    semantics = tuple(surface._replace(attributes={}) for surface in shape.semantics)
    return replace(shape, semantics=semantics, instance=instance)
