"""One object of the city model as binary glTF, to be looked at by itself."""

from anyio import to_thread

from tiles.build import WORLD, TileRequest, build_object
from tiles.tileset import Tile
from twin.db.filters import compile_filter, equals
from twin.db.pool import ReadPool, Row
from twin.db.query import Collection, Selection, View
from twin.errors import NotFound


async def one_object(pool: ReadPool, view: View, asked: Collection, row: Row) -> bytes:
    """A GLB that every reader of glTF opens: metres from the middle of its bounding box, on the ellipsoid.

    East is x, up is y, south is z. ``row`` is that of `twin.db.feature_query.item`. NotFound where the
    object has no place or no mesh.
    """
    queryables = asked.queryables(view)
    itself = compile_filter(equals("id", row["id"], queryables), queryables)
    dataset = row["id"].removesuffix(f".{row['object_id']}")
    shown = tuple(a.name for a in asked.attributes if a.in_tiles and a.access in view.scopes)
    wanted = TileRequest(Selection(view, asked, (dataset,), (itself,)), None, shown, profile="plain")
    found = await pool.fetch_one(wanted.members(Tile(WORLD), mesh=True))
    if found is None or row["west"] is None:
        raise NotFound(f"Of '{row['id'][:80]}' there is no model: it has no place or no faces.")
    middle = (row["west"] + row["east"]) / 2, (row["south"] + row["north"]) / 2
    return await to_thread.run_sync(build_object, wanted, found, middle)
