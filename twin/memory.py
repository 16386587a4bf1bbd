"""How memory is managed while much passes through it."""

import ctypes
import gc
from collections.abc import Generator
from contextlib import contextmanager, suppress


@contextmanager
def collecting_later() -> Generator[None, None, None]:
    """Do not look for cycles of objects within the block, which has to be short: no ``yield`` in it.

    Features, geometries and rows have none, and there are so many of them that looking takes a fifth
    of the time.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def share_one_heap() -> None:
    """Let threads that start from here on share the heap of the program, where its C library is glibc.

    By default each has a heap of its own, none of which gives back what was passed on through it.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1)


_M_ARENA_MAX = -8
"""As in malloc.h."""
