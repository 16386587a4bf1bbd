from datetime import date

import pytest

from importers import readings


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("Arcturuksenkatu 6", ("Arcturuksenkatu", "6")),
        ("Capellan puistotie 10", ("Capellan puistotie", "10")),
        ("Madruse tn 22", ("Madruse tn", "22")),
        ("Kvissentali tee 9b", ("Kvissentali tee", "9b")),
        ("Hermannin rantatie 2-4", ("Hermannin rantatie", "2-4")),
        ("Pärnu mnt 12/14", ("Pärnu mnt", "12/14")),
        ("Mannerheimintie 12 A 3", ("Mannerheimintie", "12 A 3")),
        ("1. linja 5", ("1. linja", "5")),
        ("Jõe 3. põik 5", ("Jõe 3. põik", "5")),
        ("Narva mnt 1 // Hobujaama tn 2", ("Narva mnt", "1")),
        ("Junonkatu 8; Arielinkatu 3", ("Junonkatu", "8")),
        ("Piibu", ("Piibu", None)),
        ("  ", (None, None)),
        (None, (None, None)),
    ],
)
def test_the_first_address_is_street_and_number(
    given: str | None, expected: tuple[str | None, str | None]
) -> None:
    assert readings.first_address(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("2014-02-25", 2014),
        ("25.2.2014", 2014),
        (1969, 1969),
        (1969.0, 1969),
        ("1969", 1969),
        (date(2013, 12, 20), 2013),
        ("1850-1870", None),
        ("0", None),
        ("20140225", None),
        ("", None),
        (None, None),
    ],
)
def test_years_come_from_dates_and_numbers(given: object, expected: int | None) -> None:
    assert readings.year(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [(0, None), ("0", None), ("00", None), (64497, "64497"), ("64497.0", "64497"), (64497.0, "64497"),
     ("103557252H", "103557252H"), (" ", None), (None, None), (True, None)],
)  # fmt: skip
def test_zero_is_no_identifier(given: object, expected: str | None) -> None:
    assert readings.identifier(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [("7,5", 7.5), ("-0.0", 0.0), (3, 3.0), ("3 m", None), ("", None), (float("nan"), None), ("1e3", 1000.0)],
)
def test_numbers_are_read_whole_or_not_at_all(given: object, expected: float | None) -> None:
    assert readings.number(given) == expected


def test_a_register_that_writes_zero_has_no_value() -> None:
    assert readings.recorded(0.0) is None
    assert readings.recorded("3.0") == 3.0


@pytest.mark.parametrize(
    ("given", "expected"), [("C", "C"), ("b 2018", "B"), ("D2013", "D"), ("CD", None), ("?", None)]
)
def test_energy_classes_are_letters(given: str, expected: str | None) -> None:
    assert readings.energy_class(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("SÃ¶rnÃ¤istenniemi", "Sörnäistenniemi"),
        ("PÃ¤rnu mnt", "Pärnu mnt"),
        ("a â€“ b", "a – b"),
        ("Sörnäinen", "Sörnäinen"),
        ("Ãland", "Ãland"),
    ],
)
def test_mojibake_is_repaired_and_nothing_else(given: str, expected: str) -> None:
    assert readings.repaired(given) == expected
