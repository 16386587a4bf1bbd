"""Ids of any kind reach the database as they are."""

import pytest

from twin.db.engine import Database
from twin.db.jobs import fetch

ODD = ["plain", 'quo"ted', "back\\slash", "comma,", "{brace}", "NULL", "", " ", "two\nlines", "Õismäe", "ä'"]


@pytest.mark.parametrize("texts", [[], ["one"], ODD])
def test_lists_of_texts(database: Database, texts: list[str]) -> None:
    with database.engine.connect() as connection:
        [row] = fetch(connection, "SELECT CAST(%(texts)s AS text[]) AS texts", {"texts": texts})
    assert row["texts"] == texts
