"""What clients see, against files in the repository: a change of it is a change to look at."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.app import create_app
from importers.reader import open_model
from importers.synthetic import synthesise
from tests.fixtures import ROOT
from tests.tiles import gltf
from tests.tiles.cubes import meshes, street
from tiles import glb
from tiles.frame import Frame
from tiles.metadata import FeatureTable
from twin.model.cells import Cell, quadkeys
from twin.model.cityobject import CityFeature
from twin.processing.mesh import decode
from twin.settings import Settings

pytestmark = pytest.mark.golden

Golden = Callable[[Path, Any], None]
FOLDER = ROOT / "tests" / "golden"


def test_openapi(golden: Golden) -> None:
    golden(ROOT / "docs" / "openapi.json", create_app({}, Settings()).openapi())


def _summary(values: gltf.Array) -> dict[str, Any]:
    """Type, number and extremes of the values of an attribute of vertices."""
    low, high = (np.asarray(of, dtype=np.float64).round(3).tolist() for of in (values.min(0), values.max(0)))
    return {"type": values.dtype.name, "count": len(values), "from": low, "to": high}


def test_tile(golden: Golden) -> None:
    cell = Cell.from_code(15, int(quadkeys(np.array([[24.9705, 60.1855]]))[0]) >> 18)
    rows = [{"id": f"test.{i}", "city": "helsinki", "height_m": 12.0 + i} for i in range(4)]
    table = FeatureTable.from_rows("building", ("city", "height_m"), rows)
    tile = gltf.read(glb.encode(glb.Model(decode(meshes(street(4)))), Frame.of_cell(cell), table))
    vertices = {name: _summary(tile.attribute(name)) for name in sorted(tile.primitive["attributes"])}
    golden(FOLDER / "tile.json", {"document": tile.document, "vertices": vertices})


@pytest.mark.parametrize("city", ["helsinki", "tallinn"])
def test_synthetic_model_as_it_is_read(golden: Golden, tmp_path: Path, city: Any) -> None:
    path = tmp_path / "model.gml"
    synthesise(path, city=city, buildings=3, seed=1)
    features = [entry for entry in open_model(path) if isinstance(entry, CityFeature)]
    golden(FOLDER / f"{city}.json", [_feature(feature) for feature in features])


def _feature(feature: CityFeature) -> list[dict[str, Any]]:
    return [
        {
            "id": item.id,
            "type": item.type,
            "attributes": item.attributes,
            "geometries": [
                {
                    "type": geometry.type,
                    "lod": geometry.lod,
                    "surfaces": len(geometry.surface_start) - 1,
                    "low": geometry.xyz.min(axis=0).round(3).tolist(),
                    "high": geometry.xyz.max(axis=0).round(3).tolist(),
                }
                for geometry in item.geometries
            ],
        }
        for item in feature
    ]
