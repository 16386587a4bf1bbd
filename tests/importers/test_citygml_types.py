"""Every type of object of CityGML 2.0 and 3.0: read, stored, and written as CityJSON."""

from pathlib import Path
from typing import Any, TypeAlias

import orjson
import pytest

from importers.ingest import ImportOptions, Ingest
from importers.reader import open_model
from tests.importers.stored import clean
from twin.db.collections import FEATURES
from twin.db.engine import Database
from twin.db.query import Selection, View
from twin.export import write_features
from twin.formats.canonical import canonical
from twin.formats.cityjson_names import TYPES
from twin.model.cityobject import CityFeature

Tree: TypeAlias = "dict[str, Tree]"
"""Property and element, or only an element at the top, with what is below it."""

_MODULES = {
    "app": "appearance", "bldg": "building", "brid": "bridge", "con": "construction", "dem": "relief",
    "frn": "cityfurniture", "gen": "generics", "grp": "cityobjectgroup", "luse": "landuse",
    "pcl": "pointcloud", "tran": "transportation", "tun": "tunnel", "veg": "vegetation", "wtr": "waterbody",
}  # fmt: skip

NEW: Tree = {
    "bldg:Building": {
        "bldg:buildingPart bldg:BuildingPart": {},
        "bldg:buildingConstructiveElement bldg:BuildingConstructiveElement": {},
        "bldg:buildingInstallation bldg:BuildingInstallation": {},
        "bldg:buildingRoom bldg:BuildingRoom": {"bldg:buildingFurniture bldg:BuildingFurniture": {}},
        "bldg:buildingSubdivision bldg:Storey": {},
        "bldg:buildingSubdivision bldg:BuildingUnit": {},
    },
    "brid:Bridge": {
        "brid:bridgePart brid:BridgePart": {},
        "brid:bridgeConstructiveElement brid:BridgeConstructiveElement": {},
        "brid:bridgeInstallation brid:BridgeInstallation": {},
        "brid:bridgeRoom brid:BridgeRoom": {"brid:bridgeFurniture brid:BridgeFurniture": {}},
    },
    "tun:Tunnel": {
        "tun:tunnelPart tun:TunnelPart": {},
        "tun:tunnelConstructiveElement tun:TunnelConstructiveElement": {},
        "tun:tunnelInstallation tun:TunnelInstallation": {},
        "tun:hollowSpace tun:HollowSpace": {"tun:tunnelFurniture tun:TunnelFurniture": {}},
    },
    "tran:Road": {
        "tran:section tran:Section": {
            "tran:trafficSpace tran:TrafficSpace": {"tran:clearanceSpace tran:ClearanceSpace": {}},
            "tran:auxiliaryTrafficSpace tran:AuxiliaryTrafficSpace": {},
        },
        "tran:intersection tran:Intersection": {},
    },
    "tran:Railway": {}, "tran:Track": {}, "tran:Waterway": {}, "tran:Square": {},
    "wtr:WaterBody": {}, "veg:PlantCover": {}, "veg:SolitaryVegetationObject": {}, "luse:LandUse": {},
    "frn:CityFurniture": {"core:pointCloud pcl:PointCloud": {}},
    "con:OtherConstruction": {}, "grp:CityObjectGroup": {},
    "gen:GenericOccupiedSpace": {}, "gen:GenericUnoccupiedSpace": {}, "gen:GenericLogicalSpace": {},
    "gen:GenericThematicSurface": {},
    "dem:ReliefFeature": {
        "dem:reliefComponent dem:TINRelief": {}, "dem:reliefComponent dem:MassPointRelief": {},
        "dem:reliefComponent dem:BreaklineRelief": {}, "dem:reliefComponent dem:RasterRelief": {},
    },
}  # fmt: skip

OLD: Tree = {
    "bldg:Building": {
        "bldg:consistsOfBuildingPart bldg:BuildingPart": {},
        "bldg:outerBuildingInstallation bldg:BuildingInstallation": {},
        "bldg:interiorBuildingInstallation bldg:IntBuildingInstallation": {},
        "bldg:interiorRoom bldg:Room": {
            "bldg:interiorFurniture bldg:BuildingFurniture": {},
            "bldg:roomInstallation bldg:IntBuildingInstallation": {},
        },
    },
    "brid:Bridge": {
        "brid:consistsOfBridgePart brid:BridgePart": {},
        "brid:outerBridgeConstruction brid:BridgeConstructionElement": {},
        "brid:outerBridgeInstallation brid:BridgeInstallation": {},
        "brid:interiorBridgeRoom brid:BridgeRoom": {"brid:interiorFurniture brid:BridgeFurniture": {}},
    },
    "tun:Tunnel": {
        "tun:consistsOfTunnelPart tun:TunnelPart": {},
        "tun:outerTunnelInstallation tun:TunnelInstallation": {},
        "tun:interiorHollowSpace tun:HollowSpace": {"tun:interiorFurniture tun:TunnelFurniture": {}},
    },
    "tran:TransportationComplex": {}, "tran:Road": {}, "tran:Railway": {}, "tran:Track": {},
    "tran:Square": {}, "wtr:WaterBody": {}, "veg:PlantCover": {}, "veg:SolitaryVegetationObject": {},
    "luse:LandUse": {},
    "frn:CityFurniture": {}, "gen:GenericCityObject": {}, "grp:CityObjectGroup": {},
    "dem:ReliefFeature": {
        "dem:reliefComponent dem:TINRelief": {}, "dem:reliefComponent dem:MassPointRelief": {},
        "dem:reliefComponent dem:BreaklineRelief": {},
    },
}  # fmt: skip

RENAMED = {
    "BridgeConstructionElement": "BridgeConstructiveElement",
    "GenericLogicalSpace": "GenericCityObject",
    "GenericOccupiedSpace": "GenericCityObject",
    "GenericThematicSurface": "GenericCityObject",
    "GenericUnoccupiedSpace": "GenericCityObject",
    "HollowSpace": "TunnelHollowSpace",
    "IntBuildingInstallation": "BuildingInstallation",
    "Room": "BuildingRoom",
    "Square": "TransportSquare",
    "Storey": "BuildingStorey",
}
SHAPES = {
    "CityObjectGroup": "",
    "MassPointRelief": "<dem:reliefPoints><gml:MultiPoint><gml:pointMember><gml:Point><gml:pos>{0} {1} 2"
    "</gml:pos></gml:Point></gml:pointMember></gml:MultiPoint></dem:reliefPoints>",
    "BreaklineRelief": "<dem:breaklines><gml:MultiCurve><gml:curveMember><gml:LineString><gml:posList>"
    "{0} {1} 2 {0} {1} 3</gml:posList></gml:LineString></gml:curveMember></gml:MultiCurve></dem:breaklines>",
    "RasterRelief": "",
    "PointCloud": "<pcl:points><gml:MultiPoint><gml:pointMember><gml:Point><gml:pos>{0} {1} 2</gml:pos>"
    "</gml:Point></gml:pointMember></gml:MultiPoint></pcl:points>",
}
EAST, NORTH = 25496730, 6672500


def shape_of(local: str, version: str) -> str:
    """A square in LoD 1, or what the type has instead."""
    if local in SHAPES:
        return SHAPES[local].format(EAST, NORTH)
    ring = " ".join(f"{EAST + x} {NORTH + y} 2" for x, y in ((0, 0), (1, 0), (1, 1), (0, 1), (0, 0)))
    square = (
        "<gml:MultiSurface><gml:surfaceMember><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>"
        f"{ring}</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></gml:surfaceMember>"
        "</gml:MultiSurface>"
    )
    name = "core:lod1MultiSurface" if version == "3.0" else "bldg:lod1MultiSurface"
    return f"<{name}>{square}</{name}>"


def element(name: str, below: Tree, version: str) -> str:
    """An object with its shape and all below it; its id is its name."""
    local = name.rpartition(":")[2]
    inner = "".join(
        f"<{key.split()[0]}>{element(key.split()[1], tree, version)}</{key.split()[0]}>"
        for key, tree in below.items()
    )
    return f'<{name} gml:id="{local}">{shape_of(local, version)}{inner}</{name}>'


def model(tree: Tree, version: str) -> str:
    space = "http://www.opengis.net/citygml"
    spaces = " ".join(f'xmlns:{prefix}="{space}/{name}/{version}"' for prefix, name in _MODULES.items())
    gml = "http://www.opengis.net/gml" + ("/3.2" if version == "3.0" else "")
    members = "".join(
        f"<core:cityObjectMember>{element(name, below, version)}</core:cityObjectMember>"
        for name, below in tree.items()
    )
    return (
        f'<core:CityModel xmlns:core="{space}/{version}" {spaces} xmlns:gml="{gml}"><gml:boundedBy>'
        f'<gml:Envelope srsName="EPSG:3879"/></gml:boundedBy>{members}</core:CityModel>'
    )


def expected(tree: Tree, parent: str | None = None) -> dict[str, tuple[str, str | None]]:
    """Type in CityJSON and parent by id."""
    found: dict[str, tuple[str, str | None]] = {}
    for key, below in tree.items():
        local = key.rpartition(":")[2]
        type_ = RENAMED.get(local, local)
        found[local] = (type_ if type_ in TYPES else f"+{type_}", parent)
        found |= expected(below, local)
    return found


@pytest.mark.parametrize(("version", "tree"), [("2.0", OLD), ("3.0", NEW)])
def test_every_type_is_read_stored_and_written(
    database: Database, tmp_path: Path, version: str, tree: Tree
) -> None:
    path = tmp_path / "all.gml"
    text = model(tree, version)
    if version == "2.0":  # an id stands for an object once
        text = text.replace('gml:id="IntBuildingInstallation"', 'gml:id="Inner"', 1)
    path.write_text(text)
    opened = open_model(path)
    assert sum(1 for _ in opened) == len(tree)
    assert dict(opened.ledger) == {}
    with clean(database.engine) as engine:
        report = Ingest(engine, ImportOptions(dataset="types")).run(path)
        assert (report.read, report.refused) == (len(tree), [])
        write_features(database, tmp_path / "out.json", Selection(View(), FEATURES, ("types",)), "cityjson")
    whole: dict[str, Any] = orjson.loads((tmp_path / "out.json").read_bytes())
    objects: dict[str, Any] = canonical([whole])["CityObjects"]
    wanted = expected(tree)
    if version == "2.0":
        wanted["Inner"] = ("BuildingInstallation", "Building")
        wanted["IntBuildingInstallation"] = ("BuildingInstallation", "Room")
    written = {
        key: (whole["CityObjects"][key]["type"], (item.get("parents") or [None])[0])
        for key, item in objects.items()
    }
    assert written == wanted
    without = {"CityObjectGroup", "RasterRelief"}
    assert {key for key, item in objects.items() if not item.get("geometry")} == without & wanted.keys()


def test_surfaces_of_roads_and_spaces_of_citygml_3(tmp_path: Path) -> None:
    """Areas, markings and holes are surfaces of the space that they bound."""
    surface = "<core:boundary>{}</core:boundary>".format
    square = shape_of("Square", "3.0")
    content = "".join(
        surface(f"<{name}>{square}</{name}>")
        for name in ("tran:TrafficArea", "tran:Marking", "tran:HoleSurface", "gen:GenericThematicSurface")
    )
    edge = surface(f"<tran:HoleSurface>{square}</tran:HoleSurface>")
    hole = f"<tran:hole><tran:Hole>{edge}</tran:Hole></tran:hole>"
    text = model({"tran:Road": {}}, "3.0").replace(square, content + hole)
    path = tmp_path / "road.gml"
    path.write_text(text)
    (feature,) = [item for item in open_model(path) if isinstance(item, CityFeature)]
    (geometry,) = feature.root.geometries
    assert [surface.type for surface in geometry.semantics] == [
        "TrafficArea", "TransportationMarking", "TransportationHole", "+GenericThematicSurface",
        "TransportationHole", "TransportationHole",
    ]  # fmt: skip
