"""What can be read, as values: `View`, `Collection`, `Selection` of features, and the `Statement` for them.

Nothing here talks to a database. The command line runs ``statement.clause`` with
``statement.values`` on SQLAlchemy; the API compiles each ``statement.key`` once and runs its text
on asyncpg. Two statements with the same key have the same SQL text and differ in values alone.
"""

import operator
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from functools import lru_cache
from hashlib import blake2b
from typing import Any, TypeAlias

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from twin.db.queryables import GEOMETRY, Queryable, Queryables
from twin.db.schema import dataset
from twin.db.shapes import Shape
from twin.model.attributes import Attribute

ALL_SCOPES = frozenset({"public", "personal"})

AnySelect: TypeAlias = Select[Any]


@dataclass(frozen=True, slots=True)
class View:
    """Through which glasses the data are read; every read goes through one.

    ``as_of`` (with time zone) shows what the database held then, ``valid_at`` what stood in the world
    then as far as it knew; ``scenario`` overlays planned changes; ``scopes`` name the access levels
    whose attributes may be selected or filtered by. Of the city model only ``cities`` are there, all
    without them.
    """

    as_of: datetime | None = None
    valid_at: datetime | None = field(default=None, kw_only=True)
    scenario: str | None = None
    scopes: frozenset[str] = ALL_SCOPES
    cities: frozenset[str] | None = None

    @property
    def shape(self) -> Hashable:
        """What of the view changes the text of SQL."""
        return (self.as_of is not None, self.scenario, self.cities is not None)

    @property
    def values(self) -> dict[str, Any]:
        return {} if self.as_of is None else {"as_of": self.as_of}

    @property
    def of_now(self) -> "View":
        """The same glasses on what is there now."""
        return View(scopes=self.scopes, cities=self.cities)


class Planned(Enum):
    """How the database plans a statement: anew for its values, once for any, as the best plan is the same
    for all, or anew and for one process, where others would take longer to begin than to share the work."""

    ANEW = auto()
    ONCE = auto()
    ALONE = auto()


@dataclass(frozen=True, slots=True)
class Statement:
    """A SELECT with the values of its parameters; the same ``key`` means the same SQL text.

    A ``key`` of None means that the text must not be remembered. ``made`` is the SELECT, or makes it: to
    put one together takes longer than to run it, so that it is left until its text is not known.
    """

    made: AnySelect | Callable[[], AnySelect]
    key: Hashable | None
    values: Mapping[str, Any]
    planned: Planned = Planned.ANEW

    @property
    def clause(self) -> AnySelect:
        return self.made() if callable(self.made) else self.made


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One WHERE condition over `source` of a view, with every value bound.

    ``narrow``: few features meet it, which an index finds, however many there are in all.
    """

    clause: ColumnElement[bool]
    key: Hashable
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])
    narrow: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Collection:
    """A collection of features as a value: its rows, and what may be asked of them.

    ``rows`` gives what a view shows, as a FROM clause named ``f``, or raises where a view shows
    nothing of the kind. Every row has ``id`` and ``geojson``; with ``footprint`` and
    ``quadkey`` there are vector tiles and grids, with ``west`` to ``north`` the bounds of a feature.
    ``member`` tells the rows of the collection from others, with the values in ``bound``. ``key``
    changes with the text of SQL. ``kind`` is what one of its features is.

    ``attributes`` are its part of the catalogue; an uploaded collection has none, but a
    ``revision``. ``of_datasets``: its rows belong to datasets, of which some are primary.
    ``history``: it can be seen as it was. ``solids``: it has what was delivered, as CityJSON. ``meshes``: its
    features are drawn by themselves, as binary glTF and in 3D Tiles.
    """

    name: str
    title: str
    description: str
    kind: str
    key: Hashable
    rows: Callable[[View], FromClause]
    queryables: Callable[[View], Queryables]
    member: Callable[[FromClause], ColumnElement[bool]] | None = None
    bound: Mapping[str, Any] = field(default_factory=dict[str, Any])
    attributes: tuple[Attribute, ...] = ()
    of_datasets: bool = True
    history: bool = False
    solids: bool = False
    meshes: bool = False
    revision: str | None = None

    @property
    def mapped(self) -> bool:
        """Whether there are vector tiles."""
        return "quadkey" in self.rows(View()).c

    def outline(self, view: View) -> ColumnElement[Any]:
        """The geometry of each row in longitude and latitude, which has an index."""
        return self.queryables(view).get(GEOMETRY).column

    def members(self, view: View) -> list[ColumnElement[bool]]:
        """The conditions that a row belongs to the collection and to what the view shows of it.

        Every statement over a collection has them: nothing else keeps cities apart.
        """
        f = self.rows(view)
        found = [] if self.member is None else [self.member(f)]
        if self._of_cities(view):
            found.append(f.c.city == any_(bindparam("cities", type_=ARRAY(Text))))
        return found

    def _of_cities(self, view: View) -> bool:
        return self.of_datasets and view.cities is not None

    def values(self, view: View) -> dict[str, Any]:
        """What `rows` and `members` bind."""
        shown = {"cities": sorted(view.cities or ())} if self._of_cities(view) else {}
        return {**view.values, **self.bound, **shown}


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Which features: those of a collection, in some datasets, for which all conditions hold.

    Without ``datasets`` the primary datasets are read, so that no building counts twice.
    """

    view: View
    collection: Collection
    datasets: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()

    @property
    def source(self) -> FromClause:
        """The features to select from, named ``f``."""
        return self.collection.rows(self.view)

    @property
    def queryables(self) -> Queryables:
        """What can be named of the features."""
        return self.collection.queryables(self.view)

    @property
    def key(self) -> Hashable:
        return (
            self.view.shape,
            self.collection.key,
            bool(self.datasets),
            *(condition.key for condition in self.conditions),
        )

    @property
    def values(self) -> dict[str, Any]:
        found = self.collection.values(self.view)
        if self.datasets:
            found["datasets"] = list(self.datasets)
        for condition in self.conditions:
            found.update(condition.values)
        return found

    @property
    def is_whole(self) -> bool:
        """Whether it is all that is there now of a collection, in the primary datasets."""
        now = self.view == View(scopes=self.view.scopes)
        return now and not self.conditions and not self.datasets

    def where(self) -> ColumnElement[bool]:
        """The whole condition, for statements that join `source` with other tables."""
        parts = self.collection.members(self.view)
        if self.collection.of_datasets:
            parts.insert(0, _in_datasets(self.source, named=bool(self.datasets)))
        return and_(*parts, *(condition.clause for condition in self.conditions))

    @property
    def is_narrow(self) -> bool:
        """Whether there are few features in it, which an index finds."""
        return any(condition.narrow for condition in self.conditions)

    def digest(self) -> bytes:
        """Eight bytes that tell this selection from every other, for cursors and entity tags."""
        return blake2b(repr((self.key, sorted(self.values.items()))).encode(), digest_size=8).digest()

    def also(self, *conditions: Condition) -> "Selection":
        """The same selection, narrowed."""
        return replace(self, conditions=(*self.conditions, *conditions))


def _in_datasets(features: FromClause, *, named: bool) -> ColumnElement[bool]:
    if named:
        return features.c.dataset == any_(bindparam("datasets", type_=ARRAY(Text)))
    return features.c.dataset_id == any_(primary_datasets())


def primary_datasets() -> ColumnElement[Any]:
    """The ids of the primary datasets, as an array, which is read once for a statement."""
    return func.array(select(dataset.c.id).where(dataset.c.role == "primary").scalar_subquery())


def statement(
    name: str,
    made: AnySelect | Callable[[], AnySelect],
    selection: Selection,
    shape: Hashable = None,
    **values: Any,
) -> Statement:
    """A statement over a selection; ``name`` and ``shape`` tell its text from that of others."""
    key = (name, shape, selection.key)
    planned = Planned.ONCE if selection.is_narrow else Planned.ANEW
    return Statement(made, key, {**selection.values, **values}, planned)


def select_features(selection: Selection, columns: Sequence[str]) -> AnySelect:
    """SELECT of named columns of the features in a selection, in no order."""
    f = selection.source
    return select(*(f.c[name] for name in columns)).select_from(f).where(selection.where())


def intersects(geometry: Queryable, area: Shape) -> Condition:
    """What meets an area and, of an area with heights, reaches into their range.

    A feature without heights is in no range.
    """
    values: dict[str, Any] = {"area": area.ewkb}
    clause, kind = _meets(geometry.column), "any"
    narrow = area.rectangle is not None and _is_narrow(*area.rectangle)
    if geometry.bounds is not None and area.rectangle is not None:
        values |= dict(zip(_SIDES, area.rectangle, strict=True))
        clause, kind = _meets_rectangle(geometry), "rectangle"
    if geometry.heights is None or area.solid is None:
        return Condition(clause, ("intersects", kind), values, narrow)
    values |= {"z_low": area.solid[2], "z_high": area.solid[5]}
    reached = and_(clause, _reaches(*geometry.heights))
    return Condition(reached, ("intersects", kind, "heights"), values, narrow)


_NARROW_DEGREES = 2e-4
"""Square degrees, in Helsinki and Tallinn 1.2 square kilometres: of few thousand buildings in any city."""


def _is_narrow(west: float, south: float, east: float, north: float) -> bool:
    return (east - west) * (north - south) <= _NARROW_DEGREES


_SIDES = ("area_west", "area_south", "area_east", "area_north")


def _area() -> ColumnElement[Any]:
    return func.geometry(bindparam("area", type_=LargeBinary))


@lru_cache(maxsize=64)
def _meets(geometry: ColumnElement[Any]) -> ColumnElement[bool]:
    return func.ST_Intersects(geometry, _area(), type_=Boolean)


@lru_cache(maxsize=64)
def _meets_rectangle(geometry: Queryable) -> ColumnElement[bool]:
    """As `_meets`, but whose bounds lie within the rectangle, as those of most do, is not asked of GEOS.

    It is a comparison with a number because the planner takes that of an unknown one to hold nearly always:
    the index has chosen already.
    """
    columns = geometry.bounds or ()
    signs = (operator.ge, operator.ge, operator.le, operator.le)
    within = and_(
        *(
            sign(column, bindparam(name, type_=Double))
            for sign, column, name in zip(signs, columns, _SIDES, strict=True)
        )
    )
    exact = case((within, 1), else_=cast(_meets(geometry.column), Integer))
    return and_(geometry.column.op("&&", return_type=Boolean())(_area()), exact != 0)


def _reaches(lowest: ColumnElement[Any], highest: ColumnElement[Any]) -> ColumnElement[bool]:
    low, high = bindparam("z_low", type_=Double), bindparam("z_high", type_=Double)
    return and_(highest >= low, lowest <= high)
