"""Tables of how many features lie in which cells, and where they changed; see `twin.db.cell_query`."""

from sqlalchemy import (
    BigInteger,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)

from twin.db.part_tables import metadata

__all__ = ["cell_change", "cell_summary", "metadata"]

cell_summary = Table(
    "cell_summary",
    metadata,
    Column("dataset_id", SmallInteger, ForeignKey("dataset.id", ondelete="CASCADE"), nullable=False),
    Column("type", Text(collation="C"), nullable=False, comment="first-level CityJSON type"),
    Column("cell", BigInteger, nullable=False, comment="Morton code of the cell at level 15"),
    Column("size_class", SmallInteger, nullable=False, comment="place in twin.model.cells.LEAST_M"),
    Column("objects", Integer, nullable=False, comment="with a mesh at their own LoD"),
    *(Column(name, BigInteger, nullable=False) for name in ("triangles", "points")),
    *(Column(name, Double) for name in ("west", "south", "z_min", "east", "north", "z_max", "size_m")),
    Column("block_m", Double, comment="how far the block of an object differs from its mesh, at most"),
    PrimaryKeyConstraint("dataset_id", "cell", "type", "size_class"),
)

cell_change = Table(
    "cell_change",
    metadata,
    Column("dataset_id", SmallInteger, nullable=False),
    Column("cell", BigInteger, nullable=False, comment="as in cell_summary"),
    Column("changed_in", BigInteger, nullable=False, comment="transaction that changed features in it"),
    Index(None, "dataset_id", "cell"),
)
"""Written by triggers of ``feature``, so that no writer can forget it."""
