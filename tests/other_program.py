"""Another program that uses the private cluster, for tests of what two of them do to each other."""

import signal
import subprocess
import sys
from pathlib import Path

from tests.fixtures import ROOT

# What is lazily imported must be there before the process gives up root: its Python may be out of reach then.
_PROGRAM = """
import encodings.idna, os, sys, psycopg
from twin.db import embedded
from twin.errors import TwinError
from twin.settings import Settings
if len(sys.argv) > 2:
    os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))
with embedded.running(Settings(home=sys.argv[1])) as connect:
    url = connect.owner_url
    with psycopg.connect(host=url.host, port=url.port, user=url.username, dbname=url.database) as session:
        session.execute("SELECT pg_advisory_xact_lock(1)")
        session.execute("CREATE TABLE IF NOT EXISTS notes (note text)")
        session.execute("INSERT INTO notes VALUES ('from another program')")
    print("ready", url.host, flush=True)
    sys.stdin.read()
print("left", flush=True)
"""


class OtherProgram:
    """Runs until it is told to leave; ``user`` are the uid and gid that it takes."""

    def __init__(self, home: Path, *user: int) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(home), *map(str, user)],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def ready(self) -> str:
        assert self.process.stdout is not None
        word, _, host = self.process.stdout.readline().strip().partition(" ")
        assert word == "ready"
        return host

    def leave(self) -> None:
        output, _ = self.process.communicate(timeout=60)
        assert (output, self.process.returncode) == ("left\n", 0)

    def end_by(self, number: signal.Signals) -> int:
        """Send a signal, wait for the end and return the exit code."""
        self.process.send_signal(number)
        self.process.communicate(timeout=60)
        return self.process.returncode
