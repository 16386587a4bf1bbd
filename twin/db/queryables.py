"""What a filter may name: the queryables of a collection, each with its type and its column."""

from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import ColumnElement

from twin.db.query import View, current_features, recorded_features, source
from twin.errors import InvalidFilter, TwinError
from twin.model.attributes import BY_NAME, CATALOGUE, Attribute

QueryableType: TypeAlias = Literal[
    "text", "integer", "number", "boolean", "geometry", "date", "timestamp", "list"
]

GEOMETRY = "geometry"
"""The queryable that stands for the footprint, named as in GeoJSON."""

UPDATED = "updated"
"""The queryable that tells since when a feature is as it is, to ask for changes."""


@dataclass(frozen=True, slots=True, eq=False)
class Queryable:
    """One name with its type and the expression that stands for it in SQL.

    ``attribute`` is its declaration in the catalogue; None for ``id`` and the like. ``heights``
    are the lowest and the highest ellipsoidal height of a geometry, where they are known.
    """

    name: str
    type: QueryableType
    column: ColumnElement[Any]
    attribute: Attribute | None = None
    heights: tuple[ColumnElement[Any], ColumnElement[Any]] | None = None


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


def visible_attributes(view: View) -> list[Attribute]:
    """The catalogue attributes that the scopes of a view open, in catalogue order."""
    return [attribute for attribute in CATALOGUE if attribute.access in view.scopes]


def feature_queryables(view: View) -> Queryables:
    """The queryables of every collection of features, as a view opens them; raises NotFound."""
    source(view)
    return _feature_queryables(view.as_of is not None, view.scopes)


@lru_cache(maxsize=16)
def _feature_queryables(past: bool, scopes: frozenset[str]) -> Queryables:
    f = (recorded_features() if past else current_features()).c
    opened = visible_attributes(View(scopes=scopes))
    return Queryables(
        [
            Queryable("id", "text", f.id),
            *(Queryable(a.name, a.type, f[a.name], a) for a in opened),
            Queryable(GEOMETRY, "geometry", f.footprint, heights=(f.z_min, f.z_max)),
            Queryable(UPDATED, "timestamp", f.recorded_from),
        ],
        hidden=BY_NAME.keys() - {attribute.name for attribute in opened},
    )
