"""Rules of the house that no tool checks by itself."""

import ast
import importlib.metadata
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures import ROOT
from twin.settings import Settings

PACKAGES = ("api", "importers", "tiles", "twin")
LONGEST_MODULE, LONGEST_FUNCTION, MOST_ARGUMENTS = 400, 50, 6
TYPICAL_FUNCTION = 7


def _modules(*folders: str) -> list[Path]:
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob("*.py"))
        if "node_modules" not in path.parts
    ]


Function = ast.FunctionDef | ast.AsyncFunctionDef


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def _own_lines(function: Function) -> int:
    """Lines of the body without its docstring."""
    first = function.body[1] if ast.get_docstring(function) and len(function.body) > 1 else function.body[0]
    return (function.end_lineno or first.lineno) - first.lineno + 1


def test_no_module_is_too_long() -> None:
    long = {
        str(path.relative_to(ROOT)): count
        for path in _modules(*PACKAGES, "tests", "benchmarks")
        if (count := len(path.read_text().splitlines())) > LONGEST_MODULE
    }
    assert long == {}


def test_no_function_is_too_long() -> None:
    long = {
        f"{path.relative_to(ROOT)}:{function.name}": _lines(function)
        for path in _modules(*PACKAGES, "tests", "benchmarks")
        for function in _functions(path)
        if _lines(function) > LONGEST_FUNCTION
    }
    assert long == {}


def test_the_typical_function_is_short() -> None:
    lengths = sorted(_own_lines(function) for path in _modules(*PACKAGES) for function in _functions(path))
    assert lengths[len(lengths) // 2] <= TYPICAL_FUNCTION


def _is_command(function: Function) -> bool:
    """Commands and routes are called by typer and FastAPI: an argument for each option and parameter."""
    return any(isinstance(decorator, ast.Call) for decorator in function.decorator_list)


def test_no_function_takes_too_many_arguments() -> None:
    many = {
        f"{path.relative_to(ROOT)}:{function.name}": count
        for path in _modules(*PACKAGES)
        for function in _functions(path)
        if not _is_command(function) and (count := _arguments(function)) > MOST_ARGUMENTS
    }
    assert many == {}


def _arguments(function: Function) -> int:
    names = [a.arg for a in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


@pytest.mark.parametrize("word", ["utils", "helpers", "manager", "misc", "common"])
def test_modules_are_named_by_what_they_hold(word: str) -> None:
    assert [path for path in _modules(*PACKAGES) if word in path.stem.split("_")] == []


def test_nothing_is_left_for_later() -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX|HA" + r"CK)\b|for n" + r"ow\b", re.IGNORECASE)
    left = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in _modules(*PACKAGES, "tests", "benchmarks")
        for line in path.read_text().splitlines()
        if marks.search(line)
    ]
    assert left == []


def _locked() -> set[str]:
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    return {line.split("==")[0].split("[")[0].lower() for line in lines if "==" in line and line[0].isalnum()}


def test_no_dependency_ships_a_module_of_our_names() -> None:
    locked = _locked()
    assert "sqlalchemy" in locked
    taken = {
        (distribution.name, Path(str(file)).parts[0])
        for distribution in importlib.metadata.distributions()
        if distribution.name.lower() in locked
        for file in distribution.files or ()
        if Path(str(file)).parts[0].removesuffix(".py") in PACKAGES
    }
    assert taken == set()


def test_dependencies_are_locked_with_hashes() -> None:
    text = (ROOT / "requirements.lock").read_text()
    entries = re.split(r"\n(?=[a-z0-9])", text)
    unlocked = [
        entry.split()[0] for entry in entries if "==" in entry.split("\n")[0] and "--hash" not in entry
    ]
    assert unlocked == []


def test_no_package_index_is_written_down() -> None:
    named = [
        name
        for name in ("requirements.lock", "pyproject.toml", "Makefile")
        if "index-url" in (ROOT / name).read_text()
    ]
    assert named == []


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a git checkout")
def test_ignored_folders_hide_nothing_of_ours() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "--cached", "--ignored", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert tracked == ""


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


HEAVY = (
    "alembic",
    "geoalchemy2",
    "lxml",
    "numpy",
    "psycopg",
    "pydantic",
    "pyproj",
    "scipy",
    "shapely",
    "sqlalchemy",
)


def test_the_command_starts_without_what_only_some_commands_need() -> None:
    code = f"import sys, twin.cli; print([name for name in {HEAVY} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_an_import_loads_only_what_it_needs() -> None:
    """Each of these takes 5 to 30 MB, of the 150 that an import may have."""
    others = ("alembic", "lxml", "pyarrow", "scipy")
    code = "import sys, importers.ingest, importers.prepare, twin.db.engine; "
    code += f"print([name for name in {others} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
