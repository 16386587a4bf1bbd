"""3D Tiles 1.1 on request: nested tilesets, GLB tiles, and their attributes as Arrow."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from anyio import to_thread
from fastapi import APIRouter, Depends, Path, Request, Response

from api.catalog import extent
from api.collections import ChosenSolid
from api.dependencies import Reader, service
from api.links import GEOJSON, OGC, SCHEMA_JSON, link
from api.parameters import FILTER_ID, SELECTION, choice, documented
from api.query import parameters_of
from api.tile_memory import memory, remembering
from api.tile_requests import (
    LOD,
    PROFILE,
    PROPERTIES,
    THEME,
    SolidProperties,
    WantedCell,
    answer,
    carried_query,
    revision_etag,
)
from tiles import glb, sidecar
from tiles.build import (
    WORLD,
    TileRequest,
    build_joint_tileset,
    build_sidecar,
    build_tile,
    build_tileset,
    digest_of,
    images_of,
    lack_templates,
    limits_of,
)
from tiles.store import TileStore, folder_of
from tiles.tileset import Tile
from twin.db.collections import WHOLE
from twin.db.pool import ReadPool
from twin.db.query import Collection
from twin.errors import InvalidParameter, NotFound
from twin.model.cells import Cell

router = APIRouter(tags=["3D Tiles"], lifespan=remembering)

JSON_TYPE = "application/json"
TILESET_TYPE = "application/json+3dtiles"

_FOLDER = "/collections/{collection}/3dtiles"
_CELL = "{level:int}/{x:int}/{y:int}"
_WHOLE = 10_000
"""As many objects have one tileset, without nested ones: to open these one after the other takes longer."""
_BLOCKS = f"{_FOLDER}/{_CELL}/blocks-{{least_m:int}}"
_DOCUMENTED = documented(*SELECTION, FILTER_ID, LOD, PROPERTIES, PROFILE, THEME)


async def wanted_tiles(request: Request, selection: ChosenSolid, properties: SolidProperties) -> TileRequest:
    """The tiles that a request asks for."""
    profile, theme = _profile(request), parameters_of(request).get(THEME.name)
    if theme is not None and profile != "textured":
        raise InvalidParameter("'theme' chooses among textures: ask for profile=textured as well.")
    return TileRequest(
        selection,
        lod=parameters_of(request).get(LOD.name),
        properties=properties.of_features,
        surface_properties=properties.of_surfaces,
        profile=profile,
        theme=theme,
        query=carried_query(request, selection.collection),
        limits=limits_of(selection.collection),
    )


def _profile(request: Request) -> glb.Profile:
    return glb.named_profile(choice(parameters_of(request), PROFILE.name, glb.PROFILES, glb.PROFILES[0]))


WantedTiles = Annotated[TileRequest, Depends(wanted_tiles)]
LeastSize = Annotated[
    int, Path(description="Least height or width in metres of what is shown.", le=1_000_000)
]


@router.get("/3dtiles", summary="All 3D content")
async def content_of_all(request: Request) -> dict[str, Any]:
    """Where the tileset of everything is, and the collections of which it is made."""
    here = str(request.url_for("content_of_all"))
    tileset = str(request.url_for("tileset_of_all"))
    container = _container("3dtiles", "All collections", here, tileset, await extent(request, *WHOLE))
    return {**container, "children": [await _of_collection(request, collection) for collection in WHOLE]}


@router.get("/3dtiles/tileset.json", summary="Tileset of all collections", openapi_extra=_DOCUMENTED)
async def tileset_of_all(request: Request, pool: Reader, tiles: WantedTiles) -> Response:
    """One tileset over every collection and city, with the same filter."""
    parts = [
        (
            replace(
                tiles,
                selection=replace(tiles.selection, collection=collection),
                limits=limits_of(collection),
            ),
            f"../collections/{collection.name}/3dtiles/",
        )
        for collection in WHOLE
    ]
    etag = await revision_etag(request, tiles.selection.view)

    async def build() -> tuple[str, bytes]:
        rows = [await memory(request).counts(pool, part, WORLD) for part, _ in parts]
        found = [(part, up, counts) for (part, up), counts in zip(parts, rows, strict=True)]
        return etag, await to_thread.run_sync(build_joint_tileset, found)

    return await answer(request, etag, JSON_TYPE, build)


@router.get(_FOLDER, summary="3D content of a collection")
async def content_of_collection(request: Request, selection: ChosenSolid) -> dict[str, Any]:
    """Where the tileset of a collection is."""
    return await _of_collection(request, selection.collection)


async def _of_collection(request: Request, collection: Collection) -> dict[str, Any]:
    name = collection.name
    here = str(request.url_for("content_of_collection", collection=name))
    tileset = str(request.url_for("tileset_of_collection", collection=name))
    title, where = f"{collection.title} as 3D Tiles", await extent(request, collection)
    container = _container(name, title, here, tileset, where)
    about = here.removesuffix("/3dtiles")
    links = [
        *container["links"],
        link(str(request.url_for("content_of_all")), "parent", JSON_TYPE, "All collections"),
        link(about, "collection", JSON_TYPE, collection.title),
        link(f"{about}/items", "items", GEOJSON, f"{collection.title} as GeoJSON"),
        link(f"{about}/queryables", f"{OGC}queryables", SCHEMA_JSON, "What a filter of the tiles may name"),
    ]
    return {**container, "description": collection.description, "links": links}


def _container(name: str, title: str, here: str, tileset: str, where: dict[str, Any]) -> dict[str, Any]:
    """A 3D container after OGC API 3D GeoVolumes (22-029, draft), with its one content."""
    content = {**link(tileset, "original", TILESET_TYPE, title), "collectionType": "3dtiles"}
    described = {"id": name, "title": title, "collectionType": "3d-container", "extent": where}
    return {**described, "links": [link(here, "self", JSON_TYPE, title)], "content": [content]}


@router.get(f"{_FOLDER}/tileset.json", summary="Tileset of a collection", openapi_extra=_DOCUMENTED)
async def tileset_of_collection(request: Request, pool: Reader, tiles: WantedTiles) -> Response:
    """The root tileset; it and all that it refers to hold the selected objects only."""
    return await _tileset(request, pool, tiles, WORLD, nested=False)


@router.get(f"{_FOLDER}/{_CELL}/tileset.json", summary="Tileset of a cell", openapi_extra=_DOCUMENTED)
async def tileset_of_cell(request: Request, pool: Reader, tiles: WantedTiles, cell: WantedCell) -> Response:
    """A nested tileset, to which the root tileset refers."""
    return await _tileset(request, pool, tiles, cell, nested=True)


async def _tileset(
    request: Request, pool: ReadPool, tiles: TileRequest, cell: Cell, *, nested: bool
) -> Response:
    etag = await revision_etag(request, tiles.selection.view)

    async def build() -> tuple[str, bytes]:
        whole = tiles
        rows = await memory(request).counts(pool, tiles, cell)
        if sum(row["objects"] for row in rows) <= _WHOLE:
            whole = replace(tiles, limits=replace(tiles.limits, nested_at=()))
            rows = await memory(request).counts(pool, whole, cell)
        return etag, await to_thread.run_sync(partial(build_tileset, whole, cell, rows, nested=nested))

    return await answer(request, etag, JSON_TYPE, build)


@router.get(f"{_FOLDER}/{_CELL}.glb", summary="Tile", openapi_extra=_DOCUMENTED)
async def tile(request: Request, pool: Reader, tiles: WantedTiles, cell: WantedCell) -> Response:
    """The objects of a cell as binary glTF, with feature ids and a property table."""
    return await _glb(request, pool, tiles, Tile(cell))


@router.get(f"{_BLOCKS}.glb", summary="Tile of blocks", openapi_extra=_DOCUMENTED)
async def blocks(
    request: Request, pool: Reader, tiles: WantedTiles, cell: WantedCell, least_m: LeastSize
) -> Response:
    """The objects of a cell that are as high or wide as ``least_m``, as blocks in binary glTF."""
    return await _glb(request, pool, tiles, Tile(cell, least_m))


@router.get(f"{_FOLDER}/{_CELL}.arrow", summary="Attributes of a tile", openapi_extra=_DOCUMENTED)
async def tile_sidecar(request: Request, pool: Reader, tiles: WantedTiles, cell: WantedCell) -> Response:
    """The attributes of a tile as an Arrow stream: row i describes the feature with id i."""
    return await _arrow(request, pool, tiles, Tile(cell))


@router.get(f"{_BLOCKS}.arrow", summary="Attributes of a tile of blocks", openapi_extra=_DOCUMENTED)
async def blocks_sidecar(
    request: Request, pool: Reader, tiles: WantedTiles, cell: WantedCell, least_m: LeastSize
) -> Response:
    """The attributes of a tile of blocks as an Arrow stream: row i describes the feature with id i."""
    return await _arrow(request, pool, tiles, Tile(cell, least_m))


async def _glb(request: Request, pool: ReadPool, tiles: TileRequest, tile: Tile) -> Response:
    etag = await _digest_etag(request, pool, tiles, tile, "glb")

    async def build() -> tuple[str, bytes]:
        rows = await _meshes(pool, tiles, tile)
        shown = images_of(rows)
        images = await pool.fetch(shown) if shown else ()
        body = await to_thread.run_sync(build_tile, tiles, tile, rows, images)
        return tiles.etag("glb", tile, digest_of(rows)), body

    folder = folder_of(service(request).settings.home, tiles.selection.collection.name)
    return await answer(request, etag, glb.MEDIA_TYPE, build, TileStore(folder) if tiles.is_stored else None)


async def _arrow(request: Request, pool: ReadPool, tiles: TileRequest, tile: Tile) -> Response:
    if tiles.surface_properties:
        raise InvalidParameter(
            f"'{tiles.surface_properties[0]}' is of surfaces; this table is of features. Ask the GLB."
        )
    etag = await _digest_etag(request, pool, tiles, tile, "arrow")

    async def build() -> tuple[str, bytes]:
        rows = await pool.fetch(tiles.members(tile, mesh=False))
        if not rows:
            raise _no_tile(tile)
        body = await to_thread.run_sync(build_sidecar, tiles, rows)
        return tiles.etag("arrow", tile, digest_of(rows)), body

    return await answer(request, etag, sidecar.MEDIA_TYPE, build)


async def _digest_etag(request: Request, pool: ReadPool, tiles: TileRequest, tile: Tile, content: str) -> str:
    """The ETag of a tile as it is now; NotFound where there is none."""

    async def find() -> str:
        row = await pool.fetch_one(tiles.digest(tile))
        if row is None or row["digest"] is None:
            raise _no_tile(tile)
        if not tiles.is_servable(tile, row):
            raise NotFound(
                f"There is no tile {tile.path}: its {row['objects']} objects are divided "
                "into smaller tiles. Start at tileset.json."
            )
        return tiles.etag(content, tile, row["digest"])

    return await memory(request).tag(request, tiles.selection.view, pool, find)


async def _meshes(pool: ReadPool, tiles: TileRequest, tile: Tile) -> Sequence[Any]:
    for statement in tiles.meshes(tile):
        rows = await pool.fetch(statement)
        if not rows:
            break
        if not lack_templates(rows):
            return rows
    raise _no_tile(tile)


def _no_tile(tile: Tile) -> NotFound:
    return NotFound(
        f"The tile {tile.path} holds no objects of this selection. "
        "Start at tileset.json, which refers to those that do."
    )
