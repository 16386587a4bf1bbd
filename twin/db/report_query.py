"""What imports told of the files of a dataset, and where the objects stand that they name, as statements."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    any_,
    bindparam,
    column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from twin.db.query import Statement
from twin.db.schema import dataset, feature


def reports(name: str, files: int, entries: int) -> Statement:
    """The newest report of each file of the dataset ``name``, the newest first, ``files`` at most.

    Columns: source, finished_at, report (without its lists), refused and problems (their first
    ``entries``), refused_count and problems_count, files (how many there are in all), id (of the run).
    """
    found = (
        text(_REPORTS)
        .bindparams(*(bindparam(parameter, type_=kind) for parameter, kind in _TYPES.items()))
        .columns(
            column("source", Text),
            column("finished_at", DateTime(timezone=True)),
            column("report", JSONB),
            column("refused", JSONB),
            column("problems", JSONB),
            column("refused_count", Integer),
            column("problems_count", Integer),
            column("files", BigInteger),
            column("id", BigInteger),
        )
        .subquery("reported")
    )
    clause = select(found).order_by(found.c.id.desc())
    values = {"dataset": name, "most_files": files, "most_entries": entries}
    return Statement(clause, ("reports",), values)


def standing(name: str, object_ids: Sequence[str]) -> Statement:
    """The stored ones of the objects of a dataset: object_id, id, west, south, east, north (degrees)."""
    f = feature.c
    told: list[ColumnElement[Any]] = [f.object_id, f.id, f.west, f.south, f.east, f.north]
    wanted = f.object_id == any_(bindparam("object_ids", type_=ARRAY(Text)))
    clause = (
        select(*told)
        .join(dataset, dataset.c.id == f.dataset_id)
        .where(dataset.c.name == bindparam("dataset", type_=Text), wanted)
    )
    return Statement(clause, ("standing",), {"dataset": name, "object_ids": list(object_ids)})


_TYPES = {"dataset": Text(), "most_files": Integer(), "most_entries": Integer()}

# The lists of a report may be as long as the file: they are cut before they leave the database. Runs
# that only ended what a complete delivery lacks have a report without 'read'.
_REPORTS = """
WITH newest AS (
    SELECT DISTINCT ON (r.source) r.id, r.source, r.finished_at, r.report
    FROM import_run r JOIN dataset d ON d.id = r.dataset_id
    WHERE d.name = :dataset AND r.report ->> 'read' IS NOT NULL
    ORDER BY r.source, r.id DESC
)
SELECT n.source, n.finished_at, n.report - ARRAY['changes', 'refused', 'problems'] AS report,
    (
        SELECT coalesce(jsonb_agg(e.entry ORDER BY e.place), '[]')
        FROM jsonb_array_elements(n.report -> 'refused') WITH ORDINALITY AS e (entry, place)
        WHERE e.place <= :most_entries
    ) AS refused, (
        SELECT coalesce(jsonb_agg(e.entry ORDER BY e.place), '[]')
        FROM jsonb_array_elements(n.report -> 'problems') WITH ORDINALITY AS e (entry, place)
        WHERE e.place <= :most_entries
    ) AS problems,
    jsonb_array_length(n.report -> 'refused') AS refused_count,
    jsonb_array_length(n.report -> 'problems') AS problems_count,
    count(*) OVER () AS files, n.id
FROM newest n ORDER BY n.id DESC LIMIT :most_files
"""
