"""What came of the imports of a dataset: what was stored, what was refused and why, what is not stored."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from fastapi import APIRouter, Request, Response

from api.conditional import cache_headers, entity_tag, matches, not_modified
from api.dependencies import Reader, service
from api.links import JSON
from api.security.caller import caller_of, seen_by
from importers.report import is_kept
from twin.db.pool import ReadPool, Row
from twin.db.report_query import reports, standing
from twin.errors import NotFound

router = APIRouter(tags=["Catalogue"])

MOST_FILES = 200
MOST_ENTRIES = 500
"""Of each file, refused features and those without a mesh; ``twin import --report`` writes all."""

_TOLD = (
    "format", "reference_system", "placement", "bytes", "read", "added", "geometry_changed",
    "attributes_changed", "unchanged", "removed", "left_out", "unknown_codes", "seconds",
)  # fmt: skip

Places = Mapping[str, Mapping[str, Any]]


@router.get("/datasets/{name}/report", summary="What came of the imports of a dataset")
async def get_report(request: Request, name: str, pool: Reader) -> Response:
    """The newest report of each file, the newest first, at most 200 files and 500 entries in each list.

    An entry of `refused` or `problems` has `item` and `bbox` where an object with its id is stored: the
    object itself, the other one that has its id, or the version of an earlier delivery.
    """
    known = service(request)
    digest = await known.revisions.digest()
    caller = caller_of(request)
    named = {row["name"]: row for row in seen_by(caller, await known.datasets.at(digest))}
    if name not in named:
        raise NotFound(f"There is no dataset '{name[:60]}'. Known: {', '.join(named) or 'none'}.")
    headers = cache_headers(entity_tag(request, digest, caller.levels), caller.levels)
    if matches(request, headers["ETag"]):
        return not_modified(headers)
    rows = await pool.fetch(reports(name, MOST_FILES, MOST_ENTRIES))
    places = await _places(pool, name, rows)
    document = {
        "dataset": name,
        "title": named[name]["title"],
        "files_count": rows[0]["files"] if rows else 0,
        "files": [_file(row, places) for row in rows],
    }
    return Response(orjson.dumps(document), headers=headers, media_type=JSON)


async def _places(pool: ReadPool, name: str, rows: Sequence[Row]) -> Places:
    """Where the objects stand that the reports name, as far as they are stored, by their ids."""
    entries = (entry for row in rows for entry in (*row["refused"], *row["problems"]))
    object_ids = sorted({entry["object_id"] for entry in entries if entry["object_id"]})
    if not object_ids:
        return {}
    return {
        row["object_id"]: {
            "item": row["id"],
            "bbox": None
            if row["west"] is None
            else [row[side] for side in ("west", "south", "east", "north")],
        }
        for row in await pool.fetch(standing(name, object_ids))
    }


def _file(row: Row, places: Places) -> dict[str, Any]:
    """The report of a file without what it tells of the machine: of its path, only the last part."""
    report = row["report"]
    ledger: Mapping[str, int] = report.get("not_stored", {})
    return {
        "file": last_part(row["source"]),
        "imported": row["finished_at"].isoformat().replace("+00:00", "Z"),
        **{member: report.get(member) for member in _TOLD},
        "refused_count": row["refused_count"],
        "refused": [_entry(entry, places) for entry in row["refused"]],
        "problems_count": row["problems_count"],
        "problems": [_entry(entry, places) for entry in row["problems"]],
        "not_stored": {what: count for what, count in ledger.items() if not is_kept(what)},
        "stored_otherwise": {what: count for what, count in ledger.items() if is_kept(what)},
    }


def _entry(entry: Mapping[str, Any], places: Places) -> dict[str, Any]:
    return {**entry, **places.get(entry["object_id"], {"item": None, "bbox": None})}


def last_part(path: str) -> str:
    """The name of a file without its folders, of either kind of path."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
