"""The same function over many tasks: one after the other, in processes, or on a Dask cluster.

Which of them ran a task makes no difference to its result. Tasks are safe to repeat, so a task
whose worker died is given to another one.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from itertools import islice
from typing import Any, Generic, Self, TypeVar, cast

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

    def run(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        """The results, as they come; an exception of a task is raised here, and ends the rest.

        ``function`` and tasks travel to other processes by pickle. Processes of this machine work on the
        first tasks while ``tasks`` makes the next.
        """
        if self.are_here:
            return map(function, tasks)
        if self._scheduler is not None:
            return self._on_cluster(self._scheduler, function, tasks)
        return self._in_processes(function, tasks)

    def _in_processes(self, function: Callable[[Task], Result], tasks: Iterable[Task]) -> Iterator[Result]:
        waiting = _Waiting(tasks)
        while waiting.has_more():
            if self._pool is None:
                self._pool = self._started.enter_context(process_pool(self._jobs, function.__module__))
            try:
                yield from _until_broken(self._pool, self._jobs, function, waiting)
            except BrokenProcessPool:
                self._pool = None

    def _on_cluster(
        self, scheduler: str, function: Callable[[Task], Result], tasks: Iterable[Task]
    ) -> Iterator[Result]:
        known = list(tasks)
        if not known:
            return
        try:
            from distributed import as_completed
        except ImportError as error:
            raise ToolMissing(
                "TWIN_DASK_SCHEDULER is set, but Dask is not installed: pip install 'finest-twin[cluster]'"
            ) from error
        if self._client is None:
            self._client = self._started.enter_context(_client(scheduler))
        # Impure: the same task is new work every time.
        futures = self._client.map(function, known, pure=False, retries=ATTEMPTS - 1)
        finished = cast("Any", as_completed)(futures, loop=self._client.loop, with_results=True)
        for _, result in finished:
            yield cast("Result", result)


class _Waiting(Generic[Task]):
    """Tasks and how often each was given out, with this time; those given back come first."""

    def __init__(self, tasks: Iterable[Task]) -> None:
        self._fresh = iter(tasks)
        self._back: deque[tuple[Task, int]] = deque()

    def has_more(self) -> bool:
        """Whether there is a task, which is made now if need be."""
        if not self._back:
            self._back.extend((task, 1) for task in islice(self._fresh, 1))
        return bool(self._back)

    @property
    def first(self) -> Task:
        """The task that `take` takes, once there is one."""
        return self._back[0][0]

    def take(self) -> tuple[Task, int]:
        return self._back.popleft()

    def give_back(self, task: Task, attempt: int) -> None:
        """Raises ServiceError for a task whose workers died too often."""
        if attempt > ATTEMPTS:
            raise ServiceError(f"A worker died {ATTEMPTS} times at {task}.") from None
        self._back.appendleft((task, attempt))


def _until_broken(
    pool: ProcessPoolExecutor, jobs: int, function: Callable[[Task], Result], waiting: _Waiting[Task]
) -> Iterator[Result]:
    """Work off the tasks; those that a pool which broke had are put back, with one attempt more."""
    running: dict[Future[Result], tuple[Task, int]] = {}
    try:
        while True:
            # One more for each, so that no process waits until this one has taken its last result.
            while len(running) < 2 * jobs and waiting.has_more():
                # Taken only when the pool has it: it may be broken already.
                future = pool.submit(function, waiting.first)
                running[future] = waiting.take()
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                result = future.result()
                del running[future]
                yield result
    except BrokenProcessPool:
        for task, attempt in running.values():
            waiting.give_back(task, attempt + 1)
        raise


def _client(scheduler: str) -> Any:
    from distributed import Client

    try:
        return Client(scheduler, timeout="10s", set_as_default=False)
    except OSError as error:
        raise ServiceError(f"No Dask scheduler answers at {scheduler} (TWIN_DASK_SCHEDULER).") from error
