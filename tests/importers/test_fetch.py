"""`twin fetch` against a server on this machine: goes on after a cut, and takes nothing that is not right."""

import errno
import hashlib
import io
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from importers import source_commands
from importers.deliveries import DELIVERIES, find, links
from importers.download import Unreachable, Wanted, download
from importers.source_files import read_source
from tests.importers.file_server import served
from twin.errors import InputError, ServiceError

CONTENT = b"<CityModel>" + bytes(range(256)) * 4000
SHA = hashlib.sha256(CONTENT).hexdigest()
Progress = list[tuple[int, int]]


def get(url: str, folder: Path, **known: Any) -> tuple[Path, Progress, list[float]]:
    """The file with what was said on the way, and how long was waited."""
    said: Progress = []
    waited: list[float] = []
    path = download(Wanted(url, **known), folder, lambda done, size: said.append((done, size)), waited.append)
    return path, said, waited


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_downloaded_and_verified(tmp_path: Path) -> None:
    with served(files={"/a%20b.gml": CONTENT}) as site:
        known = {"sha256": SHA.upper(), "size": len(CONTENT)}
        path, said, waited = get(f"{site.url}/a%20b.gml", tmp_path / "new", **known)
    assert (path.name, path.read_bytes()) == ("a b.gml", CONTENT)
    assert names(tmp_path / "new") == ["a b.gml"]
    assert (said[0], said[-1], waited) == ((0, len(CONTENT)), (len(CONTENT), len(CONTENT)), [])


def test_what_is_there_is_not_fetched_again(tmp_path: Path) -> None:
    (tmp_path / "a.gml").write_bytes(b"mine")
    with served(files={"/a.gml": CONTENT}) as site:
        assert get(f"{site.url}/a.gml", tmp_path)[0].read_bytes() == b"mine"
        assert site.asked == []


def test_it_goes_on_after_each_cut(tmp_path: Path) -> None:
    with served(files={"/a.gml": CONTENT}, cuts=[300_000, 10]) as site:
        path, _, waited = get(f"{site.url}/a.gml", tmp_path, sha256=SHA)
        assert path.read_bytes() == CONTENT
        ranges = [asked for _, asked in site.asked]
        assert ranges == [None, "bytes=300000-", "bytes=300010-"]
    assert waited == [1.0, 2.0]


def test_it_goes_on_the_next_time(tmp_path: Path) -> None:
    with served(files={"/a.gml": CONTENT}, cuts=[1000, 1000, 1000, 1000, 1000]) as site:
        with pytest.raises(Unreachable, match=r"cut 5 times.*5000 bytes are kept"):
            get(f"{site.url}/a.gml", tmp_path)
        assert names(tmp_path) == ["a.gml.partial", "a.gml.partial.version"]
        path, said, _ = get(f"{site.url}/a.gml", tmp_path)
        assert (path.read_bytes(), said[0][0]) == (CONTENT, 5000)
    assert names(tmp_path) == ["a.gml"]


def test_another_version_comes_from_its_start(tmp_path: Path) -> None:
    with served(files={"/a.gml": CONTENT}, cuts=[1000] * 5) as site:
        with pytest.raises(Unreachable):
            get(f"{site.url}/a.gml", tmp_path)
        site.tag, site.files["/a.gml"] = '"2"', CONTENT[::-1]
        assert get(f"{site.url}/a.gml", tmp_path)[0].read_bytes() == CONTENT[::-1]


def test_a_server_without_ranges_sends_it_whole(tmp_path: Path) -> None:
    with served(files={"/a.gml": CONTENT}, cuts=[1000], takes_ranges=False) as site:
        assert get(f"{site.url}/a.gml", tmp_path)[0].read_bytes() == CONTENT


@pytest.mark.parametrize(("kept", "starts"), [(CONTENT, 0), (CONTENT + b"more", 2)])
def test_what_is_whole_or_too_long_already(tmp_path: Path, kept: bytes, starts: int) -> None:
    (tmp_path / "a.gml.partial").write_bytes(kept)
    (tmp_path / "a.gml.partial.version").write_text('"1"')
    with served(files={"/a.gml": CONTENT}) as site:
        path, said, _ = get(f"{site.url}/a.gml", tmp_path)
        assert path.read_bytes() == CONTENT
        assert len(site.asked) == max(1, starts)
        assert bool(said) == bool(starts)


def _zip(broken: bool = False) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("model.gml", CONTENT)
    content = bytearray(file.getvalue())
    if broken:
        content[500] ^= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content", "known", "message"),
    [
        ("a.gml", CONTENT, {"sha256": "0" * 64}, f"its SHA-256 is {SHA}, not 0000"),
        ("a.gml", CONTENT, {"size": 7}, "bytes came, 7 were expected"),
        ("a.gml", b"<!DOCTYPE HTML><title>Sign in</title>", {}, "a web page came instead of a file"),
        ("a.gml", b"", {}, "the file is empty"),
        ("a.zip", CONTENT, {}, "the archive cannot be read"),
        ("a.zip", _zip(broken=True), {}, r"model\.gml in the archive is damaged"),
    ],
)
def test_what_is_not_right_is_deleted(
    tmp_path: Path, name: str, content: bytes, known: dict[str, Any], message: str
) -> None:
    with served(files={f"/{name}": content}) as site, pytest.raises(InputError, match=message):
        get(f"{site.url}/{name}", tmp_path, **known)
    assert names(tmp_path) == []


def test_a_sound_archive_is_taken(tmp_path: Path) -> None:
    with served(files={"/a.zip": _zip()}) as site:
        assert get(f"{site.url}/a.zip", tmp_path)[0].read_bytes() == _zip()


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("{}/none.gml", "answers 404 Not Found"),
        ("file:///etc/passwd", "starts with https"),
        ("{}/", "does not end with the name of a file"),
        ("{}/..", "does not end with the name of a file"),
    ],
)
def test_addresses_that_lead_to_no_file(tmp_path: Path, address: str, message: str) -> None:
    with served() as site, pytest.raises(InputError, match=message):
        get(address.format(site.url), tmp_path)
    assert names(tmp_path) == []


def test_a_name_cannot_lead_elsewhere(tmp_path: Path) -> None:
    with served(files={"/..%2F..%2Fa.gml": CONTENT}) as site:
        assert get(f"{site.url}/..%2F..%2Fa.gml", tmp_path)[0] == tmp_path / "a.gml"


def test_a_disk_that_is_too_small_is_said_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def usage(_path: Path) -> SimpleNamespace:
        return SimpleNamespace(free=24_100)

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with (
        served(files={"/a.gml": CONTENT}) as site,
        pytest.raises(InputError, match=r"no room for a\.gml: 1 MB"),
    ):
        get(f"{site.url}/a.gml", tmp_path)
    assert names(tmp_path) == []


def test_a_disk_that_gets_full_keeps_what_there_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(done: int, _size: int) -> None:
        if done > 400_000:
            raise OSError(errno.ENOSPC, "No space left on device")

    with served(files={"/a.gml": CONTENT}) as site:
        with pytest.raises(OSError, match="No space left"):
            download(Wanted(f"{site.url}/a.gml"), tmp_path, full)
        assert names(tmp_path) == ["a.gml.partial", "a.gml.partial.version"]
        _, said, _ = get(f"{site.url}/a.gml", tmp_path, sha256=SHA)
    assert said[0][0] > 400_000


# --- what a page links to, and the command


PAGE = b"""<html><a href="/hooned_lod2-Tallinn.gml?x=1">a</a> <a href='hooned_lod1-Tallinn.gml'>b</a>
<a href="about.html">c</a><a name="x">d</a><a href="/hooned_lod2-Tallinn.gml?x=1">again</a></html>"""


def page_at(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Let the publisher's page of Tallinn be another."""
    monkeypatch.setattr(type(DELIVERIES[1]), "page", property(lambda _self: url))


def test_the_page_names_the_files(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(files={"/p": PAGE}) as site:
        page_at(monkeypatch, f"{site.url}/p")
        assert links(find("tallinn")) == [f"{site.url}/hooned_lod2-Tallinn.gml?x=1"]


def test_a_city_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with served(files={"/p": PAGE, "/hooned_lod2-Tallinn.gml?x=1": CONTENT}) as site:
        page_at(monkeypatch, f"{site.url}/p")
        source_commands.fetch("tallinn", out=tmp_path)
    assert (tmp_path / "hooned_lod2-Tallinn.gml").read_bytes() == CONTENT
    said = capsys.readouterr().err
    assert "Land and Spatial Development Board open data licence" in said
    assert f"twin import {tmp_path}/hooned_lod2-Tallinn.gml" in said


def test_several_files_are_not_guessed_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = b"<a href='1_citygml.zip'>1</a><a href='2_citygml.zip'>2</a>"
    with served(files={"/p": page, "/1_citygml.zip": _zip(), "/2_citygml.zip": _zip()}) as site:
        page_at(monkeypatch, f"{site.url}/p")
        with pytest.raises(
            InputError, match=r"several files:\n.*/1_citygml\.zip\n.*/2_citygml\.zip\nSay which"
        ):
            source_commands.fetch("helsinki", out=tmp_path)
        source_commands.fetch("helsinki", out=tmp_path, match="2_")
        assert names(tmp_path) == ["2_citygml.zip"]
        source_commands.fetch("helsinki", out=tmp_path, match="")
        assert names(tmp_path) == ["1_citygml.zip", "2_citygml.zip"]
        with pytest.raises(InputError, match="one file"):
            source_commands.fetch("helsinki", out=tmp_path, match="", sha256=SHA)
        with pytest.raises(InputError, match="links to no file that fits"):
            source_commands.fetch("helsinki", out=tmp_path, match="3_")


def test_an_address_may_be_given(tmp_path: Path) -> None:
    with served(files={"/a.gml": CONTENT}) as site:
        source_commands.fetch("helsinki", out=tmp_path, url=[f"{site.url}/a.gml"], sha256=SHA)
    assert names(tmp_path) == ["a.gml"]


def test_without_a_network_the_page_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as site:
        gone = site.url
    page_at(monkeypatch, f"{gone}/p")
    with pytest.raises(
        ServiceError, match=f"cannot be reached.*page of the publisher is {gone}/p.*twin import"
    ):
        source_commands.fetch("tallinn", out=tmp_path)
    assert names(tmp_path) == []


def test_sources_that_were_added_can_be_fetched(tmp_path: Path) -> None:
    file = tmp_path / "v.toml"
    file.write_text('name = "vienna"\npage = "https://x.example/p"\nfiles = "lod2.*zip$"\n')
    delivery = find("vienna", (read_source(file),))
    assert (delivery.page, delivery.files) == ("https://x.example/p", "lod2.*zip$")
    with pytest.raises(InputError, match="known: helsinki, tallinn"):
        find("atlantis")


def test_every_known_delivery_names_its_licence_and_page() -> None:
    for delivery in DELIVERIES:
        assert delivery.page.startswith("https://")
        assert delivery.source.licence is not None
        assert delivery.source.licence in delivery.terms()
