"""Errors over HTTP: problem documents, statuses, and a database that is away, busy or slow."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import literal_column, select

from api import problems
from api.app import create_app
from api.dependencies import Reader
from tests.api.client import Client, serving
from twin.db.engine import Database
from twin.db.query import Statement
from twin.errors import DatabaseUnavailable, InvalidFilter, NotFound, TwinError


@pytest.fixture(scope="module")
def app(database: Database) -> FastAPI:
    """The application with routes that fail and that wait."""
    settings = database.settings.model_copy(update={"statement_timeout_s": 0.3, "pool_size": 1})
    app = create_app(database.reader(), settings)

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("a secret of the server")

    @app.get("/slow")
    async def slow(pool: Reader) -> None:
        await pool.fetch(Statement(select(literal_column("pg_sleep(5)")), None, {}))

    @app.get("/number/{number}")
    async def number(number: int) -> int:
        return number

    return app


@pytest.fixture(scope="module")
def failing(app: FastAPI) -> Iterator[Client]:
    with serving(app) as client:
        yield client


def problem(client: Client, url: str, status: int, method: str = "GET") -> dict[str, Any]:
    response = client.request(method, url)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == problems.MEDIA_TYPE
    body = response.json()
    assert (body["status"], body["instance"]) == (status, url.partition("?")[0])
    return body


def test_the_nearest_class_decides_the_status() -> None:
    class Odd(InvalidFilter):
        pass

    found = [problems.status_of(error) for error in (Odd(), NotFound(), DatabaseUnavailable(), TwinError())]
    assert found == [400, 404, 503, 500]


def test_an_unforeseen_error_tells_nothing_of_the_inside(failing: Client) -> None:
    body = problem(failing, "/broken", 500)
    assert "secret" not in str(body)


def test_paths_and_methods(failing: Client) -> None:
    assert "/nowhere" in problem(failing, "/nowhere", 404)["detail"]
    assert problem(failing, "/collections", 405, "DELETE")["title"] == "Method not allowed"
    assert "number" in problem(failing, "/number/one", 400)["detail"]


def test_a_slow_query_is_stopped(failing: Client) -> None:
    body = problem(failing, "/slow", 503)
    assert "too long" in body["detail"]
    assert failing.request("GET", "/slow").headers["retry-after"]
    assert failing.get("/health/ready").status_code == 200


def test_without_a_database(database: Database, tmp_path: Path) -> None:
    nowhere = {**database.reader(), "host": str(tmp_path)}
    with serving(create_app(nowhere, database.settings)) as client:
        assert client.get("/health/live").status_code == 200
        body = problem(client, "/health/ready", 503)
        assert "cannot be reached" in body["detail"]
        assert problem(client, "/collections/buildings/items", 503)["type"].endswith("database-unavailable")
        response = client.get("/collections")
        assert response.headers["retry-after"] == str(problems.RETRY_AFTER_S)


def test_a_detail_may_quote_anything(failing: Client) -> None:
    body = problem(failing, "/collections/buildings/items?filter=%ED%A0%80%FF%22%27", 400)
    assert body["detail"]
