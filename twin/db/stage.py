"""An import that is not finished: batches are committed to tables of its own, published at the end.

Readers see nothing of it before. What is left by a program that died goes on where it was when the
same delivery is imported again, and is dropped when another is. The tables are unlogged: after a
crash of the database all of them are empty, which is as if they had never been.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson
from geoalchemy2 import Geometry
from sqlalchemy import Connection, Engine, LargeBinary, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from twin.db import schema
from twin.db.copy_binary import copy_packed
from twin.db.load import DatasetSpec, Loader, PackedRows
from twin.db.part_tables import building_part
from twin.db.skin_tables import object_skin, texture_image
from twin.db.template_tables import template_mesh

_TABLES: tuple[tuple[Table, str], ...] = (
    (schema.city_object, "objects"),
    (schema.object_geometry, "geometries"),
    (schema.object_mesh, "meshes"),
    (schema.feature, "features"),
    (object_skin, "skins"),
    (texture_image, "images"),
    (template_mesh, "templates"),
    (building_part, "parts"),
)


@dataclass(frozen=True, slots=True)
class Begun:
    """What an import starts from: the ids that its rows carry, and what was committed before.

    ``entries`` counts what was read of the source up to there; ``tallies`` is what was reported of it.
    """

    dataset_id: int
    run_id: int
    entries: int = 0
    tallies: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@contextmanager
def staging(
    engine: Engine, spec: DatasetSpec, *, dry_run: bool = False, waits: Any = None
) -> Generator["Stage", None, None]:
    """The stage of a dataset; one import of it at a time, another one waits (and says so by ``waits``).

    A dry run waits for nobody and writes nothing.
    """
    with engine.connect() as connection:
        key = {"name": spec.name}
        if not dry_run:
            _lock(connection, key, waits)
        try:
            yield Stage(connection, spec, dry_run)
        finally:
            connection.rollback()
            if not dry_run:
                connection.execute(text(f"SELECT pg_advisory_unlock({_KEY})"), key)
                connection.commit()


def _lock(connection: Connection, key: Mapping[str, str], waits: Any) -> None:
    taken = connection.execute(text(f"SELECT pg_try_advisory_lock({_KEY})"), key).scalar_one()
    connection.commit()
    if not taken:
        if waits is not None:
            waits(f"another import of the dataset {key['name']} is at work; this one waits for it")
        connection.execute(text(f"SELECT pg_advisory_lock({_KEY})"), key)
        connection.commit()


class Stage:
    """Each call is a transaction of its own."""

    def __init__(self, connection: Connection, spec: DatasetSpec, dry_run: bool) -> None:
        self._connection = connection
        self._spec = spec
        self._dry_run = dry_run
        self._prefix = f"staged_{blake2b(spec.name.encode(), digest_size=8).hexdigest()}"
        self._exists = False
        self._begun: Begun | None = None
        self._source_hash = b""
        self._batches = 0
        with connection.begin():
            found = connection.execute(
                text("SELECT id, revision FROM dataset WHERE name = :name"), {"name": spec.name}
            ).first()
        self._dataset_id: int | None = found.id if found else None
        self._revision: int = found.revision if found else -1

    @property
    def is_new(self) -> bool:
        """Whether there is no such dataset yet."""
        return self._dataset_id is None

    @property
    def dataset_id(self) -> int:
        """The id of the dataset, which an import knows once it has begun."""
        return self._begun.dataset_id if self._begun else self._dataset_id or 0

    def begin(self, source_hash: bytes) -> Begun:
        """Go on with an unfinished import of the same source, else begin anew."""
        self._source_hash = source_hash
        begun = None if self._dry_run else self._unfinished()
        if begun is None:
            begun = Begun(*self._new_ids())
        else:
            self._exists, self._batches = True, len(begun.tallies)
        self._begun = begun
        return begun

    def _unfinished(self) -> Begun | None:
        """What an earlier program left of the same import; anything else that it left is dropped."""
        with self._connection.begin():
            exists = self._connection.execute(
                text("SELECT to_regclass(:name)"), {"name": f"{self._prefix}_state"}
            ).scalar()
            if exists is None:
                return None
            state = self._connection.execute(
                text(f"SELECT * FROM {self._prefix}_state WHERE source_hash = :h AND revision = :r"),  # noqa: S608
                {"h": self._source_hash, "r": self._revision},
            ).first()
            if state is None:
                self._drop()
                return None
            batches = self._connection.execute(
                text(f"SELECT entries, tally FROM {self._prefix}_batch ORDER BY number")  # noqa: S608
            ).all()
        entries = batches[-1].entries if batches else 0
        return Begun(state.dataset_id, state.run_id, entries, [batch.tally for batch in batches])

    def _new_ids(self) -> tuple[int, int]:
        if self._dry_run:
            return self._dataset_id or 0, 0
        with self._connection.begin():
            run_id = self._next("import_run")
            return self._dataset_id or self._next("dataset"), run_id

    def _next(self, table: str) -> int:
        statement = text("SELECT nextval(pg_get_serial_sequence(:table, 'id'))")
        return self._connection.execute(statement, {"table": table}).scalar_one()

    def known(self, object_ids: Sequence[str]) -> dict[str, tuple[str, bytes]]:
        """Of the given objects those that are published: id to root id and the feature's content hash."""
        if self._dataset_id is None:
            return {}
        statement = text(
            f"SELECT object_id, root_id, content_hash FROM city_object_{self._dataset_id}"  # noqa: S608
            " WHERE object_id = ANY(:ids)"
        )
        with self._connection.begin():
            found = self._connection.execute(statement, {"ids": list(object_ids)}).all()
        return {row.object_id: (row.root_id, bytes(row.content_hash)) for row in found}

    def write(self, rows: PackedRows, entries: int, tally: Mapping[str, Any]) -> None:
        """Commit a batch: its rows, how far the source was read, and what there is to report."""
        if self._dry_run:
            return
        with self._connection.begin():
            if not self._exists:
                self._create()
            for table, name in _TABLES:
                copy_packed(self._connection, f"{self._prefix}_{table.name}", getattr(rows, name))
            self._batches += 1
            self._connection.execute(
                text(f"INSERT INTO {self._prefix}_batch VALUES (:number, :entries, CAST(:tally AS jsonb))"),  # noqa: S608
                {"number": self._batches, "entries": entries, "tally": orjson.dumps(tally).decode()},
            )

    def _create(self) -> None:
        begun = self._begun
        if begun is None:
            raise AssertionError("a stage is written to after it was begun")
        for statement in (*_CREATE, *(_CREATE_LIKE.format(p="{p}", table=t.name) for t, _ in _TABLES)):
            self._connection.execute(text(statement.format(p=self._prefix)))
        for table, _ in _TABLES:
            self._connection.execute(text(_keep_inline(f"{self._prefix}_{table.name}", table)))
        for table in _COMPRESSED:
            self._connection.execute(text(_FILL.format(p=self._prefix, table=table.name)))
        self._connection.execute(
            text(f"INSERT INTO {self._prefix}_state VALUES (:hash, :revision, :dataset_id, :run_id)"),  # noqa: S608
            {
                "hash": self._source_hash,
                "revision": self._revision,
                "dataset_id": begun.dataset_id,
                "run_id": begun.run_id,
            },
        )
        self._exists = True

    def publish(self, report: Mapping[str, Any]) -> None:
        """Make the import visible, all of it in one transaction, and record the run."""
        begun = self._begun
        if not self._exists or begun is None:
            return
        run = {
            "id": begun.run_id,
            "source": report["source"],
            "source_hash": self._source_hash,
            "report": report,
        }
        with self._connection.begin():
            loader = Loader(self._connection, self._spec, new_id=begun.dataset_id)
            loader.take(self._prefix)
            self._drop()
            loader.finish(run)

    def discard(self) -> None:
        """Forget what was staged: the source cannot be used."""
        if self._exists:
            with self._connection.begin():
                self._drop()

    def _drop(self) -> None:
        names = ("state", "batch", *(table.name for table, _ in _TABLES))
        for name in names:
            self._connection.execute(text(f"DROP TABLE IF EXISTS {self._prefix}_{name}"))
        self._exists = False


_KEY = "hashtextextended(:name, 0)"
"""The same lock as a Loader takes within its transaction."""

_CREATE = (
    "CREATE UNLOGGED TABLE {p}_state (source_hash bytea, revision bigint, dataset_id integer, run_id bigint)",
    "CREATE UNLOGGED TABLE {p}_batch (number integer, entries bigint, tally jsonb)",
)
_CREATE_LIKE = (
    "CREATE UNLOGGED TABLE {p}_{table} "
    "(LIKE {table} INCLUDING STORAGE INCLUDING COMPRESSION INCLUDING DEFAULTS)"
)

_COMPRESSED = (schema.city_object, schema.object_geometry)
"""Tables whose values are compressed however short their rows are; they stay so when they are published.

PostgreSQL compresses in rows of more than 2,032 bytes only, and most of these are just too short. So there is
a column to fill them up, which is not published.
"""
_FILL = """
ALTER TABLE {p}_{table}
    ADD COLUMN filler text DEFAULT repeat(' ', 2032), ALTER COLUMN filler SET STORAGE PLAIN
"""


def _keep_inline(staged: str, table: Table) -> str:
    """Rows are read once and whole: what would stand aside is compressed within them where it fits."""
    varying = (column.name for column in table.columns if isinstance(column.type, _VARYING))
    return f"ALTER TABLE {staged} " + ", ".join(f'ALTER COLUMN "{name}" SET STORAGE MAIN' for name in varying)


_VARYING = (LargeBinary, Text, JSONB, ARRAY, Geometry)
