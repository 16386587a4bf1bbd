"""The private PostGIS cluster: started by its first user, stopped by its last.

Every program that uses the cluster holds a share of ``users.lock``. Whoever starts or stops the
server holds ``start.lock`` for as long as that takes. The kernel lets both go when a process dies,
so a crash of a user never leaves the cluster locked; at worst the server runs on until the next
user leaves. The only way in is a Unix socket in a private directory, with the ``peer`` method: the
kernel says who connects. No TCP port is used.
"""

import os
import shutil
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg import sql
from sqlalchemy import URL

from twin.db import layout, programs
from twin.db.layout import API, DATABASE, OWNER, PORT
from twin.db.locks import exclusive, is_free, shared
from twin.db.postmaster import Postmaster
from twin.errors import DatabaseUnavailable
from twin.settings import Settings

READERS = "twin_reader"
"""Group role that may read everything; migrations make it where it is not there."""

_PATIENCE_S = 120.0
"""Recovery after a crash can take as long as it takes to replay max_wal_size."""


@dataclass(frozen=True, slots=True)
class Connect:
    """How to reach a database: as the role that migrates and loads, and read-only for asyncpg."""

    owner_url: URL
    reader: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """What ``twin db status`` says."""

    cluster: Path
    version: int
    running: bool
    in_use: bool
    kept: bool
    sockets: Path


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster that is there, running or not."""

    folder: Path
    preferred: Path | None = None

    @property
    def major(self) -> int:
        return int((self.folder / "data" / "PG_VERSION").read_text())

    @property
    def keep(self) -> Path:
        """While this file is there, the last user leaves the server running."""
        return self.folder / "keep"

    @property
    def server(self) -> Postmaster:
        return Postmaster(self.folder / "data", layout.sockets_of(self.folder), PORT)

    def join(self) -> int:
        """Start the server if it does not run, and become a user of it; the result is for leave()."""
        with exclusive(self.start_lock):
            try:
                self.ensure_running()
            except BaseException:
                # Also after a Ctrl-C while it starts.
                with suppress(DatabaseUnavailable):
                    self._stop_unless_used()
                raise
            return shared(self.users_lock)

    def leave(self, user: int) -> None:
        """Stop being a user; the last one stops the server."""
        try:
            with exclusive(self.start_lock):
                os.close(user)
                self._stop_unless_used()
        except FileNotFoundError:
            # Somebody removed the directory of the cluster; the server stops by itself when it notices.
            return

    def _stop_unless_used(self) -> None:
        if not self.keep.exists() and is_free(self.users_lock):
            self.stop()

    def ensure_running(self) -> None:
        """Return when the server answers; the caller holds the start lock."""
        deadline = time.monotonic() + _PATIENCE_S
        problem = ""
        while (state := self._state()) != "ready":
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"The database in {self.folder} does not start: {problem or state}")
            if state == "down" and (problem := self._start()):
                self._give_up_unless_it_passes(problem)
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop the server if it runs, closing its connections; the caller holds the start lock."""
        server = self.server
        if not server.lives():
            return
        command = [str(self._programs().path("pg_ctl")), "stop", "-w", "-D", str(server.data)]
        account = layout.owner_of(self.folder)
        done = account.run([*command, "-m", "fast", "-t", "60"], self.folder)
        if done.returncode != 0 and server.lives():
            done = account.run([*command, "-m", "immediate", "-t", "20"], self.folder)
        if server.lives():
            raise DatabaseUnavailable(f"The database in {self.folder} does not stop: {done.stdout.strip()}")

    def stop_now(self, *, force: bool = False) -> bool:
        """Let the server stop with its last user, at once if there is none (or by force); whether it did."""
        with exclusive(self.start_lock):
            self.keep.unlink(missing_ok=True)
            if not force and not is_free(self.users_lock):
                return False
            self.stop()
            return True

    def start_and_keep(self) -> None:
        """Start the server and let it run until stop_now()."""
        user = self.join()
        try:
            self.keep.touch()
        finally:
            self.leave(user)

    def status(self) -> Status:
        server = self.server
        in_use = not is_free(self.users_lock)
        return Status(self.folder, self.major, server.listens(), in_use, self.keep.exists(), server.sockets)

    def connect(self) -> Connect:
        host = str(layout.sockets_of(self.folder))
        url = URL.create("postgresql+psycopg", OWNER, host=host, port=PORT, database=DATABASE)
        reader = {"host": host, "port": PORT, "user": API, "database": DATABASE}
        return Connect(url, reader)

    def _state(self) -> Literal["ready", "busy", "down"]:
        server = self.server
        if not server.listens():
            return "busy" if server.lives() else "down"
        try:
            with _session(server.sockets, "postgres") as session:
                _ensure_database(session)
        except psycopg.OperationalError as error:
            if not _is_passing(error):
                raise DatabaseUnavailable(f"The database in {self.folder} refuses: {error}") from error
            return "busy"
        return "ready"

    def _start(self) -> str:
        """Start the server; what its log says if it could not."""
        chosen = self._programs()
        account = layout.owner_of(self.folder)
        layout.configure(self.folder, account)
        self.server.clear_traces()
        log = self.folder / "postgres.log"
        before = log.stat().st_size
        done = account.run(
            [str(chosen.path("pg_ctl")), "start", "-w", "-t", str(int(_PATIENCE_S)), "-D",
             str(self.folder / "data"), "-l", str(log)],
            self.folder,
        )  # fmt: skip
        if done.returncode == 0:
            return ""
        with log.open(errors="replace") as file:
            file.seek(before)
            return file.read().strip() or done.stdout.strip() or "pg_ctl failed"

    def _give_up_unless_it_passes(self, problem: str) -> None:
        # Backends that outlive a killed server hold its shared memory until they notice.
        if "shared memory block" in problem and "still in use" in problem:
            time.sleep(0.5)
            return
        lines = [line for line in problem.splitlines() if "FATAL" in line or "PANIC" in line]
        reason = (lines or problem.splitlines())[-1]
        raise DatabaseUnavailable(
            f"The database in {self.folder} does not start: {reason} (see {self.folder / 'postgres.log'})"
        )

    def _programs(self) -> programs.Programs:
        return programs.of_major(self.major, self.preferred)

    @property
    def start_lock(self) -> Path:
        """Held by whoever starts or stops the server."""
        return self.folder / "start.lock"

    @property
    def users_lock(self) -> Path:
        """Shared by the users of the server."""
        return self.folder / "users.lock"


def existing(settings: Settings) -> Cluster | None:
    """The cluster of TWIN_HOME, None if it has none yet."""
    folder = layout.find(settings.home)
    return Cluster(folder, settings.postgres_bin) if folder else None


def cluster(settings: Settings) -> Cluster:
    """The cluster of TWIN_HOME, made if it has none; ToolMissing if PostGIS is not installed."""
    there = existing(settings)
    if there is None:
        folder = layout.create(settings.home, programs.newest(settings.postgres_bin))
        there = Cluster(folder, settings.postgres_bin)
    layout.owner_of(there.folder)
    return there


@contextmanager
def running(settings: Settings) -> Generator[Connect, None, None]:
    """Join or start the cluster of TWIN_HOME; leave it at the end of the block."""
    joined = cluster(settings)
    process = os.getpid()
    user = joined.join()
    try:
        yield joined.connect()
    finally:
        # A forked child that gets here must not take its parent's place.
        if os.getpid() == process:
            joined.leave(user)


def destroy(settings: Settings) -> None:
    """Stop the cluster of TWIN_HOME and remove it with all data."""
    there = existing(settings)
    if there is None:
        return
    there.stop_now(force=True)
    layout.remove_sockets(there.folder)
    shutil.rmtree(there.folder, ignore_errors=True)
    with suppress(OSError):
        (settings.home / "postgres").unlink()


def _session(sockets: Path, database: str) -> "psycopg.Connection[Any]":
    return psycopg.connect(
        host=str(sockets), port=PORT, user=OWNER, dbname=database, autocommit=True, connect_timeout=10
    )


def _is_passing(error: psycopg.OperationalError) -> bool:
    """Whether a server that is starting up, recovering or shutting down, or just died, said no."""
    words = str(error)
    passing = ("starting up", "shutting down", "recovery", "closed the connection", "refused", "No such file",
               "not yet accepting", "timeout")  # fmt: skip
    return any(word in words for word in passing)


def _ensure_database(session: "psycopg.Connection[Any]") -> None:
    """Make roles and database; at every start, as the first one may have been interrupted."""
    if session.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
        return
    for role, options in ((READERS, "NOLOGIN"), (API, "LOGIN")):
        if not session.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone():
            session.execute(sql.SQL("CREATE ROLE {} " + options).format(sql.Identifier(role)))  # pyright: ignore
    session.execute(f"GRANT {READERS} TO {API}")
    session.execute(f"ALTER ROLE {API} SET default_transaction_read_only = on")
    session.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER} TEMPLATE template0")
