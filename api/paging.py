"""The order of items, and cursors that say where a page ended."""

import base64
import binascii
from collections.abc import Sequence
from datetime import date, datetime
from hashlib import blake2b
from typing import Any, cast

import orjson

from api.parameters import Parameter
from twin.db.feature_query import Sort
from twin.db.pool import Row
from twin.db.query import Selection
from twin.db.queryables import UNORDERED, Queryables, QueryableType
from twin.errors import InvalidParameter

MAX_SORTS = 5
_DIGEST_BYTES = 8

SORTBY = Parameter(
    "sortby",
    "Properties to sort by, separated by commas, a minus before one that descends. Missing values come "
    "last; without it items come in order of their ids.",
    {"type": "array", "items": {"type": "string", "pattern": "[+-]?.+"}},
    ["-height_m", "city"],
)
CURSOR = Parameter("cursor", "Where to go on, from the `next` link of a page of the same request.")


def sorts(names: Sequence[str] | None, queryables: Queryables) -> tuple[Sort, ...]:
    """The order that a request asks for, beside that of the ids."""
    found = tuple(_sort(name, queryables) for name in names or ())
    if len(found) > MAX_SORTS or len({sort.queryable.name for sort in found}) < len(found):
        raise InvalidParameter(f"'{SORTBY.name}' takes at most {MAX_SORTS} properties, each once.")
    return found


def _sort(name: str, queryables: Queryables) -> Sort:
    # A plus in an address that is not encoded arrives as a space, and that was stripped.
    queryable = queryables.get(name.lstrip("+-").strip(), InvalidParameter)
    if queryable.type in UNORDERED:
        raise InvalidParameter(f"'{queryable.name}' is a {queryable.type}; it has no order.")
    return Sort(queryable, descending=name.startswith("-"))


def cursor(selection: Selection, order: Sequence[Sort], last: Row) -> str:
    """Where a page ended, bound to what was asked; the limit may change between pages."""
    values = [*(last[f"sort_{index}"] for index in range(len(order))), last["id"]]
    packed = _digest(selection, order) + orjson.dumps(values, option=orjson.OPT_UTC_Z)
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def position(selection: Selection, order: Sequence[Sort], text: str | None) -> tuple[Any, ...] | None:
    """The values of a cursor, one for each property of the order and the id; None without one."""
    if text is None:
        return None
    try:
        packed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        digest, loaded = packed[:_DIGEST_BYTES], orjson.loads(packed[_DIGEST_BYTES:])
    except (binascii.Error, ValueError):
        digest, loaded = b"", None
    if not isinstance(loaded, list):
        raise InvalidParameter("'cursor' is not one of ours. Follow the 'next' link of a page.")
    if digest != _digest(selection, order):
        raise InvalidParameter(
            "'cursor' belongs to another request: its filter, bbox, datetime, order or datasets differ. "
            "Start again without a cursor."
        )
    values = cast(list[Any], loaded)
    kinds: list[QueryableType] = [*(sort.queryable.type for sort in order), "text"]
    try:
        return tuple(_value(kind, value) for kind, value in zip(kinds, values, strict=True))
    except (TypeError, ValueError):
        raise InvalidParameter("'cursor' is not one of ours. Follow the 'next' link of a page.") from None


_CLASSES: dict[str, type | tuple[type, ...]] = {
    "text": str, "integer": int, "number": (int, float), "boolean": bool
}  # fmt: skip


def _value(kind: QueryableType, value: Any) -> Any:
    """A value as it was before it became JSON; whoever forges a cursor gets no error of the server."""
    if value is None:
        return None
    match kind:
        case "date":
            return date.fromisoformat(value)
        case "timestamp":
            return datetime.fromisoformat(value)
        case "number" if isinstance(value, int | float):
            return float(value)
        case _ if isinstance(value, _CLASSES[kind]) and not (isinstance(value, str) and "\0" in value):
            return value
        case _:
            raise ValueError(kind)


def _digest(selection: Selection, order: Sequence[Sort]) -> bytes:
    names = [(sort.queryable.name, sort.descending) for sort in order]
    return blake2b(selection.digest() + repr(names).encode(), digest_size=_DIGEST_BYTES).digest()
