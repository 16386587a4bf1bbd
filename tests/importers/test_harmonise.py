from typing import Any

import pytest

from importers.harmonise import Harmonised, harmonise
from importers.mappings import ADDRESS_NAMES, MAPPINGS
from importers.sources import ESTONIA, HELSINKI, Source
from twin.model.attributes import BY_NAME, Origin, of_origin
from twin.model.cityobject import Address, CityObject

OLD_VINTAGE: dict[str, Any] = {
    "Kerrosala": 5607.0, "Kerroksia": 6.0, "Kayttotarkoitus": "Asuinrakennus", "C_KAYTTARK": "039",
    "Kokonaisala": 7306, "Tilavuus": 24312, "Valmistunut": "2013-12-20", "Rakennuksen_tila": "voimassa",
    "Katuosoite": "Capellan puistotie 7", "Rakennusaine": "Betoni tai kevytbetoni", "REPAIRED": "no",
    "Rakennustunnus_(VTJ-PRT)": "102821537S", "Rakennustunnus_(RATU)": 62413, "measuredHeight": 14.86,
}  # fmt: skip
NEW_VINTAGE: dict[str, Any] = {
    "VTJ_PRT": "103557252H", "RATU": 64497, "I_KERRLKM": 4.0, "I_KEROSAL": 191.0, "C_KAYTTARK": "011",
    "Rakennuksen_tila": "suunnitelma", "REPAIRED": None, "measuredHeight": 23.4,
    "Integrate_LoD[2]": {"matching_mode": 1, "integrating_person": "vcdb_user"},
}  # fmt: skip
THIRD_VINTAGE: dict[str, Any] = {"function": "039", "storeysAboveGround": 8, "measuredHeight": 26.2}
DWELLING: dict[str, Any] = {
    "etak_id": 727990, "ehr_gid": "104029261", "tyyp_tekst": "Elu- või ühiskondlik hoone", "korgus_m": 7,
    "lahiaadress": "Madruse tn 22", "measuredHeight": 7.11, "ehr_kasutusotstarve": "Üksikelamu",
    "ehr_esmaneKasutus": 1969, "ehr_maxKorrusteArv": 1, "ehr_seisund": "EHITIS_SEISUND_OLEMA",
    "ehr_structure": "puit", "ehr_heating": "lokaalküte",
}  # fmt: skip


def of(source: Source, attributes: dict[str, Any], *addresses: Address, id_: str = "b1") -> Harmonised:
    return harmonise(source, CityObject(id_, "Building", attributes, addresses=addresses))


def values(source: Source, attributes: dict[str, Any], *addresses: Address) -> dict[str, Any]:
    return of(source, attributes, *addresses).values


def test_helsinki_old_vintage() -> None:
    assert values(HELSINKI, OLD_VINTAGE) == {
        "national_building_id": "102821537S", "municipal_id": "62413", "current_use": "moreThanTwoDwellings",
        "status": "functional", "year_of_construction": 2013, "storeys_above_ground": 6.0,
        "floor_area_m2": 5607.0, "material": "concrete", "measured_height_m": 14.86,
        "street": "Capellan puistotie", "house_number": "7",
    }  # fmt: skip


def test_helsinki_new_vintage() -> None:
    assert values(HELSINKI, NEW_VINTAGE) == {
        "national_building_id": "103557252H", "municipal_id": "64497", "current_use": "individualResidence",
        "status": "planned", "storeys_above_ground": 4.0, "floor_area_m2": 191.0, "measured_height_m": 23.4,
    }  # fmt: skip


def test_helsinki_third_vintage() -> None:
    assert values(HELSINKI, THIRD_VINTAGE) == {
        "current_use": "moreThanTwoDwellings", "storeys_above_ground": 8.0, "measured_height_m": 26.2,
    }  # fmt: skip


def test_names_are_found_in_generic_attribute_sets_whatever_their_case() -> None:
    nested = {"Rekisteri": {"vtj_prt": "103557252H", "Osoite": {"KATUOSOITE": "Junonkatu 8"}}}
    assert values(HELSINKI, nested) == {
        "national_building_id": "103557252H", "street": "Junonkatu", "house_number": "8",
    }  # fmt: skip


def test_an_object_goes_before_its_sets() -> None:
    assert values(HELSINKI, {"set": {"RATU": 1}, "RATU": 2})["municipal_id"] == "2"


@pytest.mark.parametrize("empty", [None, "", "  ", float("nan"), [], [None, ""]])
def test_an_empty_code_gives_way_to_the_next_field(empty: Any) -> None:
    assert values(HELSINKI, {"C_KAYTTARK": empty, "function": "011"}) == {
        "current_use": "individualResidence"
    }  # fmt: skip
    assert values(HELSINKI, {"C_KAYTTARK": empty, "Kayttotarkoitus": "Asuinrakennus"}) == {
        "current_use": "residential"
    }  # fmt: skip


def test_a_building_without_register_entry_has_no_values_of_zero() -> None:
    unregistered = {
        "Rakennustunnus_(RATU)": 0, "Rakennustunnus_(VTJ-PRT)": None, "Kerroksia": 0.0, "Kerrosala": 0.0,
        "Kayttotarkoitus": "Ei käyttömerkintää kartalla",
    }  # fmt: skip
    result = of(HELSINKI, unregistered)
    assert result.values == {}
    assert result.unknown_codes == []


def test_an_unknown_code_is_reported_and_not_guessed() -> None:
    result = of(HELSINKI, {"C_KAYTTARK": "999", "Rakennuksen_tila": "purettu"})
    assert result.values == {}
    assert result.unknown_codes == [("fi_use_1994", "999"), ("fi_status", "purettu")]


def test_codes_of_2018_are_known_as_well() -> None:
    assert values(HELSINKI, {"C_KAYTTARK": "0121"}) == {"current_use": "moreThanTwoDwellings"}


def test_street_comes_from_the_register_where_addresses_have_none() -> None:
    empty = Address(locality="Helsinki", country="Finland")
    assert values(HELSINKI, {"Katuosoite": "Junonkatu 8"}, empty, empty) == {
        "street": "Junonkatu", "house_number": "8",
    }  # fmt: skip
    whole = Address(street="Junonkatu", house_number="8", postal_code="00540")
    assert values(HELSINKI, {}, empty, whole) == {
        "street": "Junonkatu", "house_number": "8", "postal_code": "00540",
    }  # fmt: skip


def test_mojibake_is_repaired_in_the_harmonised_value_only() -> None:
    attributes = {"Katuosoite": "SÃ¶rnÃ¤isten rantatie 3"}
    result = of(HELSINKI, attributes)
    assert result.values["street"] == "Sörnäisten rantatie"
    assert result.repaired == ("street",)
    assert attributes == {"Katuosoite": "SÃ¶rnÃ¤isten rantatie 3"}


def test_a_mojibake_word_is_found_in_its_list() -> None:
    result = of(HELSINKI, {"Kayttotarkoitus": "Ei kÃ¤yttÃ¶merkintÃ¤Ã¤ kartalla"})
    assert result.unknown_codes == []


def test_heating_and_material_codes_of_the_helsinki_register() -> None:
    assert values(HELSINKI, {"C_RAKEAINE": "4", "C_LAMMTAPA": 3}) == {
        "material": "wood", "heating": "electricity",
    }  # fmt: skip


def test_estonian_dwelling() -> None:
    assert values(ESTONIA, DWELLING) == {
        "national_building_id": "104029261", "municipal_id": "727990", "current_use": "individualResidence",
        "status": "functional", "year_of_construction": 1969, "storeys_above_ground": 1.0,
        "material": "wood", "heating": "local", "measured_height_m": 7.11,
        "street": "Madruse tn", "house_number": "22",
    }  # fmt: skip


def test_estonian_address_in_xal_equals_the_one_in_an_attribute() -> None:
    xal = Address(street="Kvissentali tee 9b", locality="Tartu", country="Eesti")
    assert values(ESTONIA, {}, xal) == values(ESTONIA, {"lahiaadress": "Kvissentali tee 9b"})


def test_etak_id_is_in_the_object_id() -> None:
    assert of(ESTONIA, {}, id_="etak_581316_hooned").values == {"municipal_id": "581316"}
    assert of(ESTONIA, {}, id_="etak_581316_hooned_part").values == {}


def test_names_of_the_building_register_without_prefix() -> None:
    register = {
        "ehr_kood": 101020636, "kasutusotstarve_kood": "11222", "energiaKlass": "C",
        "suletud_netopind": "812,5",
    }  # fmt: skip
    assert values(ESTONIA, register) == {
        "national_building_id": "101020636", "current_use": "moreThanTwoDwellings", "energy_class": "C",
        "floor_area_m2": 812.5,
    }  # fmt: skip


def test_a_ruin_is_a_ruin_whatever_the_register_says() -> None:
    assert values(ESTONIA, {"tyyp": 40, "ehr_seisund": "EHITIS_SEISUND_OLEMA"}) == {"status": "ruin"}
    assert values(ESTONIA, {"tyyp_tekst": "Vare"}) == {"status": "ruin"}


def test_the_coarse_types_of_the_topographic_database_are_no_use() -> None:
    result = of(ESTONIA, {"tyyp": 10, "tyyp_tekst": "Elu- või ühiskondlik hoone"})
    assert result.values == {}
    assert result.unknown_codes == []


def test_any_other_source_gives_its_standard_attributes() -> None:
    generic = Source("x", "X")
    attributes = {
        "measuredHeight": {"value": 12.5, "uom": "m"}, "storeysAboveGround": 3, "yearOfConstruction": 1978,
        "function": ["office", "trade"], "status": "disused", "RATU": 7,
    }  # fmt: skip
    assert values(generic, attributes) == {
        "measured_height_m": 12.5, "storeys_above_ground": 3.0, "year_of_construction": 1978,
        "current_use": "office", "status": "disused",
    }  # fmt: skip
    assert of(generic, {"function": "31001_1000"}) == Harmonised()


def test_mappings_fill_attributes_of_the_catalogue_from_sources() -> None:
    known = {attribute.name for attribute in of_origin(Origin.SOURCE)}
    mapped = {name for mapping in MAPPINGS.values() for name in mapping}
    assert mapped | {"street", "house_number"} == known
    assert MAPPINGS.keys() == ADDRESS_NAMES.keys()


def test_values_have_the_types_of_the_catalogue() -> None:
    types = {"text": str, "integer": int, "number": float}
    for source, attributes in ((HELSINKI, OLD_VINTAGE), (HELSINKI, NEW_VINTAGE), (ESTONIA, DWELLING)):
        for name, value in values(source, attributes).items():
            assert type(value) is types[BY_NAME[name].type], name
