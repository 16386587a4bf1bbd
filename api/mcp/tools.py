"""The tools: what each is for, what it takes and gives, and the address that it asks.

Every call becomes a GET of this API, so that filters pass the same compiler and the same rights.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import orjson
from fastapi import Request

from api import inside
from api.groups import AGGREGATE, GROUPBY
from api.paging import SORTBY
from api.parameters import BBOX, DATASET, DATETIME, FILTER, WITHIN
from twin.errors import InvalidParameter, NotFound

_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
MAX_ITEMS = 100
DEFAULT_ITEMS = 10

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool: ``path`` and ``query`` make the address of arguments, ``read`` the result of its answer."""

    name: str
    title: str
    description: str
    takes: Json
    gives: Json
    path: str
    query: Callable[[Json], dict[str, str]]
    read: Callable[[Json, Json], Json]

    def described(self) -> Json:
        """The Tool object of the protocol."""
        needed = ["collection"] if "collection" in self.takes else []
        return {
            "name": self.name,
            "title": self.title,
            "description": self.description,
            "inputSchema": {**_object(self.takes, needed), "additionalProperties": False},
            "outputSchema": _object(self.gives, list(self.gives)),
            "annotations": {"readOnlyHint": True, "idempotentHint": True, "openWorldHint": False},
        }


def _object(properties: Json, required: list[str]) -> Json:
    return {"type": "object", "properties": properties, "required": required}


def _text(description: str) -> Json:
    return {"type": "string", "description": description}


_COLLECTION = {"collection": _text("The id of a collection, as list_collections gives it: buildings.")}
_SELECTION: Json = {
    "filter": _text(
        f"{FILTER.description} Texts in single quotes, names as in queryables, such as {FILTER.example}"
    ),
    "bbox": {"type": "array", "items": {"type": "number"}, "minItems": 4, "maxItems": 6,
             "description": BBOX.description},
    **{p.name: _text(p.description) for p in (WITHIN, DATETIME, DATASET)},
}  # fmt: skip
_NUMBER = {"type": "integer", "minimum": 0}
_LIST = {"type": "array", "items": {"type": "object"}}


def _selected(arguments: Json) -> dict[str, str]:
    return {name: _plain(value) for name, value in arguments.items() if name in _SELECTION}


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(f"{number!r}" for number in cast(list[float], value))
    return str(value)


def _counted(_: Json, answer: Json) -> Json:
    return {"count": answer["numberMatched"]}


def _collections(_: Json, answer: Json) -> Json:
    kept = ("id", "title", "description", "extent")
    return {"collections": [{name: found[name] for name in kept} for found in answer["collections"]]}


_KEPT = {"title": "title", "type": "type", "format": "format", "description": "meaning", "x-unit": "unit",
         "enum": "values", "x-term": "term", "x-method": "method"}  # fmt: skip


def _queryables(_: Json, answer: Json) -> Json:
    return {
        "queryables": [
            {"name": name, **{short: of[long] for long, short in _KEPT.items() if long in of}}
            for name, of in answer["properties"].items()
        ]
    }


def _page(arguments: Json) -> dict[str, str]:
    query = _selected(arguments) | {"limit": str(arguments.get("limit", DEFAULT_ITEMS))}
    return query | {n: str(arguments[n]) for n in ("sortby", "properties", "cursor") if n in arguments}


def _items(arguments: Json, answer: Json) -> Json:
    with_geometry = arguments.get("geometry", False)
    found = [
        {"id": feature["id"], **({"geometry": feature["geometry"]} if with_geometry else {}),
         "properties": {n: v for n, v in feature["properties"].items() if v is not None}}
        for feature in answer["features"]
    ]  # fmt: skip
    following: str | None = next((link["href"] for link in answer["links"] if link["rel"] == "next"), None)
    cursor = None if following is None else parse_qs(urlsplit(following).query)["cursor"][0]
    return {"items": found, "cursor": cursor}


def _grouped(arguments: Json) -> dict[str, str]:
    return _selected(arguments) | {n: arguments[n] for n in ("groupby", "aggregate") if n in arguments}


TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "list_collections",
            "Collections",
            "What there is to ask: collections over Helsinki and Tallinn.",
            {},
            {"collections": _LIST},
            "/collections",
            lambda _: {},
            _collections,
        ),
        Tool(
            "queryables",
            "Queryables",
            "What filters, groups, aggregates and orders may name: types, units, meanings, values.",
            _COLLECTION,
            {"queryables": _LIST},
            "/collections/{collection}/queryables",
            lambda _: {},
            _queryables,
        ),
        Tool(
            "count",
            "Count",
            "How many features of a collection a selection has.",
            _COLLECTION | _SELECTION,
            {"count": _NUMBER},
            "/collections/{collection}/items",
            lambda arguments: _selected(arguments) | {"count": "exact", "limit": "1"},
            _counted,
        ),
        Tool(
            "statistics",
            "Statistics",
            "Aggregates by groups, such as both cities side by side.",
            _COLLECTION
            | {
                "groupby": _text(f"{GROUPBY.description} For example {GROUPBY.example}"),
                "aggregate": _text(f"{AGGREGATE.description} For example {AGGREGATE.example}"),
            }
            | _SELECTION,
            {"groups": _LIST},
            "/collections/{collection}/statistics",
            _grouped,
            lambda _, answer: {"groups": answer["groups"]},
        ),
        Tool(
            "items",
            "Features",
            f"Single features with their properties, at most {MAX_ITEMS} at once.",
            _COLLECTION
            | _SELECTION
            | {
                "sortby": _text(SORTBY.description),
                "properties": _text("Names of properties, by commas."),
                "cursor": _text("Where to go on: the cursor of the answer before, to the same question."),
                "geometry": {"type": "boolean", "default": False, "description": "Whether to give outlines."},
                "limit": {"type": "integer", "minimum": 1, "maximum": MAX_ITEMS, "default": DEFAULT_ITEMS},
            },
            {"items": _LIST, "cursor": {"type": ["string", "null"]}},
            "/collections/{collection}/items",
            _page,
            _items,
        ),
    )
}
"""The tools by name."""


async def call(request: Request, tool: Tool, arguments: Json) -> Json:
    """What a tool gives; InvalidParameter with a text for whoever asked, where it gives nothing."""
    _check(tool, arguments)
    name: str = arguments.get("collection", "")
    if "collection" in tool.takes and not _NAME.fullmatch(name):
        raise NotFound(f"There is no collection '{name[:60]}'. Ask list_collections.")
    answer = await inside.get(request, tool.path.format(collection=name), tool.query(arguments))
    document: Json = orjson.loads(answer.body)
    if answer.status != 200:
        raise InvalidParameter(str(document.get("detail", "The server failed.")))
    return tool.read(arguments, document)


_KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "boolean": bool, "array": list, "number": (int, float)
}  # fmt: skip


def _check(tool: Tool, arguments: Json) -> None:
    known = tool.takes
    for name, value in arguments.items():
        if name not in known:
            raise InvalidParameter(
                f"'{tool.name}' takes no '{name[:60]}'. Known: {', '.join(known) or 'none'}."
            )
        _check_value(name, value, known[name])
    if "collection" in known and "collection" not in arguments:
        raise InvalidParameter("'collection' is missing: the id of a collection, such as buildings.")


def _check_value(name: str, value: Any, schema: Json) -> None:
    kind = schema["type"]
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind != "boolean"):
        raise InvalidParameter(f"'{name}' is to be of the type {kind}.")
    if kind == "array":
        for member in cast(list[Any], value):
            _check_value(name, member, schema["items"])
    if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
        raise InvalidParameter(
            f"'{name}' is {value}; it goes from {schema['minimum']} to {schema['maximum']}."
        )
