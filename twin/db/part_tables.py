"""The read model of parts of buildings: one row for each ``BuildingPart``, never among the features."""

from typing import Any

from sqlalchemy import BigInteger, Column, Index, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table, Text

from twin.db.columns import bounds, catalogue_columns, created, outline, superseded
from twin.db.schema import metadata
from twin.model.attributes import Stage

__all__ = ["building_part", "building_part_history", "metadata"]


def _columns() -> list[Column[Any]]:
    return [
        Column("id", Text(collation="C"), nullable=False, comment="{dataset}.{object_id}"),
        Column("dataset_id", SmallInteger, nullable=False),
        Column("dataset", Text(collation="C"), nullable=False),
        Column("object_id", Text(collation="C"), nullable=False),
        Column("building", Text(collation="C"), nullable=False, comment="id of the building as a feature"),
        Column("parent", Text(collation="C"), nullable=False, comment="id of the building or part above"),
        *catalogue_columns(Stage.IMPORT),
        outline(),
        *bounds(),
        Column("quadkey", BigInteger, comment="Morton code of the centroid's cell at level 24"),
        Column("row_hash", LargeBinary, nullable=False, comment="of everything that is served"),
        Column("geojson", Text, nullable=False, comment="the whole GeoJSON Feature"),
        created("recorded_from"),
    ]


building_part = Table(
    "building_part",
    metadata,
    *_columns(),
    PrimaryKeyConstraint("id"),
    Index(None, "dataset_id", "building"),
    Index("ix_building_part_footprint", "footprint", postgresql_using="gist"),
)

building_part_history = Table(
    "building_part_history",
    metadata,
    *_columns(),
    superseded(),
    Index(None, "id", "recorded_to"),
)
