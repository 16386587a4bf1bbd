import pytest

from twin.model.attributes import CURRENT_USE, STATUS
from twin.model.vocabulary import code_list, code_lists

TERMS = {"use": CURRENT_USE, "status": STATUS, "etak": STATUS}


def test_the_lists_of_both_countries_are_there() -> None:
    assert {"fi_use_1994", "fi_use_2018", "ee_use", "fi_status", "ee_status"} <= set(code_lists())


@pytest.mark.parametrize("name", code_lists())
def test_every_list_has_a_source_and_a_date_and_no_code_twice(name: str) -> None:
    codes = code_list(name)
    assert codes.source
    assert codes.date
    assert codes.values
    assert codes.labels.keys() == codes.values.keys()


@pytest.mark.parametrize("name", [n for n in code_lists() if n.split("_")[1] in TERMS])
def test_values_are_terms_of_the_catalogue(name: str) -> None:
    terms = TERMS[name.split("_")[1]]
    assert {value for value in code_list(name).values.values() if value} <= set(terms)


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("fi_use_1994", "039", "moreThanTwoDwellings"),
        ("fi_use_1994", "Rivitalot", "moreThanTwoDwellings"),
        ("fi_use_2018", "0400", "office"),
        ("ee_use", "11101", "individualResidence"),
        ("ee_use", "üksikelamu", "individualResidence"),
        ("ee_use", "Elamu, kooli vms abihoone", "ancillary"),
        ("ee_use", "12201", "office"),
        ("ee_status", "EHITIS_SEISUND_OLEMA", "functional"),
        ("ee_etak_type", "40", "ruin"),
        ("fi_material", "Betoni tai kevytbetoni", "concrete"),
        ("ee_material", "puit", "wood"),
        ("fi_heating", "3", "electricity"),
    ],
)
def test_codes_and_labels_have_their_meaning(name: str, given: str, value: str) -> None:
    assert code_list(name).value(given) == value


def test_a_code_of_five_digits_is_read_by_the_first_four_only_where_it_is_not_listed() -> None:
    uses = code_list("ee_use")
    assert uses.code_of("11223") == "1122"
    assert uses.value("12744") == "ancillary"
    assert uses.code_of("12745") == "1274"
    assert uses.value("12745") is None


def test_known_without_counterpart_is_not_unknown() -> None:
    words = code_list("fi_use_word")
    assert words.code_of("Ei käyttömerkintää kartalla") is not None
    assert words.value("Ei käyttömerkintää kartalla") is None
    assert words.code_of("Linnanmäki") is None


def test_999_is_in_no_finnish_list() -> None:
    assert code_list("fi_use_1994").code_of("999") is None
    assert code_list("fi_use_2018").code_of("999") is None


def test_a_finnish_code_has_no_prefix_rule() -> None:
    assert code_list("fi_use_1994").code_of("0391") is None
