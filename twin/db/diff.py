"""What changed in a dataset between two moments, from current rows and history."""

from datetime import datetime
from typing import Literal, TypeAlias

from sqlalchemy import Connection, text

from twin.errors import NotFound

Kind: TypeAlias = Literal["added", "geometry_changed", "attributes_changed", "removed"]


def changes(
    connection: Connection, dataset: str, before: datetime | None = None, after: datetime | None = None
) -> list[tuple[Kind, str]]:
    """Kind of change and id of each feature that differs, by kind and id.

    Without ``before`` the last import is looked at: what was there just before it was published. Without
    ``after`` it is compared with what is there at present. NotFound where there is no such dataset.
    """
    found = connection.execute(text("SELECT id FROM dataset WHERE name = :name"), {"name": dataset}).first()
    if found is None:
        raise NotFound(f"There is no dataset '{dataset}'; `twin datasets` lists them.")
    moments = {"dataset": found.id, "before": before, "after": after}
    return [(row.kind, row.object_id) for row in connection.execute(text(_CHANGES), moments)]


_CHANGES = """
WITH moments AS (
    SELECT coalesce(
               CAST(:before AS timestamptz),
               (SELECT max(finished_at) FROM import_run WHERE dataset_id = :dataset) - interval '1 us'
           ) AS before,
           coalesce(CAST(:after AS timestamptz), 'infinity') AS after
), versions AS (
    SELECT object_id, content_hash, recorded_from, 'infinity'::timestamptz AS recorded_to
    FROM city_object WHERE dataset_id = :dataset AND parent_id IS NULL
    UNION ALL
    SELECT object_id, content_hash, recorded_from, recorded_to
    FROM city_object_history WHERE dataset_id = :dataset AND parent_id IS NULL
), old AS (
    SELECT object_id, content_hash FROM versions, moments
    WHERE recorded_from <= before AND recorded_to > before
), new AS (
    SELECT object_id, content_hash FROM versions, moments
    WHERE recorded_from <= after AND recorded_to >= after AND (recorded_to > after OR after = 'infinity')
)
SELECT object_id,
       CASE WHEN old.content_hash IS NULL THEN 'added'
            WHEN new.content_hash IS NULL THEN 'removed'
            WHEN substring(old.content_hash FOR 16) <> substring(new.content_hash FOR 16)
            THEN 'geometry_changed'
            ELSE 'attributes_changed' END AS kind
FROM old FULL JOIN new USING (object_id)
WHERE old.content_hash IS DISTINCT FROM new.content_hash
ORDER BY kind, object_id
"""
"""Features that differ between two moments; half of a content hash is of the geometry, half of the rest."""
