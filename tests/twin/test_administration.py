"""``twin db …``, ``twin doctor`` and the exit codes, as a person calls them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fixtures import ROOT
from twin import cli, doctor
from twin.db import embedded
from twin.settings import Settings


@dataclass
class Done:
    """How a command ended and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


Twin = Callable[..., Done]


@pytest.fixture
def twin(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Twin]:
    """Runs a command line within this process, with variables of the environment as keywords."""

    def run(*arguments: str, **environment: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["twin", *arguments])
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as ended:
            cli.main()
        written = capsys.readouterr()
        return Done(int(ended.value.code or 0), written.out, written.err)

    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("administration") / "home"
    yield home
    embedded.destroy(Settings(home=home))


def test_version(twin: Twin) -> None:
    assert twin("--version").stdout.startswith("twin 0.")


@pytest.mark.parametrize("arguments", [("nonsense",), ("db", "nonsense"), ("doctor", "--nonsense")])
def test_wrong_usage_ends_with_2(twin: Twin, arguments: tuple[str, ...]) -> None:
    assert twin(*arguments).returncode == 2


@pytest.mark.parametrize("command", ["start", "stop", "status", "upgrade"])
def test_every_command_has_help_with_an_example(twin: Twin, command: str) -> None:
    assert f"Example: twin db {command}" in twin("db", command, "--help").stdout


def test_life_of_a_kept_database(twin: Twin, home: Path) -> None:
    where = {"TWIN_HOME": str(home)}
    assert "not made yet" in twin("db", "status", **where).stdout
    assert "no database yet" in twin("db", "stop", **where).stderr
    assert twin("db", "start", **where).returncode == 0
    cluster = embedded.existing(Settings(home=home))
    assert cluster is not None
    assert cluster.server.lives()
    assert "kept until" in twin("db", "status", **where).stdout
    assert "newest version" in twin("db", "upgrade", **where).stderr
    assert twin("doctor", **where).returncode == 0
    assert twin("db", "stop", **where).returncode == 0
    assert not cluster.server.lives()


def test_stop_of_a_database_in_use_fails_with_the_reason_last(twin: Twin, home: Path) -> None:
    settings = Settings(home=home)
    with embedded.running(settings):
        done = twin("db", "stop", TWIN_HOME=str(home))
        assert done.returncode == 1
        assert "in use" in done.stderr.splitlines()[-1]


def test_foreign_database_is_not_started(twin: Twin) -> None:
    done = twin("db", "start", TWIN_DATABASE_URL="postgresql://somewhere/twin")
    assert done.returncode == 1
    assert "TWIN_DATABASE_URL" in done.stderr.splitlines()[-1]


def test_unusable_setting_is_named(twin: Twin) -> None:
    done = twin("db", "status", TWIN_POOL_SIZE="many")
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("TWIN_POOL_SIZE is 'many'")


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_interrupted_command_stops_the_database(home: Path, number: signal.Signals, code: int) -> None:
    """The command is interrupted while it starts the cluster."""
    cluster = embedded.cluster(Settings(home=home))
    process = subprocess.Popen(
        [sys.executable, "-m", "twin.cli", "doctor"], cwd=ROOT, env=os.environ | {"TWIN_HOME": str(home)},
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 30
    while process.poll() is None and not cluster.server.lives() and time.monotonic() < deadline:
        time.sleep(0.005)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == code
    assert not cluster.server.lives()


def test_doctor_says_what_is_wrong_and_how_to_mend_it(twin: Twin, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    findings = {found.name: found for found in doctor.examine(Settings(home=tmp_path / "file"))}
    assert "TWIN_HOME" in findings["home"].remedy
    findings = {
        found.name: found
        for found in doctor.examine(Settings(home=tmp_path, database_url="postgresql://localhost:1/nowhere"))
    }
    assert "No connection" in findings["database"].remedy
    done = twin("doctor", TWIN_HOME=str(tmp_path), TWIN_DATABASE_URL="postgresql://localhost:1/nowhere")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "Not in order: database"


def test_settings_are_listed_without_passwords(twin: Twin) -> None:
    done = twin("doctor", "--settings", TWIN_DATABASE_URL="postgresql://me:secret@localhost/twin")
    assert done.returncode == 0
    names = {line.split("\t")[0] for line in done.stdout.splitlines()}
    assert names == {f"TWIN_{name.upper()}" for name in Settings.model_fields}
    assert "secret" not in done.stdout
