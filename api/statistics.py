"""Aggregates by groups: both cities, decades, classes, cells and districts side by side in one answer."""

import csv
import io
from collections.abc import Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api import parameters
from api.collections import Chosen
from api.conditional import cache_headers, entity_tag, matches, not_modified
from api.dependencies import Reader, service
from api.groups import AGGREGATE, GROUPBY, aggregates, groupings
from api.links import GEOJSON, JSON
from api.parameters import SELECTION, Parameter, documented
from api.query import parameters_of
from twin.db.groupings import Grouping
from twin.db.pool import ReadPool, Row
from twin.db.statistics_query import MAX_GROUPS, Aggregate, statistics
from twin.errors import InvalidParameter

router = APIRouter()

CSV = "text/csv; charset=utf-8"
FORMATS = ("json", "csv", "geojson")
FORMAT = Parameter(
    "f",
    "The format; GeoJSON gives each group the outline of its cell or area, of which it needs one.",
    {"type": "string", "enum": list(FORMATS), "default": "json"},
)


@router.get(
    "/collections/{collection}/statistics",
    summary="Aggregates by groups",
    tags=["Aggregates"],
    responses={
        200: {
            "description": "One row for each group that has features",
            "content": {
                JSON: {"schema": {"type": "object"}},
                GEOJSON: {"schema": {"type": "object"}},
                "text/csv": {"schema": {"type": "string"}},
            },
        }
    },
    openapi_extra=documented(GROUPBY, AGGREGATE, FORMAT, *SELECTION),
)
async def get_statistics(request: Request, selection: Chosen, pool: Reader) -> Response:
    """Groups in ascending order, those of missing values last; values that are no numbers are left out."""
    given = parameters_of(request)
    wanted = aggregates(given.get(AGGREGATE.name), selection.queryables)
    groups = await groupings(request, selection)
    form = parameters.choice(given, FORMAT.name, FORMATS, _accepted(request, groups))
    places = _places(groups) if form == "geojson" else None
    scopes = selection.view.scopes
    tag = entity_tag(request, f"{await service(request).revisions.digest()} {form}", scopes)
    headers = {**cache_headers(tag, scopes), "Vary": "Accept"}
    if matches(request, tag):
        return not_modified(headers)
    rows = await pool.fetch(statistics(selection, wanted, groups))
    if len(rows) > MAX_GROUPS:
        raise InvalidParameter(f"There are more than {MAX_GROUPS} groups. Group by something coarser.")
    found = [_shown(row, groups, wanted) for row in rows]
    if form == "csv":
        names = [*(group.name for group in groups), *(aggregate.name for aggregate in wanted)]
        return Response(_csv(names, found), headers=headers, media_type=CSV)
    if places is not None:
        features = await _features(pool, rows, found, places)
        return Response(
            orjson.dumps({"type": "FeatureCollection", "features": features}),
            headers=headers,
            media_type=GEOJSON,
        )
    body = {
        "collection": selection.collection.name,
        "groupby": [group.name for group in groups],
        "aggregate": [aggregate.name for aggregate in wanted],
        "groups": found,
    }
    return Response(orjson.dumps(body), headers=headers, media_type=JSON)


def _accepted(request: Request, groups: Sequence[Grouping]) -> str:
    """The form that a client prefers and these groups have: what has no place is no map."""
    accepted = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip()
    if accepted == GEOJSON:
        return "geojson" if len(_placed(groups)) == 1 else "json"
    return "csv" if accepted == CSV.partition(";")[0] else "json"


def _places(groups: Sequence[Grouping]) -> tuple[int, Grouping]:
    """Which of the groups has a place, and its number; InvalidParameter where not exactly one has."""
    placed = _placed(groups)
    if len(placed) != 1:
        raise InvalidParameter(
            "GeoJSON needs one group that has a place: square(metres), h3(resolution), grid(level) or "
            "area(collection)."
        )
    return placed[0]


def _placed(groups: Sequence[Grouping]) -> list[tuple[int, Grouping]]:
    return [(n, group) for n, group in enumerate(groups) if group.outlines or group.areas]


async def _features(
    pool: ReadPool, rows: Sequence[Row], found: Sequence[dict[str, Any]], places: tuple[int, Grouping]
) -> list[dict[str, Any]]:
    """The rows as GeoJSON features; what is in no cell or area has no geometry."""
    number, group = places
    values = [row[f"g{number}"] for row in rows]
    outlines = await _outlines(pool, group, {value for value in values if value is not None})
    return [
        {"type": "Feature", "id": index, "geometry": outlines.get(value), "properties": shown}
        for index, (value, shown) in enumerate(zip(values, found, strict=True))
    ]


async def _outlines(pool: ReadPool, group: Grouping, values: set[Any]) -> dict[Any, Any]:
    if group.areas is not None:
        # They are named as people read them, which need not be the value that is grouped by.
        named = {row["area"]: orjson.Fragment(row["geometry"]) for row in await pool.fetch(group.areas)}
        return {value: named.get(group.shown(value)) for value in values}
    cells = list(values)
    rings = group.outlines(cells) if group.outlines else ()
    return {cell: {"type": "Polygon", "coordinates": [ring]} for cell, ring in zip(cells, rings, strict=True)}


def _shown(row: Row, groups: Sequence[Grouping], wanted: Sequence[Aggregate]) -> dict[str, Any]:
    keys = {group.name: group.shown(row[f"g{index}"]) for index, group in enumerate(groups)}
    return {**keys, **{aggregate.name: row[f"a{index}"] for index, aggregate in enumerate(wanted)}}


def _csv(names: Sequence[str], rows: Sequence[dict[str, Any]]) -> str:
    """A table after RFC 4180; what is missing is empty."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(names)
    table.writerows([row[name] for name in names] for row in rows)
    return text.getvalue()
