"""What a person sees on the terminal: progress of long work, and tables."""

import sys
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress

Advance = Callable[[int, int], None]
"""Called with what is done and what there is in all."""

QUIET_INTERVAL_S = 5.0
"""How often a line is written where there is no terminal to draw a bar on."""


@contextmanager
def progress(title: str, *, of_bytes: bool = False) -> Generator[Advance, None, None]:
    """A bar with rate and remaining time on a terminal, a line now and then elsewhere; on stderr."""
    if not sys.stderr.isatty():
        yield _Lines(title, of_bytes)
        return
    with _bars(of_bytes=of_bytes) as bars:
        task = bars.add_task(title, total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _bars(*, of_bytes: bool) -> "Progress":
    # Imported late, as is Table: most programs never draw.
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    amount = DownloadColumn(binary_units=False) if of_bytes else MofNCompleteColumn()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        amount,
        *((TransferSpeedColumn(),) if of_bytes else ()),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=Console(stderr=True), transient=True)


@dataclass(slots=True)
class _Lines:
    title: str
    of_bytes: bool = False
    started: float = field(default_factory=lambda: time.monotonic())
    first: int | None = None
    last: float = field(default_factory=lambda: time.monotonic())

    def __call__(self, done: int, total: int) -> None:
        now = time.monotonic()
        if self.first is None:  # what was there before says nothing of the rate
            self.first = done
        if total and now - self.last >= QUIET_INTERVAL_S:
            self.last = now
            say(f"{self.title}: {100 * done // total} %{self._pace(done - self.first, total - done, now)}")

    def _pace(self, done: int, left: int, now: float) -> str:
        """How fast it goes and how long it will take at that rate."""
        if done <= 0 or now <= self.started:
            return ""
        rate = done / (now - self.started)
        speed = f"{rate / 1e6:.1f} MB/s" if self.of_bytes else f"{rate:.{0 if rate >= 10 else 1}f}/s"
        return f", {speed}, {max(left, 0) / rate:.0f} s left"


def say(message: str) -> None:
    """A line for people, on standard error, so that standard output stays for results."""
    print(message, file=sys.stderr, flush=True)


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table on standard output; tab-separated where it is not a terminal, for other programs."""
    if not sys.stdout.isatty():
        for row in rows:
            print("\t".join(str(cell) for cell in row))
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    Console().print(drawn)
