"""From file to database to file: nothing is lost on the way."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from importers.ingest import ImportOptions, Ingest
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.stored import remove_all
from tests.tiles.textured import Wall, gradient, model, written
from twin.db import schema
from twin.db.collections import FEATURES
from twin.db.engine import Database
from twin.db.filters import compile_filter, parse
from twin.db.query import Selection, View
from twin.errors import InputError, NotFound
from twin.export import Format, Written, format_of, write_features
from twin.formats.canonical import differences

FOLDERS = ("cityjson", "tallinn")
NO_MODELS = {"generic.ext.json", "o4.json"}
"""An Extension, and version 0.9."""
NOT_VALID = {
    "cjio_compositesolid_ext.json": "material and texture without a pool",
    "cube_20.jsonl": "a line has the type CityJSONFeatur",
    "cube_20_1.jsonl": "an id stands three times",
    "duplicate.json": "an id stands twice",
    "extension.jsonl": "a line has the type CityJSONFeatur",
    "material.city.json": "a material that is not in the pool",
    "material2.city.json": "a material that is not in the pool",
    "o.json": "a vertex that is not there",
    "sem.json": "semantic values that do not fit the boundaries",
    "texture1.city.json": "a texture that is not in the pool",
    "texture2.city.json": "a texture that is not in the pool",
    "texture6.city.json": "numbers of texture vertices that are no integers",
}
"""Files of the corpora that break CityJSON itself: what they break is refused or left out, and said."""
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (SHARED_DATA / folder).rglob("*.json*")
    if path.name not in NO_MODELS | NOT_VALID.keys()
)


@pytest.fixture(scope="module")
def opened(database: Database) -> Iterator[Database]:
    remove_all(database.engine)
    yield database
    remove_all(database.engine)


def lines(path: Path) -> list[dict[str, Any]]:
    """A document, or the lines of a sequence."""
    content = path.read_bytes()
    try:
        return [orjson.loads(content)]
    except orjson.JSONDecodeError:
        return [orjson.loads(line) for line in content.splitlines() if line.strip()]


def there_and_back(opened: Database, source: Path, out: Path, format: Format) -> list[dict[str, Any]]:
    """A file imported into a dataset of its own (once for all formats) and exported again."""
    name = re.sub("[^a-z0-9]", "_", f"{source.parent.name}_{source.name}".lower())
    report = Ingest(opened.engine, ImportOptions(dataset=name, allow_unplaced=True)).run(source)
    assert not [entry for entry in report.refused if entry.code != "empty-model"]
    write_features(opened, out, Selection(View(), FEATURES, (name,)), format)
    return lines(out)


@needs_shared_data
@pytest.mark.parametrize("source", FILES, ids=lambda path: path.name)
def test_cityjson_comes_back_as_it_was(opened: Database, tmp_path: Path, source: Path) -> None:
    model = lines(source)
    formats: tuple[Format, ...] = ("cityjson", "cityjsonseq")
    for format in formats:
        found = there_and_back(opened, source, tmp_path / "out", format)
        assert differences(model, found) == [], format


def _cube_model(*names: str, height: int = 3000) -> dict[str, Any]:
    corners = [(0, 0), (4000, 0), (4000, 4000), (0, 4000)]
    vertices = [[x, y, z] for z in (0, height) for x, y in corners]
    faces = [[3, 2, 1, 0], [4, 5, 6, 7], *([i, (i + 1) % 4, 4 + (i + 1) % 4, 4 + i] for i in range(4))]
    shell = [[face] for face in faces]
    shapes = [
        {"type": type, "lod": "2", "boundaries": b}
        for type, b in (("Solid", [shell]), ("MultiSurface", shell))
    ]
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [0.001] * 3, "translate": [25496730.0, 6672500.0, 0.0]},
        "metadata": {"referenceSystem": "https://www.opengis.net/def/crs/EPSG/0/3879"},
        "CityObjects": {name: {"type": "Building", "geometry": shapes} for name in names},
        "vertices": vertices,
    }


def _imported(opened: Database, path: Path, model: dict[str, Any], dataset: str) -> None:
    path.write_bytes(orjson.dumps(model))
    Ingest(opened.engine, ImportOptions(dataset=dataset)).run(path)


def test_a_filter_chooses_features(opened: Database, tmp_path: Path) -> None:
    _imported(opened, tmp_path / "a.city.json", _cube_model("a", "b"), "filtered")
    view = View()
    chosen = compile_filter(parse("object_id = 'b'"), FEATURES.queryables(view))
    out = tmp_path / "out.city.jsonl"
    selection = Selection(view, FEATURES, ("filtered",), (chosen,))
    assert write_features(opened, out, selection, "cityjsonseq") == Written(1, 0)
    assert [list(line["CityObjects"]) for line in lines(out)] == [[], ["b"]]
    nobody = compile_filter(parse("object_id = 'c'"), FEATURES.queryables(view))
    with pytest.raises(NotFound, match="No feature fits"):
        write_features(opened, out, Selection(view, FEATURES, ("filtered",), (nobody,)), "cityjsonseq")
    with pytest.raises(NotFound, match="no dataset 'nowhere'"):
        write_features(opened, out, Selection(view, FEATURES, ("nowhere",)), "cityjson")


def test_a_time_before_shows_what_was_stored_then(opened: Database, tmp_path: Path) -> None:
    before, after = _cube_model("a"), _cube_model("a", height=5000)
    _imported(opened, tmp_path / "a.city.json", before, "changing")
    between = datetime.now(UTC)
    _imported(opened, tmp_path / "b.city.json", after, "changing")
    for moment, expected in ((between, before), (None, after), (datetime.now(UTC), after)):
        out = tmp_path / "out.city.json"
        write_features(opened, out, Selection(View(as_of=moment), FEATURES, ("changing",)), "cityjson")
        assert differences([expected], lines(out)) == []


def test_coordinates_keep_all_their_decimals(opened: Database, tmp_path: Path) -> None:
    model = _cube_model("a")
    model["transform"]["scale"] = [0.0000125, 0.0001, 0.001]
    _imported(opened, tmp_path / "a.city.json", model, "fine")
    model["transform"] = {"scale": [0.001] * 3, "translate": [25496730.0, 6672500.0, 0.0]}
    model["vertices"] = [[x + 10_000, y, z] for x, y, z in model["vertices"]]
    model["CityObjects"] = {"z": model["CityObjects"]["a"]}
    _imported(opened, tmp_path / "b.city.json", model, "fine")
    out = tmp_path / "out.city.json"
    write_features(opened, out, Selection(View(), FEATURES, ("fine",)), "cityjson")
    (found,) = lines(out)
    scale, translate = found["transform"]["scale"][0], found["transform"]["translate"][0]
    xs = {round(vertex[0] * scale + translate, 7) for vertex in found["vertices"]}
    assert xs == {25496730.0, 25496730.05, 25496740.0, 25496744.0}


@needs_shared_data
def test_citygml_comes_back_as_the_same_buildings(opened: Database, tmp_path: Path) -> None:
    source = SHARED_DATA / "helsinki" / "kalasatama_2549_6674.gml"
    ingest = Ingest(opened.engine, ImportOptions(dataset="kalasatama"))
    ingest.run(source)
    out = tmp_path / "out.gml"
    assert write_features(opened, out, Selection(View(), FEATURES, ("kalasatama",)), "citygml").features == 61
    again = Ingest(opened.engine, ImportOptions(dataset="kalasatama_again")).run(out)
    assert (again.added, again.refused, again.problems) == (61, [], [])
    f = schema.feature.c
    volumes = [
        select(f.object_id, f.volume_m3, f.national_building_id)
        .where(f.dataset == name)
        .order_by(f.object_id)
        for name in ("kalasatama", "kalasatama_again")
    ]
    with opened.engine.connect() as connection:
        one, other = ([tuple(row) for row in connection.execute(statement)] for statement in volumes)
    assert one == other


def test_the_format_is_in_the_name() -> None:
    assert format_of(Path("a.city.JSONL")) == "cityjsonseq"
    assert format_of(Path("a.json")) == "cityjson"
    assert format_of(Path("a.gml")) == "citygml"
    with pytest.raises(InputError, match="--format"):
        format_of(Path("a.obj"))


@pytest.mark.parametrize("form", ["cityjson", "cityjsonseq", "citygml"])
def test_images_stand_beside_the_model(opened: Database, tmp_path: Path, form: Format) -> None:
    pixels = {"a.png": gradient(), "sub/b.png": gradient(blue=9)}
    walls = [Wall("one", "a.png"), Wall("two", "sub/b.png"), Wall("three", "a.png"), Wall("four", "gone.png")]
    source = written(tmp_path / "given", model(walls), pixels)
    name = f"pictured_{form}"
    Ingest(opened.engine, ImportOptions(dataset=name, city="helsinki")).run(source)
    out = tmp_path / "out" / ("model.gml" if form == "citygml" else "model.city.json")
    out.parent.mkdir()
    chosen = Selection(View(), FEATURES, (name,))
    assert write_features(opened, out, chosen, form) == Written(4, 2)
    assert sorted(path.relative_to(out.parent).as_posix() for path in out.parent.rglob("*.png")) == [*pixels]
    for path in pixels:
        assert (out.parent / path).read_bytes() == (source.parent / path).read_bytes()
    again = Ingest(opened.engine, ImportOptions(dataset=f"{name}_again", city="helsinki")).run(out)
    assert again.images == 2
    # What is there already stays; another file of the name is not overwritten, and the model neither.
    assert write_features(opened, out, chosen, form) == Written(4, 2)
    (out.parent / "a.png").write_bytes(b"somebody's own")
    before = out.read_bytes()
    with pytest.raises(InputError, match=r"a\.png: there is another file of this name"):
        write_features(opened, out, chosen, form)
    assert (out.parent / "a.png").read_bytes() == b"somebody's own"
    assert out.read_bytes() == before


def test_of_two_images_with_one_name_one_gets_another(opened: Database, tmp_path: Path) -> None:
    options = ImportOptions(dataset="twofold", city="helsinki")
    for folder, blue in (("north", 9), ("south", 90)):
        given = model([Wall(folder, "./wall.png")])
        source = written(tmp_path / folder, given, {"wall.png": gradient(blue=blue)})
        Ingest(opened.engine, options).run(source)
    out = tmp_path / "out.city.json"
    assert write_features(opened, out, Selection(View(), FEATURES, ("twofold",)), "cityjson") == Written(2, 2)
    names = sorted(texture["image"] for texture in orjson.loads(out.read_bytes())["appearance"]["textures"])
    assert names[0] == "./wall.png"
    assert re.fullmatch("wall-[0-9a-f]{32}\\.png", names[1])
    found = {(tmp_path / name).read_bytes() for name in names}
    assert found == {(tmp_path / folder / "wall.png").read_bytes() for folder in ("north", "south")}
