"""Deliveries with broken buildings among the good ones: exactly those are refused, flagged or repaired."""

import ast
import csv
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import orjson
import pytest
from sqlalchemy import Engine
from typer.testing import CliRunner

from importers.identity import content_hash
from importers.port import Refused
from importers.reader import open_model
from importers.synthetic import CityName, Format, broken_path, synthesise, truth_path
from importers.synthetic.faults import COLUMNS, FAULTS, GARBLED, due, good_id
from importers.synthetic.faults_gml import GML_FAULTS
from importers.synthetic.faults_json import JSON_FAULTS, LINE_FAULTS
from tests.fixtures import ROOT
from tests.importers.stored import clean
from tests.importers.stored import features as stored_features
from tests.importers.synthetic_models import ALL_FORMATS, BOTH, NAMES, truth_of
from tests.twin.processing.synthetic_truth import agrees
from twin.cli import app
from twin.db.engine import Database
from twin.errors import InvalidParameter
from twin.model.attributes import BY_NAME
from twin.model.cityobject import CityFeature
from twin.processing.pipeline import process

BUILDINGS: Final = 80
CORRUPT: Final = 35
"""More than there are kinds, so that each occurs."""
KINDS: Final[dict[Format, tuple[Any, ...]]] = {
    "citygml": (*FAULTS, *GML_FAULTS),
    "cityjson": (*FAULTS, *JSON_FAULTS),
    "cityjsonseq": (*FAULTS, *LINE_FAULTS, *JSON_FAULTS),
}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], Path]:
    folder = tmp_path_factory.mktemp("corrupt")
    found: dict[tuple[str, str], Path] = {}
    for city in ("helsinki", "tallinn"):
        for format, name in NAMES.items():
            path = found[city, format] = folder / f"{city}_{name}"
            synthesise(path, city=city, buildings=BUILDINGS, seed=5, corrupt=CORRUPT)
    return found


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


Models = dict[tuple[str, str], Path]


def broken_of(path: Path) -> list[dict[str, str]]:
    with broken_path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def good(path: Path) -> dict[str, CityFeature]:
    """The features whose ids are in the truth; of those with an id that occurs twice the first."""
    known = truth_of(path)
    found: dict[str, CityFeature] = {}
    for entry in open_model(path):
        if isinstance(entry, CityFeature) and entry.root.id in known:
            found.setdefault(entry.root.id, entry)
    return found


@BOTH
@ALL_FORMATS
def test_a_seed_gives_the_same_bytes(city: CityName, format: Format, models: Models, tmp_path: Path) -> None:
    again = tmp_path / NAMES[format]
    synthesise(again, city=city, buildings=BUILDINGS, seed=5, corrupt=CORRUPT)
    assert again.read_bytes() == models[city, format].read_bytes()
    assert broken_path(again).read_bytes() == broken_path(models[city, format]).read_bytes()


@BOTH
@ALL_FORMATS
def test_the_good_ones_are_as_without(city: CityName, format: Format, models: Models, tmp_path: Path) -> None:
    path = models[city, format]
    without = tmp_path / NAMES[format]
    synthesise(without, city=city, buildings=BUILDINGS, seed=5)
    assert not broken_path(without).exists()
    assert truth_path(without).read_bytes() == truth_path(path).read_bytes()
    one, other = good(path), good(without)
    assert list(one) == list(other)
    assert len(one) == BUILDINGS
    assert all(content_hash(one[i], b"") == content_hash(other[i], b"") for i in one)
    if format == "cityjsonseq":
        lines = set(path.read_bytes().splitlines())
        assert lines >= set(without.read_bytes().splitlines())


@BOTH
@ALL_FORMATS
def test_each_kind_occurs_among_the_good_ones(city: CityName, format: Format, models: Models) -> None:
    rows = broken_of(models[city, format])
    assert list(rows[0]) == list(COLUMNS)
    expected = {fault.kind for fault in KINDS[format]}
    expected -= {"inverted-shell"} if city == "tallinn" else set()
    assert {row["kind"] for row in rows} == expected
    order = [entry.root.id for entry in open_model(models[city, format]) if isinstance(entry, CityFeature)]
    places = [index for index, identifier in enumerate(order) if identifier.endswith("_broken")]
    assert places
    assert all(order[index - 1] == good_id(order[index]) for index in places)


def test_they_are_spread_evenly() -> None:
    for buildings, broken in ((1, 1), (10, 3), (80, 35), (7, 7), (9, 0)):
        follows = list(due(buildings, broken))
        assert len(follows) == buildings
        assert sum(follows) == broken
        if broken:
            gaps = [i for i, one in enumerate(follows) if one]
            assert {b - a for a, b in pairwise(gaps)} <= {
                buildings // broken, -(-buildings // broken)
            }  # fmt: skip


def test_more_broken_than_good_ones_are_refused(tmp_path: Path) -> None:
    for corrupt in (-1, 4):
        with pytest.raises(InvalidParameter, match="broken"):
            synthesise(tmp_path / "a.gml", city="helsinki", buildings=3, seed=1, corrupt=corrupt)
    assert list(tmp_path.iterdir()) == []


def test_lines_are_told_in_files_of_many(tmp_path: Path) -> None:
    """Beyond line 65,535 the parser knows the lines of texts only; others are told by what is around."""
    path = tmp_path / "long.gml"
    synthesise(path, city="helsinki", buildings=600, seed=1, corrupt=60)
    rows = [row for row in broken_of(path) if row["outcome"] == "refused" and row["code"] != "duplicate-id"]
    refused = [entry for entry in open_model(path) if isinstance(entry, Refused)]
    assert [(e.object_id, e.code) for e in refused] == [(row["object_id"], row["code"]) for row in rows]
    lines = [int(row["place"].removeprefix("line ")) for row in rows]
    away = [line - int(e.place.removeprefix("line ")) for line, e in zip(lines, refused, strict=True)]
    assert lines[-1] > 65_535
    assert not any(far for line, far in zip(lines, away, strict=True) if line < 65_535)
    assert all(0 <= far < 50 for far in away)
    assert away.count(0) > len(away) * 2 / 3


def imported(path: Path, out: Path) -> dict[str, Any]:
    """The report of ``twin import``, which succeeds but refuses some."""
    result = CliRunner().invoke(app, ["import", str(path), "--report", str(out)])
    assert result.exit_code == 3
    [report] = orjson.loads(out.read_bytes())["files"]
    return report


@BOTH
@ALL_FORMATS
def test_an_import_says_what_the_list_says(
    engine: Engine, models: Models, city: str, format: Format, tmp_path: Path
) -> None:
    path, out = models[city, format], tmp_path / "report.json"
    report = imported(path, out)
    rows = broken_of(path)
    expected = Counter((r["object_id"], r["code"], r["place"]) for r in rows if r["outcome"] == "refused")
    assert Counter((r["object_id"] or "", r["code"], r["place"]) for r in report["refused"]) == expected
    assert all(entry["reason"] and entry["suggestion"] for entry in report["refused"])

    process(engine, report["dataset"])
    stored = {row["object_id"]: row for row in stored_features(engine, report["dataset"])}
    _check_good(stored, truth_of(path))
    for row in rows:
        if row["outcome"] != "refused":
            _check_kept(row, stored, city)
    kept = [row for row in rows if row["outcome"] != "refused"]
    assert len(stored) == BUILDINGS + len(kept) == report["added"]

    again = imported(path, out)
    assert (again["rows_written"], again["added"], again["unchanged"]) == (0, 0, len(stored))
    assert again["refused"] == report["refused"]


def _check_good(stored: dict[str, dict[str, Any]], truths: dict[str, dict[str, str]]) -> None:
    wrong = [
        (object_id, name, value, stored[object_id][name])
        for object_id, truth in truths.items()
        for name, value in truth.items()
        if name in BY_NAME and not agrees(name, value, stored[object_id][name])
    ]
    assert not wrong, wrong[:10]
    assert all(stored[object_id]["validity_codes"] == "" for object_id in truths)


def _check_kept(row: dict[str, str], stored: dict[str, dict[str, Any]], city: str) -> None:
    """A broken building that is stored nevertheless, with what is said of it."""
    object_id, code = row["object_id"], row["code"]
    if not object_id:
        assert sum(name.startswith("content-") for name in stored) >= 1
        return
    found = stored[object_id]
    if row["outcome"] == "flagged":
        assert found["closed"] is False if code == "open" else code in found["validity_codes"].split(), row
    else:
        assert found["valid"], row
    if row["kind"] == "mojibake":
        assert f"{found['street']} {found['house_number']}" == GARBLED[city][1]


PAGE = (ROOT / "docs" / "reference" / "import-report.md").read_text(encoding="utf-8")


def test_the_documentation_names_every_kind() -> None:
    kinds = {fault.kind for faults in KINDS.values() for fault in faults}
    assert [kind for kind in sorted(kinds) if f"`{kind}`" not in PAGE.partition("## A delivery")[2]] == []


def test_the_documentation_names_every_code() -> None:
    codes: set[str] = set()
    for path in sorted((ROOT / "importers").glob("*.py")):
        codes |= _codes(ast.parse(path.read_text(encoding="utf-8")))
    assert len(codes) > 20
    assert [code for code in sorted(codes) if f"`{code}`" not in PAGE.partition("## A delivery")[0]] == []


def _codes(tree: ast.AST) -> set[str]:
    """First arguments of refusals; those of the functions that make some are words with a hyphen."""
    texts = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"Refusal", "Refused", "_refuse"}
        and node.args
        and isinstance(node.args[0], ast.Constant)
    }
    return {text for text in texts if isinstance(text, str)}
