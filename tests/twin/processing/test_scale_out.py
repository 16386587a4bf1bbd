"""Tasks run somewhere, all of them, even when workers die."""

import os
import signal
from collections.abc import Iterator
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


def fail(work: Work) -> int:
    raise ValueError(f"no square of {work.number}")


SQUARES = [n**2 for n in range(8)]


def test_one_job_works_in_this_process(tmp_path: Path) -> None:
    pids = Workers(1).run(lambda work: (work.number, os.getpid()), [Work(3, tmp_path)])
    assert list(pids) == [(3, os.getpid())]


def test_no_tasks_give_no_results() -> None:
    assert list(Workers(4).run(square, [])) == []


def test_processes_do_every_task_once(tmp_path: Path) -> None:
    results = Workers(2).run(square, [Work(n, tmp_path) for n in range(8)])
    assert sorted(results) == SQUARES


def test_a_killed_process_is_replaced(tmp_path: Path) -> None:
    tasks = [Work(n, tmp_path, deadly=1 if n == 2 else 0) for n in range(8)]
    assert set(Workers(2).run(square, tasks)) == set(SQUARES)
    assert len(list(tmp_path.iterdir())) == 1


def test_a_task_that_kills_every_worker_is_named(tmp_path: Path) -> None:
    tasks = [Work(1, tmp_path), Work(2, tmp_path, deadly=ATTEMPTS)]
    with pytest.raises(ServiceError, match=r"died 3 times at task"):
        list(Workers(2).run(square, tasks))


def test_an_error_of_a_task_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no square"):
        list(Workers(2).run(fail, [Work(n, tmp_path) for n in range(3)]))


def test_a_scheduler_that_does_not_answer_is_named() -> None:
    with pytest.raises(ServiceError, match=r"No Dask scheduler answers at tcp://127\.0\.0\.1:1 "):
        list(Workers(scheduler="tcp://127.0.0.1:1").run(square, [Work(1, Path())]))


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    ) as cluster:
        yield cluster


def test_a_cluster_does_every_task(cluster: Any, tmp_path: Path) -> None:
    workers = Workers(scheduler=cluster.scheduler_address)
    assert sorted(workers.run(square, [Work(n, tmp_path) for n in range(8)])) == SQUARES


def test_a_killed_worker_of_a_cluster_is_replaced(cluster: Any, tmp_path: Path) -> None:
    workers = Workers(scheduler=cluster.scheduler_address)
    tasks = [Work(n, tmp_path, deadly=1 if n == 2 else 0) for n in range(8)]
    assert sorted(workers.run(square, tasks)) == SQUARES
