"""The example of another city runs as it is written."""

import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from importers.harmonise import harmonise
from importers.source_files import folder_of, read_source
from tests.fixtures import ROOT, SHARED_DATA, needs_shared_data
from tests.importers.stored import clean, features
from twin import cli
from twin.db.engine import Database
from twin.model.cityobject import CityObject

PAGE = ROOT / "docs" / "how-to" / "other-cities.md"
MODEL = SHARED_DATA / "cityjson" / "vienna_592.city.jsonl"


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


@needs_shared_data
def test_vienna_as_it_is_written(
    engine: Engine,
    twin_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("vienna.toml").write_text(blocks("toml")[0], encoding="utf-8")
    Path("vienna.city.jsonl").symlink_to(MODEL)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    commands = [line for block in blocks("sh") for line in block.splitlines() if line.startswith("twin ")]
    assert len(commands) == 3
    try:
        for command in commands:
            monkeypatch.setattr(sys, "argv", command.split())
            with pytest.raises(SystemExit) as ended:
                cli.main()
            assert not ended.value.code, command
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for file in folder_of(twin_home).glob("*.toml"):
            file.unlink()
    out = capsys.readouterr()
    assert re.search(r"^vienna\tvienna\tEPSG:31256", out.out, re.MULTILINE)
    assert "dataset vienna_lod2, city vienna" in out.err
    rows = features(engine, "vienna_lod2")
    assert len(rows) == 149
    assert {row["city"] for row in rows} == {"vienna"}
    assert all(16.2 < row["west"] < 16.6 and 48.1 < row["south"] < 48.4 for row in rows)
    assert sum(row["measured_height_m"] is not None for row in rows) == 47, "the others have parts that do"


def test_the_form_of_attributes_and_codes_is_right(tmp_path: Path) -> None:
    first, second = blocks("toml")
    file = tmp_path / "city.toml"
    file.write_text(f"{first}\n{second}", encoding="utf-8")
    source = read_source(file)
    item = CityObject("a", "Building", {"GebNr": 7, "Geschosse": 3, "Zustand": 2})
    assert harmonise(source, item).values == {
        "municipal_id": "7",
        "storeys_above_ground": 3,
        "status": "underConstruction",
    }
