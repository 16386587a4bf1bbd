"""How one attribute of a source becomes one harmonised value; nothing is guessed.

A reading takes the value as the file has it (text, number, date, measure) and gives the harmonised one, or
None where it says nothing.
"""

import math
import re
from datetime import date
from typing import Any

_YEAR = re.compile(r"(?<!\d)(1\d{3}|20\d{2})(?!\d)")
_NUMBER = re.compile(r"[-+]?\d+(?:[.,]\d+)?(?:[eE][-+]?\d+)?")
_ENERGY_CLASS = re.compile(r"([A-H])(?:\W?\d{4})?", re.IGNORECASE)
_LETTER = r"[^\W\d_]"
_NUMBER_PART = rf"\d+{_LETTER}?"
_HOUSE_NUMBER = rf"{_NUMBER_PART}(?:\s?[-–/]\s?{_NUMBER_PART})*(?:\s{_LETTER})?(?:\s\d+)?"
_STREET_AND_NUMBER = re.compile(rf"(?P<street>\S.*?)\s+(?P<number>{_HOUSE_NUMBER})")
_NEXT_ADDRESS = re.compile(r"\s*(?://|;|,)\s*")
_MOJIBAKE = ("Ã", "Â", "â€")
"""What UTF-8 looks like where it was taken for Latin 1: ``Ã¤`` for ä, ``â€“`` for a dash."""


def text(value: Any) -> str | None:
    """The value as a text without margins; whole numbers without a point; None where it is empty."""
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, float):
        if not math.isfinite(value):
            return None
        value = int(value) if value.is_integer() else value
    return str(value).strip() or None


def identifier(value: Any) -> str | None:
    """An id in a register, where 0 stands for none."""
    found = text(value)
    if found is None:
        return None
    if re.fullmatch(r"\d+\.0+", found):
        found = found.split(".")[0]
    return None if not found.strip("0") else found


def number(value: Any) -> float | None:
    """A number; a decimal comma is understood."""
    found = text(value)
    if found is None or not _NUMBER.fullmatch(found):
        return None
    return float(found.replace(",", "."))


def recorded(value: Any) -> float | None:
    """A number in a register that writes 0 where it has none, such as a count of storeys or an area."""
    found = number(value)
    return None if found is None or found <= 0 else found


def year(value: Any) -> int | None:
    """The year of a date or a number; the only one in the text, or nothing."""
    if isinstance(value, date):
        return value.year
    found = text(value)
    years = set(_YEAR.findall(found)) if found else set[str]()
    return int(years.pop()) if len(years) == 1 else None


def energy_class(value: Any) -> str | None:
    """The letter of an energy class: ``C`` of ``C 2018``."""
    match = _ENERGY_CLASS.fullmatch(text(value) or "")
    return match[1].upper() if match else None


def first_address(value: Any) -> tuple[str | None, str | None]:
    """Street and house number of the first address in a text such as ``Madruse tn 22``.

    The name of a farm (``Piibu``) is a street without a number.
    """
    found = text(value)
    if found is None:
        return None, None
    first = _NEXT_ADDRESS.split(found)[0]
    match = _STREET_AND_NUMBER.fullmatch(first)
    return (match["street"], match["number"]) if match else (first or None, None)


def repaired(value: str) -> str:
    """A text that was once read in the wrong encoding as it should be: ``SÃ¶rnÃ¤inen`` is Sörnäinen."""
    if not any(mark in value for mark in _MOJIBAKE):
        return value
    for codec in ("latin-1", "cp1252"):
        try:
            return value.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
    return value
