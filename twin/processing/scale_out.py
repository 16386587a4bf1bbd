"""The same function over many tasks: one after the other, in processes, or on a Dask cluster.

Which of them ran a task makes no difference to its result. Tasks are safe to repeat, so a task
whose worker died is given to another one.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from typing import Any, Self, TypeVar, cast

from twin.errors import ServiceError, ToolMissing
from twin.processes import process_pool

Task = TypeVar("Task")
Result = TypeVar("Result")

ATTEMPTS = 3
"""How often a task is given to a worker before it is believed to kill them."""


class Workers:
    """Who works: ``jobs`` processes of this machine, or the cluster of a Dask scheduler.

    A context: they are started when there is work for the first time, and sent away at its end.
    """

    def __init__(self, jobs: int = 1, scheduler: str | None = None) -> None:
        self._jobs = jobs
        self._scheduler = scheduler
        self._started = ExitStack()
        self._pool: ProcessPoolExecutor | None = None
        self._client: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if error[0] is not None and self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._started.close()
        self._pool = self._client = None

    @property
    def are_here(self) -> bool:
        """Whether this very process does the work."""
        return self._jobs == 1 and self._scheduler is None

    def run(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        """The results, as they come; an exception of a task is raised here, and ends the rest.

        ``function`` and tasks travel to other processes by pickle.
        """
        if not tasks:
            return iter(())
        if self.are_here:
            return map(function, tasks)
        if self._scheduler is not None:
            return self._on_cluster(self._scheduler, function, tasks)
        return self._in_processes(function, tasks)

    def _in_processes(self, function: Callable[[Task], Result], tasks: Sequence[Task]) -> Iterator[Result]:
        waiting = deque((task, 1) for task in tasks)
        while waiting:
            if self._pool is None:
                self._pool = self._started.enter_context(process_pool(self._jobs, function.__module__))
            try:
                yield from _until_broken(self._pool, self._jobs, function, waiting)
            except BrokenProcessPool:
                self._pool = None

    def _on_cluster(
        self, scheduler: str, function: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[Result]:
        try:
            from distributed import as_completed
        except ImportError as error:
            raise ToolMissing(
                "TWIN_DASK_SCHEDULER is set, but Dask is not installed: pip install 'finest-twin[cluster]'"
            ) from error
        if self._client is None:
            self._client = self._started.enter_context(_client(scheduler))
        # Impure: the same task is new work every time.
        futures = self._client.map(function, tasks, pure=False, retries=ATTEMPTS - 1)
        finished = cast("Any", as_completed)(futures, loop=self._client.loop, with_results=True)
        for _, result in finished:
            yield cast("Result", result)


def _until_broken(
    pool: ProcessPoolExecutor,
    jobs: int,
    function: Callable[[Task], Result],
    waiting: deque[tuple[Task, int]],
) -> Iterator[Result]:
    """Work off the tasks; those that a pool which broke had are put back, with one attempt more."""
    running: dict[Future[Result], tuple[Task, int]] = {}
    try:
        while waiting or running:
            # One more for each, so that no process waits until this one has taken its last result.
            while waiting and len(running) < 2 * jobs:
                # Taken off the queue only when the pool has it: it may be broken already.
                running[pool.submit(function, waiting[0][0])] = waiting[0]
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
        raise


def _client(scheduler: str) -> Any:
    from distributed import Client

    try:
        return Client(scheduler, timeout="10s", set_as_default=False)
    except OSError as error:
        raise ServiceError(f"No Dask scheduler answers at {scheduler} (TWIN_DASK_SCHEDULER).") from error
