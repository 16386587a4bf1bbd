"""An older database with data in it becomes what a new one is, by migration and `twin process`."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, create_engine, text

from importers.ingest import Ingest
from importers.synthetic import synthesise
from tests.importers.stored import clean
from twin.db import migrations, schema
from twin.db.engine import Database
from twin.processing.pipeline import process

OLD = "0005"
"""Before repairs, bounds of roof faces and measures of mesh faces were kept."""

SCHEMA = "older"

LATER = {
    "object_repair", "api_key", "cell_summary", "cell_change", "object_skin", "texture_image",
    "template_mesh", "building_part", "building_part_history",
}  # fmt: skip

TABLES = [t.name for t in schema.metadata.sorted_tables if t.name not in LATER]
"""Tables that there were."""

MAY_BE_EMPTY = {"collection", "collection_feature", *(name for name in TABLES if name.endswith("_history"))}
"""What is uploaded by the API, and what was superseded."""

COMPARED = [
    "city_object", "object_mesh", "feature", "object_roof", "object_neighbours", "object_validity",
    "roof_face", "cell_summary", "building_part",
]  # fmt: skip
"""What is served and what it is computed from."""

PASSING = {
    "recorded_from", "recorded_to", "started_at", "finished_at", "created_at", "revision", "row_hash",
}  # fmt: skip
"""What tells when something was done, or how often, and the hash of a text with keys in another order."""


@pytest.fixture(scope="module")
def fresh(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """Both cities, broken buildings among them, imported and processed with the newest schema."""
    folder = tmp_path_factory.mktemp("migrated")
    with clean(database.engine) as engine:
        synthesise(folder / "a.gml", city="helsinki", buildings=40, seed=5, corrupt=25)
        synthesise(folder / "b.city.jsonl", city="tallinn", buildings=30, seed=6)
        for name in ("a.gml", "b.city.jsonl"):
            Ingest(engine).run(folder / name)
        process(engine)
        yield engine


@pytest.fixture(scope="module")
def older(database: Database, fresh: Engine) -> Iterator[Engine]:
    """The same rows in tables of the older revision, brought to the newest one."""
    options = {"options": f"-c search_path={SCHEMA},public"}
    engine = create_engine(database.connect.owner_url, connect_args=options)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
        # Else alembic takes the table of the other schema for its own.
        connection.execute(text(f"CREATE TABLE {SCHEMA}.alembic_version (version_num varchar(32) NOT NULL)"))
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", "twin.db:migrations")
            config.attributes["connection"] = connection
            command.upgrade(config, OLD)
        fill(engine)
        migrations.migrate(engine)
        yield engine
    finally:
        with engine.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {SCHEMA} CASCADE"))
        engine.dispose()


def fill(engine: Engine) -> None:
    """Copy what the older tables and texts have a place for; what is new there is of a later revision."""
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL search_path = {SCHEMA}, public"))
        ids = connection.execute(text("SELECT id FROM public.dataset")).scalars().all()
        parents = set(connection.execute(text(_PARTITIONED), {"schema": SCHEMA}).scalars())
        for name in TABLES:
            if name in parents:
                for id in ids:
                    part = f"CREATE TABLE {name}_{id} PARTITION OF {name} FOR VALUES IN ({id})"
                    connection.execute(text(part))
            names = connection.execute(text(_SHARED), {"schema": SCHEMA, "table": name}).scalars().all()
            listed = ", ".join(f'"{column}"' for column in names)
            copied = f"INSERT INTO {SCHEMA}.{name} ({listed}) SELECT {listed} FROM public.{name}"
            assert connection.execute(text(copied)).rowcount > 0 or name in MAY_BE_EMPTY, name
        connection.execute(text(_AS_IT_WAS))


_AS_IT_WAS = f"""
UPDATE {SCHEMA}.object_mesh SET mesh_hash = decode(md5(mesh), 'hex');
UPDATE {SCHEMA}.feature SET mesh_hash = decode(md5(mesh_hash), 'hex'),
    geojson = (geojson::jsonb #- '{{properties,repair}}')::text;
UPDATE {SCHEMA}.object_geometry g SET
    shell_start = ARRAY[0, ST_NumGeometries(geom)],
    solid_start = '{{0,1}}',
    face_semantic = CASE WHEN cardinality(face_semantic) > 0 THEN face_semantic
        WHEN surfaces = '{{}}' THEN array_fill(-1, ARRAY[ST_NumGeometries(geom)])
        ELSE ARRAY(SELECT generate_series(0, ST_NumGeometries(geom) - 1)) END,
    surfaces = (
        SELECT coalesce(jsonb_agg(jsonb_build_object(
            'type', type, 'id', surfaces -> 'id' -> (n - 1)::integer, 'attributes', (
                SELECT coalesce(
                    jsonb_object_agg(key, value -> (n - 1)::integer)
                        FILTER (WHERE value -> (n - 1)::integer <> 'null'), '{{}}'
                )
                FROM jsonb_each(surfaces -> 'attributes')
            )
        ) ORDER BY n), '[]')
        FROM jsonb_array_elements(surfaces -> 'type') WITH ORDINALITY e (type, n)
    );
INSERT INTO {SCHEMA}.object_geometry
SELECT dataset_id, object_id, ordinal + 1, lod, 'MultiSurface', geom, '{{0,1}}', '{{0,1}}', '{{-1}}', '[]'
FROM {SCHEMA}.object_geometry WHERE geometry_type = 'Solid'
"""
"""The text had no repair, the hash of a mesh was not of the measures of its faces.

Geometries had every list, surfaces one by one, and faces that stand in two geometries twice.
"""

_PARTITIONED = """
SELECT c.relname FROM pg_partitioned_table p JOIN pg_class c ON c.oid = p.partrelid
JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema
"""
_SHARED = """
SELECT column_name FROM information_schema.columns WHERE table_schema = :schema AND table_name = :table
INTERSECT
SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = :table
"""


def contents(engine: Engine, table: str) -> list[dict[str, Any]]:
    """The rows of a table without what passes with time, in the order of their text."""
    with engine.connect() as connection:
        shown = f"SELECT to_jsonb(t) - CAST(:passing AS text[]) AS row FROM {table} t"
        query = f"SELECT row FROM ({shown}) r ORDER BY row::text"
        rows = list(connection.execute(text(query), {"passing": sorted(PASSING)}).scalars())
    # The database keeps no order of original attributes, so the text that is made anew has another.
    return [row | ({"geojson": orjson.loads(row["geojson"])} if "geojson" in row else {}) for row in rows]


def texts(engine: Engine, table: str) -> list[str]:
    """Rows with geometries as text: nothing in them passes with time."""
    with engine.connect() as connection:
        return list(connection.execute(text(f"SELECT t::text FROM {table} t ORDER BY 1")).scalars())


def test_an_older_database_becomes_what_a_new_one_is(older: Engine, fresh: Engine) -> None:
    with older.connect() as connection:
        assert migrations.revision(connection) == migrations.HEAD
        waiting = "SELECT count(*) FROM city_object WHERE measured_with = 0"
        assert connection.execute(text(waiting)).scalar_one() > 0
    assert texts(older, "object_repair") == contents(older, "object_validity") == []
    with older.begin() as connection:
        again = "DELETE FROM object_geometry WHERE same_as = 0 AND ordinal = 1 AND geom IS NULL"
        assert connection.execute(text(again)).rowcount > 0
    reports = process(older)
    assert all(report.outdated > 0 for report in reports)
    for table in COMPARED:
        found, expected = contents(older, table), contents(fresh, table)
        pairs = zip(found, expected, strict=True)
        assert {key for a, b in pairs for key in {*a, *b} if a.get(key) != b.get(key)} == set(), table
        assert len(found) > 0
    for table in ("object_geometry", "object_repair"):
        assert texts(older, table) == texts(fresh, table) != [], table
    assert all(row["faces"] for row in contents(older, "object_mesh"))
    assert not any(report.outdated for report in process(older))
