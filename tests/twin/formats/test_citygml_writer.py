"""What the CityGML writer writes, our reader reads as it was; what has no place is counted."""

import re
from collections import Counter
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from importers.citygml_reader import CityGMLReader
from importers.reader import open_model
from tests import geometries
from tests.fixtures import SHARED_DATA, needs_shared_data
from tests.twin.formats.meaning import meaning
from twin.errors import UnreadableFile
from twin.formats import citygml
from twin.formats.citygml_schema import KINDS
from twin.model.appearance import Appearance, TextureTheme
from twin.model.cityobject import Address, CityFeature, CityObject
from twin.model.geometry import Geometry, Instance, SemanticSurface, curves, points

CUBE = replace(geometries.cube(named=False), lod="2")
HEAD = citygml.Head("City & more", 3879, 3900, ((0.0, 0.0, -1.0), (2.0, 3.0, 4.5)))


def there_and_back(folder: Path, *features: CityFeature) -> tuple[dict[str, Any], Counter[str]]:
    """What comes back of features, and what could not be written of them."""
    file = BytesIO()
    ledger = citygml.write(file, features, HEAD)
    path = folder / "out.gml"
    path.write_bytes(file.getvalue())
    opened = CityGMLReader().open(path)
    assert opened.metadata.title == "City & more"
    assert opened.metadata.reference_system == "urn:ogc:def:crs,crs:EPSG::3879,crs:EPSG::3900"
    found = list(opened)
    assert dict(opened.ledger) == {}
    assert links_lead_somewhere(file.getvalue().decode())
    return meaning(item for item in found if isinstance(item, CityFeature)), ledger


def links_lead_somewhere(text: str) -> bool:
    """Whether polygons have ids of their own, and whatever links to one finds it."""
    polygons = re.findall(r'<gml:(?:Polygon|LinearRing) gml:id="([^"]*)"', text)
    links = re.findall(r'(?:<gml:surfaceMember xlink:href|ring|uri)="#([^"]*)"', text)
    assert len(polygons) == len(set(polygons))
    return set(links) <= set(polygons)


def comes_back(folder: Path, *objects: CityObject) -> None:
    feature = CityFeature(objects)
    found, ledger = there_and_back(folder, feature)
    assert dict(ledger) == {}
    assert found == meaning([feature])


def written(item: CityObject) -> str:
    file = BytesIO()
    citygml.write(file, [CityFeature((item,))], HEAD)
    return file.getvalue().decode()


def test_a_building_comes_back(tmp_path: Path) -> None:
    attributes: dict[str, Any] = {
        "name": "Töölö", "description": "a < b", "creationDate": "2020-01-31", "function": ["1000", "1010"],
        "function.codeSpace": ["x", "y"], "roofType": "1000", "measuredHeight": 9.5,
        "measuredHeight.uom": "ft", "storeysAboveGround": 2, "storeyHeightsAboveGround": [3.0, 2.5],
        "yearOfConstruction": 1907,
        "name <&>": 'a "b" & <c>', "area": 1.5, "count": -3, "empty": None, "several": ["a", 1, None],
        "load": {"value": 2.0, "uom": "kN"}, "set": {"x": 1, "y": {"z": "deep"}},
        "externalReference": {"informationSystem": "http://a", "name": "b"}, "interiorRoom": "#R",
    }  # fmt: skip
    part = CityObject("P", "BuildingPart", {"k": "v"}, (geometries.hollow_cube(),), "B")
    annexe = CityObject("I", "BuildingInstallation", {}, (CUBE,), "P")
    place = points("MultiPoint", "0", np.array([[1.0, 2.0, 3.0]]))
    address = Address("Katu", "6", "00580", "Helsinki", "Suomi", location=place)
    root = CityObject("B", "Building", attributes, (geometries.gable(),), None, (address,))
    comes_back(tmp_path, root, part, annexe)


def test_properties_stand_in_the_order_of_the_schema() -> None:
    attributes = {"roofType": "1", "zz": 1, "function": "2", "name": "n", "creationDate": "2020-01-01"}
    shapes = [replace(geometries.cube(), lod=lod) for lod in ("3", "1", "2")]
    address = Address("Katu")
    text = written(CityObject("B", "Building", attributes, tuple(shapes), None, (address,)))
    order = [
        "gml:name>n", "core:creationDate", "gen:intAttribute", "bldg:function", "bldg:roofType",
        "bldg:lod1Solid", "bldg:lod2Solid", "bldg:boundedBy", "bldg:lod3Solid", "bldg:address",
    ]  # fmt: skip
    assert [text.index(f"<{name}") for name in order] == sorted(text.index(f"<{name}") for name in order)


@pytest.mark.parametrize("name", KINDS)
def test_every_class_comes_back(tmp_path: Path, name: str) -> None:
    """Each with a geometry that it may have, within the object that it may be in."""
    if name.startswith("Int"):
        return
    holder = next((k for k, kind in KINDS.items() if name in kind.children and k != name), None)
    type_ = f"+{name}" if name in ("MassPointRelief", "BreaklineRelief") else name
    parent = None if holder is None else CityObject("H", holder)
    item = CityObject("X", type_, {"k": 1}, tuple(_shapes(name)), None if parent is None else "H")
    feature = CityFeature((item,) if parent is None else (parent, item))
    outer = next((k for k, kind in KINDS.items() if holder in kind.children and k != holder), None)
    if parent is not None and outer is not None:
        top = CityObject("T", outer)
        feature = CityFeature((top, replace(parent, parent="T"), item))
    found, ledger = there_and_back(tmp_path, feature)
    expected = meaning([feature])
    known = {key: value for key, value in ledger.items() if key != "level of relief as an attribute"}
    assert known == {}
    for entry in found.values():
        entry["attributes"].pop("lod", None)
    assert found == expected


def _shapes(name: str) -> list[Geometry]:
    kind = KINDS[name]
    cube, plain = geometries.cube(), geometries.cube(named=False)
    surfaces = geometries.boundary(geometries.faces_of(plain), type="MultiSurface")
    if kind.has("boundedBy") and kind.prefix != "wtr":
        level = "4" if kind.has("lod4Solid") and not kind.has("lod2Solid") else "2"
        return [replace(cube, lod=level)]
    if kind.has("tin"):
        triangle = geometries.boundary(
            [[[(0, 0, 0), (1, 0, 0), (0, 1, 1)]]], type="CompositeSurface", lod="1"
        )
        return [triangle]
    line = np.array([[0.0, 0, 0], [1, 1, 1]])
    if kind.has("reliefPoints"):
        return [points("MultiPoint", "1", line)]
    if kind.has("breaklines"):
        return [curves("MultiLineString", "1", line, np.array([0, 2]))]
    if kind.has("groupMember"):
        return [replace(surfaces, lod="0")]
    if kind.has("lod1Geometry"):
        return [replace(plain, lod="1"), replace(surfaces, lod="3", type="CompositeSurface")]
    if kind.has("lod4Geometry"):
        return [replace(plain, lod="4")]
    if kind.has("lod1MultiSolid"):
        return [replace(plain, lod="1", type="MultiSolid"), replace(surfaces, lod="2")]
    return [replace(surfaces, lod="1")] if kind.has("lod1MultiSurface") else []


def test_openings_are_inside_their_wall(tmp_path: Path) -> None:
    cube = replace(geometries.cube(), lod="3")
    semantics = (
        SemanticSurface("WallSurface", "wall", {"colour": "red", "children": [1]}),
        SemanticSurface("Window", "w1", {"parent": 0, "name": "bay"}),
    )
    semantic = np.array([0, 1, 0, 0, 0, 0])
    comes_back(
        tmp_path, CityObject("B", "Building", {}, (replace(cube, semantics=semantics, semantic=semantic),))
    )


def test_a_surface_of_several_levels_stands_once(tmp_path: Path) -> None:
    named = tuple(SemanticSurface("WallSurface", "wall") for _ in range(1))
    walls = replace(CUBE, semantics=named, semantic=np.zeros(6, dtype=np.int64))
    item = CityObject("B", "Building", {}, (walls, replace(walls, lod="3")))
    comes_back(tmp_path, item)
    assert written(item).count('gml:id="wall"') == 1


def test_surfaces_with_and_without_meaning_stay_one_geometry(tmp_path: Path) -> None:
    faces = geometries.boundary(
        geometries.faces_of(geometries.cube()),
        ["WallSurface", None, "RoofSurface", None, None, None],
        "MultiSurface",
    )
    comes_back(tmp_path, CityObject("B", "Building", {}, (faces,)))


def test_water_and_roads_have_surfaces_of_their_own(tmp_path: Path) -> None:
    faces = geometries.faces_of(geometries.cube())[:2]
    water = geometries.boundary(faces, ["WaterSurface", "WaterGroundSurface"], "MultiSurface")
    comes_back(tmp_path, CityObject("W", "WaterBody", {}, (water,)))
    road = geometries.boundary(faces, ["TrafficArea", "AuxiliaryTrafficArea"], "MultiSurface")
    area = road.semantics[0]._replace(attributes={"function": "1", "surfaceMaterial": "asphalt", "lanes": 2})
    road = replace(road, semantics=(area, road.semantics[1]))
    comes_back(tmp_path, CityObject("R", "Road", {"class": "1040"}, (road,)))


def test_lines_and_points(tmp_path: Path) -> None:
    xyz, start = np.array([[0.0, 0, 0], [1, 1, 1], [2, 2, 2], [3, 3, 3]]), np.array([0, 2, 4])
    lines = [curves("MultiLineString", lod, xyz, start) for lod in ("0", "2")]
    terrain = replace(
        lines[1], semantics=(SemanticSurface("+TerrainIntersection"),), semantic=np.zeros(2, dtype=np.int64)
    )
    comes_back(tmp_path, CityObject("R", "Road", {}, (lines[0],)))
    comes_back(tmp_path, CityObject("B", "Building", {}, (lines[1], terrain)))
    comes_back(tmp_path, CityObject("G", "GenericCityObject", {}, (points("MultiPoint", "3", xyz), terrain)))


def test_groups_have_members_and_roles(tmp_path: Path) -> None:
    known = {"children": ["a", "b/c", "d"], "children_roles": ["main", None, "other"]}
    comes_back(tmp_path, CityObject("G", "CityObjectGroup", {"parent": "#x", "class": "1"}, extra=known))
    comes_back(tmp_path, CityObject("G", "CityObjectGroup", extra={"children": ["a"]}))


def _look(geometry: Geometry, theme: str = "summer") -> Geometry:
    """A red roof and an image on one ring."""
    red = {"name": "red & <more>", "diffuseColor": [1.0, 0.0, 0.0], "isSmooth": True, "transparency": 0.5}
    image = {"type": "PNG", "image": "a&b.png", "wrapMode": "wrap", "borderColor": [1.0, 1.0, 1.0, 0.0]}
    rings = len(geometry.ring_start) - 1
    shown = np.full(rings, -1)
    shown[0] = 0
    uv = np.full((len(geometry.xyz), 2), np.nan)
    high = int(geometry.ring_start[1])
    uv[:high] = np.arange(2 * high).reshape(-1, 2) / 16
    material = np.full(len(geometry.semantic), -1)
    material[-1] = 0
    looks = Appearance((red,), (image,), {theme: material, "": material}, {theme: TextureTheme(shown, uv)})
    return replace(geometry, appearance=looks)


def test_colours_and_images(tmp_path: Path) -> None:
    comes_back(tmp_path, CityObject("B", "Building", {}, (_look(geometries.gable()),)))
    plain = _look(geometries.courtyard(named=False), "a < b")
    comes_back(tmp_path, CityObject("F", "CityFurniture", {}, (plain,)))


def test_templates_stand_once_and_keep_their_looks(tmp_path: Path) -> None:
    template = _look(replace(geometries.cube(named=False), lod="1"))
    matrix = np.array([[2.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 1]])
    features = [
        CityFeature(
            (
                CityObject(
                    name, "SolitaryVegetationObject", {},
                    (points("GeometryInstance", "1", np.array([[x, 1.0, 2.0]]), Instance(template, matrix)),),
                ),
            )
        )
        for name, x in (("a", 1.0), ("b", 2.0))
    ]  # fmt: skip
    found, ledger = there_and_back(tmp_path, *features)
    assert dict(ledger) == {}
    assert found == meaning(features)
    text = (tmp_path / "out.gml").read_text()
    assert text.count("<gml:Solid") == 1


def test_a_template_in_a_library(tmp_path: Path) -> None:
    said = {"libraryObject": "a&b.wrl", "mimeType": "model/vrml", "transformationMatrix": [1.0] * 16}
    place = points("MultiPoint", "2", np.array([[1.0, 2.0, 3.0]]))
    known = SemanticSurface("+ImplicitGeometry", None, said)
    shape = replace(place, semantics=(known,), semantic=np.zeros(1, dtype=np.int64))
    comes_back(tmp_path, CityObject("F", "CityFurniture", {}, (shape,)))


_CUBE = replace(geometries.cube(), lod="2")
_SURFACES = geometries.boundary(geometries.faces_of(geometries.cube(named=False)), type="MultiSurface")
_POINT = points("MultiPoint", "2", np.zeros((1, 3)))
LOSSES: list[tuple[CityObject, str]] = [
    (CityObject("X", "BuildingUnit"), "BuildingUnit as GenericCityObject"),
    (CityObject("X", "Building", {"ok": True}), "attribute ok as text"),
    (CityObject("X", "Building", {"a": []}), "attribute a as text"),
    (CityObject("X", "Building", {"a": "\x01"}), "control characters in a text"),
    (CityObject("X", "Building", {"a": " b"}), "attribute a as text"),
    (CityObject("X", "Building", {}, (replace(_CUBE, lod="2.2"),)), "LoD 2.2 as LoD 2"),
    (CityObject("X", "Building", {}, (replace(_CUBE, lod="1.2"), replace(_CUBE, lod="1.3"))),
     "geometry of LoD 1.2 beside a finer one"),
    (CityObject("X", "Building", {}, (replace(_CUBE, lod="1"),)), "surface WallSurface of LoD 1"),
    (CityObject("X", "Building", {}, (replace(_CUBE, lod="5"),)), "geometry Solid of LoD 5 of Building"),
    (CityObject("X", "Building", {}, (_POINT,)), "geometry MultiPoint of LoD 2 of Building"),
    (CityObject("X", "Building", {}, (_CUBE, _CUBE)), "geometry Solid of LoD 2 of Building"),
    (CityObject("X", "Building", {}, (replace(_SURFACES, lod="0"),)), "LoD 0 as a footprint"),
    (CityObject("X", "Building", {}, (replace(_CUBE, type="MultiSolid"),)), "MultiSolid as CompositeSolid"),
    (CityObject("X", "Building", {}, (replace(_SURFACES, type="CompositeSurface"),)),
     "CompositeSurface as MultiSurface"),
    (CityObject("X", "Building", {}, (points("GeometryInstance", "2", np.zeros((1, 3)),
                                             Instance(_CUBE, np.eye(4))),)), "template in place"),
    (CityObject("X", "Building", extra={"+noise": 1}), "member +noise"),
    (CityObject("X", "LandUse", {}, (), None, (Address("Katu"),)), "address of LandUse"),
    (CityObject("X", "Building", {}, (), None, (Address("Katu", fields={"box": "7"}),)), "address box"),
    (CityObject("X", "PlantCover", {}, (replace(_CUBE, semantics=(), semantic=np.full(6, -1)),)),
     "Solid as MultiSolid"),
    (CityObject("X", "TINRelief", {}, (_SURFACES,)), "TINRelief as GenericCityObject"),
    (CityObject("X", "CityObjectGroup", {}, (_SURFACES,)), "LoD 2 of a group"),
]  # fmt: skip


@pytest.mark.parametrize(("item", "entry"), LOSSES, ids=[entry for _, entry in LOSSES])
def test_what_has_no_place_is_counted(tmp_path: Path, item: CityObject, entry: str) -> None:
    found, ledger = there_and_back(tmp_path, CityFeature((item,)))
    assert ledger[entry] > 0
    assert found.keys() == {"X"}


def test_what_its_parent_cannot_hold_stands_apart(tmp_path: Path) -> None:
    root, storey = CityObject("B", "Building"), CityObject("S", "BuildingStorey", parent="B")
    room = CityObject("R", "BuildingRoom", {}, (), "S")
    found, ledger = there_and_back(tmp_path, CityFeature((root, storey, room)))
    assert ledger == {
        "BuildingStorey apart from what it is in": 1,
        "BuildingStorey as GenericCityObject": 1,
        "BuildingRoom apart from what it is in": 1,
    }
    assert [(key, item["type"], item["parent"]) for key, item in found.items()] == [
        ("B", "Building", None), ("S", "GenericCityObject", None), ("R", "BuildingRoom", None),
    ]  # fmt: skip
    assert found["R"]["attributes"] == {"parent": "#S"}


FOLDERS = ("citygml", "helsinki", "tallinn", "cityjson")
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (SHARED_DATA / folder).rglob("*")
    if path.suffix in (".gml", ".json", ".jsonl")
)
MOST = 60
"""Features of a file that are looked at one by one."""


@needs_shared_data
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_corpora_come_back(tmp_path: Path, path: Path) -> None:
    """Each feature by itself: equal if nothing was counted of it, else at least all its objects."""
    try:
        features = [item for item in open_model(path) if isinstance(item, CityFeature)]
    except UnreadableFile:
        pytest.skip("no city model")
    for feature in features[:MOST]:
        found, ledger = there_and_back(tmp_path, feature)
        expected = meaning([feature])
        assert found.keys() == expected.keys()
        if not ledger:
            assert found == expected
    is_plain = path.suffix == ".gml" and not re.search("ade|Appearance-", path.name)
    if is_plain:
        found, ledger = there_and_back(tmp_path, *features)
        assert dict(ledger) == {}
        assert found == meaning(features)
