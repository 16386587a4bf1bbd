"""What earlier imports did, as their runs recorded it."""

from typing import Any

from sqlalchemy import Engine, text


def same_import(engine: Engine, given: str) -> dict[str, Any] | None:
    """The report of an import of the very same file in the same way, as long as it still holds.

    ``given`` is the hash that its report has. An import that changed or ended features of the dataset
    afterwards may have changed those of the file.
    """
    with engine.connect() as connection:
        return connection.execute(text(_SAME), {"given": given}).scalar()


_SAME = """
SELECT r.report FROM import_run r
WHERE r.report ->> 'given' = :given AND NOT EXISTS (
    SELECT FROM import_run later
    WHERE later.dataset_id = r.dataset_id AND later.id > r.id AND (
        coalesce((later.report ->> 'geometry_changed')::bigint, 0) > 0
        OR coalesce((later.report ->> 'attributes_changed')::bigint, 0) > 0
        OR coalesce((later.report ->> 'removed')::bigint, 0) > 0
    )
)
ORDER BY r.id DESC LIMIT 1
"""
