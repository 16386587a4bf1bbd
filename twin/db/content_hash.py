"""A hash of what a database holds, so that two of them can be compared.

It covers each dataset's description, objects, geometries, meshes, read model and the superseded
versions of them. Left out is what differs between two imports of the same: numbers that the database
gives (ids of datasets and runs, revisions), and when something was recorded. Values that ``twin
process`` derives later are not covered, but where they stand in the read model.
"""

from collections.abc import Mapping
from hashlib import sha256

from sqlalchemy import Connection, Table, text

from twin.db import schema
from twin.db.part_tables import building_part, building_part_history

_NOT_CONTENT = frozenset(
    {
        "id", "dataset_id", "run_id", "revision", "created_at", "recorded_from", "recorded_to",
        "valid_until",
    }
)  # fmt: skip
_TABLES = (
    schema.city_object,
    schema.object_geometry,
    schema.object_mesh,
    schema.feature,
    schema.city_object_history,
    schema.object_geometry_history,
    schema.feature_history,
    building_part,
    building_part_history,
)


def content_hashes(connection: Connection) -> dict[str, str]:
    """The hash of each dataset by name, 64 hexadecimal digits."""
    # What the text of a value looks like must not depend on who asks.
    connection.execute(text("SET LOCAL timezone = 'UTC'"))
    connection.execute(text("SET LOCAL bytea_output = 'hex'"))
    connection.execute(text("SET LOCAL extra_float_digits = 1"))
    found = connection.execute(text("SELECT id, name FROM dataset ORDER BY name")).all()
    return {row.name: _hash(connection, row.id) for row in found}


def combined(hashes: Mapping[str, str]) -> str:
    """One hash of all datasets."""
    whole = "\n".join(f"{name} {digest}" for name, digest in sorted(hashes.items()))
    return sha256(whole.encode()).hexdigest()


def database_hash(connection: Connection) -> str:
    """One hash of all that a database holds."""
    return combined(content_hashes(connection))


def _hash(connection: Connection, dataset_id: int) -> str:
    digest = sha256()
    for table, key in ((schema.dataset, "id"), *((table, "dataset_id") for table in _TABLES)):
        statement = text(_DIGEST.format(table=table.name, columns=_columns(table), key=key))
        digest.update(f"{table.name} ".encode())
        digest.update(bytes(connection.execute(statement, {"dataset": dataset_id}).scalar_one()))
    return digest.hexdigest()


def _columns(table: Table) -> str:
    return ", ".join(f't."{c.name}"' for c in table.columns if c.name not in _NOT_CONTENT)


_DIGEST = """
SELECT sha256(coalesce(string_agg(h, ''::bytea ORDER BY h), ''::bytea))
FROM (
    SELECT sha256(convert_to(ROW({columns})::text, 'UTF8')) AS h FROM {table} t WHERE t.{key} = :dataset
) AS hashed
"""
"""Rows in the order of their hashes, so that it does not matter where they lie."""
