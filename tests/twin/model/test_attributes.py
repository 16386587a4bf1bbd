"""Every attribute is declared once, and whole."""

import re

import pytest

from twin.model.attributes import (
    BUILDING_PART,
    BY_NAME,
    CATALOGUE,
    ROOF_SURFACE,
    SURFACE,
    Attribute,
    Group,
    Origin,
)
from twin.model.catalogue.surfaces import SURFACE_TYPES
from twin.model.geometry import SurfaceType

ALL = list(dict.fromkeys([*CATALOGUE, *BUILDING_PART, *ROOF_SURFACE, *SURFACE]))
UNITS = {"m", "m2", "m3", "deg", "1/m"}
_SUFFIX = re.compile(r"_(m|m2|m3|deg)$")


@pytest.mark.parametrize("attribute", ALL, ids=lambda attribute: attribute.name)
def test_words_are_complete_in_four_languages(attribute: Attribute) -> None:
    for words in (attribute.label, attribute.meaning):
        assert list(words.by_language()) == ["en", "fi", "et", "sv"]
        assert all(text and text == text.strip() for text in words)
    assert all(text.endswith(".") for text in attribute.meaning)
    assert len(set(attribute.meaning)) == 4, "a meaning was not translated"


@pytest.mark.parametrize("attribute", ALL, ids=lambda attribute: attribute.name)
def test_declarations_are_whole(attribute: Attribute) -> None:
    unit = _SUFFIX.search(attribute.name)
    assert attribute.unit == (unit[1] if unit else attribute.unit)
    assert attribute.unit in {None, *UNITS}
    assert not attribute.codes or attribute.type == "text"
    if attribute.origin is Origin.COMPUTED:
        assert attribute.method, "how it is computed"
        if attribute.group not in {Group.QUALITY, Group.IDENTITY}:
            flag = attribute.quality
            assert flag in BY_NAME or flag in BY_NAME["quality"].codes, "how good each value is"


def test_each_name_is_declared_once_in_a_collection() -> None:
    for attributes in (CATALOGUE, BUILDING_PART, ROOF_SURFACE, SURFACE):
        names = [attribute.name for attribute in attributes]
        assert len(set(names)) == len(names)


def test_meanings_are_told_apart_in_every_language() -> None:
    for language in range(4):
        meanings = [attribute.meaning[language] for attribute in CATALOGUE]
        assert len(set(meanings)) == len(meanings)


def test_personal_data_are_what_an_address_is_made_of() -> None:
    assert {a.name for a in ALL if a.access == "personal"} == {"street", "house_number", "postal_code"}


def test_surface_types_are_the_codes_of_meshes() -> None:
    assert {name: code for code, name in enumerate(SURFACE_TYPES, start=1)} == {
        surface.cityjson_name: int(surface) for surface in SurfaceType if surface.cityjson_name
    }
