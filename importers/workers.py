"""Batches to rows, in this process or in several.

What measures and meshes is imported late, by the process that does it.
"""

import pickle
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from functools import lru_cache
from typing import cast

from importers.batches import Batch, Candidate, Prepared, Understanding
from twin.memory import share_one_heap
from twin.processes import process_pool


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
    with process_pool(jobs, "importers.prepare") as workers:
        for batch in batches:
            waiting.append((batch, workers.submit(_prepare, batch.hand_over(), how)))
            # A short queue keeps the workers busy and the memory flat.
            while len(waiting) > jobs:
                first, rows = waiting.popleft()
                yield first, rows.result()
        while waiting:
            first, rows = waiting.popleft()
            yield first, rows.result()


def _prepare(candidates: Sequence[Candidate], how: bytes) -> Prepared:
    """What a worker does with a batch."""
    from importers.prepare import prepare

    return prepare(candidates, _understood(how))


@lru_cache(maxsize=1)
def _understood(how: bytes) -> Understanding:
    """Unpacked once for all batches of a file: reference systems take a while to come to life."""
    return cast(Understanding, pickle.loads(how))  # noqa: S301 - of the program that started the worker
