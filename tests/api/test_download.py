"""Downloads give way: to other requests, and when the client goes away or something fails."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import anyio
import pytest

from api import download
from api.app import create_app
from tests.api.client import Client, serving
from tests.api.seeding import PRIMARY, Seeded
from twin.db.engine import Database

DOWNLOAD = "/collections/buildings/download"
TOWNS = ",".join(PRIMARY)


@pytest.fixture
def small(database: Database, seeded_towns: list[Seeded]) -> Iterator[tuple[Client, Any]]:
    """A client of an application with two connections, one of them for downloads, and the application."""
    assert seeded_towns
    app = create_app(database.reader(), database.settings.model_copy(update={"pool_size": 2}))
    with serving(app) as client:
        yield client, app


def test_no_more_downloads_than_may_run(small: tuple[Client, Any]) -> None:
    client, app = small
    downloads = app.state.service.downloads
    with ExitStack() as running:
        running.enter_context(downloads.one())
        refused = client.get(DOWNLOAD, f="csv")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "2")
        assert "downloads run" in refused.json()["detail"]
        assert client.items(f="csv").status_code == 200
    for _ in range(3):
        assert client.get(DOWNLOAD, f="csv").status_code == 200


def test_parts_are_one_file(
    small: tuple[Client, Any], seeded_towns: list[Seeded], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, _ = small
    forms = ("geojson", "geojsonseq", "jsonfg", "csv", "flatgeobuf")
    whole = {form: client.get(DOWNLOAD, f=form, dataset=TOWNS, sortby="-height_m").content for form in forms}
    monkeypatch.setattr(download, "ROWS_OF_A_PART", 7)
    monkeypatch.setattr(download, "ROWS_OF_A_PAGE", 7)
    for form, content in whole.items():
        again = client.get(DOWNLOAD, f=form, dataset=TOWNS, sortby="-height_m").content
        assert without_time(again) == without_time(content)
        assert again.count(b"seed_") >= len(seeded_towns)


def without_time(content: bytes) -> bytes:
    """An answer without when it was given."""
    start = content.find(b'"timeStamp":"')
    return (
        content
        if start < 0
        else content[:start] + content[start + len('"timeStamp":"2026-01-01T00:00:00Z') :]
    )


def test_what_fails_at_once_is_a_problem(small: tuple[Client, Any]) -> None:
    client, _ = small
    for query in ({"filter": "height_m / 0 > 1 AND"}, {"scenario": "flood"}, {"f": "xlsx"}):
        response = client.get(DOWNLOAD, **query)
        assert response.headers["content-type"] == "application/problem+json"
    assert client.get(DOWNLOAD, f="csv").status_code == 200


def test_whoever_goes_away_gives_the_connection_back(
    small: tuple[Client, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client, app = small
    monkeypatch.setattr(download, "ROWS_OF_A_PART", 1)
    sent: list[dict[str, Any]] = []

    async def leave() -> None:
        gone = anyio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)
            if len(sent) == 4:
                gone.set()
            await anyio.sleep(0.01 if len(sent) > 4 else 0)

        await app(
            {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.3"}, "http_version": "1.1",
             "method": "GET", "path": DOWNLOAD, "raw_path": DOWNLOAD.encode(), "root_path": "",
             "scheme": "http", "query_string": f"dataset={TOWNS}".encode(),
             "headers": [(b"host", b"localhost")], "server": ("twin", 80), "client": ("127.0.0.1", 1)},
            receive, send,
        )  # fmt: skip

    client.run(leave)
    assert sent[0]["status"] == 200
    assert 4 <= len(sent) < 60
    # The only place for a download is free again, and its connection.
    for _ in range(3):
        assert client.get(DOWNLOAD, f="csv").status_code == 200
        assert client.items().status_code == 200
