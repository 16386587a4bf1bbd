"""Nothing that a client sends is answered with an error of the server."""

from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from api.parameters import SELECTION
from tests.api.client import Client

_NAMES = [p.name for p in SELECTION] + [
    "limit",
    "cursor",
    "properties",
    "count",
    "f",
    "property",
    "groupby",
    "bins",
    "sortby",
    "aggregate",
    "crs",
]
_VALUES = st.one_of(
    st.text(max_size=40),
    st.integers().map(str),
    st.floats().map(str),
    st.lists(st.floats(-200, 200).map(str), min_size=4, max_size=6).map(",".join),
    st.sampled_from(
        ["true", "height_m", "city", "geometry", "attributes", "seed_hill", "2026-01-01T00:00:00Z", "../..",
         "\x00", "💥", "'", "height_m > 1", "S_INTERSECTS(geometry, POINT(24 60))", "cql2-json", "1e400",
         "median(height_m),share", "decade(height_m)", "classes(surfaces,1,1e300)", "grid(24)", "grid(-1)",
         "area(x)", "-height_m,city", "quantile(height_m,nan)", "sum(closed)", "buildings/seed_hill.b001",
         "buildings/", "csv", "geoparquet", "jsonfg", "cityjson", "http://www.opengis.net/def/crs/EPSG/0/3879",
         "1e9,1e9,2e9,2e9"]
    ),
)  # fmt: skip
_QUERIES = st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=4)
_PATHS = [
    "/collections/buildings/items",
    "/collections/buildings/items/seed_hill.b001",
    "/collections/buildings/download",
    "/collections/buildings/histogram",
    "/collections/buildings/statistics",
]


@pytest.mark.parametrize("path", _PATHS)
@settings(max_examples=150)
@given(query=_QUERIES)
@example(query={"limit": "10", "filter": "height_m > 1e308"})
@example(query={"filter": "surfaces = 99999999999999999999"})
@example(query={"filter": "surfaces IN (99999999999999999999, 1)"})
@example(query={"property": "height_m", "filter": "height_m < -1e308"})
@example(query={"year_of_construction": "99999999999999999999"})
@example(query={"bbox": "-0.0,-0.0,0.0,0.0"})
@example(query={"bbox": "1e-320,1e-320,180,90"})
@example(
    query={"filter": "S_INTERSECTS(geometry, GEOMETRYCOLLECTION(POLYGON((0 0,1 0,1 1,0 0)),POINT(1 1)))"}
)
def test_every_query_is_answered_or_explained(client: Client, path: str, query: dict[str, str]) -> None:
    response = client.request("GET", path, params=query)
    assert response.status_code in {200, 400, 404}, (query, response.text)
    if response.status_code != 200:
        assert response.json()["detail"]


_DOTS = {".", ".."}
"""Clients take these segments out of an address before they send it (RFC 3986, section 5.2.4)."""


@settings(max_examples=100)
@given(id=st.text(min_size=1, max_size=30).filter(lambda id: id not in _DOTS))
@example(id="a/../b")
def test_every_item_id_is_answered(client: Client, id: str) -> None:
    address = quote(id.encode("utf-8", "replace"), safe="")
    response = client.request("GET", f"/collections/buildings/items/{address}")
    assert response.status_code == 404
