"""Tiles of every corpus that has a place, all thematic types and terrain among them, for both checkers."""

import csv
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from importers.ingest import ImportOptions, Ingest
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.importers.stored import clean
from tests.tiles import gltf
from tiles.batch import write_tileset
from tiles.build import TileRequest
from tiles.check import check_path
from tiles.glb import Profile
from twin.db.collections import FEATURES
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.db.schema import feature, object_mesh
from twin.errors import InputError

pytestmark = needs_shared_data

NAMED = {
    "cityjson/vienna_592.city.jsonl": "EPSG:31256",
    "cityjson/cjio_rotterdam_textured16.json": "EPSG:28992",
    "cityjson/cjio_denhaag_materials.json": "EPSG:28992",
    "cityjson/citygml4j_berlin100.city.jsonl": "EPSG:3068",
    "cityjson/cjio_zurich_lod2_210.json": None,
    "cityjson/cjio_delft_570obj_cj20.json": None,
    "tallinn/ee_tartu_kvissentali_6_lod2.city.json": None,
    "citygml/ogc20/Building_LOD4-EPSG25832.gml": None,
    "citygml/citygmlorg/b1_lod2_s_oh_w_sem.gml": "EPSG:3857",
}
"""Corpora with the system of those that state none: Delft has
most thematic types, the OGC's a terrain (TIN), the last one a roof that reaches out of its solid."""

ANYWHERE = "EPSG:3857"
"""For models of a few metres around the origin: any system has a place for those."""

UNDULATION_M = 45.0
"""Near enough for checkers; most countries' grids are not on this machine."""


def imported(engine: Engine, names: dict[str, str | None]) -> Iterator[str]:
    """Import models, each as a dataset of its own that is named here; not those without a place."""
    for name, crs in names.items():
        dataset = re.sub("[^a-z0-9]", "_", name.lower())[-60:].strip("_")
        options = ImportOptions(dataset=dataset, crs=crs, undulation_m=UNDULATION_M)
        try:
            Ingest(engine, options).run(SHARED_DATA / name)
        except InputError:  # a reference system of its own, or none that fits
            continue
        yield dataset


LOOKS = {
    "citygml/citygml4j/lod3_building_v2.gml": None,
    "citygml/ogc20/Appearance-EPSG25832.gml": "EPSG:25832",
    "cityjson/cjio_rotterdam_textured16.json": "EPSG:28992",
    "cityjson/cjio_denhaag_materials.json": "EPSG:28992",
}
"""Corpora with textures, of which those of CityGML have their images too, and with materials."""


def tiled(engine: Engine, datasets: Iterable[str], folder: Path, profile: Profile = "standard") -> int:
    """Write a tileset of each dataset; how many objects they hold. Our checker finds nothing in them."""
    objects = 0
    for dataset in datasets:
        asked = TileRequest(Selection(View(), FEATURES, (dataset,)), profile=profile)
        objects += write_tileset(engine, folder / dataset, asked).objects
        assert [str(finding) for finding in check_path(folder / dataset)] == []
    return objects


def meshes(engine: Engine) -> dict[str, int]:
    """How many objects of each type have a mesh to show."""
    f, m = feature.c, object_mesh.c
    same = (f.dataset_id == m.dataset_id) & (f.object_id == m.object_id) & (f.lod == m.lod)
    with engine.connect() as connection:
        rows = connection.execute(select(f.type, func.count()).join(object_mesh, same).group_by(f.type))
        return {str(row[0]): int(row[1]) for row in rows}


def test_both_checkers_find_nothing_in_the_named_corpora(database: Database, tmp_path: Path) -> None:
    with clean(database.engine) as engine:
        datasets = list(imported(engine, NAMED))
        assert len(datasets) == len(NAMED)
        objects = tiled(engine, datasets, tmp_path)
        known = meshes(engine)
    assert objects == sum(known.values()) > 850
    wanted = {"Building", "Bridge", "Road", "ReliefFeature", "LandUse", "PlantCover", "WaterBody"}
    assert wanted | {"GenericCityObject"} <= known.keys()
    report = gltf.validate(tmp_path)
    assert report["files"] > 2 * len(NAMED)
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]


@pytest.mark.slow
def test_both_checkers_find_nothing_in_corpora_with_textures(database: Database, tmp_path: Path) -> None:
    with clean(database.engine) as engine:
        datasets = list(imported(engine, LOOKS))
        objects = tiled(engine, datasets, tmp_path, "textured")
        assert objects == sum(meshes(engine).values()) > 20
    tiles = [gltf.read(path.read_bytes()).document for path in tmp_path.rglob("*.glb")]
    assert sum("images" in tile for tile in tiles) >= 2
    report = gltf.validate(tmp_path)
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]


def _all_models() -> dict[str, str | None]:
    with (SHARED_DATA / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if not row["file"].startswith("invalid")]
    kinds = (".json", ".jsonl", ".gml")
    return {
        row["file"]: NAMED.get(row["file"]) or (ANYWHERE if row["CRS"] in {"none", "-"} else None)
        for row in rows
        if row["file"].endswith(kinds) and row["file"].startswith(("city", "helsinki", "tallinn"))
    }


@pytest.mark.slow
def test_both_checkers_find_nothing_in_any_corpus(database: Database, tmp_path: Path) -> None:
    with clean(database.engine) as engine:
        objects = tiled(engine, list(imported(engine, _all_models())), tmp_path)
        assert objects == sum(meshes(engine).values()) > 1_700
    report = gltf.validate(tmp_path)
    assert report["files"] > 150
    assert (report["errors"], report["warnings"]) == (0, 0), report["messages"]
