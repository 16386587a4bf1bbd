"""Tasks run somewhere, all of them, even when workers die."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from twin.errors import ServiceError
from twin.processing.scale_out import ATTEMPTS, Workers


@dataclass(frozen=True)
class Work:
    number: int
    marks: Path
    deadly: int = 0

    def __str__(self) -> str:
        return f"task {self.number}"


def square(work: Work) -> int:
    """The square; kills its own process the first ``deadly`` times."""
    tries = len(list(work.marks.glob(f"{work.number}-*")))
    if tries < work.deadly:
        (work.marks / f"{work.number}-{tries}").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return work.number**2


def process_of(_: Work) -> int:
    return os.getpid()


def fail(work: Work) -> int:
    raise ValueError(f"no square of {work.number}")


SQUARES = [n**2 for n in range(8)]


def run(workers: Workers, function: Callable[[Work], Any], works: list[Work]) -> list[Any]:
    with workers:
        return list(workers.run(function, works))


def test_one_job_works_in_this_process(tmp_path: Path) -> None:
    pids = run(Workers(1), lambda work: (work.number, os.getpid()), [Work(3, tmp_path)])
    assert pids == [(3, os.getpid())]


def test_no_tasks_give_no_results() -> None:
    assert run(Workers(4), square, []) == []


def test_processes_do_every_task_once(tmp_path: Path) -> None:
    results = run(Workers(2), square, [Work(n, tmp_path) for n in range(8)])
    assert sorted(results) == SQUARES


def test_processes_stay_for_all_that_there_is_to_do(tmp_path: Path) -> None:
    with Workers(2) as workers:
        pids = {
            pid for _ in range(3) for pid in workers.run(process_of, [Work(n, tmp_path) for n in range(6)])
        }
    assert 1 <= len(pids) <= 2
    assert os.getpid() not in pids


def test_a_killed_process_is_replaced(tmp_path: Path) -> None:
    tasks = [Work(n, tmp_path, deadly=1 if n == 2 else 0) for n in range(8)]
    assert set(run(Workers(2), square, tasks)) == set(SQUARES)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_task_that_kills_every_worker_is_named(tmp_path: Path) -> None:
    tasks = [Work(1, tmp_path), Work(2, tmp_path, deadly=ATTEMPTS)]
    with pytest.raises(ServiceError, match=r"died 3 times at task"):
        run(Workers(2), square, tasks)


def test_an_error_of_a_task_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no square"):
        run(Workers(2), fail, [Work(n, tmp_path) for n in range(3)])


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    with pytest.raises(ServiceError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:1 "):
        run(Workers(scheduler="tcp://127.0.0.1:1"), square, [Work(1, Path())])


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address="127.0.0.1:0"
    ) as cluster:
        yield cluster


def test_a_cluster_does_every_task(cluster: Any, tmp_path: Path) -> None:
    workers = Workers(scheduler=cluster.scheduler_address)
    assert sorted(run(workers, square, [Work(n, tmp_path) for n in range(8)])) == SQUARES


def test_a_killed_worker_of_a_cluster_is_replaced(cluster: Any, tmp_path: Path) -> None:
    workers = Workers(scheduler=cluster.scheduler_address)
    tasks = [Work(n, tmp_path, deadly=1 if n == 2 else 0) for n in range(8)]
    assert sorted(run(workers, square, tasks)) == SQUARES


def mark(work: Work) -> int:
    (work.marks / f"done-{work.number}").touch()
    return work.number


def test_processes_work_while_tasks_are_made(tmp_path: Path) -> None:
    waited: list[bool] = []

    def made() -> Iterator[Work]:
        yield Work(0, tmp_path)
        end = time.monotonic() + 20
        while not (first_is_done := (tmp_path / "done-0").exists()) and time.monotonic() < end:
            time.sleep(0.01)
        waited.append(first_is_done)
        yield Work(1, tmp_path)

    with Workers(2) as workers:
        assert sorted(workers.run(mark, made())) == [0, 1]
    assert waited == [True]
