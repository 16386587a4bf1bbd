"""A city that no code knows: described in TOML, imported, harmonised; the documented example too."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from importers.grasp import ImportOptions
from importers.harmonise import harmonise
from importers.ingest import Ingest
from importers.source_files import add_source, load_sources, read_source
from tests.fixtures import ROOT, SHARED_DATA, needs_shared_data
from tests.importers.stored import clean, features
from twin.db.engine import Database
from twin.errors import InputError
from twin.model.cityobject import CityObject

VIENNA = SHARED_DATA / "cityjson" / "vienna_592.city.jsonl"


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The description that the documentation shows."""
    page = (ROOT / "docs" / "how-to" / "other-cities.md").read_text()
    match = re.search(r"```toml\n(.*?)```", page, re.DOTALL)
    assert match is not None
    path = tmp_path / "anything.toml"
    path.write_text(match[1])
    return path


def described(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "s.toml"
    path.write_text(text)
    return path


@needs_shared_data
def test_the_documented_city_is_one_like_the_others(engine: Engine, example: Path, tmp_path: Path) -> None:
    add_source(example, tmp_path / "home")
    sources = load_sources(tmp_path / "home")
    report = Ingest(engine, ImportOptions(sources=sources)).run(VIENNA)
    assert (report.dataset, report.city, report.placement) == ("vienna_lod2", "vienna", "approximate")
    rows = features(engine, "vienna_lod2")
    assert len(rows) == report.read > 100
    assert all(16.2 < row["west"] < 16.5 and 48.1 < row["south"] < 48.3 for row in rows)
    assert all(row["mesh_hash"] is not None for row in rows)


@needs_shared_data
def test_without_a_description_it_has_no_place(engine: Engine) -> None:
    assert Ingest(engine, ImportOptions()).run(VIENNA).placement == "unplaced"


def test_attributes_and_codes(tmp_path: Path) -> None:
    source = read_source(
        described(
            tmp_path,
            'name = "x"\n[attributes]\nstatus = ["Zustand"]\nyear_of_construction = "Baujahr"\n'
            'municipal_id = ["Nr", "Id"]\n[codes.status]\n1 = "functional"\n',
        )
    )
    known = harmonise(source, CityObject("a", "Building", {"zustand": 1, "Baujahr": "1904", "Id": 7}))
    assert known.values == {"status": "functional", "year_of_construction": 1904, "municipal_id": "7"}
    unknown = harmonise(source, CityObject("a", "Building", {"Zustand": "9"}))
    assert (unknown.values, unknown.unknown_codes) == ({}, [("status", "9")])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name = ", "s.toml: Invalid value"),
        ('title = "x"', "needs a name"),
        ('name = "../x"', "needs a name"),
        ('name = "x"\ncolour = 1', "'colour' is no key"),
        ('name = "x"\ncrs = "EPSG:999999"', "999999"),
        ('name = "x"\naxis_order = "xy"', "one of en, ne"),
        ('name = "x"\nundulation_m = "high"', "has to be a number"),
        ('name = "x"\nobject_id = "("', "no regular expression"),
        ('name = "x"\nsigns = [1]', "list of names"),
        ('name = "x"\n[attributes]\nvolume_m3 = "V"', "'volume_m3' is no attribute from a source"),
        ('name = "x"\n[codes.status]\n1 = "functional"', "name the attribute"),
        (
            'name = "x"\n[attributes]\nstatus = "Z"\n[codes.status]\n1 = "fine"',
            "'fine' is no term",
        ),
    ],
)
def test_what_cannot_be_understood(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        read_source(described(tmp_path, text))
