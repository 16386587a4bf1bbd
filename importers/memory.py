"""When Python looks for cycles of objects that nothing else holds.

What a reader makes has none, and there is so much of it that looking takes a fifth of the time.
"""

import gc
from collections.abc import Generator
from contextlib import contextmanager


@contextmanager
def collecting_later() -> Generator[None, None, None]:
    """Do not look within the block, which has to be short: a batch, with no ``yield`` in it."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
