"""OGC API Features Part 1: pages of features, and one feature as GeoJSON or CityJSON."""

import base64
import binascii
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from api import parameters
from api.cityjson import cityjson_item
from api.conditional import cache_headers, entity_tag, matches, not_modified
from api.dependencies import CurrentView, Reader, Selected, service
from api.links import CITYJSON, GEOJSON, JSON, Link, base, link, link_header, with_query
from api.parameters import DATETIME, SCENARIO, SELECTION, Parameter, documented
from twin.db.feature_query import item, item_count, items
from twin.db.query import Selection, View
from twin.db.queryables import feature_queryables, visible_attributes
from twin.errors import InvalidParameter, NotFound
from twin.formats import geojson
from twin.model.attributes import CATALOGUE

router = APIRouter()

DEFAULT_LIMIT = 100
_DIGEST_BYTES = 8

LIMIT = Parameter(
    "limit",
    "The largest number of features in the answer; above the maximum, the maximum is taken.",
    {"type": "integer", "minimum": 1, "default": DEFAULT_LIMIT},
    10,
)
CURSOR = Parameter("cursor", "Where to go on, from the `next` link of a page of the same request.")
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
ITEM_PARAMETERS = documented(LIMIT, CURSOR, PROPERTIES, COUNT, FORMAT_ITEMS, *SELECTION)


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
async def get_items(request: Request, collection: str, selection: Selected, pool: Reader) -> Response:
    """In order of their ids. Follow the `next` link for more."""
    page = _page(request, selection)
    view = selection.view
    tag = entity_tag(request, await service(request).revisions.digest(), view.scopes)
    headers = cache_headers(tag, view.scopes)
    if matches(request, tag):
        return not_modified(headers)
    rows = await pool.fetch(items(selection, page.limit + 1, page.after))
    shown = rows[: page.limit]
    links = _page_links(request, collection)
    if len(rows) > page.limit:
        address = with_query(request, {CURSOR.name: _cursor(selection, shown[-1]["id"])})
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
    after: str | None
    counted: bool
    shape: Callable[[str], str] | None


def _page(request: Request, selection: Selection) -> _Page:
    given = request.query_params
    parameters.choice(given, FORMAT_ITEMS.name, ("json", "geojson"), "json")
    cursor = given.get(CURSOR.name)
    return _Page(
        limit=parameters.count(given, LIMIT.name, DEFAULT_LIMIT, service(request).settings.max_limit),
        after=None if cursor is None else _after(selection, cursor),
        counted=parameters.choice(given, COUNT.name, ("none", "exact"), "none") == "exact",
        shape=_shape(selection.view, parameters.names(given, PROPERTIES.name)),
    )


def _shape(view: View, names: tuple[str, ...] | None) -> Callable[[str], str] | None:
    """How to change the stored text of a feature; None where it is served as it is."""
    opened = {attribute.name for attribute in visible_attributes(view)}
    hidden = {attribute.name for attribute in CATALOGUE} - opened
    if hidden:
        # Original attributes may repeat what is hidden, under names of their own.
        hidden.add(geojson.ORIGINALS)
    if names is not None:
        _check_names(view, names, hidden)
        return lambda feature: geojson.with_properties(feature, names)
    return (lambda feature: geojson.without_properties(feature, hidden)) if hidden else None


def _check_names(view: View, names: tuple[str, ...], hidden: set[str]) -> None:
    for name in names:
        if name != geojson.ORIGINALS:
            feature_queryables(view).get(name, InvalidParameter)
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


def _cursor(selection: Selection, last_id: str) -> str:
    """Where a page ended, bound to what was asked; the limit may change between pages."""
    return base64.urlsafe_b64encode(selection.digest() + last_id.encode()).decode().rstrip("=")


def _after(selection: Selection, cursor: str) -> str:
    try:
        decoded = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, last_id = decoded[:_DIGEST_BYTES], decoded[_DIGEST_BYTES:].decode()
    except (binascii.Error, ValueError):
        digest, last_id = b"", ""
    if not last_id or "\0" in last_id:
        raise InvalidParameter("'cursor' is not one of ours. Follow the 'next' link of a page.")
    if digest != selection.digest():
        raise InvalidParameter(
            "'cursor' belongs to another request: its filter, bbox, datetime or datasets differ. "
            "Start again without a cursor."
        )
    return last_id


@router.get(
    "/collections/{collection}/items/{id:path}",
    summary="One feature",
    tags=["Features"],
    responses=_geojson_response("A GeoJSON Feature, or with `f=cityjson` a CityJSON object"),
    openapi_extra=documented(FORMAT_ITEM, DATETIME, SCENARIO),
)
async def get_item(request: Request, collection: str, id: str, view: CurrentView, pool: Reader) -> Response:
    """As GeoJSON with its footprint, or with `f=cityjson` with its geometry as it was delivered."""
    form = parameters.choice(request.query_params, FORMAT_ITEM.name, ("json", "geojson", "cityjson"), "json")
    row = None if "\0" in id else await pool.fetch_one(item(view, collection, id))
    if row is None:
        raise NotFound(f"There is no item '{id[:80]}' in the collection '{collection}'.")
    headers = cache_headers(entity_tag(request, row["row_hash"].hex(), view.scopes), view.scopes)
    if matches(request, headers["ETag"]):
        return not_modified(headers)
    if form == "cityjson":
        return Response(await cityjson_item(pool, view, row), headers=headers, media_type=CITYJSON)
    links = _item_links(request, collection, row["id"])
    shape = _shape(view, None)
    text = row["geojson"] if shape is None else shape(row["geojson"])
    headers["Link"] = link_header(links)
    return Response(geojson.with_links(text, links), headers=headers, media_type=GEOJSON)


def _item_links(request: Request, collection: str, id: str) -> list[Link]:
    about = f"{base(request)}/collections/{collection}"
    address = f"{about}/items/{quote(id, safe=':')}"
    return [
        link(address, "self", GEOJSON, "This feature"),
        link(f"{address}?f=cityjson", "alternate", CITYJSON, "This feature with its solids"),
        link(about, "collection", JSON, "The collection"),
    ]
