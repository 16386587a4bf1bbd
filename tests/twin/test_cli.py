"""The commands end as the contract says: 0 well, 1 failed, 2 wrong usage, 3 done with refusals."""

import json
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.importers.stored import clean, counts, features
from tests.importers.test_ingest import document, written
from twin import cli
from twin.db.engine import Database

Run = Callable[..., int]


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs the command line in this process and gives its exit code."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["twin", *(str(argument) for argument in arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        return int(ended.value.code or 0)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


def last_line(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_an_import_that_went_well(engine: Engine, twin: Run, tmp_path: Path) -> None:
    path = written(tmp_path / "a.city.json", document(3.0, 5.0))
    report = tmp_path / "report.json"
    assert twin("import", path, "--dataset", "a", "--report", report) == 0
    assert len(features(engine, "a")) == 2
    assert json.loads(report.read_text())["files"][0]["added"] == 2
    assert twin("process", "--dataset", "a") == 0
    assert twin("import", tmp_path, "--dataset", "a") == 1, "report.json in the folder is no model"


def test_an_import_that_refused_a_feature(
    engine: Engine, twin: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = document(3.0, 3.0)
    broken["CityObjects"]["a"]["geometry"][0]["boundaries"][0][0] = [[0, 1, 99_999]]
    assert twin("import", written(tmp_path / "a.city.json", broken), "--dataset", "a") == 3
    assert "refused: 1" in capsys.readouterr().err
    assert len(features(engine, "a")) == 1


def test_a_file_that_cannot_be_read_fails_with_the_reason_last(
    engine: Engine, twin: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = written(tmp_path / "a.city.json", document(3.0))
    bad = tmp_path / "b.gml"
    bad.write_text("<CityModel")
    before = counts(engine)
    assert twin("import", bad) == 1
    assert str(bad) in last_line(capsys)
    assert counts(engine) == before
    assert twin("import", bad, good, "--dataset", "a") == 1, "one of two failed"
    assert len(features(engine, "a")) == 1, "the other is stored"


def test_wrong_usage(twin: Run) -> None:
    assert twin("import") == 2
    assert twin("import", "a.gml", "--axis-order", "up") == 2
    assert twin("synth", "a.gml", "--city", "paris") == 2


def test_a_dataset_that_is_not_there(engine: Engine, twin: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert twin("process", "--dataset", "nix") == 1
    assert "nix" in last_line(capsys)
    assert twin("remove", "nix", "--yes") == 1


def test_datasets_are_listed_and_removed(
    engine: Engine, twin: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    twin("import", written(tmp_path / "a.city.json", document(3.0)), "--dataset", "a", "--city", "turku")
    empty = counts(engine) | {"dataset": 0}
    capsys.readouterr()
    assert twin("datasets") == 0
    assert capsys.readouterr().out.split("\t")[:2] == ["a", "turku"]
    assert twin("remove", "a", "--yes") == 0
    assert counts(engine) == dict.fromkeys(empty, 0)


def test_a_synthetic_city_becomes_tiles_without_fault(engine: Engine, twin: Run, tmp_path: Path) -> None:
    model, tiles = tmp_path / "t.city.jsonl", tmp_path / "tiles"
    assert twin("synth", model, "--city", "tallinn", "--buildings", 30) == 0
    assert twin("import", model) == 0
    assert twin("tiles", "build", tiles, "--filter", "height_m > 5") == 0
    assert twin("tiles", "validate", tiles) == 0
    (tiles / "tileset.json").write_text("{}")
    assert twin("tiles", "validate", tiles) == 1
