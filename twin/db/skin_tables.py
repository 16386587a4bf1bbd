"""Tables of what meshes look like: their skins by theme, and the images that those show parts of.

Nothing but tiles that are asked for with textures reads them.
"""

from sqlalchemy import Column, LargeBinary, PrimaryKeyConstraint, SmallInteger, Table, Text

from twin.db.template_tables import metadata

__all__ = ["metadata", "object_skin", "texture_image"]

object_skin = Table(
    "object_skin",
    metadata,
    Column("dataset_id", SmallInteger, nullable=False),
    Column("object_id", Text(collation="C"), nullable=False),
    Column("lod", Text(collation="C"), nullable=False),
    Column("ordinal", SmallInteger, nullable=False, comment="0 is shown where no theme is asked for"),
    Column("theme", Text(collation="C"), comment="null: put together of two themes"),
    Column("skin", LargeBinary, nullable=False, comment="as twin.processing.skins encodes it"),
    PrimaryKeyConstraint("dataset_id", "object_id", "lod", "ordinal"),
)

texture_image = Table(
    "texture_image",
    metadata,
    Column("hash", LargeBinary, nullable=False, comment="BLAKE2b-128 of the image"),
    Column("dataset_id", SmallInteger, nullable=False),
    Column("image", LargeBinary, nullable=False, comment="JPEG or PNG, as it came"),
    PrimaryKeyConstraint("hash", "dataset_id"),
)
