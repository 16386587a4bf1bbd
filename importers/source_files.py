"""Sources that a person describes in a small TOML file, so that any city's delivery is understood.

They are kept in the folder ``sources`` of the data directory, a file each, and go before the built-in ones.
"""

import re
import shutil
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

from importers import readings
from importers.mappings import GENERIC, Field, Mapped, SourceField, Terms
from importers.sources import Source
from twin.errors import InputError
from twin.model.attributes import CATALOGUE, Attribute, Origin
from twin.model.crs import parse_reference_system

_TEXTS = ("name", "title", "city", "publisher", "licence", "page", "files", "crs", "object_id")
_KNOWN = frozenset({*_TEXTS, "axis_order", "undulation_m", "signs", "attributes", "codes"})
_HARMONISED: Mapping[str, Attribute] = {a.name: a for a in CATALOGUE if a.origin is Origin.SOURCE}


def folder_of(home: Path) -> Path:
    """Where the files of a data directory are."""
    return home / "sources"


def load_sources(home: Path) -> tuple[Source, ...]:
    """The sources that were added, in the order of their names."""
    return tuple(read_source(path) for path in sorted(folder_of(home).glob("*.toml")))


def add_source(path: Path, home: Path) -> Source:
    """Check a file and keep a copy of it; one of the same name is replaced."""
    source = read_source(path)
    folder = folder_of(home)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(path, folder / f"{source.name}.toml")
    return source


def read_source(path: Path) -> Source:
    """The source that a file describes; InputError says what cannot be understood in it."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return _source(content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, _Fault) as error:
        raise InputError(f"{path}: {error}") from error


class _Fault(Exception):
    """What is wrong with a description."""


def _source(content: Mapping[str, Any]) -> Source:
    unknown = sorted(content.keys() - _KNOWN)
    if unknown:
        raise _Fault(f"'{unknown[0]}' is no key of a source; known: {', '.join(sorted(_KNOWN))}")
    texts = {key: _text(content, key) for key in _TEXTS}
    name = texts["name"]
    if name is None or not re.fullmatch(r"[a-z0-9_]+", name):
        raise _Fault("a source needs a name of lower-case letters, digits and '_'")
    return Source(
        name=name,
        title=texts["title"] or name,
        city=texts["city"] or "other",
        publisher=texts["publisher"],
        licence=texts["licence"],
        page=texts["page"],
        reference=parse_reference_system(texts["crs"]),
        assumed=texts["crs"] is not None,
        signs=frozenset(sign.casefold() for sign in _names(content, "signs")),
        object_id=_pattern("object_id", texts["object_id"]),
        files=_pattern("files", texts["files"]),
        place=texts["city"],
        axis_order=_one_of(content, "axis_order", ("en", "ne")),
        undulation_m=_number(content, "undulation_m"),
        mapping=_mapping(content),
    )


def _text(content: Mapping[str, Any], key: str) -> str | None:
    value = content.get(key)
    if value is not None and not (isinstance(value, str) and value):
        raise _Fault(f"{key} has to be a text")
    return value


def _names(content: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A name or a list of names."""
    value = content.get(key, [])
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(n, str) for n in cast("list[Any]", names)):
        raise _Fault(f"{key} has to be a list of names")
    return tuple(cast("list[str]", names))


def _pattern(key: str, text: str | None) -> str | None:
    try:
        re.compile(text or "")
    except re.error as error:
        raise _Fault(f"{key} is no regular expression: {error}") from error
    return text


def _one_of(content: Mapping[str, Any], key: str, known: tuple[str, ...]) -> Any:
    value = content.get(key)
    if value is not None and value not in known:
        raise _Fault(f"{key} has to be one of {', '.join(known)}")
    return value


def _number(content: Mapping[str, Any], key: str) -> float | None:
    value = content.get(key)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise _Fault(f"{key} has to be a number")
    return value


def _table(content: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = content.get(key, {})
    if not isinstance(value, dict):
        raise _Fault(f"{key} has to be a table")
    return cast("dict[str, Any]", value)


def _mapping(content: Mapping[str, Any]) -> Mapped:
    """The standard attributes, and those of the file before them."""
    attributes, codes = _table(content, "attributes"), _table(content, "codes")
    mapping = dict(GENERIC)
    for name in attributes:
        if name not in _HARMONISED:
            raise _Fault(f"'{name}' is no attribute from a source; known: {', '.join(sorted(_HARMONISED))}")
        mapping[name] = (_field(name, attributes, codes), *GENERIC.get(name, ()))
    lost = sorted(codes.keys() - attributes.keys())
    if lost:
        raise _Fault(f"codes.{lost[0]}: name the attribute that has the codes under [attributes]")
    return mapping


def _field(name: str, attributes: Mapping[str, Any], codes: Mapping[str, Any]) -> SourceField:
    names = _names(attributes, name)
    if name not in codes:
        return Field(names, _reader(_HARMONISED[name]))
    terms = {code: str(term) for code, term in _table(codes, name).items()}
    allowed = _HARMONISED[name].codes
    wrong = sorted(set(terms.values()) - set(allowed)) if allowed else []
    if wrong:
        raise _Fault(f"codes.{name}: '{wrong[0]}' is no term of it; known: {', '.join(allowed)}")
    return Terms(names, name, terms)


def _reader(attribute: Attribute) -> Callable[[Any], Any]:
    """How the values of an attribute are read."""
    if attribute.name == "year_of_construction":
        return readings.year
    if attribute.name.endswith("_id"):
        return readings.identifier
    if attribute.name == "energy_class":
        return readings.energy_class
    return readings.text if attribute.type == "text" else readings.number
