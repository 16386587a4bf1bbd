"""Downloads one file so that it is whole or goes on later: by Range, into a file beside its name.

What is half done stands in ``NAME.partial``, and what told the server's version of it in
``NAME.partial.version``; a file that has its name is whole and was verified.
"""

import hashlib
import http.client
import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request, urlopen

from twin.errors import InputError, ServiceError

Progress = Callable[[int, int], None]
"""Called with bytes there are and bytes in all, 0 where that is not known."""
TIMEOUT_S = 10.0
_ATTEMPTS = 5
_BLOCK = 1 << 18
_HEADERS = {"User-Agent": "finest-twin", "Accept-Encoding": "identity"}
_CUT = (http.client.IncompleteRead, ConnectionError, TimeoutError)
_MARKUP = (b"<!doctype html", b"<html")


class Unreachable(ServiceError):
    """There is no way from this machine to the server."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file to download; ``size`` (bytes) and ``sha256`` are what is known of it before."""

    url: str
    size: int | None = None
    sha256: str | None = None

    @property
    def name(self) -> str:
        """The name of the file, as the address ends."""
        last = unquote(urlsplit(self.url).path).rpartition("/")[2]
        if not last or last.startswith(".") or "\\" in last or "\0" in last:
            raise InputError(f"{self.url}: the address does not end with the name of a file")
        return last


def opened(url: str, headers: dict[str, str] | None = None) -> Any:
    """The answer of a server; Unreachable where there is no way to it, InputError where it says no."""
    if urlsplit(url).scheme not in ("http", "https"):
        raise InputError(f"{url}: give an address that starts with https:// or http://")
    request = Request(url, headers={**_HEADERS, **(headers or {})})  # noqa: S310 - http or https
    try:
        return urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except HTTPError as error:
        if error.code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return error
        raise InputError(f"{url}: the server answers {error.code} {error.reason}") from error
    except URLError as error:
        raise Unreachable(f"{url}: cannot be reached from here ({error.reason})") from error
    except _CUT as error:
        raise Unreachable(f"{url}: cannot be reached from here ({error})") from error


def download(
    wanted: Wanted, folder: Path, progress: Progress, wait: Callable[[float], None] = time.sleep
) -> Path:
    """The file in the folder, downloaded and verified; what is there already stays.

    Raises InputError where what came is not what was wanted, Unreachable where nothing came, and OSError
    where the disk is full; what was downloaded until then is kept for the next time.
    """
    target = folder / wanted.name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    partial = _Partial(target.with_name(f"{target.name}.partial"))
    _verify(partial, wanted, _persistently(partial, wanted, progress, wait))
    partial.become(target)
    return target


def _persistently(
    partial: "_Partial", wanted: Wanted, progress: Progress, wait: Callable[[float], None]
) -> int | None:
    """Go on after a cut as often as is sensible; the size of the whole, as far as it is said."""
    for attempt in range(_ATTEMPTS - 1):
        try:
            return partial.fill(wanted, progress)
        except _CUT:
            wait(2.0**attempt)
    try:
        return partial.fill(wanted, progress)
    except _CUT as error:
        raise Unreachable(
            f"{wanted.url}: the connection was cut {_ATTEMPTS} times ({error});"
            f" {partial.size} bytes are kept, give the command again to go on"
        ) from error


@dataclass(frozen=True, slots=True)
class _Partial:
    """A file that is not whole yet."""

    path: Path

    @property
    def _version(self) -> Path:
        return self.path.with_name(f"{self.path.name}.version")

    @property
    def size(self) -> int:
        return self.path.stat().st_size if self.path.exists() else 0

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._version.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        self.path.replace(target)
        self._version.unlink(missing_ok=True)

    def fill(self, wanted: Wanted, progress: Progress) -> int | None:
        """Download what is missing; the size of the whole as the server says it, None if it does not."""
        version = self._version.read_text() if self._version.exists() else ""
        headers: dict[str, str] = {}
        if self.size and version:
            headers = {"Range": f"bytes={self.size}-", "If-Range": version}
        with opened(wanted.url, headers) as answer:
            start, total = _span(answer, self.size)
            if start is None:  # nothing is missing, or what there is belongs to another version
                if total == self.size:
                    return total
                if not self.size:
                    raise InputError(f"{wanted.url}: the server does not send the file")
                self.drop()
                return self.fill(wanted, progress)
            expected = wanted.size if total is None else total
            _check_room(self.path, start, expected)
            self._version.write_text(_version_of(answer))
            self._append(answer, start, expected, progress)
        return total

    def _append(self, answer: Any, start: int, total: int | None, progress: Progress) -> None:
        with self.path.open("r+b" if start else "wb") as file:
            file.seek(start)
            progress(start, total or 0)
            while block := cast("bytes", answer.read(_BLOCK)):
                file.write(block)
                progress(file.tell(), total or 0)
            if total is not None and file.tell() < total:
                raise ConnectionError("the server sent less than it announced")


def _span(answer: Any, had: int) -> tuple[int | None, int | None]:
    """Where what is sent begins, None for nothing, and the size of the whole."""
    length = answer.headers.get("Content-Length")
    stated = answer.headers.get("Content-Range", "")
    whole = stated.rpartition("/")[2]
    if answer.status == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        return None, int(whole) if whole.isdecimal() else -1
    if answer.status == http.HTTPStatus.PARTIAL_CONTENT:
        first = stated.removeprefix("bytes ").partition("-")[0]
        if first != str(had):
            return None, -1
        return had, int(whole) if whole.isdecimal() else None
    return 0, int(length) if length is not None and length.isdecimal() else None


def _version_of(answer: Any) -> str:
    """What tells this version of the file from every other: a strong tag, else a date."""
    tag: str = answer.headers.get("ETag", "")
    return tag if tag and not tag.startswith("W/") else answer.headers.get("Last-Modified", "")


def _check_room(path: Path, had: int, total: int | None) -> None:
    """Say before that the disk is too small, where the size is known."""
    free = shutil.disk_usage(path.parent).free
    if total is not None and total - had > free:
        need = (total - had - free) / 1e6
        raise InputError(f"{path.parent}: there is no room for {path.stem}: {need:.0f} MB are missing")


def _verify(partial: _Partial, wanted: Wanted, total: int | None) -> None:
    """Size, checksum and whether it is what it says; what is wrong is deleted, so that it comes anew."""
    reason = _fault(partial, wanted, total)
    if reason is not None:
        partial.drop()
        raise InputError(f"{wanted.url}: {reason}; it was deleted")


def _fault(partial: _Partial, wanted: Wanted, total: int | None) -> str | None:
    size = partial.size
    for expected, said in ((total, "announced"), (wanted.size, "expected")):
        if expected is not None and size != expected:
            return f"{size} bytes came, {expected} were {said}"
    if wanted.sha256 is not None and (found := _sha256(partial.path)) != wanted.sha256.lower():
        return f"its SHA-256 is {found}, not {wanted.sha256.lower()}"
    with partial.path.open("rb") as file:
        head = file.read(64).lstrip().lower()
    if not head or head.startswith(_MARKUP):
        return "a web page came instead of a file" if head else "the file is empty"
    if wanted.name.lower().endswith(".zip"):
        return _archive_fault(partial.path)
    return None


def _archive_fault(path: Path) -> str | None:
    try:
        with zipfile.ZipFile(path) as archive:
            broken = archive.testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        return f"the archive cannot be read ({error})"
    return None if broken is None else f"{broken} in the archive is damaged"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
