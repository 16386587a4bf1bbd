"""Folders and object stores hold the same files; object stores with their types and codings."""

import gzip
from pathlib import Path
from typing import Any
from uuid import uuid4

import brotli
import obstore
import pytest

from tiles.output import JOURNAL, SEEN, Destination, TileOutput
from tiles.places import Bucket, place
from twin.errors import InputError, ToolMissing

library: Any = obstore
codec: Any = brotli

TILE = "10/1/2.glb"


def bucket() -> str:
    """The address of an object store in memory, empty."""
    return f"memory:///{uuid4()}"


def outs(folder: Path) -> list[Path | str]:
    return [folder / "tiles", str(folder / "named"), bucket()]


@pytest.mark.parametrize("kind", range(3), ids=["path", "name", "bucket"])
def test_a_run_goes_on_from_what_is_noted(tmp_path: Path, kind: int) -> None:
    out = outs(tmp_path)[kind]
    first, files = TileOutput(Destination(out)), place(out)
    for number in range(12):
        files.put(f"10/1/{number}.glb", b"old")
        first.note([(f"10/1/{number}.glb", "early")])
    first.note([(TILE, "late"), ("10/9/9.glb", "never written")])
    again = TileOutput(Destination(out))
    known = again.known()
    assert len(known) == 12
    assert known[TILE] == "late"
    again.note([(TILE, "later")])
    assert TileOutput(Destination(out)).known()[TILE] == "later"
    files.put("tileset.json", b"{}")
    again.finish({TILE: "later"}, ["tileset.json"], {"seen": "all"})
    assert files.names() == {TILE, "tileset.json", JOURNAL, SEEN}
    assert TileOutput(Destination(out)).seen() == {"seen": "all"}
    again.finish({TILE: "later"}, ["tileset.json"])
    assert files.names() == {TILE, "tileset.json", JOURNAL}
    assert TileOutput(Destination(out)).known() == {TILE: "later"}


@pytest.mark.parametrize("kind", range(3), ids=["path", "name", "bucket"])
def test_what_others_wrote_is_left_alone(tmp_path: Path, kind: int) -> None:
    out = outs(tmp_path)[kind]
    place(out).write("notes.txt", b"mine")
    with pytest.raises(InputError, match="not empty"):
        TileOutput(Destination(out))
    assert place(out).names() == {"notes.txt"}


def test_a_bucket_says_what_it_holds() -> None:
    out = bucket()
    packed, plain = Bucket(out, ("gz",)), Bucket(out)
    packed.put(TILE, b"glTF" * 100)
    plain.put("tileset.json", b"{}")
    tile, tileset = (library.get(plain._store, name) for name in (TILE, "tileset.json"))  # pyright: ignore[reportPrivateUsage]
    assert tile.attributes == {"Content-Type": "model/gltf-binary", "Content-Encoding": "gzip"}
    assert gzip.decompress(bytes(tile.bytes())) == b"glTF" * 100
    assert tileset.attributes == {"Content-Type": "application/json"}


def test_the_best_compression_is_smaller_and_the_same(tmp_path: Path) -> None:
    body = Path(__file__).read_bytes()
    for name in ("br", "br-best"):
        place(tmp_path / name, (name,)).put("tileset.json", body)
    fast, best = ((tmp_path / name / "tileset.json.br").read_bytes() for name in ("br", "br-best"))
    assert len(best) < len(fast)
    assert codec.decompress(best) == codec.decompress(fast) == body


def test_a_bucket_has_one_form_of_a_file() -> None:
    with pytest.raises(InputError, match="one form"):
        Bucket(bucket(), ("br", "gz"))


def test_an_address_of_nothing_is_said() -> None:
    with pytest.raises(InputError, match="names no object store"):
        place("carrier-pigeon://loft/tiles")


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "obstore", None)
    with pytest.raises(ToolMissing, match=r"finest-twin\[store\]"):
        place(bucket())
