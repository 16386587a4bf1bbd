"""Points that are near each other become one vertex: compared with looking at every pair of points."""

import time
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import geometries
from twin.model.geometry import Floats, GeometryBatch, Ints, concatenate
from twin.processing.compute import measure
from twin.processing.nearby import near_pairs
from twin.processing.orientation import orient
from twin.processing.vertices import SNAP_M, joined_hashes, vertex_hashes


def crowd(random: np.random.Generator, count: int) -> Floats:
    """Points around a few corners, a hair to some millimetres away from them."""
    corners = random.uniform(-40.0, 40.0, (max(count // 4, 1), 3))
    return corners[random.integers(0, len(corners), count)] + random.normal(0.0, 0.0007, (count, 3))


def brute_pairs(xyz: Floats, group: Ints, reach: float) -> set[tuple[int, int]]:
    apart = np.linalg.norm(xyz[:, None] - xyz, axis=2)
    near = (apart <= reach) & (group[:, None] == group)
    return {(i, j) for i, j in zip(*np.nonzero(near), strict=True) if i < j}


@settings(max_examples=100)
@given(st.integers(0, 120), st.integers(1, 3), st.integers(0, 10_000), st.sampled_from([0.001, 0.01, 0.9]))
def test_near_pairs_are_those_of_all_pairs(count: int, groups: int, seed: int, reach: float) -> None:
    random = np.random.default_rng(seed)
    xyz, group = crowd(random, count), random.integers(0, groups, count)
    a, b = near_pairs(xyz, group, reach)
    found = [(min(pair), max(pair)) for pair in zip(a.tolist(), b.tolist(), strict=True)]
    assert len(found) == len(set(found))
    assert set(found) == brute_pairs(xyz, group, reach)


def test_near_pairs_of_points_in_a_row_of_any_axis() -> None:
    """Each is near the next alone, whichever axis tells it."""
    for axis in range(3):
        xyz = np.zeros((50, 3))
        xyz[:, axis] = np.arange(50) * 0.0009
        a, b = near_pairs(xyz, np.zeros(50, dtype=np.int64), 0.001)
        assert sorted(np.abs(a - b).tolist()) == [1] * 49


def batch_of(points: list[Floats]) -> GeometryBatch:
    """One object for each array of points: faces of three points, as they come."""
    return concatenate([[geometries.boundary([[ring] for ring in triangles(xyz)])] for xyz in points])


def triangles(xyz: Floats) -> list[list[geometries.Point]]:
    corners = [(x, y, z) for x, y, z in xyz.tolist()]
    return [corners[i : i + 3] for i in range(0, len(corners), 3)]


def brute_labels(batch: GeometryBatch, points: Ints, hashes: Ints) -> list[int]:
    """The least point that each point is one with: by cells, then by what is near among the given."""
    owner = np.searchsorted(batch.ring_start[batch.surface_start[batch.object_start]], points, side="right")
    label = [int(np.flatnonzero(hashes == own)[0]) for own in hashes]
    # Of a cell the first of the given points stands for all of them.
    first: dict[int, int] = {}
    for place, point in enumerate(points):
        first.setdefault(label[int(point)], place)
    places = np.array(sorted(first.values()), dtype=np.int64)
    for i, j in brute_pairs(batch.xyz[points[places]], owner[places], SNAP_M + 1e-6):
        one, other = label[points[places[i]]], label[points[places[j]]]
        label = [min(one, other) if value in {one, other} else value for value in label]
    return label


@settings(max_examples=100)
@given(st.integers(1, 12), st.integers(0, 12), st.integers(0, 10_000))
def test_joined_hashes_are_those_of_all_pairs(one: int, other: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    batch = batch_of([crowd(random, 3 * count) for count in (one, other)])
    points = np.flatnonzero(random.random(len(batch.xyz)) < 0.7)
    hashes = vertex_hashes(batch)
    joined = joined_hashes(batch, points, hashes)
    expected = brute_labels(batch, points, hashes.astype(np.int64))
    same = joined[:, None] == joined
    assert (same == (np.array(expected)[:, None] == np.array(expected))).all()
    if not len(points):
        assert joined is hashes


def test_objects_are_never_joined() -> None:
    cube = geometries.cube()
    hashes = vertex_hashes(concatenate([[cube], [cube]]))
    assert not set(hashes[:24].tolist()) & set(hashes[24:].tolist())
    batch = concatenate([[cube], [cube]])
    assert joined_hashes(batch, np.arange(48), hashes) is hashes


STRIPS = 10_000


def strips(count: int) -> geometries.Geometry:
    """A box whose one wall is divided into level strips, and so is not closed at their ends."""
    z = np.linspace(0.0, 0.001 * count, count + 1).tolist()
    names = [geometries.GROUND, *["WallSurface"] * 4, "RoofSurface"]
    sides = geometries.faces_of(geometries.prism(geometries.rectangle(0, 0, 6, 4), 0.0, z[-1]))
    kept = [item for item in zip(sides, names, strict=True) if any(p[0] != 6 for p in item[0][0])]
    wall = [[[(6.0, 0.0, a), (6.0, 4.0, a), (6.0, 4.0, b), (6.0, 0.0, b)]] for a, b in pairwise(z)]
    faces = [*(face for face, _ in kept), *wall]
    return geometries.boundary(faces, [*(name for _, name in kept), *["WallSurface"] * count])


def test_a_chain_of_points_is_joined_at_once_and_keeps_its_hull() -> None:
    """Points a millimetre apart for ten metres are one vertex, and the building is no smaller for it."""
    begin = time.process_time()
    boundary = orient(concatenate([[strips(STRIPS)]]))
    assert len(np.unique(boundary.vertices)) < 100
    assert time.process_time() - begin < 5.0
    values = measure(concatenate([[strips(STRIPS)]])).values
    assert values["volume_m3"][0] == pytest.approx(240.0)
    assert values["convexity"][0] == pytest.approx(1.0)
