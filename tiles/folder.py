"""A folder of tiles, written so that a killed run leaves whole files and can go on.

A journal in the folder names each tile that is there with its ETag. A later run writes only the
tiles whose ETag differs, and removes what is no longer referred to.
"""

import gzip
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import brotli

from twin.errors import InputError

codec: Any = brotli  # its types are incomplete

JOURNAL = ".tiles.journal"

_BROTLI_QUALITY = 5
_GZIP_LEVEL = 6


def _brotli(body: bytes) -> bytes:
    return codec.compress(body, quality=_BROTLI_QUALITY)


def _gzip(body: bytes) -> bytes:
    return gzip.compress(body, _GZIP_LEVEL, mtime=0)


VARIANTS: Mapping[str, Callable[[bytes], bytes]] = {"br": _brotli, "gz": _gzip}
"""What a web server may send in place of a file, by suffix."""


class TileFolder:
    """A folder that is new, empty, or has a journal; InputError for any other.

    ``variants`` are suffixes of `VARIANTS`: compressed files beside each file.
    """

    def __init__(self, folder: Path, variants: Iterable[str] = ()) -> None:
        self.folder = folder
        self.variants = tuple(variants)
        self._journal = folder / JOURNAL
        if folder.exists() and not self._journal.exists() and any(folder.iterdir()):
            raise InputError(f"{folder} is not empty and holds no tiles. Name another folder.")
        folder.mkdir(parents=True, exist_ok=True)
        self._journal.touch()

    def known(self) -> dict[str, str]:
        """The ETag of each tile that is whole, by its path."""
        found: dict[str, str] = {}
        for line in self._journal.read_text().splitlines():
            try:
                path, etag = json.loads(line)
            except ValueError:  # the end of a run that was killed while it wrote
                continue
            found[path] = etag
        return {path: etag for path, etag in found.items() if all(map(Path.exists, self._files(path)))}

    def put(self, path: str, body: bytes) -> int:
        """Write a file and its variants, each at once; the bytes of the file itself."""
        for file, variant in zip(self._files(path), ("", *self.variants), strict=True):
            file.parent.mkdir(parents=True, exist_ok=True)
            unfinished = file.with_name(f"{file.name}.{os.getpid()}.tmp")
            unfinished.write_bytes(VARIANTS[variant](body) if variant else body)
            unfinished.replace(file)
        return len(body)

    def note(self, tiles: Iterable[tuple[str, str]]) -> None:
        """Note in the journal that tiles are there, by path and ETag."""
        with self._journal.open("a") as file:
            file.writelines(f"{json.dumps(tile)}\n" for tile in tiles)

    def finish(self, tiles: Mapping[str, str], others: Iterable[str]) -> None:
        """Remove all files but tiles and others with their variants; the journal then names just those."""
        wanted = {file for path in (*tiles, *others) for file in self._files(path)} | {self._journal}
        for file in self.folder.rglob("*"):
            if file.is_file() and file not in wanted:
                file.unlink()
        lines = "".join(f"{json.dumps(tile)}\n" for tile in sorted(tiles.items()))
        unfinished = self._journal.with_name(f"{JOURNAL}.tmp")
        unfinished.write_text(lines)
        unfinished.replace(self._journal)

    def _files(self, path: str) -> list[Path]:
        file = self.folder / path
        return [file, *(file.with_name(f"{file.name}.{variant}") for variant in self.variants)]
