"""From a source's own attributes to the harmonised ones; the originals stay as they are.

A code that no list knows is reported and gives no value. Texts that an earlier program read in the wrong
encoding are repaired in the harmonised value only, and that is reported too.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from importers import readings
from importers.mappings import ADDRESS_NAMES, MAPPINGS, OBJECT_ID, Coded, SourceField, Terms
from importers.sources import Source
from twin.model.cityobject import CityObject
from twin.model.vocabulary import code_list


@dataclass(frozen=True, slots=True)
class Harmonised:
    """Harmonised values of one object, by catalogue name; attributes without a value are left out.

    ``unknown_codes`` are pairs of list and code; ``repaired`` names the attributes whose text was mended.
    """

    values: dict[str, Any] = field(default_factory=dict[str, Any])
    unknown_codes: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    repaired: tuple[str, ...] = ()


def harmonise(source: Source, item: CityObject) -> Harmonised:
    """What the source says about an object, in the vocabulary of ``twin.model.attributes``."""
    attributes = _lookup(item)
    mended: list[str] = []
    result = Harmonised()
    for name, fields in (source.mapping or MAPPINGS[source.schema]).items():
        value = _first(fields, attributes, result.unknown_codes)
        if value is not None:
            result.values[name] = _mend(name, value, mended)
    for name, value in _address(source, item, attributes).items():
        if value is not None:
            result.values[name] = _mend(name, value, mended)
    return Harmonised(result.values, result.unknown_codes, tuple(mended))


def _first(
    fields: tuple[SourceField, ...], attributes: Mapping[str, Any], unknown: list[tuple[str, str]]
) -> Any:
    """The value of the first field that says something."""
    for source_field in fields:
        for name in source_field.names:
            given = attributes.get(name.casefold())
            if given is None:
                continue
            if isinstance(source_field, Coded):
                value = _decode(source_field, given, unknown)
            elif isinstance(source_field, Terms):
                value = _term(source_field, given, unknown)
            else:
                value = source_field.read(given)
            if value is not None:
                return value
    return None


def _decode(coded: Coded, given: Any, unknown: list[tuple[str, str]]) -> str | None:
    text = readings.text(given)
    if text is None:
        return None
    text = readings.repaired(text)
    for name in coded.lists:
        if code_list(name).code_of(text) is not None:
            return code_list(name).value(text)
    unknown.append((coded.lists[0], text))
    return None


def _term(field: Terms, given: Any, unknown: list[tuple[str, str]]) -> str | None:
    text = readings.text(given)
    if text is not None and text not in field.terms:
        unknown.append((field.list, text))
    return None if text is None else field.terms.get(text)


def _mend(name: str, value: Any, mended: list[str]) -> Any:
    if not isinstance(value, str):
        return value
    whole = readings.repaired(value)
    if whole != value:
        mended.append(name)
    return whole


def _address(source: Source, item: CityObject, attributes: Mapping[str, Any]) -> dict[str, str | None]:
    """Street, house number and postal code of the first address that has a street."""
    for name in ADDRESS_NAMES[source.schema]:
        street, house_number = readings.first_address(attributes.get(name.casefold()))
        if street:
            return {"street": street, "house_number": house_number}
    for address in item.addresses:
        if address.street and address.street.strip():
            street, house_number = address.street.strip(), readings.text(address.house_number)
            if house_number is None:
                street, house_number = readings.first_address(street)
            postal_code = readings.text(address.postal_code)
            return {"street": street, "house_number": house_number, "postal_code": postal_code}
    return {}


def _lookup(item: CityObject) -> dict[str, Any]:
    """Every attribute with a value under its name in small letters, those of generic sets last."""
    found: dict[str, Any] = {OBJECT_ID: item.id}
    nested: list[Mapping[str, Any]] = []
    for name, value in item.attributes.items():
        plain = _plain(value, nested)
        if plain is not None:
            found.setdefault(name.casefold(), plain)
    while nested:
        for name, value in nested.pop(0).items():
            plain = _plain(value, nested)
            if plain is not None:
                found.setdefault(name.casefold(), plain)
    return found


def _plain(value: Any, nested: list[Mapping[str, Any]]) -> Any:
    """A single value; None for an empty one. A set of attributes is put aside in ``nested``."""
    if isinstance(value, dict):
        members = cast("dict[str, Any]", value)
        if "value" in members and "uom" in members:
            return _plain(members["value"], nested)
        nested.append(members)
        return None
    if isinstance(value, list):
        return next(_filled(cast("list[Any]", value), nested), None)
    if isinstance(value, str) and not value.strip():
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _filled(values: list[Any], nested: list[Mapping[str, Any]]) -> Iterator[Any]:
    """The values of a repeated attribute that say something, in their order."""
    for value in values:
        plain = _plain(value, nested)
        if plain is not None:
            yield plain
