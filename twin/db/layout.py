"""The directories and configuration files of the private cluster.

    TWIN_HOME/postgres            the cluster, or for root a link to
    /var/lib/finest-twin/clusters/<random id>
        data/                     PGDATA
        socket/                   the only way in; elsewhere if this path is too long for a socket
        postgres.log
        start.lock users.lock     see embedded.py
        keep                      'twin db start' was called
        home                      the TWIN_HOME that the cluster belongs to

PostgreSQL refuses to run as root, so root's clusters are owned by an unprivileged account, which
could not reach them below root's home. The link makes a deleted TWIN_HOME start from nothing.
"""

import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from twin.db.locks import exclusive
from twin.db.programs import Programs
from twin.errors import DatabaseUnavailable, ToolMissing

OWNER = "twin"
"""Superuser of the cluster; owns the database, migrates and loads."""

API = "twin_api"
"""Role of the API: may log in and read."""

DATABASE = "twin"
PORT = 5432
"""Part of the socket's name only; no TCP port is opened."""

CLUSTERS = Path("/var/lib/finest-twin/clusters")
_LONGEST_SOCKET_FOLDER = 90
_LARGEST_LOG = 10_000_000

_SETTINGS = f"""\
# Written at every start by finest-twin. Put your own settings in postgresql.auto.conf (ALTER SYSTEM).
listen_addresses = ''
port = {PORT}
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
effective_cache_size = 1GB
work_mem = 32MB
maintenance_work_mem = 256MB
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_compression = on
fsync = on
synchronous_commit = on
random_page_cost = 1.1
jit = off
default_toast_compression = lz4
timezone = 'UTC'
datestyle = 'iso, ymd'
log_timezone = 'UTC'
log_min_messages = warning
log_line_prefix = '%m [%p] '
"""


class Account:
    """The user that the server runs as, and how to start a program as that user."""

    def __init__(self, uid: int) -> None:
        self.entry = pwd.getpwuid(uid)

    @classmethod
    def of_server(cls) -> "Account":
        """This process's own user, for root an unprivileged one."""
        if os.geteuid() != 0:
            return cls(os.geteuid())
        for name in ("postgres", "nobody"):
            try:
                return cls(pwd.getpwnam(name).pw_uid)
            except KeyError:
                continue
        raise ToolMissing(
            "PostgreSQL cannot run as root and there is no user postgres or nobody: add one with 'useradd'"
        )

    def own(self, path: Path) -> None:
        if os.geteuid() == 0:
            os.chown(path, self.entry.pw_uid, self.entry.pw_gid)

    def run(self, command: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
        """Run a program of PostgreSQL as this user, out of reach of a Ctrl-C at the terminal."""
        root = os.geteuid() == 0
        # The output goes to a file: a server that inherits a pipe would keep it open for ever.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                command, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, text=True, check=False,
                user=self.entry.pw_uid if root else None,
                group=self.entry.pw_gid if root else None,
                extra_groups=[] if root else None,
            )  # fmt: skip
            output.seek(0)
            return subprocess.CompletedProcess(command, done.returncode, output.read(), "")


_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(32 << 20), "MALLOC_MMAP_THRESHOLD_": str(16 << 20)}
"""For glibc: a process keeps what a statement took of memory for the next, in place of giving it back to
the system and asking again. A vector tile takes a fifth less time so."""


def _environment() -> dict[str, str]:
    """The environment without PGPORT, PGDATA and the like, with messages in English."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**_MEMORY, **kept, "LC_ALL": "C"}


def owner_of(cluster: Path) -> Account:
    """The account that a cluster belongs to; DatabaseUnavailable if it is not this process's to use."""
    owner = (cluster / "data").stat().st_uid
    if os.geteuid() not in (0, owner):
        raise DatabaseUnavailable(
            f"The database in {cluster} belongs to another user ({owner}). "
            "Set TWIN_HOME to a directory of yours."
        )
    return Account(owner)


def find(home: Path) -> Path | None:
    """The cluster of a TWIN_HOME, None if it has none yet."""
    place = home / "postgres"
    try:
        cluster = place.resolve(strict=True)
        _finish_replacing(cluster)
        if (cluster / "data" / "PG_VERSION").exists():
            return cluster
    except FileNotFoundError:
        if not place.is_symlink():
            return None
        raise DatabaseUnavailable(
            f"{place} points to {place.readlink()}, which is gone. "
            "Remove the link to start with an empty database."
        ) from None
    except OSError:
        pass
    raise DatabaseUnavailable(
        f"{place} is not a database that this user may use: set TWIN_HOME to another directory."
    )


@dataclass(frozen=True, slots=True)
class Abandoned:
    """A cluster of root whose TWIN_HOME is gone, moved without it, or has another one now."""

    cluster: Path
    home: Path


def abandoned() -> list[Abandoned]:
    """Clusters that nothing leads to. They are never removed by themselves: a disk may be unmounted."""
    found: list[Abandoned] = []
    for note in sorted(CLUSTERS.glob("*/home")) if os.geteuid() == 0 else ():
        home = Path(note.read_text().strip())
        if (home / "postgres").resolve() != note.parent.resolve():
            found.append(Abandoned(note.parent, home))
    return found


def create(home: Path, programs: Programs) -> Path:
    """Make an empty cluster for a TWIN_HOME, or find the one that another process just made."""
    _make_home(home)
    home = home.resolve()
    with exclusive(home / "postgres.lock"):
        if (there := find(home)) is not None:
            return there
        if os.geteuid() != 0:
            return _initialise(home, "postgres", programs)
        for folder in (CLUSTERS.parent, CLUSTERS):
            folder.mkdir(parents=True, exist_ok=True)
            _open_to_account(folder)
        with exclusive(CLUSTERS / "create.lock"):
            cluster = _initialise(CLUSTERS, secrets.token_hex(6), programs)
        (cluster / "home").write_text(f"{home}\n")
        (home / "postgres").symlink_to(cluster)
        return cluster


def _make_home(home: Path) -> None:
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseUnavailable(
            f"TWIN_HOME {home} cannot be made: {error.strerror}. Set another one."
        ) from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise DatabaseUnavailable(f"TWIN_HOME {home} is not writable. Set another one.")


def _initialise(parent: Path, name: str, programs: Programs) -> Path:
    """Make the cluster under another name first, so that an interrupted initdb leaves nothing behind."""
    for interrupted in parent.glob(".initdb-*"):
        shutil.rmtree(interrupted)
    fresh = parent / f".initdb-{name}"
    fresh.mkdir()
    _open_to_account(fresh)
    initialise_data(fresh, "data", Account.of_server(), programs)
    return fresh.rename(parent / name)


def _open_to_account(folder: Path) -> None:
    """Let the server's account pass through a folder of root's, whatever root's umask is."""
    if os.geteuid() == 0:
        folder.chmod(0o755)


def initialise_data(cluster: Path, name: str, account: Account, programs: Programs) -> None:
    """Run initdb for the folder ``name`` in a cluster; DatabaseUnavailable with its words if it fails."""
    data = cluster / name
    data.mkdir(mode=0o700)
    account.own(data)
    locale = "C" if sys.platform == "darwin" else "C.UTF-8"
    done = account.run(
        [str(programs.path("initdb")), "-D", str(data), "-U", OWNER, "-E", "UTF8", f"--locale={locale}",
         "--auth-local=peer", "--auth-host=reject"],
        cluster,
    )  # fmt: skip
    if done.returncode != 0:
        raise DatabaseUnavailable(f"initdb failed in {cluster}: {last_line(done.stdout)}")
    with (data / "postgresql.conf").open("a") as file:
        file.write("\ninclude 'twin.conf'\n")
    users = {account.entry.pw_name, "root"}
    (data / "pg_hba.conf").write_text("local all all peer map=twin\n")
    (data / "pg_ident.conf").write_text(
        "".join(f'twin "{user}" {role}\n' for user in sorted(users) for role in (OWNER, API))
    )


def configure(cluster: Path, account: Account) -> None:
    """Write what every start writes anew: settings, an empty log if it grew, the socket's folder."""
    sockets = _prepare_sockets(cluster, account)
    _write(cluster / "data" / "twin.conf", f"{_SETTINGS}unix_socket_directories = '\"{sockets}\"'\n", account)
    log = cluster / "postgres.log"
    if not log.exists() or log.stat().st_size > _LARGEST_LOG:
        _write(log, "", account)


def _write(path: Path, content: str, account: Account) -> None:
    path.write_text(content)
    account.own(path)


def sockets_of(cluster: Path) -> Path:
    """The folder of the socket; its path is short enough for one (a socket's holds 107 bytes at most)."""
    return (cluster / "socket").resolve()


def remove_sockets(cluster: Path) -> None:
    """Remove the folder of the socket, wherever it is."""
    shutil.rmtree(sockets_of(cluster), ignore_errors=True)


def replace_data(cluster: Path, fresh: Path) -> None:
    """Put another data directory in the place of the cluster's, which is removed."""
    (cluster / "data").rename(cluster / "data.old")
    fresh.rename(cluster / "data")
    shutil.rmtree(cluster / "data.old")


def _finish_replacing(cluster: Path) -> None:
    """Put the old data back if replace_data() was interrupted between its two steps."""
    if (cluster / "data.old").is_dir() and not (cluster / "data").exists():
        (cluster / "data.old").rename(cluster / "data")


def _prepare_sockets(cluster: Path, account: Account) -> Path:
    place = cluster / "socket"
    sockets = sockets_of(cluster)
    if place.is_symlink() and not _is_private(sockets, account):
        place.unlink()
    if not place.is_symlink() and _fits(place):
        place.mkdir(mode=0o700, exist_ok=True)
        account.own(place)
        return place
    if not place.is_symlink():
        shutil.rmtree(place, ignore_errors=True)
        place.symlink_to(_short_folder(account))
    return sockets_of(cluster)


def _fits(path: Path) -> bool:
    return len(os.fsencode(path)) < _LONGEST_SOCKET_FOLDER and not set(str(path)) & set("'\"\\,")


def _short_folder(account: Account) -> Path:
    parents = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")  # noqa: S108
    for parent in (Path(parent) for parent in parents if parent):
        if parent.is_dir() and os.access(parent, os.W_OK) and _fits(parent / "twin-12345678"):
            folder = Path(tempfile.mkdtemp(prefix="twin-", dir=parent))
            account.own(folder)
            return folder
    raise DatabaseUnavailable(
        "There is no directory with a path short enough for a socket; set TMPDIR to one."
    )


def _is_private(folder: Path, account: Account) -> bool:
    """Whether it is a directory of the account alone: in /tmp anybody may have made one of this name."""
    try:
        state = folder.stat(follow_symlinks=False)
    except OSError:
        return False
    return folder.is_dir() and state.st_uid == account.entry.pw_uid and state.st_mode & 0o077 == 0


def last_line(output: str) -> str:
    """The line of a program's output that says why it failed."""
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if "error" in line.lower() or "fatal" in line.lower()]
    return (errors or lines or ["no output"])[-1].strip()
