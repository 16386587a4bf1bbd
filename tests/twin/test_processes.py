"""Processes that work for a program, and what becomes of them when it is killed."""

import fcntl
import subprocess
import sys
import time
from pathlib import Path

import pytest

PROGRAM = """
import os, signal, sys
from tests.twin.test_processes import hold
from twin.processes import process_pool

if __name__ == "__main__":
    workers = process_pool(2, "tests.twin.test_processes")
    held = workers.submit(hold, sys.argv[1]).result()
    print("working", flush=True)
    workers.submit(hold, sys.argv[2])
    os.kill(os.getpid(), signal.SIGKILL if sys.argv[3] == "killed" else signal.SIGTERM)
"""
HELD: list[object] = []


def hold(path: str) -> bool:
    """Locks a file for as long as this process lives."""
    file = Path(path).open("wb")  # noqa: SIM115
    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    HELD.append(file)
    return True


def _is_held(path: Path) -> bool:
    with path.open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
        return False


@pytest.mark.parametrize("how", ["killed", "ended"])
def test_workers_end_with_a_program_that_can_no_longer_tell_them(tmp_path: Path, how: str) -> None:
    files = [tmp_path / "first", tmp_path / "second"]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *files, how], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.stdout == "working\n", done.stderr
    assert done.returncode < 0
    until = time.monotonic() + 20
    while any(_is_held(file) for file in files) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(_is_held(file) for file in files)
