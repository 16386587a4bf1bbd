"""``twin doctor``: what the program needs, whether it is there, and how to mend what is not."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from twin.db import checks, embedded, layout, programs
from twin.db.address import without_password
from twin.errors import TwinError
from twin.settings import Settings

_NEEDED_DISK_BYTES = 2 * 1024**3
"""A city of 80,000 buildings takes about a gigabyte."""


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; ``remedy`` is empty when all is well, a note can be left as it is."""

    name: str
    detail: str
    remedy: str = ""
    is_note: bool = False

    @property
    def well(self) -> bool:
        return not self.remedy or self.is_note

    @property
    def mark(self) -> str:
        """Four letters that say what it is."""
        return "note" if self.is_note else "ok  " if self.well else "FAIL"


def examine(settings: Settings) -> Iterator[Finding]:
    """Run the checks one after another; a database that does not answer ends them."""
    yield _home(settings.home)
    yield _disk(settings.home)
    if settings.database_url is None:
        yield _told("PostgreSQL", lambda: _programs(settings))
        yield from _abandoned()
    yield from _database(settings)


def list_settings(settings: Settings) -> Iterator[tuple[str, str, str]]:
    """Name of the variable, value and meaning of every setting; passwords are left out."""
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        shown = "" if value is None else without_password(str(value)) if name.endswith("_url") else str(value)
        yield f"TWIN_{name.upper()}", shown, field.description or ""


def _home(home: Path) -> Finding:
    there = _nearest_existing(home)
    if os.access(there, os.W_OK | os.X_OK) and there.is_dir():
        return Finding("home", str(home))
    return Finding("home", f"{home} cannot be written", "Set TWIN_HOME to a directory of yours.")


def _disk(home: Path) -> Finding:
    free = shutil.disk_usage(_nearest_existing(home)).free
    detail = f"{free / 1024**3:.1f} GiB free"
    return Finding("disk", detail, "" if free >= _NEEDED_DISK_BYTES else "Free some space, 2 GiB at least.")


def _nearest_existing(path: Path) -> Path:
    path = path.absolute()
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _programs(settings: Settings) -> Finding:
    there = embedded.existing(settings)
    if there is None:
        chosen = programs.newest(settings.postgres_bin)
    else:
        chosen = programs.of_major(there.major, settings.postgres_bin)
    major, minor = chosen.version
    return Finding("PostgreSQL", f"{major}.{minor} with PostGIS in {chosen.folder}")


def _abandoned() -> Iterator[Finding]:
    for left in layout.abandoned():
        yield Finding(
            "abandoned database",
            f"{left.cluster} belonged to {left.home}, which does not lead to it any more",
            f"If that data is not wanted: rm -r {left.cluster}",
            is_note=True,
        )


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        if settings.database_url is None and embedded.existing(settings) is None:
            yield Finding("database", "none yet; it is made at the first import")
            return
        for name, detail, remedy in checks.facts(settings):
            yield Finding(name, detail, remedy)
    except TwinError as error:
        yield Finding("database", "does not answer", str(error))


def _told(name: str, check: Callable[[], Finding]) -> Finding:
    """The finding of a check, or its error as a finding."""
    try:
        return check()
    except TwinError as error:
        return Finding(name, "missing", str(error))
