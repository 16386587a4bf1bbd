"""The reports of imports, as they are served."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from api import reports
from api.app import create_app
from importers.ingest import ImportOptions, Ingest
from importers.report import Report
from importers.synthetic import synthesise
from tests.api.client import Client, serving
from tests.importers.stored import clean
from tests.importers.stored import features as stored_features
from tests.importers.test_ingest import document, written
from twin.db.engine import Database


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


@pytest.fixture
def client(database: Database, engine: Engine) -> Iterator[Client]:
    with serving(create_app(database.reader(), database.settings)) as client:
        yield client


def run(engine: Engine, path: Path, dataset: str = "made") -> Report:
    return Ingest(engine, ImportOptions(dataset=dataset, city="helsinki")).run(path)


def report(client: Client, dataset: str = "made") -> dict[str, Any]:
    response = client.get(f"/datasets/{dataset}/report")
    assert response.status_code == 200, response.text
    return response.json()


def told(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Entries without where their objects stand."""
    return [{name: entry[name] for name in entry if name not in {"item", "bbox"}} for entry in entries]


def test_it_tells_what_the_import_told(client: Client, engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "broken.gml"
    synthesise(path, city="helsinki", buildings=40, seed=3, corrupt=24)
    whole = run(engine, path).as_dict()
    served = report(client)
    [file] = served["files"]
    assert (served["dataset"], served["files_count"], file["file"]) == ("made", 1, "broken.gml")
    assert file["imported"].endswith("Z")
    assert str(tmp_path) not in client.get("/datasets/made/report").text
    for name in ("format", "reference_system", "placement", "bytes", "read", "added", "unknown_codes"):
        assert file[name] == whole[name], name
    for name in ("refused", "problems"):
        assert file[f"{name}_count"] == len(whole[name]), name
        assert told(file[name]) == whole[name]
    assert len(file["refused"]) > 5
    assert {**file["not_stored"], **file["stored_otherwise"]} == whole["not_stored"]


def test_entries_stand_where_their_objects_are_stored(client: Client, engine: Engine, tmp_path: Path) -> None:
    """The first of two objects with an id is stored, and the second is told to be there."""
    path = tmp_path / "broken.gml"
    synthesise(path, city="helsinki", buildings=40, seed=3, corrupt=24)
    run(engine, path)
    stored = {row["object_id"]: row for row in stored_features(engine, "made")}
    [file] = report(client)["files"]
    placed = {entry["object_id"]: entry for entry in file["refused"] if entry["item"]}
    assert {entry["code"] for entry in placed.values()} == {"duplicate-id"}
    assert placed.keys() == {e["object_id"] for e in file["refused"]} & stored.keys()
    for object_id, entry in placed.items():
        row = stored[object_id]
        assert entry["item"] == row["id"]
        assert entry["bbox"] == [row[side] for side in ("west", "south", "east", "north")]


def test_the_newest_report_of_each_file_is_served(client: Client, engine: Engine, tmp_path: Path) -> None:
    first, second = tmp_path / "first.city.json", tmp_path / "second.city.json"
    run(engine, written(first, document(3.0, 4.0)))
    run(engine, written(second, document(3.0, 4.0, 5.0)))
    run(engine, written(first, document(3.0, 6.0)))
    files = report(client)["files"]
    assert [(file["file"], file["read"]) for file in files] == [
        ("first.city.json", 2),
        ("second.city.json", 3),
    ]
    assert files[0]["geometry_changed"] == 1


def test_long_lists_are_cut_and_counted(
    client: Client, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "broken.gml"
    synthesise(path, city="helsinki", buildings=40, seed=3, corrupt=24)
    whole = run(engine, path)
    monkeypatch.setattr(reports, "MOST_ENTRIES", 2)
    [file] = report(client)["files"]
    assert told(file["refused"]) == whole.as_dict()["refused"][:2]
    assert file["refused_count"] == len(whole.refused)


def test_what_is_known_is_not_sent_again(client: Client, engine: Engine, tmp_path: Path) -> None:
    run(engine, written(tmp_path / "a.city.json", document(3.0)))
    first = client.get("/datasets/made/report")
    known = {"If-None-Match": first.headers["etag"]}
    again = client.request("GET", "/datasets/made/report", headers=known)
    assert (again.status_code, again.content) == (304, b"")


def test_unknown_datasets_are_named(client: Client, engine: Engine, tmp_path: Path) -> None:
    run(engine, written(tmp_path / "a.city.json", document(3.0)))
    problem = client.get("/datasets/nowhere/report").json()
    assert problem["status"] == 404
    assert "Known: made" in problem["detail"]


@pytest.mark.parametrize(
    ("path", "name"),
    [("a.gml", "a.gml"), ("/x/a.zip/b.gml", "b.gml"), ("C:\\x\\a.gml", "a.gml"), ("/x/a/", "a")],
)
def test_paths_are_not_told(path: str, name: str) -> None:
    assert reports.last_part(path) == name
