"""What the CityGML writer writes, our reader reads as it was."""

from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from importers.citygml import CityGMLReader
from importers.reader import open_model
from tests import geometries
from tests.fixtures import SHARED_DATA, needs_shared_data
from twin.formats import citygml
from twin.model.cityobject import Address, CityFeature, CityObject
from twin.model.geometry import Geometry


def there_and_back(folder: Path, features: list[CityFeature]) -> list[CityFeature]:
    file = BytesIO()
    citygml.write(file, features, 3879, "City & more")
    path = folder / "out.gml"
    path.write_bytes(file.getvalue())
    opened = CityGMLReader().open(path)
    assert opened.metadata.title == "City & more"
    assert opened.metadata.reference_system == "urn:ogc:def:crs:EPSG::3879"
    found = list(opened)
    assert not opened.ledger
    return [item for item in found if isinstance(item, CityFeature)]


def shape(geometry: Geometry) -> list[Any]:
    """Faces with their points and the type, id and attributes of their surface."""
    cuts: list[int] = geometry.ring_start[geometry.surface_start].tolist()
    indices: list[int] = geometry.semantic.tolist()
    return [
        (_meaning(geometry, index), geometry.xyz[cuts[face] : cuts[face + 1]].tolist())
        for face, index in enumerate(indices)
    ]


def _meaning(geometry: Geometry, index: int) -> str:
    if index < 0:
        return ""
    surface = geometry.semantics[index]
    known = {k: v for k, v in surface.attributes.items() if k not in ("parent", "children")}
    return str((surface.type, surface.id, sorted(known.items(), key=str)))


def test_a_building_comes_back(tmp_path: Path) -> None:
    attributes: dict[str, Any] = {
        "measuredHeight": 9.5,
        "roofType": "1000",
        "storeysAboveGround": 2,
        "name <&>": 'a "b" & <c>',
        "area": 1.5,
        "count": -3,
        "empty": None,
        "load": {"value": 2.0, "uom": "kN"},
        "set": {"x": 1, "y": {"z": "deep"}},
    }
    part = CityObject("P", "BuildingPart", {"k": "v"}, (geometries.hollow_cube(),), "B")
    annexe = CityObject("I", "BuildingInstallation", {}, (geometries.cube(named=False),), "P")
    address = Address("Katu", "6", "00580", "Helsinki", "Suomi")
    root = CityObject("B", "Building", attributes, (geometries.gable(),), None, (address,))
    (found,) = there_and_back(tmp_path, [CityFeature((root, part, annexe))])
    assert [(item.id, item.type, item.parent) for item in found] == [
        ("B", "Building", None),
        ("P", "BuildingPart", "B"),
        ("I", "BuildingInstallation", "P"),
    ]
    assert found.root.attributes == attributes
    assert found.root.addresses == (address,)
    for one, other in zip(found, (root, part, annexe), strict=True):
        (mine,), (theirs,) = one.geometries, other.geometries
        assert (mine.type, mine.lod) == (theirs.type, theirs.lod)
        assert mine.shell_start.tolist() == theirs.shell_start.tolist()
        assert shape(mine) == shape(theirs)


def test_other_objects_are_generic_ones(tmp_path: Path) -> None:
    tree = CityObject("T", "SolitaryVegetationObject", {"a": 1}, (geometries.cube(named=False),))
    (found,) = there_and_back(tmp_path, [CityFeature((tree,))])
    assert found.root.type == "GenericCityObject"
    assert found.root.attributes == {"a": 1, "type": "SolitaryVegetationObject"}
    assert shape(found.root.geometries[0]) == shape(tree.geometries[0])


@needs_shared_data
@pytest.mark.parametrize(
    "name", ["helsinki/kalasatama_2549_6674.gml", "cityjson/citygml4j_berlin100_cj20.json",
             "citygml/citygml4j/lod3_building_v2.gml"]
)  # fmt: skip
def test_real_models_come_back(tmp_path: Path, name: str) -> None:
    features = [item for item in open_model(SHARED_DATA / name) if isinstance(item, CityFeature)]
    found = there_and_back(tmp_path, features)
    assert len(found) == len(features)
    for one, other in zip(found, features, strict=True):
        assert [item.id for item in one] == [item.id for item in other]
        for mine, theirs in zip(one, other, strict=True):
            surfaces = [g for g in theirs.geometries if g.dimension == 2]
            assert [g.lod for g in mine.geometries] == [g.lod for g in surfaces]
            for a, b in zip(mine.geometries, surfaces, strict=True):
                assert sorted(map(str, shape(a))) == sorted(map(str, shape(b)))
                assert np.isclose(a.xyz.sum(), b.xyz.sum())
