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
    session,
    statistics,
    tiles3d,
    uploads,
    vector_tiles,
)
from api.area_coverage import Coverages
from api.collections import known_parameters
from api.compression import Compression
from api.conditional import Datasets, Revisions
from api.dependencies import Downloads, Service
from api.direct import Call, Direct
from api.feature_memory import FeatureMemory
from api.head import Head
from api.html import render
from api.mcp import endpoint as mcp
from api.security.caller import EXPORT, IMPORT, READ, STATS, Access, Needs, here
from api.security.gate import Gate
from api.security.guard import Guard
from api.static import PageFiles
from twin.db.pool import ReadPool, read_pool
from twin.db.uploads import Store
from twin.settings import Settings

ROUTERS = (
    (ogc.router, None),
    (session.router, None),
    (catalog.router, READ),
    (reports.router, READ),
    (uploads.router, IMPORT),
    (features.router, READ),
    (download.router, EXPORT),
    (search.router, READ),
    (histogram.router, STATS),
    (statistics.router, STATS),
    (mcp.router, READ),
    (tiles3d.router, READ),
    (vector_tiles.router, READ),
    (health.router, None),
)
"""The routes, and the scope without which those of a router are not reached."""


def _middleware(guard: Guard) -> tuple[Middleware, ...]:
    # Outermost is CORS, so that pages can read also why they were refused.
    return (
        Middleware(CORSMiddleware, **guard.origins.cors()),
        Middleware(Gate, guard=guard, refuse=problems.problem),
        Middleware(Head),
        Middleware(Compression),
        Middleware(Direct, routes=[(router, _before(scope)) for router, scope in ROUTERS]),
    )


def _before(scope: str | None) -> list[Call]:
    # First of all the scope: who may not ask is not even told which parameters there are.
    return [known_parameters] if scope is None else [Needs(scope), known_parameters]


def create_app(
    connect: Mapping[str, Any],
    settings: Settings,
    access: Access | None = None,
    writer: Any = None,
) -> FastAPI:
    """The application; its pool opens and closes with its lifespan.

    ``connect`` are keyword arguments of ``asyncpg.connect`` for a role that may only read, as
    ``twin.db.engine.Database.reader`` gives them. ``access`` is what those may who do not say who they are;
    without it, who asks from this machine may everything. ``writer`` is the address of the database for
    a role that may read keys and write collections; without it there are no keys, and nothing is uploaded.
    """
    guard = Guard(access or here(), settings, writer)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None, None]:
        async with read_pool(
            connect, size=settings.pool_size, statement_timeout_s=settings.statement_timeout_s
        ) as pool:
            store = None if writer is None else Store(writer)
            app.state.service = _service(pool, settings, guard, store)
            yield
            guard.close()
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
        middleware=_middleware(guard),
    )
    problems.install(app)
    _route(app)
    if ogc.VIEWER.is_dir():
        app.mount("/viewer", PageFiles(directory=ogc.VIEWER), name="viewer")
    cesium.install(app)
    render.install(app)
    _document(app, settings.max_limit)
    return app


def _service(pool: ReadPool, settings: Settings, guard: Guard, store: Store | None) -> Service:
    return Service(
        pool=pool,
        settings=settings,
        guard=guard,
        revisions=Revisions(pool),
        datasets=Datasets(pool),
        store=store,
        downloads=Downloads(max(1, settings.pool_size // 2)),
        features=FeatureMemory(settings.text_memory_mb * 1_000_000),
        coverages=Coverages(pool),
    )


def _route(app: FastAPI) -> None:
    for router, scope in ROUTERS:
        app.include_router(router, dependencies=[Depends(call) for call in _before(scope)])


def _document(app: FastAPI, max_limit: int) -> None:
    """Replaces FastAPI's own OpenAPI document with ours, made at the first request for it."""

    def made() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = openapi.document(app, max_limit)
        return app.openapi_schema

    app.openapi = made
