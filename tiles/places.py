"""Where tiles are written to: a folder, or a bucket of S3, GCS or Azure through obstore."""

import gzip
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import brotli

from twin.errors import InputError, ToolMissing

codec: Any = brotli  # its types are incomplete

_FAST, _BEST = 5, 11
"""Qualities of brotli; the best takes some hundred times as long for a seventh fewer bytes."""

_GZIP_LEVEL = 6
_TYPES = {".glb": "model/gltf-binary", ".json": "application/json"}


@dataclass(frozen=True, slots=True)
class Variant:
    """A compressed form of a file: its suffix, its name in HTTP (RFC 9110, 8.4.1), and how it is made."""

    suffix: str
    coding: str
    compress: Callable[[bytes], bytes]


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


VARIANTS: Mapping[str, Variant] = {
    "br": Variant("br", "br", partial(codec.compress, quality=_FAST)),
    "br-best": Variant("br", "br", partial(codec.compress, quality=_BEST)),
    "gz": Variant("gz", "gzip", _gzip),
}
"""What may be sent in place of a file, by the names under which it is asked for."""

Out: TypeAlias = Path | str
"""A folder, or the address of a folder in an object store, such as ``s3://bucket/folder``."""


class Place(Protocol):
    """Files by name, each written at once: a reader sees the whole of it, or what was there before."""

    def names(self) -> set[str]:
        """The names of all files."""
        ...

    def files_of(self, name: str) -> Sequence[str]:
        """The files that `put` writes for a name."""
        ...

    def read(self, name: str) -> bytes: ...

    def put(self, name: str, body: bytes) -> None:
        """Write a file that is served, in all forms in which it may travel."""
        ...

    def write(self, name: str, body: bytes) -> None:
        """Write a file as it is."""
        ...

    def remove(self, names: Iterable[str]) -> None: ...


def place(out: Out, variants: Sequence[str] = ()) -> Place:
    """The place of a name; ``variants`` are names in `VARIANTS`.

    Raises InputError for an address that is not understood, ToolMissing without obstore.
    """
    if isinstance(out, str) and "://" in out:
        return Bucket(out, variants)
    return Folder(Path(out), variants)


class Folder:
    """A folder; the variants of a file stand beside it, for web servers that choose among them."""

    def __init__(self, folder: Path, variants: Sequence[str] = ()) -> None:
        self._folder = folder
        self._variants = [VARIANTS[variant] for variant in variants]

    def names(self) -> set[str]:
        files = (path for path in self._folder.rglob("*") if path.is_file())
        return {path.relative_to(self._folder).as_posix() for path in files}

    def files_of(self, name: str) -> Sequence[str]:
        return [name, *(f"{name}.{variant.suffix}" for variant in self._variants)]

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def put(self, name: str, body: bytes) -> None:
        self.write(name, body)
        for variant in self._variants:
            self.write(f"{name}.{variant.suffix}", variant.compress(body))

    def write(self, name: str, body: bytes) -> None:
        file = self._folder / name
        unfinished = file.with_name(f"{file.name}.{os.getpid()}.tmp")
        try:
            unfinished.write_bytes(body)
        except FileNotFoundError:
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished.write_bytes(body)
        unfinished.replace(file)

    def remove(self, names: Iterable[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)


class Bucket:
    """A folder in an object store, which chooses among no variants: with one, that alone is stored.

    Keys and regions come from the environment, under the names that each provider gave them, such as
    ``AWS_ACCESS_KEY_ID``.
    """

    def __init__(self, address: str, variants: Sequence[str] = ()) -> None:
        if len(variants) > 1:
            raise InputError(f"{address}: an object store serves a file in one form. Name one compression.")
        self._variant = VARIANTS[variants[0]] if variants else None
        self._obstore, self._store = _object_store(address)

    def names(self) -> set[str]:
        return {str(found["path"]) for page in self._obstore.list(self._store) for found in page}

    def files_of(self, name: str) -> Sequence[str]:
        return [name]

    def read(self, name: str) -> bytes:
        return bytes(self._obstore.get(self._store, name).bytes())

    def put(self, name: str, body: bytes) -> None:
        headers = {"Content-Type": _TYPES[Path(name).suffix]}
        if self._variant is not None:
            headers["Content-Encoding"] = self._variant.coding
            body = self._variant.compress(body)
        self._obstore.put(self._store, name, body, attributes=headers)

    def write(self, name: str, body: bytes) -> None:
        self._obstore.put(self._store, name, body)

    def remove(self, names: Iterable[str]) -> None:
        if found := sorted(names):
            self._obstore.delete(self._store, found)


@cache
def _object_store(address: str) -> tuple[Any, Any]:
    """The module of obstore and the store at an address, once in each process."""
    try:
        import obstore
        from obstore import exceptions, store
    except ImportError as error:
        raise ToolMissing(
            f"{address} is an object store, but obstore is not installed: pip install 'finest-twin[store]'"
        ) from error
    library: Any = obstore
    stores: Any = store
    try:
        return library, stores.from_url(address)
    except (exceptions.BaseError, ValueError) as error:
        raise InputError(f"{address} names no object store: {error}") from error
