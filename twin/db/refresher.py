"""How the workers of `twin process` write: only rows that differ from those that are stored."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import Column, Connection, Table, func, select, text

from twin.db import schema
from twin.db.cell_query import refresh_summary
from twin.db.copy_binary import copy_rows
from twin.db.jobs import DETAIL_TABLES, SIDE_TABLES, fetch, hold, spec_of
from twin.db.load import Loader, Row, Rows, differs
from twin.db.part_tables import building_part
from twin.db.skin_tables import object_skin


class Refresher(Loader):
    """Writes computed values of a stored dataset, in the caller's transaction.

    Refreshers of a dataset work beside each other; imports of it wait for them, and they for imports.
    """

    def __init__(self, connection: Connection, dataset_id: int) -> None:
        self._connection = connection
        name = connection.execute(
            select(schema.dataset.c.name).where(schema.dataset.c.id == dataset_id)
        ).scalar()
        lock = func.pg_advisory_xact_lock_shared(func.hashtextextended(name or "", 0))
        connection.execute(select(lock))
        hold(connection, dataset_id)
        self.spec = spec_of(connection, dataset_id)
        self.is_new = False
        self.dataset_id = dataset_id
        self.rows_written = 0

    def features(self, object_ids: Sequence[str]) -> dict[str, Row]:
        """The rows of the read model as they are, by the ids of their objects; geometries are EWKB."""
        return {row["object_id"]: row for row in self._stored(schema.feature, object_ids)}

    def parts(self, root_ids: Sequence[str]) -> dict[str, Row]:
        """The rows of the parts of buildings as they are, by their ids."""
        stored = self._stored(building_part, self.item_ids(root_ids), "building")
        return {row["id"]: row for row in stored}

    def mesh_hashes(self, object_ids: Sequence[str]) -> dict[str, dict[str, bytes | None]]:
        """Hashes of meshes by object and LoD, None of a mesh without the measures of its faces."""
        found: dict[str, dict[str, bytes | None]] = {}
        for row in fetch(self._connection, _MESH_HASHES, {"d": self.dataset_id, "ids": list(object_ids)}):
            found.setdefault(row["object_id"], {})[row["lod"]] = row["mesh_hash"]
        return found

    def _stored(self, table: Table, ids: Sequence[str], key: str = "object_id") -> list[Row]:
        names = ", ".join(map(_read, table.columns))
        query = f"SELECT {names} FROM {table.name} WHERE dataset_id = %(d)s AND {key} = ANY(%(ids)s)"  # noqa: S608
        return fetch(self._connection, query, {"d": self.dataset_id, "ids": list(ids)})

    def refresh(self, rows: Rows) -> None:
        """Replace computed values in place: a better measurement is no new version of the object."""
        self._update(schema.city_object, ("dataset_id", "object_id"), rows.objects)
        ids = [row["object_id"] for row in rows.features]
        if ids:
            self._update(schema.feature, ("id",), rows.features)
            self._outdate(ids)
        of_meshes = sorted({*ids, *(row["object_id"] for row in rows.meshes)})
        for table in (schema.object_mesh, object_skin):
            self._delete(table, "object_id", of_meshes)
        self._copy(object_skin, object_skin.name, rows.skins)
        self._add_templates(rows.templates)
        self._copy(schema.object_mesh, self._partition(schema.object_mesh), rows.meshes)
        self._upsert(building_part, ("id",), rows.parts)
        self.rows_written += len(rows)

    def _outdate(self, object_ids: Sequence[str]) -> None:
        """Forget what later stages computed, because the read model no longer shows it."""
        for table in SIDE_TABLES.values():
            self._delete(table, "object_id", object_ids)

    def _update(self, table: Table, keys: Sequence[str], rows: Sequence[Row]) -> None:
        """Update many rows by one statement from a staging table."""
        if not rows:
            return
        staging = f"staged_{table.name}"
        names = ", ".join(f'"{name}"' for name in rows[0])
        create = _CREATE_STAGING.format(staging=staging, names=names, table=table.name)
        self._connection.execute(text(create))
        copy_rows(self._connection, table, staging, rows)
        changed = [name for name in rows[0] if name not in keys]
        assignments = ", ".join(f'"{name}" = s."{name}"' for name in changed)
        matches = " AND ".join(f't."{key}" = s."{key}"' for key in keys)
        update_all = f"UPDATE {table.name} t SET {assignments} FROM {staging} s WHERE {matches}"  # noqa: S608
        self._connection.execute(text(update_all))
        self._connection.execute(text(f"DROP TABLE {staging}"))

    def store(self, stage: str, sides: Sequence[Row], features: Sequence[Row]) -> None:
        """Write the values of a stage to its side table and, where it shows them, to the read model."""
        table = SIDE_TABLES[stage]
        before = {row["object_id"]: row for row in self._stored(table, [row["object_id"] for row in sides])}
        changed = [row for row in sides if differs(row, before.get(row["object_id"]))]
        self._upsert(table, ("dataset_id", "object_id"), changed)
        self._update(schema.feature, ("id",), features)
        self.rows_written += len(changed) + len(features)

    def _upsert(self, table: Table, keys: Sequence[str], rows: Sequence[Row]) -> None:
        if not rows:
            return
        staging = f"staged_{table.name}"
        like = f"(LIKE {table.name} INCLUDING DEFAULTS)"
        self._connection.execute(text(f"CREATE TEMPORARY TABLE {staging} {like}"))
        copy_rows(self._connection, table, staging, rows)
        names = [column.name for column in table.columns if column.name in rows[0]]
        listed = ", ".join(f'"{name}"' for name in names)
        updates = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name not in keys)
        upsert = (
            f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM {staging} "  # noqa: S608
            f"ON CONFLICT ({', '.join(keys)}) DO UPDATE SET {updates}"
        )
        self._connection.execute(text(upsert))
        self._connection.execute(text(f"DROP TABLE {staging}"))

    def replace_details(self, stage: str, object_ids: Sequence[str], rows: Sequence[Row]) -> None:
        """What a stage found of features in place of what there was."""
        table = DETAIL_TABLES[stage]
        before = _by_object(table, self._stored(table, object_ids))
        after = _by_object(table, rows)
        changed = [i for i in object_ids if _differ(after.get(i, []), before.get(i, []))]
        if not changed:
            return
        self._delete(table, "object_id", changed)
        written = [row for i in changed for row in after.get(i, [])]
        self._copy(table, table.name, written)
        self.rows_written += len(written)

    def revise(self) -> None:
        """Count the revision up, and last, for the row of the dataset is locked from then on."""
        self._connection.execute(
            text("UPDATE dataset SET revision = revision + 1 WHERE id = :d"), {"d": self.dataset_id}
        )
        refresh_summary(self._connection, self.dataset_id)


def _differ(rows: Sequence[Row], stored: Sequence[Row]) -> bool:
    return len(rows) != len(stored) or any(map(differs, rows, stored))


def _by_object(table: Table, rows: Iterable[Row]) -> Mapping[str, list[Row]]:
    """The rows of each object in the order of their keys."""
    found: dict[str, list[Row]] = {}
    keys = [column.name for column in table.primary_key.columns]
    for row in sorted(rows, key=lambda row: [row[key] for key in keys]):
        found.setdefault(row["object_id"], []).append(row)
    return found


def _read(column: Column[Any]) -> str:
    name = f'"{column.name}"'
    return f"ST_AsEWKB({name}) AS {name}" if isinstance(column.type, Geometry) else name


_MESH_HASHES = """
SELECT object_id, lod, CASE WHEN faces IS NOT NULL THEN mesh_hash END AS mesh_hash FROM object_mesh
WHERE dataset_id = %(d)s AND object_id = ANY(%(ids)s)
"""

_CREATE_STAGING = """
CREATE TEMPORARY TABLE {staging} ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA
"""
