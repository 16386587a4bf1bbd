"""Faults planted in the images of a tile, and in the places of its vertices."""

import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.tiles.cubes import meshes, street
from tests.tiles.test_check import changed_glb
from tests.tiles.test_glb import CELL, table
from tiles import glb
from tiles.check_glb import inspect_glb
from tiles.colours import linear_colours
from tiles.frame import Frame
from tiles.skin import Painted, Picture
from twin.processing.mesh import decode

Json = dict[str, Any]


def image(size: tuple[int, int] = (64, 64), kind: str = "JPEG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (90, 120, 30)).save(out, kind)
    return out.getvalue()


def tile(data: bytes | None = None, media_type: str = "image/jpeg", profile: Any = "textured") -> bytes:
    mesh = decode(meshes(street(3)))
    place = np.full((len(mesh.face), 2), 30_000, dtype=np.uint16)
    picture = Picture(image() if data is None else data, media_type, True, place)
    painted = Painted(linear_colours(mesh, ["Building"] * 3), picture)
    return glb.encode(glb.Model(mesh, paint=painted), Frame.of_cell(CELL), table(3), profile=profile)


def codes(data: bytes) -> list[str]:
    return [problem.code for problem in inspect_glb(data).problems]


@pytest.mark.parametrize("profile", ["textured", "plain"])
def test_a_good_one_is_found_good(profile: str) -> None:
    assert codes(tile(profile=profile)) == []
    assert codes(tile(image(kind="PNG"), "image/png", profile)) == []


def _material(document: Json) -> Json:
    return document["materials"][0]["pbrMetallicRoughness"]["baseColorTexture"]


def _primitive(document: Json) -> Json:
    return document["meshes"][0]["primitives"][0]


def _places(document: Json, **values: Any) -> None:
    document["accessors"][_primitive(document)["attributes"]["TEXCOORD_0"]].update(values)


FAULTS: list[tuple[str, Callable[[Json], Any]]] = [
    ("dangling-texture", lambda d: _material(d).update(index=1)),
    ("dangling-texture", lambda d: _material(d).pop("index")),
    ("dangling-image", lambda d: d["textures"][0].update(source=-1)),
    ("dangling-image", lambda d: d["textures"][0].pop("source")),
    ("dangling-sampler", lambda d: d["textures"][0].update(sampler=3)),
    ("sampler", lambda d: d["samplers"][0].update(wrapS=1)),
    ("sampler", lambda d: d["samplers"][0].update(minFilter=9730)),
    ("image-type", lambda d: d["images"][0].update(mimeType="image/webp")),
    ("image-type", lambda d: d["images"][0].update(mimeType="image/png")),
    ("image-type", lambda d: d["images"][0].pop("bufferView")),
    ("dangling-view", lambda d: d["images"][0].update(bufferView=99)),
    ("image", lambda d: d["images"][0].update(bufferView=0)),
    ("image", lambda d: d["bufferViews"][d["images"][0]["bufferView"]].update(byteLength=300)),
    ("dangling-material", lambda d: _primitive(d).update(material=1)),
    ("no-texture-coordinates", lambda d: _primitive(d)["attributes"].pop("TEXCOORD_0")),
    ("no-texture-coordinates", lambda d: _material(d).update(texCoord=1)),
    ("texture-coordinates", lambda d: _places(d, normalized=False)),
    ("attribute-count", lambda d: _places(d, count=5)),
    ("alpha-mode", lambda d: d["materials"][0].update(alphaMode="GLASS")),
]


@pytest.mark.parametrize(("code", "change"), FAULTS, ids=[code for code, _ in FAULTS])
def test_planted_faults_are_found(code: str, change: Callable[[Json], Any]) -> None:
    assert code in codes(changed_glb(tile(), change))


def test_an_image_that_is_too_large_is_found() -> None:
    assert codes(tile(image((2_052, 8)))) == ["image-size"]


def test_places_outside_of_the_image_are_found() -> None:
    """As floats, which may be anything."""

    def floats(document: Json) -> None:
        accessor = document["accessors"][_primitive(document)["attributes"]["POSITION"]]
        _places(document, bufferView=accessor["bufferView"], componentType=5122, normalized=True)

    assert codes(changed_glb(tile(profile="plain"), floats)) == ["texture-coordinates"]
    repeated = changed_glb(
        changed_glb(tile(profile="plain"), floats), lambda d: d["textures"][0].pop("sampler")
    )
    assert codes(repeated) == []
