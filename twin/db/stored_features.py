"""Whole features as they are stored, one page after the other, now or at some time before."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    Connection,
    DateTime,
    Select,
    SmallInteger,
    Text,
    any_,
    bindparam,
    func,
    select,
    union_all,
)

from twin.db import feature_query, schema
from twin.db.history import valid_at
from twin.db.load import stored_specs
from twin.db.objects import faces, features, fetch, geometry_rows, object_rows
from twin.db.query import Selection, Statement
from twin.db.tile_query import tile_images
from twin.model.cityobject import CityFeature

_PAGE = 500
_KEY = ("id", "dataset_id", "object_id")

REPAIR_ATTRIBUTE = "geometryRepaired"
"""The attribute of an object that says what was done to its geometry."""


def stored_features(
    connection: Connection, selection: Selection, *, repaired: bool = False
) -> Iterator[CityFeature]:
    """The selected features in the order of their ids, with all objects and geometries.

    ``repaired`` puts repaired geometries in the place of those that were invalid, and into the
    objects' attributes what was done; only of what is stored now.
    """
    if selection.view.valid_at is not None:
        yield from _valid(connection, selection, selection.view.valid_at)
        return
    last: str | None = None
    while page := fetch(connection, feature_query.items(selection, _PAGE, last, _KEY)):
        last = page[-1]["id"]
        by_dataset: dict[int, list[str]] = {}
        for row in page:
            by_dataset.setdefault(row["dataset_id"], []).append(row["object_id"])
        for dataset_id, root_ids in by_dataset.items():
            yield from _whole(connection, dataset_id, root_ids, selection.view.as_of, repaired)


def _valid(connection: Connection, selection: Selection, moment: datetime) -> Iterator[CityFeature]:
    """Features as they stood in the world, each in the version that says so."""
    for dataset_id, _ in (found for name in selection.datasets for found in stored_specs(connection, name)):
        versions = valid_at(connection, dataset_id, moment, selection.view.as_of)
        for start in range(0, len(versions), _PAGE):
            page = versions[start : start + _PAGE]
            by_time: dict[datetime, list[str]] = {}
            for root_id, recorded_from in page:
                by_time.setdefault(recorded_from, []).append(root_id)
            found = {
                feature.root.id: feature
                for recorded_from, root_ids in by_time.items()
                for feature in _whole(connection, dataset_id, root_ids, recorded_from, repaired=False)
            }
            yield from (found[root_id] for root_id, _ in page)


def _whole(
    connection: Connection, dataset_id: int, root_ids: list[str], as_of: datetime | None, repaired: bool
) -> Iterator[CityFeature]:
    chosen = dataset_id, root_ids
    if as_of is None:
        statements = object_rows(*chosen), geometry_rows(*chosen)
    else:
        statements = objects_at(*chosen, as_of), geometries_at(*chosen, as_of)
    objects, geometries = (fetch(connection, statement) for statement in statements)
    if repaired:
        _put_repairs(objects, geometries, fetch(connection, repair_rows(*chosen)))
    found = {feature.root.id: feature for feature in features(objects, geometries)}
    yield from (found[root_id] for root_id in root_ids if root_id in found)


def _put_repairs(
    objects: Sequence[dict[str, Any]], geometries: Sequence[dict[str, Any]], repairs: Sequence[dict[str, Any]]
) -> None:
    """Change rows to what repairs made of them."""
    shapes = {(row["part_id"], row["ordinal"]): row for row in repairs}
    for row in geometries:
        if shape := shapes.get((row["object_id"], row["ordinal"])):
            row |= {name: shape[name] for name in _SHAPE} | {"appearance": None, "template": None}
    steps: dict[str, list[str]] = {}
    for row in repairs:
        told = (f"{step['code']}: {step['what']}" for step in row["steps"])
        steps.setdefault(row["part_id"], []).extend(told)
    for row in objects:
        if done := steps.get(row["object_id"]):
            row["attributes"] = {**row["attributes"], REPAIR_ATTRIBUTE: "; ".join(done)}


_SHAPE = ("geometry_type", "geom", "shell_start", "solid_start", "face_semantic", "surfaces")


def repair_rows(dataset_id: int, root_ids: list[str]) -> Statement:
    """The repaired geometries of whole features; ``geom`` is EWKB."""
    r = schema.object_repair.c
    beside = [column for column in r if column.name != "geom"]
    roots = bindparam("root_ids", type_=ARRAY(Text))
    clause = (
        select(*beside, func.ST_AsEWKB(r.geom).label("geom"))
        .where(r.dataset_id == bindparam("dataset_id", type_=SmallInteger), r.object_id == any_(roots))
        .order_by(r.part_id, r.ordinal)
    )
    return Statement(clause, "repairs", {"dataset_id": dataset_id, "root_ids": root_ids})


def objects_at(dataset_id: int, root_ids: list[str], as_of: datetime) -> Statement:
    """The rows of ``city_object`` that stood in the database at a time."""
    now, before = schema.city_object, schema.city_object_history
    names = [column.name for column in now.c]
    current = select(*now.c).where(*_chosen(now), now.c.recorded_from <= _AS_OF)
    past = select(*(before.c[name] for name in names)).where(*_stood(before))
    return _statement("objects_at", select(union_all(current, past).subquery()), dataset_id, root_ids, as_of)


def geometries_at(dataset_id: int, root_ids: list[str], as_of: datetime) -> Statement:
    """The geometries that stood in the database at a time; a version has those that ended with it."""
    now, before = schema.city_object, schema.city_object_history
    g, old = schema.object_geometry, schema.object_geometry_history
    same = (g.c.dataset_id == now.c.dataset_id) & (g.c.object_id == now.c.object_id)
    same_before = (
        (old.c.dataset_id == before.c.dataset_id)
        & (old.c.object_id == before.c.object_id)
        & (old.c.recorded_to == before.c.recorded_to)
    )
    current = (
        select(*_geometry(g)).join_from(now, g, same).where(*_chosen(now), now.c.recorded_from <= _AS_OF)
    )
    past = select(*_geometry(old)).join_from(before, old, same_before).where(*_stood(before))
    found = union_all(current, past).subquery()
    ordered = select(found).order_by(found.c.object_id, found.c.ordinal)
    return _statement("geometries_at", ordered, dataset_id, root_ids, as_of)


_AS_OF = bindparam("as_of", type_=DateTime(timezone=True))


def _geometry(table: Any) -> list[Any]:
    names = [c.name for c in schema.object_geometry.c if c.name not in ("geom", "same_as")]
    ended = ("recorded_to",) if table is schema.object_geometry_history else ()
    return [*(table.c[name] for name in names), faces(table, *ended)]


def _chosen(table: Any) -> tuple[Any, Any]:
    dataset = table.c.dataset_id == bindparam("dataset_id", type_=SmallInteger)
    return dataset, table.c.root_id == any_(bindparam("root_ids", type_=ARRAY(Text)))


def _stood(table: Any) -> tuple[Any, ...]:
    return (*_chosen(table), table.c.recorded_from <= _AS_OF, table.c.recorded_to > _AS_OF)


def _statement(
    key: str, clause: Select[Any], dataset_id: int, root_ids: list[str], as_of: datetime
) -> Statement:
    return Statement(clause, key, {"dataset_id": dataset_id, "root_ids": root_ids, "as_of": as_of})


def stored_image(connection: Connection, image: str) -> bytes:
    """An image of textures by its hash, as hexadecimal digits."""
    (row,) = fetch(connection, tile_images([bytes.fromhex(image)]))
    return row["image"]
