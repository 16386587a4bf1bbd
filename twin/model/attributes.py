"""The attribute catalogue: every harmonised or computed attribute, declared once.

Database column, queryable, tile metadata property, viewer label and docs page are derived from
these declarations. To add an attribute, add it here and give it a value in
``importers.harmonise`` (from the source) or ``twin.processing.compute`` (from geometry).

Terms are those of INSPIRE's Data Specification on Buildings 3.0 (``bu-…``) and of CityGML 2.0
(``bldg:``) and 3.0 (``con:``).
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
    SHAPE = "shape"
    ENVELOPE = "envelope"
    SURROUNDINGS = "surroundings"
    QUALITY = "quality"


class Origin(StrEnum):
    """Where a value comes from; a value read and a value computed never share a column."""

    TWIN = "twin"
    SOURCE = "source"
    COMPUTED = "computed"


class Stage(StrEnum):
    """When a value becomes known.

    ``IMPORT``: from the object alone, as it is read. ``NEIGHBOURS`` and ``VALIDITY``: by
    ``twin process`` afterwards, into side tables and from there into the read model.
    """

    IMPORT = "import"
    NEIGHBOURS = "neighbours"
    VALIDITY = "validity"


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute: ``name`` is its column and queryable, ``label`` maps a language to a label.

    ``term`` is the name that a standard gives it. ``method`` tells how a computed value comes to
    be. ``quality`` names the attribute that holds the quality flag of each value, or is the flag
    itself where all values have the same.
    """

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
    stage: Stage = Stage.IMPORT
    term: str | None = None
    method: str | None = None
    quality: str | None = None

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
FOOTPRINT_METHODS = ("ground surfaces", "roof plan")


def _of(
    group: Group, origin: Origin, name: str, type_: ValueType, labels: str, meaning: str, **more: Any
) -> Attribute:
    """Short form for the table below; ``labels`` are en|fi|et|sv."""
    en, fi, et, sv = labels.split("|")
    label: dict[Language, str] = {"en": en, "fi": fi, "et": et, "sv": sv}
    return Attribute(name, type_, group, origin, meaning, label, **more)


_ID, _USE, _DIM, _SHA, _ENV, _SUR, _QUA = Group
_T, _S, _C = Origin
_NEIGHBOURS: dict[str, Any] = {"stage": Stage.NEIGHBOURS, "quality": "neighbours_quality"}
_BY_SHELL: dict[str, Any] = {"quality": "quality"}

CATALOGUE: tuple[Attribute, ...] = (
    _of(_ID, _T, "city", "text", "City|Kaupunki|Linn|Stad",
        "The city that the object stands in, from the source or the location.", in_tiles=True),
    _of(_ID, _T, "dataset", "text", "Dataset|Aineisto|Andmestik|Dataset",
        "The dataset that the object was delivered in."),
    _of(_ID, _T, "object_id", "text", "Source id|Lähteen tunnus|Allika tunnus|Käll-id",
        "The id of the object in the source file.", term="bu-base:inspireId"),
    _of(_ID, _T, "synthetic", "boolean", "Synthetic|Synteettinen|Sünteetiline|Syntetisk",
        "Whether the object was generated and does not exist."),
    _of(_ID, _S, "national_building_id", "text",
        "National building id|Pysyvä rakennustunnus|Ehitisregistri kood|Nationell byggnadsbeteckning",
        "VTJ-PRT in Finland, EHR code in Estonia.", term="bu-base:externalReference"),
    _of(_ID, _S, "municipal_id", "text", "Municipal id|Kunnan tunnus|Kohalik tunnus|Kommunal beteckning",
        "RATU in Helsinki, ETAK id in Estonia.", term="bu-base:externalReference"),
    _of(_ID, _S, "street", "text", "Street|Katu|Tänav|Gata",
        "Street name of the first address.", access="personal", term="xal:ThoroughfareName"),
    _of(_ID, _S, "house_number", "text", "House number|Talon numero|Maja number|Husnummer",
        "House number of the first address.", access="personal", term="xal:ThoroughfareNumber"),
    _of(_ID, _S, "postal_code", "text", "Postal code|Postinumero|Sihtnumber|Postnummer",
        "Postal code of the first address.", access="personal", term="xal:PostalCodeNumber"),
    _of(_USE, _S, "current_use", "text", "Current use|Käyttötarkoitus|Kasutusotstarve|Användning",
        "What the building is used for, as INSPIRE CurrentUseValue.", codes=CURRENT_USE, in_tiles=True,
        term="bu-base:currentUse, bldg:function"),
    _of(_USE, _S, "status", "text", "Status|Tila|Seisund|Status",
        "Condition of the construction.", codes=STATUS, term="bu-base:conditionOfConstruction"),
    _of(_USE, _S, "year_of_construction", "integer",
        "Year of construction|Rakennusvuosi|Ehitusaasta|Byggår",
        "Year of completion or first use by the register.",
        term="bu-base:dateOfConstruction, bldg:yearOfConstruction"),
    _of(_USE, _S, "storeys_above_ground", "number",
        "Storeys above ground|Kerrosluku|Maapealsed korrused|Våningar ovan mark",
        "Number of storeys above ground by the register.",
        term="bu-base:numberOfFloorsAboveGround, bldg:storeysAboveGround"),
    _of(_USE, _S, "floor_area_m2", "number", "Floor area|Kerrosala|Suletud netopind|Våningsyta",
        "Floor area by the register.", unit="m2", term="bu-ext2d:officialArea"),
    _of(_USE, _S, "material", "text", "Material|Rakennusaine|Materjal|Material",
        "Load-bearing material by the register.", term="bu-ext2d:materialOfStructure"),
    _of(_USE, _S, "heating", "text", "Heating|Lämmitys|Küte|Uppvärmning", "Heating by the register.",
        term="bu-ext2d:heatingSource"),
    _of(_USE, _S, "energy_class", "text", "Energy class|Energialuokka|Energiaklass|Energiklass",
        "Energy performance class by the register.", term="bu-ext2d:energyPerformance"),
    _of(_DIM, _S, "measured_height_m", "number",
        "Measured height (source)|Mitattu korkeus (lähde)|Mõõdetud kõrgus (allikas)|Uppmätt höjd (källa)",
        "measuredHeight as the source states it.", unit="m", term="bldg:measuredHeight, con:height"),
    _of(_DIM, _C, "height_m", "number", "Height|Korkeus|Kõrgus|Höjd",
        "Highest point minus ground.", unit="m", in_tiles=True,
        term="bu-base:heightAboveGround", method="height_max_m - height_ground_m", **_BY_SHELL),
    _of(_DIM, _C, "height_ground_m", "number", "Ground level|Maanpinnan taso|Maapinna kõrgus|Marknivå",
        "Height of the ground surface in the national height system.", unit="m",
        term="bu-base:elevation (bottomOfConstruction)",
        method="lowest point of the ground surfaces", **_BY_SHELL),
    _of(_DIM, _C, "height_eave_m", "number", "Eaves level|Räystästaso|Räästa kõrgus|Takfotsnivå",
        "Height of the lowest roof edge in the national height system.", unit="m",
        term="bu-base:elevation (lowestEave)", method="lowest point of the roof", **_BY_SHELL),
    _of(_DIM, _C, "height_ridge_m", "number", "Ridge level|Harjan taso|Harja kõrgus|Nocknivå",
        "Height of the longest ridge in the national height system.", unit="m",
        method="higher end of the longest ridge, else the top of the roof", **_BY_SHELL),
    _of(_DIM, _C, "height_max_m", "number", "Top level|Ylin taso|Kõrgeim punkt|Högsta nivå",
        "Height of the highest point in the national height system.", unit="m",
        term="bu-base:elevation (highestPoint)", method="highest point of all faces", **_BY_SHELL),
    _of(_DIM, _C, "volume_m3", "number", "Volume|Tilavuus|Maht|Volym",
        "Enclosed volume.", unit="m3",
        term="con:volume",
        method="divergence theorem of a closed shell, else roofs above grounds", **_BY_SHELL),
    _of(_DIM, _C, "footprint_area_m2", "number",
        "Footprint area|Pohjan ala|Ehitisealune pind|Byggnadsarea",
        "Area of the union of all ground surfaces, seen from above.", unit="m2",
        method="area of the union on a millimetre grid; see footprint_method", **_BY_SHELL),
    _of(_DIM, _C, "footprint_perimeter_m", "number",
        "Footprint perimeter|Pohjan piiri|Põhiplaani ümbermõõt|Omkrets",
        "Length of the outlines of the footprint, courtyards included.", unit="m",
        method="length of the outlines of the union", **_BY_SHELL),
    _of(_DIM, _C, "box_length_m", "number", "Length|Pituus|Pikkus|Längd",
        "Longer side of the least rectangle around the footprint.", unit="m",
        method="rectangle of least area over the edges of the convex hull", **_BY_SHELL),
    _of(_DIM, _C, "box_width_m", "number", "Width|Leveys|Laius|Bredd",
        "Shorter side of the least rectangle around the footprint.", unit="m",
        method="rectangle of least area over the edges of the convex hull", **_BY_SHELL),
    _of(_DIM, _C, "box_azimuth_deg", "number", "Orientation|Suunta|Suund|Riktning",
        "Direction of the longer side, clockwise from north, from 0 up to 180.", unit="deg",
        method="direction of the longer side of the least rectangle", **_BY_SHELL),
    _of(_DIM, _C, "storeys_estimated", "integer",
        "Storeys (estimate)|Kerroksia (arvio)|Korruseid (hinnang)|Våningar (uppskattning)",
        "Storeys above ground that fit into the height; a register's own number is storeys_above_ground.",
        method="floor(height_m / 3.0), at least 1", quality="estimated"),
    _of(_DIM, _C, "floor_area_estimated_m2", "number",
        "Floor area (estimate)|Kerrosala (arvio)|Netopind (hinnang)|Våningsyta (uppskattning)",
        "Floor area of the storeys that fit into the height; a register's own number is floor_area_m2.",
        unit="m2", method="footprint_area_m2 x storeys_estimated", quality="estimated"),
    _of(_SHA, _C, "elongation", "number", "Elongation|Pitkulaisuus|Väljavenitatus|Långsträckthet",
        "0 for a square plan, near 1 for a long and narrow one.",
        method="1 - box_width_m / box_length_m", **_BY_SHELL),
    _of(_SHA, _C, "rectangularity", "number",
        "Rectangularity|Suorakulmaisuus|Ristkülikulisus|Rektangularitet",
        "Share of the least rectangle that the footprint fills.",
        method="footprint_area_m2 / (box_length_m x box_width_m)", **_BY_SHELL),
    _of(_SHA, _C, "circularity", "number", "Circularity|Pyöreys|Ümarus|Cirkularitet",
        "1 for a round plan, less the more outline the plan has for its area.",
        method="4 pi x footprint_area_m2 / footprint_perimeter_m^2", **_BY_SHELL),
    _of(_SHA, _C, "hemisphericality", "number",
        "Hemisphericality|Puolipallomaisuus|Poolkeralisus|Halvsfäriskhet",
        "1 for a half ball on the ground, less the more surface the shell has for its volume.",
        method="3 sqrt(2 pi) x V / S^1.5, S the area of the whole shell", **_BY_SHELL),
    _of(_SHA, _C, "cubeness", "number", "Cubeness|Kuutiomaisuus|Kuubilisus|Kubiskhet",
        "1 for a cube, less the more surface the shell has for its volume.",
        method="6 x V^(2/3) / S, S the area of the whole shell", **_BY_SHELL),
    _of(_SHA, _C, "convexity", "number", "Convexity|Kuperuus|Kumerus|Konvexitet",
        "Share of its convex hull that the building fills.",
        method="volume_m3 / volume of the convex hull of all points", **_BY_SHELL),
    _of(_ENV, _C, "roof_type", "text", "Roof type|Kattotyyppi|Katuse tüüp|Taktyp",
        "Shape of the roof from its faces.", codes=ROOF_TYPES, term="bldg:roofType, bu-ext2d:roofType",
        method="directions and levels of the roof faces", **_BY_SHELL),
    _of(_ENV, _C, "roof_area_m2", "number", "Roof area|Katon ala|Katuse pindala|Takarea",
        "Area of all roof faces, in their own planes.", unit="m2",
        method="sum of Newell areas of the roof faces", **_BY_SHELL),
    _of(_ENV, _C, "roof_area_flat_m2", "number",
        "Flat roof area|Tasakaton ala|Lamekatuse pindala|Platt takarea",
        "Area of roof faces with a slope of at most 3 degrees.", unit="m2",
        method="sum of Newell areas, slope up to 3 degrees", **_BY_SHELL),
    _of(_ENV, _C, "roof_area_sloped_m2", "number",
        "Sloped roof area|Vinokaton ala|Kaldkatuse pindala|Lutande takarea",
        "Area of roof faces with a slope of more than 3 degrees.", unit="m2",
        method="sum of Newell areas, slope over 3 degrees", **_BY_SHELL),
    _of(_ENV, _C, "wall_area_m2", "number", "Wall area|Seinien ala|Seinte pindala|Väggarea",
        "Area of all walls, party walls included.", unit="m2",
        method="sum of Newell areas of the walls", **_BY_SHELL),
    _of(_ENV, _C, "ground_area_m2", "number",
        "Ground surface area|Alapohjan ala|Põranda pindala|Bottenarea",
        "Sum of the ground surfaces, in their own planes.", unit="m2",
        method="sum of Newell areas of the grounds", **_BY_SHELL),
    _of(_ENV, _C, "party_wall_area_m2", "number",
        "Party wall area|Yhteisen seinän ala|Ühisseina pindala|Gemensam väggarea",
        "Area of the walls that other buildings stand against.", unit="m2",
        method="union, for each wall, of the facing walls of other buildings within 5 cm", **_NEIGHBOURS),
    _of(_ENV, _C, "inner_wall_area_m2", "number",
        "Inner wall area|Sisäseinien ala|Siseseinte pindala|Innerväggsarea",
        "Area of the walls between parts of the same building, counted on both sides.", unit="m2",
        method="union, for each wall, of the facing walls of other parts within 5 cm", **_NEIGHBOURS),
    _of(_ENV, _C, "exterior_wall_area_m2", "number",
        "Exterior wall area|Ulkoseinien ala|Välisseinte pindala|Ytterväggsarea",
        "Area of the walls that stand in the open.", unit="m2",
        method="wall_area_m2 less what faces other buildings or other parts", **_NEIGHBOURS),
    _of(_ENV, _C, "envelope_area_m2", "number",
        "Envelope area|Vaipan ala|Välispiirete pindala|Klimatskalets area",
        "Area through which a building loses heat: roof, exterior walls and ground.", unit="m2",
        method="roof_area_m2 + exterior_wall_area_m2 + ground_area_m2", **_NEIGHBOURS),
    _of(_ENV, _C, "surface_to_volume", "number",
        "Surface to volume|Vaipan ja tilavuuden suhde|Pinna ja mahu suhe|Yta till volym",
        "Envelope area over volume.", unit="1/m", method="envelope_area_m2 / volume_m3", **_NEIGHBOURS),
    _of(_SUR, _C, "touching_neighbours", "integer",
        "Touching neighbours|Kiinni olevat naapurit|Puutuvad naabrid|Angränsande grannar",
        "Number of other buildings that share a party wall with this one.",
        method="buildings with a facing wall of more than 0.1 m2 within 5 cm", **_NEIGHBOURS),
    _of(_SUR, _C, "nearest_distance_m", "number",
        "Nearest building|Lähin rakennus|Lähim hoone|Närmaste byggnad",
        "Distance to the nearest other footprint; 100 where none is nearer.", unit="m",
        method="least distance of footprints", **_NEIGHBOURS),
    _of(_SUR, _C, "neighbours_50m", "integer",
        "Neighbours within 50 m|Naapureita 50 m säteellä|Naabreid 50 m raadiuses|Grannar inom 50 m",
        "Number of other footprints within 50 m of this one.",
        method="count of footprints within the distance", **_NEIGHBOURS),
    _of(_SUR, _C, "neighbours_100m", "integer",
        "Neighbours within 100 m|Naapureita 100 m säteellä|Naabreid 100 m raadiuses|Grannar inom 100 m",
        "Number of other footprints within 100 m of this one.",
        method="count of footprints within the distance", **_NEIGHBOURS),
    _of(_QUA, _C, "closed", "boolean", "Closed shell|Suljettu kuori|Suletud kest|Slutet skal",
        "Whether every edge of the boundary is shared by two faces in opposite directions."),
    _of(_QUA, _C, "volume_method", "text",
        "Volume method|Tilavuuden menetelmä|Mahu meetod|Volymmetod",
        "How the volume was found.", codes=VOLUME_METHODS),
    _of(_QUA, _C, "volume_disagreement", "number",
        "Volume disagreement|Tilavuuksien ero|Mahtude erinevus|Volymskillnad",
        "Relative difference of the two volume methods."),
    _of(_QUA, _C, "quality", "text", "Quality|Laatu|Kvaliteet|Kvalitet",
        "How far the values computed from the object alone can be trusted.", codes=QUALITY_FLAGS),
    _of(_QUA, _C, "footprint_method", "text",
        "Footprint method|Pohjan menetelmä|Põhiplaani meetod|Planmetod",
        "Which faces the footprint was made of.", codes=FOOTPRINT_METHODS),
    _of(_QUA, _C, "neighbours_quality", "text",
        "Quality of neighbours|Naapuritietojen laatu|Naabrite kvaliteet|Kvalitet hos grannar",
        "edge where buildings within 100 m may be missing, as the delivery ends there, else exact.",
        codes=("exact", "edge"), stage=Stage.NEIGHBOURS),
    _of(_QUA, _C, "valid", "boolean",
        "Valid geometry|Kelvollinen geometria|Kehtiv geomeetria|Giltig geometri",
        "Whether the geometry keeps the rules of ISO 19107.",
        stage=Stage.VALIDITY, term="ISO 19107", method="the checks of val3dity"),
    _of(_QUA, _C, "validity_codes", "text",
        "Validity errors|Geometriavirheet|Geomeetriavead|Geometrifel",
        "Numbers of the errors found, as val3dity numbers them, ascending, separated by spaces.",
        stage=Stage.VALIDITY, method="the checks of val3dity"),
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


def of_stage(*stages: Stage) -> Iterator[Attribute]:
    """The attributes that become known in one of the given stages, in catalogue order."""
    return (attribute for attribute in CATALOGUE if attribute.stage in stages)
