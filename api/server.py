"""Runs the application under uvicorn, in one process or several."""

import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess

import uvicorn
from fastapi import FastAPI

from api.app import create_app
from api.hosts import is_loopback
from api.security.buckets import shared_table
from api.security.caller import Access, closed, here, public
from api.security.guard import Guard
from twin import console
from twin.db import keys
from twin.db.engine import Database
from twin.errors import ServiceError, TwinError

GRACE_S = 5
"""How long requests may finish after the server was told to stop."""

STABLE_S = 10
"""A worker that ends sooner than this after its start would end again."""

SEND_BUFFER_BYTES = 1 << 20

Factory = Callable[[], FastAPI]


def serve(
    database: Database,
    *,
    host: str,
    port: int,
    workers: int = 1,
    public_read: bool = False,
    ask_for_keys: bool = False,
) -> None:
    """Serves until Ctrl-C, beyond this machine, or if asked for, those alone that send a key.

    ``public_read`` lets everyone read, without personal data. TwinError tells why the address cannot be
    served.
    """
    access = access_of(database, host, public_read=public_read, ask_for_keys=ask_for_keys)
    listener = _listen(host, port)
    writer = database.connect.owner_url
    with shared_table() as shared, listener, suppress(KeyboardInterrupt):
        counted = replace(access, shared=shared)
        # What cannot be used of the settings is told here, before there are workers.
        Guard(counted, database.settings).close()
        console.say(f"\n  {invitation(access, host, listener.getsockname()[1])} Ctrl-C stops everything.\n")
        factory = partial(create_app, database.reader(), database.settings, counted, writer)
        if workers > 1:
            _Workers(factory, listener, workers).run()
        else:
            _run(factory, listener)


def invitation(access: Access, host: str, port: int) -> str:
    """Where to look, and who may; ``port`` is that which was found where none was asked for."""
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    if access.here:
        return f"Open {address} in a browser."
    if access.anonymous.scopes:
        return f"Serving {address}: everyone may read all but personal data."
    return f"Serving {address} to those who have a key or token."


def access_of(
    database: Database, host: str, *, public_read: bool = False, ask_for_keys: bool = False
) -> Access:
    """What an address opens to those who send no key; TwinError where nobody could be served."""
    if public_read and ask_for_keys:
        raise TwinError("--public-read lets everyone read and --keys nobody without a key. Choose one.")
    if public_read:
        return public()
    if is_loopback(host) and not ask_for_keys:
        return here()
    if database.settings.jwt_keys is not None:
        return closed()
    with database.engine.connect() as connection:
        if any(key.state == "active" for key in keys.keys(connection)):
            return closed()
    raise TwinError(
        f"{'--keys' if is_loopback(host) else f'What others reach, as {host},'} asks for API keys, and there "
        "are none that are active. Make one: twin keys create NAME --scope read. "
        "Or use --public-read to let everyone read everything but personal data, or --host 127.0.0.1 to "
        "serve this machine alone."
    )


def _run(factory: Factory, listener: socket.socket) -> None:
    """Serves in this process until it is told to stop."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    config = uvicorn.Config(
        factory,
        factory=True,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=GRACE_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


def _work(factory: Factory, listener: socket.socket) -> None:
    """What a worker does: it serves, and stops when its parent is gone."""
    threading.Thread(target=_stop_with_parent, daemon=True).start()
    _run(factory, listener)


def _stop_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)


@dataclass
class _Worker:
    process: SpawnProcess
    started: float


class _Workers:
    """Processes on one socket; one that dies is replaced.

    Not uvicorn's own supervisor: it kills workers that are not up within seconds, and waits for
    answers of workers that are dead.
    """

    def __init__(self, factory: Factory, listener: socket.socket, number: int) -> None:
        self._factory = factory
        self._listener = listener
        self._number = number

    def run(self) -> None:
        """Until interrupted; ServiceError where a worker cannot start."""
        workers: list[_Worker] = []
        try:
            workers += [self._start() for _ in range(self._number)]
            while True:
                wait([worker.process.sentinel for worker in workers])
                workers = [self._kept(worker) for worker in workers]
        finally:
            _stop([worker.process for worker in workers])

    def _start(self) -> _Worker:
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_work, args=(self._factory, self._listener), daemon=True)
        with _uninterrupted():
            process.start()
        return _Worker(process, time.monotonic())

    def _kept(self, worker: _Worker) -> _Worker:
        """The worker, or its successor if it ended."""
        code = worker.process.exitcode
        if code is None:
            return worker
        if time.monotonic() - worker.started < STABLE_S:
            raise ServiceError(f"A worker ended with code {code} right after its start.")
        logging.getLogger(__name__).warning("A worker ended with code %s and is replaced.", code)
        return self._start()


@contextmanager
def _uninterrupted() -> Generator[None, None, None]:
    """Children that start within ignore Ctrl-C until uvicorn listens to it; their parent stops them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _stop(processes: list[SpawnProcess]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        process.join(GRACE_S + 2)
        if process.is_alive():
            process.kill()
            process.join()


def _listen(host: str, port: int) -> socket.socket:
    """A socket that listens already, so that a busy port is told before anything starts."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # A page of features goes at once: several turns of the event loop take three times as long.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"Port {port} of {host} cannot be used ({error.strerror}). Choose another with --port."
        ) from None
    listener.listen(1024)
    return listener


def free_port(first: int, host: str = "127.0.0.1") -> int:
    """The first port from ``first`` on that nobody listens on; ServiceError where there is none."""
    for port in range(first, min(first + 1000, 65536)):
        with suppress(ServiceError), _listen(host, port):
            return port
    raise ServiceError(f"No port from {first} on is free on {host}.")
