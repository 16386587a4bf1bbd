"""What can be known about the server of a data directory without connecting to it."""

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

    def clear_traces(self) -> None:
        """After a crash: let no process that has the server's old id keep it from starting again.

        That may be an unrelated process, or the dead server itself where nobody collects it (a
        container without an init). The caller knows that the server neither listens nor lives.
        postmaster.pid is changed, not removed, because its other lines let PostgreSQL see whether
        backends of the crashed server still use the shared memory.
        """
        for trace in self.sockets.glob(f".s.PGSQL.{self.port}*"):
            trace.unlink()
        if self.pid() is not None:
            lines = self._pid_file.read_text().split("\n")
            self._pid_file.write_text("\n".join([str(_NOBODY), *lines[1:]]))

    @property
    def _pid_file(self) -> Path:
        return self.data / "postmaster.pid"


def _command_line(pid: int) -> str:
    """Program and arguments of a process; empty when there is none, or one that is dead but not collected."""
    if Path("/proc/self/cmdline").exists():
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    return subprocess.run(
        ["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
