"""Moves the private cluster to a newer major version of PostgreSQL."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from twin.db import layout, programs
from twin.db.embedded import Cluster
from twin.db.layout import DATABASE, OWNER, PORT
from twin.db.locks import exclusive, is_free
from twin.db.programs import Programs
from twin.errors import DatabaseUnavailable


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What was done: equal numbers mean nothing."""

    before: int
    after: int


def upgrade(cluster: Cluster) -> Upgrade:
    """Move to the newest version with PostGIS on this machine, if it is newer than the cluster's.

    DatabaseUnavailable if a program uses the cluster or a step fails; the cluster is then as it was.
    """
    target = programs.newest(cluster.preferred)
    before = cluster.major
    if target.major > before:
        move(cluster, target)
    return Upgrade(before, cluster.major)


def move(cluster: Cluster, target: Programs) -> None:
    """Dump the cluster, restore it into a new one of the target version, and put that in its place."""
    with exclusive(cluster.start_lock):
        if not is_free(cluster.users_lock):
            raise DatabaseUnavailable("The database is in use. End the programs that use it first.")
        folder = cluster.folder / "upgrade"
        shutil.rmtree(folder, ignore_errors=True)
        account = layout.owner_of(cluster.folder)
        folder.mkdir()
        account.own(folder)
        layout.initialise_data(folder, "data", account, target)
        fresh = Cluster(folder, target.folder)
        try:
            _copy(cluster, fresh, target)
        finally:
            cluster.stop()
            fresh.stop()
            layout.remove_sockets(folder)
        layout.replace_data(cluster.folder, folder / "data")
        shutil.rmtree(folder)


def _copy(source: Cluster, fresh: Cluster, target: Programs) -> None:
    source.ensure_running()
    fresh.ensure_running()
    dump = fresh.folder / "twin.dump"
    # PostgreSQL asks for the newer version's pg_dump, which reads older servers.
    _run(
        fresh, [str(target.path("pg_dump")), *_address(source), "--format=custom", f"--file={dump}", DATABASE]
    )
    _run(
        fresh,
        [
            str(target.path("pg_restore")),
            *_address(fresh),
            "--exit-on-error",
            f"--dbname={DATABASE}",
            str(dump),
        ],
    )
    dump.unlink()


def _address(cluster: Cluster) -> list[str]:
    return [f"--host={layout.sockets_of(cluster.folder)}", f"--port={PORT}", f"--username={OWNER}"]


def _run(cluster: Cluster, command: list[str]) -> None:
    done: subprocess.CompletedProcess[str] = layout.owner_of(cluster.folder).run(command, cluster.folder)
    if done.returncode != 0:
        raise DatabaseUnavailable(
            f"{Path(command[0]).name} failed, the database is as it was: {layout.last_line(done.stdout)}"
        )
