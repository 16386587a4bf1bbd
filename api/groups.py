"""Reads ``groupby`` and ``aggregate``: names, and functions with arguments, separated by commas."""

import re
from dataclasses import dataclass

from fastapi import Request

from api.dependencies import service
from api.parameters import Parameter
from api.query import parameters_of
from twin.db.area_groups import by_area
from twin.db.grids import by_hexagon, by_square, by_tile
from twin.db.groupings import Grouping, by_class, by_decade, by_property
from twin.db.query import Selection
from twin.db.queryables import Queryable, Queryables
from twin.db.statistics_query import FUNCTIONS, Aggregate
from twin.errors import InvalidParameter
from twin.model.hexagons import Box, HexagonGrid
from twin.model.squares import SquareGrid

MAX_TERMS = 20
_TERM = re.compile(r"\s*([^(),]+?)\s*(?:\(([^()]*)\))?\s*(?:,|$)")

GROUPBY = Parameter(
    "groupby",
    "What to group by, separated by commas: a property; `decade(year_of_construction)`; "
    "`classes(height_m,0,10,20)`; `square(250)`, squares of so many metres in EPSG:3067, or "
    "`square(250,3301)` in another system; `h3(8)`, the hexagons of a resolution of H3; `grid(16)`, the "
    "tiles of a level of WebMercatorQuad; "
    "`area(districts)` or `area(districts,name)`, the areas of an uploaded collection by id or property.",
    example="city,decade(year_of_construction)",
)
AGGREGATE = Parameter(
    "aggregate",
    "What to compute, separated by commas: `count`, `share` (of all that is selected), and of a property "
    "`sum(…)`, `avg(…)`, `min(…)`, `max(…)`, `median(…)`, `quantile(…,0.9)`, `stddev(…)`, `count(…)`, "
    "`share(…)`.",
    {"type": "string", "default": "count"},
    "count,sum(volume_m3),median(height_m)",
)


@dataclass(frozen=True, slots=True)
class _Term:
    name: str
    arguments: tuple[str, ...]


def _terms(parameter: Parameter, text: str) -> list[_Term]:
    found: list[_Term] = []
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None:
            raise InvalidParameter(
                f"'{parameter.name}' cannot be read at '{text[position : position + 40]}'."
            )
        arguments = (match[2] or "").split(",") if match[2] is not None else []
        found.append(_Term(match[1], tuple(argument.strip() for argument in arguments)))
        position = match.end()
    if not 1 <= len(found) <= MAX_TERMS:
        raise InvalidParameter(f"'{parameter.name}' takes 1 to {MAX_TERMS} names or functions.")
    return found


async def groupings(request: Request, selection: Selection) -> list[Grouping]:
    """What a request groups by; none where it does not."""
    text = parameters_of(request).get(GROUPBY.name)
    if text is None:
        return []
    terms = _terms(GROUPBY, text)
    return [await _grouping(request, selection, term, i) for i, term in enumerate(terms)]


async def _grouping(request: Request, selection: Selection, term: _Term, index: int) -> Grouping:
    queryables = selection.queryables
    match term.name, term.arguments:
        case name, ():
            return by_property(queryables.get(name, InvalidParameter))
        case "decade", (name,):
            return by_decade(queryables.get(name, InvalidParameter))
        case "classes", (name, *breaks):
            numbers = [_number(text) for text in breaks]
            return by_class(queryables.get(name, InvalidParameter), numbers, index)
        case "grid", (level,):
            return by_tile(selection, _whole(level), index)
        case "square", (size, *rest) if len(rest) < 2:
            grid = SquareGrid(_number(size), *(_whole(code) for code in rest))
            return by_square(selection, grid, f"square({','.join(term.arguments)})", index)
        case "h3", (level,):
            boxes = await _boxes(request, selection)
            return by_hexagon(selection, HexagonGrid.around(boxes, _whole(level)), index)
        case "area", (name, *rest) if len(rest) < 2:
            areas = (await service(request).revisions.uploads()).get(name)
            if areas is None:
                raise InvalidParameter(f"'area' names '{name[:60]}', which is no uploaded collection.")
            label = rest[0] if rest else None
            covered = await service(request).coverages.of(areas, label)
            return by_area(selection, areas, label, index, covered)
        case name, arguments:
            raise InvalidParameter(
                f"'{GROUPBY.name}' has '{name[:60]}' with {len(arguments)} arguments. Offered: a property, "
                "decade(property), classes(property,number,…), square(metres), h3(resolution), grid(level), "
                "area(collection)."
            )


async def _boxes(request: Request, selection: Selection) -> tuple[Box, ...]:
    """Where the features may be: the extents of their datasets, or of the uploaded collection."""
    known = service(request)
    if not selection.collection.of_datasets:
        uploaded = (await known.revisions.uploads()).get(selection.collection.name)
        return () if uploaded is None or uploaded.extent is None else (uploaded.extent,)
    rows = await known.datasets.at(await known.revisions.digest())
    placed = (row for row in rows if row["west"] is not None)
    return tuple((row["west"], row["south"], row["east"], row["north"]) for row in placed)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not abs(number) < 1e300:
        raise InvalidParameter(f"'{text[:60]}' is no number.")
    return number


def _whole(text: str) -> int:
    number = _number(text)
    if number != int(number):
        raise InvalidParameter(f"'{text[:60]}' is no whole number.")
    return int(number)


def aggregates(text: str | None, queryables: Queryables) -> list[Aggregate]:
    """What a request asks to compute; the number of features without anything."""
    return [_aggregate(term, queryables) for term in _terms(AGGREGATE, text or "count")]


def _aggregate(term: _Term, queryables: Queryables) -> Aggregate:
    match term.name, term.arguments:
        case "count" | "share", ():
            return Aggregate(term.name)
        case "quantile", (name, fraction):
            wanted = _number(fraction)
            if not 0 <= wanted <= 1:
                raise InvalidParameter(
                    "'quantile' takes a fraction from 0 to 1, such as quantile(height_m,0.9)."
                )
            return Aggregate("quantile", _measured(queryables, name), wanted)
        case function, (name,) if function in FUNCTIONS and function != "quantile":
            return Aggregate(function, _measured(queryables, name))
        case name, arguments:
            raise InvalidParameter(
                f"'{AGGREGATE.name}' has '{name[:60]}' with {len(arguments)} arguments. Offered: count, "
                f"share, quantile(property,fraction), and of a property: {', '.join(FUNCTIONS)}."
            )


def _measured(queryables: Queryables, name: str) -> Queryable:
    queryable = queryables.get(name, InvalidParameter)
    if queryable.type not in {"integer", "number"}:
        raise InvalidParameter(f"'{name}' is a {queryable.type}; numbers alone are computed with.")
    return queryable
