"""Tables, indexes and partitions. Migrations under ``migrations/`` bring a database to this shape.

``dataset``, ``import_run``       deliveries and what came of them
``city_object``                   current objects of every level, partitioned by dataset
``object_geometry``               native coordinates, the only place that has them
``object_mesh``                   triangulated, in earth-centred centimetres
``feature``                       read model of the API and tiles: one row per root object; of parts of
                                  buildings in ``twin.db.part_tables``
``…_history``                     superseded rows of the three above but the mesh
``object_validity``, ``object_neighbours``, ``object_roof``
                                  side tables, recomputed without touching wide rows
``object_repair``                 repaired geometries beside the invalid ones, which stay as they are
``roof_face``                     read model of roof faces
``processing_job``                ledger of `twin process`
"""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.schema import SchemaItem

from twin.db.columns import bounds, catalogue_columns, created, ordered, outlines, superseded
from twin.db.tile_grid import grid_zooms
from twin.model.attributes import Stage

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

dataset = Table(
    "dataset",
    metadata,
    Column("id", SmallInteger, Identity(), primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("city", Text, nullable=False),
    Column("role", Text, nullable=False, comment="primary or alternative"),
    Column("synthetic", Boolean, nullable=False, server_default=text("false")),
    Column("horizontal_epsg", Integer),
    Column("vertical_epsg", Integer),
    Column("placement", Text, nullable=False, comment="exact, approximate or unplaced"),
    Column("heights", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Column("publisher", Text),
    Column("licence", Text),
    Column(
        "document",
        JSONB,
        nullable=False,
        server_default=text("'{}'::jsonb"),
        comment="members of the source's CityJSON header",
    ),
    Column("revision", BigInteger, nullable=False, server_default=text("0")),
    created("created_at"),
)

import_run = Table(
    "import_run",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column(
        "dataset_id", SmallInteger, ForeignKey("dataset.id", ondelete="CASCADE"), nullable=False, index=True
    ),
    Column("source", Text, nullable=False),
    Column("source_hash", LargeBinary),
    Column("state", Text, nullable=False, comment="running, done or failed"),
    Column("cursor", JSONB),
    Column("report", JSONB),
    Column("content_hash", LargeBinary),
    created("started_at"),
    Column("finished_at", DateTime(timezone=True)),
)


def _city_object_columns() -> list[Column[Any]]:
    return [
        Column("dataset_id", SmallInteger, nullable=False),
        Column("object_id", Text(collation="C"), nullable=False),
        Column("parent_id", Text(collation="C")),
        Column("root_id", Text(collation="C"), nullable=False),
        Column("type", Text(collation="C"), nullable=False),
        Column("content_hash", LargeBinary, nullable=False, comment="of the whole feature"),
        Column("attributes", JSONB, nullable=False, comment="original names and values"),
        Column("addresses", JSONB),
        Column("extra", JSONB, comment="further members of the object in CityJSON"),
        Column("run_id", BigInteger, nullable=False),
        Column("valid_from", DateTime(timezone=True), comment="in the world"),
        Column("valid_to", DateTime(timezone=True), comment="in the world"),
        created("recorded_from"),
        Column("measured_with", Integer, comment="version of twin.processing.compute; null: no geometry"),
        *catalogue_columns(Stage.IMPORT),
    ]


city_object = Table(
    "city_object",
    metadata,
    *_city_object_columns(),
    PrimaryKeyConstraint("dataset_id", "object_id"),
    Index(None, "dataset_id", "root_id"),
    postgresql_partition_by="LIST (dataset_id)",
)


def _shape_columns(*, is_whole: bool) -> list[Column[Any]]:
    """``is_whole`` where the faces cannot stand in another row."""
    return [
        Column("lod", Text(collation="C"), nullable=False),
        Column("geometry_type", Text(collation="C"), nullable=False),
        Column(
            "geom",
            Geometry("GEOMETRYZ", spatial_index=False, dimension=3, srid=-1),
            nullable=not is_whole,
            comment="PolyhedralSurface Z, MultiPoint Z or MultiLineString Z in native coordinates",
        ),
        Column("shell_start", ARRAY(Integer), nullable=False, comment="into the faces; empty: one shell"),
        Column("solid_start", ARRAY(Integer), nullable=False, comment="into the shells; empty: one solid"),
        Column("face_semantic", ARRAY(Integer), nullable=False, comment="into surfaces, or -1; may be empty"),
        Column("surfaces", JSONB, nullable=False, comment="semantic surfaces: lists of type, id, attributes"),
    ]


def _geometry_columns() -> list[SchemaItem]:
    return [
        Column("dataset_id", SmallInteger, nullable=False),
        Column("object_id", Text(collation="C"), nullable=False),
        Column("ordinal", SmallInteger, nullable=False),
        *_shape_columns(is_whole=False),
        Column("appearance", JSONB, comment="materials and textures by theme"),
        Column("template", JSONB, comment="of a GeometryInstance: matrix and geometry"),
        Column("same_as", SmallInteger, comment="ordinal of the geometry whose faces these are"),
        CheckConstraint("num_nonnulls(geom, same_as) = 1", name="geom_or_same_as"),
    ]


object_geometry = Table(
    "object_geometry",
    metadata,
    *_geometry_columns(),
    PrimaryKeyConstraint("dataset_id", "object_id", "ordinal"),
    postgresql_partition_by="LIST (dataset_id)",
)

object_mesh = Table(
    "object_mesh",
    metadata,
    Column("dataset_id", SmallInteger, nullable=False),
    Column("object_id", Text(collation="C"), nullable=False),
    Column("lod", Text(collation="C"), nullable=False),
    Column("mesh", LargeBinary, nullable=False, comment="as twin.processing.mesh encodes it"),
    Column("mesh_hash", LargeBinary, nullable=False, comment="of mesh, faces, templates and instances"),
    Column("faces", LargeBinary, comment="as twin.processing.face_measures; null: of an older version"),
    Column("triangles", Integer, nullable=False),
    Column("vertices", Integer, nullable=False),
    Column("templates", LargeBinary, comment="ids of template meshes shown beside the mesh, 16 bytes each"),
    Column("instances", LargeBinary, comment="where they are, as twin.processing.instance_format"),
    PrimaryKeyConstraint("dataset_id", "object_id", "lod"),
    postgresql_partition_by="LIST (dataset_id)",
)


def _feature_columns() -> list[Column[Any]]:
    return [
        Column("id", Text(collation="C"), nullable=False, comment="{dataset}.{object_id}"),
        Column("dataset_id", SmallInteger, nullable=False),
        Column("dataset", Text(collation="C"), nullable=False),
        Column("object_id", Text(collation="C"), nullable=False),
        Column("type", Text(collation="C"), nullable=False, comment="first-level CityJSON type"),
        *catalogue_columns(*Stage),
        *outlines(),
        *bounds(),
        Column("quadkey", BigInteger, comment="Morton code of the centroid's cell at level 24"),
        Column("mesh_hash", LargeBinary),
        Column("row_hash", LargeBinary, nullable=False, comment="of everything that is served"),
        Column("geojson", Text, nullable=False, comment="the whole GeoJSON Feature"),
        created("recorded_from"),
        Column("grid_zooms", Integer, grid_zooms(), comment="bits: zooms whose grid keeps the outline valid"),
    ]


feature = Table(
    "feature",
    metadata,
    *ordered(_feature_columns()),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("dataset_id", "object_id"),
    Index(None, "quadkey"),
    Index("ix_feature_footprint", "footprint", postgresql_using="gist"),
    Index("ix_feature_footprint_3857", "footprint_3857", postgresql_using="gist"),
    Index(None, "height_m"),
    Index(None, "year_of_construction"),
    Index(None, "current_use", "id"),
    Index(None, "national_building_id"),
)


city_object_history = Table(
    "city_object_history",
    metadata,
    *_city_object_columns(),
    superseded(),
    Column(
        "valid_until",
        DateTime(timezone=True),
        comment="in the world, as the version that superseded it tells; null: it was corrected",
    ),
    Index(None, "dataset_id", "object_id", "recorded_to"),
)

object_geometry_history = Table(
    "object_geometry_history",
    metadata,
    *_geometry_columns(),
    superseded(),
    Index(None, "dataset_id", "object_id", "recorded_to"),
)

feature_history = Table(
    "feature_history",
    metadata,
    *ordered(_feature_columns()),
    superseded(),
    Index(None, "id", "recorded_to"),
)

object_validity = Table(
    "object_validity",
    metadata,
    Column("dataset_id", SmallInteger, nullable=False),
    Column("object_id", Text(collation="C"), nullable=False),
    Column("valid", Boolean, comment="null: not all checks were made"),
    Column("codes", ARRAY(Integer), nullable=False, comment="error codes numbered as val3dity"),
    Column("unchecked", ARRAY(Integer), nullable=False, comment="codes not looked for, for size"),
    Column("repair", Text, nullable=False, comment="none, repaired or not repairable"),
    Column("algorithm", Text, nullable=False),
    Column("input_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("dataset_id", "object_id"),
)

object_repair = Table(
    "object_repair",
    metadata,
    Column("dataset_id", SmallInteger, nullable=False),
    Column("object_id", Text(collation="C"), nullable=False, comment="of the building"),
    Column("part_id", Text(collation="C"), nullable=False, comment="of the object with the geometry"),
    Column("ordinal", SmallInteger, nullable=False, comment="of the geometry that was invalid"),
    Column("steps", JSONB, nullable=False, comment="error, what was done, and what it changed"),
    *(
        Column(name, Double, nullable=False)
        for name in ("volume_before_m3", "volume_after_m3", "area_before_m2", "area_after_m2")
    ),
    *_shape_columns(is_whole=True),
    PrimaryKeyConstraint("dataset_id", "object_id", "part_id", "ordinal"),
)

object_neighbours = Table(
    "object_neighbours",
    metadata,
    Column("dataset_id", SmallInteger, nullable=False),
    Column("object_id", Text(collation="C"), nullable=False),
    *catalogue_columns(Stage.NEIGHBOURS),
    Column("algorithm", Text, nullable=False),
    Column("input_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("dataset_id", "object_id"),
)

processing_job = Table(
    "processing_job",
    metadata,
    Column("dataset_id", SmallInteger, ForeignKey("dataset.id", ondelete="CASCADE"), nullable=False),
    Column(
        "stage", Text(collation="C"), nullable=False, comment="import, roof_faces, neighbours or validity"
    ),
    Column("level", SmallInteger, nullable=False, comment="of the cell; -1: features without a place"),
    Column("cell", BigInteger, nullable=False, comment="Morton code of the cell at its level"),
    Column("algorithm", Text, nullable=False, comment="stage and version"),
    Column("state", Text, nullable=False, comment="pending, running, done or failed"),
    Column("input_hash", LargeBinary, comment="of all that the values were computed from"),
    Column("features", Integer, comment="features of the partition"),
    Column("computed", Integer, comment="of them those that were out of date"),
    Column("started_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Column("error", Text),
    PrimaryKeyConstraint("dataset_id", "stage", "level", "cell"),
)

object_roof = Table(
    "object_roof",
    metadata,
    Column("dataset_id", SmallInteger, nullable=False),
    Column("object_id", Text(collation="C"), nullable=False),
    Column("roof_faces", Integer, nullable=False, comment="rows of roof_face"),
    Column("algorithm", Text, nullable=False),
    Column("input_hash", LargeBinary, nullable=False),
    PrimaryKeyConstraint("dataset_id", "object_id"),
)

roof_face = Table(
    "roof_face",
    metadata,
    Column("id", Text(collation="C"), nullable=False, comment="{dataset}.{object_id}.{face}"),
    Column("dataset_id", SmallInteger, nullable=False),
    Column("dataset", Text(collation="C"), nullable=False),
    Column("object_id", Text(collation="C"), nullable=False, comment="of the building"),
    Column("building", Text(collation="C"), nullable=False, comment="id of the building as a feature"),
    Column("city", Text(collation="C"), nullable=False),
    Column("synthetic", Boolean, nullable=False),
    Column("face", Integer, nullable=False, comment="ordinal of the face in the measured geometry"),
    Column("slope_deg", Double),
    Column("azimuth_deg", Double, comment="null on level faces"),
    Column("area_m2", Double, comment="in its own plane"),
    Column("plan_area_m2", Double, comment="seen from above"),
    Column("height_min_m", Double, comment="in the national height system"),
    Column("height_max_m", Double),
    Column("attributes", JSONB, comment="of the semantic surface"),
    *outlines(),
    *bounds(),
    Column("quadkey", BigInteger, comment="of the centroid of the face"),
    Column("row_hash", LargeBinary, nullable=False),
    Column("geojson", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    Index(None, "dataset_id", "object_id"),
    Index(None, "quadkey"),
    Index(None, "building"),
    Index("ix_roof_face_footprint", "footprint", postgresql_using="gist"),
    Index("ix_roof_face_footprint_3857", "footprint_3857", postgresql_using="gist"),
)

PARTITIONED = (city_object, object_geometry, object_mesh)
"""Tables with one partition per dataset, made when the dataset is."""

COMPUTED_LATER = (object_neighbours, object_validity, object_repair, object_roof, roof_face)
"""Tables of what `twin process` computes; current features only."""
