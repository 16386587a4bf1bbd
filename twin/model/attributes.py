"""The attribute catalogue: every harmonised or computed attribute, declared once.

Database column, queryable, tile metadata property, viewer label and docs page are derived from
these declarations. To add an attribute, add it here and give it a value in
``importers.harmonise`` (from the source) or ``twin.processing.compute`` (from geometry).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeAlias

ValueType: TypeAlias = Literal["text", "integer", "number", "boolean"]
Access: TypeAlias = Literal["public", "personal"]
Language: TypeAlias = Literal["en", "fi", "et", "sv"]


class Group(StrEnum):
    """How a viewer groups attributes."""

    IDENTITY = "identity"
    USE = "use"
    DIMENSIONS = "dimensions"
    ENVELOPE = "envelope"
    QUALITY = "quality"


class Origin(StrEnum):
    """Where a value comes from; a value read and a value computed never share a column."""

    TWIN = "twin"
    SOURCE = "source"
    COMPUTED = "computed"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: ``name`` is its column and queryable, ``label`` maps a language to a label."""

    name: str
    type: ValueType
    group: Group
    origin: Origin
    meaning: str
    label: dict[Language, str]
    unit: str | None = None
    codes: tuple[str, ...] = ()
    access: Access = "public"
    in_tiles: bool = False

    def title(self, language: str = "en") -> str:
        """The label in a language, English where there is none."""
        labels: dict[Any, str] = self.label
        return labels.get(language, self.label["en"])


CURRENT_USE = (
    "residential", "individualResidence", "collectiveResidence", "twoDwellings",
    "moreThanTwoDwellings", "residenceForCommunities", "agriculture", "industrial",
    "commerceAndServices", "office", "trade", "publicServices", "ancillary",
)  # fmt: skip
"""INSPIRE CurrentUseValue (Data Specification on Buildings)."""

STATUS = ("planned", "underConstruction", "functional", "disused", "declined", "demolished", "ruin")
"""INSPIRE ConditionOfConstructionValue, with ``planned``."""

ROOF_TYPES = ("flat", "multiple flat", "shed", "gabled", "hipped", "complex")
PLACEMENTS = ("exact", "approximate", "unplaced")
QUALITY_FLAGS = ("exact", "prism", "estimated", "edge")
VOLUME_METHODS = ("divergence", "roof-ground integral")


def _of(
    group: Group, origin: Origin, name: str, type_: ValueType, labels: str, meaning: str, **more: Any
) -> Attribute:
    """Short form for the table below; ``labels`` are en|fi|et|sv."""
    en, fi, et, sv = labels.split("|")
    label: dict[Language, str] = {"en": en, "fi": fi, "et": et, "sv": sv}
    return Attribute(name, type_, group, origin, meaning, label, **more)


_ID, _USE, _DIM, _ENV, _QUA = Group
_T, _S, _C = Origin

CATALOGUE: tuple[Attribute, ...] = (
    _of(_ID, _T, "city", "text", "City|Kaupunki|Linn|Stad",
        "The city that the object stands in, from the source or the location.", in_tiles=True),
    _of(_ID, _T, "dataset", "text", "Dataset|Aineisto|Andmestik|Dataset",
        "The dataset that the object was delivered in."),
    _of(_ID, _T, "object_id", "text", "Source id|Lähteen tunnus|Allika tunnus|Käll-id",
        "The id of the object in the source file."),
    _of(_ID, _T, "synthetic", "boolean", "Synthetic|Synteettinen|Sünteetiline|Syntetisk",
        "Whether the object was generated and does not exist."),
    _of(_ID, _S, "national_building_id", "text",
        "National building id|Pysyvä rakennustunnus|Ehitisregistri kood|Nationell byggnadsbeteckning",
        "VTJ-PRT in Finland, EHR code in Estonia."),
    _of(_ID, _S, "municipal_id", "text", "Municipal id|Kunnan tunnus|Kohalik tunnus|Kommunal beteckning",
        "RATU in Helsinki, ETAK id in Estonia."),
    _of(_ID, _S, "street", "text", "Street|Katu|Tänav|Gata",
        "Street name of the first address.", access="personal"),
    _of(_ID, _S, "house_number", "text", "House number|Talon numero|Maja number|Husnummer",
        "House number of the first address.", access="personal"),
    _of(_ID, _S, "postal_code", "text", "Postal code|Postinumero|Sihtnumber|Postnummer",
        "Postal code of the first address.", access="personal"),
    _of(_USE, _S, "current_use", "text", "Current use|Käyttötarkoitus|Kasutusotstarve|Användning",
        "What the building is used for, as INSPIRE CurrentUseValue.", codes=CURRENT_USE, in_tiles=True),
    _of(_USE, _S, "status", "text", "Status|Tila|Seisund|Status",
        "Condition of the construction.", codes=STATUS),
    _of(_USE, _S, "year_of_construction", "integer",
        "Year of construction|Rakennusvuosi|Ehitusaasta|Byggår",
        "Year of completion or first use by the register."),
    _of(_USE, _S, "storeys_above_ground", "number",
        "Storeys above ground|Kerrosluku|Maapealsed korrused|Våningar ovan mark",
        "Number of storeys above ground by the register."),
    _of(_USE, _S, "floor_area_m2", "number", "Floor area|Kerrosala|Suletud netopind|Våningsyta",
        "Floor area by the register.", unit="m2"),
    _of(_USE, _S, "material", "text", "Material|Rakennusaine|Materjal|Material",
        "Load-bearing material by the register."),
    _of(_USE, _S, "heating", "text", "Heating|Lämmitys|Küte|Uppvärmning", "Heating by the register."),
    _of(_USE, _S, "energy_class", "text", "Energy class|Energialuokka|Energiaklass|Energiklass",
        "Energy performance class by the register."),
    _of(_DIM, _S, "measured_height_m", "number",
        "Measured height (source)|Mitattu korkeus (lähde)|Mõõdetud kõrgus (allikas)|Uppmätt höjd (källa)",
        "measuredHeight as the source states it.", unit="m"),
    _of(_DIM, _C, "height_m", "number", "Height|Korkeus|Kõrgus|Höjd",
        "Highest point minus ground.", unit="m", in_tiles=True),
    _of(_DIM, _C, "height_ground_m", "number", "Ground level|Maanpinnan taso|Maapinna kõrgus|Marknivå",
        "Height of the ground surface in the national height system.", unit="m"),
    _of(_DIM, _C, "height_eave_m", "number", "Eaves level|Räystästaso|Räästa kõrgus|Takfotsnivå",
        "Height of the lowest roof edge in the national height system.", unit="m"),
    _of(_DIM, _C, "height_ridge_m", "number", "Ridge level|Harjan taso|Harja kõrgus|Nocknivå",
        "Height of the longest ridge in the national height system.", unit="m"),
    _of(_DIM, _C, "height_max_m", "number", "Top level|Ylin taso|Kõrgeim punkt|Högsta nivå",
        "Height of the highest point in the national height system.", unit="m"),
    _of(_DIM, _C, "volume_m3", "number", "Volume|Tilavuus|Maht|Volym",
        "Enclosed volume.", unit="m3"),
    _of(_DIM, _C, "footprint_area_m2", "number",
        "Footprint area|Pohjan ala|Ehitisealune pind|Byggnadsarea",
        "Area of the union of all ground surfaces, seen from above.", unit="m2"),
    _of(_DIM, _C, "footprint_perimeter_m", "number",
        "Footprint perimeter|Pohjan piiri|Põhiplaani ümbermõõt|Omkrets",
        "Length of the outlines of the footprint, courtyards included.", unit="m"),
    _of(_ENV, _C, "roof_type", "text", "Roof type|Kattotyyppi|Katuse tüüp|Taktyp",
        "Shape of the roof from its faces.", codes=ROOF_TYPES),
    _of(_ENV, _C, "roof_area_m2", "number", "Roof area|Katon ala|Katuse pindala|Takarea",
        "Area of all roof faces, in their own planes.", unit="m2"),
    _of(_ENV, _C, "roof_area_flat_m2", "number",
        "Flat roof area|Tasakaton ala|Lamekatuse pindala|Platt takarea",
        "Area of roof faces with a slope of at most 3 degrees.", unit="m2"),
    _of(_ENV, _C, "roof_area_sloped_m2", "number",
        "Sloped roof area|Vinokaton ala|Kaldkatuse pindala|Lutande takarea",
        "Area of roof faces with a slope of more than 3 degrees.", unit="m2"),
    _of(_ENV, _C, "wall_area_m2", "number", "Wall area|Seinien ala|Seinte pindala|Väggarea",
        "Area of all walls, party walls included.", unit="m2"),
    _of(_ENV, _C, "ground_area_m2", "number",
        "Ground surface area|Alapohjan ala|Põranda pindala|Bottenarea",
        "Sum of the ground surfaces, in their own planes.", unit="m2"),
    _of(_QUA, _C, "closed", "boolean", "Closed shell|Suljettu kuori|Suletud kest|Slutet skal",
        "Whether every edge of the boundary is shared by two faces in opposite directions."),
    _of(_QUA, _C, "volume_method", "text",
        "Volume method|Tilavuuden menetelmä|Mahu meetod|Volymmetod",
        "How the volume was found.", codes=VOLUME_METHODS),
    _of(_QUA, _C, "volume_disagreement", "number",
        "Volume disagreement|Tilavuuksien ero|Mahtude erinevus|Volymskillnad",
        "Relative difference of the two volume methods."),
    _of(_QUA, _C, "quality", "text", "Quality|Laatu|Kvaliteet|Kvalitet",
        "How far the computed values can be trusted.", codes=QUALITY_FLAGS),
    _of(_QUA, _C, "lod", "text", "Level of detail|Tarkkuustaso|Detailsusaste|Detaljnivå",
        "LoD of the geometry that was measured."),
    _of(_QUA, _C, "surfaces", "integer", "Faces|Pintoja|Tahke|Ytor",
        "Number of faces of the measured geometry."),
    _of(_QUA, _C, "placement", "text", "Placement|Sijoitus|Paigutus|Placering",
        "How well the object is placed on the ellipsoid.", codes=PLACEMENTS),
)  # fmt: skip
"""All attributes, in the order in which people see them."""

BY_NAME: dict[str, Attribute] = {attribute.name: attribute for attribute in CATALOGUE}


def of_origin(*origins: Origin) -> Iterator[Attribute]:
    """The attributes with one of the given origins, in catalogue order."""
    return (attribute for attribute in CATALOGUE if attribute.origin in origins)
