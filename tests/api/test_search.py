"""Items by POST answer as GET does, and every tree of a filter is answered or explained."""

from typing import Any

import orjson
import pytest

from api.search import MAX_BODY_BYTES
from tests.api.client import Client
from tests.twin.db.random_filters import RandomFilters

ADDRESS = "/collections/buildings/items"
TALL = {"op": ">", "args": [{"property": "height_m"}, 10]}
NAMES = {
    "text": ["city", "current_use", "material", "street", "id"],
    "number": ["height_m", "surfaces", "year_of_construction", "measured_height_m"],
    "boolean": ["closed", "synthetic"],
    "space": ["geometry"],
}


def _ids(response: Any) -> list[str]:
    assert response.status_code == 200, response.text
    return [feature["id"] for feature in response.json()["features"]]


@pytest.mark.parametrize(
    "body",
    [
        TALL,
        {"filter": TALL},
        {"filter": TALL, "filter-lang": "cql2-json", "limit": 100},
        {"filter": "height_m > 10"},
        {"filter": "height_m > 10", "filter-lang": "cql-text"},
        {"filter": "height_m > 10", "bbox": [20, 50, 30, 70], "synthetic": None},
    ],
)
def test_a_body_asks_what_an_address_asks(client: Client, body: dict[str, Any]) -> None:
    body = {name: value for name, value in body.items() if value is not None}
    expected = _ids(client.items(filter="height_m > 10"))
    assert expected
    assert _ids(client.request("POST", ADDRESS, json=body)) == expected


def test_pages_go_on_by_get(client: Client) -> None:
    first = client.request("POST", ADDRESS, json={"filter": TALL, "limit": 3})
    (address,) = [link["href"] for link in first.json()["links"] if link["rel"] == "next"]
    rest = client.request("GET", address)
    assert _ids(first) + _ids(rest) == _ids(client.items(filter="height_m > 10", limit=6))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "not JSON"),
        (b"[]", "no JSON object"),
        (b'{"limitt": 1}', "There is no parameter 'limitt'"),
        (b'{"limit": null}', "'limit' is of the type integer in the body, not null"),
        (b'{"limit": true}', "of the type integer"),
        (b'{"city": [{"a": 1}]}', "'city' is of the type string"),
        (b'{"bbox": [[[1]]]}', "'bbox' is of the type number"),
        (b'{"bbox": ["1", 2, 3, 4]}', "'bbox' is of the type number"),
        (b'{"filter": {"op": "pg_sleep", "args": [9]}}', "not offered"),
        (b'{"filter": "' + b"x" * MAX_BODY_BYTES + b'"}', "longer than"),
    ],
)
def test_bodies_that_do_not_do_are_explained(client: Client, body: bytes, message: str) -> None:
    response = client.request("POST", ADDRESS, content=body, headers={"content-type": "application/json"})
    assert response.status_code == 400
    assert message in response.json()["detail"]


def test_a_body_of_another_kind_is_refused(client: Client) -> None:
    response = client.request("POST", ADDRESS, content=b"<a/>", headers={"content-type": "text/xml"})
    assert response.status_code == 400
    both = client.request("POST", f"{ADDRESS}?limit=1", json={"limit": 2})
    assert "both in the address and in the body" in both.json()["detail"]


def _ask(client: Client, seed: int, number: int) -> int:
    """Asks with random trees; how many were answered."""
    filters = RandomFilters(seed, NAMES)
    answered = 0
    for _ in range(number):
        tree = filters.tree()
        response = client.request("POST", ADDRESS, content=orjson.dumps({"filter": tree, "limit": 1}))
        assert response.status_code in {200, 400}, (orjson.dumps(tree), response.text)
        answered += response.status_code == 200
    return answered


def test_random_trees_are_answered_or_explained(client: Client) -> None:
    assert _ask(client, 11, 400) > 50


@pytest.mark.slow
def test_twenty_thousand_random_trees_are_answered_or_explained(client: Client) -> None:
    assert _ask(client, 12, 20_000) > 2_000


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("height_m + measured_height_m > 1e308 * 10", None),
        ("0 ^ (height_m * -1) > 1", None),
        ("height_m / 0 > 1", 0),
        ("height_m % 0 = 1", 0),
        ("surfaces div 0 IS NULL", 120),
        ("S_INTERSECTS(geometry, BBOX(20, 50, 100, 30, 70, 200))", 0),
        ("S_INTERSECTS(geometry, BBOX(20, 50, 0, 30, 70, 1))", 36),
        ("S_DISJOINT(geometry, BBOX(20, 50, 0, 30, 70, 1))", 84),
        ("S_INTERSECTS(geometry, BBOX(170, 50, -170, 70))", 0),
        ("casei(material) = casei('BRICK') OR accenti(street) = 'Makitie'", None),
    ],
)
def test_values_are_computed(client: Client, text: str, count: int | None) -> None:
    response = client.items(filter=text, count="exact", limit=1)
    if count is None:
        assert response.status_code in {200, 400}
    else:
        assert response.json()["numberMatched"] == count, response.text


def test_what_leaves_the_range_of_numbers_is_explained(client: Client) -> None:
    response = client.items(filter="height_m * 1e308 * 1e308 > 1")
    assert response.status_code == 400
    assert "out of range" in response.json()["detail"]


def test_letters_are_compared_without_case_and_accents(client: Client) -> None:
    folded = _ids(client.items(filter="accenti(casei(street)) = accenti(casei('MÄKITIE'))", limit=500))
    assert folded == _ids(client.items(filter="street = 'Mäkitie'", limit=500))
    assert folded == _ids(client.items(filter="accenti(street) LIKE accenti('Mäki%')", limit=500))
    assert folded


def test_changes_are_asked_for_by_time(client: Client) -> None:
    assert _ids(client.items(filter="updated > TIMESTAMP('2030-01-01T00:00:00Z')")) == []
    found = client.items(filter="T_BEFORE(updated, DATE('2030-01-01'))", sortby="-updated", limit=500)
    assert len(_ids(found)) >= 120
    refused = client.items(properties="updated")
    assert refused.status_code == 400
    assert (
        client.get("/collections/buildings/queryables").json()["properties"]["updated"]["format"]
        == "date-time"
    )
    assert "updated" not in client.get("/collections/buildings/schema").json()["properties"]
    tiles = client.get("/collections/buildings/3dtiles/tileset.json", properties="updated")
    assert tiles.status_code == 400
