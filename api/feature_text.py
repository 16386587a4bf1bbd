"""The text of a feature as it is served: what is hidden of it, and which properties are wanted."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from twin.db.query import Collection, View
from twin.db.queryables import UPDATED
from twin.errors import InvalidParameter
from twin.formats import geojson

Names = tuple[str, ...] | None
"""The properties that a request wants; None: all of them, the source's own attributes too."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How the stored text of a feature is changed before it is served, the same way for the same ``key``."""

    key: Hashable
    apply: Callable[[bytes], bytes]


def shape(view: View, collection: Collection, names: Names) -> Shape:
    """What a view shows of a feature's properties, of those that are wanted."""
    out = hidden(view, collection)
    if names is not None:
        check_names(view, collection, names, out)
        return Shape(("only", names), lambda feature: geojson.with_properties(feature, names))
    if out <= {geojson.ORIGINALS}:
        return Shape(("cut", *out), geojson.without_originals if out else _as_stored)
    return Shape(("without", *sorted(out)), lambda feature: geojson.without_properties(feature, out))


def _as_stored(feature: bytes) -> bytes:
    return feature


def hidden(view: View, collection: Collection) -> frozenset[str]:
    """The properties that a view does not show."""
    return _hidden(view.scopes, collection)


@lru_cache(maxsize=64)
def _hidden(scopes: frozenset[str], collection: Collection) -> frozenset[str]:
    found = {a.name for a in collection.attributes if a.access not in scopes}
    if collection.attributes and "personal" not in scopes:
        # Original attributes may repeat what is hidden, under names of their own.
        found.add(geojson.ORIGINALS)
    return frozenset(found)


def check_names(view: View, collection: Collection, names: Sequence[str], out: frozenset[str]) -> None:
    """InvalidParameter where one of the names is no property that the view shows; ``out`` are hidden."""
    for name in names:
        _check_name(view, collection, name, out)


def _check_name(view: View, collection: Collection, name: str, out: frozenset[str]) -> None:
    declared, queryables = bool(collection.attributes), collection.queryables(view)
    if declared and name == UPDATED and name in queryables:
        raise InvalidParameter(f"'{UPDATED}' is to filter and sort by and not in the answers.")
    if not declared or name != geojson.ORIGINALS:
        queryables.get(name, InvalidParameter)
    elif name in out:
        raise InvalidParameter(
            f"The property '{name}' may hold personal data and is not open to this request."
        )
