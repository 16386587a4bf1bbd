"""Tables of uploaded collections: districts and other areas, each with properties of its own.

A property is a slot in the array of its type, so that no name that somebody uploads becomes an
identifier of SQL, and no value has to be converted while it is compared.
"""

from typing import Any

from geoalchemy2 import Geometry
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from twin.db.cell_tables import metadata

collection = Table(
    "collection",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column("name", Text(collation="C"), nullable=False, unique=True),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("geometry_name", Text, nullable=False, comment="as a filter may call it beside geometry"),
    Column("properties", JSONB, nullable=False, comment="name, type and slot of each, in order"),
    Column("count", Integer, nullable=False),
    Column("west", Double),
    Column("south", Double),
    Column("east", Double),
    Column("north", Double),
    Column("revision", Text, nullable=False, comment="hash of all that is served"),
    Column("uploaded_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
)


def _arrays(name: str, type_: Any) -> Column[Any]:
    arrays: Any = ARRAY(type_)
    return Column(name, arrays, nullable=False)


_SHAPE: Column[Any] = Column("geometry", Geometry("GEOMETRY", srid=4326, spatial_index=False))

collection_feature = Table(
    "collection_feature",
    metadata,
    Column("collection_id", Integer, ForeignKey("collection.id", ondelete="CASCADE"), nullable=False),
    Column("id", Text(collation="C"), nullable=False),
    _SHAPE,
    _arrays("texts", Text(collation="C")),
    _arrays("integers", BigInteger),
    _arrays("numbers", Double),
    _arrays("booleans", Boolean),
    _arrays("dates", Date),
    _arrays("times", DateTime(timezone=True)),
    _arrays("lists", JSONB),
    Column("geojson", Text, nullable=False, comment="the whole GeoJSON Feature"),
    PrimaryKeyConstraint("collection_id", "id"),
    Index("ix_collection_feature_geometry", "geometry", postgresql_using="gist"),
)

SLOTS = {
    "text": "texts",
    "integer": "integers",
    "number": "numbers",
    "boolean": "booleans",
    "date": "dates",
    "timestamp": "times",
    "list": "lists",
}
"""The array that holds the values of each type of property."""
