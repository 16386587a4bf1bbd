"""The test tables of the CQL2 standard (OGC 21-065r2, annex A), through HTTP on uploaded collections."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api.client import Client
from tests.fixtures import SHARED_DATA, needs_shared_data

FOLDER = SHARED_DATA / "cql2"
_LAYERS = (
    "ne_110m_admin_0_countries", "ne_110m_populated_places_simple", "ne_110m_rivers_lake_centerlines"
)  # fmt: skip
_CORRECTED = {
    "ACCENTI(name) LIKE accenti('Ch%')": 3,
    "ACCENTI(CASEI(name)) LIKE accenti(casei('Chiș%'))": 1,
    "ACCENTI(CASEI(name)) LIKE accenti(casei('cHis%'))": 1,
}
"""Rows that contradict the data they are about."""

pytestmark = needs_shared_data


def _cases(kind: str) -> list[Any]:
    path: Path = FOLDER / "cql2_cases.json"
    return json.loads(path.read_text())[kind] if path.exists() else []


@pytest.fixture(scope="module")
def earth(client: Client) -> Iterator[Client]:
    data = (FOLDER / "ne110m4cql2.gpkg").read_bytes()
    for layer in _LAYERS:
        response = client.request("PUT", f"/collections/{layer}", content=data, params={"layer": layer})
        assert response.status_code == 201, response.text
    yield client
    for layer in _LAYERS:
        assert client.request("DELETE", f"/collections/{layer}").status_code == 204


def _count(client: Client, collection: str, text: str, method: str = "GET") -> int:
    asked = {"filter": text, "count": "exact", "limit": 1}
    address = f"/collections/{collection}/items"
    if method == "GET":
        response = client.request("GET", address, params=asked)
    else:
        response = client.request("POST", address, json=asked)
    assert response.status_code == 200, (text, response.text)
    return response.json()["numberMatched"]


@pytest.mark.parametrize("case", _cases("predicates"), ids=lambda case: case["pred"][:60])
def test_predicate(earth: Client, case: dict[str, Any]) -> None:
    expected = _CORRECTED.get(case["pred"], case["n"])
    assert _count(earth, case["ds"], case["pred"]) == expected


@pytest.mark.parametrize("case", _cases("combos"), ids=lambda case: " ".join(case["p"])[:60])
def test_combination(earth: Client, case: dict[str, Any]) -> None:
    """As table 7 of the annex combines its rows."""
    first, second, third, fourth = case["p"]
    text = f"((NOT {second} AND {first}) OR ({third} and {fourth}) or not ({first} OR {fourth}))"
    assert _count(earth, "ne_110m_populated_places_simple", text, "POST") == case["n"]


def test_all_cases_are_there() -> None:
    assert len(_cases("predicates")) + len(_cases("combos")) == 351


def test_a_point_outside_of_the_earth_is_refused(earth: Client) -> None:
    address = f"/collections/{_LAYERS[0]}/items"
    response = earth.request("GET", address, params={"filter": "S_INTERSECTS(geom,POINT(90 180))"})
    assert response.status_code == 400
    assert "not a longitude" in response.json()["detail"]


def test_the_collection_is_served_like_any_other(earth: Client) -> None:
    places = "/collections/ne_110m_populated_places_simple"
    found = earth.get(f"{places}/queryables").json()["properties"]
    assert found["name"]["type"] == "string"
    assert found["start"] == {"type": "string", "title": "start", "format": "date-time"}
    assert found["geom"]["format"] == "geometry-any"
    (luxembourg,) = earth.get(f"{places}/items", name="Luxembourg").json()["features"]
    assert luxembourg["geometry"]["coordinates"] == [6.1300028, 49.6116604]
    assert earth.get(f"{places}/items/{luxembourg['id']}").json()["properties"] == luxembourg["properties"]
    assert earth.get(places).json()["extent"]["spatial"]["bbox"][0][0] == pytest.approx(-175.2205645)
    listed = [c["id"] for c in earth.get("/collections").json()["collections"]]
    assert set(_LAYERS) < set(listed)


def test_countries_choose_places(earth: Client) -> None:
    (country,) = earth.get(f"/collections/{_LAYERS[0]}/items", NAME="Finland").json()["features"]
    within = f"{_LAYERS[0]}/{country['id']}"
    found = earth.get(f"/collections/{_LAYERS[1]}/items", within=within).json()["features"]
    assert [feature["properties"]["name"] for feature in found] == ["Helsinki"]
