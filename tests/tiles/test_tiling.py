from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.tiling import COLUMNS, Limits, Node, Region, Summary, divide
from twin.model.cells import LEVEL, Cell, cell_range, quadkeys

SMALL = Limits(objects=5, triangles=200, coarsest_leaf=10, finest_leaf=18, nested_at=(10, 13))
WORLD = Cell(0, 0, 0)


class City:
    """Objects of a size and a number of triangles at random places, and what a database would count."""

    def __init__(self, seed: int, count: int, spread_deg: float) -> None:
        rng = np.random.default_rng(seed)
        middles = np.array([[24.97, 60.18], [24.75, 59.43]])
        self.lonlat = middles[rng.integers(0, 2, count)] + rng.normal(0, spread_deg, (count, 2))
        self.size = rng.uniform(1e-5, 1e-3, (count, 2))
        self.height = rng.uniform(3, 60, count)
        self.triangles = rng.integers(10, 120, count)
        self.quadkey = quadkeys(self.lonlat)

    def members(self, cell: Cell) -> set[int]:
        first, behind = cell_range(cell.level, cell.x, cell.y)
        return set(np.flatnonzero((self.quadkey >= first) & (self.quadkey < behind)).tolist())

    def rows(self, cell: Cell, level: int) -> list[dict[str, Any]]:
        by_code: dict[int, list[int]] = {}
        for i in self.members(cell):
            by_code.setdefault(int(self.quadkey[i]) >> 2 * (LEVEL - level), []).append(i)
        return [self._row(code, np.array(items)) for code, items in by_code.items()]

    def _row(self, code: int, items: Any) -> dict[str, Any]:
        low, high = self.lonlat[items] - self.size[items] / 2, self.lonlat[items] + self.size[items] / 2
        west, south = low.min(axis=0)
        east, north = high.max(axis=0)
        heights = self.height[items]
        values = (code, len(items), self.triangles[items].sum(), west, south, 10.0, east, north)
        return dict(zip(COLUMNS, (*values, 10.0 + heights.max(), heights.max()), strict=True))

    def tree(self, cell: Cell, limits: Limits = SMALL) -> Node | None:
        level = limits.resolution(cell.level)
        return divide(Summary.from_rows(level, self.rows(cell, level)), cell, limits)

    def leaves(self, cell: Cell = WORLD) -> list[Node]:
        """All leaves, nested tilesets opened as a client would."""
        found: list[Node] = []
        for node in self.tree(cell) or ():
            if node.kind == "leaf":
                found.append(node)
            elif node.kind == "nested":
                found += self.leaves(node.cell)
        return found


CITIES = st.builds(City, st.integers(0, 10**6), st.integers(1, 300), st.sampled_from([1e-4, 1e-2, 0.2]))

UNHURRIED = settings(deadline=None, max_examples=40)
"""Building a city takes a while, and more on a busy machine."""


def inside(region: Region, outer: Region) -> bool:
    return (
        region.west >= outer.west and region.south >= outer.south and region.z_min >= outer.z_min
        and region.east <= outer.east and region.north <= outer.north and region.z_max <= outer.z_max
    )  # fmt: skip


@UNHURRIED
@given(CITIES)
def test_each_object_is_in_one_leaf(city: City) -> None:
    held = Counter(item for leaf in city.leaves() for item in city.members(leaf.cell))
    assert set(held) == set(range(len(city.lonlat)))
    assert set(held.values()) == {1}


@UNHURRIED
@given(CITIES)
def test_children_lie_inside_and_errors_never_grow(city: City) -> None:
    for cell in (WORLD, *(node.cell for node in city.tree(WORLD) or () if node.kind == "nested")):
        for node in city.tree(cell) or ():
            assert node.objects == len(city.members(node.cell)) > 0
            for child in node.children:
                assert inside(child.region, node.region)
                assert child.size_m <= node.size_m
                assert node.cell.contains(child.cell)
            assert len(node.children) != 1
            assert bool(node.children) == (node.kind == "branch")


@UNHURRIED
@given(CITIES)
def test_a_nested_tileset_starts_as_its_parent_says(city: City) -> None:
    for node in city.tree(WORLD) or ():
        if node.kind == "nested":
            root = city.tree(node.cell)
            assert root is not None
            assert (root.region, root.size_m, root.objects) == (node.region, node.size_m, node.objects)


@UNHURRIED
@given(CITIES)
def test_leaves_are_small_or_cannot_be_divided(city: City) -> None:
    for leaf in city.leaves():
        assert SMALL.coarsest_leaf <= leaf.cell.level <= SMALL.finest_leaf
        if leaf.cell.level < SMALL.finest_leaf and leaf.objects > 1:
            assert leaf.objects <= SMALL.objects
            assert sum(city.triangles[i] for i in city.members(leaf.cell)) <= SMALL.triangles


def test_nothing_gives_no_tree() -> None:
    assert divide(Summary.from_rows(10, []), WORLD) is None


def test_one_object_is_one_leaf() -> None:
    root = City(1, 1, 0.01).tree(WORLD)
    assert root is not None
    assert (root.kind, root.objects, root.cell.level) == ("leaf", 1, 10)


def test_a_huge_object_is_a_leaf_of_its_own() -> None:
    city = City(1, 1, 0.01)
    city.triangles[:] = 1_000_000
    (leaf,) = city.leaves()
    assert leaf.objects == 1


def test_objects_at_one_place_end_in_one_leaf() -> None:
    city = City(3, 40, 0.0)
    codes: list[int] = (city.quadkey >> 2 * (LEVEL - 18)).tolist()
    assert sorted(leaf.objects for leaf in city.leaves()) == sorted(Counter(codes).values())


@pytest.mark.parametrize(
    ("level", "objects", "servable"),
    [(9, 1, False), (10, 40, True), (10, 41, False), (17, 41, False), (18, 10_000, True), (24, 41, True)],
)
def test_what_is_built_when_asked_for(level: int, objects: int, servable: bool) -> None:
    assert SMALL.is_servable(level, objects) == servable


@pytest.mark.parametrize(
    ("level", "resolution"), [(0, 10), (9, 10), (10, 13), (12, 13), (13, 18), (18, 18), (20, 20)]
)
def test_resolution(level: int, resolution: int) -> None:
    assert SMALL.resolution(level) == resolution
