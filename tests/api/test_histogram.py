"""Histograms equal what Python counts over the same features."""

from collections import Counter
from typing import Any

import pytest

from tests.api.client import Client
from tests.api.seeding import PRIMARY, Seeded

TOWNS = ",".join(PRIMARY)


def histogram(client: Client, **params: Any) -> dict[str, Any]:
    response = client.get("/collections/buildings/histogram", dataset=TOWNS, **params)
    assert response.status_code == 200, response.text
    return response.json()


def values(items: list[Seeded], name: str) -> list[Any]:
    return [item.properties[name] for item in items]


@pytest.mark.parametrize("name", ["height_m", "surfaces", "year_of_construction"])
@pytest.mark.parametrize("bins", [1, 3, 30])
def test_numbers(client: Client, seeded_towns: list[Seeded], name: str, bins: int) -> None:
    found = histogram(client, property=name, bins=bins)
    present = [value for value in values(seeded_towns, name) if value is not None]
    assert (found["count"], found["missing"]) == (len(present), len(seeded_towns) - len(present))
    assert (found["minimum"], found["maximum"]) == (min(present), max(present))
    assert len(found["bins"]) == bins
    last = found["bins"][-1]
    for bin_ in found["bins"]:
        inside = [v for v in present if bin_["from"] <= v < bin_["to"] or (bin_ is last and v == bin_["to"])]
        assert bin_["count"] == len(inside)


@pytest.mark.parametrize("name", ["current_use", "material", "closed", "synthetic"])
def test_texts_and_booleans(client: Client, seeded_towns: list[Seeded], name: str) -> None:
    found = histogram(client, property=name)
    expected = Counter(values(seeded_towns, name))
    assert found["missing"] == expected.pop(None, 0)
    assert {row["value"]: row["count"] for row in found["values"]} == expected
    assert found["distinct"] == len(expected)
    counts = [row["count"] for row in found["values"]]
    assert counts == sorted(counts, reverse=True)


def test_groups_share_their_bins(client: Client, seeded_towns: list[Seeded]) -> None:
    found = histogram(client, property="height_m", bins=5, groupby="city")
    whole = histogram(client, property="height_m", bins=5)
    assert [group["city"] for group in found["groups"]] == ["harbour", "hill"]
    for index, bin_ in enumerate(whole["bins"]):
        parts = [group["bins"][index] for group in found["groups"]]
        assert {(part["from"], part["to"]) for part in parts} == {(bin_["from"], bin_["to"])}
        assert sum(part["count"] for part in parts) == bin_["count"]
    for group in found["groups"]:
        members = [item for item in seeded_towns if item.properties["city"] == group["city"]]
        assert group["count"] + group["missing"] == len(members)


def test_the_filter_applies(client: Client, seeded_towns: list[Seeded]) -> None:
    found = histogram(client, property="closed", filter="height_m > 10 AND city = 'hill'")
    chosen = [
        item
        for item in seeded_towns
        if (item.properties["height_m"] or 0) > 10 and item.properties["city"] == "hill"
    ]
    assert found["count"] + found["missing"] == len(chosen)


def test_nothing_to_count(client: Client) -> None:
    assert histogram(client, property="height_m", filter="height_m > 1000") == {
        "property": "height_m", "count": 0, "missing": 0, "minimum": None, "maximum": None, "bins": [],
    }  # fmt: skip
    only_missing = histogram(client, property="heating")
    assert (only_missing["count"], only_missing["missing"], only_missing["values"]) == (0, 120, [])
    none = histogram(client, property="volume_m3")
    assert (none["count"], none["missing"], none["bins"]) == (0, 120, [])


def test_one_value_is_one_bin(client: Client, seeded_towns: list[Seeded]) -> None:
    found = histogram(client, property="height_m", filter="height_m = 48")
    number = values(seeded_towns, "height_m").count(48.0)
    assert found["bins"] == [{"from": 48.0, "to": 48.0, "count": number}]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "'property' is missing"),
        ({"property": "hight_m"}, "Did you mean"),
        ({"property": "geometry"}, "geometry"),
        ({"property": "height_m", "bins": "0"}, "'bins'"),
        ({"property": "height_m", "groupby": "height_m"}, "classes(height_m"),
        ({"property": "height_m", "groupby": "nothing"}, "There is no property"),
        ({"property": "height_m", "by": "city"}, "There is no parameter"),
    ],
)
def test_a_bad_request_is_explained(client: Client, params: dict[str, str], message: str) -> None:
    response = client.get("/collections/buildings/histogram", **params)
    assert response.status_code == 400
    assert message in response.json()["detail"]


def test_what_has_not_changed_is_not_sent_again(client: Client) -> None:
    path = "/collections/buildings/histogram?property=height_m"
    tag = client.request("GET", path).headers["etag"]
    assert client.request("GET", path, headers={"If-None-Match": tag}).status_code == 304
