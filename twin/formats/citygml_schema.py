"""What CityGML 2.0 has a place for: its classes, by type of CityJSON, with their properties in order.

The order is that of the XML schemas, which asks for it; a property that is not listed does not exist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

_SPACE = "http://www.opengis.net/citygml"
NAMESPACES: Mapping[str, str] = {
    "core": f"{_SPACE}/2.0",
    **{
        prefix: f"{_SPACE}/{name}/2.0"
        for prefix, name in {
            "app": "appearance", "bldg": "building", "brid": "bridge", "dem": "relief",
            "frn": "cityfurniture", "gen": "generics", "grp": "cityobjectgroup", "luse": "landuse",
            "tran": "transportation", "tun": "tunnel", "veg": "vegetation", "wtr": "waterbody",
        }.items()
    },
    "gml": "http://www.opengis.net/gml",
    "xAL": "urn:oasis:names:tc:ciq:xsdschema:xAL:2.0",
    "xlink": "http://www.w3.org/1999/xlink",
}  # fmt: skip

Children: TypeAlias = Mapping[str, tuple[str, str]]
"""Type of a child → the property that holds it, and its element."""

Surfaces: TypeAlias = Mapping[str, str]
"""Thematic surface → the property that holds it."""

OPENINGS = frozenset({"Window", "Door"})


@dataclass(frozen=True, slots=True)
class Kind:
    """A class of CityGML: ``properties`` in the order of its schema, without prefix.

    ``surfaces`` are the thematic surfaces that it may have, with the properties that hold them.
    """

    element: str
    properties: tuple[str, ...]
    children: Children = field(default_factory=dict[str, tuple[str, str]])
    surfaces: Surfaces = field(default_factory=dict[str, str])

    @property
    def prefix(self) -> str:
        return self.element.partition(":")[0]

    def has(self, name: str) -> bool:
        return name in self.properties


def _lods(first: int, last: int, *names: str) -> str:
    """``lod1Solid lod1MultiSurface lod2Solid …``: all names of a level, then the next level."""
    return " ".join(f"lod{n}{name}" for n in range(first, last + 1) for name in names)


def _each(first: int, last: int, *names: str) -> str:
    """``lod1Geometry lod2Geometry … lod1ImplicitRepresentation …``: all levels of a name."""
    return " ".join(_lods(first, last, name) for name in names)


_WHAT = "class function usage"
_SITE = ("Solid", "MultiSurface", "MultiCurve", "TerrainIntersection")
_LOD1 = "lod1Solid lod1MultiSurface lod1TerrainIntersection"
_SURFACES: tuple[str, ...] = (
    "RoofSurface", "WallSurface", "GroundSurface", "ClosureSurface", "FloorSurface", "OuterFloorSurface",
    "InteriorWallSurface", "CeilingSurface", "OuterCeilingSurface",
)  # fmt: skip
_BOUNDED: Surfaces = dict.fromkeys(_SURFACES, "boundedBy")


def _kind(
    element: str, order: str, children: Children | None = None, surfaces: Surfaces | None = None
) -> Kind:
    return Kind(element, tuple(order.split()), children or {}, surfaces or {})


def _site(prefix: str, name: str, more: str, construction: str, room: tuple[str, str]) -> dict[str, Kind]:
    """A building, bridge or tunnel with its parts, installations, rooms and furniture."""
    outer, inner = f"outer{name}Installation", f"interior{name}Installation"
    interior, room_element = room
    room_type = {"Room": "BuildingRoom", "HollowSpace": "TunnelHollowSpace"}.get(room_element, room_element)
    room_installation = room_element[0].lower() + room_element[1:] + "Installation"
    whole = (
        f"{_WHAT} {more} {_LOD1} {_lods(2, 2, *_SITE)} {construction} {outer} {inner} boundedBy"
        f" {_lods(3, 4, *_SITE)} {interior} consistsOf{name}Part address"
    )
    children: dict[str, tuple[str, str]] = {
        f"{name}Part": (f"consistsOf{name}Part", f"{prefix}:{name}Part"),
        f"{name}Installation": (outer, f"{prefix}:{name}Installation"),
        room_type: (interior, f"{prefix}:{room_element}"),
    }
    if construction:
        children["BridgeConstructiveElement"] = (construction, f"{prefix}:BridgeConstructionElement")
    in_room: Children = {
        f"{name}Furniture": ("interiorFurniture", f"{prefix}:{name}Furniture"),
        f"{name}Installation": (room_installation, f"{prefix}:Int{name}Installation"),
    }
    installed = f"{_WHAT} {_each(2, 4, 'Geometry', 'ImplicitRepresentation')} boundedBy"
    return {
        name: _kind(f"{prefix}:{name}", whole, children, _BOUNDED),
        f"{name}Part": _kind(f"{prefix}:{name}Part", whole, children, _BOUNDED),
        f"{name}Installation": _kind(f"{prefix}:{name}Installation", installed, None, _BOUNDED),
        room_type: _kind(
            f"{prefix}:{room_element}",
            f"{_WHAT} lod4Solid lod4MultiSurface boundedBy interiorFurniture {room_installation}",
            in_room,
            _BOUNDED,
        ),
        f"{name}Furniture": _kind(
            f"{prefix}:{name}Furniture", f"{_WHAT} lod4Geometry lod4ImplicitRepresentation"
        ),
        f"Int{name}Installation": _kind(
            f"{prefix}:Int{name}Installation",
            f"{_WHAT} lod4Geometry lod4ImplicitRepresentation boundedBy",
            None,
            _BOUNDED,
        ),
    }


_BUILT = "yearOfConstruction yearOfDemolition"
_STOREYS = (
    "storeysAboveGround storeysBelowGround storeyHeightsAboveGround storeyHeightsBelowGround"
    " lod0FootPrint lod0RoofEdge"
)
_TRAFFIC: Surfaces = {"TrafficArea": "trafficArea", "AuxiliaryTrafficArea": "auxiliaryTrafficArea"}
_ROAD = f"{_WHAT} trafficArea auxiliaryTrafficArea lod0Network {_lods(1, 4, 'MultiSurface')}"
_COMPONENTS = ("TIN", "MassPoint", "Breakline")
_WATER: Surfaces = {f"Water{name}Surface": "boundedBy" for name in ("", "Ground", "Closure")}

KINDS: Mapping[str, Kind] = {
    **_site("bldg", "Building", f"{_BUILT} roofType measuredHeight {_STOREYS}", "", ("interiorRoom", "Room")),
    **_site("brid", "Bridge", f"{_BUILT} isMovable", "outerBridgeConstruction",
            ("interiorBridgeRoom", "BridgeRoom")),
    **_site("tun", "Tunnel", _BUILT, "", ("interiorHollowSpace", "HollowSpace")),
    "BridgeConstructiveElement": _kind(
        "brid:BridgeConstructionElement",
        f"{_WHAT} {_each(1, 4, 'Geometry', 'TerrainIntersection', 'ImplicitRepresentation')} boundedBy",
        None, _BOUNDED,
    ),
    **{type_: _kind(f"tran:{name}", _ROAD, None, _TRAFFIC) for type_, name in {
        "Road": "Road", "Railway": "Railway", "TransportSquare": "Square", "Track": "Track",
        "TransportationComplex": "TransportationComplex",
    }.items()},
    "WaterBody": _kind(
        "wtr:WaterBody",
        f"{_WHAT} {_lods(0, 1, 'MultiCurve', 'MultiSurface')} {_each(1, 4, 'Solid')} boundedBy", None, _WATER,
    ),
    "PlantCover": _kind(
        "veg:PlantCover", f"{_WHAT} averageHeight {_each(1, 4, 'MultiSurface', 'MultiSolid')}"
    ),
    "SolitaryVegetationObject": _kind(
        "veg:SolitaryVegetationObject",
        f"{_WHAT} species height trunkDiameter crownDiameter"
        f" {_each(1, 4, 'Geometry', 'ImplicitRepresentation')}",
    ),
    "LandUse": _kind("luse:LandUse", f"{_WHAT} {_lods(0, 4, 'MultiSurface')}"),
    "CityFurniture": _kind(
        "frn:CityFurniture",
        f"{_WHAT} {_each(1, 4, 'Geometry', 'TerrainIntersection', 'ImplicitRepresentation')}",
    ),
    "GenericCityObject": _kind(
        "gen:GenericCityObject",
        f"{_WHAT} {_each(0, 4, 'Geometry', 'TerrainIntersection', 'ImplicitRepresentation')}",
    ),
    "CityObjectGroup": _kind("grp:CityObjectGroup", f"{_WHAT} groupMember parent geometry"),
    "ReliefFeature": _kind(
        "dem:ReliefFeature", "lod reliefComponent",
        {f"{name}Relief": ("reliefComponent", f"dem:{name}Relief") for name in _COMPONENTS},
    ),
    "TINRelief": _kind("dem:TINRelief", "lod tin"),
    "MassPointRelief": _kind("dem:MassPointRelief", "lod reliefPoints"),
    "BreaklineRelief": _kind("dem:BreaklineRelief", "lod breaklines"),
}  # fmt: skip
"""Classes by the type of CityJSON, a "+" in front of it left out."""

SURFACE_PROPERTIES: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(_SURFACES, ()),
    **dict.fromkeys(OPENINGS, ()),
    **dict.fromkeys(_TRAFFIC, ("class", "function", "usage", "surfaceMaterial")),
    "WaterSurface": ("waterLevel",),
    "WaterGroundSurface": (),
    "WaterClosureSurface": (),
}
"""Properties of thematic surfaces beside geometry and openings."""

GEOMETRY = frozenset({"tin", "reliefPoints", "breaklines", "geometry"})
APART = frozenset({"boundedBy", "address", "groupMember", "lod", *GEOMETRY, *_TRAFFIC.values()})
"""Properties that are no attributes, beside those of geometry by level and of children."""


def attributes_of(kind: Kind) -> tuple[str, ...]:
    """The properties of a class that hold attributes."""
    children = {holder for holder, _ in kind.children.values()}
    return tuple(
        name
        for name in kind.properties
        if name not in APART and name not in children and not name.startswith(("lod", "interior", "outer"))
    )
