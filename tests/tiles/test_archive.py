import hashlib
import struct
from pathlib import Path
from zipfile import ZipFile

import pytest

from tiles import archive
from twin.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "tiles"
    (folder / "10" / "1").mkdir(parents=True)
    (folder / "tileset.json").write_text("{}")
    (folder / ".tiles.journal").write_text("")
    (folder / "tileset.json.br").write_bytes(b"packed")
    for number in range(40):
        (folder / "10" / "1" / f"{number}.glb").write_bytes(b"glTF" + bytes([number]) * number)
    return folder


def read(path: Path, name: str) -> bytes:
    """A file of an archive, found as the specification tells: by hash, in the index, without ZIP."""
    data = path.read_bytes()
    with ZipFile(path) as opened:
        last = opened.infolist()[-1]
        assert (last.filename, last.compress_type, last.comment) == ("@3dtilesIndex1@", 0, b"")
        index = opened.read(last)
    entries = [struct.unpack_from("<QQQ", index, at) for at in range(0, len(index), 24)]
    assert entries == sorted(entries)
    wanted = struct.unpack("<QQ", hashlib.md5(name.encode()).digest())
    (offset,) = [entry[2] for entry in entries if entry[:2] == wanted]
    signature, method, _crc, size, _plain, name_length, more = struct.unpack_from(
        "<I4xH4xIIIHH", data, offset
    )
    assert (signature, method) == (0x04034B50, 0)
    start = offset + 30 + name_length + more
    assert data[offset + 30 : offset + 30 + name_length].decode() == name
    return data[start : start + size]


def test_every_file_is_found_by_the_index(folder: Path, tmp_path: Path) -> None:
    assert archive.write(folder, tmp_path / "city.3tz") == 41
    for file in folder.rglob("*.glb"):
        assert read(tmp_path / "city.3tz", file.relative_to(folder).as_posix()) == file.read_bytes()
    assert read(tmp_path / "city.3tz", "tileset.json") == b"{}"
    with ZipFile(tmp_path / "city.3tz") as opened:
        assert opened.testzip() is None
        assert {Path(name).suffix for name in opened.namelist()} == {".json", ".glb", ""}


def test_the_same_tiles_make_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    archive.write(folder, tmp_path / "one.3tz")
    archive.write(folder, tmp_path / "two.3tz")
    assert (tmp_path / "one.3tz").read_bytes() == (tmp_path / "two.3tz").read_bytes()


def test_what_cannot_be_packed_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no suffix"):
        archive.write(folder, tmp_path / "city.zip")
    (folder / "tileset.json").unlink()
    with pytest.raises(InputError, match="tiles build"):
        archive.write(folder, tmp_path / "city.3tz")
