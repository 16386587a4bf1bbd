"""Statistics and grouped histograms give what a plain computation in Python gives."""

import csv
import io
import statistics as plain
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import shapely
import shapely.geometry

from tests.api.client import Client
from tests.api.seeding import PRIMARY, Seeded
from twin.model.cells import LEVEL, Cell

ADDRESS = "/collections/buildings/statistics"
OF_TOWNS = {"dataset": ",".join(PRIMARY)}


def _answer(client: Client, **params: str) -> list[dict[str, Any]]:
    response = client.get(ADDRESS, **OF_TOWNS, **params)
    assert response.status_code == 200, response.text
    return response.json()["groups"]


def _grouped(items: list[Seeded], key: Callable[[dict[str, Any]], Any]) -> dict[Any, list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = {}
    for item in items:
        found.setdefault(key(item.properties), []).append(item.properties)
    return found


def test_both_cities_side_by_side(client: Client, seeded_towns: list[Seeded]) -> None:
    functions = "count,share,count(height_m),sum(height_m),avg(height_m),min(height_m),max(height_m),"
    functions += "median(height_m),quantile(height_m,0.9),stddev(height_m),share(height_m)"
    found = _answer(client, groupby="city", aggregate=functions)
    expected = _grouped(seeded_towns, lambda p: p["city"])
    everything = sum(item.properties["height_m"] or 0 for item in seeded_towns)
    assert [row["city"] for row in found] == ["harbour", "hill"]
    for row in found:
        heights = [p["height_m"] for p in expected[row["city"]] if p["height_m"] is not None]
        assert row["count"] == 60
        assert row["share"] == 0.5
        assert row["count(height_m)"] == len(heights)
        assert row["sum(height_m)"] == pytest.approx(sum(heights))
        assert row["avg(height_m)"] == pytest.approx(plain.mean(heights))
        assert (row["min(height_m)"], row["max(height_m)"]) == (min(heights), max(heights))
        assert row["median(height_m)"] == pytest.approx(plain.median(heights))
        tenths = plain.quantiles(heights, n=10, method="inclusive")
        assert row["quantile(height_m,0.9)"] == pytest.approx(tenths[8])
        assert row["stddev(height_m)"] == pytest.approx(plain.stdev(heights))
        assert row["share(height_m)"] == pytest.approx(sum(heights) / everything)


def test_without_groups_there_is_one_row(client: Client) -> None:
    assert _answer(client) == [{"count": 120}]
    assert _answer(client, filter="height_m > 1000", aggregate="count,sum(height_m)") == [
        {"count": 0, "sum(height_m)": None}
    ]


def test_decades_and_filters(client: Client, seeded_towns: list[Seeded]) -> None:
    name = "decade(year_of_construction)"
    found = _answer(client, groupby=f"city, {name}", filter="closed = true")
    expected = _grouped(
        [item for item in seeded_towns if item.properties["closed"]],
        lambda p: (p["city"], p["year_of_construction"] and p["year_of_construction"] // 10 * 10),
    )
    assert {(row["city"], row[name]): row["count"] for row in found} == {
        key: len(members) for key, members in expected.items()
    }
    decades = [row[name] for row in found if row["city"] == "hill"]
    assert decades == [*sorted(decade for decade in decades if decade is not None), None][: len(decades)]


def test_classes(client: Client, seeded_towns: list[Seeded]) -> None:
    found = _answer(client, groupby="classes(height_m,10.5,20)")

    def label(p: dict[str, Any]) -> str | None:
        height = p["height_m"]
        return (
            None if height is None else "..10.5" if height < 10.5 else "10.5..20" if height < 20 else "20.."
        )

    expected = _grouped(seeded_towns, label)
    assert {row["classes(height_m,10.5,20)"]: row["count"] for row in found} == {
        key: len(members) for key, members in expected.items()
    }


@pytest.fixture
def districts(client: Client) -> Iterator[str]:
    """The western half of the harbour town, an area around the hill town, and one without anything."""

    def district(name: str, west: float, south: float, east: float, north: float) -> dict[str, Any]:
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        shape = {"type": "Polygon", "coordinates": [ring]}
        return {"type": "Feature", "id": name[0], "geometry": shape, "properties": {"name": name}}

    areas = [
        district("west", 24.9, 60.1, 24.9540001, 60.2),
        district("hill", 24.7, 59.4, 24.8, 59.5),
        district("sea", 20, 58, 20.1, 58.1),
    ]
    body = {"type": "FeatureCollection", "features": areas}
    assert client.request("PUT", "/collections/districts", json=body).status_code == 201
    yield "districts"
    assert client.request("DELETE", "/collections/districts").status_code == 204


def test_areas(client: Client, seeded_towns: list[Seeded], districts: str) -> None:
    def stands(item: Seeded) -> str | None:
        middle = (item.square[0] + item.square[2]) / 2
        return "hill" if item.dataset == "seed_hill" else "west" if middle <= 24.9540001 else None

    expected: dict[str | None, int] = {}
    for item in seeded_towns:
        expected[stands(item)] = expected.get(stands(item), 0) + 1
    found = _answer(client, groupby="area(districts,name)")
    assert {row["area(districts,name)"]: row["count"] for row in found} == expected
    by_id = _answer(client, groupby="area(districts)")
    assert {row["area(districts)"] for row in by_id} == {"w", "h", None}
    inside = client.items(**OF_TOWNS, within="districts/w", count="exact", limit="1").json()
    assert inside["numberMatched"] == expected["west"]
    histogram = client.get(
        "/collections/buildings/histogram", property="surfaces", groupby="area(districts,name)", **OF_TOWNS
    ).json()
    counts = {group["area(districts,name)"]: group["count"] for group in histogram["groups"]}
    assert counts == expected
    missing = client.items(within="districts/x")
    assert missing.status_code == 404


def _outlined_as(features: list[dict[str, Any]], shapes: list[Any]) -> None:
    """Groups by the id of an area have its shape as their outline."""
    for drawn in features:
        name = drawn["properties"]["area(quarters)"]
        outline = drawn["geometry"]
        assert (outline is None) == (name is None)
        if name is not None:
            assert shapes[int(name)].symmetric_difference(shapely.geometry.shape(outline)).area < 1e-9


_NAMES = ("north", None, "both", "both", "hole")


@pytest.mark.parametrize("with_a_line", [False, True], ids=["by cells", "by shapes"])
def test_areas_of_any_form(client: Client, seeded_towns: list[Seeded], with_a_line: bool) -> None:
    west, south = 24.95, 60.17
    shapes: list[Any] = [
        shapely.box(west, south + 0.003, west + 0.0083, south + 0.01),
        shapely.box(west, south, west + 0.003, south + 0.0051),
        shapely.box(west + 0.002, south, west + 0.005, south + 0.004),
        shapely.box(west + 0.0021, south + 0.002, west + 0.006, south + 0.0045),
        shapely.box(24.7, 59.4, 24.8, 59.5).difference(shapely.Point(24.742, 59.431).buffer(0.0011)),
    ]
    # One that is no area is asked for every feature, and so are then all.
    names: list[str | None] = [*_NAMES, *(["line"] if with_a_line else [])]
    shapes += [shapely.LineString([(0, 0), (1, 1)])] if with_a_line else []
    features = [
        {
            "type": "Feature",
            "id": str(i),
            "geometry": shapely.geometry.mapping(shape),
            "properties": {"name": name},
        }
        for i, (shape, name) in enumerate(zip(shapes, names, strict=True))
    ]
    body = {"type": "FeatureCollection", "features": features}
    assert client.request("PUT", "/collections/quarters", json=body).status_code == 201
    try:
        by_name = _answer(client, groupby="area(quarters,name)", aggregate="count,sum(height_m)")
        by_id = _answer(client, groupby="area(quarters)")
        on_map = client.get(ADDRESS, groupby="area(quarters)", f="geojson", **OF_TOWNS).json()["features"]
    finally:
        assert client.request("DELETE", "/collections/quarters").status_code == 204
    named: dict[str | None, list[float]] = {}
    ids: dict[str | None, int] = {}
    for item in seeded_towns:
        middle = shapely.Point((item.square[0] + item.square[2]) / 2, (item.square[1] + item.square[3]) / 2)
        found: list[int | None] = [i for i, shape in enumerate(shapes) if shape.intersects(middle)]
        for i in found or [None]:
            named.setdefault(None if i is None else names[i], []).append(item.properties["height_m"] or 0)
            ids[None if i is None else str(i)] = ids.get(None if i is None else str(i), 0) + 1
    assert sum(ids.values()) > len(seeded_towns), "some stand in several"
    assert {row["area(quarters)"]: row["count"] for row in by_id} == ids
    assert {row["area(quarters,name)"]: row["count"] for row in by_name} == {
        name: len(heights) for name, heights in named.items()
    }
    for row in by_name:
        assert row["sum(height_m)"] == pytest.approx(sum(named[row["area(quarters,name)"]]))
    _outlined_as(on_map, shapes)
    order = [row["area(quarters,name)"] for row in by_name]
    assert order == [*sorted(name for name in named if name is not None), None]


def test_cells_of_a_grid(client: Client, seeded_towns: list[Seeded]) -> None:
    # The seeded features have no quadkeys, so all are in the group of those without a place.
    assert _answer(client, groupby="grid(16)") == [{"grid(16)": None, "count": 120}]
    cell = Cell.from_code(16, Cell(16, 37_312, 18_950).code)
    assert (cell.x, cell.y) == (37_312, 18_950)
    assert client.get(ADDRESS, groupby=f"grid({LEVEL + 1})").status_code == 400


def test_a_table_says_the_same(client: Client) -> None:
    params = {"groupby": "city,closed", "aggregate": "count,avg(height_m)", **OF_TOWNS}
    table = client.get(ADDRESS, f="csv", **params)
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(table.text)))
    found = client.get(ADDRESS, **params).json()["groups"]
    assert [row["city"] for row in rows] == [row["city"] for row in found]
    assert [float(row["avg(height_m)"]) for row in rows] == [row["avg(height_m)"] for row in found]
    accepted = client.request("GET", ADDRESS, params=params, headers={"Accept": "text/csv"})
    assert accepted.text == table.text
    again = client.request("GET", ADDRESS, params=params, headers={"If-None-Match": accepted.headers["etag"]})
    assert again.status_code == 200
    again = client.request(
        "GET",
        ADDRESS,
        params=params,
        headers={"If-None-Match": accepted.headers["etag"], "Accept": "text/csv"},
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"groupby": "height_m"}, "classes(height_m"),
        ({"groupby": "geometry"}, "too many values"),
        ({"groupby": "citty"}, "Did you mean 'city'"),
        ({"groupby": "decade(city)"}, "takes a number"),
        ({"groupby": "classes(height_m)"}, "ascending"),
        ({"groupby": "classes(height_m,2,1)"}, "ascending"),
        ({"groupby": "classes(height_m,x)"}, "is no number"),
        ({"groupby": "grid(99)"}, "level from 0"),
        ({"groupby": "grid(nan)"}, "is no number"),
        ({"groupby": "h3(16)"}, "resolution from 0 to 15"),
        ({"groupby": "h3(8.5)"}, "no whole number"),
        ({"groupby": "h3(8,9)"}, "h3(resolution)"),
        ({"groupby": "square(0)"}, "a size from 1"),
        ({"groupby": "square(250,3857)"}, "one of the systems 3067"),
        ({"groupby": "city", "f": "geojson"}, "one group that has a place"),
        ({"groupby": "h3(8),square(250)", "f": "geojson"}, "one group that has a place"),
        ({"groupby": "area(nowhere)"}, "no uploaded collection"),
        ({"groupby": "century(year_of_construction)"}, "Offered"),
        ({"groupby": "city,"}, None),
        ({"groupby": "(("}, "cannot be read"),
        ({"groupby": ",".join(["city"] * 21)}, "1 to 20"),
        ({"aggregate": "sum"}, "Offered"),
        ({"aggregate": "sum(city)"}, "numbers alone"),
        ({"aggregate": "quantile(height_m,2)"}, "takes a fraction"),
        ({"aggregate": "quantile(height_m)"}, "Offered"),
        ({"aggregate": "pg_sleep(height_m)"}, "Offered"),
        ({"aggregate": ""}, None),
        ({"f": "xml"}, "offered"),
    ],
)
def test_what_cannot_be_computed_is_explained(
    client: Client, params: dict[str, str], message: str | None
) -> None:
    response = client.get(ADDRESS, **params)
    if message is None:
        assert response.status_code in {200, 400}
        return
    assert response.status_code == 400
    assert message in response.json()["detail"]


def test_who_prefers_a_map_gets_numbers_of_what_has_no_place(client: Client) -> None:
    """As a viewer asks, which takes GeoJSON wherever there is some."""
    answer = client.request(
        "GET",
        "/collections/buildings/statistics",
        params={"groupby": "city", "aggregate": "count"},
        headers={"Accept": "application/geo+json, application/json"},
    )
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert {group["city"] for group in answer.json()["groups"]} == {"harbour", "hill"}
