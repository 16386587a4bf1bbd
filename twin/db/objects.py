"""Stored objects with their geometry, read back as features of the model.

``object_rows`` and ``geometry_rows`` are statements, so that the command line runs them on
SQLAlchemy and the API on asyncpg; ``features`` makes features of what either gives.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ARRAY,
    Connection,
    Label,
    Select,
    SmallInteger,
    Table,
    Text,
    any_,
    bindparam,
    func,
    select,
)

from twin.db import geometry as codec
from twin.db.geometry_json import read_address
from twin.db.query import Statement
from twin.db.schema import city_object, object_geometry
from twin.model.cityobject import CityFeature, CityObject
from twin.model.geometry import Geometry

Record = Mapping[str, Any]


def object_rows(dataset_id: int, root_ids: Sequence[str]) -> Statement:
    """The current rows of ``city_object`` of whole features."""
    clause = select(city_object).where(*_chosen())
    return Statement(clause, "objects", _values(dataset_id, root_ids))


def geometry_rows(dataset_id: int, root_ids: Sequence[str]) -> Statement:
    """The geometries of whole features; ``geom`` is EWKB."""
    g = object_geometry.c
    beside = [column for column in g if column.name not in ("geom", "same_as")]
    joined = (g.dataset_id == city_object.c.dataset_id) & (g.object_id == city_object.c.object_id)
    clause: Select[Any] = (
        select(*beside, faces(object_geometry))
        .join_from(city_object, object_geometry, joined)
        .where(*_chosen())
        .order_by(g.object_id, g.ordinal)
    )
    return Statement(clause, "geometries", _values(dataset_id, root_ids))


def faces(table: Table, *same: str) -> Label[bytes]:
    """The EWKB of the geometries of a table, of those that repeat another one that one's.

    ``same`` are columns that they have in common beside the keys of the object.
    """
    other = table.alias("repeated")
    keys = (other.c[name] == table.c[name] for name in ("dataset_id", "object_id", *same))
    found = select(other.c.geom).where(*keys, other.c.ordinal == table.c.same_as)
    return func.ST_AsEWKB(func.coalesce(table.c.geom, found.scalar_subquery())).label("geom")


def fetch(connection: Connection, statement: Statement) -> list[dict[str, Any]]:
    """All rows of a statement, on a synchronous connection."""
    found = connection.execute(statement.clause, dict(statement.values)).mappings()
    return [cast("dict[str, Any]", dict(row)) for row in found]


def _chosen() -> tuple[Any, Any]:
    dataset = city_object.c.dataset_id == bindparam("dataset_id", type_=SmallInteger)
    return dataset, city_object.c.root_id == any_(bindparam("root_ids", type_=ARRAY(Text)))


def _values(dataset_id: int, root_ids: Sequence[str]) -> dict[str, Any]:
    return {"dataset_id": dataset_id, "root_ids": list(root_ids)}


def features(objects: Iterable[Record], geometries: Iterable[Record]) -> list[CityFeature]:
    """Features from rows of both statements; each root comes first, parents before children."""
    shapes: defaultdict[str, list[Geometry]] = defaultdict(list)
    for row in geometries:
        shapes[row["object_id"]].append(codec.decode(row))
    members: defaultdict[str, list[CityObject]] = defaultdict(list)
    for row in objects:
        members[row["root_id"]].append(_object(row, tuple(shapes[row["object_id"]])))
    return [CityFeature(tuple(_parents_first(root, group))) for root, group in members.items()]


def _object(row: Record, geometries: tuple[Geometry, ...]) -> CityObject:
    return CityObject(
        id=row["object_id"],
        type=row["type"],
        attributes=row["attributes"],
        geometries=geometries,
        parent=row["parent_id"],
        addresses=tuple(read_address(address) for address in row["addresses"] or ()),
        extra=row["extra"] or {},
    )


def _parents_first(root_id: str, group: Sequence[CityObject]) -> list[CityObject]:
    children: defaultdict[str | None, list[CityObject]] = defaultdict(list)
    for item in sorted(group, key=lambda item: item.id):
        children[item.parent].append(item)
    ordered = [item for item in group if item.id == root_id]
    for item in ordered:  # grows while it is walked: breadth first
        ordered.extend(children[item.id])
    return ordered


@dataclass(frozen=True, slots=True)
class Stored:
    """A feature as it was read; ``ordinals`` number the geometries of each object as they are stored."""

    content_hash: bytes
    feature: CityFeature
    ordinals: Mapping[str, list[int]]


def stored_features(objects: Sequence[Record], geometries: Sequence[Record]) -> dict[str, Stored]:
    """Features from rows of both statements, by the id of their root."""
    ordinals: dict[str, list[int]] = {row["object_id"]: [] for row in objects}
    for row in geometries:
        ordinals[row["object_id"]].append(row["ordinal"])
    hashes = {row["root_id"]: bytes(row["content_hash"]) for row in objects}
    return {
        feature.root.id: Stored(
            hashes[feature.root.id], feature, {item.id: ordinals[item.id] for item in feature}
        )
        for feature in features(objects, geometries)
    }
