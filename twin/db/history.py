"""The axis of the world: which version of a feature stood in it at a time.

``recorded_from`` and ``recorded_to`` say when the database held a row; what it held then is never
changed. ``valid_from`` and ``valid_to`` say when the object was like this in the world, as its source told
then. A version that is superseded by a later one of the world, not by a correction, gets ``valid_until``:
the ``valid_from`` of its successor. With it the older version is still what stood there before.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, text


def close_replaced(connection: Connection, dataset_id: int, staged: str) -> None:
    """Say of versions that were superseded in this transaction until when they were valid.

    ``staged`` is the table with the objects that take their place. A successor that is not valid from a later
    time on corrects what was known, and the old version was never valid.
    """
    connection.execute(text(_CLOSE_REPLACED.format(staged=staged)), {"dataset": dataset_id})


def close_removed(connection: Connection, dataset_id: int, root_ids: Sequence[str]) -> None:
    """Say of features that end in this transaction that they were valid until now at the latest."""
    connection.execute(text(_CLOSE_REMOVED), {"dataset": dataset_id, "roots": list(root_ids)})


def valid_at(
    connection: Connection, dataset_id: int, moment: datetime, as_of: datetime | None
) -> list[tuple[str, datetime]]:
    """The features that stood in the world at a time, as far as the database knew at ``as_of``.

    Ids of roots in their order, each with when its version was recorded, which tells it from the others.
    """
    values = {"dataset": dataset_id, "moment": moment, "as_of": as_of}
    return [(row.object_id, row.recorded_from) for row in connection.execute(text(_VALID_AT), values)]


_CLOSE_REPLACED = """
WITH closed AS (
    SELECT old.object_id AS root_id, coalesce(old.valid_to, new.valid_from) AS valid_until
    FROM city_object_history old JOIN {staged} new USING (object_id)
    WHERE old.dataset_id = :dataset AND old.recorded_to = now() AND old.parent_id IS NULL
      AND new.valid_from > coalesce(old.valid_from, '-infinity')
)
UPDATE city_object_history h SET valid_until = closed.valid_until FROM closed
WHERE h.dataset_id = :dataset AND h.root_id = closed.root_id AND h.recorded_to = now()
"""

_CLOSE_REMOVED = """
UPDATE city_object_history h SET valid_until = coalesce(root.valid_to, now()) FROM city_object_history root
WHERE h.dataset_id = :dataset AND h.root_id = ANY(:roots) AND h.recorded_to = now()
  AND root.dataset_id = h.dataset_id AND root.object_id = h.root_id AND root.recorded_to = now()
"""

_VALID_AT = """
WITH known AS (
    SELECT coalesce(CAST(:as_of AS timestamptz), 'infinity') AS as_of, CAST(:moment AS timestamptz) AS moment
), versions AS (
    SELECT object_id, recorded_from, valid_from, valid_to
    FROM city_object, known
    WHERE dataset_id = :dataset AND parent_id IS NULL AND recorded_from <= as_of
    UNION ALL
    SELECT object_id, recorded_from, valid_from,
           CASE WHEN recorded_to > as_of THEN valid_to ELSE valid_until END
    FROM city_object_history, known
    WHERE dataset_id = :dataset AND parent_id IS NULL AND recorded_from <= as_of
      AND (recorded_to > as_of OR valid_until IS NOT NULL)
), valid AS (
    SELECT DISTINCT ON (object_id) object_id, recorded_from
    FROM versions, known
    WHERE (valid_from IS NULL OR valid_from <= moment) AND (valid_to IS NULL OR valid_to > moment)
    ORDER BY object_id, recorded_from DESC
)
SELECT object_id, recorded_from FROM valid ORDER BY object_id
"""
"""Where a correction and an older version both claim a time, what was recorded last counts."""
