"""What a filter may name: the queryables of a collection, each with its type and its column."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement

from twin.errors import InvalidFilter, TwinError
from twin.model.attributes import Attribute

QueryableType: TypeAlias = Literal[
    "text", "integer", "number", "boolean", "geometry", "date", "timestamp", "list"
]

UNORDERED: frozenset[QueryableType] = frozenset({"geometry", "list"})
"""Types whose values have no order and do not equal a text."""

GEOMETRY = "geometry"
"""The queryable that stands for the geometry of an item, named as in GeoJSON."""

UPDATED = "updated"
"""The queryable that tells since when a feature is as it is, to ask for changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Queryable:
    """One name with its type and the expression that stands for it in SQL.

    ``attribute`` is its declaration in the catalogue; None for ``id`` and the like. ``heights``
    are the lowest and the highest ellipsoidal height of a geometry, where they are known, and ``bounds``
    the columns west, south, east and north of a box around it, where there are such.
    """

    name: str
    type: QueryableType
    column: ColumnElement[Any]
    attribute: Attribute | None = None
    heights: tuple[ColumnElement[Any], ColumnElement[Any]] | None = None
    bounds: tuple[ColumnElement[Any], ...] | None = None


class Queryables:
    """The queryables of one collection; equal only to itself, so that it can key a cache.

    ``key`` tells them from those of other collections that have the same names.
    """

    def __init__(
        self, members: Iterable[Queryable], hidden: Iterable[str] = (), key: Hashable = None
    ) -> None:
        self.key = key
        self._members = {member.name: member for member in members}
        self._hidden = frozenset(hidden)

    def __iter__(self) -> Iterator[Queryable]:
        return iter(self._members.values())

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def get(self, name: str, error: type[TwinError] = InvalidFilter) -> Queryable:
        """The queryable of a name; raises ``error`` with names that are near to it."""
        found = self._members.get(name)
        if found is None:
            raise error(self._unknown(name))
        return found

    def _unknown(self, name: str) -> str:
        if name in self._hidden:
            return f"The property '{name}' is personal data and not open to this request."
        near = get_close_matches(name.lower(), self._members, n=3, cutoff=0.6)
        advice = f"Did you mean {' or '.join(map(repr, near))}?" if near else "See the queryables."
        return f"There is no property '{name[:60]}'. {advice}"
