"""Texts of features that are cut say the same as those that are parsed."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.formats.geojson import ORIGINALS, without_originals, without_properties
from twin.processing.rows import feature_text

NAMES = st.sampled_from(["id", "street", "attribute", "attributes_", 'attributes":', "height_m"])
TEXTS = st.one_of(
    st.text(), st.sampled_from([',"attributes":', '","attributes":{', "\\", '\\",', ',"', "{}}}", ORIGINALS])
)
VALUES = st.one_of(TEXTS, st.none(), st.booleans(), st.floats(allow_nan=False, allow_infinity=False))
NESTED = st.one_of(VALUES, st.dictionaries(st.one_of(TEXTS, st.just(ORIGINALS)), VALUES, max_size=3))


@settings(max_examples=50)
@given(st.dictionaries(NAMES, VALUES, max_size=4), st.dictionaries(TEXTS, NESTED, max_size=4), TEXTS)
def test_what_is_cut_is_what_would_be_left_out(
    properties: dict[str, Any], originals: dict[str, Any], id: str
) -> None:
    outline = '{"type":"MultiPolygon","coordinates":[[[[0,0],[1,0],[1,1],[0,0]]]]}'
    # As the rows of the database are written: what is the source's own comes last.
    stored = feature_text(id, outline, {"object_id": id, **properties, ORIGINALS: originals})
    cut = without_originals(stored)
    assert orjson.loads(cut) == orjson.loads(without_properties(stored, {ORIGINALS}))
    assert without_originals(cut) == cut


@pytest.mark.parametrize("text", [b'{"type":"Feature","properties":{}}', b'{"properties":{"a":1}}'])
def test_what_has_none_stays(text: bytes) -> None:
    assert without_originals(text) == text
