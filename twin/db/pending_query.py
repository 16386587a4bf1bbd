"""What waits for `twin process`, as a statement: how many features of each dataset, and since when.

A feature waits where a stage has no values of it, or values of another version; or where values
of neighbours were computed before something within their halo was imported or ended. Both are
told from what is stored, without computing an input hash: a few boxes for each changed feature.
Of a run that is under way or was interrupted, all features of its open cells wait.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Double,
    Integer,
    Text,
    bindparam,
    column,
    func,
    select,
    text,
)

from twin.db.query import Statement
from twin.db.schema import processing_job
from twin.model.cells import LEVEL


def pending(versions: Mapping[str, Any]) -> Statement:
    """One row for each dataset where features wait: dataset (its name), pending and since.

    ``versions`` are what `twin.processing.versions.versions` gives. ``pending`` counts as many
    features as the next `twin process` computes, but for neighbours that come back as they were.
    """
    found = (
        text(_PENDING)
        .bindparams(*(bindparam(name, type_=kind) for name, kind in _TYPES.items()))
        .columns(
            column("dataset", Text), column("pending", BigInteger), column("since", DateTime(timezone=True))
        )
        .subquery("waiting")
    )
    values = {"quadkey_level": LEVEL, **versions}
    return Statement(select(found), ("pending",), {name: values[name] for name in _TYPES})


def ledger() -> Statement:
    """What changes in the ledger with what waits: one row, read in no time."""
    job = processing_job.c
    columns: list[ColumnElement[Any]] = [
        func.max(job.started_at).label("started"),
        func.count().filter(job.state != "done").label("open"),
    ]
    return Statement(select(*columns), ("ledger",), {})


_TYPES: Mapping[str, Any] = {
    "measured_with": Integer(),
    "roof_faces": Text(),
    "neighbours": Text(),
    "validity": Text(),
    "reach_m": Double(),
    "quadkey_level": Integer(),
}

_PENDING = """
WITH run AS (
    SELECT dataset_id, min(started_at) AS began FROM processing_job
    WHERE stage = 'neighbours' AND started_at IS NOT NULL GROUP BY dataset_id
), lacking AS (
    SELECT f.dataset_id, f.id, f.recorded_from AS since
    FROM feature f
    JOIN city_object o ON o.dataset_id = f.dataset_id AND o.object_id = f.object_id
    LEFT JOIN object_roof r
        ON r.dataset_id = f.dataset_id AND r.object_id = f.object_id AND r.algorithm = :roof_faces
    LEFT JOIN object_neighbours n
        ON n.dataset_id = f.dataset_id AND n.object_id = f.object_id AND n.algorithm = :neighbours
    LEFT JOIN object_validity v
        ON v.dataset_id = f.dataset_id AND v.object_id = f.object_id AND v.algorithm = :validity
    WHERE f.surfaces IS NOT NULL AND (
        o.measured_with IS DISTINCT FROM :measured_with
        OR r.object_id IS NULL OR v.object_id IS NULL OR (n.object_id IS NULL AND f.quadkey IS NOT NULL)
    )
), changed AS (
    SELECT f.dataset_id, f.footprint_3857 AS shape, f.north, f.recorded_from AS since
    FROM feature f JOIN run USING (dataset_id) WHERE f.recorded_from > run.began
    UNION ALL
    SELECT h.dataset_id, h.footprint_3857, h.north, h.recorded_to
    FROM feature_history h JOIN run USING (dataset_id) WHERE h.recorded_to > run.began
), around AS (
    SELECT f.dataset_id, f.id, c.since
    FROM changed c JOIN feature f ON f.dataset_id = c.dataset_id
        AND f.footprint_3857 && ST_Expand(c.shape, :reach_m / cos(radians(c.north)))
    WHERE f.surfaces IS NOT NULL AND f.quadkey IS NOT NULL
), unfinished AS (
    SELECT f.dataset_id, f.id, f.recorded_from
    FROM processing_job j JOIN feature f ON f.dataset_id = j.dataset_id
        AND f.quadkey >> (2 * (:quadkey_level - j.level)) = j.cell
    WHERE j.stage = 'neighbours' AND j.state <> 'done' AND j.level >= 0 AND f.surfaces IS NOT NULL
)
SELECT d.name AS dataset, count(DISTINCT w.id) AS pending, min(w.since) AS since
FROM (SELECT * FROM lacking UNION ALL SELECT * FROM around UNION ALL SELECT * FROM unfinished) w
JOIN dataset d ON d.id = w.dataset_id
GROUP BY d.name ORDER BY d.name
"""
