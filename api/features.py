"""OGC API Features Parts 1 and 2: pages of features, and one feature."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import orjson
from anyio import to_thread
from fastapi import APIRouter, Request, Response

from api import feature_memory, formats, parameters, solids
from api.collections import Asked, Chosen, systems_of
from api.conditional import cache_headers, entity_tag, matches, not_modified
from api.dependencies import CurrentView, Reader, service
from api.encoding import Encoding, encoding, item_with_place
from api.formats import Format
from api.html import features as pages
from api.html.language import LANG, language
from api.html.render import headers as page_headers
from api.links import (
    GEOJSON,
    JSON,
    OGC,
    SCHEMA_JSON,
    Link,
    base,
    link,
    link_header,
)
from api.one_object import one_object
from api.paging import CURSOR, SORTBY, cursor, position, sorts
from api.parameters import CRS, DATETIME, SCENARIO, SELECTION, Parameter, documented
from api.query import parameters_of, query_parts
from twin.db.collections import BUILDING_PARTS, BUILDINGS, ROOF_SURFACES
from twin.db.feature_query import Sort, item, item_count, items
from twin.db.pool import ReadPool, Row
from twin.db.query import Collection, Selection, View
from twin.errors import InvalidParameter, NotFound
from twin.formats import geojson
from twin.model.offered import CRS84, OfferedSystem

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
_COUNTING = ("none", "exact", "estimate")
COUNT = Parameter(
    "count",
    "Whether to count all features that match (`numberMatched`), which takes time, or to estimate how many "
    "there are (`numberEstimated`), which takes none. Where the answer is the only page, it is counted.",
    {"type": "string", "enum": list(_COUNTING), "default": "none"},
)
ITEM_PARAMETERS = documented(
    LIMIT, CURSOR, SORTBY, PROPERTIES, COUNT, formats.parameter(formats.OF_ITEMS), LANG, CRS, *SELECTION
)


@router.get(
    "/collections/{collection}/items",
    summary="Features of a collection",
    tags=["Features"],
    responses=formats.responses(formats.OF_ITEMS, "A page of features"),
    openapi_extra=ITEM_PARAMETERS,
)
async def get_items(request: Request, selection: Chosen, pool: Reader) -> Response:
    """In order of their ids or of `sortby`. Follow the `next` link for more."""
    page = await _page(request, selection, pool)
    scopes = selection.view.scopes
    shape = _shape(request, page.form)
    tag = entity_tag(request, f"{await service(request).revisions.digest()} {shape}", scopes)
    headers = cache_headers(tag, scopes) | _headers(request, page.form, page.system)
    if matches(request, tag):
        return not_modified(headers)
    encoded = page.encoding
    rows = await pool.fetch(
        items(selection, page.limit + 1, page.after, encoded.columns, page.order, encoded.outputs)
    )
    shown = rows[: page.limit]
    found = shown if encoded.fetch is None else await encoded.fetch(shown)
    links = _page_links(request, selection, page, shown[-1] if len(rows) > page.limit else None)
    members: dict[str, Any] = {"numberReturned": len(found), "timeStamp": now()}
    members["links"] = _with_alternates(request, selection, page.form, links)
    members |= await _counted(selection, page, rows, pool)
    headers["Link"] = link_header(links)
    if page.form is formats.JSON_FEATURES:
        text = geojson.CollectionWriter(members).whole(encoded.read(found))
        return Response(text, headers=headers, media_type=GEOJSON)
    if page.form is formats.HTML:
        body = _whole(encoded, found, members)
        shown_page = await to_thread.run_sync(
            pages.items, request, selection.view, selection.collection, body
        )
        return Response(shown_page, headers=headers, media_type=page.form.media_type)
    headers["Content-Disposition"] = f'inline; filename="{selection.collection.name}.{page.form.extension}"'
    headers |= {
        f"OGC-{name[:1].upper()}{name[1:]}": str(members[name]) for name in _COUNTS if name in members
    }
    body = await to_thread.run_sync(_whole, encoded, found, members)
    return Response(body, headers=headers, media_type=page.form.media_type)


def _shape(request: Request, form: Format) -> str:
    """What beside the address decides how an answer is written."""
    return f"{form.name} {language(request)}" if form is formats.HTML else form.name


def _headers(request: Request, form: Format, system: OfferedSystem) -> dict[str, str]:
    return page_headers(request) if form is formats.HTML else formats.headers(form, system)


_COUNTS = ("numberReturned", "numberMatched", "numberEstimated")
"""What other formats tell in headers."""


def _whole(encoded: Encoding, rows: Sequence[Any], members: Mapping[str, Any]) -> bytes:
    """Rows in a format, in one piece."""
    writer = encoded.writer(members)
    return b"".join((writer.start(), writer.part(encoded.read(rows)) if rows else b"", writer.finish()))


@dataclass(frozen=True, slots=True)
class _Page:
    """What a request wants of a page."""

    form: Format
    system: OfferedSystem
    encoding: Encoding
    limit: int
    order: tuple[Sort, ...]
    after: tuple[Any, ...] | None
    count: str


async def _page(request: Request, selection: Selection, pool: ReadPool) -> _Page:
    given = parameters_of(request)
    form = formats.asked(request, selection.collection, formats.OF_ITEMS)
    system = parameters.system(given, CRS.name, systems_of(selection.collection))
    order = sorts(parameters.names(given, SORTBY.name), selection.queryables)
    limit = parameters.count(given, LIMIT.name, DEFAULT_LIMIT, service(request).settings.max_limit)
    names = parameters.names(given, PROPERTIES.name)
    memory = service(request).features if limit <= feature_memory.PAGE else None
    return _Page(
        form=form,
        system=system,
        encoding=await encoding(form, selection, system, names, pool, memory),
        limit=limit,
        order=order,
        after=position(selection, order, given.get(CURSOR.name)),
        count=parameters.choice(given, COUNT.name, _COUNTING, "none"),
    )


async def _counted(selection: Selection, page: _Page, rows: Sequence[Row], pool: ReadPool) -> dict[str, int]:
    """How many features match, where that is known or asked for."""
    if page.after is None and len(rows) <= page.limit:
        return {"numberMatched": len(rows)}
    match page.count:
        case "exact":
            return {"numberMatched": await pool.fetch_value(item_count(selection))}
        case "estimate":
            return {"numberEstimated": await pool.estimate(items(selection, None, columns=("id",)))}
        case _:
            return {}


def _page_links(request: Request, selection: Selection, page: _Page, last: Row | None) -> list[Link]:
    """The links of a page but for its alternates; ``last`` is its last row where there are more."""
    about = f"{base(request)}/collections/{selection.collection.name}"
    query = "&".join(query_parts(request))
    address = f"{about}/items?{query}" if query else f"{about}/items"
    links = [
        link(address, "self", page.form.accepted, "This page"),
        link(about, "collection", JSON, "The collection"),
        link(f"{about}/queryables", f"{OGC}queryables", SCHEMA_JSON, "What can be asked of it"),
    ]
    if last is not None:
        end = f"{CURSOR.name}={cursor(selection, page.order, last)}"
        onward = "&".join([*query_parts(request, CURSOR.name), end])
        links.append(link(f"{about}/items?{onward}", "next", page.form.accepted, "The next page"))
    return links


def _with_alternates(
    request: Request, selection: Selection, form: Format, links: Sequence[Link]
) -> orjson.Fragment:
    """The links of a page in all its formats, as JSON text: the most of it is the same for every page."""
    others = tuple(
        other
        for other in formats.of(selection.collection, formats.OF_ITEMS)
        # CityJSON is of one dataset.
        if other is not form and (len(selection.datasets) == 1 or not other.solids)
    )
    rest = "".join(f"{part}&" for part in query_parts(request, "f"))
    address = f"{base(request)}/collections/{selection.collection.name}/items"
    text = _alternates(address, others).replace(_REST, rest)
    return orjson.Fragment(f"{orjson.dumps(links).decode()[:-1]},{text}]")


_REST = "{rest}"
"""What stands for the query of a page; a host has no braces."""


@lru_cache(maxsize=256)
def _alternates(address: str, others: Sequence[Format]) -> str:
    links = [link(f"{address}?{_REST}f={o.name}", "alternate", o.accepted, f"As {o.title}") for o in others]
    return orjson.dumps(links).decode()[1:-1]


def now() -> str:
    """The time, as answers state it."""
    return _told(int(time.time()))


@lru_cache(maxsize=2)
def _told(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat().replace("+00:00", "Z")


@router.get(
    "/collections/{collection}/items/{id:path}",
    summary="One feature",
    tags=["Features"],
    responses=formats.responses(formats.OF_ITEM, "One feature"),
    openapi_extra=documented(formats.parameter(formats.OF_ITEM), LANG, CRS, DATETIME, SCENARIO),
)
async def get_item(
    request: Request, collection: str, id: str, view: CurrentView, asked: Asked, pool: Reader
) -> Response:
    """As GeoJSON with its footprint, or whole: with `f=cityjson` as delivered, with `f=glb` as a model."""
    form = formats.asked(request, asked, formats.OF_ITEM)
    system = parameters.system(parameters_of(request), CRS.name, systems_of(asked))
    row = None if "\0" in id else await pool.fetch_one(item(view, asked, id))
    if row is None:
        raise NotFound(f"There is no item '{id[:80]}' in the collection '{collection}'.")
    revision = asked.revision or row["row_hash"].hex()
    if form.solids:
        # It has objects that the row does not tell of.
        revision += await service(request).revisions.digest()
    tag = entity_tag(request, f"{revision} {_shape(request, form)}", view.scopes)
    headers = cache_headers(tag, view.scopes) | _headers(request, form, system)
    if matches(request, headers["ETag"]):
        return not_modified(headers)
    if form.solids:
        if system is not CRS84:
            raise InvalidParameter(f"{form.title} has a reference system of its own; leave 'crs' out.")
        write = _city_model if form is formats.CITYJSON_DOCUMENT else one_object
        return Response(await write(pool, view, asked, row), headers=headers, media_type=form.media_type)
    links = _item_links(base(request), asked, row)
    selection = Selection(view, asked, ())
    if form is formats.JSON_FG:
        encoded = item_with_place(selection, system, row, pool)
    else:
        encoded = await encoding(form, selection, system, None, pool)
    (found,) = await pool.fetch(item(view, asked, id, encoded.outputs)) if encoded.outputs else (row,)
    (text,) = encoded.read([found] if encoded.fetch is None else await encoded.fetch([found]))
    headers["Link"] = link_header(links)
    if form is formats.JSON_FG:
        return Response(
            geojson.with_members(text, **encoded.root, links=links),
            headers=headers,
            media_type=form.media_type,
        )
    body = geojson.with_members(text, links=links)
    if form is formats.HTML:
        body = await to_thread.run_sync(pages.item, request, view, asked, body)
    return Response(body, headers=headers, media_type=form.media_type)


async def _city_model(pool: ReadPool, view: View, _: Collection, row: Row) -> bytes:
    found = await solids.whole_features(pool, view, [row])
    if found[0][1] is None:
        raise NotFound(f"Of '{row['id'][:80]}' there is no geometry of that time.")
    writer = solids.DocumentWriter(solids.reference(row["horizontal_epsg"]))
    writer.part(found)
    return await to_thread.run_sync(writer.finish)


def _item_links(here: str, asked: Collection, row: Row) -> list[Link]:
    about = f"{here}/collections/{asked.name}"
    address = f"{about}/items/{_quoted(row['id'])}"
    links = [link(address, "self", GEOJSON, "This feature")]
    links += (
        link(f"{address}?f={form.name}", "alternate", form.accepted, f"This feature as {form.title}")
        for form in formats.of(asked, formats.OF_ITEM)[1:]
    )
    links.append(link(about, "collection", JSON, "The collection"))
    if asked is BUILDINGS:
        links += (
            link(
                f"{here}/collections/{of.name}/items?building={_quoted(row['id'])}", "related", GEOJSON, title
            )
            for of, title in _OF_A_BUILDING.items()
        )
    if asked in _ABOVE:
        building = f"{here}/collections/{BUILDINGS.name}/items/{_quoted(row['building'])}"
        links.append(link(building, "up", GEOJSON, _ABOVE[asked]))
    return links


_OF_A_BUILDING = {ROOF_SURFACES: "Its roof surfaces", BUILDING_PARTS: "Its parts"}
_ABOVE = {
    ROOF_SURFACES: "The building that it covers",
    BUILDING_PARTS: "The building that it is a part of",
}
"""What leads from a building to what it consists of, and back."""


def _quoted(id: str) -> str:
    return quote(id, safe=":")
