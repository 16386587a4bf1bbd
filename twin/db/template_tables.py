"""The table of templates: meshes that many objects show, each once a dataset."""

from sqlalchemy import Column, ForeignKey, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table

from twin.db.schema import metadata

__all__ = ["metadata", "template_mesh"]

template_mesh = Table(
    "template_mesh",
    metadata,
    Column("dataset_id", SmallInteger, ForeignKey("dataset.id", ondelete="CASCADE"), nullable=False),
    Column("template_id", LargeBinary, nullable=False, comment="hash of mesh and faces"),
    Column("mesh", LargeBinary, nullable=False, comment="as of an object, in the axes of the template"),
    Column("faces", LargeBinary, nullable=False, comment="as twin.processing.face_measures"),
    PrimaryKeyConstraint("dataset_id", "template_id"),
)
