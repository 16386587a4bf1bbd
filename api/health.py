"""Whether the process lives, and whether it can answer."""

from fastapi import APIRouter

from api.dependencies import Reader
from twin.db.tile_query import revisions

router = APIRouter(tags=["Operation"])


@router.get("/health/live", summary="The process runs")
async def live() -> dict[str, str]:
    """Always passes."""
    return {"status": "pass"}


@router.get("/health/ready", summary="The database answers, and its schema is there")
async def ready(pool: Reader) -> dict[str, str | int]:
    """503 while the database is away or its schema is older than the program."""
    return {"status": "pass", "datasets": len(await pool.fetch(revisions()))}
