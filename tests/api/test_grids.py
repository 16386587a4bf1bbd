"""Groups by cells: squares in metres and hexagons of H3, as numbers and as a map."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import h3 as _untyped
import pytest
from pyproj import Transformer

from tests.api.client import Client
from tests.api.seeding import PRIMARY, Seeded

_h3: Any = _untyped
ADDRESS = "/collections/buildings/statistics"
OF_TOWNS = {"dataset": ",".join(PRIMARY)}


def _middle(item: Seeded) -> tuple[float, float]:
    west, south, east, north = item.square
    return (west + east) / 2, (south + north) / 2


def _counts(client: Client, group: str, **params: str) -> dict[str | None, int]:
    response = client.get(ADDRESS, groupby=group, **OF_TOWNS, **params)
    assert response.status_code == 200, response.text
    return {row[group]: row["count"] for row in response.json()["groups"]}


@pytest.mark.parametrize("resolution", [0, 5, 8, 9, 11, 15])
def test_hexagons(client: Client, seeded_towns: list[Seeded], resolution: int) -> None:
    expected = Counter(_h3.latlng_to_cell(lat, lng, resolution) for lng, lat in map(_middle, seeded_towns))
    assert _counts(client, f"h3({resolution})") == expected


@pytest.mark.parametrize(
    ("group", "size", "code"), [("square(100)", 100, 3067), ("square(75.5,3301)", 75.5, 3301)]
)
def test_squares(client: Client, seeded_towns: list[Seeded], group: str, size: float, code: int) -> None:
    transform = Transformer.from_crs(4326, code, always_xy=True).transform
    places = [transform(*_middle(item)) for item in seeded_towns]
    expected = Counter(f"E{x // size * size:.10g}N{y // size * size:.10g}" for x, y in places)
    assert len(expected) > 2
    assert _counts(client, group) == expected


def _inside(point: tuple[float, float], ring: list[list[float]]) -> bool:
    """By how often a ray to the east crosses the ring."""
    x, y = point
    crossed = False
    for (x0, y0), (x1, y1) in pairwise(ring):
        if (y0 > y) != (y1 > y) and x < x0 + (y - y0) * (x1 - x0) / (y1 - y0):
            crossed = not crossed
    return crossed


@pytest.mark.parametrize("group", ["h3(9)", "square(120)", "square(150,3879)", "h3(3)", "square(20000)"])
def test_a_map_of_cells(client: Client, seeded_towns: list[Seeded], group: str) -> None:
    found = client.get(
        ADDRESS, groupby=f"city,{group}", aggregate="count,avg(height_m)", f="geojson", **OF_TOWNS
    )
    assert found.headers["content-type"] == "application/geo+json"
    features: list[dict[str, Any]] = found.json()["features"]
    assert sum(feature["properties"]["count"] for feature in features) == len(seeded_towns)
    for feature in features:
        (ring,) = feature["geometry"]["coordinates"]
        assert ring[0] == ring[-1]
        inside = [
            i
            for i in seeded_towns
            if _inside(_middle(i), ring) and i.properties["city"] == feature["properties"]["city"]
        ]
        assert len(inside) == feature["properties"]["count"]
        assert set(feature["properties"]) == {"city", group, "count", "avg(height_m)"}


@pytest.fixture
def places(client: Client) -> Iterator[str]:
    """Two squares on either side of an edge of H3's icosahedron and a line, as an uploaded collection."""
    shapes: list[dict[str, Any]] = [
        {"type": "Polygon", "coordinates": [[[w, s], [w + 0.9, s], [w + 0.9, s + 0.9], [w, s + 0.9], [w, s]]]}
        for w, s in ((24.5, 59.2), (22.0, 57.6))
    ]
    shapes.append({"type": "LineString", "coordinates": [[24.0, 60.0], [24.2, 60.2]]})
    features = [
        {"type": "Feature", "id": str(n), "geometry": shape, "properties": {"name": "ab"[n % 2]}}
        for n, shape in enumerate(shapes)
    ]
    body = {"type": "FeatureCollection", "features": features}
    assert client.request("PUT", "/collections/places", json=body).status_code == 201
    yield "/collections/places/statistics"
    assert client.request("DELETE", "/collections/places").status_code == 204


def test_cells_of_an_uploaded_collection(client: Client, places: str) -> None:
    for group in ("h3(6)", "square(1000)"):
        features = client.get(places, groupby=group, f="geojson").json()["features"]
        assert [feature["properties"]["count"] for feature in features] == [1, 1, 1]
        rings = [feature["geometry"]["coordinates"][0] for feature in features]
        assert [
            sum(_inside(point, ring) for ring in rings) for point in ((24.95, 59.65), (22.45, 58.05))
        ] == [
            1,
            1,
        ]
    assert client.get(places, groupby="grid(8)").status_code == 400


def test_a_map_of_areas(client: Client, seeded_towns: list[Seeded], places: str) -> None:
    params = {"groupby": "area(places,name)", "f": "geojson", **OF_TOWNS}
    features = client.get(ADDRESS, **params).json()["features"]
    expected = Counter(_middle(item)[1] < 60 for item in seeded_towns)
    assert [(f["properties"]["area(places,name)"], f["properties"]["count"]) for f in features] == [
        ("a", expected[True]),
        (None, expected[False]),
    ]
    assert features[0]["geometry"]["type"] == "GeometryCollection"
    assert features[1]["geometry"] is None
    accepted = client.request(
        "GET", ADDRESS, params={**params, "f": "json"}, headers={"Accept": "application/geo+json"}
    )
    assert accepted.headers["content-type"] == "application/json"
    del params["f"]
    accepted = client.request("GET", ADDRESS, params=params, headers={"Accept": "application/geo+json"})
    assert accepted.json()["features"] == features


def test_a_histogram_by_cells(client: Client, seeded_towns: list[Seeded]) -> None:
    found = client.get("/collections/buildings/histogram", property="closed", groupby="h3(3)", **OF_TOWNS)
    groups = found.json()["groups"]
    cells = {_h3.latlng_to_cell(lat, lng, 3) for lng, lat in map(_middle, seeded_towns)}
    assert {group["h3(3)"] for group in groups} == cells
