"""Which attributes of a source hold which harmonised attribute, and how they are read.

One mapping a schema. Of the fields of an attribute the first that says something wins; names are found
whatever the case of their letters, at the object itself or in its sets of generic attributes. ``@id`` is the
object's own id.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from importers import readings
from twin.model.attributes import CURRENT_USE, STATUS

Schema: TypeAlias = Literal["helsinki", "estonia", "generic"]
OBJECT_ID = "@id"


@dataclass(frozen=True, slots=True)
class Field:
    """Source attributes that are read by one function."""

    names: tuple[str, ...]
    read: Callable[[Any], Any]


@dataclass(frozen=True, slots=True)
class Coded:
    """Source attributes that hold codes or words of a list; the first list that knows one wins."""

    names: tuple[str, ...]
    lists: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Terms:
    """Source attributes whose codes a person has put into terms; ``list`` names them in reports."""

    names: tuple[str, ...]
    list: str
    terms: Mapping[str, str]


SourceField: TypeAlias = Field | Coded | Terms
Mapped: TypeAlias = Mapping[str, tuple[SourceField, ...]]

_ETAK_ID = re.compile(r"etak_(\d+)_hooned")


def _etak_id(value: Any) -> str | None:
    match = _ETAK_ID.fullmatch(str(value))
    return match[1] if match else None


def _one_of(terms: tuple[str, ...]) -> Callable[[Any], str | None]:
    def read(value: Any) -> str | None:
        found = readings.text(value)
        return found if found in terms else None

    return read


_STANDARD: Mapped = {
    "measured_height_m": (Field(("measuredHeight",), readings.number),),
    "storeys_above_ground": (Field(("storeysAboveGround",), readings.number),),
    "year_of_construction": (Field(("yearOfConstruction",), readings.year),),
}
"""Attributes of CityGML and CityJSON themselves."""

HELSINKI: Mapped = {
    "national_building_id": (
        Field(("VTJ_PRT", "Rakennustunnus_(VTJ-PRT)", "C_VTJ_PRT"), readings.identifier),
    ),
    "municipal_id": (Field(("RATU", "Rakennustunnus_(RATU)"), readings.identifier),),
    "current_use": (
        Coded(("C_KAYTTARK",), ("fi_use_1994", "fi_use_2018")),
        Coded(("function",), ("fi_use_1994",)),
        Coded(("Kayttotarkoitus",), ("fi_use_word",)),
    ),
    "status": (Coded(("Rakennuksen_tila",), ("fi_status",)),),
    "year_of_construction": (
        Field(("Valmistunut", "C_VALMPVM"), readings.year),
        *_STANDARD["year_of_construction"],
    ),
    "storeys_above_ground": (Field(("I_KERRLKM", "Kerroksia", "storeysAboveGround"), readings.recorded),),
    "floor_area_m2": (Field(("I_KEROSAL", "I_KERROSALA", "Kerrosala"), readings.recorded),),
    "material": (Coded(("C_RAKEAINE", "Rakennusaine"), ("fi_material",)),),
    "heating": (Coded(("C_LAMMTAPA", "Lammitystapa"), ("fi_heating",)),),
    "energy_class": (Field(("Energialuokka",), readings.energy_class),),
    "postal_code": (Field(("Postinumero",), readings.text),),
    "measured_height_m": _STANDARD["measured_height_m"],
}
"""The three vintages of the City of Helsinki's deliveries, and the register's own names."""

ESTONIA: Mapped = {
    "national_building_id": (Field(("ehr_kood", "ehr_gid", "ehrKood"), readings.identifier),),
    "municipal_id": (Field(("etak_id",), readings.identifier), Field((OBJECT_ID,), _etak_id)),
    "current_use": (
        Coded(("ehr_kasutusotstarve_kood", "kasutusotstarve_kood", "ehr_kaosKood", "kaosKood"), ("ee_use",)),
        Coded(("ehr_kasutusotstarve", "kasutusotstarve", "kaosIdTxt"), ("ee_use",)),
    ),
    # A ruin is what the surveyors saw, whatever the register still has.
    "status": (
        Coded(("tyyp", "tyyp_tekst"), ("ee_etak_type",)),
        Coded(("ehr_seisund", "seisund"), ("ee_status",)),
    ),
    "year_of_construction": (
        Field(("ehr_esmaneKasutus", "esmaneKasutus"), readings.year),
        *_STANDARD["year_of_construction"],
    ),
    "storeys_above_ground": (
        Field(("ehr_maxKorrusteArv", "maxKorrusteArv", "storeysAboveGround"), readings.recorded),
    ),
    "floor_area_m2": (
        Field(("ehr_suletud_netopind", "suletud_netopind", "ehr_suletudNetopind"), readings.recorded),
    ),
    "material": (Coded(("ehr_structure",), ("ee_material",)),),
    "heating": (Coded(("ehr_heating",), ("ee_heating",)),),
    "energy_class": (Field(("ehr_energiaKlass", "energiaKlass"), readings.energy_class),),
    "postal_code": (Field(("sihtnumber", "postiindeks"), readings.text),),
    "measured_height_m": _STANDARD["measured_height_m"],
}
"""The national product: ETAK names, names of the building register with and without ``ehr_``."""

GENERIC: Mapped = {
    **_STANDARD,
    "current_use": (Field(("currentUse", "function"), _one_of(CURRENT_USE)),),
    "status": (Field(("conditionOfConstruction", "status"), _one_of(STATUS)),),
}
"""For everything else: standard attributes, and terms of INSPIRE where they stand as such."""

MAPPINGS: Mapping[Schema, Mapped] = {"helsinki": HELSINKI, "estonia": ESTONIA, "generic": GENERIC}

ADDRESS_NAMES: Mapping[Schema, tuple[str, ...]] = {
    # Of the 84 buildings of a Helsinki delivery 64 have two xAL addresses, all of them without a street.
    "helsinki": ("Katuosoite",),
    "estonia": ("lahiaadress",),
    "generic": (),
}
"""Attributes with street and house number in one text; they go before the addresses of the object."""
