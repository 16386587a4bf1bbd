"""What can be known about the server of a data directory without connecting to it."""

import os
import socket
import subprocess
from dataclasses import dataclass
from pathlib import Path

_NOBODY = 2**31 - 2
"""A process id that no system gives out."""


@dataclass(frozen=True, slots=True)
class Postmaster:
    """The server of the data directory ``data`` that listens in the directory ``sockets``."""

    data: Path
    sockets: Path
    port: int

    def listens(self) -> bool:
        """Whether a live server holds the socket; it may still be starting up or going down."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(5.0)
            try:
                client.connect(str(self.sockets / f".s.PGSQL.{self.port}"))
            except OSError:
                return False
        return True

    def pid(self) -> int | None:
        """The process id in postmaster.pid, be it alive or not."""
        try:
            return int(self._pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def lives(self) -> bool:
        """Whether the process named in postmaster.pid exists and is the server of this directory."""
        pid = self.pid()
        return pid is not None and str(self.data) in _command_line(pid)

    def disown_stale_pid(self) -> None:
        """Make postmaster.pid harmless if its process id now belongs to an unrelated process.

        PostgreSQL removes the file itself when the process is gone, but refuses to start when
        there is any. The file is changed, not removed, because its other lines let PostgreSQL see
        whether backends of the crashed server still use the shared memory.
        """
        pid = self.pid()
        if pid is None or self.lives():
            return
        lines = self._pid_file.read_text().split("\n")
        self._pid_file.write_text("\n".join([str(_NOBODY), *lines[1:]]))

    @property
    def _pid_file(self) -> Path:
        return self.data / "postmaster.pid"


def _command_line(pid: int) -> str:
    """Program and arguments of a process, empty when there is none; a zombie counts as none."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout


def alive(pid: int) -> bool:
    """Whether there is any process with this id."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
