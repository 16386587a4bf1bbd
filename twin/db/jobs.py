"""The ledger of `twin process`, what its workers read, and how they write.

``processing_job`` has a row for each stage and partition of a dataset. A job's values, the read
model, the revision of the dataset and the row of the ledger change in one transaction, so that
whatever happens to a worker, a job is done whole or not at all.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, cast

import orjson
import psycopg
from psycopg.errors import UndefinedTable
from psycopg.rows import dict_row
from psycopg.types.json import set_json_loads
from sqlalchemy import Connection, Engine, Table, select, text

from twin.db import schema
from twin.db.load import DatasetSpec, Row, stored_specs
from twin.errors import NotFound

SIDE_TABLES: Mapping[str, Table] = {
    "roof_faces": schema.object_roof,
    "neighbours": schema.object_neighbours,
    "validity": schema.object_validity,
}
"""Where the values of the stages after the import are kept, one row a feature."""

DETAIL_TABLES: Mapping[str, Table] = {"roof_faces": schema.roof_face, "validity": schema.object_repair}
"""Where stages keep what a feature has any number of."""


@dataclass(frozen=True, slots=True)
class JobKey:
    """One stage of one partition of a dataset: a cell of the grid, level -1 for what has no place."""

    dataset_id: int
    stage: str
    level: int
    cell: int

    @property
    def values(self) -> dict[str, Any]:
        return {"d": self.dataset_id, "stage": self.stage, "level": self.level, "cell": self.cell}


@contextmanager
def alone(engine: Engine, dataset_id: int) -> Generator[None, None, None]:
    """Let one `twin process` at a time plan and run the jobs of a dataset; the next one waits."""
    with engine.connect() as connection:
        key = {"a": _PROCESS_LOCK, "b": dataset_id}
        connection.execute(text("SELECT pg_advisory_lock(:a, :b)"), key)
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:a, :b)"), key)
            connection.commit()


_PROCESS_LOCK = 7_236_420


def quadkeys(connection: Connection, dataset_id: int) -> list[int | None]:
    """The quadkeys of all measured features of a dataset; None for those without a place."""
    found = connection.execute(text(_QUADKEYS), {"d": dataset_id})
    return list(found.scalars())


def plan(connection: Connection, keys: Sequence[JobKey], algorithm: str) -> None:
    """Write down the jobs of one stage of a dataset, in place of those of an earlier division."""
    first = keys[0]
    hold(connection, first.dataset_id)
    connection.execute(text(_FORGET), {"d": first.dataset_id, "stage": first.stage})
    connection.execute(text(_PLAN), [{**key.values, "algorithm": algorithm} for key in keys])


def begin(connection: Connection, key: JobKey) -> None:
    """Say that a worker has taken the job."""
    connection.execute(text(_BEGIN), key.values)


def finish(connection: Connection, key: JobKey, input_hash: bytes, features: int, computed: int) -> None:
    """Say what was done; in the transaction that writes it."""
    counts = {"input": input_hash, "features": features, "computed": computed}
    connection.execute(text(_FINISH), {**key.values, **counts})


def fail(connection: Connection, key: JobKey, error: str) -> None:
    """Say why the job was not done."""
    connection.execute(text(_FAIL), {**key.values, "error": error})


def hold(connection: Connection, dataset_id: int) -> None:
    """Keep a dataset from being removed, not its revision from being counted up; NotFound where it was."""
    if connection.execute(text(_HOLD), {"d": dataset_id}).first() is None:
        raise NotFound(_REMOVED)


def spec_of(connection: Connection, dataset_id: int) -> DatasetSpec:
    """What a dataset is; NotFound where it was removed."""
    for found, spec in stored_specs(connection):
        if found == dataset_id:
            return spec
    raise NotFound(_REMOVED)


_REMOVED = "The dataset was removed meanwhile."

_HOLD = "SELECT 1 FROM dataset WHERE id = :d FOR KEY SHARE"


def extent(connection: Connection, key: JobKey, quadkeys: tuple[int, int]) -> tuple[float, ...] | None:
    """West, south, east, north in degrees of all features of a partition; None where it has none."""
    values = {**key.values, "low": quadkeys[0], "high": quadkeys[1]}
    row = connection.execute(text(_EXTENT), values).one()
    return None if row[0] is None else tuple(row)


def members(
    connection: Connection,
    key: JobKey,
    *,
    quadkeys: tuple[int, int] | None = None,
    box: Sequence[float] | None = None,
    ids: Sequence[str] | None = None,
) -> list[Row]:
    """Features by partition, by a box in Web Mercator metres or by id, with what their values depend on.

    Without any, those that have no place.
    """
    values: dict[str, Any] = {"d": key.dataset_id}
    if ids is not None:
        condition = "f.object_id = ANY(%(ids)s)"
        values["ids"] = list(ids)
    elif box is not None:
        condition = "f.footprint_3857 && ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 3857)"
        values |= dict(zip("wsen", box, strict=True))
    elif quadkeys is not None:
        condition = "f.quadkey >= %(low)s AND f.quadkey < %(high)s"
        values |= {"low": quadkeys[0], "high": quadkeys[1]}
    else:
        condition = "f.quadkey IS NULL"
    side = SIDE_TABLES.get(key.stage)
    stored = ("NULL::bytea", "") if side is None else ("s.input_hash", _LEFT_JOIN.format(side=side.name))
    query = _MEMBERS.format(input=stored[0], join=stored[1], condition=condition, n=key.dataset_id)
    return fetch(connection, query, values)


def whole_objects(connection: Connection, dataset_id: int, root_ids: Sequence[str]) -> list[Row]:
    """The objects of whole features, with all that is known of them."""
    return fetch(connection, _WHOLE_OBJECTS.format(n=dataset_id), {"d": dataset_id, "ids": list(root_ids)})


def whole_geometries(connection: Connection, dataset_id: int, root_ids: Sequence[str]) -> list[Row]:
    """The geometries of whole features, without how they look."""
    return fetch(connection, _WHOLE_GEOMETRIES.format(n=dataset_id), {"d": dataset_id, "ids": list(root_ids)})


def objects_of(connection: Connection, dataset_id: int, root_ids: Sequence[str]) -> list[Row]:
    """The objects of whole features, without their attributes."""
    return fetch(connection, _OBJECTS.format(n=dataset_id), {"d": dataset_id, "ids": list(root_ids)})


def geometries_of(connection: Connection, dataset_id: int, lods: Mapping[str, str]) -> list[Row]:
    """The geometries of whole features at one LoD each, given by root id."""
    values = {"d": dataset_id, "ids": list(lods), "lods": list(lods.values())}
    return fetch(connection, _GEOMETRIES.format(n=dataset_id), values)


def outlines_of(connection: Connection, dataset_id: int, object_ids: Sequence[str]) -> dict[str, bytes]:
    """Footprints in longitude and latitude as well-known binary, by id; those that have one."""
    rows = fetch(connection, _OUTLINES, {"d": dataset_id, "ids": list(object_ids)})
    return {row["object_id"]: row["outline"] for row in rows}


def texts_of(connection: Connection, dataset_id: int, object_ids: Sequence[str]) -> list[Row]:
    """What a feature's row in the read model is refreshed from."""
    return fetch(connection, _TEXTS, {"d": dataset_id, "ids": list(object_ids)})


def named(connection: Connection, id: str, dataset: str | None) -> list[dict[str, Any]]:
    """Features by their id, or by that in the source; all their columns, with the content hash."""
    f, o = schema.feature, schema.city_object
    same = (o.c.dataset_id == f.c.dataset_id) & (o.c.object_id == f.c.object_id)
    query = select(f, o.c.content_hash, o.c.measured_with).join_from(f, o, same)
    query = query.where((f.c.id == id) | (f.c.object_id == id))
    if dataset is not None:
        query = query.where(f.c.dataset == dataset)
    rows = connection.execute(query.order_by(f.c.id)).mappings()
    return [{str(name): value for name, value in row.items()} for row in rows]


def computed_by(connection: Connection, stage: str, dataset_id: int, object_id: str) -> str | None:
    """The algorithm that computed the stored values of a stage; None where there are none."""
    s = SIDE_TABLES[stage].c
    query = select(s.algorithm).where(s.dataset_id == dataset_id, s.object_id == object_id)
    return connection.execute(query).scalar()


def fetch(connection: Connection, query: str, values: Mapping[str, Any]) -> list[Row]:
    """Rows in binary form, which spares reading thousands of geometries as text.

    NotFound where the partitions of the dataset went with it.
    """
    driver = cast("psycopg.Connection[Any]", connection.connection.driver_connection)
    sent = {name: _sent(value) for name, value in values.items()}
    with driver.cursor(binary=True, row_factory=dict_row) as cursor:
        set_json_loads(orjson.loads, cursor)
        try:
            return cast("list[Row]", cursor.execute(query.encode(), sent).fetchall())
        except UndefinedTable:
            raise NotFound(_REMOVED) from None


def _sent(value: Any) -> Any:
    """A list of texts as the literal of an array, made of all at once rather than of one after the other."""
    if not isinstance(value, list):
        return value
    texts = cast("list[str]", value)
    if not texts:
        return "{}"
    # No text in the database has the character 0.
    escaped = "\0".join(texts).replace("\\", "\\\\").replace('"', '\\"')
    return '{"' + escaped.replace("\0", '","') + '"}'


def states(connection: Connection, dataset_id: int) -> dict[str, dict[str, int]]:
    """How many jobs of each stage of a dataset are in which state."""
    counted: dict[str, dict[str, int]] = {}
    for stage, state, count in connection.execute(text(_STATES), {"d": dataset_id}):
        counted.setdefault(stage, {})[state] = count
    return counted


def verdicts(connection: Connection, dataset_id: int) -> tuple[int, int]:
    """How many features of a dataset are invalid, and how many of those are repaired."""
    row = connection.execute(text(_VERDICTS), {"d": dataset_id}).one()
    return row[0], row[1]


def combined(hashes: Iterable[bytes]) -> bytes:
    """One hash of the inputs of all features of a partition, given in order of their ids."""
    return blake2b(b"".join(hashes), digest_size=16).digest()


_QUADKEYS = "SELECT quadkey FROM feature WHERE dataset_id = :d AND surfaces IS NOT NULL"

_JOB = "dataset_id = :d AND stage = :stage AND level = :level AND cell = :cell"

_FORGET = "DELETE FROM processing_job WHERE dataset_id = :d AND stage = :stage"

_PLAN = """
INSERT INTO processing_job (dataset_id, stage, level, cell, algorithm, state)
VALUES (:d, :stage, :level, :cell, :algorithm, 'pending')
"""

_BEGIN = f"UPDATE processing_job SET state = 'running', started_at = clock_timestamp() WHERE {_JOB}"  # noqa: S608

_FINISH = f"""
UPDATE processing_job
SET state = 'done', input_hash = :input, features = :features, computed = :computed,
    finished_at = clock_timestamp(), error = NULL
WHERE {_JOB}
"""  # noqa: S608

_FAIL = f"""
UPDATE processing_job SET state = 'failed', error = :error, finished_at = clock_timestamp() WHERE {_JOB}
"""  # noqa: S608

_STATES = "SELECT stage, state, count(*) FROM processing_job WHERE dataset_id = :d GROUP BY stage, state"

_VERDICTS = """
SELECT count(*), count(*) FILTER (WHERE repair = 'repaired')
FROM object_validity WHERE dataset_id = :d AND NOT valid
"""

_EXTENT = """
SELECT min(west), min(south), max(east), max(north) FROM feature
WHERE dataset_id = :d AND surfaces IS NOT NULL AND quadkey >= :low AND quadkey < :high
"""

# The partitions of a dataset are asked for by their own names: only they have statistics, without which
# the planner takes a feature for hundreds of objects. Their indexes begin with the dataset all the same.

_MEMBERS = """
SELECT f.object_id, f.quadkey, f.west, f.south, f.east, f.north, f.lod, o.content_hash, o.measured_with,
       {input} AS input_hash
FROM feature f
JOIN city_object_{n} o ON o.dataset_id = f.dataset_id AND o.object_id = f.object_id
{join}
WHERE f.dataset_id = %(d)s AND f.surfaces IS NOT NULL AND {condition}
"""

_LEFT_JOIN = "LEFT JOIN {side} s ON s.dataset_id = f.dataset_id AND s.object_id = f.object_id"

_OBJECTS = """
SELECT object_id, type, parent_id, root_id, content_hash, '{{}}'::jsonb AS attributes, NULL AS addresses,
       NULL AS extra
FROM city_object_{n} WHERE dataset_id = %(d)s AND root_id = ANY(%(ids)s)
"""

_WHOLE_OBJECTS = "SELECT * FROM city_object_{n} WHERE dataset_id = %(d)s AND root_id = ANY(%(ids)s)"

_SHAPES = """
SELECT g.object_id, g.ordinal, g.lod, g.geometry_type, g.shell_start, ST_AsEWKB(coalesce(g.geom, (
           SELECT r.geom FROM object_geometry_{n} r
           WHERE r.dataset_id = %(d)s AND r.object_id = g.object_id AND r.ordinal = g.same_as
       ))) AS geom,
       g.solid_start, g.face_semantic, g.surfaces, g.template"""

_WHOLE_GEOMETRIES = f"""
{_SHAPES}, g.appearance
FROM city_object_{{n}} o
JOIN object_geometry_{{n}} g ON g.dataset_id = o.dataset_id AND g.object_id = o.object_id
WHERE o.dataset_id = %(d)s AND o.root_id = ANY(%(ids)s)
ORDER BY g.object_id, g.ordinal
"""

_GEOMETRIES = f"""
{_SHAPES}, NULL AS appearance
FROM unnest(%(ids)s::text[], %(lods)s::text[]) AS wanted (root_id, lod)
JOIN city_object_{{n}} o ON o.root_id = wanted.root_id
JOIN object_geometry_{{n}} g
  ON g.dataset_id = o.dataset_id AND g.object_id = o.object_id AND g.lod = wanted.lod
WHERE o.dataset_id = %(d)s
ORDER BY g.object_id, g.ordinal
"""

_OUTLINES = """
SELECT object_id, ST_AsBinary(footprint) AS outline FROM feature
WHERE dataset_id = %(d)s AND object_id = ANY(%(ids)s) AND footprint IS NOT NULL
"""

_TEXTS = """
SELECT id, object_id, geojson, mesh_hash FROM feature
WHERE dataset_id = %(d)s AND object_id = ANY(%(ids)s)
ORDER BY object_id
"""
