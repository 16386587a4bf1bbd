"""A Helsinki that does not exist: closed blocks, towers, suburbs, in the schema of its LoD2 model.

The register speaks three vintages, alternating by building, and what a vintage does not say is not
known: see ``_old``, ``_new`` and ``_third``.
"""

import math
from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

from importers.synthetic import suburbs, urban
from importers.synthetic.chance import fraction
from importers.synthetic.plan import Block, District, Use
from importers.synthetic.register import Attribute, Entry, Record
from importers.synthetic.streets import BentGrid, Land, urban_distance

NAME: Final = "helsinki"
TITLE: Final = "SYNTHETIC Helsinki LoD2 (generated; no building in it exists)"
EPSG: Final = 3879
CENTRE: Final = (25_497_500, 6_673_500)

STREETS: Final = {
    0: (
        "Fleminginkatu", "Vaasankatu", "Helsinginkatu", "Agricolankatu", "Kolmas linja", "Castréninkatu",
        "Porthaninkatu", "Viides linja", "Franzéninkatu", "Kirstinkatu", "Suonionkatu", "Josafatinkatu",
        "Pengerkatu", "Hämeentie", "Sörnäisten rantatie", "Aleksis Kiven katu", "Sturenkatu",
    ),
    1: (
        "Arcturuksenkatu", "Capellan puistotie", "Antareksenkatu", "Junonkatu", "Polariksenkatu",
        "Arielinkatu", "Kaikukatu", "Vilhonvuorenkatu", "Toinen linja", "Harjukatu", "Torkkelinkatu",
        "Läntinen Brahenkatu", "Kustaankatu", "Hauhontie", "Karjalankatu", "Mäkelänkatu", "Koskelantie",
    ),
}  # fmt: skip

_CENTRE: Final = District(
    urban.centre, (10, 27), (1985, 2024), {"office": 5, "apartments": 3, "hotel": 1, "shop": 2}, {"flat": 1},
    storey=3.4,
)  # fmt: skip
_CLOSED: Final = District(
    urban.closed_block, (5, 8), (1900, 1962),
    {"apartments": 12, "office": 1, "shop": 1, "student_home": 0.4, "hospital": 0.2},
    {"gable": 5, "mansard": 3, "flat": 3, "shed": 1},
    depth=12.5, pitch=0.62,
)  # fmt: skip
_OPEN: Final = District(
    urban.open_block, (3, 6), (1952, 1985), {"apartments": 10, "office": 1, "shop": 1, "library": 0.3},
    {"flat": 5, "gable": 3, "hip": 2}, depth=11.5, storey=2.9, pitch=0.4,
)  # fmt: skip
_ROWS: Final = District(
    suburbs.rows, (2, 2), (1968, 2012), {"row_house": 1}, {"gable": 5, "shed": 2, "flat": 1},
    storey=2.8, pitch=0.55,
)  # fmt: skip
_VILLAS: Final = District(
    suburbs.villas, (1, 2), (1925, 2024), {"house": 1}, {"gable": 5, "hip": 3, "mansard": 1, "shed": 1},
    storey=2.8, pitch=0.75,
)  # fmt: skip
_INDUSTRY: Final = District(
    suburbs.industry, (1, 2), (1950, 2015), {"factory": 3, "warehouse": 3},
    {"flat": 3, "gable": 2}, storey=3.2,
)  # fmt: skip
_CHURCH: Final = District(urban.church_square, (4, 4), (1890, 1915), {"church": 1}, {"gable": 1})

DISTRICTS: Final = (_CENTRE, _CLOSED, _OPEN, _ROWS, _VILLAS, _INDUSTRY, _CHURCH)
_RANGES: Final = ((125.0, _CENTRE), (305.0, _CLOSED), (395.0, _OPEN), (455.0, _ROWS), (5000.0, _VILLAS))
_PARKS: Final = 0.05
_LANDMARK: Final = (0, -2, 1)


def blocks(seed: int) -> Iterator[Block]:
    """The city's blocks, from the centre outward, without end."""
    for land in BentGrid(angle=math.radians(21)).lands(seed):
        frame, width, depth = land.frame(CENTRE)
        found = _district(land, seed)
        if found:
            yield Block(land.key, frame, width, depth, *found, land.streets)


def _district(land: Land, seed: int) -> tuple[District, float] | None:
    """The district of a block and its nearness to the district's inner edge; None for a park."""
    _, column, row = land.key
    if land.key == _LANDMARK:
        return _CHURCH, 1.0
    chance = fraction(seed, 31, column, row)
    if chance < _PARKS and (column, row) != (0, 0):
        return None
    distance = urban_distance(land, seed) + 40 * (fraction(seed, 32, column, row) - 0.5)
    quarter = fraction(seed, 33, column // 3, row // 3)
    if distance > 520 and quarter < 0.08:
        return _INDUSTRY, 0.5
    if distance > 700 and quarter < 0.22:
        # The forest suburbs: apartment houses far out.
        return _OPEN, 0.4
    inner = 0.0
    for outer, district in _RANGES:
        if distance < outer:
            return district, min(1.0, (outer - max(distance, 0.0)) / min(outer - inner, 300.0))
        inner = outer
    return _VILLAS, 0.0


def terrain(easting: float, northing: float) -> float:
    """Rocky ground that falls to the sea in the south-east, in metres."""
    x, y = easting - CENTRE[0], northing - CENTRE[1]
    rocks = 3.5 * math.sin(x / 173 + 0.6) * math.cos(y / 211) + 2.0 * math.sin((x + y) / 97)
    return 12.0 + rocks + 5.0 * math.sin((y - x) / 620)


USES: Final[dict[Use, tuple[str, str, str]]] = {
    "apartments": ("039", "Asuinrakennus", "moreThanTwoDwellings"),
    "house": ("011", "Asuinrakennus", "individualResidence"),
    "two_homes": ("012", "Asuinrakennus", "twoDwellings"),
    "row_house": ("021", "Asuinrakennus", "moreThanTwoDwellings"),
    "student_home": ("131", "Asuinrakennus", "residenceForCommunities"),
    "office": ("151", "Liike- tai julkinen rakennus", "office"),
    "shop": ("112", "Liike- tai julkinen rakennus", "trade"),
    "hotel": ("121", "Liike- tai julkinen rakennus", "trade"),
    "school": ("511", "Liike- tai julkinen rakennus", "publicServices"),
    "kindergarten": ("231", "Liike- tai julkinen rakennus", "publicServices"),
    "library": ("322", "Liike- tai julkinen rakennus", "publicServices"),
    "church": ("341", "Kirkollinen rakennus", "publicServices"),
    "hospital": ("214", "Liike- tai julkinen rakennus", "publicServices"),
    "factory": ("692", "Teollisuusrakennus", "industrial"),
    "warehouse": ("712", "Teollisuusrakennus", "industrial"),
    "outbuilding": ("941", "Muu rakennus", "ancillary"),
}
"""FI 1994 code, the register's label and the INSPIRE value of each use."""

_ROOF_CODES: Final = {
    "flat": ("1000", "flat"),
    "multiple flat": ("1000;1000", "flat;flat"),
    "shed": ("2100", "shed"),
    "gabled": ("3500", "gabled"),
    "hipped": ("3200", "hipped"),
    "complex": ("3500;2100", "gabled;shed"),
}
_CHECK: Final = "0123456789ABCDEFHJKLMNPRSTUVWXY"
_CONCRETE, _BRICK, _WOOD = "Betoni tai kevytbetoni", "Tiili", "Puu"
_MATERIALS: Final = {_CONCRETE: "concrete", _BRICK: "brick", _WOOD: "wood"}


def record(entry: Entry) -> Record:
    """The building in the words of the city's delivery; the vintage alternates by building."""
    uid = str(UUID(int=entry.chance.getrandbits(128), version=4))
    vintage = ("old", "new", "old", "third", "old")[entry.index % 5]
    code, _, use = USES[entry.lot.use]
    state, status = _state(entry)
    harmonised: dict[str, Any] = {
        "national_building_id": None,
        "municipal_id": None,
        "current_use": use,
        "status": status,
        "measured_height_m": entry.measured_height_m,
    }
    words = _Words(entry, uid, code, state, harmonised)
    roof_code, _ = _ROOF_CODES[entry.lot.form.truth.roof_type]
    standard: dict[str, Any] = {"roofType": roof_code, "measuredHeight": entry.measured_height_m}
    generic = words.old() if vintage == "old" else words.new(vintage == "third")
    if vintage == "third":
        standard = {"function": code, **standard, "storeysAboveGround": entry.lot.storeys}
    return Record(
        f"BID_{uid}", standard, generic, harmonised, words.sets(vintage), 2 if vintage == "old" else 1
    )


def _state(entry: Entry) -> tuple[str, str]:
    if entry.year < 2022 or entry.chance.random() < 0.4:
        return "voimassa", "functional"
    return ("rakenteilla", "underConstruction") if entry.year < 2024 else ("suunnitelma", "planned")


class _Words:
    """The register's entries in the words of a vintage; what is said is noted in ``harmonised``."""

    def __init__(self, entry: Entry, uid: str, code: str, state: str, harmonised: dict[str, Any]) -> None:
        self.entry, self.uid, self.code, self.state, self.harmonised = entry, uid, code, state, harmonised
        self.unregistered = entry.lot.use == "outbuilding"
        digits = 190_000_000 + entry.index
        self.permanent = None if self.unregistered else f"{digits}{_CHECK[digits % 31]}"
        self.ratu = 0 if self.unregistered else 200_000 + entry.index
        harmonised["national_building_id"] = self.permanent
        harmonised["municipal_id"] = str(self.ratu) if self.ratu else None

    def old(self) -> tuple[Attribute, ...]:
        """Everything, under Finnish names; doubles for storeys and levels."""
        entry, lot = self.entry, self.entry.lot
        wooden = lot.use in {"house", "two_homes", "outbuilding"}
        material = _WOOD if wooden else _BRICK if entry.year < 1940 else _CONCRETE
        street = f"{entry.street} {entry.house_number}"
        self.harmonised.update(
            storeys_above_ground=float(lot.storeys), floor_area_m2=float(entry.floor_area_m2),
            material=_MATERIALS[material], year_of_construction=entry.year,
            street=entry.street, house_number=entry.house_number,
        )  # fmt: skip
        return (
            *self._levels("BREC_", "double"),
            ("string", "REPAIRED", "no"),
            ("int", "TILA_KOODI", 2),
            ("string", "UUID", self.uid),
            ("string", "C_KAYTTARK", self.code),
            ("double", "Kerrosala", float(entry.floor_area_m2)),
            *self._state(),
            ("string", "Kayttotarkoitus", USES[lot.use][1]),
            ("double", "Kerroksia", float(lot.storeys)),
            ("string", "Rakennustunnus_(VTJ-PRT)", self.permanent),
            ("string", "Katuosoite", street),
            ("date", "Valmistunut", f"{entry.year}-{1 + entry.index % 12:02d}-{1 + entry.index % 28:02d}"),
            ("string", "Rakennusaine", material),
            ("int", "Tilavuus", round(lot.form.truth.volume)),
            ("int", "Kokonaisala", round(entry.floor_area_m2 * 1.25)),
            ("int", "Rakennustunnus_(RATU)", self.ratu),
        )

    def new(self, with_function: bool) -> tuple[Attribute, ...]:
        """Short names, levels as strings; the use may be empty where bldg:function tells it."""
        entry, lot = self.entry, self.entry.lot
        empty = with_function and entry.index % 2 == 1
        self.harmonised.update(
            storeys_above_ground=float(lot.storeys), floor_area_m2=float(entry.floor_area_m2)
        )
        return (
            *self._state(),
            ("string", "C_KAYTTARK", None if empty else self.code),
            ("string", "CODE", "2018-111"),
            ("string", "VTJ_PRT", self.permanent),
            ("string", "UUID", self.uid),
            ("string", "TYYPPI", "1"),
            ("int", "TILA_KOODI", 0),
            ("string", "TILA", "2"),
            ("string", "REPAIRED", None),
            ("int", "RATU", self.ratu),
            ("int", "KG_KRAKENN", 0),
            ("double", "I_KEROSAL", float(entry.floor_area_m2)),
            ("double", "I_KERRLKM", float(lot.storeys)),
            ("double", "ID", 790_000.0 + entry.index),
            *self._levels("", "string"),
        )

    def sets(self, vintage: str) -> dict[str, tuple[Attribute, ...]]:
        """The generic attribute set that the importer of the City's database left behind."""
        old = vintage == "old"
        name = "Integrate_LoD[1]" if old else "Integrate_LoD[2]"
        return {
            name: (
                ("string", "file_candidate_gmlid", f"BID_{self.uid}"),
                ("int", "overlap_filter", 89),
                ("date", "integration_date", "2016-10-28" if old else "2019-08-22"),
                ("string", "integrating_person", "vcdb_user"),
            )
        }

    def _state(self) -> tuple[Attribute, ...]:
        state: Attribute = ("string", "Rakennuksen_tila", self.state)
        if self.state != "suunnitelma":
            return (state,)
        # UTF-8 read as Latin-1, as the real delivery has it.
        area = "Sörnäistenniemi".encode().decode("latin-1")
        return (state, ("string", "SUUNNITELMA_ALUE", area))

    def _levels(self, prefix: str, kind: Any) -> tuple[Attribute, ...]:
        truth = self.entry.lot.form.truth
        levels = {
            "GroundLevel": truth.heights.ground,
            "HighestRoof": truth.heights.top,
            "LowestRoof": truth.heights.eave,
        }
        rounded = {name: round(mm / 1000, 2 if kind == "double" else 1) for name, mm in levels.items()}
        values = rounded if kind == "double" else {name: str(value) for name, value in rounded.items()}
        return (
            *((kind, name, value) for name, value in values.items()),
            ("string", f"{prefix}RoofNames", _ROOF_CODES[truth.roof_type][1]),
            ("double", f"{prefix}BuildingHeightNN", rounded["HighestRoof"]),
        )
