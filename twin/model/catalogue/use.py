"""What registers say of a building: use, condition, age, size, material."""

from twin.model.attribute import Attribute, Group, Origin, Words

CURRENT_USE = (
    "residential",
    "individualResidence",
    "collectiveResidence",
    "twoDwellings",
    "moreThanTwoDwellings",
    "residenceForCommunities",
    "agriculture",
    "industrial",
    "commerceAndServices",
    "office",
    "trade",
    "publicServices",
    "ancillary",
)
"""INSPIRE CurrentUseValue (Data Specification on Buildings)."""

STATUS = ("planned", "underConstruction", "functional", "disused", "declined", "demolished", "ruin")
"""INSPIRE ConditionOfConstructionValue, with ``planned``."""

ATTRIBUTES = (
    Attribute(
        "current_use",
        "text",
        Group.USE,
        Origin.SOURCE,
        label=Words("Current use", "Käyttötarkoitus", "Kasutusotstarve", "Användning"),
        meaning=Words(
            "What the building is used for, as INSPIRE CurrentUseValue.",
            "Mihin rakennusta käytetään, INSPIREn CurrentUseValue-arvona.",
            "Milleks hoonet kasutatakse, INSPIRE CurrentUseValue väärtusena.",
            "Vad byggnaden används till, som INSPIRE CurrentUseValue.",
        ),
        codes=CURRENT_USE,
        in_tiles=True,
        term="bu-base:currentUse, bldg:function",
    ),
    Attribute(
        "status",
        "text",
        Group.USE,
        Origin.SOURCE,
        label=Words("Status", "Tila", "Seisund", "Status"),
        meaning=Words(
            "Condition of the construction.",
            "Rakennuskohteen tila.",
            "Ehitise seisund.",
            "Byggnadsverkets tillstånd.",
        ),
        codes=STATUS,
        term="bu-base:conditionOfConstruction, con:conditionOfConstruction",
    ),
    Attribute(
        "year_of_construction",
        "integer",
        Group.USE,
        Origin.SOURCE,
        label=Words("Year of construction", "Rakennusvuosi", "Ehitusaasta", "Byggår"),
        meaning=Words(
            "Year of completion or first use by the register.",
            "Valmistumis- tai käyttöönottovuosi rekisterin mukaan.",
            "Valmimise või esmase kasutuselevõtu aasta registri järgi.",
            "År för färdigställande eller ibruktagande enligt registret.",
        ),
        term="bu-base:dateOfConstruction, bldg:yearOfConstruction, con:dateOfConstruction",
    ),
    Attribute(
        "storeys_above_ground",
        "number",
        Group.USE,
        Origin.SOURCE,
        label=Words("Storeys above ground", "Kerrosluku", "Maapealsed korrused", "Våningar ovan mark"),
        meaning=Words(
            "Number of storeys above ground by the register.",
            "Maanpäällisten kerrosten lukumäärä rekisterin mukaan.",
            "Maapealsete korruste arv registri järgi.",
            "Antal våningar ovan mark enligt registret.",
        ),
        term="bu-base:numberOfFloorsAboveGround, bldg:storeysAboveGround",
    ),
    Attribute(
        "floor_area_m2",
        "number",
        Group.USE,
        Origin.SOURCE,
        label=Words("Floor area", "Kerrosala", "Suletud netopind", "Våningsyta"),
        meaning=Words(
            "Floor area by the register.",
            "Kerrosala rekisterin mukaan.",
            "Suletud netopind registri järgi.",
            "Våningsyta enligt registret.",
        ),
        unit="m2",
        term="bu-ext2d:officialArea",
    ),
    Attribute(
        "material",
        "text",
        Group.USE,
        Origin.SOURCE,
        label=Words("Material", "Rakennusaine", "Materjal", "Material"),
        meaning=Words(
            "Load-bearing material by the register.",
            "Kantavien rakenteiden rakennusaine rekisterin mukaan.",
            "Kandekonstruktsiooni materjal registri järgi.",
            "Bärande material enligt registret.",
        ),
        term="bu-ext2d:materialOfStructure",
    ),
    Attribute(
        "heating",
        "text",
        Group.USE,
        Origin.SOURCE,
        label=Words("Heating", "Lämmitys", "Küte", "Uppvärmning"),
        meaning=Words(
            "Heating by the register.",
            "Lämmitys rekisterin mukaan.",
            "Küte registri järgi.",
            "Uppvärmning enligt registret.",
        ),
        term="bu-ext2d:heatingSource",
    ),
    Attribute(
        "energy_class",
        "text",
        Group.USE,
        Origin.SOURCE,
        label=Words("Energy class", "Energialuokka", "Energiaklass", "Energiklass"),
        meaning=Words(
            "Energy performance class by the register.",
            "Energiatehokkuusluokka rekisterin mukaan.",
            "Energiatõhususe klass registri järgi.",
            "Energiprestandaklass enligt registret.",
        ),
        term="bu-ext2d:energyPerformance",
    ),
)
