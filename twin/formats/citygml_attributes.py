"""Attributes and addresses as CityGML 2.0 has them: elements of their own, else generic attributes."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, cast
from xml.sax.saxutils import escape, quoteattr

import orjson

from twin.model.cityobject import Address

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NUMBERS = frozenset({"measuredHeight", "height", "averageHeight", "trunkDiameter", "crownDiameter"})
_LENGTHS = frozenset({"storeyHeightsAboveGround", "storeyHeightsBelowGround"})
_WHOLE = frozenset({"storeysAboveGround", "storeysBelowGround", "yearOfConstruction", "yearOfDemolition"})
_SEVERAL = frozenset({"name", "function", "usage"})
_GML = ("description", "name")
_CORE = ("creationDate", "terminationDate", "externalReference", "relativeToTerrain", "relativeToWater")
_LINKS = frozenset({"parent", "generalizesTo"})


class Attributes:
    """Writes attributes; ``ledger`` counts what comes back otherwise than it was."""

    def __init__(self, ledger: Counter[str]) -> None:
        self._ledger = ledger

    def text(self, value: Any) -> str:
        """A value as the text of an element; what has no plain text stands as JSON."""
        if value is None:
            return ""
        if not isinstance(value, str):
            value = orjson.dumps(value).decode()
        if _NOT_XML.search(value):
            self._ledger["control characters in a text"] += 1
            value = _NOT_XML.sub("\ufffd", value)
        return escape(value, {"\r": "&#13;"})

    def label(self, text: str) -> str:
        """A text as the value of an XML attribute, with quotes."""
        return quoteattr(_NOT_XML.sub("\ufffd", text))

    def write(
        self, values: Mapping[str, Any], prefix: str, properties: Sequence[str]
    ) -> tuple[str, dict[str, str]]:
        """Everything that comes before the properties of a class, and those properties by name."""
        left = dict(values)
        known: dict[str, str] = {}
        for name in (*_GML, *_CORE, *properties):
            found = self._element(name, left, "gml" if name in _GML else "core" if name in _CORE else prefix)
            if found:
                known[name] = found
        generic = "".join(self.generic(name, value) for name, value in left.items())
        head = "".join(known.pop(name, "") for name in (*_GML, *_CORE))
        return head + generic, known

    def _element(self, name: str, left: dict[str, Any], prefix: str) -> str:
        """An attribute with an element of its own, taken out of ``left``; "" where its value is not fit."""
        value = left.get(name)
        if name == "externalReference":
            return self._references(left)
        if value is None or not _fits(name, value):
            return ""
        del left[name]
        several = isinstance(value, list) and name not in _LENGTHS
        texts: list[Any] = cast("list[Any]", value) if several else [value]
        qualified = self._qualifiers(name, len(texts), left)
        return "".join(
            f"<{prefix}:{name}{attribute}>{self._plain(name, each)}</{prefix}:{name}>"
            for each, attribute in zip(texts, qualified, strict=True)
        )

    def _plain(self, name: str, value: Any) -> str:
        if name in _LENGTHS:
            return " ".join(map(self.text, value))
        if not isinstance(value, str) and name not in _NUMBERS | _WHOLE:
            self._ledger[f"attribute {name} as text"] += 1
        return self.text(value)

    def _qualifiers(self, name: str, count: int, left: dict[str, Any]) -> list[str]:
        """Units and code spaces, one for each element."""
        if name in _NUMBERS | _LENGTHS:
            unit = left.pop(f"{name}.uom", None) or "m"
            return [f" uom={self.label(str(unit))}"] * count
        spaces = left.get(f"{name}.codeSpace")
        listed: list[Any] = cast("list[Any]", spaces) if isinstance(spaces, list) else [spaces]
        if spaces is None or len(listed) != count or not all(isinstance(s, str) for s in listed):
            return [""] * count
        del left[f"{name}.codeSpace"]
        return [f" codeSpace={self.label(space)}" for space in listed]

    def _references(self, left: dict[str, Any]) -> str:
        value = left.get("externalReference")
        references: list[Any] = cast("list[Any]", value) if isinstance(value, list) else [value]
        if value is None or not all(map(_is_reference, references)):
            return ""
        del left["externalReference"]
        return "".join(map(self._reference, references))

    def _reference(self, reference: Mapping[str, Any]) -> str:
        parts = {name: self.text(value) for name, value in reference.items()}
        system = parts.get("informationSystem")
        head = "" if system is None else f"<core:informationSystem>{system}</core:informationSystem>"
        known = next(name for name in ("name", "uri") if name in parts)
        inner = f"<core:{known}>{parts[known]}</core:{known}>"
        content = f"{head}<core:externalObject>{inner}</core:externalObject>"
        return f"<core:externalReference>{content}</core:externalReference>"

    def generic(self, name: str, value: Any) -> str:
        """A generic attribute; objects become sets, lists several attributes of one name."""
        label = self.label(name)
        if isinstance(value, dict):
            return self._set(label, cast("dict[str, Any]", value))
        if isinstance(value, list):
            listed = cast("list[Any]", value)
            if len(listed) > 1 and not any(isinstance(each, list) for each in listed):
                return "".join(self.generic(name, each) for each in listed)
        kind = "string"
        if isinstance(value, int | float) and not isinstance(value, bool):
            kind = "int" if isinstance(value, int) else "double"
        elif value is not None and (not isinstance(value, str) or value != value.strip() or not value):
            self._ledger[f"attribute {name} as text"] += 1
        content = f"<gen:value>{self.text(value)}</gen:value>"
        return f"<gen:{kind}Attribute name={label}>{content}</gen:{kind}Attribute>"

    def _set(self, label: str, members: Mapping[str, Any]) -> str:
        if set(members) == {"value", "uom"}:
            unit = self.label(str(members["uom"] or ""))
            content = f"<gen:value uom={unit}>{self.text(members['value'])}</gen:value>"
            return f"<gen:measureAttribute name={label}>{content}</gen:measureAttribute>"
        inner = "".join(self.generic(key, member) for key, member in members.items())
        return f"<gen:genericAttributeSet name={label}>{inner}</gen:genericAttributeSet>"

    def address(self, address: Address, location: str) -> str:
        """An address; ``location`` is the element of its points."""
        parts = {name: self.text(value) for name, value in address.parts().items()}
        for name in address.fields.keys() - _parts_named(address):
            self._ledger[f"address {name}"] += 1
        road = _elements(parts, {"house_number": "ThoroughfareNumber", "street": "ThoroughfareName"})
        code = _elements(parts, {"postal_code": "PostalCodeNumber"})
        place = _elements(parts, {"locality": "LocalityName"})
        country = _elements(parts, {"country": "CountryName"})
        inner = f"{place}{_within('Thoroughfare', road)}{_within('PostalCode', code)}"
        details = _within("Country", country + _within("Locality", inner))
        if not details and location:
            details = "<xAL:Address/>"
        whole = f"<xAL:AddressDetails>{details}</xAL:AddressDetails>"
        return f"<core:Address><core:xalAddress>{whole}</core:xalAddress>{location}</core:Address>"


def _parts_named(address: Address) -> set[str]:
    """Fields of the source whose value is one of the address' parts."""
    values = set(address.parts().values())
    return {name for name, value in address.fields.items() if value in values}


def _fits(name: str, value: Any) -> bool:
    """Whether the schema allows the value."""
    if isinstance(value, list):
        listed = cast("list[Any]", value)
        if name in _LENGTHS:
            return bool(listed) and all(_is_number(each) for each in listed)
        return name in _SEVERAL and len(listed) > 1 and all(_is_text(each) for each in listed)
    if name in _LENGTHS:
        return False
    if name in _NUMBERS:
        return _is_number(value)
    if name in _WHOLE:
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 9999
    if name in _LINKS:
        return False
    return _is_text(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_text(value: Any) -> bool:
    return not isinstance(value, dict | list | None) and (
        not isinstance(value, str) or (bool(value) and value == value.strip())
    )


def _is_reference(value: Any) -> bool:
    """Whether a value has what the schema asks of an external reference."""
    if not isinstance(value, dict):
        return False
    keys = cast("dict[str, Any]", value).keys()
    return keys <= {"informationSystem", "name", "uri"} and len(keys & {"name", "uri"}) == 1


def _elements(parts: Mapping[str, str], names: Mapping[str, str]) -> str:
    return "".join(f"<xAL:{name}>{parts[part]}</xAL:{name}>" for part, name in names.items() if part in parts)


def _within(name: str, content: str) -> str:
    return f"<xAL:{name}>{content}</xAL:{name}>" if content else ""
