"""Columns that several tables have, fresh for each of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Integer, SmallInteger, Text, func

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


def outline() -> Column[Any]:
    """Where something lies, in longitude and latitude."""
    return Column("footprint", Geometry("MULTIPOLYGON", srid=4326, spatial_index=False))


def outlines() -> list[Column[Any]]:
    """The same, and on the map of vector tiles."""
    return [outline(), Column("footprint_3857", Geometry("MULTIPOLYGON", srid=3857, spatial_index=False))]


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


_ASKED_FOR = (
    *("quadkey", "west", "south", "east", "north", "z_min", "z_max", "height_m", "volume_m3"),
    *("footprint_area_m2", "year_of_construction", "grid_zooms", "dataset_id", "type", "current_use", "city"),
    *("row_hash", "id", "mesh_hash", "footprint_3857", "footprint"),
)
_WIDTHS: Mapping[type[Any], int] = {
    **dict.fromkeys((Double, BigInteger, DateTime), 0),
    Integer: 1,
    **dict.fromkeys((SmallInteger, Boolean), 2),
}


def ordered(columns: Iterable[Column[Any]]) -> list[Column[Any]]:
    """In the order in which a wide row is read fastest.

    PostgreSQL walks over all values of a row that stand before the wanted one. First is what filters,
    statistics and tiles ask for; then values of one width together, so that nothing is filled up; then text.
    """
    return sorted(columns, key=lambda column: _place(column.name, column.type))


def _place(name: str, kind: object) -> tuple[int, int]:
    if name in _ASKED_FOR:
        return 0, _ASKED_FOR.index(name)
    return 1, _WIDTHS.get(type(kind), len(_WIDTHS))
