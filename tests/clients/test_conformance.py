"""Suites of others over the whole service, each in an environment of its own: `make slow` runs them."""

import os
import subprocess
from pathlib import Path

import pytest

from benchmarks import peers

pytestmark = pytest.mark.slow
CONFIGURATION = Path(__file__).parent / "schemathesis.toml"


HOOKS = """
import schemathesis

# More than the maximum of 'limit' is cut to it, as OGC API Features (7.15.2) wants it, and not refused.
@schemathesis.hook
def before_call(context, case, kwargs):
    limit = str((case.query or {}).get("limit", ""))
    if limit.isdigit() and int(limit) > 10_000:
        case.query["limit"] = "0"
    limit = case.body.get("limit") if isinstance(case.body, dict) else None
    if isinstance(limit, int) and limit > 10_000:
        case.body["limit"] = 0
"""


def ask(environment: str, *command: str, folder: Path) -> str:
    """What a program of an environment says; it fails where the program does."""
    try:
        programs = peers.environment(environment)
    except peers.Unavailable as error:
        pytest.skip(f"no environment for {environment}: {error}")
    done = subprocess.run(
        [programs / command[0], *command[1:]],
        cwd=folder, capture_output=True, text=True, timeout=900, check=False,
        env={**os.environ, "SCHEMATHESIS_HOOKS": "hooks"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2000:]
    return done.stdout


def test_ogctests_of_the_core(address: str, tmp_path: Path) -> None:
    """The abstract tests of OGC API Features Part 1."""
    said = ask("ogctests", "python", "-m", "ogctests", "features/core", "-i", f"{address}/", folder=tmp_path)
    assert "29 passed" in said
    assert "failed" not in said


@pytest.mark.parametrize("phase", ["examples", "coverage", "fuzzing"])
def test_schemathesis_of_every_operation(address: str, tmp_path: Path, phase: str) -> None:
    """Every operation of the OpenAPI document, with what it allows and with what it does not."""
    (tmp_path / "hooks.py").write_text(HOOKS)
    said = ask(
        "schemathesis", "st", "--config-file", str(CONFIGURATION), "run", f"{address}/api", "--phases", phase,
        "--max-examples", "12", "--continue-on-failure", "--warnings", "off", "--output-truncate", "false",
        folder=tmp_path,
    )  # fmt: skip
    assert "Operations:" in said
