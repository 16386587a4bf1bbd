"""Columns that several tables have, fresh for each of them."""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import Boolean, Column, DateTime, Double, Integer, Text, func

from twin.model.attributes import Stage, of_stage

_SQL_TYPES: dict[str, Any] = {
    "text": Text(collation="C"),
    "integer": Integer(),
    "number": Double(),
    "boolean": Boolean(),
}

KEY_COLUMNS = {"dataset", "object_id"}
"""Catalogue attributes that are part of the keys and so not repeated by ``catalogue_columns``."""


def catalogue_columns(*stages: Stage) -> list[Column[Any]]:
    """One column per attribute that becomes known in the stages, keys aside; fresh for every table."""
    return [Column(a.name, _SQL_TYPES[a.type]) for a in of_stage(*stages) if a.name not in KEY_COLUMNS]


def created(name: str) -> Column[Any]:
    """When a row was made, by default in the transaction that writes it."""
    return Column(name, DateTime(timezone=True), nullable=False, server_default=func.now())


def outlines() -> list[Column[Any]]:
    """Where something lies on the map."""
    return [
        Column("footprint", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False)),
        Column("footprint_3857", Geometry("MULTIPOLYGON", srid=3857, spatial_index=False)),
    ]


def bounds() -> list[Column[Any]]:
    """Between which degrees and heights something lies."""
    return [
        *(Column(name, Double) for name in ("west", "south", "east", "north")),
        Column("z_min", Double, comment="ellipsoidal height of the lowest point, metres"),
        Column("z_max", Double, comment="ellipsoidal height of the highest point, metres"),
    ]


def superseded() -> Column[Any]:
    """When a row of a history ceased to be current."""
    return created("recorded_to")
