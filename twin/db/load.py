"""Writing: datasets, their partitions, and whole features by COPY BINARY.

Everything a ``Loader`` does happens in the caller's transaction. The partitions of a new dataset
are filled as plain tables and attached at the end: creating them as partitions would lock the
parent tables, and with them every reader, for as long as the import runs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    LargeBinary,
    Table,
    Text,
    and_,
    any_,
    delete,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from twin.db import history, schema
from twin.db.cell_query import refresh_summary
from twin.db.columns import catalogue_columns
from twin.db.copy_binary import Packed, Row, copy_rows, pack
from twin.db.part_tables import building_part, building_part_history
from twin.db.skin_tables import object_skin, texture_image
from twin.db.template_tables import template_mesh
from twin.model.attributes import Stage


@dataclass(frozen=True, slots=True)
class DatasetSpec:
    """What a dataset is, as written when it is first seen and refreshed by every import."""

    name: str
    title: str
    city: str
    synthetic: bool
    horizontal_epsg: int | None
    vertical_epsg: int | None
    placement: str
    heights: dict[str, Any] = field(default_factory=dict[str, Any])
    publisher: str | None = None
    licence: str | None = None
    document: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(slots=True)
class Rows:
    """Rows of whole features, each a mapping from column names of its table."""

    objects: list[Row] = field(default_factory=list[Row])
    geometries: list[Row] = field(default_factory=list[Row])
    meshes: list[Row] = field(default_factory=list[Row])
    features: list[Row] = field(default_factory=list[Row])
    skins: list[Row] = field(default_factory=list[Row])
    """Of the meshes, and not counted beside them."""
    templates: list[Row] = field(default_factory=list[Row])
    """Of which the meshes tell; some may be stored already, and they are not counted."""
    parts: list[Row] = field(default_factory=list[Row])

    def __len__(self) -> int:
        return sum(map(len, (self.objects, self.geometries, self.meshes, self.features, self.parts)))

    def packed(self) -> "PackedRows":
        """The same in the form that the database takes."""
        return PackedRows(
            pack(schema.city_object, self.objects),
            pack(schema.object_geometry, self.geometries),
            pack(schema.object_mesh, self.meshes),
            pack(schema.feature, self.features),
            skins=pack(object_skin, self.skins),
            templates=pack(template_mesh, self.templates),
            parts=pack(building_part, self.parts),
        )


@dataclass(frozen=True, slots=True)
class PackedRows:
    """Rows of whole features as bytes."""

    objects: Packed = field(default_factory=Packed)
    geometries: Packed = field(default_factory=Packed)
    meshes: Packed = field(default_factory=Packed)
    features: Packed = field(default_factory=Packed)
    skins: Packed = field(default_factory=Packed)
    images: Packed = field(default_factory=Packed)
    templates: Packed = field(default_factory=Packed)
    parts: Packed = field(default_factory=Packed)

    def __len__(self) -> int:
        return sum(map(len, (self.objects, self.geometries, self.meshes, self.features, self.parts)))

    def with_images(self, images: Sequence[Row]) -> "PackedRows":
        """The same with the images that they show."""
        return replace(self, images=pack(texture_image, images))


def differs(row: Row, stored: Row | None) -> bool:
    """Whether a row has another value than the stored one in any of the columns of the table."""
    if stored is None:
        return True
    values = _common(tuple(row), tuple(stored))
    return values(row) != values(stored)


@lru_cache(maxsize=64)
def _common(names: tuple[str, ...], stored: tuple[str, ...]) -> Callable[[Row], Any]:
    """What reads the values of the columns that both have; the rows of a table are all alike."""
    return itemgetter(*(name for name in names if name in stored))


def stored_specs(connection: Connection, name: str | None = None) -> list[tuple[int, DatasetSpec]]:
    """Ids and descriptions of the stored datasets, or of the one of that name."""
    statement = select(schema.dataset).order_by(schema.dataset.c.name)
    if name is not None:
        statement = statement.where(schema.dataset.c.name == name)
    found = connection.execute(statement).mappings()
    return [
        (row["id"], DatasetSpec(**{k: row[k] for k in DatasetSpec.__dataclass_fields__})) for row in found
    ]


class Loader:
    """Writes one dataset within one transaction; a second loader of the same dataset waits."""

    def __init__(self, connection: Connection, spec: DatasetSpec, *, new_id: int | None = None) -> None:
        """``new_id`` is the id that the dataset gets if it is a new one."""
        self._connection = connection
        self.spec = spec
        connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(spec.name, 0))))
        known = connection.execute(select(schema.dataset).where(schema.dataset.c.name == spec.name)).first()
        self.is_new = known is None
        if known is not None:
            self.spec = replace(spec, document=merged(known.document, spec.document))
        self.dataset_id: int = self._create(new_id) if known is None else known.id
        self.rows_written = 0
        self._has_parts = False

    def _create(self, new_id: int | None) -> int:
        row = {**_columns_of(self.spec), "role": self._role()}
        if new_id is not None:
            row["id"] = new_id
        statement = insert(schema.dataset).values(row).returning(schema.dataset.c.id)
        dataset_id = self._connection.execute(statement).scalar_one()
        for table in schema.PARTITIONED:
            self._connection.execute(text(_CREATE_PARTITION.format(table=table.name, id=dataset_id)))
        self._connection.execute(text(_KEEP_INLINE.format(id=dataset_id)))
        return dataset_id

    def _role(self) -> str:
        """A city's first dataset is primary, and a real one takes that place from a synthetic one."""
        table = schema.dataset
        in_place = (table.c.city == self.spec.city) & (table.c.role == "primary")
        first = self._connection.execute(select(table.c.id, table.c.synthetic).where(in_place)).first()
        if first is None:
            return "primary"
        if self.spec.synthetic or not first.synthetic:
            return "alternative"
        self._connection.execute(update(table).where(table.c.id == first.id).values(role="alternative"))
        return "primary"

    def take(self, prefix: str) -> None:
        """Move in the rows of the tables with a prefix; the features that they replace go to history."""
        if not self.is_new:
            replaced = text(
                f"SELECT s.object_id FROM {prefix}_feature s JOIN feature f USING (id)"  # noqa: S608
            )
            self.end(list(self._connection.execute(replaced).scalars()), f"{prefix}_city_object")
        for table in (*schema.PARTITIONED, *_READ_MODELS):
            target = table.name if table in _READ_MODELS else self._partition(table)
            # Recorded when it is published, not when it was staged.
            names = ", ".join(
                f'"{c.name}"' for c in table.columns if c.computed is None and c.name != "recorded_from"
            )
            move = f"INSERT INTO {target} ({names}) SELECT {names} FROM {prefix}_{table.name}"  # noqa: S608
            moved = self._connection.execute(text(move)).rowcount
            self.rows_written += moved
            self._has_parts |= table is building_part and moved > 0
        for table in (object_skin, texture_image):
            move = f"INSERT INTO {table.name} SELECT * FROM {prefix}_{table.name} ON CONFLICT DO NOTHING"  # noqa: S608
            self._connection.execute(text(move))
        self._connection.execute(text(_TAKE_TEMPLATES.format(staged=f"{prefix}_{template_mesh.name}")))

    def end(self, root_ids: Sequence[str], successors: str | None = None) -> None:
        """Move whole features to history; what was computed of them afterwards is dropped.

        ``successors`` is the table with the objects of their next versions; without it they are gone.
        """
        ids = list(root_ids)
        table = schema.city_object
        members = select(table.c.object_id).where(self._own(table, "root_id", ids))
        object_ids = list(self._connection.execute(members).scalars())
        self._supersede(schema.feature, schema.feature_history, "object_id", ids)
        self._supersede(building_part, building_part_history, "building", self.item_ids(ids))
        self._supersede(schema.object_geometry, schema.object_geometry_history, "object_id", object_ids)
        self._supersede(schema.city_object, schema.city_object_history, "root_id", ids)
        if successors is None:
            history.close_removed(self._connection, self.dataset_id, ids)
        else:
            history.close_replaced(self._connection, self.dataset_id, successors)
        for table in (schema.object_mesh, object_skin, *schema.COMPUTED_LATER):
            self._delete(table, "object_id", ids)
        self.rows_written += len(object_ids)

    def item_ids(self, object_ids: Sequence[str]) -> list[str]:
        """The ids that objects of the dataset have as items."""
        return [f"{self.spec.name}.{object_id}" for object_id in object_ids]

    def absent_from(self, seen: Iterable[str]) -> list[str]:
        """The dataset's features that are not among ``seen``."""
        table = schema.city_object
        roots = select(table.c.object_id).where(
            table.c.dataset_id == self.dataset_id, table.c.parent_id.is_(None)
        )
        present = set(seen)
        return [i for i in self._connection.execute(roots).scalars() if i not in present]

    def finish(self, run: Mapping[str, Any]) -> None:
        """Attach new partitions, count the revision up and record the run."""
        if self.is_new:
            for table in schema.PARTITIONED:
                statement = _ATTACH_PARTITION.format(table=table.name, id=self.dataset_id)
                self._connection.execute(text(statement))
        unused = text(_DROP_TEMPLATES.format(meshes=self._partition(schema.object_mesh)))
        self._connection.execute(unused, {"dataset": self.dataset_id})
        self._analyze()
        self.revise()
        self._connection.execute(
            insert(schema.import_run).values(
                {**run, "dataset_id": self.dataset_id, "state": "done", "finished_at": func.now()}
            )
        )

    def _analyze(self) -> None:
        """Without statistics of the new rows the planner would read them all for every tile.

        What no condition asks for, such as texts, coordinates and measures of single objects, is left
        out: to take a sample of that took a third of the time that the database spends on an import.
        """
        tables = {table: self._partition(table) for table in schema.PARTITIONED}
        tables |= {table: table.name for table in _READ_MODELS[: 1 + self._has_parts]}
        for table, name in tables.items():
            asked = ", ".join(f'"{column.name}"' for column in table.columns if _is_asked_for(table, column))
            self._connection.execute(text(f"ANALYZE {name} ({asked})"))

    def revise(self) -> None:
        """Count the dataset's revision up, so that caches know, and its cells, and store what it is now."""
        own = schema.dataset.c.id == self.dataset_id
        revised = {**_columns_of(self.spec), "revision": schema.dataset.c.revision + 1}
        self._connection.execute(update(schema.dataset).where(own).values(revised))
        refresh_summary(self._connection, self.dataset_id)

    def _partition(self, table: Table) -> str:
        return f"{table.name}_{self.dataset_id}"

    def _supersede(self, table: Table, history: Table, key: str, ids: Sequence[str]) -> None:
        columns = [column for column in table.columns if column.computed is None]
        names = [column.name for column in columns]
        rows = select(*columns, func.now()).where(self._own(table, key, ids))
        self._connection.execute(insert(history).from_select([*names, "recorded_to"], rows))
        self._delete(table, key, ids)

    def _delete(self, table: Table, key: str, ids: Sequence[str]) -> None:
        self._connection.execute(delete(table).where(self._own(table, key, ids)))

    def _add_templates(self, rows: Sequence[Row]) -> None:
        """Templates that are not there yet."""
        if not rows:
            return
        staged = f"staged_{template_mesh.name}"
        self._connection.execute(text(f"CREATE TEMPORARY TABLE {staged} (LIKE {template_mesh.name})"))
        copy_rows(self._connection, template_mesh, staged, rows)
        self._connection.execute(text(_TAKE_TEMPLATES.format(staged=staged)))
        self._connection.execute(text(f"DROP TABLE {staged}"))

    def _own(self, table: Table, key: str, ids: Sequence[str]) -> ColumnElement[bool]:
        """One array bound, not one value per id, so that the statement stays short."""
        among = table.c[key] == any_(literal(list(ids), ARRAY(Text)))
        return and_(table.c.dataset_id == self.dataset_id, among)

    def _copy(self, table: Table, name: str, rows: Sequence[Row]) -> None:
        copy_rows(self._connection, table, name, rows)


_READ_MODELS = (schema.feature, building_part)
"""Tables with the rows of all datasets."""

_MEASURES = {column.name for column in catalogue_columns(Stage.IMPORT)}


def _is_asked_for(table: Table, column: Column[Any]) -> bool:
    """Whether conditions compare the values of a column, or look for them on the map."""
    if column.computed is not None or isinstance(column.type, JSONB | ARRAY | LargeBinary):
        return False
    if table is schema.city_object and column.name in _MEASURES:
        return False  # filters ask the read model for them
    return column.name not in ("geom", "geojson")


def merged(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """Headers of several files of a dataset as one; where they contradict, the later file wins."""
    whole = dict(before)
    for key, value in after.items():
        known = whole.get(key)
        both = isinstance(known, dict) and isinstance(value, dict)
        whole[key] = merged(cast("dict[str, Any]", known), cast("dict[str, Any]", value)) if both else value
    return whole


def _columns_of(spec: DatasetSpec) -> dict[str, Any]:
    return {name: getattr(spec, name) for name in DatasetSpec.__dataclass_fields__}


_CREATE_PARTITION = """
CREATE TABLE {table}_{id} (
    LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION,
    CONSTRAINT {table}_{id}_dataset CHECK (dataset_id = {id})
)
"""

_KEEP_INLINE = "ALTER TABLE object_geometry_{id} ALTER COLUMN surfaces SET STORAGE MAIN"
"""Compressed within the row, as coordinates are: what stands aside has a row and an index of its own."""

_TAKE_TEMPLATES = """
INSERT INTO template_mesh (dataset_id, template_id, mesh, faces)
SELECT DISTINCT ON (dataset_id, template_id) dataset_id, template_id, mesh, faces FROM {staged}
ORDER BY dataset_id, template_id
ON CONFLICT DO NOTHING
"""
"""In one order, so that two who add the same ones wait for each other and not in a circle."""

_DROP_TEMPLATES = """
DELETE FROM template_mesh
WHERE dataset_id = :dataset AND template_id NOT IN (
    SELECT substr(m.templates, place, 16) FROM {meshes} m, generate_series(1, length(m.templates), 16) place
    WHERE m.templates IS NOT NULL
)
"""

_ATTACH_PARTITION = """
ALTER TABLE {table} ATTACH PARTITION {table}_{id} FOR VALUES IN ({id})
"""
