"""Arrays that wait in a temporary file, mapped into memory, so that they may be as large as they like."""

import errno
import mmap
import os
import tempfile
import weakref
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from twin.errors import ServiceError

BLOCK = 1 << 18
"""Rows that are looked at together."""
_WAITING = 1 << 15

Number = TypeVar("Number", np.float64, np.int64)


class Spill(Generic[Number]):
    """Rows of 8-byte numbers: first appended, then, from ``finish`` on, an array.

    ServiceError where there is no space for them.
    """

    def __init__(self, kind: type[Number], columns: int) -> None:
        self._kind = kind
        self._columns = columns
        self._waiting: array[Any] = array("d" if kind is np.float64 else "q")
        self._file, name = tempfile.mkstemp(prefix="twin-")
        Path(name).unlink()
        self._close = weakref.finalize(self, os.close, self._file)
        self._map: mmap.mmap | None = None
        self.rows: npt.NDArray[Number] = np.zeros((0, columns), dtype=kind)

    def add(self, *row: float) -> None:
        """Append a row."""
        self._waiting.extend(row)
        if len(self._waiting) > _WAITING:
            self._flush()

    def extend(self, rows: npt.NDArray[Number]) -> None:
        """Append rows, shape (n, columns)."""
        _write(self._file, rows.tobytes())

    def allocate(self, rows: int) -> None:
        """Take space for rows of zeros."""
        if rows:
            _allocate(self._file, rows * self._columns * 8)

    def _flush(self) -> None:
        _write(self._file, self._waiting.tobytes())
        del self._waiting[:]

    def finish(self) -> None:
        """Make ``rows`` the array (n, columns) of what was appended."""
        self._flush()
        if os.fstat(self._file).st_size:
            self._map = mmap.mmap(self._file, 0)
            self.rows = np.frombuffer(self._map, dtype=self._kind).reshape(-1, self._columns)
        self._close()

    def blocks(self, *, backwards: bool = False) -> Iterator[tuple[int, npt.NDArray[Number]]]:
        """Some rows after the other, each time with the number of the first of them."""
        starts = range(0, len(self.rows), BLOCK)
        for first in reversed(starts) if backwards else starts:
            yield first, self.rows[first : first + BLOCK]
            self.release()

    def release(self) -> None:
        """Give pages back to the system; they are read from the file again where needed."""
        if self._map is not None:
            self._map.madvise(mmap.MADV_DONTNEED)


def zeros(rows: int) -> Spill[np.int64]:
    """An array (rows, 1) to be filled."""
    spill = Spill(np.int64, 1)
    spill.allocate(rows)
    spill.finish()
    return spill


def _write(file: int, content: bytes) -> None:
    rest = memoryview(content)
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError as error:
        raise no_space(error) from error


def _allocate(file: int, size: int) -> None:
    """Take the space now: writing to a mapped file that the disk has no room for would kill the program."""
    try:
        os.posix_fallocate(file, 0, size)
    except OSError as error:
        raise no_space(error) from error


def no_space(error: OSError) -> Exception:
    """What to raise where a temporary file could not be written."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return error
    return ServiceError(
        f"there is no space for a temporary file in {tempfile.gettempdir()}; free some, or name another"
        " folder by the environment variable TMPDIR"
    )
