"""The parameters of addresses: their documentation, and how their text is read.

They are read by hand, not by FastAPI: forty declared parameters would cost each request more than
its query does. What a route documents is also what `api.collections.known_parameters` lets pass.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Any

from twin.db.shapes import Shape, ShapeError, box_in
from twin.errors import InvalidParameter
from twin.model.offered import CRS84, SYSTEMS, OfferedSystem

JSON_TYPES = {
    "text": "string", "integer": "integer", "number": "number", "boolean": "boolean",
    "date": "string", "timestamp": "string", "list": "array",
}  # fmt: skip

ENCODINGS = ("cql2-text", "cql2-json", "cql-text")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter, with its JSON Schema."""

    name: str
    description: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"})
    example: Any = None
    required: bool = False

    def openapi(self) -> dict[str, Any]:
        """The Parameter Object of OpenAPI 3.0."""
        documented: dict[str, Any] = {
            "name": self.name,
            "in": "query",
            "required": self.required,
            "description": self.description,
            "schema": dict(self.schema),
            "style": "form",
            "explode": False,
        }
        if self.example is not None:
            documented["example"] = self.example
        return documented


def documented(*parameters: Parameter) -> dict[str, Any]:
    """For ``openapi_extra`` of a route: the parameters that it reads by hand."""
    return {"parameters": [parameter.openapi() for parameter in parameters]}


BBOX = Parameter(
    "bbox",
    "West, south, east and north in degrees (CRS84), or with ellipsoidal heights in metres: west, south, "
    "lowest, east, north, highest. Only features whose footprint meets the box. West may exceed east where "
    "the box crosses the antimeridian.",
    {
        "type": "array",
        "items": {"type": "number"},
        "minItems": 4,
        "maxItems": 6,
        "oneOf": [{"minItems": 4, "maxItems": 4}, {"minItems": 6, "maxItems": 6}],
    },
    [24.96, 60.18, 24.98, 60.19],
)
BBOX_CRS = Parameter(
    "bbox-crs",
    "The reference system of `bbox`, whose numbers then come in the order of its axes; without it CRS84.",
    {"type": "string", "format": "uri", "enum": [system.uri for system in SYSTEMS], "default": CRS84.uri},
)
CRS = Parameter(
    "crs",
    "The reference system of the geometries in the answer, one of those that the collection lists.",
    {"type": "string", "format": "uri", "enum": [system.uri for system in SYSTEMS], "default": CRS84.uri},
)
_INSTANT = r"\d{4}-\d\d-\d\d([Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d))?"
_END = rf"({_INSTANT}|\.\.)?"
DATETIME = Parameter(
    "datetime",
    "A date-time (RFC 3339), a date, or an interval such as `../2026-01-01T00:00:00Z`: what the database "
    "held then, of an interval at its end.",
    {"type": "string", "pattern": rf"^({_INSTANT}|{_END}/{_END})$"},
    "2026-01-01T00:00:00Z",
)
SCENARIO = Parameter("scenario", "The planned changes to show, by name.")
FILTER = Parameter(
    "filter",
    "A CQL2 filter over the queryables.",
    example="height_m > 20 AND current_use = 'office'",
)
FILTER_LANG = Parameter(
    "filter-lang",
    "The encoding of `filter`; `cql-text`, the older name, is read as `cql2-text`.",
    {"type": "string", "enum": list(ENCODINGS), "default": ENCODINGS[0]},
)
FILTER_CRS = Parameter(
    "filter-crs",
    "The reference system of the geometries in `filter`, whose numbers then come in the order of its axes; "
    "without it CRS84.",
    {"type": "string", "format": "uri", "enum": [system.uri for system in SYSTEMS], "default": CRS84.uri},
)
FILTER_ID = Parameter(
    "filter-id",
    "Stands for a long `filter` in the addresses that a tileset of it refers to.",
    {"type": "string", "pattern": "^[0-9a-f]{32}$"},
)
WITHIN = Parameter(
    "within",
    "A feature as `collection/id`: only features that stand within it, by the middle of their bounding box, "
    "so that of areas side by side each feature is within one.",
    {"type": "string", "pattern": "^[^/]+/.+$"},
    "districts/7",
)
DATASET = Parameter(
    "dataset",
    "Names of datasets, separated by commas. Without it the primary dataset of each city and type is read.",
    {"type": "array", "items": {"type": "string"}},
)


SELECTION = (FILTER, FILTER_LANG, FILTER_CRS, BBOX, BBOX_CRS, WITHIN, DATETIME, SCENARIO, DATASET)
"""What `api.collections.chosen` reads, on every route that depends on it, beside the properties of the
collection by their names."""


def choice(parameters: Mapping[str, str], name: str, offered: Sequence[str], default: str) -> str:
    """A parameter that takes one of a few words; raises InvalidParameter with what is offered."""
    value = parameters.get(name, default)
    if value not in offered:
        raise InvalidParameter(f"'{name}' is '{value[:60]}'; offered: {', '.join(offered)}.")
    return value


def count(parameters: Mapping[str, str], name: str, default: int, maximum: int) -> int:
    """A whole number of at least 1, cut to the maximum as OGC API Features 7.15.2 lets a server do."""
    text = parameters.get(name)
    if text is None:
        return min(default, maximum)
    if not text.isascii() or not text.isdigit() or len(text) > 18 or int(text) < 1:
        raise InvalidParameter(f"'{name}' is '{text[:60]}' and not a whole number from 1 to {maximum}.")
    return min(int(text), maximum)


def names(parameters: Mapping[str, str], name: str) -> tuple[str, ...] | None:
    """A list separated by commas; None where the parameter is not given."""
    text = parameters.get(name)
    if text is None:
        return None
    found = tuple(part.strip() for part in text.split(","))
    if not all(found):
        raise InvalidParameter(f"'{name}' is '{text[:60]}'; expected names separated by commas.")
    return found


def system(
    parameters: Mapping[str, str], name: str, offered: Sequence[OfferedSystem] = SYSTEMS
) -> OfferedSystem:
    """A reference system by its URI, CRS84 without one; InvalidParameter with those on offer."""
    uri = parameters.get(name)
    if uri is None:
        return CRS84
    for found in offered:
        if found.uri == uri:
            return found
    raise InvalidParameter(f"'{name}' is '{uri[:80]}'; offered: {', '.join(s.uri for s in offered)}.")


def bbox(text: str, system: OfferedSystem = CRS84) -> Shape:
    """A bounding box, perhaps with ellipsoidal heights; InvalidParameter says what is wrong."""
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (4, 6) or not all(map(math.isfinite, numbers)):
        raise InvalidParameter(
            f"'bbox' is '{text[:80]}'; expected 4 numbers (west,south,east,north) or 6 with heights "
            "(west,south,lowest,east,north,highest)."
        )
    try:
        return box_in(system, numbers)
    except ShapeError as error:
        raise InvalidParameter(f"'bbox' is not usable: {error}") from None


def moment(text: str) -> datetime | None:
    """The time at which to look, from an instant or the end of an interval; None means now."""
    start, slash, end = text.partition("/")
    if not slash:
        return _instant(text)
    opening = None if start in ("", "..") else _instant(start)
    closing = None if end in ("", "..") else _instant(end)
    if opening is not None and closing is not None and opening > closing:
        raise InvalidParameter(f"'datetime' is '{text[:80]}', an interval that ends before it starts.")
    return closing


def _instant(text: str) -> datetime:
    try:
        if len(text) == len("2026-01-01"):
            # A date stands for the whole day, so its last moment is the end of the interval.
            day = datetime.combine(datetime.strptime(text, "%Y-%m-%d").date(), time(), UTC)
            return day + timedelta(days=1) - timedelta(microseconds=1)
        return _with_zone(datetime.fromisoformat(text.upper()))
    except (ValueError, OverflowError):
        raise InvalidParameter(
            f"'datetime' is '{text[:80]}'; expected a date-time such as 2026-01-01T00:00:00Z, a date, or an "
            "interval of two with '..' for an open end."
        ) from None


def _with_zone(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError("RFC 3339 asks for an offset")
    return value.astimezone(UTC)
