"""Party walls, envelopes, distances: closed forms, symmetry, and the same bits in any partition."""

import math
import time
import tracemalloc
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import geometries
from twin.model.geometry import Bools, Floats, Geometry, concatenate
from twin.processing.compute import Column, measure_core
from twin.processing.neighbours import HALO_M, TOUCH_M, envelope, neighbour_values, parts_of, surroundings
from twin.processing.party_walls import shared_walls
from twin.processing.planar import Shapes, distances

Groups = list[list[Geometry]]


def box(x: float, y: float, size: Sequence[float], low: float = 0.0, named: bool = True) -> Geometry:
    width, depth, height = size
    return geometries.prism(geometries.rectangle(x, y, width, depth), low, low + height, named)


def values_of(groups: Groups, wanted: int | None = None) -> dict[str, list[Any]]:
    outlines = measure_core(concatenate(groups)).footprints
    found = neighbour_values(groups, len(groups) if wanted is None else wanted, outlines)
    return {name: list(column) for name, column in found.items()}


def in_place(geometry: Geometry, degrees: float, offset: Sequence[float]) -> Geometry:
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    return geometries.with_points(geometry, geometry.xyz @ turn + np.array(offset))


ROW = [[box(0, 0, (6, 10, 8))], [box(6, 0, (6, 10, 8))], [box(12, 2, (6, 10, 5))]]


def test_row_houses() -> None:
    values = values_of(ROW)
    assert values["party_wall_area_m2"] == pytest.approx([80.0, 80.0 + 40.0, 40.0])
    assert values["exterior_wall_area_m2"] == pytest.approx([176.0, 136.0, 120.0])
    assert values["inner_wall_area_m2"] == [0.0, 0.0, 0.0]
    assert values["touching_neighbours"] == [1, 2, 1]
    assert values["envelope_area_m2"] == pytest.approx([296.0, 256.0, 240.0])
    assert values["surface_to_volume"] == pytest.approx([296 / 480, 256 / 480, 240 / 300])
    assert values["nearest_distance_m"] == [0.0, 0.0, 0.0]


def test_gables_share_what_both_have() -> None:
    """Two gabled houses end to end, the second one lower: the smaller gable is shared."""
    low = geometries.with_points(geometries.gable(), geometries.gable().xyz * np.array([1.0, 1.0, 0.5]))
    values = values_of([[geometries.gable()], [geometries.moved(low, (10.0, 0.0, 0.0))]])
    assert values["party_wall_area_m2"] == pytest.approx([30.0, 30.0])


def test_walls_that_overlap_are_counted_once() -> None:
    """Two neighbours that stand in each other against the same wall."""
    values = values_of([[box(0, 0, (6, 10, 8))], [box(6, 0, (5, 6, 8))], [box(6, 4, (5, 6, 8))]])
    assert values["party_wall_area_m2"][0] == pytest.approx(80.0)
    assert values["touching_neighbours"][0] == 2


@pytest.mark.parametrize(("gap", "shared"), [(0.0, 80.0), (0.049, 80.0), (-0.049, 80.0), (0.051, 0.0)])
def test_gaps(gap: float, shared: float) -> None:
    values = values_of([[box(0, 0, (6, 10, 8))], [box(6 + gap, 0, (6, 10, 8))]])
    assert values["party_wall_area_m2"] == pytest.approx([shared, shared], abs=1e-9)


@pytest.mark.parametrize(("degrees", "share"), [(2.0, True), (9.0, True), (11.0, False)])
def test_walls_have_to_be_parallel(degrees: float, share: bool) -> None:
    """A narrow house turned around the middle of its wall."""
    other = geometries.with_points(box(0, -0.1, (3, 0.2, 5)), box(0, -0.1, (3, 0.2, 5)).xyz)
    groups = [[box(-6, -5, (6, 10, 8))], [in_place(other, degrees, (0.0, 0.0, 0.0))]]
    assert (values_of(groups)["party_wall_area_m2"][0] > 0.5) == share


def test_walls_between_parts_are_neither_exterior_nor_party_walls() -> None:
    house = [box(0, 0, (6, 10, 8)), box(6, 0, (4, 10, 3))]
    values = values_of([house, [box(10, 0, (5, 10, 8))]])
    assert values["inner_wall_area_m2"] == pytest.approx([2 * 30.0, 0.0])
    assert values["party_wall_area_m2"] == pytest.approx([30.0, 30.0])
    walls = 2 * (6 + 10) * 8 + 2 * (4 + 10) * 3
    assert values["exterior_wall_area_m2"] == pytest.approx([walls - 60 - 30, 240 - 30])
    assert values["touching_neighbours"] == [1, 1]
    backwards = values_of([house[::-1], [box(10, 0, (5, 10, 8))]])
    assert backwards["exterior_wall_area_m2"] == pytest.approx(values["exterior_wall_area_m2"])


def test_solids_of_one_geometry_are_parts() -> None:
    one, two = box(0, 0, (6, 10, 8)), box(6, 0, (4, 10, 3))
    faces = [*geometries.faces_of(one), *geometries.faces_of(two)]
    both = geometries.boundary(faces, [geometries.GROUND, *["WallSurface"] * 4, "RoofSurface"] * 2)
    split = type(both)(
        "MultiSolid", "2", both.xyz, both.ring_start, both.surface_start,
        np.array([0, 6, 12]), np.array([0, 1, 2]), both.semantic, both.semantics,
    )  # fmt: skip
    assert parts_of([[split], [one]]).tolist() == [0] * 6 + [1] * 6 + [2] * 6
    assert values_of([[split]])["inner_wall_area_m2"] == pytest.approx([60.0])


def test_without_semantics() -> None:
    bare = [[box(0, 0, (6, 10, 8), named=False)], [box(6, 0, (6, 10, 5), named=False)]]
    assert values_of(bare)["party_wall_area_m2"] == pytest.approx([50.0, 50.0])


@settings(max_examples=50)
@given(
    degrees=st.floats(0.0, 360.0),
    east=st.floats(-1e4, 25.6e6),
    north=st.floats(-1e4, 6.7e6),
    seed=st.integers(0, 1000),
)
def test_movement_turning_order_and_direction(degrees: float, east: float, north: float, seed: int) -> None:
    random = np.random.default_rng(seed)

    def changed(geometry: Geometry) -> Geometry:
        count = len(geometry.semantic)
        order: list[int] = random.permutation(count).tolist()
        first: list[int] = random.integers(0, 4, count).tolist()
        shuffled = geometries.reordered(geometry, order, first)
        if random.random() < 0.5:
            shuffled = geometries.reversed_faces(shuffled, range(count))
        return in_place(shuffled, degrees, (east, north, 3.0))

    before, after = values_of(ROW), values_of([[changed(g) for g in group] for group in ROW])
    for name in ("party_wall_area_m2", "exterior_wall_area_m2", "envelope_area_m2", "surface_to_volume"):
        assert after[name] == pytest.approx(before[name], rel=1e-6, abs=1e-6), name
    for name in ("touching_neighbours", "neighbours_50m", "neighbours_100m"):
        assert after[name] == before[name], name
    assert after["nearest_distance_m"] == pytest.approx(before["nearest_distance_m"], abs=1e-6)


SIZE = st.tuples(st.floats(2.0, 9.0), st.floats(2.0, 9.0), st.floats(2.0, 9.0))


@settings(max_examples=60)
@given(one=SIZE, other=SIZE, y=st.floats(-8.0, 8.0), z=st.floats(-5.0, 5.0), degrees=st.floats(0.0, 360.0))
def test_what_two_share_is_the_same_from_both_sides(
    one: Sequence[float], other: Sequence[float], y: float, z: float, degrees: float
) -> None:
    pair = [box(0, 0, one), box(one[0], y, other, low=z)]
    party = values_of([[in_place(g, degrees, (2.55e7, 6.6e6, 0.0))] for g in pair])["party_wall_area_m2"]
    deep = max(0.0, min(one[1], y + other[1]) - max(0.0, y))
    high = max(0.0, min(one[2], z + other[2]) - max(0.0, z))
    assert party[0] == pytest.approx(party[1], abs=1e-6)
    # Slivers of up to a millimetre may or may not be counted.
    assert party[0] == pytest.approx(deep * high, abs=0.01)


def town(count: int, seed: int) -> Groups:
    """Houses of all kinds wall to wall in rows, with gaps here and there, turned as a whole."""
    random = np.random.default_rng(seed)
    groups: Groups = []
    for index in range(count):
        row, column = divmod(index, 12)
        kind = int(random.integers(4))
        height = 0.5 * float(random.integers(8, 30))
        shapes = [box(0, 0, (10, 8, height))]
        if kind == 1:
            shapes = [geometries.gable()]
        elif kind == 2:
            shapes = [box(0, 0, (5, 8, height)), box(5, 0, (5, 8, height / 2))]
        elif kind == 3:
            shapes = [geometries.gable(named=False)]
        shift = (10.0 * column, 8.0 * row + (25.0 if row % 3 == 2 else 0.0), float(random.integers(3)) / 4)
        if random.random() > 0.1:
            groups.append([in_place(geometries.moved(s, shift), 33.0, (2.5e7, 6.7e6, 0.0)) for s in shapes])
    return groups


def in_partitions(groups: Groups, outlines: Shapes, number: int) -> dict[str, list[Any]]:
    """Computed in parts that see no more than their halo, put together again in order."""
    owner = np.random.default_rng(number).integers(number, size=len(groups))
    apart: Floats = distances(outlines[:, None], outlines[None, :])
    result: dict[str, list[Any]] = {}
    for part in range(number):
        own: Bools = owner == part
        if not own.any():
            continue
        near = ~own & (apart[own].min(axis=0) <= HALO_M)
        touching = ~own & (apart[own].min(axis=0) <= TOUCH_M)
        chosen = [*np.flatnonzero(own), *np.flatnonzero(touching)[::-1]]
        seen = [*np.flatnonzero(own), *np.flatnonzero(near)[::-1]]
        values: dict[str, Column] = neighbour_values(
            [groups[i] for i in chosen], int(own.sum()), outlines[seen]
        )
        for name, column in values.items():
            target = result.setdefault(name, [None] * len(groups))
            for index, value in zip(np.flatnonzero(own), column, strict=True):
                target[index] = value
    return result


def test_any_number_of_partitions_gives_the_same_bits() -> None:
    groups = town(150, 5)
    outlines = measure_core(concatenate(groups)).footprints
    whole = in_partitions(groups, outlines, 1)
    assert sum(area > 0 for area in whole["party_wall_area_m2"]) > 100
    assert sum(area > 0 for area in whole["inner_wall_area_m2"]) > 20
    for number in (4, 64):
        parts = in_partitions(groups, outlines, number)
        for name, column in whole.items():
            assert np.array(parts[name]).tobytes() == np.array(column).tobytes(), name


def test_counts_and_distances_are_those_of_all_pairs() -> None:
    random = np.random.default_rng(3)
    square: Any = shapely.box
    ranges = ((0, 400), (0, 400), (5, 40), (5, 40))
    sides = [random.uniform(low, high, 120).tolist() for low, high in ranges]
    rounded = [
        shapely.MultiPolygon([square(x, y, x + w, y + d).buffer(1.5)])
        for x, y, w, d in zip(*sides, strict=True)
    ]
    outlines = np.array([*rounded[:17], None, *rounded[18:]], dtype=object)
    found = surroundings(outlines, 100)
    apart = distances(outlines[:, None], outlines[None, :])
    np.fill_diagonal(apart, np.inf)
    apart = np.where(np.isnan(apart), np.inf, apart)[:100]
    assert found.nearest_m.tolist() == np.minimum(apart.min(axis=1), 100.0).tolist()
    assert found.within_50m.tolist() == (apart <= 50.0).sum(axis=1).tolist()
    assert found.within_100m.tolist() == (apart <= 100.0).sum(axis=1).tolist()


def test_who_stands_at_the_edge() -> None:
    places = [(20 * x, 20 * y) for y in range(5) for x in range(5)]
    groups = [[box(x, y, (8, 8, 4))] for x, y in places]
    flags = values_of(groups)["neighbours_quality"]
    inside = {i for i, (x, y) in enumerate(places) if 0 < x < 80 and 0 < y < 80}
    assert {i for i, flag in enumerate(flags) if flag == "exact"} == inside
    assert values_of([[box(0, 0, (8, 8, 4))]])["neighbours_quality"] == ["edge"]


def test_alone_and_without_geometry() -> None:
    values = values_of([[box(0, 0, (6, 10, 8))], []])
    assert values["nearest_distance_m"][0] == 100.0
    assert values["party_wall_area_m2"][0] == 0.0
    assert all(value is None or value != value for name in values for value in values[name][1:])
    assert all(list(column) == [] for column in neighbour_values([], 0, np.array([], dtype=object)).values())


def test_degenerate_walls_are_bounded_and_do_no_harm() -> None:
    """Bow ties, slivers, walls of one line, and one wall met by a thousand others."""
    bow: geometries.Face = [[(6.0, 0.0, 0.0), (6.0, 0.0, 8.0), (6.0, 10.0, 0.0), (6.0, 10.0, 8.0)]]
    line: geometries.Face = [[(6.0, 0.0, 0.0), (6.0, 5.0, 0.0), (6.0, 10.0, 0.0)]]
    odd = geometries.boundary([bow, line], ["WallSurface", "WallSurface"], type="MultiSurface")
    small = [[box(6, 0.01 * i, (3, 0.01, 8))] for i in range(1000)]
    values = values_of([[box(0, 0, (6, 10, 8))], [odd], *small], wanted=2)
    assert values["party_wall_area_m2"][0] == pytest.approx(80.0)
    assert values["party_wall_area_m2"][1] <= 80.0 + 1e-6
    assert values["touching_neighbours"][0] >= 0


def test_two_round_halls_of_many_walls_take_seconds() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 20_000, endpoint=False)
    outline = [(float(x), float(y)) for x, y in zip(100 * np.cos(angle), 100 * np.sin(angle), strict=True)]
    hall = geometries.prism(outline, 0.0, 10.0)
    begin = time.process_time()
    values = values_of([[hall], [geometries.moved(hall, (200.0, 0.0, 0.0))]])
    assert time.process_time() - begin < 20.0
    assert values["nearest_distance_m"] == pytest.approx([0.0, 0.0], abs=1e-9)
    # Along the circles the gap stays within 5 cm for 2.2 m on both sides.
    assert values["party_wall_area_m2"] == pytest.approx([44.7, 44.7], abs=1.0)


def test_distances_of_long_outlines() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 8_000, endpoint=False)
    circle = np.stack([50.0 * np.cos(angle), 50.0 * np.sin(angle)], axis=1)
    shapes = [shapely.MultiPolygon([shapely.Polygon(circle + at)]) for at in ((0, 0), (103, 0), (90, 0))]
    outlines = np.array([*shapes, None], dtype=object)
    assert distances(outlines[[0, 1, 0]], outlines[[1, 0, 2]]) == pytest.approx([3.0, 3.0, 0.0], abs=1e-6)
    assert np.isnan(distances(outlines[[3, 0]], outlines[[0, 3]])).all()


def test_shared_walls_say_who_and_how_far() -> None:
    """What `twin process --explain` shows of a party wall."""
    groups = [[box(0, 0, (6, 10, 8))], [box(6.03, 0, (6, 10, 5))]]
    core = measure_core(concatenate(groups))
    batch, boundary = core.boundary.batch, core.boundary
    shared = shared_walls(batch, boundary.faces, core.surface_type, parts_of(groups), np.array([True, False]))
    assert batch.object_of_surface()[shared.other].tolist() == [1]
    assert shared.gap_m == pytest.approx([0.03])
    assert shared.area_m2 == pytest.approx([50.0])
    values = envelope(core, parts_of(groups), np.array([True, False]))
    assert values["party_wall_area_m2"][0] == pytest.approx(50.0)


def slatted(x: float, wall_x: float, count: int) -> Geometry:
    """A box whose wall at ``wall_x`` is ``count`` level slats."""
    sides = geometries.faces_of(box(x, 0, (6, 10, 8)))
    names = [geometries.GROUND, *["WallSurface"] * 4, "RoofSurface"]
    kept = [item for item in zip(sides, names, strict=True) if any(p[0] != wall_x for p in item[0][0])]
    turn = 1 if wall_x > x else -1
    slats: list[geometries.Face] = [
        [[(wall_x, 0.0, a), (wall_x, 10.0, a), (wall_x, 10.0, b), (wall_x, 0.0, b)][::turn]]
        for a, b in pairwise(np.linspace(0.0, 8.0, count + 1).tolist())
    ]
    faces = [*(face for face, _ in kept), *slats]
    return geometries.boundary(faces, [*(name for _, name in kept), *["WallSurface"] * count])


def test_two_facades_of_ten_thousand_slats_take_seconds_and_little_memory() -> None:
    """All pairs of them would be 100,000,000: several gigabytes."""
    groups = [[slatted(0, 6, 10_000)], [slatted(6, 6, 10_000)]]
    batch = concatenate(groups)
    core = measure_core(batch)
    tracemalloc.start()
    begin = time.process_time()
    values = envelope(core, parts_of(groups), np.ones(2, dtype=np.bool_))
    spent, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert values["party_wall_area_m2"] == pytest.approx([80.0, 80.0])
    assert values["exterior_wall_area_m2"] == pytest.approx([176.0, 176.0])
    assert values["touching_neighbours"] == [1, 1]
    assert spent < 20.0
    assert peak < 300e6
