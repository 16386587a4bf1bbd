"""OGC API Features Part 1: pages of features, and one feature as GeoJSON or CityJSON."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from api import parameters
from api.cityjson import cityjson_item
from api.collections import Asked, Chosen
from api.conditional import cache_headers, entity_tag, matches, not_modified
from api.dependencies import CurrentView, Reader, service
from api.links import CITYJSON, GEOJSON, JSON, Link, base, link, link_header, with_query
from api.paging import CURSOR, SORTBY, cursor, position, sorts
from api.parameters import DATETIME, SCENARIO, SELECTION, Parameter, documented
from twin.db.collections import BUILDINGS, ROOF_SURFACES
from twin.db.feature_query import Sort, item, item_count, items
from twin.db.pool import Row
from twin.db.query import Collection, Selection, View
from twin.db.queryables import UPDATED
from twin.errors import InvalidParameter, NotFound
from twin.formats import geojson

router = APIRouter()

DEFAULT_LIMIT = 100

LIMIT = Parameter(
    "limit",
    "The largest number of features in the answer; above the maximum, the maximum is taken.",
    {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT},
    10,
)
PROPERTIES = Parameter(
    "properties",
    "Names of the properties to include, separated by commas; `attributes` are the source's originals.",
    {"type": "array", "items": {"type": "string"}},
    ["height_m", "current_use"],
)
COUNT = Parameter(
    "count",
    "Whether to count all features that match (`numberMatched`), which takes time.",
    {"type": "string", "enum": ["none", "exact"], "default": "none"},
)
FORMAT_ITEMS = Parameter("f", "The format.", {"type": "string", "enum": ["json", "geojson"]})
FORMAT_ITEM = Parameter("f", "The format.", {"type": "string", "enum": ["json", "geojson", "cityjson"]})
ITEM_PARAMETERS = documented(LIMIT, CURSOR, SORTBY, PROPERTIES, COUNT, FORMAT_ITEMS, *SELECTION)


def _geojson_response(description: str) -> dict[int | str, dict[str, Any]]:
    return {
        200: {"description": description, "content": {GEOJSON: {"schema": {"type": "object"}}}},
    }


@router.get(
    "/collections/{collection}/items",
    summary="Features of a collection",
    tags=["Features"],
    responses=_geojson_response("A page of features as a GeoJSON FeatureCollection"),
    openapi_extra=ITEM_PARAMETERS,
)
async def get_items(request: Request, collection: str, selection: Chosen, pool: Reader) -> Response:
    """In order of their ids or of `sortby`. Follow the `next` link for more."""
    page = _page(request, selection)
    view = selection.view
    tag = entity_tag(request, await service(request).revisions.digest(), view.scopes)
    headers = cache_headers(tag, view.scopes)
    if matches(request, tag):
        return not_modified(headers)
    rows = await pool.fetch(items(selection, page.limit + 1, page.after, order=page.order))
    shown = rows[: page.limit]
    links = _page_links(request, collection)
    if len(rows) > page.limit:
        address = with_query(request, {CURSOR.name: cursor(selection, page.order, shown[-1])})
        links.append(link(address, "next", GEOJSON, "The next page"))
    members: dict[str, Any] = {"numberReturned": len(shown), "timeStamp": _now(), "links": links}
    if page.counted:
        members["numberMatched"] = await pool.fetch_value(item_count(selection))
    texts: Iterable[str] = (row["geojson"] for row in shown)
    if page.shape is not None:
        texts = map(page.shape, texts)
    body = geojson.feature_collection(texts, members)
    return Response(body, headers={**headers, "Link": link_header(links)}, media_type=GEOJSON)


@dataclass(frozen=True, slots=True)
class _Page:
    """What a request wants of a page; ``shape`` changes the text of each feature."""

    limit: int
    order: tuple[Sort, ...]
    after: tuple[Any, ...] | None
    counted: bool
    shape: Callable[[str], str] | None


def _page(request: Request, selection: Selection) -> _Page:
    given = request.query_params
    parameters.choice(given, FORMAT_ITEMS.name, ("json", "geojson"), "json")
    order = sorts(parameters.names(given, SORTBY.name), selection.queryables)
    return _Page(
        limit=parameters.count(given, LIMIT.name, DEFAULT_LIMIT, service(request).settings.max_limit),
        order=order,
        after=position(selection, order, given.get(CURSOR.name)),
        counted=parameters.choice(given, COUNT.name, ("none", "exact"), "none") == "exact",
        shape=_shape(selection.view, selection.collection, parameters.names(given, PROPERTIES.name)),
    )


def _shape(view: View, collection: Collection, names: tuple[str, ...] | None) -> Callable[[str], str] | None:
    """How to change the stored text of a feature; None where it is served as it is."""
    hidden = {a.name for a in collection.attributes if a.access not in view.scopes}
    if collection.attributes and "personal" not in view.scopes:
        # Original attributes may repeat what is hidden, under names of their own.
        hidden.add(geojson.ORIGINALS)
    if names is not None:
        for name in names:
            _check_name(view, collection, name, hidden)
        return lambda feature: geojson.with_properties(feature, names)
    return (lambda feature: geojson.without_properties(feature, hidden)) if hidden else None


def _check_name(view: View, collection: Collection, name: str, hidden: set[str]) -> None:
    declared, queryables = bool(collection.attributes), collection.queryables(view)
    if declared and name == UPDATED and name in queryables:
        raise InvalidParameter(f"'{UPDATED}' is to filter and sort by and not in the answers.")
    if not declared or name != geojson.ORIGINALS:
        queryables.get(name, InvalidParameter)
    elif name in hidden:
        raise InvalidParameter(
            f"The property '{name}' may hold personal data and is not open to this request."
        )


def _page_links(request: Request, collection: str) -> list[Link]:
    query = f"?{request.url.query}" if request.url.query else ""
    about = f"{base(request)}/collections/{collection}"
    return [
        link(f"{about}/items{query}", "self", GEOJSON, "This page"),
        link(about, "collection", JSON, "The collection"),
    ]


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@router.get(
    "/collections/{collection}/items/{id:path}",
    summary="One feature",
    tags=["Features"],
    responses=_geojson_response("A GeoJSON Feature, or with `f=cityjson` a CityJSON object"),
    openapi_extra=documented(FORMAT_ITEM, DATETIME, SCENARIO),
)
async def get_item(
    request: Request, collection: str, id: str, view: CurrentView, asked: Asked, pool: Reader
) -> Response:
    """As GeoJSON with its footprint, or with `f=cityjson` with its geometry as it was delivered."""
    form = parameters.choice(request.query_params, FORMAT_ITEM.name, ("json", "geojson", "cityjson"), "json")
    row = None if "\0" in id else await pool.fetch_one(item(view, asked, id))
    if row is None:
        raise NotFound(f"There is no item '{id[:80]}' in the collection '{collection}'.")
    revision = asked.revision or row["row_hash"].hex()
    headers = cache_headers(entity_tag(request, revision, view.scopes), view.scopes)
    if matches(request, headers["ETag"]):
        return not_modified(headers)
    if form == "cityjson":
        if not asked.solids:
            raise InvalidParameter(f"'{collection}' has no CityJSON; leave 'f' out.")
        return Response(await cityjson_item(pool, view, row), headers=headers, media_type=CITYJSON)
    links = _item_links(base(request), asked, row)
    shape = _shape(view, asked, None)
    text = row["geojson"] if shape is None else shape(row["geojson"])
    headers["Link"] = link_header(links)
    return Response(geojson.with_links(text, links), headers=headers, media_type=GEOJSON)


def _item_links(here: str, asked: Collection, row: Row) -> list[Link]:
    about = f"{here}/collections/{asked.name}"
    address = f"{about}/items/{_quoted(row['id'])}"
    links = [link(address, "self", GEOJSON, "This feature")]
    if asked.solids:
        solid = link(f"{address}?f=cityjson", "alternate", CITYJSON, "This feature with its solids")
        links.append(solid)
    links.append(link(about, "collection", JSON, "The collection"))
    if asked is BUILDINGS:
        faces = f"{here}/collections/{ROOF_SURFACES.name}/items?building={_quoted(row['id'])}"
        links.append(link(faces, "related", GEOJSON, "Its roof surfaces"))
    if asked is ROOF_SURFACES:
        building = f"{here}/collections/{BUILDINGS.name}/items/{_quoted(row['building'])}"
        links.append(link(building, "up", GEOJSON, "The building that it covers"))
    return links


def _quoted(id: str) -> str:
    return quote(id, safe=":")
