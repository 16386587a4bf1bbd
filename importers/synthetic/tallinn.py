"""A Tallinn that does not exist: a walled town on a hill, boulevards, panel districts, wooden quarters.

Written as the national LoD2 product is: bare surfaces, the topographic database's ids and the columns
of the building register (EHR), which knows nothing of some outbuildings.
"""

import math
from collections.abc import Iterator
from itertools import chain
from typing import Any, Final

from importers.synthetic import suburbs, urban
from importers.synthetic.chance import fraction
from importers.synthetic.plan import Block, District, Use
from importers.synthetic.register import Attribute, Entry, Record
from importers.synthetic.streets import BentGrid, Land, Rings, urban_distance

NAME: Final = "tallinn"
TITLE: Final = "SYNTHETIC Tallinn LoD2 (generated; no building in it exists)"
EPSG: Final = 3301
CENTRE: Final = (542_500, 6_588_800)

STREETS: Final = {
    0: (
        "Tatari tn", "Liivalaia tn", "Gonsiori tn", "Raua tn", "Narva mnt", "Kreutzwaldi tn", "Lembitu tn",
        "Koidula tn", "Vase tn", "Poska tn", "Kopli tn", "Valgevase tn", "Telliskivi tn", "Sõle tn",
        "Pikk tn", "Lai tn", "Vene tn",
    ),
    1: (
        "Pärnu mnt", "Tina tn", "Faehlmanni tn", "Wiedemanni tn", "Köleri tn", "Endla tn", "Luise tn",
        "Kevade tn", "Salme tn", "Kungla tn", "Graniidi tn", "Ristiku tn", "Ehte tn", "Sõpruse pst",
        "Rataskaevu tn", "Müürivahe tn", "Olevimägi",
    ),
}  # fmt: skip

_OLD_TOWN: Final = District(
    urban.medieval, (2, 4), (1890, 1939),
    {"apartments": 6, "shop": 3, "hotel": 1, "office": 2, "library": 0.3},
    {"gable": 1}, frontage=(7.5, 10.5), storey=3.0, pitch=1.45,
)  # fmt: skip
_TOWN_WALL: Final = District(urban.wall_tower, (4, 4), (1890, 1900), {"library": 1}, {"hip": 1}, storey=3.2)
_PALACE: Final = District(urban.palace, (3, 3), (1890, 1922), {"office": 1}, {"flat": 1}, storey=3.8)
_CHURCH: Final = District(urban.church_square, (4, 4), (1890, 1915), {"church": 1}, {"gable": 1}, pitch=1.3)
_BOULEVARDS: Final = District(
    urban.closed_block, (3, 6), (1900, 1958), {"apartments": 10, "office": 2, "shop": 2, "hospital": 0.3},
    {"gable": 6, "flat": 2, "mansard": 1}, depth=12.0, frontage=(14.0, 24.0), pitch=0.7,
)  # fmt: skip
_BUSINESS: Final = District(
    urban.centre, (9, 30), (1998, 2024), {"office": 6, "hotel": 1, "apartments": 2, "shop": 1}, {"flat": 1},
    storey=3.5,
)  # fmt: skip
_WOODEN: Final = District(
    suburbs.wooden, (2, 3), (1890, 1938), {"apartments": 8, "two_homes": 1, "shop": 0.5},
    {"gable": 6, "hip": 3, "mansard": 1}, depth=11.0, frontage=(11.0, 15.5), storey=2.9, pitch=0.7,
)  # fmt: skip
_PANELS: Final = District(
    urban.slabs, (5, 9), (1962, 1990), {"apartments": 1}, {"flat": 1}, depth=12.0, storey=2.7
)
_VILLAS: Final = District(
    suburbs.villas, (1, 2), (1922, 2024), {"house": 1}, {"gable": 6, "hip": 2, "flat": 2},
    storey=2.9, pitch=0.85,
)  # fmt: skip
_ROWS: Final = District(
    suburbs.rows, (2, 2), (1972, 2020), {"row_house": 1}, {"flat": 3, "gable": 3, "shed": 2},
    storey=2.9, pitch=0.6,
)  # fmt: skip
_INDUSTRY: Final = District(
    suburbs.industry,
    (1, 2),
    (1950, 2018),
    {"factory": 3, "warehouse": 3},
    {"flat": 4, "gable": 2},
    storey=3.2,
)

DISTRICTS: Final = (
    _OLD_TOWN, _TOWN_WALL, _PALACE, _CHURCH, _BOULEVARDS, _BUSINESS, _WOODEN, _PANELS, _VILLAS, _ROWS,
    _INDUSTRY,
)  # fmt: skip
_RINGS: Final = Rings()
_BASTIONS_M: Final = 274.0
"""The old town and the green belt around it: the grid of the newer city begins outside."""
_CHURCHES: Final = frozenset({(1, 2, 1), (1, 8, 2), (1, 3, 3), (1, 14, 4)})


def blocks(seed: int) -> Iterator[Block]:
    """The city's blocks, from the hill outward, without end."""
    for land in chain(_RINGS.lands(), BentGrid(angle=math.radians(-17), bend=0.09).lands(seed)):
        found = _old_town(land) if land.key[0] else _newer_city(land, seed)
        if found:
            frame, width, depth = land.frame(CENTRE)
            yield Block(land.key, frame, width, depth, *found, land.streets)


def _old_town(land: Land) -> tuple[District, float]:
    _, _, ring = land.key
    if ring == 0:
        return _PALACE, 1.0
    if land.key in _CHURCHES:
        return _CHURCH, 1.0
    if ring > _RINGS.count:
        return _TOWN_WALL, 0.5
    return _OLD_TOWN, 1 - ring / (_RINGS.count + 1)


def _newer_city(land: Land, seed: int) -> tuple[District, float] | None:
    _, column, row = land.key
    if land.distance < _BASTIONS_M or fraction(seed, 41, column, row) < 0.05:
        return None
    distance = urban_distance(land, seed) + 50 * (fraction(seed, 42, column, row) - 0.5)
    # Sectors by compass: offices to the east, wooden houses north and west, panels to the south.
    east = math.cos(math.atan2(land.y, land.x) - 0.15)
    if distance < 420 and east > 0.88 and land.distance < 900:
        return _BUSINESS, min(1.0, max(0.0, (430 - distance) / 130))
    if distance < 410:
        return _BOULEVARDS, min(1.0, max(0.0, (420 - distance) / 130))
    return _outskirts(land, distance, seed)


def _outskirts(land: Land, distance: float, seed: int) -> tuple[District, float]:
    _, column, row = land.key
    quarter = fraction(seed, 43, column // 3, row // 3)
    south = land.y < 0.25 * land.x
    if distance < 540:
        return (_PANELS, 0.5) if south else (_WOODEN, (540 - distance) / 130)
    if distance > 620 and quarter < 0.09:
        return _INDUSTRY, 0.5
    if quarter < (0.4 if land.distance > 800 else 0.2):
        return _PANELS, 0.5
    return (_ROWS, 0.5) if quarter > 0.88 else (_VILLAS, quarter)


def terrain(easting: float, northing: float) -> float:
    """A limestone hill in the middle of flat land that rises gently to the south, in metres."""
    x, y = easting - CENTRE[0], northing - CENTRE[1]
    hill = 15.0 * math.exp(-(x * x + y * y) / (2 * 95.0**2))
    return 7.5 + hill - 2.5 * math.sin(y / 540) + 1.2 * math.sin(x / 230 + 1.0)


USES: Final[dict[Use, tuple[str, str, str, str]]] = {
    "apartments": ("11222", "Muu kolme või enama korteriga elamu", "Korterelamu", "moreThanTwoDwellings"),
    "house": ("11101", "Üksikelamu", "Elamu", "individualResidence"),
    "two_homes": ("11211", "Kaksikelamu", "Elamu", "twoDwellings"),
    "row_house": ("11221", "Ridaelamu", "Ridaelamu", "moreThanTwoDwellings"),
    "student_home": (
        "11321", "Ühiselamu üliõpilastele või õpilastele", "Ühiselamu", "residenceForCommunities",
    ),
    "office": ("12201", "Büroohoone", "Büroohoone", "office"),
    "shop": ("12301", "Kaubandushoone", "Kauplus", "trade"),
    "hotel": ("12111", "Hotell", "Hotell", "trade"),
    "school": ("12631", "Koolihoone", "Kool", "publicServices"),
    "kindergarten": ("12632", "Lasteaiahoone", "Lasteaed", "publicServices"),
    "library": ("12622", "Muuseum", "Muuseum", "publicServices"),
    "church": ("12721", "Kirik", "Kirik", "publicServices"),
    "hospital": ("12641", "Haiglahoone", "Haigla", "publicServices"),
    "factory": ("12511", "Tootmishoone", "Tootmishoone", "industrial"),
    "warehouse": ("12521", "Laohoone", "Laohoone", "industrial"),
    "outbuilding": ("12744", "Elamu, kooli vms abihoone", "Kuur", "ancillary"),
}  # fmt: skip
"""Code, label and name in the register and the INSPIRE value of each use.

From 12200 on the first four digits are Eurostat's and the rest is plausible: no published list was to
be had of the later part.
"""

_PRODUCTION: Final = frozenset({"outbuilding", "factory", "warehouse"})
_ROOF_COVERS: Final = ("plekk", "kivi", "eterniit", "bituumen või  PVC  plaat või rullmaterjal")


def record(entry: Entry) -> Record:
    """The building in the words of the national product joined with the building register."""
    lot = entry.lot
    etak_id = 20_000_000 + entry.index
    production = lot.use in _PRODUCTION
    registered = lot.use != "outbuilding" or entry.chance.random() < 0.5
    address = f"{entry.street} {entry.house_number}"
    harmonised: dict[str, Any] = {
        "municipal_id": str(etak_id),
        "street": entry.street,
        "house_number": entry.house_number,
        "measured_height_m": entry.measured_height_m,
    }
    generic: tuple[Attribute, ...] = (
        ("int", "etak_id", etak_id),
        ("string", "ehr_gid", _ehr_code(entry) if registered else None),
        ("int", "tyyp", 20 if production else 10),
        ("string", "tyyp_tekst", "Kõrval- või tootmishoone" if production else "Elu- või ühiskondlik hoone"),
        ("int", "korgus_m", int(entry.measured_height_m)),
        ("string", "lahiaadress", address),
        ("date", "lod2_muutmisaeg", f"{2019 + entry.index % 5}-05-{1 + entry.index % 28:02d}"),
        ("int", "als_aasta", 2017 + entry.index % 5),
    )
    if registered:
        generic += _building_register(entry, harmonised)
    standard: dict[str, Any] = {"measuredHeight": entry.measured_height_m}
    return Record(f"etak_{etak_id}_hooned", standard, generic, harmonised)


def _ehr_code(entry: Entry) -> str:
    return str(190_000_000 + entry.index)


def _building_register(entry: Entry, harmonised: dict[str, Any]) -> tuple[Attribute, ...]:
    """The columns of EHR; the year of first use is missing on some."""
    lot, chance = entry.lot, entry.chance
    code, use, name, current_use = USES[lot.use]
    known_year = chance.random() < 0.92
    seisund, status = _state(entry)
    structure, material = _structure(entry)
    heating, heat = _heating(entry)
    energy_class = _energy_class(entry)
    harmonised.update(
        national_building_id=_ehr_code(entry), current_use=current_use, status=status, material=material,
        storeys_above_ground=float(lot.storeys), heating=heat, energy_class=energy_class,
        floor_area_m2=float(entry.floor_area_m2),
        year_of_construction=entry.year if known_year else None,
    )  # fmt: skip
    network = "puudub" if lot.use == "outbuilding" else "võrk"
    return (
        ("string", "ehr_nimetus", name),
        ("string", "ehr_kasutusotstarve_kood", code),
        ("string", "ehr_kasutusotstarve", use),
        ("int", "ehr_esmaneKasutus", entry.year if known_year else None),
        ("int", "ehr_maxKorrusteArv", lot.storeys),
        ("double", "ehr_suletud_netopind", float(entry.floor_area_m2)),
        ("string", "ehr_energiaKlass", energy_class),
        ("string", "ehr_seisund", seisund),
        ("string", "ehr_foundation", "madalvundament"),
        ("string", "ehr_structure", structure),
        ("string", "ehr_wall_type", structure),
        ("string", "ehr_roof_cover", _ROOF_COVERS[int(chance.random() * len(_ROOF_COVERS))]),
        ("string", "ehr_water", network),
        ("string", "ehr_sewage", network),
        ("string", "ehr_electricity", "võrk"),
        ("string", "ehr_heating", heating),
    )


def _state(entry: Entry) -> tuple[str, str]:
    if entry.year < 2023 or entry.chance.random() < 0.5:
        return "EHITIS_SEISUND_OLEMA", "functional"
    return "EHITIS_SEISUND_PYSTI", "underConstruction"


def _structure(entry: Entry) -> tuple[str, str]:
    """The load-bearing structure in the register's word and in the harmonised one."""
    lot = entry.lot
    if lot.use == "outbuilding" or (lot.storeys <= 3 and lot.use in {"house", "two_homes"}):
        return "Puit", "wood"
    if lot.use == "apartments" and lot.storeys <= 3 and entry.year < 1945:
        return "Puit", "wood"
    if entry.year < 1955:
        return "Looduslik kivi", "stone"
    return "Monteeritav raudbetoon", "concrete"


def _heating(entry: Entry) -> tuple[str, str]:
    if entry.lot.use in {"outbuilding", "warehouse"}:
        return "puudub", "none"
    local = entry.lot.storeys <= 2 or entry.year < 1940
    return ("lokaalküte", "local") if local else ("kaugküte", "district")


def _energy_class(entry: Entry) -> str | None:
    """Newer is better; only heated buildings have a class, and not all of them."""
    if entry.lot.use in {"outbuilding", "warehouse", "church"} or entry.chance.random() < 0.35:
        return None
    best = 0 if entry.year >= 2018 else 1 if entry.year >= 2006 else 3 if entry.year >= 1990 else 4
    return "ABCDEFGH"[min(7, best + int(3 * entry.chance.random()))]
