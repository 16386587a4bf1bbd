"""What stands around a building."""

from twin.model.attribute import Attribute, Group, Origin, Stage, Words

ATTRIBUTES = (
    Attribute(
        "touching_neighbours",
        "integer",
        Group.SURROUNDINGS,
        Origin.COMPUTED,
        label=Words(
            "Touching neighbours", "Kiinni olevat naapurit", "Puutuvad naabrid", "Angränsande grannar"
        ),
        meaning=Words(
            "Number of other buildings that share a party wall with this one.",
            "Niiden muiden rakennusten määrä, joilla on tämän kanssa yhteinen seinä.",
            "Teiste hoonete arv, millel on sellega ühissein.",
            "Antal andra byggnader som delar en vägg med denna.",
        ),
        stage=Stage.NEIGHBOURS,
        method="buildings with a facing wall of more than 0.1 m2 within 5 cm",
        quality="neighbours_quality",
    ),
    Attribute(
        "nearest_distance_m",
        "number",
        Group.SURROUNDINGS,
        Origin.COMPUTED,
        label=Words("Nearest building", "Lähin rakennus", "Lähim hoone", "Närmaste byggnad"),
        meaning=Words(
            "Distance to the nearest other footprint; 100 where none is nearer.",
            "Etäisyys lähimpään toiseen pohjaan; 100, jos lähempänä ei ole yhtään.",
            "Kaugus lähima teise põhiplaanini; 100, kui lähemal ühtki ei ole.",
            "Avstånd till närmaste andra plan; 100 om ingen är närmare.",
        ),
        unit="m",
        stage=Stage.NEIGHBOURS,
        method="least distance of footprints",
        quality="neighbours_quality",
    ),
    Attribute(
        "neighbours_50m",
        "integer",
        Group.SURROUNDINGS,
        Origin.COMPUTED,
        label=Words(
            "Neighbours within 50 m",
            "Naapureita 50 m säteellä",
            "Naabreid 50 m raadiuses",
            "Grannar inom 50 m",
        ),
        meaning=Words(
            "Number of other footprints within 50 m of this one.",
            "Muiden pohjien määrä 50 metrin säteellä tästä.",
            "Teiste põhiplaanide arv sellest 50 m raadiuses.",
            "Antal andra planer inom 50 m från denna.",
        ),
        stage=Stage.NEIGHBOURS,
        method="count of footprints within the distance",
        quality="neighbours_quality",
    ),
    Attribute(
        "neighbours_100m",
        "integer",
        Group.SURROUNDINGS,
        Origin.COMPUTED,
        label=Words(
            "Neighbours within 100 m",
            "Naapureita 100 m säteellä",
            "Naabreid 100 m raadiuses",
            "Grannar inom 100 m",
        ),
        meaning=Words(
            "Number of other footprints within 100 m of this one.",
            "Muiden pohjien määrä 100 metrin säteellä tästä.",
            "Teiste põhiplaanide arv sellest 100 m raadiuses.",
            "Antal andra planer inom 100 m från denna.",
        ),
        stage=Stage.NEIGHBOURS,
        method="count of footprints within the distance",
        quality="neighbours_quality",
    ),
)
