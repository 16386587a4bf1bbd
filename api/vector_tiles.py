"""OGC API Tiles: footprints as Mapbox Vector Tiles in WebMercatorQuad."""

from fastapi import APIRouter, Request, Response

from api.collections import ChosenMapped
from api.dependencies import Reader
from api.parameters import SELECTION, documented
from api.tile_requests import PROPERTIES, MappedProperties, WantedCell, answer, revision_etag
from twin.db.tile_query import vector_tile

router = APIRouter(tags=["Tiles"])

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"


@router.get(
    "/collections/{collection}/tiles/WebMercatorQuad/{level:int}/{y:int}/{x:int}",
    summary="Vector tile",
    openapi_extra=documented(*SELECTION, PROPERTIES),
)
async def footprints(
    request: Request,
    pool: Reader,
    collection: str,
    selection: ChosenMapped,
    cell: WantedCell,
    properties: MappedProperties,
) -> Response:
    """Footprints in a layer named as the collection; 204 where there are none."""
    etag = await revision_etag(request, selection.view)

    async def build() -> tuple[str, bytes]:
        return etag, await pool.fetch_value(vector_tile(selection, collection, cell, properties)) or b""

    return await answer(request, etag, MEDIA_TYPE, build)
