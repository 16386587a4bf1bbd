"""Models come as files, folders, globs, gzip, zip and standard input; archives are not trusted."""

import gzip
import io
import sys
import zipfile
from pathlib import Path

import pytest

from importers.inputs import Limits, Source, sources
from twin.errors import InputError, UnreadableFile

MODEL = b'{"type": "CityJSON"}'


def content(source: Source) -> bytes:
    with source.unpacked() as path:
        return path.read_bytes()


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def archive(path: Path, name: str, data: bytes = MODEL) -> Path:
    return zipped(path, **{name: data})


def test_a_folder_a_glob_and_an_archive(tmp_path: Path) -> None:
    (tmp_path / "b.gml").write_bytes(MODEL)
    (tmp_path / "read.me").write_bytes(b"text")
    (tmp_path / "a.city.json.gz").write_bytes(gzip.compress(MODEL))
    zipped(tmp_path / "c.zip", **{"two.gml": b"2", "x/one.gml": b"1", "notes.txt": b""})
    found = sources([tmp_path])
    names = [source.name.removeprefix(f"{tmp_path}/") for source in found]
    assert names == ["a.city.json.gz", "b.gml", "c.zip/two.gml", "c.zip/x/one.gml"]
    assert [content(source) for source in found] == [MODEL, MODEL, b"2", b"1"]
    assert [source.name for source in sources([str(tmp_path / "*.gml")])] == [str(tmp_path / "b.gml")]


@pytest.mark.parametrize("given", ["", "*.gml"])
def test_where_nothing_is(tmp_path: Path, given: str) -> None:
    with pytest.raises(InputError, match=r"holds no \.citygml"):
        sources([tmp_path / given])


@pytest.mark.parametrize("data", [MODEL, gzip.compress(MODEL)], ids=["plain", "gzip"])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, data: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert content(sources(["-"])[0]) == MODEL


def test_what_is_unpacked_is_gone_afterwards_and_known_by_its_name(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.zip", "x/a.gml")
    (source,) = sources([path])
    with pytest.raises(UnreadableFile, match=rf"^{path}/x/a\.gml: line 3"), source.unpacked() as plain:
        raise UnreadableFile(f"{plain}: line 3")
    assert not plain.exists()


def test_a_bomb_is_not_unpacked(tmp_path: Path) -> None:
    bomb = bytes(60_000_000)
    limits = Limits(free=1_000_000)
    (tmp_path / "b.gml.gz").write_bytes(gzip.compress(bomb))
    archive(tmp_path / "a.zip", "a.gml", bomb)
    for source in sources([tmp_path], limits):
        with pytest.raises(UnreadableFile, match="unpacks to more than"):
            content(source)
    assert len(content(sources([tmp_path / "a.zip"], Limits(ratio=10_000))[0])) == len(bomb)


@pytest.mark.parametrize("name", ["../a.gml", "/etc/a.gml", "x/../../a.gml", "..\\a.gml"])
def test_names_that_point_out_of_the_archive(tmp_path: Path, name: str) -> None:
    (source,) = sources([archive(tmp_path / "a.zip", name)])
    with pytest.raises(UnreadableFile, match="points out of the archive"):
        content(source)


def test_archives_within_archives(tmp_path: Path) -> None:
    inner = archive(tmp_path / "inner.zip", "a.gml").read_bytes()
    (source,) = sources([archive(tmp_path / "outer.zip", "inner.zip", inner)])
    with pytest.raises(UnreadableFile, match="archive within the archive"):
        content(source)
    twice = tmp_path / "a.gml.gz"
    twice.write_bytes(gzip.compress(gzip.compress(MODEL)))
    with pytest.raises(UnreadableFile, match="archive within an archive"):
        content(sources([twice])[0])


def test_damaged_archives(tmp_path: Path) -> None:
    whole = archive(tmp_path / "a.zip", "a.gml", MODEL * 1000).read_bytes()
    (tmp_path / "a.zip").write_bytes(whole[:-30])
    (tmp_path / "b.gml.gz").write_bytes(gzip.compress(MODEL * 1000)[:-10])
    (tmp_path / "c.gml.gz").write_bytes(gzip.compress(MODEL)[:10] + b"\xff" * 50)
    found = sources([tmp_path])
    assert len(found) == 3
    for source in found:
        with pytest.raises(UnreadableFile, match="damaged or ends too early"):
            content(source)


def test_an_archive_without_a_model(tmp_path: Path) -> None:
    (source,) = sources([archive(tmp_path / "a.zip", "notes.txt")])
    with pytest.raises(UnreadableFile, match=r"holds no \.citygml"):
        content(source)
