from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tiles.tiling import COLUMNS, Limits, Node, Region, Summary, divide
from twin.model.cells import LEAST_M, LEVEL, Cell, cell_range, quadkeys

SMALL = Limits(
    objects=5,
    triangles=200,
    block_objects=20,
    block_points=150,
    coarsest_leaf=10,
    finest_leaf=18,
    nested_at=(10, 13),
)
WORLD = Cell(0, 0, 0)


class City:
    """Objects of a size and a number of triangles at random places, and what a database would count."""

    def __init__(self, seed: int, count: int, spread_deg: float) -> None:
        rng = np.random.default_rng(seed)
        middles = np.array([[24.97, 60.18], [24.75, 59.43]])
        self.lonlat = middles[rng.integers(0, 2, count)] + rng.normal(0, spread_deg, (count, 2))
        self.extent = rng.uniform(1e-5, 1e-3, (count, 2))
        self.height = rng.uniform(3, 60, count)
        self.size = np.maximum(self.height, np.hypot(*self.extent.T) * 60_000)
        self.roof = rng.uniform(0.5, 6, count)
        self.triangles = rng.integers(10, 120, count)
        self.points = rng.integers(4, 12, count)
        self.quadkey = quadkeys(self.lonlat)

    def members(self, cell: Cell) -> set[int]:
        first, behind = cell_range(cell.level, cell.x, cell.y)
        return set(np.flatnonzero((self.quadkey >= first) & (self.quadkey < behind)).tolist())

    def rows(self, cell: Cell, level: int) -> list[dict[str, Any]]:
        groups: dict[tuple[int, int], list[int]] = {}
        for i in self.members(cell):
            size_class = sum(least <= self.size[i] for least in LEAST_M) - 1
            groups.setdefault((int(self.quadkey[i]) >> 2 * (LEVEL - level), size_class), []).append(i)
        return [self._row(*key, np.array(items)) for key, items in groups.items()]

    def _row(self, code: int, size_class: int, items: Any) -> dict[str, Any]:
        low, high = self.lonlat[items] - self.extent[items] / 2, self.lonlat[items] + self.extent[items] / 2
        west, south = low.min(axis=0)
        east, north = high.max(axis=0)
        counts = len(items), self.triangles[items].sum(), self.points[items].sum()
        box = west, south, 10.0, east, north, 10.0 + self.height[items].max()
        values = (code, size_class, *counts, *box, self.size[items].max(), self.roof[items].max())
        return dict(zip(COLUMNS, values, strict=True))

    def tree(self, cell: Cell, limits: Limits = SMALL) -> Node | None:
        level = limits.resolution(cell.level)
        return divide(Summary.from_rows(level, self.rows(cell, level)), cell, limits)

    def nodes(self, cell: Cell = WORLD) -> list[Node]:
        """All nodes, nested tilesets opened as a client would."""
        found: list[Node] = []
        for node in self.tree(cell) or ():
            found += self.nodes(node.cell) if node.kind == "nested" else [node]
        return found

    def leaves(self) -> list[Node]:
        return [node for node in self.nodes() if node.kind == "leaf"]

    def shown(self, node: Node) -> set[int]:
        """The objects in the content of a node."""
        least = {"leaf": 0, "branch": node.least_m}[node.kind]
        if least is None:
            return set()
        return {i for i in self.members(node.cell) if self.size[i] >= least}


CITIES = st.builds(City, st.integers(0, 10**6), st.integers(1, 300), st.sampled_from([1e-4, 1e-2, 0.2]))

UNHURRIED = settings(max_examples=40)
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
            assert (
                node.error_m <= node.size_m or node.error_m == city.roof[list(city.members(node.cell))].max()
            )
            for child in node.children:
                assert inside(child.region, node.region)
                assert child.error_m <= node.error_m
                assert node.cell.contains(child.cell)
            assert bool(node.children) == (node.kind == "branch")


@UNHURRIED
@given(CITIES)
def test_a_nested_tileset_starts_as_its_parent_says(city: City) -> None:
    for node in city.tree(WORLD) or ():
        if node.kind == "nested":
            root = city.tree(node.cell)
            assert root is not None
            assert (root.region, root.size_m, root.objects) == (node.region, node.size_m, node.objects)
            assert root.error_m == node.error_m


@UNHURRIED
@given(CITIES)
def test_what_a_tile_leaves_out_is_smaller_than_its_error(city: City) -> None:
    for node in city.nodes():
        shown = city.shown(node)
        left_out = city.members(node.cell) - shown
        assert max((city.size[i] for i in left_out), default=0.0) <= node.error_m
        if node.kind == "branch":
            assert max((city.roof[i] for i in shown), default=0.0) <= node.error_m
            if node.children[0].kind != "leaf":
                assert len(shown) <= SMALL.block_objects
                assert sum(city.points[i] for i in shown) <= SMALL.block_points
        else:
            assert node.error_m == 0.0


@UNHURRIED
@given(CITIES)
def test_what_a_parent_shows_its_children_show_too(city: City) -> None:
    for node in (node for node in city.nodes() if node.children):
        below = {i for child in node.children if child.kind != "nested" for i in city.shown(child)}
        nested = {i for child in node.children if child.kind == "nested" for i in city.members(child.cell)}
        assert city.shown(node) <= below | nested


@UNHURRIED
@given(CITIES)
def test_blocks_above_the_leaves_are_those_of_the_leaves(city: City) -> None:
    above = [node for node in city.nodes() if node.children and node.children[0].kind == "leaf"]
    held = Counter(i for node in above for i in city.shown(node))
    assert held == Counter(range(len(city.lonlat)))
    for node in above:
        assert {child.kind for child in node.children} == {"leaf"}
        assert city.shown(node) == {i for child in node.children for i in city.shown(child)}


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
    assert [(node.kind, node.objects, node.cell.level, node.least_m) for node in root] == [
        ("branch", 1, 10, 0),
        ("leaf", 1, 10, None),
    ]


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


def test_far_too_many_blocks_are_not_built() -> None:
    assert SMALL.is_servable_as_blocks(3, 160, 1_200)
    assert not SMALL.is_servable_as_blocks(3, 161, 1_200)
    assert not SMALL.is_servable_as_blocks(3, 160, 1_201)
    assert SMALL.is_servable_as_blocks(18, 10_000, 90_000)
    assert SMALL.is_servable_as_blocks(10, 1, 90_000)


@pytest.mark.parametrize(
    ("level", "resolution"), [(0, 10), (9, 10), (10, 13), (12, 13), (13, 18), (18, 18), (20, 20)]
)
def test_resolution(level: int, resolution: int) -> None:
    assert SMALL.resolution(level) == resolution


@UNHURRIED
@given(CITIES)
def test_where_blocks_miss_details_errors_are_larger_and_never_grow(city: City) -> None:
    summary = Summary.from_rows(SMALL.resolution(0), city.rows(WORLD, SMALL.resolution(0)))
    root, usual = (divide(each, WORLD, SMALL) for each in (summary.missing(5.0), summary))
    for node, before in zip(root or (), usual or (), strict=True):
        assert node.error_m >= before.error_m
        assert node.error_m <= max(node.size_m, before.error_m)
        assert node.error_m == 0.0 or node.error_m >= min(5.0, node.size_m)
        assert all(child.error_m <= node.error_m for child in node.children)
