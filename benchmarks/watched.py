"""A program watched from outside: time, and the memory of each of its processes."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SAMPLE_S = 0.05
_FORKSERVER = b"multiprocessing.forkserver"
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(slots=True)
class Watched:
    """What a program took: seconds on the clock and of processors, megabytes at most.

    ``together_mb`` is the most that all of its processes had at one moment, ``parent_mb`` the most of the
    program itself, ``workers_mb`` that of each of its worker processes.
    """

    seconds: float
    cpu_seconds: float
    together_mb: float
    parent_mb: float
    workers_mb: list[float]
    code: int
    output: str


@dataclass(slots=True)
class _Peaks:
    together: int = 0
    each: dict[int, int] = field(default_factory=dict[int, int])
    workers: set[int] = field(default_factory=set[int])
    unwaited: dict[int, int] = field(default_factory=dict[int, int])
    """Ticks of copies of a server of processes, for which the program itself never waits."""

    def sample(self, root: int) -> None:
        tree = _tree(root)
        self.together = max(self.together, sum(_resident(pid) for pid in tree))
        for pid in tree:
            self.each[pid] = max(self.each.get(pid, 0), _highest(pid))
            command = _read(pid, "cmdline")
            if pid != root and (b"spawn_main" in command or _FORKSERVER in command):
                self.workers.add(pid)
            if _FORKSERVER in command:
                self.unwaited[pid] = sum(_ticks(pid)[:2])


def watch(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Watched:
    """Run a program to its end; Linux only, as it reads /proc."""
    peaks = _Peaks()
    before = os.times()
    started = time.monotonic()
    with subprocess.Popen(
        list(command), env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        while process.poll() is None:
            peaks.sample(process.pid)
            time.sleep(SAMPLE_S)
        output = process.stdout.read() if process.stdout else ""
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    cpu += sum(peaks.unwaited.values()) / _TICKS
    return Watched(
        seconds=time.monotonic() - started,
        cpu_seconds=cpu,
        together_mb=peaks.together * _PAGE / 1e6,
        parent_mb=peaks.each.get(process.pid, 0) / 1e3,
        workers_mb=sorted(peaks.each[pid] / 1e3 for pid in peaks.workers),
        code=process.returncode,
        output=output,
    )


def server_cpu(data: Path) -> float:
    """Processor seconds that a PostgreSQL server and its connections, past ones too, have taken."""
    postmaster = int((data / "postmaster.pid").read_text().splitlines()[0])
    return cpu_seconds(postmaster)


def cpu_seconds(root: int) -> float:
    """Processor seconds that a process and all below it, past ones too, have taken."""
    return sum(sum(_ticks(pid)) for pid in _tree(root)) / _TICKS


def _ticks(pid: int) -> list[int]:
    """Ticks of a process as user and system, and the same of its children that ended."""
    return [int(ticks) for ticks in _read(pid, "stat").rpartition(b")")[2].split()[11:15]]


def _tree(root: int) -> list[int]:
    """A process and all below it."""
    found: list[int] = []
    waiting = [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting.extend(map(int, _read(pid, f"task/{pid}/children").split()))
    return found


def _resident(pid: int) -> int:
    """Pages in memory."""
    fields = _read(pid, "statm").split()
    return int(fields[1]) if fields else 0


def _highest(pid: int) -> int:
    """The most kilobytes (of 1024 bytes) that the process ever had, as thousands of bytes."""
    for line in _read(pid, "status").splitlines():
        if line.startswith(b"VmHWM"):
            return int(line.split()[1]) * 1024 // 1000
    return 0


def _read(pid: int, name: str) -> bytes:
    """A file of /proc; nothing where the process ended meanwhile."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
