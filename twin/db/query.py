"""What can be read, as values: a `View`, a `Selection` of features, and the `Statement` for them.

Nothing here talks to a database. The command line runs ``statement.clause`` with
``statement.values`` on SQLAlchemy; the API compiles each ``statement.key`` once and runs its text
on asyncpg. Two statements with the same key have the same SQL text and differ in values alone.
"""

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache
from hashlib import blake2b
from typing import Any, TypeAlias

from sqlalchemy import (
    Boolean,
    ColumnElement,
    DateTime,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    func,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from twin.db.collection_tables import collection_feature
from twin.db.schema import dataset, feature, feature_history
from twin.db.shapes import Shape
from twin.errors import NotFound

COLLECTIONS: dict[str, str] = {"buildings": "Building"}
"""Collections of features and the first-level CityJSON type that each holds."""

ALL_SCOPES = frozenset({"public", "personal"})

AnySelect: TypeAlias = Select[Any]


@dataclass(frozen=True, slots=True)
class View:
    """Through which glasses the data are read; every read goes through one.

    ``as_of`` (with time zone) shows what the database held then; ``scenario`` overlays planned
    changes; ``scopes`` name the access levels whose attributes may be selected or filtered by.
    """

    as_of: datetime | None = None
    scenario: str | None = None
    scopes: frozenset[str] = ALL_SCOPES

    @property
    def shape(self) -> Hashable:
        """What of the view changes the text of SQL."""
        return (self.as_of is not None, self.scenario)

    @property
    def values(self) -> dict[str, Any]:
        return {} if self.as_of is None else {"as_of": self.as_of}


@dataclass(frozen=True, slots=True)
class Statement:
    """A SELECT with the values of its parameters; the same ``key`` means the same SQL text.

    A ``key`` of None means that the text must not be remembered.
    """

    clause: AnySelect
    key: Hashable | None
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Condition:
    """One WHERE condition over `source` of a view, with every value bound."""

    clause: ColumnElement[bool]
    key: Hashable
    values: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, eq=False)
class Selection:
    """Which features: one collection (None: all), some datasets, and conditions that all hold.

    Without ``datasets`` the primary datasets are read, so that no building counts twice. With
    ``uploaded``, the features of an uploaded collection of that number are selected instead.
    """

    view: View = View()
    collection: str | None = None
    datasets: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    uploaded: int | None = None

    @property
    def source(self) -> FromClause:
        """The features to select from, named ``f``."""
        return source(self.view) if self.uploaded is None else uploaded_features()

    @property
    def key(self) -> Hashable:
        return (
            self.view.shape,
            self.uploaded is not None,
            self.collection is not None,
            bool(self.datasets),
            *(condition.key for condition in self.conditions),
        )

    @property
    def values(self) -> dict[str, Any]:
        found = self.view.values
        if self.uploaded is not None:
            found["uploaded"] = self.uploaded
        elif self.collection is not None:
            found["collection_type"] = collection_type(self.collection)
        if self.datasets:
            found["datasets"] = list(self.datasets)
        for condition in self.conditions:
            found.update(condition.values)
        return found

    def where(self) -> ColumnElement[bool]:
        """The whole condition, for statements that join `source` with other tables."""
        f = self.source.c
        if self.uploaded is not None:
            parts = [f.collection_id == bindparam("uploaded", type_=Integer)]
        else:
            parts = [_in_datasets(self.source, named=bool(self.datasets))]
            if self.collection is not None:
                parts.append(f.type == bindparam("collection_type", type_=Text))
        return and_(*parts, *(condition.clause for condition in self.conditions))

    def digest(self) -> bytes:
        """Eight bytes that tell this selection from every other, for cursors and entity tags."""
        return blake2b(repr((self.key, sorted(self.values.items()))).encode(), digest_size=8).digest()

    def also(self, *conditions: Condition) -> "Selection":
        """The same selection, narrowed."""
        return replace(self, conditions=(*self.conditions, *conditions))


def collection_type(collection: str) -> str:
    """The CityJSON type that a collection holds; raises NotFound with the known names."""
    if collection not in COLLECTIONS:
        raise NotFound(f"There is no collection '{collection}'. Known: {', '.join(COLLECTIONS)}.")
    return COLLECTIONS[collection]


def source(view: View) -> FromClause:
    """The features that a view shows, as a FROM clause named ``f``; raises NotFound."""
    if view.scenario is not None:
        raise NotFound(f"There is no scenario '{view.scenario}'.")
    return current_features() if view.as_of is None else recorded_features()


@cache
def current_features() -> FromClause:
    """The features as they are now, named ``f``."""
    return feature.alias("f")


@cache
def uploaded_features() -> FromClause:
    """The features of all uploaded collections, named ``f``."""
    return collection_feature.alias("f")


@cache
def recorded_features() -> FromClause:
    """Rows as the database held them at ``:as_of``; they were superseded later or never."""
    moment = bindparam("as_of", type_=DateTime(timezone=True))
    past = feature_history.c
    return union_all(
        select(feature).where(feature.c.recorded_from <= moment),
        select(*(past[column.name] for column in feature.c)).where(
            past.recorded_from <= moment, past.recorded_to > moment
        ),
    ).subquery("f")


def _in_datasets(features: FromClause, *, named: bool) -> ColumnElement[bool]:
    if named:
        return features.c.dataset == any_(bindparam("datasets", type_=ARRAY(Text)))
    primary = select(dataset.c.id).where(dataset.c.role == "primary")
    # An array from a subquery is read once for the statement, and the comparison stays cheap.
    return features.c.dataset_id == any_(func.array(primary.scalar_subquery()))


def statement(
    name: str, clause: AnySelect, selection: Selection, shape: Hashable = None, **values: Any
) -> Statement:
    """A statement over a selection; ``name`` and ``shape`` tell its text from that of others."""
    return Statement(clause, (name, shape, selection.key), {**selection.values, **values})


def select_features(selection: Selection, columns: Sequence[str]) -> AnySelect:
    """SELECT of named columns of the features in a selection, in no order."""
    f = selection.source
    return select(*(f.c[name] for name in columns)).select_from(f).where(selection.where())


def intersects(
    geometry: ColumnElement[Any], area: Shape, heights: Sequence[ColumnElement[Any]] | None = None
) -> Condition:
    """What meets an area and, of an area with heights, reaches into their range.

    ``heights`` are the lowest and the highest height of a feature, where they are known. A feature
    without them is in no range.
    """
    bound = func.geometry(bindparam("area", type_=LargeBinary))
    clause = func.ST_Intersects(geometry, bound, type_=Boolean)
    values: dict[str, Any] = {"area": area.ewkb}
    if heights is not None and area.solid is not None:
        low, high = bindparam("z_low", type_=Double), bindparam("z_high", type_=Double)
        clause = and_(clause, heights[1] >= low, heights[0] <= high)
        values |= {"z_low": area.solid[2], "z_high": area.solid[5]}
    return Condition(clause, ("intersects", len(values)), values)
