"""Puts the service together: routes, middleware and the database pool."""

import importlib.metadata
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from api import (
    catalog,
    cesium,
    download,
    features,
    health,
    histogram,
    ogc,
    openapi,
    problems,
    reports,
    search,
    statistics,
    tiles3d,
    uploads,
    vector_tiles,
)
from api.collections import known_parameters
from api.compression import Compression
from api.conditional import Datasets, Revisions
from api.dependencies import Downloads, Service
from api.html import render
from api.mcp import endpoint as mcp
from api.static import PageFiles
from twin.db.pool import read_pool
from twin.db.query import ALL_SCOPES
from twin.db.uploads import Store
from twin.settings import Settings

ROUTERS = (
    ogc.router,
    catalog.router,
    reports.router,
    uploads.router,
    features.router,
    download.router,
    search.router,
    histogram.router,
    statistics.router,
    mcp.router,
    tiles3d.router,
    vector_tiles.router,
    health.router,
)

_LOCAL_PAGES = r"https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?"


def _middleware(scopes: frozenset[str]) -> tuple[Middleware, ...]:
    """Pages of any site may read what everyone sees; personal data only those of this machine."""
    personal = "personal" in scopes
    cors = Middleware(
        CORSMiddleware,
        allow_origins=[] if personal else ["*"],
        allow_origin_regex=_LOCAL_PAGES if personal else None,
        allow_methods=["GET", "HEAD", "POST"],
        allow_headers=["*"],
        expose_headers=["Link", "ETag", "Retry-After", "Content-Crs", "Content-Disposition"],
    )
    return cors, Middleware(Compression)


def create_app(
    connect: Mapping[str, Any],
    settings: Settings,
    scopes: frozenset[str] = ALL_SCOPES,
    writer: Any = None,
) -> FastAPI:
    """The application; its pool opens and closes with its lifespan.

    ``connect`` are keyword arguments of ``asyncpg.connect`` for a role that may only read, as
    ``twin.db.engine.Database.reader`` gives them. ``scopes`` are what every request may see. ``writer``
    is the address of the database for a role that may write collections; without it none are uploaded.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with read_pool(
            connect, size=settings.pool_size, statement_timeout_s=settings.statement_timeout_s
        ) as pool:
            store = None if writer is None else Store(writer)
            downloads = Downloads(max(1, settings.pool_size // 2))
            app.state.service = Service(
                pool, settings, scopes, Revisions(pool), Datasets(pool), store, downloads
            )
            yield
            if store is not None:
                store.close()

    app = FastAPI(
        title=ogc.TITLE,
        description=ogc.DESCRIPTION,
        version=importlib.metadata.version("finest-twin"),
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        dependencies=[Depends(known_parameters)],
        middleware=_middleware(scopes),
    )
    app.state.templates = None
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    if ogc.VIEWER.is_dir():
        app.mount("/viewer", PageFiles(directory=ogc.VIEWER), name="viewer")
    cesium.install(app)
    render.install(app)
    _document(app)
    return app


def _document(app: FastAPI) -> None:
    """Replaces FastAPI's own OpenAPI document with ours, made at the first request for it."""

    def made() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.document(app)
        return app.openapi_schema

    app.openapi = made
