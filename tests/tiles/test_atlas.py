"""What images of every kind, and too many or too large ones, become in an atlas."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tiles.pixels import Sampled
from tests.tiles.textured import gradient
from tiles import atlas, pictures
from twin.processing.skins import Texture

SQUARE = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], dtype=float)
"""Corners of a face that shows the whole of an image, counted from its upper left corner."""


def saved(image: Image.Image, kind: str = "PNG", **more: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **more)
    return out.getvalue()


def key(number: int) -> bytes:
    return number.to_bytes(16, "big")


def wanted(*faces: tuple[Texture, Any]) -> atlas.Wanted:
    textures = list(dict.fromkeys(texture for texture, _ in faces))
    return atlas.Wanted(
        textures=textures,
        texture=np.array([textures.index(texture) for texture, _ in faces]),
        place=np.concatenate([place for _, place in faces]),
        start=np.arange(len(faces) + 1) * 4,
        colour=np.full((len(faces), 4), 255, dtype=np.uint8),
    )


def opened(made: atlas.Atlas) -> Sampled:
    with Image.open(io.BytesIO(made.image)) as image:
        return Sampled(np.asarray(image))


def middle(made: atlas.Atlas, face: int) -> list[int]:
    """The colour in the middle of a face."""
    right, down = made.place[4 * face : 4 * face + 4].mean(axis=0)
    return np.rint(opened(made).at(right, down)).astype(int).tolist()


NOISE = Image.fromarray(np.random.default_rng(5).integers(0, 255, (40, 40, 3), dtype=np.uint8))
GREY16 = Image.fromarray(np.full((40, 40), 40_000, dtype=np.uint16))


@pytest.mark.parametrize(
    ("data", "colour"),
    [
        (saved(Image.new("RGB", (40, 40), (200, 90, 30))), (200, 90, 30)),
        (saved(Image.new("RGB", (40, 40), (200, 90, 30)), "JPEG"), (200, 90, 30)),
        (saved(Image.new("L", (40, 40), 77)), (77, 77, 77)),
        (saved(Image.new("1", (40, 40), 1)), (255, 255, 255)),
        (saved(Image.new("RGB", (40, 40), (0, 120, 240)).convert("P")), (0, 120, 240)),
        (saved(Image.new("RGB", (40, 40), (200, 90, 30)).convert("CMYK"), "JPEG"), (200, 90, 30)),
        (saved(GREY16), (156, 156, 156)),
        (saved(Image.new("LA", (40, 40), (60, 255))), (60, 60, 60)),
        (saved(Image.new("RGBA", (40, 40), (1, 200, 90, 255))), (1, 200, 90)),
    ],
)
def test_every_kind_of_image_keeps_its_colour(data: bytes, colour: tuple[int, ...]) -> None:
    made = atlas.build(wanted((Texture(key(1)), SQUARE)), {key(1): data})
    assert made.media_type == "image/jpeg"
    assert np.abs(np.array(middle(made, 0)) - colour).max() <= 8


def test_what_shows_through_is_kept_as_png() -> None:
    fence = Image.new("RGBA", (1_500, 40), (200, 90, 30, 255))
    fence.paste((0, 0, 0, 0), (0, 0, 700, 40))
    made = atlas.build(wanted((Texture(key(1)), SQUARE)), {key(1): saved(fence)})
    assert (made.media_type, made.opaque) == ("image/png", False)
    assert max(opened(made).pixels.shape[:2]) <= 1_024
    assert middle(made, 0) == [200, 90, 30, 255]
    quarter = made.place[0] * 0.75 + made.place[2] * 0.25
    assert opened(made).at(*quarter)[3] == 0


def test_only_what_is_shown_of_an_image_is_taken() -> None:
    photo = saved(Image.fromarray(gradient(2_000, 1_600)), "JPEG")
    corner = SQUARE * 0.05
    made = atlas.build(wanted((Texture(key(1)), corner), (Texture(key(1)), corner + 0.9)), {key(1): photo})
    assert opened(made).pixels.shape[0] * opened(made).pixels.shape[1] < 256 * 256


def test_what_would_not_fit_is_coarser() -> None:
    images = {key(n): saved(Image.fromarray(gradient(1_000, 800, blue=9 * n)), "JPEG") for n in range(12)}
    made = atlas.build(wanted(*((Texture(image), SQUARE) for image in images)), images)
    shape = opened(made).pixels.shape
    assert max(shape[:2]) <= atlas.MOST_PIXELS
    assert shape[0] * shape[1] > 0.5 * atlas.MOST_PIXELS**2
    assert not made.plain.any()
    for n in range(12):
        assert np.abs(np.array(middle(made, n)) - [125, 120, 9 * n]).max() <= 8


def test_many_faces_fit_and_too_many_have_average_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    image = saved(Image.fromarray(gradient()))
    apart = [(Texture(key(n)), SQUARE) for n in range(400)]
    made = atlas.build(wanted(*apart), {key(n): image for n in range(400)})
    assert not made.plain.any()
    monkeypatch.setattr(atlas, "MOST_PIXELS", 64)
    made = atlas.build(wanted(*apart), {key(n): image for n in range(400)})
    assert made.plain.all()
    assert (made.image, made.media_type) == (b"", "")
    assert np.abs(made.colour.astype(int) - [125, 120, 40, 255]).max() <= 2


@pytest.mark.parametrize("data", [None, b"", b"nothing", saved(GREY16)[:60], saved(NOISE)[:900]])
def test_an_image_that_cannot_be_had_costs_its_faces_their_texture(data: bytes | None) -> None:
    images = {key(1): saved(Image.new("RGB", (40, 40), (200, 90, 30)))}
    images |= {} if data is None else {key(2): data}
    made = atlas.build(wanted((Texture(key(1)), SQUARE), (Texture(key(2)), SQUARE)), images)
    assert made.plain.tolist() == [False, True]
    assert made.colour.tolist() == [[0, 0, 0, 0], [0, 0, 0, 0]]


def test_what_repeats_too_often_has_its_average_colour() -> None:
    image = saved(Image.fromarray(gradient()))
    faces = [(Texture(key(1)), SQUARE * count) for count in (1, 60, 70)]
    made = atlas.build(wanted(*faces), {key(1): image})
    assert made.plain.tolist() == [False, False, True]
    assert np.abs(made.colour[2].astype(int) - [125, 120, 40, 255]).max() <= 2


def test_faces_without_extent_in_their_image_have_its_colour_there() -> None:
    image = saved(Image.fromarray(gradient()))
    made = atlas.build(wanted((Texture(key(1)), np.full((4, 2), 0.5))), {key(1): image})
    assert np.abs(np.array(middle(made, 0)) - [125, 120, 40]).max() <= 8


def test_parts_do_not_overlap() -> None:
    """Each of many sizes has its own colour up to its edges, but for what JPEG blurs of colours."""
    sizes = [(7 + 13 * n % 90, 5 + 29 * n % 70) for n in range(40)]
    colours = [(6 * n, 255 - 6 * n, 40) for n in range(40)]
    images = {
        key(n): saved(Image.new("RGB", size, colour))
        for n, (size, colour) in enumerate(zip(sizes, colours, strict=True))
    }
    made = atlas.build(wanted(*((Texture(image), SQUARE) for image in images)), images)
    shown = opened(made)
    for n, colour in enumerate(colours):
        for corner in made.place[4 * n : 4 * n + 4]:
            assert np.abs(shown.at(*corner) - colour).max() <= 40, n


def test_bytes_and_pixels_are_those_of_pillow() -> None:
    pixels = np.dstack([gradient(), np.full((48, 64), 128, dtype=np.uint8)])
    data, media_type = pictures.encoded(pixels, opaque=False)
    assert media_type == "image/png"
    again = pictures.decoded(data, (64, 48))
    assert again is not None
    assert (again == pixels).all()
