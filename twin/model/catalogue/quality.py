"""How far the other values can be trusted, and how they were found."""

from twin.model.attribute import Attribute, Group, Origin, Stage, Words

VOLUME_METHODS = ("divergence", "roof-ground integral")

QUALITY_FLAGS = ("exact", "prism", "estimated", "edge")

FOOTPRINT_METHODS = ("ground surfaces", "roof plan")

REPAIRS = ("none", "repaired", "not repairable")

PLACEMENTS = ("exact", "approximate", "unplaced")

ATTRIBUTES = (
    Attribute(
        "closed",
        "boolean",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Closed shell", "Suljettu kuori", "Suletud kest", "Slutet skal"),
        meaning=Words(
            "Whether every edge of the boundary is shared by two faces in opposite directions.",
            "Onko jokainen reunan särmä kahden pinnan yhteinen, vastakkaisiin suuntiin kuljettuna.",
            "Kas iga serv on kahel tahul ühine ja läbitud vastassuundades.",
            "Om varje kant delas av två ytor i motsatta riktningar.",
        ),
        method="edges compared in pairs, points within a millimetre taken as one",
    ),
    Attribute(
        "volume_method",
        "text",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Volume method", "Tilavuuden menetelmä", "Mahu meetod", "Volymmetod"),
        meaning=Words(
            "How the volume was found.",
            "Miten tilavuus laskettiin.",
            "Kuidas maht leiti.",
            "Hur volymen beräknades.",
        ),
        codes=VOLUME_METHODS,
        method="divergence where the shell is closed, else the integral between roofs and grounds",
    ),
    Attribute(
        "volume_disagreement",
        "number",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Volume disagreement", "Tilavuuksien ero", "Mahtude erinevus", "Volymskillnad"),
        meaning=Words(
            "Relative difference of the two volume methods.",
            "Kahden tilavuusmenetelmän suhteellinen ero.",
            "Kahe mahumeetodi suhteline erinevus.",
            "Relativ skillnad mellan de två volymmetoderna.",
        ),
        method="difference of both methods / volume_m3",
    ),
    Attribute(
        "quality",
        "text",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Quality", "Laatu", "Kvaliteet", "Kvalitet"),
        meaning=Words(
            "How far the values computed from the object alone can be trusted.",
            "Kuinka pitkälle pelkästä kohteesta laskettuihin arvoihin voi luottaa.",
            "Kui palju võib usaldada ainult objektist endast arvutatud väärtusi.",
            "Hur långt man kan lita på värden som beräknats av objektet ensamt.",
        ),
        codes=QUALITY_FLAGS,
        method="exact for a closed shell, prism where roofs and grounds cover the same plan, else estimated",
    ),
    Attribute(
        "footprint_method",
        "text",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Footprint method", "Pohjan menetelmä", "Põhiplaani meetod", "Planmetod"),
        meaning=Words(
            "Which faces the footprint was made of.",
            "Mistä pinnoista pohja muodostettiin.",
            "Millistest tahkudest põhiplaan tehti.",
            "Vilka ytor planen bildades av.",
        ),
        codes=FOOTPRINT_METHODS,
        method="ground surfaces where there are any, else the plan of the roof",
    ),
    Attribute(
        "neighbours_quality",
        "text",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words(
            "Quality of neighbours", "Naapuritietojen laatu", "Naabrite kvaliteet", "Kvalitet hos grannar"
        ),
        meaning=Words(
            "edge where buildings within 100 m may be missing, as the delivery ends there, else exact.",
            "edge, kun 100 m säteeltä voi puuttua rakennuksia, koska toimitus päättyy siihen, muuten exact.",
            "edge, kui 100 m raadiusest võib hooneid puududa, sest tarne lõpeb seal, muidu exact.",
            "edge där byggnader inom 100 m kan saknas, eftersom leveransen slutar där, annars exact.",
        ),
        codes=("exact", "edge"),
        stage=Stage.NEIGHBOURS,
        method="edge where the extent of the dataset ends within 100 m",
    ),
    Attribute(
        "valid",
        "boolean",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Valid geometry", "Kelvollinen geometria", "Kehtiv geomeetria", "Giltig geometri"),
        meaning=Words(
            "Whether the geometry keeps the rules of ISO 19107.",
            "Noudattaako geometria standardin ISO 19107 sääntöjä.",
            "Kas geomeetria vastab ISO 19107 reeglitele.",
            "Om geometrin följer reglerna i ISO 19107.",
        ),
        stage=Stage.VALIDITY,
        term="ISO 19107",
        method="the checks of val3dity",
    ),
    Attribute(
        "validity_codes",
        "text",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Validity errors", "Geometriavirheet", "Geomeetriavead", "Geometrifel"),
        meaning=Words(
            "Numbers of the errors found, as val3dity numbers them, ascending, separated by spaces.",
            "Löydettyjen virheiden numerot val3dityn numeroinnilla, nousevasti, välilyönnein eroteltuna.",
            "Leitud vigade numbrid val3dity numeratsiooni järgi, kasvavalt, tühikutega eraldatud.",
            "Numren på de fel som hittades, enligt val3ditys numrering, stigande, åtskilda av blanksteg.",
        ),
        stage=Stage.VALIDITY,
        method="the checks of val3dity",
    ),
    Attribute(
        "repair",
        "text",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Repair", "Korjaus", "Parandus", "Reparation"),
        meaning=Words(
            "Whether an invalid geometry could be repaired; what is stored and shown is the original.",
            "Voitiinko kelvoton geometria korjata; tallennettu ja näytetty on alkuperäinen.",
            "Kas kehtetut geomeetriat oli võimalik parandada; salvestatud ja näidatud on algne.",
            "Om en ogiltig geometri kunde repareras; det som lagras och visas är originalet.",
        ),
        codes=REPAIRS,
        stage=Stage.VALIDITY,
        method="safe repairs that change nothing measured by 0.1 %",
    ),
    Attribute(
        "lod",
        "text",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Level of detail", "Tarkkuustaso", "Detailsusaste", "Detaljnivå"),
        meaning=Words(
            "LoD of the geometry that was measured.",
            "Mitatun geometrian tarkkuustaso (LoD).",
            "Mõõdetud geomeetria detailsusaste (LoD).",
            "LoD för den geometri som mättes.",
        ),
        method="the highest LoD with faces",
    ),
    Attribute(
        "surfaces",
        "integer",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Faces", "Pintoja", "Tahke", "Ytor"),
        meaning=Words(
            "Number of faces of the measured geometry.",
            "Mitatun geometrian pintojen määrä.",
            "Mõõdetud geomeetria tahkude arv.",
            "Antal ytor i den mätta geometrin.",
        ),
        method="count of the faces measured",
    ),
    Attribute(
        "placement",
        "text",
        Group.QUALITY,
        Origin.COMPUTED,
        label=Words("Placement", "Sijoitus", "Paigutus", "Placering"),
        meaning=Words(
            "How well the object is placed on the ellipsoid.",
            "Kuinka hyvin kohde on sijoitettu ellipsoidille.",
            "Kui hästi on objekt ellipsoidile paigutatud.",
            "Hur väl objektet är placerat på ellipsoiden.",
        ),
        codes=PLACEMENTS,
        method="exact by a geoid model, approximate by a constant, unplaced without either",
    ),
)
