"""Real buildings of Estonia, against a projection by PROJ that shares nothing with ours."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
from sqlalchemy import select

from importers.ingest import Ingest
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.stored import clean
from tests.tiles import gltf
from tiles.batch import write_tileset
from tiles.build import TileRequest
from tiles.frame import Frame
from twin.db.collections import BUILDINGS
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.db.schema import feature
from twin.model.cells import Cell
from twin.model.geometry import Floats

pytestmark = needs_shared_data

MODEL = SHARED_DATA / "tallinn" / "ee_tartu_kvissentali_6_lod2.city.json"
METRES = np.array([58_400.0, 111_300.0])
"""Of a degree of longitude and latitude in Tartu."""


def expected() -> Floats:
    """Longitude and latitude of all vertices: the Lambert projection of L-EST97 by its own numbers."""
    model = json.loads(MODEL.read_text())
    scale, translate = (np.array(model["transform"][name]) for name in ("scale", "translate"))
    points = np.array(model["vertices"]) * scale + translate
    pipeline: Any = pyproj.Transformer.from_pipeline(
        "+proj=pipeline +step +inv +proj=lcc +lat_0=57.517553930556 +lon_0=24 +lat_1=59.333333333333 "
        "+lat_2=58 +x_0=500000 +y_0=6375000 +ellps=GRS80 +step +proj=unitconvert +xy_in=rad +xy_out=deg"
    )
    return np.column_stack(pipeline.transform(points[:, 0], points[:, 1]))


def test_every_vertex_is_within_five_centimetres_and_heights_say_how_good_they_are(
    database: Database, tmp_path: Path
) -> None:
    with clean(database.engine) as engine:
        Ingest(engine).run(MODEL)
        written = write_tileset(engine, tmp_path / "tiles", TileRequest(Selection(View(), BUILDINGS)))
        with engine.connect() as connection:
            placements = list(connection.execute(select(feature.c.placement)).scalars())
    assert (written.objects, placements) == (6, ["approximate"] * 6)
    to_degrees: Any = pyproj.Transformer.from_crs("EPSG:4978", "EPSG:4979", always_xy=True)
    reference, found = expected(), 0
    for path in (tmp_path / "tiles").rglob("[0-9]*.glb"):
        level, x, y = (int(part) for part in path.with_suffix("").parts[-3:])
        matrix = np.array(Frame.of_cell(Cell(level, x, y)).matrix()).reshape(4, 4).T
        placed = gltf.read(path.read_bytes()).positions() @ matrix[:3, :3].T + matrix[:3, 3]
        lonlat = np.column_stack(to_degrees.transform(*placed.T)[:2])
        apart = np.linalg.norm((lonlat[:, None] - reference[None]) * METRES, axis=2).min(axis=1)
        assert apart.max() < 0.05
        found += len(placed)
    assert found > 200
