"""The reader's language: which it is, its words, and how it writes numbers and values."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import orjson
from fastapi import Request

from api.formats import weighted
from api.parameters import Parameter
from api.query import parameters_of
from twin.model.attributes import Attribute

LANGUAGES = {"en": "English", "fi": "Suomi", "et": "Eesti", "sv": "Svenska"}
DEFAULT = "en"

LANG = Parameter(
    "lang",
    "The language of an HTML page; without it, what `Accept-Language` asks for.",
    {"type": "string", "enum": list(LANGUAGES)},
)

_WORDS = Path(__file__).parent / "words"
_UNITS = {"m2": "m²", "m3": "m³", "deg": "°"}
_DECIMALS = {"m3": 0, "m2": 1, "m": 2, "deg": 1}
_NO_BREAK = "\N{NO-BREAK SPACE}"


def language(request: Request) -> str:
    """What ``lang`` says, else the first language of ours that `Accept-Language` names."""
    given = parameters_of(request).get(LANG.name)
    if given in LANGUAGES:
        return given
    header = request.headers.get("accept-language", "")
    ranges = sorted(map(weighted, header.split(",")), key=lambda found: -found[1])
    names = (name.partition("-")[0] for name, weight in ranges if weight > 0)
    return next((name for name in names if name in LANGUAGES), DEFAULT)


@cache
def words_of(lang: str) -> "Words":
    """The words of a language."""
    return Words(lang, orjson.loads((_WORDS / f"{lang}.json").read_bytes()))


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The messages of one language, and how it writes values."""

    lang: str
    messages: dict[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """The message of a key; KeyError where there is none."""
        return self.messages[key].format(**values)

    def either(self, key: str, fallback: str) -> str:
        """The message of a key that may have none."""
        return self.messages.get(key, fallback)

    def number(self, value: float, decimals: int = 0, *, grouped: bool = True) -> str:
        """A number with at most so many decimals."""
        text = f"{value:{',' if grouped else ''}.{decimals}f}"
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        if self.lang == "en":
            return text
        return text.replace(",", _NO_BREAK).replace(".", ",")

    def label(self, attribute: Attribute) -> str:
        return attribute.label.by_language()[self.lang]

    def meaning(self, attribute: Attribute) -> str:
        return attribute.meaning.by_language()[self.lang]

    def code(self, value: str) -> str:
        """A coded value in words."""
        spelled = value.replace("_", " ")
        key = f"code_{value.replace('-', '_').replace(' ', '_')}"
        return self.either(key, spelled[:1].upper() + spelled[1:])

    def value(self, value: Any, attribute: Attribute | None = None) -> str:
        """Any value as a person reads it, with its unit; a dash where there is none."""
        match value:
            case None | "":
                return "–"
            case bool():
                return self("yes" if value else "no")
            case int() | float():
                return self._measured(value, attribute)
            case str():
                return self._text(value, attribute)
            case _:
                return orjson.dumps(value).decode()

    def _measured(self, value: float, attribute: Attribute | None) -> str:
        if attribute is None:
            return self.number(value, 6, grouped=False)
        unit = attribute.unit or ""
        decimals = 0 if attribute.type == "integer" else _DECIMALS.get(unit, 4)
        text = self.number(value, decimals, grouped=not attribute.name.startswith("year_"))
        return f"{text}{'' if unit in ('', 'deg') else _NO_BREAK}{unit_text(unit)}"

    def _text(self, value: str, attribute: Attribute | None) -> str:
        if attribute is not None and attribute.name == "city":
            return self.either(f"city_{value}", value[:1].upper() + value[1:])
        return self.code(value) if attribute is not None and value in attribute.codes else value


def unit_text(unit: str | None) -> str:
    """A unit as it is written: ``m²``."""
    return _UNITS.get(unit or "", unit or "")
