"""Rows packed without a connection arrive in the database as they were."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from twin.db.copy_binary import copy_rows, pack

TABLE = Table(
    "packed",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("small", SmallInteger),
    Column("big", BigInteger),
    Column("real", Double),
    Column("flag", Boolean),
    Column("name", Text(collation="C")),
    Column("moment", DateTime(timezone=True)),
    Column("data", LargeBinary),
    Column("content", JSONB),
    Column("numbers", ARRAY(Integer)),
)
ROWS: list[dict[str, Any]] = [
    {
        "id": 1, "small": -32768, "big": 2**62, "real": 0.1, "flag": True, "name": "Käthe 🏠",
        "moment": datetime(1899, 12, 31, 23, 59, 59, 999999, tzinfo=UTC), "data": b"\x00\xff",
        "content": {"a": [1.5, None, "ä"]}, "numbers": [0, -1, 2**31 - 1],
    },
    {
        "id": 2, "small": 7, "big": -1, "real": 5, "flag": False, "name": "",
        "moment": datetime(2026, 2, 28, tzinfo=timezone(timedelta(hours=3))), "data": b"", "content": [],
        "numbers": [],
    },
    {"id": 3} | dict.fromkeys(column.name for column in TABLE.columns if column.name != "id"),
    {
        "id": 4, "small": None, "big": None, "real": float("-inf"), "flag": None, "name": "Käthe 🏠",
        "moment": None, "data": None, "content": None, "numbers": None,
    },
]  # fmt: skip


@pytest.mark.parametrize("rows", [ROWS, ROWS[2:3], []], ids=["all kinds", "nulls", "none"])
def test_rows_arrive_as_they_were(connection: Connection, rows: list[dict[str, Any]]) -> None:
    TABLE.create(connection)
    copy_rows(connection, TABLE, "packed", rows)
    found = connection.execute(select(TABLE).order_by(TABLE.c.id)).mappings().all()
    assert [dict(row) for row in found] == rows


def test_columns_that_rows_do_not_have_keep_their_default(connection: Connection) -> None:
    TABLE.create(connection)
    packed = pack(TABLE, [{"name": "a", "id": 1}])
    assert (packed.names, len(packed)) == (("id", "name"), 1)
    copy_rows(connection, TABLE, "packed", [{"name": "a", "id": 1}])
    assert connection.execute(select(TABLE.c.name, TABLE.c.small)).one() == ("a", None)
