"""Single surfaces of a building: of all of them in tiles, of roofs as a collection of their own."""

from twin.model.attribute import Attribute, Group, Origin, Stage, Words
from twin.model.catalogue.parts import BUILDING

SURFACE_TYPES = (
    "GroundSurface", "WallSurface", "RoofSurface", "OuterCeilingSurface", "OuterFloorSurface",
    "ClosureSurface", "Window", "Door", "InteriorWallSurface", "CeilingSurface", "FloorSurface",
)  # fmt: skip
"""Semantic surfaces of CityJSON 2.0 (section 3.3), in the order of `twin.model.geometry.SurfaceType`."""

TYPE = Attribute(
    "surface_type",
    "text",
    Group.IDENTITY,
    Origin.COMPUTED,
    label=Words("Surface type", "Pinnan tyyppi", "Pinna tüüp", "Yttyp"),
    meaning=Words(
        "What the surface is to its building, as CityJSON names it.",
        "Mikä pinta on rakennukselleen, CityJSONin nimin.",
        "Mis pind on oma hoonele, CityJSON-i nimetuste järgi.",
        "Vad ytan är för sin byggnad, med CityJSON:s namn.",
    ),
    codes=SURFACE_TYPES,
    stage=Stage.ROOF_FACES,
    term="core:AbstractThematicSurface",
    method="as the source says, else by normal and position",
)
SLOPE = Attribute(
    "slope_deg",
    "number",
    Group.DIMENSIONS,
    Origin.COMPUTED,
    label=Words("Slope", "Kaltevuus", "Kalle", "Lutning"),
    meaning=Words(
        "Angle to the horizontal: 0 for a level roof, 90 for a wall, 180 for a ground.",
        "Kulma vaakatasoon: 0 tasaisella katolla, 90 seinällä, 180 alapohjalla.",
        "Nurk horisontaaltasandi suhtes: lamekatusel 0, seinal 90, põrandal 180.",
        "Vinkel mot horisontalplanet: 0 för ett plant tak, 90 för en vägg, 180 för en botten.",
    ),
    unit="deg",
    in_tiles=True,
    stage=Stage.ROOF_FACES,
    method="angle of the Newell normal to the vertical",
    quality="exact",
)
AZIMUTH = Attribute(
    "azimuth_deg",
    "number",
    Group.DIMENSIONS,
    Origin.COMPUTED,
    label=Words("Azimuth", "Atsimuutti", "Asimuut", "Azimut"),
    meaning=Words(
        "Direction that the surface looks to, clockwise from grid north: 90 is east. None where it is level.",
        "Suunta, johon pinta katsoo, myötäpäivään karttapohjoisesta: 90 on itä. Puuttuu vaakapinnalta.",
        "Suund, kuhu pind vaatab, päripäeva kaardi põhjasuunast: 90 on ida. Rõhtsal pinnal puudub.",
        "Riktning som ytan är vänd mot, medurs från kartans norr: 90 är öster. Saknas där ytan är vågrät.",
    ),
    unit="deg",
    in_tiles=True,
    stage=Stage.ROOF_FACES,
    method="direction of the Newell normal in the plane; none below 0.5 degrees of slope",
    quality="exact",
)
AREA = Attribute(
    "area_m2",
    "number",
    Group.DIMENSIONS,
    Origin.COMPUTED,
    label=Words("Area", "Ala", "Pindala", "Area"),
    meaning=Words(
        "Area of the surface in its own plane.",
        "Pinnan ala omassa tasossaan.",
        "Pinna pindala tema oma tasandis.",
        "Ytans area i dess eget plan.",
    ),
    unit="m2",
    in_tiles=True,
    stage=Stage.ROOF_FACES,
    term="core:area",
    method="Newell area, less that of holes",
    quality="exact",
)

SURFACE = (TYPE, SLOPE, AZIMUTH, AREA)
"""Of every surface of a building, in tiles."""

ROOF_FACE = (
    BUILDING,
    Attribute(
        "face",
        "integer",
        Group.IDENTITY,
        Origin.TWIN,
        label=Words("Face", "Pinnan numero", "Tahu number", "Ytans nummer"),
        meaning=Words(
            "Number of the surface among the faces of its building, from 0.",
            "Pinnan järjestysnumero rakennuksensa pintojen joukossa, nollasta alkaen.",
            "Pinna järjekorranumber oma hoone tahkude seas, alates nullist.",
            "Ytans nummer bland byggnadens ytor, från 0.",
        ),
        stage=Stage.ROOF_FACES,
    ),
    SLOPE,
    AZIMUTH,
    AREA,
    Attribute(
        "plan_area_m2",
        "number",
        Group.DIMENSIONS,
        Origin.COMPUTED,
        label=Words("Plan area", "Vaakaprojektion ala", "Pindala pealtvaates", "Planarea"),
        meaning=Words(
            "Area of the surface seen from above.",
            "Pinnan ala ylhäältä katsottuna.",
            "Pinna pindala pealtvaates.",
            "Ytans area sedd uppifrån.",
        ),
        unit="m2",
        stage=Stage.ROOF_FACES,
        method="area of the outline in native coordinates",
        quality="exact",
    ),
    Attribute(
        "height_min_m",
        "number",
        Group.DIMENSIONS,
        Origin.COMPUTED,
        label=Words("Lowest level", "Alin taso", "Madalaim kõrgus", "Lägsta nivå"),
        meaning=Words(
            "Height of the lowest point of the surface in the national height system.",
            "Pinnan alimman pisteen korkeus valtakunnallisessa korkeusjärjestelmässä.",
            "Pinna madalaima punkti kõrgus riiklikus kõrgussüsteemis.",
            "Höjden på ytans lägsta punkt i det nationella höjdsystemet.",
        ),
        unit="m",
        stage=Stage.ROOF_FACES,
        method="lowest point of the surface",
        quality="exact",
    ),
    Attribute(
        "height_max_m",
        "number",
        Group.DIMENSIONS,
        Origin.COMPUTED,
        label=Words("Top level", "Ylin taso", "Kõrgeim punkt", "Högsta nivå"),
        meaning=Words(
            "Height of the highest point of the surface in the national height system.",
            "Pinnan ylimmän pisteen korkeus valtakunnallisessa korkeusjärjestelmässä.",
            "Pinna kõrgeima punkti kõrgus riiklikus kõrgussüsteemis.",
            "Höjden på ytans högsta punkt i det nationella höjdsystemet.",
        ),
        unit="m",
        stage=Stage.ROOF_FACES,
        method="highest point of the surface",
        quality="exact",
    ),
)
"""Of a roof surface alone; what it shares with its building is declared there."""
