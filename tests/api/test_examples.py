"""The examples for programs in the documentation run, against a server of its own."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.seeding import Seeded
from tests.api.test_server import answer, running
from tests.fixtures import ROOT, unused_port
from twin.db.engine import Database

PAGE = (ROOT / "docs" / "how-to" / "use-from-programs.md").read_text()
BLOCKS = re.findall(r"^```(sh|python)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def address(database: Database, seeded_towns: list[Seeded]) -> Iterator[str]:
    assert seeded_towns
    port = unused_port()
    with running(database, port, 1):
        answer(port)
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


@pytest.mark.parametrize(("language", "code"), BLOCKS, ids=range(len(BLOCKS)))
def test_an_example_runs(address: str, folder: Path, language: str, code: str) -> None:
    if language == "sh" and shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    assert "http://127.0.0.1:8000" in code
    program = ["sh", "-euc"] if language == "sh" else [sys.executable, "-W", "error", "-c"]
    done = subprocess.run(
        [*program, code.replace("http://127.0.0.1:8000", address)],
        cwd=folder, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    if "etag" in code:
        assert done.stdout.strip() == "304"


def test_there_are_examples_of_each_kind() -> None:
    assert {language for language, _ in BLOCKS} == {"sh", "python"}
    assert len(BLOCKS) >= 6
