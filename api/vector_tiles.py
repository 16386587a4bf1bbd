"""OGC API Tiles: footprints as Mapbox Vector Tiles in WebMercatorQuad, with TileJSON and a style."""

from typing import Any

from fastapi import APIRouter, Request, Response

from api.collections import ChosenMapped
from api.dependencies import Reader
from api.parameters import FILTER_ID, SELECTION, documented
from api.tile_requests import (
    PROPERTIES,
    MappedProperties,
    WantedCell,
    answer,
    carried_query,
    revision_etag,
)
from tiles.build import VectorRequest
from tiles.tileset import encode_query

router = APIRouter(tags=["Tiles"])

MEDIA_TYPE = "application/vnd.mapbox-vector-tile"
MAX_ZOOM = 16
"""Footprints are whole from here on, and clients enlarge them."""

_FOLDER = "/collections/{collection}/tiles/WebMercatorQuad"
_DOCUMENTED = documented(*SELECTION, FILTER_ID, PROPERTIES)


@router.get(f"{_FOLDER}/tilejson.json", summary="TileJSON of the vector tiles", openapi_extra=_DOCUMENTED)
async def tilejson(
    request: Request, collection: str, selection: ChosenMapped, properties: MappedProperties
) -> dict[str, Any]:
    """TileJSON 3.0: where the tiles are, with the same filter, and the fields of their one layer."""
    query = encode_query(carried_query(request, selection.collection))
    folder = str(request.url_for("tilejson", collection=collection)).removesuffix("/tilejson.json")
    return {
        "tilejson": "3.0.0",
        **VectorRequest(selection, properties).description,
        "tiles": [f"{folder}/{{z}}/{{y}}/{{x}}{query}"],
        "minzoom": 0,
        "maxzoom": MAX_ZOOM,
    }


@router.get(f"{_FOLDER}/style.json", summary="MapLibre style of the vector tiles", openapi_extra=_DOCUMENTED)
async def style(
    request: Request, collection: str, selection: ChosenMapped, properties: MappedProperties
) -> dict[str, Any]:
    """A style for MapLibre: filled footprints, standing up to their height where tiles have one."""
    query = encode_query(carried_query(request, selection.collection))
    source = {
        "type": "vector",
        "url": f"{request.url_for('tilejson', collection=collection)}{query}",
    }
    layer: dict[str, Any] = {"id": collection, "source": collection, "source-layer": collection}
    if "height_m" in properties:
        height: list[Any] = ["coalesce", ["get", "height_m"], 3]
        paint: dict[str, Any] = {"fill-extrusion-color": "#c9b8a3", "fill-extrusion-height": height}
        layer |= {"type": "fill-extrusion", "paint": paint}
    else:
        layer |= {"type": "fill", "paint": {"fill-color": "#c9b8a3", "fill-outline-color": "#7d6f60"}}
    return {
        "version": 8,
        "name": selection.collection.title,
        "sources": {collection: source},
        "layers": [layer],
    }


@router.get(
    f"{_FOLDER}/{{level:int}}/{{y:int}}/{{x:int}}",
    summary="Vector tile",
    responses={204: {"description": "Nothing is there"}},
    openapi_extra=_DOCUMENTED,
)
async def footprints(
    request: Request,
    pool: Reader,
    selection: ChosenMapped,
    cell: WantedCell,
    properties: MappedProperties,
) -> Response:
    """Footprints in a layer named as the collection; 204 where there are none."""
    etag = await revision_etag(request, selection.view)

    async def build() -> tuple[str, bytes]:
        return etag, await pool.fetch_value(VectorRequest(selection, properties).tile(cell)) or b""

    return await answer(request, etag, MEDIA_TYPE, build)
