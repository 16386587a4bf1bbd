"""Locks between processes that the kernel lets go when their holder dies, even by kill -9."""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def exclusive(path: Path) -> Generator[None, None, None]:
    """Wait for the lock, hold it for the block; the file is made when it is not there."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def shared(path: Path) -> int:
    """Take a share in the lock; it is given back by closing the returned file descriptor.

    Closing instead of unlocking matters after a fork: the children's copies keep the share.
    """
    descriptor = _open(path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def is_free(path: Path) -> bool:
    """Whether nobody holds the lock or a share in it."""
    descriptor = _open(path)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _open(path: Path) -> int:
    # Close-on-exec is Python's default: a server started meanwhile must not inherit the lock.
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
