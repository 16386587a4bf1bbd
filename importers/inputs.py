"""Where city models come from: files, folders, globs, gzip, zip archives, standard input.

What is compressed is unpacked to a temporary file while it is read, within bounds: nothing is
believed that an archive says of itself.
"""

import gzip
import shutil
import sys
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from glob import glob, has_magic
from pathlib import Path, PurePosixPath
from typing import IO, cast

from importers.image_sources import Archive, Folder, ImageSource, NoImages
from importers.spill import no_space
from twin.errors import InputError, UnreadableFile

SUFFIXES = frozenset({".gml", ".xml", ".citygml", ".json", ".jsonl", ".cityjson"})
"""Endings of models, looked for in folders and archives."""
_COMPRESSED = frozenset({".gz", ".zip"})
_ARCHIVES = frozenset({".zip", ".gz", ".tar", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst"})
STANDARD_INPUT = "-"

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_BLOCK = 1 << 20
_ENCRYPTED = 1
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of what is unpacked. City models shrink to a tenth or a fiftieth, never to a thousandth.

    ``ratio`` applies beyond ``free`` bytes, so that small files may be as repetitive as they like.
    """

    ratio: int = 300
    free: int = 1 << 24
    largest: int = 1 << 38
    members: int = 100_000


@dataclass(frozen=True, slots=True)
class Source:
    """One model to import. ``name`` is how people know it: ``delivery.zip/a.gml``, ``-``.

    ``member`` is its name within the archive ``path``; ``fault`` says why it cannot be read.
    """

    name: str
    path: Path
    member: str | None = None
    fault: InputError | None = None
    limits: Limits = Limits()

    @property
    def images(self) -> ImageSource:
        """Where the images of its textures are."""
        if self.name == STANDARD_INPUT:
            return NoImages()
        return Folder(self.path.parent) if self.member is None else Archive(self.path, self.member)

    @contextmanager
    def unpacked(self, progress: Progress = lambda _done, _size: None) -> Generator[Path, None, None]:
        """A plain file with the model, for the block; InputError where it cannot be had.

        An InputError of the block speaks of the source by its own name.
        """
        if self.fault is not None:
            raise self.fault
        if self.name != STANDARD_INPUT and self.member is None and _kind(self.path) != _GZIP:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="twin-input-") as folder:
            plain = Path(folder) / (
                PurePosixPath(self.member or self.name).name.removesuffix(".gz") or "model"
            )
            self._unpack(plain, progress)
            try:
                yield plain
            except InputError as error:
                raise type(error)(str(error).replace(str(plain), self.name)) from error

    def _unpack(self, plain: Path, progress: Progress) -> None:
        try:
            if self.name == STANDARD_INPUT:
                self._from_standard_input(plain, progress)
            elif self.member is None:
                with self.path.open("rb") as packed:
                    self._decompressed(packed, self.path.stat().st_size, plain, progress)
            else:
                self._from_archive(self.member, plain, progress)
        except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise UnreadableFile(
                f"{self.name}: the archive is damaged or ends too early ({error}); fetch it again"
            ) from error
        except OSError as error:
            raise no_space(error) from error

    def _from_archive(self, member: str, plain: Path, progress: Progress) -> None:
        with zipfile.ZipFile(self.path) as archive:
            info = archive.getinfo(member)
            with archive.open(info) as unpacked:
                self._copy(unpacked, plain, lambda: info.compress_size, progress)

    def _from_standard_input(self, plain: Path, progress: Progress) -> None:
        packed = plain.with_name("standard-input")
        with packed.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file, _BLOCK)
        kind = _kind(packed)
        if kind == _ZIP:
            raise UnreadableFile("standard input: an archive cannot be read from a pipe; save it as a file")
        if kind == _GZIP:
            with packed.open("rb") as file:
                self._decompressed(file, packed.stat().st_size, plain, progress)
            packed.unlink()
        else:
            packed.rename(plain)

    def _decompressed(self, packed: IO[bytes], size: int, plain: Path, progress: Progress) -> None:
        with gzip.GzipFile(fileobj=packed) as unpacked:
            self._copy(cast("IO[bytes]", unpacked), plain, lambda: max(packed.tell(), 1), progress, size)
        if _kind(plain) in (_GZIP, _ZIP):
            raise UnreadableFile(f"{self.name}: an archive within an archive is not opened; unpack it first")

    def _copy(
        self, unpacked: IO[bytes], plain: Path, taken: Callable[[], int], progress: Progress, size: int = 0
    ) -> None:
        """Write what comes out, and stop where it is more than any city model could be."""
        written = 0
        with plain.open("wb") as file:
            while block := unpacked.read(_BLOCK):
                written += len(block)
                bound = min(self.limits.largest, max(self.limits.free, self.limits.ratio * taken()))
                if written > bound:
                    raise UnreadableFile(
                        f"{self.name}: it unpacks to more than {bound} bytes, which no city model does;"
                        " unpack it yourself if you trust it"
                    )
                file.write(block)
                progress(taken(), size)


def _kind(path: Path) -> bytes:
    """The magic number of gzip or zip, or nothing of the kind."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
    except OSError:
        return b""
    return _ZIP if head == _ZIP else head[:2] if head[:2] == _GZIP else b""


def sources(given: Sequence[str | Path], limits: Limits = Limits()) -> list[Source]:
    """The models that paths stand for, folders and archives in the order of their names.

    InputError where a folder or a glob holds none.
    """
    return [source for path in given for source in _sources(str(path), limits)]


def _sources(given: str, limits: Limits) -> Iterator[Source]:
    path = Path(given)
    if given == STANDARD_INPUT:
        yield Source(given, path, limits=limits)
    elif path.is_dir():
        yield from _inside(given, sorted(p for p in path.rglob("*") if _is_model(p.name)), limits)
    elif has_magic(given) and not path.exists():
        yield from _inside(given, sorted(map(Path, glob(given, recursive=True))), limits)  # noqa: PTH207 - may be absolute
    else:
        yield from _file(path, limits)


def _inside(given: str, paths: list[Path], limits: Limits) -> Iterator[Source]:
    if not paths:
        known = ", ".join(sorted(SUFFIXES | _COMPRESSED))
        raise InputError(f"{given}: holds no {known} file")
    for path in paths:
        yield from _file(path, limits)


def _is_model(name: str) -> bool:
    path = PurePosixPath(name.lower())
    return path.suffix in SUFFIXES or path.suffix == ".zip" or _is_gzipped_model(path)


def _is_gzipped_model(path: PurePosixPath) -> bool:
    return path.suffix == ".gz" and path.with_suffix("").suffix in SUFFIXES


def _file(path: Path, limits: Limits) -> Iterator[Source]:
    if not path.is_file() or _kind(path) != _ZIP:
        yield Source(str(path), path, limits=limits)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            yield from _members(path, archive.infolist(), limits)
    except zipfile.BadZipFile as error:
        fault = UnreadableFile(f"{path}: the archive is damaged or ends too early ({error}); fetch it again")
        yield Source(str(path), path, fault=fault)


def _members(path: Path, infos: list[zipfile.ZipInfo], limits: Limits) -> Iterator[Source]:
    fault = _fault(path, infos, limits)
    if fault is not None:
        yield Source(str(path), path, fault=fault)
        return
    for info in sorted(infos, key=lambda info: info.filename):
        if PurePosixPath(info.filename.lower()).suffix in SUFFIXES:
            yield Source(f"{path}/{info.filename}", path, info.filename, limits=limits)


def _fault(path: Path, infos: list[zipfile.ZipInfo], limits: Limits) -> InputError | None:
    """Why an archive is not opened at all."""
    if len(infos) > limits.members:
        return UnreadableFile(f"{path}: it holds more than {limits.members} files; unpack it yourself")
    for info in infos:
        name = PurePosixPath(info.filename.replace("\\", "/"))
        if name.is_absolute() or ".." in name.parts:
            return UnreadableFile(f"{path}: '{info.filename}' points out of the archive; do not trust it")
        if name.suffix.lower() in _ARCHIVES:
            return UnreadableFile(
                f"{path}: '{info.filename}' is an archive within the archive; unpack it first"
            )
        if info.flag_bits & _ENCRYPTED:
            return UnreadableFile(f"{path}: '{info.filename}' is encrypted; unpack it yourself")
    if not any(PurePosixPath(info.filename.lower()).suffix in SUFFIXES for info in infos):
        return UnreadableFile(f"{path}: the archive holds no {', '.join(sorted(SUFFIXES))} file")
    return None
