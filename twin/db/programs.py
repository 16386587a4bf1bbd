"""Where the programs of PostgreSQL are on this machine, and whether PostGIS goes with them."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from twin.errors import ToolMissing

_PATTERNS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/usr/lib64/pgsql*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
    "/opt/homebrew/opt/postgresql/bin",
    "/Applications/Postgres.app/Contents/Versions/*/bin",
    "/usr/local/pgsql/bin",
)
_NEEDED = ("initdb", "pg_ctl", "postgres")


@dataclass(frozen=True)
class Programs:
    """The programs of one installed version of PostgreSQL."""

    folder: Path

    def path(self, name: str) -> Path:
        return self.folder / name

    @cached_property
    def version(self) -> tuple[int, int]:
        """Major and minor; (0, 0) where the program does not run."""
        words = _output([str(self.path("postgres")), "--version"])
        found = re.search(r"(\d+)(?:\.(\d+))?", words)
        return (int(found[1]), int(found[2] or 0)) if found else (0, 0)

    @property
    def major(self) -> int:
        return self.version[0]

    @cached_property
    def has_postgis(self) -> bool:
        return any((share / "extension" / "postgis.control").is_file() for share in self._shares())

    def _shares(self) -> Iterator[Path]:
        if (config := self.path("pg_config")).is_file():
            yield Path(_output([str(config), "--sharedir"]).strip() or "/nonexistent")
        # Where pg_config is in a development package that is not installed.
        yield Path(f"/usr/share/postgresql/{self.major}")
        yield self.folder.parent / "share" / "postgresql"
        yield self.folder.parent / "share"


def installed(preferred: Path | None = None) -> list[Programs]:
    """All versions on this machine, newest first; only ``preferred`` if it is given."""
    if preferred is not None:
        return [Programs(_checked(preferred))]
    found = {folder.resolve(): Programs(folder) for folder in _candidates() if _complete(folder)}
    return sorted(found.values(), key=lambda programs: programs.version, reverse=True)


def newest(preferred: Path | None = None) -> Programs:
    """The newest version that has PostGIS; ToolMissing says how to get it."""
    everything = installed(preferred)
    for programs in everything:
        if programs.has_postgis:
            return programs
    if everything:
        raise ToolMissing(
            f"PostgreSQL {everything[0].major} in {everything[0].folder} has no PostGIS. "
            f"Install it with: {_install(everything[0].major)}"
        )
    raise ToolMissing(
        f"PostgreSQL with PostGIS is not installed. Install it with: {_install(None)} "
        "(or set TWIN_DATABASE_URL to an existing PostGIS, or TWIN_POSTGRES_BIN to the folder of initdb)"
    )


def of_major(major: int, preferred: Path | None = None) -> Programs:
    """The programs that can run a cluster of this major version; ToolMissing says how to get them."""
    everything = [*(installed(preferred) if preferred else ()), *installed()]
    for programs in everything:
        if programs.major == major:
            return programs
    raise ToolMissing(
        f"The database was made with PostgreSQL {major}, which is not installed any more. Install it with: "
        f"{_install(major)} (after that, 'twin db upgrade' moves the database to a newer version)"
    )


def _candidates() -> Iterator[Path]:
    for pattern in _PATTERNS:
        yield from Path("/").glob(pattern.removeprefix("/"))
    if config := shutil.which("pg_config"):
        yield Path(_output([config, "--bindir"]).strip() or "/nonexistent")
    yield from (Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder)


def _complete(folder: Path) -> bool:
    # os.access, as a folder on the PATH may be closed to this user.
    return all(os.access(folder / name, os.X_OK) for name in _NEEDED)


def _checked(folder: Path) -> Path:
    if not _complete(folder):
        raise ToolMissing(f"TWIN_POSTGRES_BIN is {folder}, which does not hold {', '.join(_NEEDED)}")
    return folder


def _output(command: list[str]) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _install(major: int | None) -> str:
    if sys.platform == "darwin":
        return "brew install postgis" if major is None else f"brew install postgresql@{major} postgis"
    if shutil.which("dnf"):
        return "sudo dnf install postgresql-server postgis"
    if major is None:
        return "sudo apt-get install postgresql-postgis"
    return f"sudo apt-get install postgresql-{major} postgresql-{major}-postgis-3"
