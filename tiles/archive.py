"""A folder of tiles as one file: the 3D Tiles Archive Format 1.3 (.3tz), a ZIP with an index by MD5."""

import hashlib
import struct
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from twin.errors import InputError

INDEX = "@3dtilesIndex1@"
_SUFFIXES = {".json", ".glb"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
"""The same tiles make the same bytes, whenever they were written."""


def write(folder: Path, out: Path) -> int:
    """Pack a folder with a tileset.json into an archive; the number of files in it.

    Compressed variants stay outside. Raises InputError if the folder holds no tileset or ``out`` is
    not called ``.3tz``.
    """
    check_name(out)
    if not (folder / "tileset.json").is_file():
        raise InputError(f"{folder} holds no tileset.json. Write one: twin tiles build {folder}")
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in _SUFFIXES)
    unfinished = out.with_name(f"{out.name}.tmp")
    with ZipFile(unfinished, "w", ZIP_STORED) as archive:
        for file in files:
            archive.writestr(ZipInfo(file.relative_to(folder).as_posix(), _EPOCH), file.read_bytes())
        archive.writestr(ZipInfo(INDEX, _EPOCH), _index(archive.infolist()))
    unfinished.replace(out)
    return len(files)


def check_name(out: Path) -> None:
    """Raises InputError if a file is not called as archives of tiles are."""
    if out.suffix != ".3tz":
        raise InputError(
            f"'{out.name}' has no suffix .3tz or .pmtiles, the formats that tiles are packed in."
        )


def _index(entries: Iterable[ZipInfo]) -> bytes:
    """MD5 of the path and offset of each file, ordered by the hash as two little-endian numbers."""
    hashed = [
        (hashlib.md5(entry.filename.encode(), usedforsecurity=False).digest(), entry.header_offset)
        for entry in entries
    ]
    hashed.sort(key=lambda entry: struct.unpack("<QQ", entry[0]))
    return b"".join(digest + struct.pack("<Q", offset) for digest, offset in hashed)
