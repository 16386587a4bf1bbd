"""Whatever the filter: its tiles hold the items that it finds, each once, and leave out what is small."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urljoin

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.api.client import Client
from tests.api.tile_client import BUILDINGS, ROOT, item_ids, serving_cities
from tests.tiles import gltf
from twin.db.engine import Database

LARGEST_BLOCKS = 256_000

Item = dict[str, Any]


@dataclass(frozen=True)
class City:
    """A client, the height and width of all items in metres by id, and filters of what they have."""

    client: Client
    size_m: dict[str, tuple[float, float]]
    filters: st.SearchStrategy[str]


@dataclass(frozen=True)
class Shown:
    """A tile: its error, the ids in it, whether those are said to be all, and the ids of the leaves below."""

    error_m: float
    ids: set[str]
    complete: bool
    below: list[str]


@pytest.fixture(scope="module")
def city(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    with serving_cities(database, tmp_path_factory.mktemp("cities")) as client:
        items = {
            str(item["id"]): {"id": item["id"], **item["properties"]}
            for item in client.get(BUILDINGS, limit=1000).json()["features"]
        }
        sizes: dict[str, tuple[float, float]] = {}
        for address, _ in _tiles(client, ROOT):
            if "/blocks-" not in address:
                sizes |= _sizes(gltf.read(client.request("GET", address).content))
        assert sizes.keys() == items.keys()
        queryables = client.get("/collections/buildings/queryables").json()["properties"]
        yield City(client, sizes, filters(queryables, list(items.values())))


def _tiles(client: Client, tileset: str) -> Iterator[tuple[str, float]]:
    """Address and error of each content, nested tilesets opened."""
    waiting = [client.request("GET", tileset).json()["root"]]
    while waiting:
        tile = waiting.pop()
        waiting += tile.get("children", [])
        if "content" in tile:
            address = urljoin(tileset, tile["content"]["uri"])
            if ".json" in address:
                yield from _tiles(client, address)
            else:
                yield address, tile["geometricError"]


def _sizes(tile: gltf.Glb) -> dict[str, tuple[float, float]]:
    """Height, and the longer side of the plan, of each building of a tile."""
    places, owners = tile.positions(), tile.attribute("_FEATURE_ID_0")[:, 0]
    extents = [np.ptp(places[owners == number], axis=0) for number in range(int(owners.max()) + 1)]
    return {
        id: (float(extent[2]), float(extent[:2].max()))
        for id, extent in zip(tile.column(0, "id"), extents, strict=True)
    }


def shown(client: Client, tileset: str, found: list[Shown]) -> list[str]:
    """Add all tiles with content of a tileset to ``found``; the ids over its leaves."""
    return _shown(client, tileset, client.request("GET", tileset).json()["root"], found)


def _shown(client: Client, address: str, tile: dict[str, Any], found: list[Shown]) -> list[str]:
    leaves: list[str] = []
    for child in tile.get("children", []):
        leaves += _shown(client, address, child, found)
    if "content" not in tile:
        return leaves
    content = urljoin(address, tile["content"]["uri"])
    if ".json" in content:
        return leaves + shown(client, content, found)
    body = client.request("GET", content).content
    ids = gltf.read(body).column(0, "id")
    if "/blocks-" not in content:
        return leaves + ids
    assert len(body) <= LARGEST_BLOCKS
    assert len(set(ids)) == len(ids)
    found.append(Shown(tile["geometricError"], set(ids), "/blocks-0." in content, leaves))
    return leaves


def _literal(value: Any) -> str:
    return f"'{value.replace(chr(39), chr(39) * 2)}'" if isinstance(value, str) else str(value).upper()


def filters(queryables: dict[str, Any], items: list[Item]) -> st.SearchStrategy[str]:
    """CQL2 text over all queryables, with values that items have."""
    plain = {"string", "number", "integer", "boolean"}
    names = [name for name, about in queryables.items() if about.get("type") in plain and name in items[0]]
    assert len(names) > 40
    known = {name: sorted({i[name] for i in items if i[name] is not None}, key=str) for name in names}
    present = [name for name in names if known[name]]
    ordered = [name for name in present if not isinstance(known[name][0], bool)]
    values = {name: st.sampled_from(known[name]).map(_literal) for name in present}
    texts = [name for name in present if isinstance(known[name][0], str)]
    corner = st.tuples(st.floats(24.5, 25.2), st.floats(59.3, 60.3))
    leaf = st.one_of(
        st.sampled_from(names).flatmap(lambda n: st.sampled_from([f"{n} IS NULL", f"{n} IS NOT NULL"])),
        st.sampled_from(present).flatmap(lambda n: values[n].map(lambda v: f"{n} = {v}")),
        st.tuples(st.sampled_from(ordered), st.sampled_from(["<", "<=", ">", ">=", "<>"])).flatmap(
            lambda pair: values[pair[0]].map(lambda v: f"{pair[0]} {pair[1]} {v}")
        ),
        st.sampled_from(ordered).flatmap(
            lambda n: st.lists(values[n], min_size=1, max_size=9).map(lambda v: f"{n} IN ({', '.join(v)})")
        ),
        st.sampled_from(texts).flatmap(
            lambda n: st.sampled_from(["a", "1", "ä", "_"]).map(lambda part: f"{n} LIKE '%{part}%'")
        ),
        st.tuples(corner, corner).map(
            lambda c: (
                f"S_INTERSECTS(geometry, BBOX({min(c[0][0], c[1][0])}, {min(c[0][1], c[1][1])}, "
                f"{max(c[0][0], c[1][0])}, {max(c[0][1], c[1][1])}))"
            )
        ),
    )
    nested = st.recursive(leaf, _joined, max_leaves=5)

    @st.composite
    def filter_text(draw: st.DrawFn) -> str:
        return draw(nested)

    # It has a short name: that of the values in it would be so long that it is warned of.
    return filter_text()


def _joined(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from(["AND", "OR"]), inner).map(lambda p: f"({' '.join(p)})"),
        inner.map(lambda text: f"NOT ({text})"),
    )


def check(city: City, text: str) -> None:
    expected = sorted(item_ids(city.client, filter=text))
    tiles: list[Shown] = []
    leaves = shown(city.client, f"{ROOT}?{urlencode({'filter': text})}", tiles)
    assert sorted(leaves) == expected
    if expected:
        complete: list[set[str]] = [tile.ids for tile in tiles if tile.complete]
        assert sorted(set[str]().union(*complete)) == expected
    for tile in tiles:
        assert tile.ids <= set(tile.below)
        if tile.complete:
            assert tile.ids == set(tile.below)
        left_out = [city.size_m[id] for id in set(tile.below) - tile.ids]
        assert all(max(size) <= tile.error_m for size in left_out)


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_tiles_hold_the_items_of_a_filter(city: City, data: st.DataObject) -> None:
    check(city, data.draw(city.filters, "filter"))


@pytest.mark.slow
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_tiles_hold_the_items_of_many_filters(city: City, data: st.DataObject) -> None:
    check(city, data.draw(city.filters, "filter"))


@pytest.mark.parametrize("text", ["height_m > 0", "height_m > 10000", "height_m > 12 OR city = 'tallinn'"])
def test_tiles_hold_all_none_and_some(city: City, text: str) -> None:
    check(city, text)
