"""The images of textures come back beside the model, and the model knows where they are."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from importers.image_sources import Folder
from importers.ingest import ImportOptions, Ingest
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.cityjson_cube import building
from tests.importers.stored import clean
from tests.tiles.textured import Wall, gradient, model, saved, written
from twin.db.collections import FEATURES
from twin.db.engine import Database
from twin.db.load import stored_specs
from twin.db.query import Selection, View
from twin.db.skin_tables import texture_image
from twin.errors import InputError
from twin.export import Format, Written, write_features
from twin.formats.canonical import differences

FORMATS: dict[Format, str] = {
    "cityjson": "out.city.json",
    "cityjsonseq": "out.city.jsonl",
    "citygml": "out.gml",
}


@pytest.fixture
def opened(database: Database) -> Iterator[Database]:
    with clean(database.engine):
        yield database


def imported(opened: Database, path: Path, dataset: str = "d") -> int:
    """How many images were kept; each has to be found."""
    report = Ingest(opened.engine, ImportOptions(dataset=dataset, city="helsinki", allow_unplaced=True)).run(
        path
    )
    assert (report.images_lost, report.refused) == ([], [])
    return report.images


def exported(opened: Database, out: Path, format: Format, dataset: str = "d") -> Written:
    out.parent.mkdir(exist_ok=True)
    return write_features(opened, out, Selection(View(), FEATURES, (dataset,)), format)


def files(folder: Path) -> dict[str, bytes]:
    """Everything in a folder but models, by its relative name."""
    found = (path for path in folder.rglob("*") if path.is_file() and path.name not in FORMATS.values())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def lines(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def kept(opened: Database, dataset: str) -> set[bytes]:
    """The hashes of the images of a dataset."""
    with opened.engine.connect() as connection:
        ((number, _),) = stored_specs(connection, dataset)
        own = select(texture_image.c.hash).where(texture_image.c.dataset_id == number)
        return {bytes(image) for image in connection.execute(own).scalars()}


def with_template(document: dict[str, Any]) -> dict[str, Any]:
    """The model with a tree whose template has the first of the images, in another theme."""
    corners = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [1.0, 0.0, 2.0], [0.0, 0.0, 2.0]]
    template = {
        "type": "MultiSurface", "lod": "2", "boundaries": [[[0, 1, 2, 3]]],
        "texture": {"autumn": {"values": [[[0, 0, 1, 2, 3]]]}},
    }  # fmt: skip
    matrix = [float(row == column) for row in range(4) for column in range(4)]
    instance = {"type": "GeometryInstance", "template": 0, "boundaries": [0], "transformationMatrix": matrix}
    document["geometry-templates"] = {"templates": [template], "vertices-templates": corners}
    document["CityObjects"]["tree"] = building(type="SolitaryVegetationObject", geometry=[instance])
    return document


WALLS = (
    Wall("one", "a.png"),
    Wall("two", "sub/b.PNG"),
    Wall("three", "sub\\c d.png", theme="summer"),
    Wall("same", "sub/same.png"),
)
PIXELS = {name: gradient(blue=n) for n, name in enumerate(("a.png", "sub/b.PNG", "sub/c d.png"))}


def test_images_come_back_under_their_names(opened: Database, tmp_path: Path) -> None:
    document = with_template(model(WALLS))
    pixels = {**PIXELS, "sub/same.png": PIXELS["a.png"]}
    source = written(tmp_path / "in", document, pixels)
    assert imported(opened, source) == 3
    given = files(tmp_path / "in")
    given.pop("model.city.json")
    for format, name in FORMATS.items():
        out = tmp_path / format / name
        assert exported(opened, out, format).images == 4
        assert files(out.parent) == given
        if format != "citygml":
            assert differences([document], lines(out)) == []
        assert imported(opened, out, format) == 3
        assert kept(opened, format) == kept(opened, "d")
        assert exported(opened, out, format).images == 4
        assert files(out.parent) == given


def names(path: Path) -> set[str]:
    """The images that a model tells of."""
    return set(re.findall(r'(?:"image":"|imageURI>)([^"<]+)', path.read_text()))


NAMES: Mapping[str, str] = {
    "hidden": ".bashrc",
    "folder": ".ssh/a.png",
    "ending": "run.sh",
    "model": "out.city.json",
}


def test_names_that_should_not_be_made_are_not(opened: Database, tmp_path: Path) -> None:
    saved(tmp_path / "a.png", gradient())
    for name in NAMES.values():
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((tmp_path / "a.png").read_bytes())
    walls = [Wall(id, name) for id, name in NAMES.items()]
    imported(opened, written(tmp_path / "in", model(walls), {}))
    out = tmp_path / "out" / "out.city.json"
    assert exported(opened, out, "cityjson").images == 0
    assert (files(out.parent), names(out)) == ({}, set(NAMES.values()))


def test_no_link_leads_images_elsewhere(opened: Database, tmp_path: Path) -> None:
    imported(opened, written(tmp_path / "in", model([Wall("one", "sub/a.png")]), {"sub/a.png": gradient()}))
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").symlink_to(elsewhere)
    out = tmp_path / "out" / "out.city.json"
    with pytest.raises(InputError, match="leads out of the folder"):
        exported(opened, out, "cityjson")
    assert (list(elsewhere.iterdir()), out.exists()) == ([], False)


def test_a_folder_that_cannot_be_made_is_said(opened: Database, tmp_path: Path) -> None:
    imported(opened, written(tmp_path / "in", model([Wall("one", "sub/a.png")]), {"sub/a.png": gradient()}))
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "sub").write_text("a file")
    with pytest.raises(InputError, match="cannot be written"):
        exported(opened, tmp_path / "out" / "out.city.json", "cityjson")


@needs_shared_data
@pytest.mark.slow
@pytest.mark.parametrize("format", FORMATS)
def test_images_of_real_models_come_back(opened: Database, tmp_path: Path, format: Format) -> None:
    folder = SHARED_DATA / "citygml" / "citygml4j"
    found = 0
    for number, source in enumerate(sorted(folder.glob("*.gml"))):
        report = Ingest(opened.engine, ImportOptions(dataset=f"d{number}", allow_unplaced=True)).run(source)
        if not report.images:
            continue
        out = tmp_path / f"out{number}" / FORMATS[format]
        done = exported(opened, out, format, f"d{number}")
        for name, image in files(out.parent).items():
            assert image == Folder(source.parent).read(name)
        assert done.images == len(files(out.parent)) >= report.images
        assert imported(opened, out, f"again{number}") == report.images
        assert kept(opened, f"again{number}") == kept(opened, f"d{number}")
        found += report.images
    assert found
