"""The private cluster survives what machines and people do to it."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.fixtures import ROOT
from tests.other_program import OtherProgram
from twin.db import embedded, layout
from twin.db.embedded import Cluster, Connect
from twin.errors import DatabaseUnavailable
from twin.settings import Settings


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Settings]]:
    """Makes settings with a new TWIN_HOME; their clusters are removed after the module."""
    made: list[Settings] = []

    def make(name: str) -> Settings:
        made.append(Settings(home=tmp_path_factory.mktemp(name) / "home"))
        return made[-1]

    yield make
    for settings in made:
        embedded.destroy(settings)


@pytest.fixture(scope="module")
def settings(homes: Callable[[str], Settings]) -> Settings:
    """One cluster for the tests that do not need a new one: initdb takes a second."""
    return homes("shared")


@pytest.fixture(autouse=True)
def unused(settings: Settings) -> Iterator[None]:
    yield
    there = embedded.existing(settings)
    assert there is None or there.stop_now()


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A folder that every user can reach; pytest's own are private."""
    with tempfile.TemporaryDirectory(prefix="twin-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def session(connect: Connect) -> Generator["psycopg.Connection[tuple[object, ...]]", None, None]:
    url = connect.owner_url
    with psycopg.connect(
        host=url.host, port=url.port, user=url.username, dbname=url.database, autocommit=True
    ) as session:
        yield session


def cluster_of(settings: Settings) -> Cluster:
    there = embedded.existing(settings)
    assert there is not None
    return there


def notes(settings: Settings) -> int:
    with embedded.running(settings) as connect, session(connect) as connection:
        row = connection.execute("SELECT count(*) FROM notes").fetchone()
    assert row is not None
    return int(str(row[0]))


def crash(settings: Settings) -> int:
    """Kill the server as the kernel would for lack of memory; returns its process id."""
    pid = cluster_of(settings).server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while cluster_of(settings).server.lives() and time.monotonic() < deadline:
        time.sleep(0.01)
    return pid


def test_runs_for_the_block_only(settings: Settings) -> None:
    with embedded.running(settings):
        assert cluster_of(settings).status().running
        assert cluster_of(settings).status().in_use
    assert not cluster_of(settings).server.lives()
    assert not cluster_of(settings).status().running


def test_socket_is_private_and_its_path_short(settings: Settings) -> None:
    with embedded.running(settings) as connect:
        folder = Path(str(connect.owner_url.host))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert len(os.fsencode(folder)) < 100


def test_no_tcp_port_and_foreign_pg_variables_do_not_matter(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGDATA", "/nonexistent")
    monkeypatch.setenv("PGHOST", "nowhere.invalid")
    monkeypatch.setenv("PGPORT", "1")
    with socket.socket() as busy:
        busy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            busy.bind(("127.0.0.1", layout.PORT))
            busy.listen()
        except OSError:
            pass  # Another PostgreSQL has it, which is as good.
        with embedded.running(settings) as connect, session(connect) as connection:
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)


@pytest.mark.skipif(sys.platform != "linux", reason="page faults are read from /proc")
def test_memory_of_a_statement_is_kept_for_the_next(settings: Settings) -> None:
    """4 MB are 1,000 pages: a process that gave them back would ask for them at each statement."""
    with embedded.running(settings) as connect, session(connect) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None

        def faults() -> int:
            for _ in range(5):
                connection.execute(
                    "SELECT length(string_agg(repeat('x', 1000), '')) FROM generate_series(1, 4000)"
                )
            return int(Path(f"/proc/{row[0]}/stat").read_text().rpartition(")")[2].split()[7])

        faults()
        before = faults()
        assert faults() - before < 1000


def test_server_does_not_run_as_root(settings: Settings) -> None:
    with embedded.running(settings):
        pid = cluster_of(settings).server.pid()
        owner = int(subprocess.check_output(["ps", "-o", "uid=", "-p", str(pid)]))
        assert owner != 0


def test_last_user_stops_the_server(settings: Settings) -> None:
    other = OtherProgram(settings.home)
    other.ready()
    with embedded.running(settings):
        pass
    assert cluster_of(settings).status().running
    other.leave()
    assert not cluster_of(settings).server.lives()


def test_programs_that_start_together_share_one_server(homes: Callable[[str], Settings]) -> None:
    settings = homes("together")
    others = [OtherProgram(settings.home) for _ in range(3)]
    assert len({other.ready() for other in others}) == 1
    for other in others:
        other.leave()
    assert not cluster_of(settings).server.lives()
    assert notes(settings) == 3


def test_nested_use_in_one_process(settings: Settings) -> None:
    with embedded.running(settings):
        with embedded.running(settings):
            pass
        assert cluster_of(settings).status().running
    assert not cluster_of(settings).server.lives()


def test_killed_user_does_not_hold_the_server(settings: Settings) -> None:
    other = OtherProgram(settings.home)
    other.ready()
    assert other.end_by(signal.SIGKILL) == -signal.SIGKILL
    before = notes(settings)
    assert before >= 1
    assert not cluster_of(settings).server.lives()


def test_interrupted_user_leaves_and_stops_the_server(settings: Settings) -> None:
    other = OtherProgram(settings.home)
    other.ready()
    assert other.end_by(signal.SIGINT) != 0
    assert not cluster_of(settings).server.lives()


def test_crashed_server_recovers_what_was_committed(settings: Settings) -> None:
    with embedded.running(settings) as connect:
        with session(connect) as connection:
            connection.execute("CREATE TABLE committed AS SELECT 7 AS answer")
        crash(settings)
        with embedded.running(settings) as again, session(again) as connection:
            assert connection.execute("SELECT answer FROM committed").fetchone() == (7,)
            connection.execute("DROP TABLE committed")
    assert not cluster_of(settings).server.lives()


def test_pid_file_that_names_an_unrelated_process(settings: Settings) -> None:
    with embedded.running(settings):
        crash(settings)
    server = cluster_of(settings).server
    # Of the server's own user: PostgreSQL ignores processes of others.
    unrelated = subprocess.Popen(
        ["sleep", "60"], user=server.data.stat().st_uid if os.geteuid() == 0 else None
    )
    try:
        pid_file = server.data / "postmaster.pid"
        lines = pid_file.read_text().split("\n")
        pid_file.write_text("\n".join([str(unrelated.pid), *lines[1:]]))
        with embedded.running(settings) as connect, session(connect) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert unrelated.poll() is None
    finally:
        unrelated.kill()
        unrelated.wait()


def test_pid_file_that_names_nobody(settings: Settings) -> None:
    with embedded.running(settings):
        pid = crash(settings)
    assert cluster_of(settings).server.pid() == pid
    with embedded.running(settings) as connect, session(connect) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_reason_of_a_failed_start_is_told(settings: Settings) -> None:
    with embedded.running(settings):
        pass
    version = cluster_of(settings).folder / "data" / "global" / "pg_control"
    moved = version.rename(version.with_name("pg_control.moved"))
    try:
        with (
            pytest.raises(DatabaseUnavailable, match=r"does not start.*(pg_control|could not find)"),
            embedded.running(settings),
        ):
            pass
    finally:
        moved.rename(version)


INTERRUPTED = """
import os, sys
from pathlib import Path
from twin.db import embedded, layout
from twin.settings import Settings
def die(cluster, *others):
    (cluster / "data").mkdir()
    (cluster / "data" / "PG_VERSION").write_text("15")
    os.kill(os.getpid(), 9)
layout.initialise_data = die
layout.CLUSTERS = Path(sys.argv[2])
embedded.cluster(Settings(home=sys.argv[1]))
"""


def test_interrupted_initdb_leaves_nothing(public_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Not the shared folder of root's clusters, where tests of another checkout may clean up.
    monkeypatch.setattr(layout, "CLUSTERS", public_folder / "clusters")
    settings = Settings(home=public_folder / "home")
    command = [sys.executable, "-c", INTERRUPTED, str(settings.home), str(layout.CLUSTERS)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    parent = layout.CLUSTERS if os.geteuid() == 0 else settings.home
    assert list(parent.glob(".initdb-*"))
    try:
        with embedded.running(settings) as connect, session(connect) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert not list(parent.glob(".initdb-*"))
    finally:
        embedded.destroy(settings)


def test_deleted_home_never_meets_old_data(homes: Callable[[str], Settings]) -> None:
    settings = homes("deleted")
    with embedded.running(settings) as connect, session(connect) as connection:
        connection.execute("CREATE TABLE old (a int)")
    old = cluster_of(settings).folder
    shutil.rmtree(settings.home)
    try:
        with embedded.running(settings) as connect, session(connect) as connection:
            assert connection.execute("SELECT to_regclass('old')").fetchone() == (None,)
        if os.geteuid() == 0:
            assert old in [abandoned.cluster for abandoned in layout.abandoned()]
    finally:
        shutil.rmtree(old, ignore_errors=True)


def test_long_home_gets_a_short_socket(public_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(layout, "CLUSTERS", public_folder / ("clusters-with-a-long-name-" * 4))
    settings = Settings(home=public_folder / ("home-with-a-long-name-" * 4))
    try:
        with embedded.running(settings) as connect, session(connect) as connection:
            folder = Path(str(connect.owner_url.host))
            assert len(os.fsencode(folder)) < 100
            assert connection.execute("SELECT 1").fetchone() == (1,)
        # A stranger's folder of the same name is not taken.
        shutil.rmtree(folder)
        folder.mkdir()
        folder.chmod(0o777)
        with embedded.running(settings) as connect:
            assert str(connect.owner_url.host) != str(folder)
        folder.rmdir()
    finally:
        embedded.destroy(settings)


def test_closed_umask_does_not_lock_the_server_out(
    public_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(layout, "CLUSTERS", public_folder / "made" / "clusters")
    settings = Settings(home=public_folder / "made" / "home")
    before = os.umask(0o077)
    try:
        with embedded.running(settings) as connect, session(connect) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    finally:
        os.umask(before)
        embedded.destroy(settings)


def test_kept_server_runs_on_until_it_is_stopped(settings: Settings) -> None:
    there = embedded.cluster(settings)
    there.start_and_keep()
    with embedded.running(settings):
        pass
    assert there.status().running
    assert there.status().kept
    assert there.stop_now()
    assert not there.server.lives()


def test_stop_waits_for_the_users(settings: Settings) -> None:
    there = embedded.cluster(settings)
    there.start_and_keep()
    with embedded.running(settings):
        assert not there.stop_now()
        assert there.status().running
    assert not there.server.lives()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_unprivileged_user_has_the_cluster_at_home(public_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(public_folder, nobody.pw_uid, nobody.pw_gid)
    settings = Settings(home=public_folder / "home")
    other = OtherProgram(settings.home, nobody.pw_uid, nobody.pw_gid)
    other.ready()
    assert not (settings.home / "postgres").is_symlink()
    assert (settings.home / "postgres" / "data").stat().st_uid == nobody.pw_uid
    with embedded.running(settings) as connect, session(connect) as connection:
        assert connection.execute("SELECT count(*) FROM notes").fetchone() == (1,)
    other.leave()
    assert not cluster_of(settings).server.lives()
    embedded.destroy(settings)
