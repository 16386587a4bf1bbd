"""Names that CityJSON 2.0 prescribes."""

TYPES = frozenset(
    {
        "Bridge", "BridgeConstructiveElement", "BridgeFurniture", "BridgeInstallation", "BridgePart",
        "BridgeRoom", "Building", "BuildingConstructiveElement", "BuildingFurniture",
        "BuildingInstallation", "BuildingPart", "BuildingRoom", "BuildingStorey", "BuildingUnit",
        "CityFurniture", "CityObjectGroup", "GenericCityObject", "LandUse", "OtherConstruction",
        "PlantCover", "Railway", "Road", "SolitaryVegetationObject", "TINRelief", "TransportSquare",
        "Tunnel", "TunnelConstructiveElement", "TunnelFurniture", "TunnelHollowSpace",
        "TunnelInstallation", "TunnelPart", "WaterBody", "Waterway",
    }
)  # fmt: skip
"""Object types; all others are extensions and begin with "+" (section 8)."""

GROUP = "CityObjectGroup"

ADDRESS_NAMES = {
    "country": "country",
    "locality": "locality",
    "street": "thoroughfareName",
    "house_number": "thoroughfareNumber",
    "postal_code": "postcode",
}
"""Part of an address → how this twin writes it; CityJSON does not prescribe the names."""

ADDRESS_PARTS = {
    "country": "country",
    "countryname": "country",
    "locality": "locality",
    "localityname": "locality",
    "thoroughfarename": "street",
    "street": "street",
    "thoroughfarenumber": "house_number",
    "postcode": "postal_code",
    "postalcode": "postal_code",
    "postalcodenumber": "postal_code",
}
"""Names that files use, in lower case, → part of an address."""
