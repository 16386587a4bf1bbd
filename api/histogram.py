"""How the values of a property are spread: bins of a number, counts of texts and booleans."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api import parameters
from api.collections import Chosen
from api.conditional import cache_headers, entity_tag, matches, not_modified
from api.dependencies import Reader, service
from api.groups import GROUPBY, groupings
from api.parameters import SELECTION, Parameter, documented
from api.query import parameters_of
from twin.db.groupings import Grouping
from twin.db.histogram_query import MAX_ROWS, number_histogram, value_histogram
from twin.db.pool import Row
from twin.db.queryables import UNORDERED, Queryable
from twin.errors import InvalidParameter

router = APIRouter()

MAX_BINS = 500
MAX_VALUES = 100
"""Of a text with more values, the rarest are counted together as ``other``."""

PROPERTY = Parameter("property", "The property whose values are counted.", example="height_m", required=True)
BINS = Parameter(
    "bins",
    "Into how many bins of equal width numbers are counted.",
    {"type": "integer", "minimum": 1, "maximum": MAX_BINS, "default": 30},
)


@router.get(
    "/collections/{collection}/histogram",
    summary="The spread of the values of one property",
    tags=["Aggregates"],
    openapi_extra=documented(PROPERTY, GROUPBY, BINS, *SELECTION),
)
async def histogram(request: Request, selection: Chosen, pool: Reader) -> Response:
    """All groups share the same bins, so that cities can be compared."""
    given = parameters_of(request)
    queryables = selection.queryables
    name = given.get(PROPERTY.name)
    if name is None:
        raise InvalidParameter("'property' is missing: the name of a queryable, such as height_m.")
    queryable = queryables.get(name, InvalidParameter)
    if queryable.type in UNORDERED:
        raise InvalidParameter(f"'property' is a {queryable.type}; its values cannot be counted.")
    groups = await groupings(request, selection)
    if len(groups) > 1:
        raise InvalidParameter("A histogram takes one 'groupby'; ask /statistics for more.")
    group = groups[0] if groups else None
    bins = parameters.count(given, BINS.name, 30, MAX_BINS)
    known = service(request)
    headers = cache_headers(
        entity_tag(request, await known.revisions.digest(), selection.view.scopes), selection.view.scopes
    )
    if matches(request, headers["ETag"]):
        return not_modified(headers)
    if queryable.type in {"integer", "number"}:
        rows = await pool.fetch(number_histogram(selection, queryable, bins, group))
    else:
        rows = await pool.fetch(value_histogram(selection, queryable, group))
    body = _document(rows, queryable, group, bins)
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")


def _document(rows: Sequence[Row], queryable: Queryable, group: Grouping | None, bins: int) -> dict[str, Any]:
    if len(rows) > MAX_ROWS:
        raise InvalidParameter("There are too many groups to compare. Group by a property with fewer values.")

    def described(some: Iterable[Row]) -> dict[str, Any]:
        if queryable.type in {"integer", "number"}:
            return _numbers(list(some), bins)
        return _values(list(some))

    if group is None:
        return {"property": queryable.name, **described(rows)}
    groups = [
        {group.name: group.shown(value), **described(members)}
        for value, members in groupby(rows, key=lambda row: row["grouped"])
    ]
    return {"property": queryable.name, "groupby": group.name, "groups": groups}


def _numbers(rows: Sequence[Row], bins: int) -> dict[str, Any]:
    present = {row["bin"]: row["count"] for row in rows if row["bin"] is not None}
    low: Any = rows[0]["minimum"] if rows else None
    high: Any = rows[0]["maximum"] if rows else None
    return {
        "count": sum(present.values()),
        "missing": sum(row["count"] for row in rows if row["bin"] is None),
        "minimum": low,
        "maximum": high,
        "bins": [] if low is None else _bins(present, low, high, bins),
    }


def _bins(present: dict[int, int], low: float, high: float, bins: int) -> list[dict[str, float]]:
    if low == high:
        return [{"from": low, "to": high, "count": present.get(0, 0)}]
    width = (high - low) / bins
    edges = [*(low + width * index for index in range(bins)), high]
    return [
        {"from": edges[index], "to": edges[index + 1], "count": present.get(index, 0)}
        for index in range(bins)
    ]


def _values(rows: Sequence[Row]) -> dict[str, Any]:
    present = [row for row in rows if row["value"] is not None]
    shown = [{"value": row["value"], "count": row["count"]} for row in present[:MAX_VALUES]]
    return {
        "count": sum(row["count"] for row in present),
        "missing": sum(row["count"] for row in rows if row["value"] is None),
        "distinct": len(present),
        "other": sum(row["count"] for row in present[MAX_VALUES:]),
        "values": shown,
    }
