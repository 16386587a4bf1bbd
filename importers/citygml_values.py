"""Attributes of CityGML as plain values: generic ones, standard ones, addresses, references."""

from collections import Counter
from collections.abc import Callable
from typing import Any, cast

from importers.citygml_names import Name, Names, Role
from importers.gml import HREF, GmlNames, gml_id
from importers.gml_curves import read_curves
from importers.xml_stream import Element
from twin.model.cityobject import Address
from twin.model.geometry import Geometry

Attributes = dict[str, Any]
METRES = frozenset({"", "m", "#m", "metre", "meter", "urn:adv:uom:m", "urn:ogc:def:uom:UCUM::m"})


class Repeated(list[Any]):
    """The values of an attribute that an object has more than once."""


def add(attributes: Attributes, name: str, value: Any) -> None:
    """Set an attribute; a name that is taken gets all its values rather than the last one."""
    if name not in attributes:
        attributes[name] = value
        return
    known = attributes[name]
    if isinstance(known, Repeated):
        known.append(value)
    else:
        attributes[name] = Repeated([known, value])


def plain(text: str) -> str | None:
    """The text itself; None where it is empty."""
    return text.strip() or None


def integer(text: str) -> int | str | None:
    """A whole number of 64 bits; the text itself where it is none."""
    try:
        value = int(text)
    except ValueError:
        return plain(text)
    return value if -(2**63) <= value < 2**63 and "_" not in text else plain(text)


def number(text: str) -> float | str | None:
    """A finite number; the text itself where it is none."""
    try:
        value = float(text)
    except ValueError:
        return plain(text)
    return value if value - value == 0 and "_" not in text else plain(text)


def numbers(text: str) -> list[float | str | None]:
    """A list of numbers, such as the heights of storeys."""
    return [number(token) for token in text.split()]


_CONVERT: dict[str, Callable[[str], Any]] = {
    "string": plain, "int": integer, "double": number, "date": plain, "uri": plain, "code": plain,
}  # fmt: skip
"""By type of generic attribute; measures have a unit too and are no plain values."""
_STANDARD: dict[str, Callable[[str], Any]] = {
    "measuredHeight": number,
    "storeysAboveGround": integer,
    "storeysBelowGround": integer,
    "storeyHeightsAboveGround": numbers,
    "storeyHeightsBelowGround": numbers,
    "yearOfConstruction": integer,
    "yearOfDemolition": integer,
    "height": number,
    "averageHeight": number,
    "trunkDiameter": number,
    "crownDiameter": number,
}


def _measure(element: Element) -> Attributes:
    """A number with its unit of measure."""
    return {"value": number(element.text or ""), "uom": element.get("uom")}


def _named_by_child(element: Element, name: Name) -> tuple[str, Any]:
    """Label and value of a generic attribute of CityGML 3.0."""
    label, value = name.local, None
    for child in element:
        text = child.text
        if child.tag.endswith("}name"):
            label = (text or "").strip() or label
        elif text is not None:
            convert = _CONVERT.get(name.value_type)
            value = convert(text) if convert is not None else _measure(child)
    return label, value


def _leaf(element: Element) -> Any:
    """The text of an element, with its unit where that is not metres; a link as what it leads to."""
    text = (element.text or "").strip() or None
    unit = element.get("uom") or ""
    if unit not in METRES:
        return {"value": number(text or ""), "uom": unit}
    return text or element.get(HREF)


NESTED: Any = object()
"""Says of an element that it is a nested value."""


class Values:
    """Reads attribute elements; ``ledger`` counts what a value says beside what is kept."""

    def __init__(self, names: Names, ledger: Counter[str]) -> None:
        self._names = names
        self._ledger = ledger
        self._gml_names = GmlNames()

    def generic(self, element: Element, name: Name, attributes: Attributes) -> None:
        """``gen:stringAttribute`` and its kin: the name is an attribute (2.0) or a child (3.0).

        Half of the elements of a city's delivery come here, so that this is written for speed.
        """
        label = element.get("name")
        value: Any = None
        if label is None:
            label, value = _named_by_child(element, name)
        elif len(element):
            content = element[0]
            text = content.text
            if text is not None:
                convert = _CONVERT.get(name.value_type)
                value = convert(text) if convert is not None else _measure(content)
        if label in attributes:
            add(attributes, label, value)
        else:
            attributes[label] = value

    def generic_set(self, element: Element, attributes: Attributes) -> None:
        """A named set of generic attributes, as an object of its own; sets may hold sets."""
        label = element.get("name")
        members: Attributes = {}
        for child in element:
            name = self._names[child.tag]
            if name.local == "name":
                label = (child.text or "").strip()
            else:
                self.any_generic(child, name, members)
        add(attributes, label or "genericAttributeSet", members)

    def any_generic(self, element: Element, name: Name, attributes: Attributes) -> None:
        """An attribute, a set, or what wraps them in CityGML 3.0."""
        if name.role is Role.GENERIC:
            self.generic(element, name, attributes)
        elif name.role is Role.GENERIC_SET:
            self.generic_set(element, attributes)
        else:
            for child in element:
                inner = self._names[child.tag]
                if inner.role in (Role.GENERIC, Role.GENERIC_SET):
                    self.any_generic(child, inner, attributes)
                else:
                    self._ledger[f"element {inner.local}"] += 1

    def simple(self, element: Element, name: Name, attributes: Attributes) -> None:
        """A property with text only."""
        text = (element.text or "").strip()
        value: Any = None
        if text and name.foreign is None:
            value = _STANDARD.get(name.local, plain)(text)
        elif text:
            unit = element.get("uom")
            value = text if unit is None else {"value": number(text), "uom": unit}
        add(attributes, name.local, value)
        if element.attrib:
            self._note_qualifiers(element, name, attributes)

    def _note_qualifiers(self, element: Element, name: Name, attributes: Attributes) -> None:
        """Code spaces and units stand beside the values; units are metres where none is given."""
        space = element.get("codeSpace")
        if space is not None:
            add(attributes, f"{name.local}.codeSpace", space)
        unit = element.get("uom") or ""
        if unit not in METRES and name.foreign is None:
            add(attributes, f"{name.local}.uom", unit)

    def nested(self, element: Element, take: Callable[[Element, Name, str], Any]) -> Any:
        """Any other content as nested values.

        ``take`` is given what is no value, objects and geometry, with the name of the property that it
        stands in; it returns what stands for it among the values, or NESTED where it is a value after all.
        """
        if not len(element):
            return _leaf(element)
        content: Attributes = {}
        identifier = gml_id(element)
        if identifier is not None:
            content["id"] = identifier
        within = self._names[element.tag].local
        for child in element:
            name = self._names[child.tag]
            value = take(child, name, within)
            if value is NESTED:
                value = self.nested(child, take)
            if value is not None or not name.is_gml:
                add(content, name.local, value)
        return content

    def height(self, content: Attributes, attributes: Attributes) -> None:
        """The first height of CityGML 3.0 is what CityJSON and CityGML 2.0 call measuredHeight."""
        heights = content.get("Height")
        first: Any = cast("list[Any]", heights)[0] if isinstance(heights, list) else heights
        known = cast("Attributes", first) if isinstance(first, dict) else {}
        value = number(str(known.get("value") or ""))
        if isinstance(value, float):
            attributes.setdefault("measuredHeight", value)

    def external_reference(self, element: Element, attributes: Attributes) -> None:
        """Where the object is known elsewhere: informationSystem, and name or uri."""
        content: Attributes = {}
        self._leaves(element, content)
        add(attributes, "externalReference", content)

    def _leaves(self, element: Element, content: Attributes) -> None:
        for child in element:
            if len(child):
                self._leaves(child, content)
            else:
                add(content, self._names[child.tag].local, (child.text or "").strip() or None)

    def addresses(self, element: Element) -> list[Address]:
        """The addresses in an address property, xAL 2.0 or 3.0; none where every field is empty."""
        found: dict[str, str] = {}
        others: Attributes = {}
        locations: list[Geometry] = []
        self._address(element, "", (found, others, locations))
        location = locations[0] if locations else None
        return [Address.of(found, others, location)] if found or others or location else []

    def _address(
        self, element: Element, parent: str, into: tuple[dict[str, str], Attributes, list[Geometry]]
    ) -> None:
        found, others, locations = into
        for child in element:
            name = self._names[child.tag]
            if name.is_gml:
                location = read_curves(child, "0", self._gml_names)
                if location is not None:
                    locations.append(location)
                continue
            text = (child.text or "").strip()
            if text:
                field = _ADDRESS.get(name.local) or _ADDRESS.get(f"{parent}/{name.local}")
                if field is None or field in found:
                    add(others, name.local, text)
                else:
                    found[field] = text
            self._address(child, name.local, into)


_ADDRESS = {
    "CountryName": "country",
    "LocalityName": "locality",
    "ThoroughfareName": "street",
    "ThoroughfareNumber": "house_number",
    "PostalCodeNumber": "postal_code",
    "Country/NameElement": "country",
    "Locality/NameElement": "locality",
    "Thoroughfare/NameElement": "street",
    "Thoroughfare/Number": "house_number",
    "PostCode/Identifier": "postal_code",
}
