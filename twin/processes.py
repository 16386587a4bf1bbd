"""Processes of this machine that work for this one."""

import os
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import forkserver, get_context, parent_process


def process_pool(jobs: int, module: str) -> ProcessPoolExecutor:
    """A pool whose workers start at once, for the functions of ``module``.

    They are copies of a process that has imported it once, and never opened a file or connection. They
    end with the program, even if it is killed.
    """
    prepare(module)
    return ProcessPoolExecutor(jobs, mp_context=get_context("forkserver"), initializer=_end_with_parent)


def prepare(module: str) -> None:
    """Start to import the module where the workers will come from, while this process does something else."""
    get_context("forkserver").set_forkserver_preload([module])
    forkserver.ensure_running()


def _end_with_parent() -> None:
    """Let a worker end when the program that started it was killed and can no longer tell it.

    The process that it is a copy of is not the program, and ends with the last worker.
    """
    threading.Thread(target=_wait_for_parent, daemon=True).start()


def _wait_for_parent() -> None:
    program = parent_process()
    if program is not None:
        program.join()
        os._exit(1)
