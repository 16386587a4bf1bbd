"""What the routes of 3D tiles and vector tiles share: cells, properties, and answers with an ETag."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

from anyio import to_thread
from fastapi import Depends, Request, Response

from api import kept_filters, parameters
from api.collections import Asked, taken
from api.compression import Encoded, accepted
from api.conditional import cache_headers, entity_tag, matches, not_modified
from api.dependencies import CurrentView, service
from api.parameters import Parameter
from api.query import parameters_of
from api.security.caller import caller_of
from api.tile_memory import memory
from tiles.build import ENCODER_VERSION
from tiles.glb import PROFILES
from tiles.metadata import DEFAULT_PROPERTIES, SURFACE_PROPERTIES
from tiles.store import TileStore
from twin.db.query import Collection, View
from twin.db.queryables import GEOMETRY, UPDATED
from twin.errors import InvalidParameter, NotFound
from twin.model.cells import LEVEL, Cell

PROPERTIES = Parameter(
    "properties",
    "The properties of each feature beside its id, separated by commas. Without it: "
    f"{', '.join(DEFAULT_PROPERTIES)}. In 3D tiles also those of each surface: "
    f"{', '.join(SURFACE_PROPERTIES)}.",
    {"type": "array", "items": {"type": "string"}},
    ["height_m", "year_of_construction"],
)

PROFILE = Parameter(
    "profile",
    "How the geometry of 3D tiles is written: with EXT_meshopt_compression, 'compact' also without normals "
    "and in steps of 3 cm, 'lean' without ground surfaces too, 'plain' for clients without the extension.",
    {"type": "string", "enum": list(PROFILES), "default": PROFILES[0]},
    "compact",
)

THEME = Parameter(
    "theme",
    "With profile=textured: which theme of the source's appearances is shown; objects without it have plain "
    "colours. Without it: the one that the source wants to be shown, else the one with most textures.",
    {"type": "string"},
    "winter",
)

LOD = Parameter(
    "lod",
    "The level of detail of the meshes, as the source states it; what has no such mesh is not shown. "
    "Without it: the highest of each object.",
    {"type": "string"},
    "2.2",
)

_CARRIED = [
    parameter.name
    for parameter in (*parameters.SELECTION, parameters.FILTER_ID, LOD, PROPERTIES, PROFILE, THEME)
]


async def wanted_cell(level: int, x: int, y: int) -> Cell:
    """The cell that the path names; NotFound where the grid has none."""
    cell = Cell(level, x, y)
    if not cell.exists:
        raise NotFound(f"WebMercatorQuad has no cell {level}/{x}/{y}; levels are 0 to {LEVEL}.")
    return cell


@dataclass(frozen=True, slots=True)
class Properties:
    """What a tile is to tell: of each feature, and of each of its surfaces."""

    of_features: tuple[str, ...]
    of_surfaces: tuple[str, ...] = ()


async def solid_properties(request: Request, view: CurrentView, collection: Asked) -> Properties:
    """The properties that a request of 3D tiles names, each once; the default without any."""
    names = parameters.names(parameters_of(request), PROPERTIES.name)
    if names is None:
        return Properties(_properties(view, collection, None))
    of_surfaces = tuple(name for name in dict.fromkeys(names) if name in SURFACE_PROPERTIES)
    rest = [name for name in names if name not in SURFACE_PROPERTIES]
    return Properties(_properties(view, collection, rest), of_surfaces)


async def mapped_properties(request: Request, view: CurrentView, collection: Asked) -> tuple[str, ...]:
    """The properties that a request of vector tiles names, each once; the default without any."""
    return _properties(view, collection, parameters.names(parameters_of(request), PROPERTIES.name))


def _properties(view: View, collection: Collection, names: Sequence[str] | None) -> tuple[str, ...]:
    if names is None:
        shown = (a for a in collection.attributes if a.in_tiles and a.access in view.scopes)
        return tuple(attribute.name for attribute in shown)
    queryables = collection.queryables(view)
    found = [queryables.get(name, InvalidParameter).name for name in names]
    for name in (GEOMETRY, UPDATED):
        if name in found:
            raise InvalidParameter(f"'{name}' is no property of a tile.")
    return tuple(name for name in dict.fromkeys(found) if name != "id")


WantedCell = Annotated[Cell, Depends(wanted_cell)]
SolidProperties = Annotated[Properties, Depends(solid_properties)]
MappedProperties = Annotated[tuple[str, ...], Depends(mapped_properties)]


def carried_query(request: Request, collection: Collection) -> tuple[tuple[str, str], ...]:
    """The parameters that nested addresses carry, in order of their names: as they were given, but for
    a long filter."""
    given = kept_filters.shortened(request)
    return tuple((name, given[name]) for name in sorted(taken(_CARRIED, collection)) if name in given)


async def revision_etag(request: Request, view: View) -> str:
    """An ETag of the address and the revisions of all datasets, for what has no digest of its own."""
    revision = await service(request).revisions.digest()
    return entity_tag(request, f"{revision} {ENCODER_VERSION}", view.scopes)


async def answer(
    request: Request,
    etag: str,
    media_type: str,
    build: Callable[[], Awaitable[tuple[str, bytes]]],
    store: TileStore | None = None,
) -> Response:
    """304 if the client has it, else from the cache or a store, else built; ``build`` gives ETag and body.

    The ETag of what was built may be newer than the one asked for. An empty body becomes 204.
    """
    scopes = caller_of(request).levels
    if matches(request, etag):
        return not_modified(cache_headers(etag, scopes))
    known, coding = memory(request), accepted(request.headers)
    kept = known.body(etag)
    if kept is None:
        body = None if store is None else await to_thread.run_sync(store.read, etag)
        if body is None:
            etag, body = await build()
        kept = Encoded(body, None)
    # Compressing takes longer than all else where a tile is at hand, so that it is kept as it travels.
    tile = kept.to(coding)
    known.keep(etag, tile)
    headers = cache_headers(etag, scopes)
    if not tile.body:
        return Response(status_code=204, headers=headers)
    if tile.coding is not None:
        headers["Content-Encoding"] = tile.coding
    return Response(tile.body, media_type=media_type, headers=headers)
