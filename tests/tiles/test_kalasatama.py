"""Real buildings of Helsinki, against a pipeline of PROJ that shares nothing with ours."""

import csv
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pyproj
import pytest

from importers.ingest import Ingest
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.stored import clean
from tests.tiles import gltf
from tiles.batch import write_tileset
from tiles.build import TileRequest
from tiles.check import check_path
from tiles.frame import Frame
from tiles.metadata import SURFACE_PROPERTIES
from twin.db.collections import BUILDINGS
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.model.cells import Cell
from twin.model.geometry import Floats

pytestmark = needs_shared_data

ORACLE = SHARED_DATA / "oracle" / "helsinki_kalasatama_surfaces.tsv"
MODEL = SHARED_DATA / "helsinki" / "kalasatama_2549_6674.gml"
GRID = SHARED_DATA / "grids" / "fi_nls_fin2023n2000.tif"


@pytest.fixture(scope="module")
def folder(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("kalasatama") / "tiles"
    with clean(database.engine) as engine:
        Ingest(engine).run(MODEL)
        asked = TileRequest(Selection(View(), BUILDINGS), surface_properties=tuple(SURFACE_PROPERTIES))
        write_tileset(engine, folder, asked)
        yield folder


def expected() -> Floats:
    """All points of the model in EPSG:4978: file to GK25 to GRS80, geoid grid, geocentric."""
    lists = ElementTree.parse(MODEL).iterfind(".//{http://www.opengis.net/gml}posList")
    points = np.array([float(word) for e in lists for word in (e.text or "").split()]).reshape(-1, 3)
    pipeline: Any = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +inv +proj=tmerc +lat_0=0 +lon_0=25 +k=1 +x_0=25500000 +y_0=0 +ellps=GRS80 "
        f"+step +proj=vgridshift +grids={GRID} +multiplier=1 +step +proj=cart +ellps=WGS84"
    )
    return np.column_stack(pipeline.transform(*points.T))


def test_every_vertex_is_within_five_centimetres(folder: Path) -> None:
    reference = expected()
    found = 0
    for path in folder.rglob("[0-9]*.glb"):
        level, x, y = (int(part) for part in path.with_suffix("").parts[-3:])
        matrix = np.array(Frame.of_cell(Cell(level, x, y)).matrix()).reshape(4, 4).T
        placed = gltf.read(path.read_bytes()).positions() @ matrix[:3, :3].T + matrix[:3, 3]
        for part in np.array_split(placed, max(1, len(placed) // 500)):
            distance = np.linalg.norm(part[:, None] - reference[None], axis=2).min(axis=1)
            assert distance.max() < 0.05
            found += len(part)
    assert found > 4_000


def surfaces(folder: Path) -> list[tuple[str, float, float, float]]:
    """Type, area, slope and azimuth (NaN: none) of every surface of every tile."""
    found: list[tuple[str, float, float, float]] = []
    for path in folder.rglob("[0-9]*.glb"):
        tile = gltf.read(path.read_bytes())
        columns = [tile.column(1, name) for name in ("surface_type", "area_m2", "slope_deg", "azimuth_deg")]
        missing = math.nan
        found += [(str(t), a, s, missing if z is None else z) for t, a, s, z in zip(*columns, strict=True)]
    return found


def test_surfaces_have_the_area_and_the_directions_that_the_city_states(folder: Path) -> None:
    found = surfaces(folder)
    with ORACLE.open() as file:
        stated = [row for row in csv.DictReader(file, delimiter="\t") if row["n_polygons"] == "1"]
    checked = {"pitch": 0, "orientation": 0}
    assert len(stated) > 900
    for row in stated:
        area = float(row["src_Area"])
        same = [s for s in found if s[0] == row["class"] and abs(s[1] - area) <= 0.06]
        assert same, row
        if row["src_RoofPitch"] and area >= 1.0:
            slope, azimuth = 90.0 - float(row["src_RoofPitch"]), float(row["src_RoofOrientation"])
            assert any(abs(s[2] - slope) <= 0.1 and _looks_to(s[3], azimuth) for s in same), row
            checked["pitch"] += 1
            checked["orientation"] += azimuth >= 0.0
    assert checked["pitch"] > 140
    assert checked["orientation"] > 50


def _looks_to(azimuth: float, stated: float) -> bool:
    """Whether a surface looks where the city says; level surfaces have -1 there."""
    if stated < 0.0:
        return math.isnan(azimuth)
    return abs((azimuth - stated + 180.0) % 360.0 - 180.0) <= 0.1


def test_a_level_surface_looks_nowhere(folder: Path) -> None:
    for kind, _, slope, azimuth in surfaces(folder):
        assert math.isnan(azimuth) == (slope < 0.5 or slope > 179.5), (kind, slope, azimuth)


def test_the_tiles_are_found_good(folder: Path) -> None:
    assert [str(finding) for finding in check_path(folder)] == []
    report = gltf.validate(folder)
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]
