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
    members = [
        member if "personal" in view.scopes else replace(member, attributes={}, addresses=(), extra={})
        for feature in objects.features(rows, geometries)
        for member in feature
    ]
    reference = None if epsg is None else f"{EPSG}{epsg}"
    return orjson.dumps(cityjson_document(members, reference))
