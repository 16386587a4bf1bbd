"""Images of textures: what is kept of them, and what one that cannot be had costs."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from PIL import Image
from sqlalchemy import Engine, select

from importers import images
from importers.image_sources import Archive, Folder, NoImages, Unusable
from importers.ingest import ImportOptions, Ingest
from importers.inputs import sources
from importers.report import Report
from tests.importers.stored import clean
from tests.tiles.textured import Wall, gradient, model, saved, written
from twin.db.engine import Database
from twin.db.skin_tables import object_skin, texture_image


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


def imported(engine: Engine, path: Path) -> Report:
    (source,) = sources([path])
    with source.unpacked() as plain:
        return Ingest(engine, ImportOptions(dataset="d", city="helsinki")).run(
            plain, source.name, source.images
        )


def kept(engine: Engine) -> list[bytes]:
    with engine.connect() as connection:
        return sorted(bytes(image) for image in connection.execute(select(texture_image.c.image)).scalars())


def dressed(engine: Engine) -> list[str]:
    """The objects that have a skin."""
    with engine.connect() as connection:
        return sorted(connection.execute(select(object_skin.c.object_id)).scalars())


def test_images_are_kept_once_by_content(engine: Engine, tmp_path: Path) -> None:
    pixels = {"a.png": gradient(), "sub/b.png": gradient(blue=9), "sub/same.png": gradient()}
    walls = [Wall(name, name) for name in pixels]
    report = imported(engine, written(tmp_path, model(walls), pixels))
    assert (report.images, report.images_lost) == (2, [])
    assert kept(engine) == sorted((tmp_path / name).read_bytes() for name in ("a.png", "sub/b.png"))
    assert dressed(engine) == sorted(pixels)


def test_an_image_comes_later_and_goes_again(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path, model([Wall("one", "a.png"), Wall("two", "b.png")]), {"b.png": gradient()})
    first = imported(engine, path)
    assert [(lost.place, lost.code) for lost in first.images_lost] == [("a.png", "image")]
    assert "there is no such file" in first.images_lost[0].reason
    assert any("textures without their image: 1" in line for line in first.lines())
    assert dressed(engine) == ["two"]
    saved(tmp_path / "a.png", gradient(blue=7))
    again = imported(engine, path)
    assert (again.images, again.unchanged, again.attributes_changed) == (2, 1, 1)
    assert dressed(engine) == ["one", "two"]
    assert imported(engine, path).rows_written == 0


def test_a_dry_run_keeps_none(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path, model([Wall("one", "a.png")]), {"a.png": gradient()})
    report = Ingest(engine, ImportOptions(dataset="d", city="helsinki", dry_run=True)).run(path)
    assert (report.images, kept(engine)) == (1, [])


def test_images_beside_a_model_in_an_archive_are_found(engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "delivery.zip"
    image = saved(tmp_path / "a.png", gradient())
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("in/model.json", orjson.dumps(model([Wall("one", "textures\\a.png")])))
        archive.write(image, "in/textures/a.png")
    assert imported(engine, path).images_lost == []
    assert kept(engine) == [image.read_bytes()]


@pytest.mark.parametrize(
    "name", ["../a.png", "/etc/passwd", "sub/../../a.png", "http://x.org/a.png", "", "..\\a.png", "a\n.png"]
)
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    inner = tmp_path / "in"
    saved(tmp_path / "a.png", gradient())
    inner.mkdir()
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.png", "a.png")
    for source in (Folder(inner), Archive(tmp_path / "a.zip", "in/model.json"), NoImages()):
        with pytest.raises(Unusable):
            source.read(name)


def test_no_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    inner = tmp_path / "in"
    inner.mkdir()
    (inner / "a.png").symlink_to(saved(tmp_path / "a.png", gradient()))
    with pytest.raises(Unusable, match="leads out"):
        Folder(inner).read("a.png")


def test_files_of_any_length_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importers.image_sources.MOST_BYTES", 100)
    image = saved(tmp_path / "a.png", gradient())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(image, "a.png")
    for source in (Folder(tmp_path), Archive(tmp_path / "a.zip", "model.json")):
        with pytest.raises(Unusable, match="MB"):
            source.read("a.png")


def png(width: int, height: int) -> bytes:
    """A PNG of zeros that takes a thousandth of the bytes of its pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    row = bytes(1 + 3 * width)
    packer = zlib.compressobj(9)
    body = b"".join([*(packer.compress(row) for _ in range(height)), packer.flush()])
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def saved_as(kind: str, image: Image.Image, **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def test_a_bomb_is_not_unpacked() -> None:
    bomb = png(8_000, 8_000)
    assert len(bomb) < 250_000
    with pytest.raises(Unusable, match="8000 x 8000 pixels"):
        images.check_image(bomb)


SOUND = Image.fromarray(np.random.default_rng(3).integers(0, 255, (48, 64, 3), dtype=np.uint8))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no image",
        saved_as("PNG", SOUND)[:500],
        saved_as("JPEG", SOUND)[:600],
        saved_as("PNG", SOUND)[:60] + b"\0" * 300,
        saved_as("GIF", SOUND),
        saved_as("TIFF", SOUND),
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"\xff\xd8\xff\xe0" + bytes(64),
    ],
)
def test_what_is_no_whole_jpeg_or_png_is_not_kept(data: bytes) -> None:
    with pytest.raises(Unusable):
        images.check_image(data)


@pytest.mark.parametrize(
    "data",
    [
        saved_as("JPEG", SOUND.convert("CMYK")),
        saved_as("JPEG", SOUND.convert("L"), progressive=True),
        saved_as("PNG", SOUND.convert("P")),
        saved_as("PNG", SOUND.convert("LA")),
        saved_as("PNG", Image.fromarray(np.full((9, 9), 40_000, dtype=np.uint16))),
        saved_as("PNG", Image.new("1", (9, 9))),
    ],
)
def test_every_kind_of_jpeg_and_png_is_kept(data: bytes) -> None:
    images.check_image(data)


def test_a_damaged_image_costs_its_texture_alone(engine: Engine, tmp_path: Path) -> None:
    walls = [Wall("one", "a.png"), Wall("two", "b.png"), Wall("out", "../a.png")]
    path = written(tmp_path / "in", model(walls), {"a.png": gradient()})
    saved(tmp_path / "a.png", gradient())
    (tmp_path / "in" / "b.png").write_bytes(saved_as("PNG", SOUND)[:200])
    report = imported(engine, path)
    assert (report.read, report.images, report.refused) == (3, 1, [])
    assert {lost.place: lost.reason.split(" (")[0] for lost in report.images_lost} == {
        "b.png": "it is damaged",
        "../a.png": "its name is no path within the folder of the model",
    }
    assert dressed(engine) == ["one"]
