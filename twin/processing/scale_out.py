"""The same function over many tasks: one after the other, in processes, or on a Dask cluster.

Which of them ran a task makes no difference to its result. Tasks are safe to repeat, so a task
whose worker died is given to another one.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from typing import Any, Generic, TypeVar, cast

from twin.errors import ServiceError, ToolMissing

Task = TypeVar("Task")
Result = TypeVar("Result")

ATTEMPTS = 3
"""How often a task is given to a worker before it is believed to kill them."""


@dataclass(frozen=True, slots=True)
class Workers:
    """Who works: ``jobs`` processes of this machine, or the cluster of a Dask scheduler."""

    jobs: int = 1
    scheduler: str | None = None

    @property
    def are_here(self) -> bool:
        """Whether this very process does the work."""
        return self.jobs == 1 and self.scheduler is None

    def run(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """The results, as they come; an exception of a task is raised here, and ends the rest.

        ``function`` and tasks travel to other processes by pickle.
        """
        if not tasks:
            return iter(())
        if self.are_here:
            return map(function, tasks)
        if self.scheduler is not None:
            return _on_cluster(self.scheduler, function, tasks)
        return _Pool(function, min(self.jobs, len(tasks))).run(tasks)


class _Pool(Generic[Task, Result]):
    """Processes that are replaced when one of them dies."""

    def __init__(self, function: Callable[[Task], Result], jobs: int) -> None:
        self._function = function
        self._jobs = jobs

    def run(self, tasks: Sequence[Task]) -> Iterator[Result]:
        waiting = deque((task, 1) for task in tasks)
        while waiting:
            yield from self._until_broken(waiting)

    def _until_broken(self, waiting: deque[tuple[Task, int]]) -> Iterator[Result]:
        """Work off the tasks; those of a pool that broke are put back, with one attempt more."""
        running: dict[Future[Result], tuple[Task, int]] = {}
        with ProcessPoolExecutor(self._jobs, mp_context=get_context("spawn")) as pool:
            try:
                while waiting or running:
                    while waiting and len(running) < self._jobs:
                        # Taken off the queue only when the pool has it: it may be broken already.
                        running[pool.submit(self._function, waiting[0][0])] = waiting[0]
                        waiting.popleft()
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        result = future.result()
                        del running[future]
                        yield result
            except BrokenProcessPool:
                for task, attempt in running.values():
                    if attempt == ATTEMPTS:
                        raise ServiceError(f"A worker died {ATTEMPTS} times at {task}.") from None
                    waiting.appendleft((task, attempt + 1))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise


def _on_cluster(
    scheduler: str, function: Callable[[Task], Result], tasks: Sequence[Task]
) -> Iterator[Result]:
    try:
        from distributed import Client, as_completed
    except ImportError as error:
        raise ToolMissing(
            "TWIN_DASK_SCHEDULER is set, but Dask is not installed: pip install 'finest-twin[cluster]'"
        ) from error
    try:
        client: Any = Client(scheduler, timeout="10s", set_as_default=False)
    except OSError as error:
        raise ServiceError(f"No Dask scheduler answers at {scheduler} (TWIN_DASK_SCHEDULER).") from error
    with client:
        # Impure: the same task is new work every time.
        futures = client.map(function, tasks, pure=False, retries=ATTEMPTS - 1)
        finished = cast("Any", as_completed)(futures, loop=client.loop, with_results=True)
        for _, result in finished:
            yield cast("Result", result)
