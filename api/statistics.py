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
from api.links import JSON
from api.parameters import SELECTION, Parameter, documented
from twin.db.groupings import Grouping
from twin.db.pool import Row
from twin.db.statistics_query import MAX_GROUPS, Aggregate, statistics
from twin.errors import InvalidParameter

router = APIRouter()

CSV = "text/csv; charset=utf-8"
FORMAT = Parameter("f", "The format.", {"type": "string", "enum": ["json", "csv"], "default": "json"})


@router.get(
    "/collections/{collection}/statistics",
    summary="Aggregates by groups",
    tags=["Aggregates"],
    responses={
        200: {
            "description": "One row for each group that has features",
            "content": {JSON: {"schema": {"type": "object"}}, "text/csv": {"schema": {"type": "string"}}},
        }
    },
    openapi_extra=documented(GROUPBY, AGGREGATE, FORMAT, *SELECTION),
)
async def get_statistics(request: Request, selection: Chosen, pool: Reader) -> Response:
    """Groups in ascending order, those of missing values last; values that are no numbers are left out."""
    given = request.query_params
    form = parameters.choice(given, FORMAT.name, ("json", "csv"), _accepted(request))
    wanted = aggregates(given.get(AGGREGATE.name), selection.queryables)
    groups = await groupings(request, selection)
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
    body = {
        "collection": selection.collection.name,
        "groupby": [group.name for group in groups],
        "aggregate": [aggregate.name for aggregate in wanted],
        "groups": found,
    }
    return Response(orjson.dumps(body), headers=headers, media_type=JSON)


def _accepted(request: Request) -> str:
    return "csv" if request.headers.get("accept", "").startswith("text/csv") else "json"


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
