"""Batches to rows, in this process or in several.

What measures and meshes is imported late, by the process that does it.
"""

import os
import pickle
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from multiprocessing import get_context
from multiprocessing.context import ForkServerContext
from typing import cast

from importers.batches import Batch, Candidate, Prepared, Understanding
from twin.memory import share_one_heap

_WATCH_S = 2.0


def prepared_batches(
    batches: Iterator[Batch], understanding: Understanding, jobs: int
) -> Iterator[tuple[Batch, Prepared]]:
    """Each batch with its rows, in order; ``jobs`` processes share the work where there are several."""
    if jobs <= 1:
        from importers.prepare import prepare

        for batch in batches:
            yield batch, prepare(batch.hand_over(), understanding)
        return
    waiting: deque[tuple[Batch, Future[Prepared]]] = deque()
    how = pickle.dumps(understanding)
    share_one_heap()
    with ProcessPoolExecutor(jobs, mp_context=_context(), initializer=_end_with_parent) as workers:
        for batch in batches:
            waiting.append((batch, workers.submit(_prepare, batch.hand_over(), how)))
            # A short queue keeps the workers busy and the memory flat.
            while len(waiting) > jobs:
                first, rows = waiting.popleft()
                yield first, rows.result()
        while waiting:
            first, rows = waiting.popleft()
            yield first, rows.result()


def _context() -> ForkServerContext:
    """Workers are copies of a process that has imported once, and never opened a file or connection."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["importers.prepare"])
    return context


def _prepare(candidates: Sequence[Candidate], how: bytes) -> Prepared:
    """What a worker does with a batch."""
    from importers.prepare import prepare

    return prepare(candidates, _understood(how))


@lru_cache(maxsize=1)
def _understood(how: bytes) -> Understanding:
    """Unpacked once for all batches of a file: reference systems take a while to come to life."""
    return cast(Understanding, pickle.loads(how))  # noqa: S301 - of the program that started the worker


def _end_with_parent() -> None:
    """Let a worker end when the program that started it was killed and can no longer tell it.

    The process that it is a copy of ends with the program.
    """
    threading.Thread(target=_watch, args=(os.getppid(),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)
