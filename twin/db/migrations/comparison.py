"""What counts when the database is compared with ``twin.db.schema``."""

import re
from collections.abc import Callable
from typing import Any, cast

from geoalchemy2 import alembic_helpers

render_item: Callable[..., Any] = cast("Any", alembic_helpers).render_item
"""Writes geometry types into new migrations."""

_is_not_postgis: Callable[..., bool] = cast("Any", alembic_helpers).include_object

_PARTITION = re.compile(r"_\d+$|^staged_")
"""Partitions and stages are made per dataset while loading and are no part of the schema."""


def is_ours(object_: Any, name: str | None, kind: str, reflected: bool, compare_to: Any) -> bool:
    """Whether alembic should look at a table, column or index; false for PostGIS' own and partitions."""
    if kind == "table" and reflected and name is not None and _PARTITION.search(name):
        return False
    return _is_not_postgis(object_, name, kind, reflected, compare_to)
