"""Starting and stopping the server, as the command line does."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
from sqlalchemy import URL

from api import hosts, server
from api.security.caller import Access, closed, here, public
from tests.fixtures import unused_port
from twin.db.engine import Database
from twin.errors import ServiceError, TwinError

_PROGRAM = """
import sys, orjson
from types import SimpleNamespace
from api import server
from twin.settings import Settings

if __name__ == "__main__":
    reader = orjson.loads(sys.argv[1])
    connect = SimpleNamespace(owner_url=sys.argv[4])
    database = SimpleNamespace(reader=lambda: reader, settings=Settings(), connect=connect)
    server.serve(database, host="127.0.0.1", port=int(sys.argv[2]), workers=int(sys.argv[3]))
    print("stopped")
"""


@contextmanager
def running(database: Database, port: int, workers: int) -> Generator[subprocess.Popen[str], None, None]:
    arguments = [orjson.dumps(database.reader()).decode(), str(port), str(workers), _written(database)]
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", _PROGRAM, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def _written(database: Database) -> str:
    """The address of the owner as text: a folder of sockets is no host that a URL can be written with."""
    url = database.connect.owner_url
    there = {"host": url.host or "", "port": str(url.port or 5432)}
    text = URL.create(url.drivername, url.username, url.password, database=url.database, query=there)
    return text.render_as_string(hide_password=False)


def answer(port: int) -> bytes:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=60) as response:
                return response.read()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.mark.parametrize("workers", [1, 2])
def test_serves_until_interrupted(database: Database, workers: int) -> None:
    port = unused_port()
    with running(database, port, workers) as process:
        assert orjson.loads(answer(port))["status"] == "pass"
        os.killpg(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=30)
    said = f"Open http://127.0.0.1:{port}/ in a browser. Ctrl-C stops everything."
    assert (process.returncode, out.strip(), errors.strip()) == (0, "stopped", said)


@pytest.mark.parametrize(
    ("access", "host", "expected"),
    [
        (here(), "::1", "Open http://[::1]:80/ in a browser."),
        (public(), "0.0.0.0", "Serving http://0.0.0.0:80/: everyone may read all but personal data."),
        (closed(), "127.0.0.1", "Serving http://127.0.0.1:80/ to those who have a key or token."),
    ],
)
def test_a_server_tells_its_address_and_whom_it_serves(access: Access, host: str, expected: str) -> None:
    assert server.invitation(access, host, 80) == expected


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="children are found in Linux' /proc")
def test_a_worker_that_dies_is_replaced_and_none_outlives_its_parent(database: Database) -> None:
    port = unused_port()
    with running(database, port, 2) as process:
        answer(port)
        first = children(process.pid)
        # A worker that ends within seconds of its start stops the server instead.
        time.sleep(server.STABLE_S)
        os.kill(first[0], signal.SIGKILL)
        wait_until(lambda: len(children(process.pid)) == 2 and first[0] not in children(process.pid))
        last = children(process.pid)
        process.kill()
        wait_until(lambda: not any(is_alive(pid) for pid in last))


def children(pid: int) -> list[int]:
    """The workers among the children: multiprocessing keeps one process for itself."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def is_alive(pid: int) -> bool:
    try:
        return "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False


def wait_until(holds: Callable[[], bool], patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def test_another_machine_only_if_wanted(database: Database) -> None:
    with pytest.raises(TwinError, match="--public-read"):
        server.serve(database, host="0.0.0.0", port=0)


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("127.8.0.1", True), ("::1", True), ("localhost", True),
     ("0.0.0.0", False), ("::", False), ("10.0.0.1", False), ("example.org", False)],
)  # fmt: skip
def test_loopback(host: str, expected: bool) -> None:
    assert hosts.is_loopback(host) is expected


def test_a_busy_port_is_told_and_passed_over(database: Database) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port: int = busy.getsockname()[1]
        with pytest.raises(ServiceError, match="--port"):
            server.serve(database, host="127.0.0.1", port=port)
        assert server.free_port(port) > port
