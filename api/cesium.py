"""A second page, in CesiumJS, which shows that any client of 3D Tiles works; `make cesium` builds it."""

from pathlib import Path

from fastapi import FastAPI
from starlette.responses import FileResponse

from api.static import PageFiles

BUILT = Path(__file__).parent / "viewer" / "cesium" / "dist"


def install(app: FastAPI) -> None:
    """Serve the page at ``/cesium.html`` where it is built."""
    if not BUILT.is_dir():
        return

    async def page() -> FileResponse:
        return FileResponse(BUILT / "index.html", headers={"Cache-Control": "no-cache"})

    app.add_api_route("/cesium.html", page, include_in_schema=False)
    app.mount("/cesium", PageFiles(directory=BUILT), name="cesium")
