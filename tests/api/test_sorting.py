"""Items in an order of their own, page by page, equal to a plain sort."""

from typing import Any

import pytest

from api.paging import MAX_SORTS
from tests.api.client import Client
from tests.api.seeding import PRIMARY, Seeded

OF_TOWNS = {"dataset": ",".join(PRIMARY)}


def _expected(items: list[Seeded], sortby: str) -> list[str]:
    """A stable sort by the last property first; missing values last in either direction."""
    found = sorted(items, key=lambda item: item.id)
    for name in reversed(sortby.split(",")):
        plain = name.lstrip("+-")
        known = [item for item in found if item.properties[plain] is not None]
        known.sort(key=lambda item: item.properties[plain], reverse=name.startswith("-"))
        if name.startswith("-"):
            # A reversed sort of Python keeps equal members in their order, as the second key asks.
            assert len(known) <= len(found)
        found = known + [item for item in found if item.properties[plain] is None]
    return [item.id for item in found]


@pytest.mark.parametrize(
    "sortby",
    ["height_m", "-height_m", "+material", "-current_use,year_of_construction,-height_m", "closed,-surfaces",
     "-city,object_id"],
)  # fmt: skip
@pytest.mark.parametrize("limit", [7, 500])
def test_pages_follow_the_order(client: Client, seeded_towns: list[Seeded], sortby: str, limit: int) -> None:
    found: list[str] = []
    response: Any = client.items(sortby=sortby, limit=limit, **OF_TOWNS)
    while True:
        assert response.status_code == 200, response.text
        found += [feature["id"] for feature in response.json()["features"]]
        following = [link["href"] for link in response.json()["links"] if link["rel"] == "next"]
        if not following:
            break
        response = client.request("GET", following[0])
    assert found == _expected(seeded_towns, sortby)


@pytest.mark.parametrize(
    ("sortby", "message"),
    [
        ("heigth_m", "Did you mean 'height_m'"),
        ("geometry", "has no order"),
        ("city,-city", "each once"),
        (",".join(["city"] * (MAX_SORTS + 1)), "at most"),
        ("", "expected names"),
    ],
)
def test_an_order_that_is_none_is_explained(client: Client, sortby: str, message: str) -> None:
    response = client.items(sortby=sortby)
    assert response.status_code == 400
    assert message in response.json()["detail"]


def test_a_cursor_belongs_to_its_order(client: Client) -> None:
    first = client.items(sortby="-height_m", limit=5).json()
    (address,) = [link["href"] for link in first["links"] if link["rel"] == "next"]
    other = client.request("GET", address.replace("-height_m", "height_m"))
    assert other.status_code == 400
    assert "another request" in other.json()["detail"]
