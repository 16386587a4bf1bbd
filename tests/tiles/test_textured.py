"""Tiles with the images of the source: the same colours at the same places, whatever the image does."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select

from importers.ingest import ImportOptions, Ingest
from importers.report import Report
from tests.importers.cityjson_cube import building, document, geometry, write
from tests.importers.stored import clean, counts, remove_all
from tests.tiles import gltf
from tests.tiles.pixels import Sampled, picture
from tests.tiles.textured import Wall, gradient, model, saved, south_walls, written
from tiles.batch import write_tileset
from tiles.build import TileRequest
from tiles.check import check_path
from tiles.output import JOURNAL
from twin.db.collections import BUILDINGS
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.db.skin_tables import object_skin
from twin.processing.pipeline import process

MOST, TYPICAL = 14.0, 3.0
"""By how many of 255 levels colours differ at most and on the average, after JPEG; a pixel on from another
the images differ by 3."""


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    with clean(database.engine) as engine:
        yield engine


def imported(engine: Engine, path: Path, **more: Any) -> Report:
    return Ingest(engine, ImportOptions(dataset="d", city="helsinki", **more)).run(path)


def request(profile: Any = "textured", **more: Any) -> TileRequest:
    return TileRequest(Selection(View(), BUILDINGS), profile=profile, **more)


def tile(engine: Engine, folder: Path, asked: TileRequest | None = None) -> gltf.Glb:
    """The one leaf of all, in which our checker finds nothing."""
    write_tileset(engine, folder, asked or request())
    assert [str(finding) for finding in check_path(folder)] == []
    (path,) = (path for path in folder.rglob("*.glb") if "blocks" not in path.name)
    return gltf.read(path.read_bytes())


def border(red: float, green: float, blue: float, **more: Any) -> dict[str, Any]:
    return {"borderColor": [red, green, blue, 1.0], **more}


WALLS = [
    Wall("whole", "a.png"),
    Wall("part", "a.png", (0.25, 0.5, 0.5, 0.75)),
    Wall("mirrored", "a.png", (1.0, 0.0, 0.0, 1.0)),
    Wall("untold", "b.png", (0.0, 0.0, 3.0, 2.0)),
    Wall("wrap", "a.png", (0.0, 0.0, 3.0, 2.0), {"wrapMode": "wrap"}),
    Wall("shifted", "a.png", (-3.6, 7.3, -2.2, 9.1), {"wrapMode": "wrap"}),
    Wall("often", "b.png", (0.0, 0.0, 12.0, 1.0), {"wrapMode": "wrap"}),
    Wall("mirror", "a.png", (0.0, -1.5, 3.0, 1.5), {"wrapMode": "mirror"}),
    Wall("clamp", "a.png", (-0.5, -0.5, 1.5, 1.5), {"wrapMode": "clamp"}),
    Wall("border", "a.png", (-0.5, -0.5, 1.5, 1.5), border(0.2, 0.4, 0.6, wrapMode="border")),
    Wall("none", "a.png", (-0.5, -0.5, 1.5, 1.5), {"wrapMode": "none"}),
]
IMAGES = {"a.png": gradient(), "b.png": gradient(40, 40, blue=160)}
PLAIN_WALL = (0xE6, 0xDD, 0xD0)


def expected(wall: Wall) -> Sampled:
    """What a card would read from the image itself."""
    wrap = wall.more.get("wrapMode", "wrap")
    shown = tuple(round(255 * part) for part in wall.more.get("borderColor", (0, 0, 0))[:3])
    if wrap == "none":
        wrap, shown = "border", PLAIN_WALL
    inside = min(wall.uv) >= 0 and max(wall.uv) <= 1
    return Sampled(IMAGES[wall.image], "clamp" if inside else wrap, shown)


def differences(walls: Sequence[Wall], glb: gltf.Glb) -> dict[str, tuple[float, float]]:
    """The greatest and the average difference of colours, at places that are not on a seam, by wall."""
    found: dict[str, tuple[float, float]] = {}
    shown = south_walls(glb)
    for wall in walls:
        left, bottom, right, top = wall.uv
        source, off = expected(wall), list[float]()
        height, width = source.pixels.shape[:2]
        for place in shown[wall.id]:
            u, v = left + place.right * (right - left), bottom + place.up * (top - bottom)
            if min(abs(u - round(u)) * width, abs(v - round(v)) * height) > 4:
                off.append(float(np.abs(place.colour[:3] - source.at(u, 1 - v)).max()))
        assert len(off) > 20, wall.id
        found[wall.id] = max(off), float(np.mean(off))
    return found


def assert_same(walls: Sequence[Wall], glb: gltf.Glb) -> None:
    off = differences(walls, glb)
    assert max(most for most, _ in off.values()) <= MOST, off
    assert max(average for _, average in off.values()) <= TYPICAL, off


def test_colours_are_those_of_the_images_whatever_lies_outside_of_them(
    engine: Engine, tmp_path: Path
) -> None:
    report = imported(engine, written(tmp_path, model(WALLS), IMAGES))
    assert (report.images, report.images_lost) == (2, [])
    glb = tile(engine, tmp_path / "tiles")
    assert_same(WALLS, glb)
    validated = gltf.validate(tmp_path / "tiles")
    assert (validated["errors"], validated["warnings"]) == (0, 0), validated["messages"]


def test_what_has_no_texture_keeps_its_colour(engine: Engine, tmp_path: Path) -> None:
    imported(engine, written(tmp_path, model(WALLS[:1]), IMAGES))
    textured, plain = (tile(engine, tmp_path / name, request(name)) for name in ("textured", "standard"))
    shown = textured.attribute("NORMAL")[:, 2] > 100
    assert (textured.attribute("COLOR_0")[shown] == 255).all()
    assert (textured.attribute("COLOR_0")[~shown] == plain.attribute("COLOR_0")[~shown]).all()
    white = textured.attribute("TEXCOORD_0")[~shown] / 65535
    assert (picture(textured).at(*white[0]) > 254.5).all()
    assert (white == white[0]).all()
    for name in ("POSITION", "NORMAL", "_FEATURE_ID_0", "_FEATURE_ID_1"):
        assert (textured.attribute(name) == plain.attribute(name)).all()


def leaf(folder: Path) -> bytes:
    (path,) = (path for path in folder.rglob("*.glb") if "blocks" not in path.name)
    return path.read_bytes()


def test_a_tile_without_textures_is_as_the_standard_one(engine: Engine, tmp_path: Path) -> None:
    imported(engine, write(tmp_path, document()))
    for name in ("textured", "standard"):
        write_tileset(engine, tmp_path / name, request(name))
    assert leaf(tmp_path / "textured") == leaf(tmp_path / "standard")


def test_materials_give_colours_where_there_is_no_image(engine: Engine, tmp_path: Path) -> None:
    materials = [{"name": "red", "diffuseColor": [1.0, 0.5, 0.0]}, {"name": "untold"}]
    shown = {**geometry(), "material": {"m": {"values": [[0, 0, None, 1, None, None]]}}}
    look = {"materials": materials}
    imported(engine, write(tmp_path, document({"B1": building(geometry=[shown])}, appearance=look)))
    coloured, plain = (tile(engine, tmp_path / name, request(name)) for name in ("textured", "standard"))
    assert "images" not in coloured.document
    assert "TEXCOORD_0" not in coloured.primitive["attributes"]
    faces = coloured.attribute("_FEATURE_ID_1")[:, 0]
    assert np.unique(coloured.attribute("COLOR_0")[faces < 2], axis=0).tolist() == [[255, 55, 0, 255]]
    assert (coloured.attribute("COLOR_0")[faces > 1] == plain.attribute("COLOR_0")[faces > 1]).all()


def two_themes(**more: Any) -> dict[str, Any]:
    """A wall with one image in summer and another one in winter, and a second wall in winter only."""
    both, winter = Wall("both", "a.png", theme="summer"), Wall("winter", "b.png", theme="winter")
    whole = model([both, winter], **more)
    cube = whole["CityObjects"]["both"]["geometry"][0]
    in_winter = deepcopy(cube["texture"]["summer"])
    in_winter["values"][0][2][0][0] = 1
    cube["texture"]["winter"] = in_winter
    return whole


@pytest.mark.parametrize(
    ("stated", "theme", "images"),
    [
        ({}, None, {"both": "a.png", "winter": "b.png"}),
        ({"default-theme-texture": "winter"}, None, {"both": "b.png", "winter": "b.png"}),
        ({"default-theme-texture": "winter"}, "summer", {"both": "a.png", "winter": None}),
        ({}, "winter", {"both": "b.png", "winter": "b.png"}),
        ({}, "autumn", {"both": None, "winter": None}),
    ],
)
def test_the_theme_is_the_one_asked_for_or_that_of_the_source(
    engine: Engine, tmp_path: Path, stated: Any, theme: str | None, images: dict[str, str | None]
) -> None:
    imported(engine, written(tmp_path, two_themes(**stated), IMAGES))
    glb = tile(engine, tmp_path / "tiles", request(theme=theme))
    walls = [Wall(name, image) for name, image in images.items() if image is not None]
    if not walls:
        assert "images" not in glb.document
        return
    assert_same(walls, glb)
    colours = glb.attribute("COLOR_0")[glb.attribute("NORMAL")[:, 2] > 100]
    assert len(colours) == 8
    assert (colours == 255).all(axis=1).sum() == 4 * len(walls)


def test_tags_tell_images_and_themes_apart(engine: Engine, tmp_path: Path) -> None:
    path = written(tmp_path, two_themes(), IMAGES)

    def tags() -> set[str]:
        found: set[str] = set()
        for number, asked in enumerate((request(), request(theme="winter"), request("standard"))):
            out = tmp_path / f"{number}"
            write_tileset(engine, out, asked)
            found |= {line for line in (out / JOURNAL).read_text().splitlines() if "blocks" not in line}
        return found

    imported(engine, path)
    before = tags()
    assert len(before) == 3
    assert imported(engine, path).rows_written == 0
    assert tags() == before
    saved(tmp_path / "a.png", gradient(blue=90))
    assert imported(engine, path).attributes_changed == 1
    assert not tags() & before
    glb = gltf.read(leaf(tmp_path / "0"))
    assert abs(np.median([place.colour[2] for place in south_walls(glb)["both"]]) - 90) < TYPICAL


def test_processing_again_finds_skins_as_they_are(engine: Engine, tmp_path: Path) -> None:
    imported(engine, written(tmp_path, two_themes(), IMAGES))
    with engine.connect() as connection:
        before = connection.execute(select(object_skin).order_by(object_skin.c.object_id)).all()
    assert len(before) == 3
    process(engine, force=True)
    with engine.connect() as connection:
        assert connection.execute(select(object_skin).order_by(object_skin.c.object_id)).all() == before
    write_tileset(engine, tmp_path / "tiles", request())
    assert "images" in gltf.read(leaf(tmp_path / "tiles")).document


def test_nothing_of_a_dataset_is_left(engine: Engine, tmp_path: Path) -> None:
    imported(engine, written(tmp_path, two_themes(), IMAGES))
    assert (counts(engine)["texture_image"], counts(engine)["object_skin"]) == (2, 3)
    remove_all(engine)
    assert (counts(engine)["texture_image"], counts(engine)["object_skin"]) == (0, 0)


def test_templates_with_a_look_are_meshed_with_it(engine: Engine, tmp_path: Path) -> None:
    """Those without one are drawn as instances beside it, which have no image."""
    document = model([Wall("whole", "a.png")])
    cube, plain = deepcopy(document["CityObjects"]["whole"]["geometry"][0]), geometry()
    document["geometry-templates"] = {
        "templates": [cube, plain],
        "vertices-templates": [[x / 1000 for x in vertex] for vertex in document["vertices"]],
    }
    matrix = np.eye(4).reshape(-1).tolist()
    for number in range(8):
        place = [100_000 + 25_000 * number, 0, 0]
        document["vertices"].append(place)
        shown = {
            "type": "GeometryInstance",
            "template": min(number, 1),
            "boundaries": [len(document["vertices"]) - 1],
            "transformationMatrix": matrix,
        }
        document["CityObjects"][f"i{number}"] = building(geometry=[shown])
    imported(engine, written(tmp_path, document, IMAGES))
    glb = tile(engine, tmp_path / "tiles")
    assert len(glb.document["meshes"]) == 2
    assert [material.get("pbrMetallicRoughness", {}).keys() >= {"baseColorTexture"}
            for material in glb.document["materials"]] == [True, False]  # fmt: skip
    assert [mesh["primitives"][0]["material"] for mesh in glb.document["meshes"]] == [0, 1]
    places = [mesh["primitives"][0]["attributes"].get("TEXCOORD_0") for mesh in glb.document["meshes"]]
    assert places[0] is not None
    assert places[1] is None
    validated = gltf.validate(tmp_path / "tiles")
    assert (validated["errors"], validated["warnings"]) == (0, 0), validated["messages"]
