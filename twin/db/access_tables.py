"""Tables of who may ask for what.

`metadata` is that of the whole schema: whoever compares a database with it takes it from here, the
last of the modules that declare tables.
"""

from sqlalchemy import CheckConstraint, Column, DateTime, Identity, Integer, LargeBinary, Table, Text, func
from sqlalchemy.dialects.postgresql import ARRAY

from twin.db.collection_tables import metadata

__all__ = ["api_key", "metadata"]

api_key = Table(
    "api_key",
    metadata,
    Column("id", Integer, Identity(), primary_key=True),
    Column(
        "prefix", Text(collation="C"), nullable=False, unique=True, comment="to recognise it by; no secret"
    ),
    Column(
        "hash", LargeBinary, nullable=False, unique=True, comment="SHA-256 of the key, which is not stored"
    ),
    Column("name", Text, nullable=False),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("cities", ARRAY(Text), comment="null: all"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("expires_at", DateTime(timezone=True)),
    Column("revoked_at", DateTime(timezone=True)),
    Column("last_used_at", DateTime(timezone=True), comment="to a minute"),
    CheckConstraint("octet_length(hash) = 32", name="ck_api_key_hash"),
)
"""API keys. The role that only reads may not read this table."""
