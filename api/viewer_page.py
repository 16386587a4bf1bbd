"""The page of the viewer, which is told by a ``meta`` element of what only the settings know."""

import html
from pathlib import Path

import orjson
from starlette.responses import FileResponse, HTMLResponse, Response

from twin import base_map
from twin.settings import Settings

_HEADERS = {"Cache-Control": "no-cache", "Vary": "Accept"}
_HEAD = "<head>"


def answer(page: Path, settings: Settings) -> Response:
    """The page as it was built, or with the base map that the settings name."""
    if settings.viewer_base_map is None:
        return FileResponse(page, headers=_HEADERS)
    text = page.read_text(encoding="utf-8")
    return HTMLResponse(
        text.replace(_HEAD, _HEAD + _base_map(settings.viewer_base_map, settings), 1), headers=_HEADERS
    )


def _base_map(templates: str, settings: Settings) -> str:
    told = {
        "templates": [{"city": one.city, "url": one.url} for one in base_map.read(templates)],
        "zoom": settings.viewer_base_map_zoom,
        "credit": settings.viewer_base_map_credit,
    }
    return f'<meta name="base-map" content="{html.escape(orjson.dumps(told).decode())}">'
