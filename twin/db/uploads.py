"""Uploaded collections: what there is, what a filter may name, and how they are written."""

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from hashlib import blake2b
from typing import Any, cast

import psycopg
from psycopg.types.json import Jsonb
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    FromClause,
    Integer,
    Text,
    bindparam,
    create_engine,
    delete,
    insert,
    literal_column,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError

from twin.db.collection_tables import SLOTS, collection, collection_feature
from twin.db.collections import COLLECTIONS
from twin.db.filter_values import SQL_TYPES
from twin.db.query import Collection, Statement, View
from twin.db.queryables import GEOMETRY, Queryable, Queryables, QueryableType
from twin.errors import DatabaseUnavailable, InvalidParameter, NotFound

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An uploaded collection; ``properties`` are names and types in the order of the file."""

    id: int
    name: str
    title: str
    description: str
    geometry_name: str
    properties: tuple[tuple[str, QueryableType], ...]
    count: int
    extent: tuple[float, float, float, float] | None
    revision: str


@dataclass(frozen=True, slots=True)
class NewFeature:
    """A feature to write: WKB in longitude and latitude, values by property, GeoJSON text."""

    id: str
    geometry: bytes | None
    properties: Mapping[str, Any]
    geojson: str


@dataclass(frozen=True, slots=True)
class NewCollection:
    """A collection to write; it takes the place of one with its name."""

    name: str
    title: str
    description: str
    geometry_name: str
    properties: Mapping[str, QueryableType]
    features: Sequence[NewFeature]


def uploaded_collections() -> Statement:
    """All uploaded collections in order of name; `read` makes values of the rows."""
    c = collection.c
    columns: list[ColumnElement[Any]] = [
        c.id, c.name, c.title, c.description, c.geometry_name, c.properties, c.count,
        c.west, c.south, c.east, c.north, c.revision,
    ]  # fmt: skip
    return Statement(select(*columns).order_by(c.name), ("uploaded_collections",), {})


def read(row: Row) -> Uploaded:
    """A row of `uploaded_collections` as a value."""
    extent = None if row["west"] is None else (row["west"], row["south"], row["east"], row["north"])
    properties: list[list[str]] = row["properties"]
    return Uploaded(
        row["id"], row["name"], row["title"], row["description"], row["geometry_name"],
        tuple((name, cast(QueryableType, kind)) for name, kind in properties),
        row["count"], extent, row["revision"],
    )  # fmt: skip


@lru_cache(maxsize=64)
def uploaded_collection(uploaded: Uploaded) -> Collection:
    """An uploaded collection as one to read."""
    queryables = _queryables(uploaded)
    return Collection(
        name=uploaded.name,
        title=uploaded.title,
        description=uploaded.description,
        kind="feature",
        key="uploaded",
        rows=_uploaded_features,
        queryables=lambda _: queryables,
        member=_is_of_collection,
        bound={"uploaded": uploaded.id},
        of_datasets=False,
        revision=uploaded.revision,
    )


def _uploaded_features(view: View) -> FromClause:
    if view.as_of is not None or view.scenario is not None:
        raise InvalidParameter("Uploaded collections have no history; leave 'datetime' out.")
    return _all_uploaded()


@cache
def _all_uploaded() -> FromClause:
    return collection_feature.alias("f")


def _is_of_collection(f: FromClause) -> ColumnElement[bool]:
    return f.c.collection_id == bindparam("uploaded", type_=Integer)


def _queryables(uploaded: Uploaded) -> Queryables:
    """What a filter may name: the properties, the id, and the geometry by both its names."""
    f = _all_uploaded().c
    members = [Queryable("id", "text", f.id), Queryable(GEOMETRY, "geometry", f.geometry)]
    members.append(Queryable(uploaded.geometry_name, "geometry", f.geometry))
    members += [
        Queryable(name, kind, _slot(kind, index)) for name, kind, index in _slots(uploaded.properties)
    ]
    return Queryables(members, key=("uploaded", uploaded.id, uploaded.revision))


def _slots(properties: Sequence[tuple[str, QueryableType]]) -> Iterator[tuple[str, QueryableType, int]]:
    """Each property with its type and its place, from 1, in the array of its type."""
    used = dict.fromkeys(SLOTS, 0)
    for name, kind in properties:
        used[kind] += 1
        yield name, kind, used[kind]


def _slot(kind: QueryableType, index: int, alias: str = "f") -> ColumnElement[Any]:
    # Text of SQL made of a declared column and a whole number.
    return literal_column(f"{alias}.{SLOTS[kind]}[{index:d}]", SQL_TYPES.get(kind, Text()))


def slot_of(uploaded: Uploaded, name: str, alias: str) -> ColumnElement[Any]:
    """A property of an uploaded collection where it is joined under an alias; InvalidParameter."""
    for found, kind, index in _slots(uploaded.properties):
        if found == name:
            return _slot(kind, index, alias)
    known = ", ".join(found for found, _ in uploaded.properties)
    raise InvalidParameter(f"'{uploaded.name}' has no property '{name[:60]}'. Known: {known[:400]}.")


class Store:
    """Writes uploaded collections, with a connection of its own that may write."""

    def __init__(self, url: Any) -> None:
        self._engine: Engine = create_engine(url, pool_size=1, max_overflow=1, pool_pre_ping=True)

    def close(self) -> None:
        """Closes the connections."""
        self._engine.dispose()

    def replace(self, new: NewCollection) -> bool:
        """Writes a collection whole; whether there was none of this name before."""
        if new.name in COLLECTIONS:
            raise InvalidParameter(f"'{new.name}' is the name of a collection of the city model.")
        names = [name for name, _, _ in _slots(tuple(new.properties.items()))]
        with self._transaction() as connection:
            there = delete(collection).where(collection.c.name == new.name).returning(collection.c.id)
            created = connection.execute(there).first() is None
            values = insert(collection).values(self._described(new)).returning(collection.c.id)
            number: int = connection.execute(values).scalar_one()
            self._copy(connection.connection.driver_connection, number, new, names)
            connection.execute(_EXTENT, {"id": number})
        return created

    def delete(self, name: str) -> None:
        """Removes a collection; NotFound where there is none."""
        with self._transaction() as connection:
            gone = delete(collection).where(collection.c.name == name).returning(collection.c.id)
            if connection.execute(gone).first() is None:
                raise NotFound(f"There is no uploaded collection '{name}'.")

    @contextmanager
    def _transaction(self) -> Generator[Connection, None, None]:
        try:
            with self._engine.begin() as connection:
                yield connection
        except (DBAPIError, psycopg.Error) as error:
            raise DatabaseUnavailable(f"The collection could not be written: {error}") from error

    def _described(self, new: NewCollection) -> dict[str, Any]:
        digest = blake2b(repr((new.title, new.description, dict(new.properties))).encode(), digest_size=12)
        for feature in new.features:
            digest.update(feature.geojson.encode())
        return {
            "name": new.name,
            "title": new.title,
            "description": new.description,
            "geometry_name": new.geometry_name,
            "properties": [[name, kind] for name, kind in new.properties.items()],
            "count": len(new.features),
            "revision": digest.hexdigest(),
        }

    def _copy(self, driver: Any, number: int, new: NewCollection, names: Sequence[str]) -> None:
        with driver.cursor().copy(_COPY) as copy:
            for feature in new.features:
                geometry = None if feature.geometry is None else feature.geometry.hex()
                copy.write_row((number, feature.id, geometry, *_arrays(new, feature, names), feature.geojson))


def _arrays(new: NewCollection, feature: NewFeature, names: Sequence[str]) -> list[list[Any]]:
    found: dict[str, list[Any]] = {column: [] for column in SLOTS.values()}
    for name in names:
        kind, value = new.properties[name], feature.properties[name]
        listed = kind == "list" and value is not None
        found[SLOTS[kind]].append(Jsonb(value) if listed else value)
    return list(found.values())


_COLUMNS = ("collection_id", "id", "geometry", *SLOTS.values(), "geojson")
_COPY = f"COPY collection_feature ({', '.join(_COLUMNS)}) FROM STDIN"
_EXTENT = text("""
    UPDATE collection SET west = ST_XMin(box), south = ST_YMin(box), east = ST_XMax(box), north = ST_YMax(box)
    FROM (SELECT ST_Extent(geometry) AS box FROM collection_feature WHERE collection_id = :id) AS extent
    WHERE id = :id
""")
