"""What the elements of CityGML 1.0 to 3.0 are, by namespace and local name.

Object and surface types carry the names of CityJSON 2.0 (sections 2 and 3.3) where it has one.
"""

import re
from dataclasses import dataclass
from enum import Enum, auto

from importers.gml import GML_NAMESPACES
from importers.xml_stream import local_name, namespace

_CITYGML = re.compile(
    r"^http://www\.(?:opengis\.net|citygml\.org)/citygml/(?:profiles/base/)?(?:(\w+)/)?(\d\.\d)$"
)

CITY_OBJECTS = {
    name: name
    for name in (
        "Bridge", "BridgeConstructiveElement", "BridgeFurniture", "BridgeInstallation", "BridgePart",
        "BridgeRoom", "Building", "BuildingConstructiveElement", "BuildingFurniture",
        "BuildingInstallation", "BuildingPart", "BuildingRoom", "BuildingUnit", "CityFurniture",
        "CityObjectGroup", "GenericCityObject", "LandUse", "OtherConstruction", "PlantCover", "Railway",
        "ReliefFeature", "Road", "SolitaryVegetationObject", "TINRelief", "Track",
        "TransportationComplex", "Tunnel", "TunnelConstructiveElement", "TunnelFurniture",
        "TunnelInstallation", "TunnelPart", "WaterBody", "Waterway",
    )
} | {
    "BridgeConstructionElement": "BridgeConstructiveElement",
    "GenericLogicalSpace": "GenericCityObject",
    "GenericOccupiedSpace": "GenericCityObject",
    "GenericThematicSurface": "GenericCityObject",
    "GenericUnoccupiedSpace": "GenericCityObject",
    "HollowSpace": "TunnelHollowSpace",
    "IntBridgeInstallation": "BridgeInstallation",
    "IntBuildingInstallation": "BuildingInstallation",
    "IntTunnelInstallation": "TunnelInstallation",
    "Room": "BuildingRoom",
    "Square": "TransportSquare",
    "Storey": "BuildingStorey",
} | {
    name: f"+{name}"
    for name in (
        "AuxiliaryTrafficSpace", "BreaklineRelief", "ClearanceSpace", "Intersection", "MassPointRelief",
        "PointCloud", "RasterRelief", "Section", "TrafficSpace",
    )
}  # fmt: skip
"""Class of CityGML → type of CityJSON; those without a counterpart keep their name, as of an Extension."""

SURFACES = {
    name: name
    for name in (
        "AuxiliaryTrafficArea",
        "CeilingSurface",
        "ClosureSurface",
        "Door",
        "FloorSurface",
        "GroundSurface",
        "InteriorWallSurface",
        "OuterCeilingSurface",
        "OuterFloorSurface",
        "RoofSurface",
        "TrafficArea",
        "TransportationHole",
        "TransportationMarking",
        "WallSurface",
        "WaterClosureSurface",
        "WaterGroundSurface",
        "WaterSurface",
        "Window",
    )
} | {
    "DoorSurface": "Door",
    "GenericThematicSurface": "+GenericThematicSurface",
    "Hole": "TransportationHole",
    "HoleSurface": "TransportationHole",
    "Marking": "TransportationMarking",
    "WindowSurface": "Window",
}
"""Thematic surface of CityGML → semantic surface of CityJSON."""

_GENERIC_TYPES = ("string", "int", "double", "date", "uri", "measure", "code")
GENERIC_TYPES = {f"{name}Attribute": name for name in _GENERIC_TYPES} | {
    f"{name.capitalize()}Attribute": name for name in _GENERIC_TYPES
}
"""``gen:intAttribute``, in CityGML 3.0 ``gen:IntAttribute`` → type of its value."""


class Role(Enum):
    """What a property of a city object is, as far as its own name tells."""

    PROPERTY = auto()
    GENERIC = auto()
    GENERIC_SET = auto()
    GENERIC_WRAPPER = auto()
    ENVELOPE = auto()
    ADDRESS = auto()
    EXTERNAL_REFERENCE = auto()
    GROUP_MEMBER = auto()
    DYNAMIZER = auto()
    NOT_STORED = auto()


@dataclass(frozen=True, slots=True)
class Name:
    """A classified tag: ``city_object`` and ``surface`` are the types that CityJSON gives it.

    ``value_type`` is set for generic attributes, ``lod`` for geometry properties (``lod2Solid``).
    """

    local: str
    role: Role
    is_gml: bool = False
    foreign: str | None = None
    city_object: str | None = None
    surface: str | None = None
    value_type: str = ""
    lod: str | None = None


_LOD = re.compile(r"^lod(\d)")
_CORE_ROLES = {
    "address": Role.ADDRESS,
    "genericAttribute": Role.GENERIC_WRAPPER,
    "genericAttributeSet": Role.GENERIC_SET,
    "GenericAttributeSet": Role.GENERIC_SET,
    "externalReference": Role.EXTERNAL_REFERENCE,
    "appearance": Role.NOT_STORED,
    "appearanceMember": Role.NOT_STORED,
    "dynamizer": Role.DYNAMIZER,
    "groupMember": Role.GROUP_MEMBER,
}


class Names(dict[str, Name]):
    """Tag to what it is; filled as tags are met, so that each is classified once."""

    def __missing__(self, tag: str) -> Name:
        name = _classify(tag)
        self[tag] = name
        return name


def _classify(tag: str) -> Name:
    local, space = local_name(tag), namespace(tag)
    if space in GML_NAMESPACES:
        roles = {"boundedBy": Role.ENVELOPE, "metaDataProperty": Role.NOT_STORED}
        return Name(local, roles.get(local, Role.PROPERTY), is_gml=True)
    level = lod_of(local)
    if _CITYGML.match(space) is None:
        return Name(local, Role.PROPERTY, foreign=space, lod=level)
    if local in GENERIC_TYPES:
        return Name(local, Role.GENERIC, value_type=GENERIC_TYPES[local])
    return Name(
        local,
        _CORE_ROLES.get(local, Role.PROPERTY),
        city_object=CITY_OBJECTS.get(local),
        surface=SURFACES.get(local),
        lod=level,
    )


def lod_of(name: str) -> str | None:
    """``2`` for ``lod2Solid``."""
    found = _LOD.match(name)
    return found.group(1) if found else None


def version(root_tag: str) -> str | None:
    """``2.0`` for the root of a CityGML 2.0 file; None for a root that is no CityModel."""
    match = _CITYGML.match(namespace(root_tag))
    return match.group(2) if match and local_name(root_tag) == "CityModel" else None
