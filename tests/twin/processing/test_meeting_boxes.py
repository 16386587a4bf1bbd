"""Pairs of boxes that meet are those that comparing all with all finds."""

from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twin.processing import meeting_boxes, segments
from twin.processing.meeting_boxes import Boxes, meeting


def boxes(count: int, groups: int, random: np.random.Generator) -> Boxes:
    """Boxes with whole coordinates, so that many just touch, of very different sizes."""
    low = random.integers(0, 12, (3, count)).astype(np.float64)
    size = random.integers(0, 3, (3, count)) * random.choice([1, 1, 1, 8], (1, count))
    return Boxes(low, low + size, random.integers(0, groups, count))


def all_pairs(one: Boxes, other: Boxes) -> set[tuple[int, int]]:
    meet = one.group[:, None] == other.group
    for axis in range(3):
        meet &= one.low[axis][:, None] <= other.high[axis]
        meet &= other.low[axis] <= one.high[axis][:, None]
    return set(zip(*(side.tolist() for side in np.nonzero(meet)), strict=True))


@settings(max_examples=200)
@given(
    st.integers(0, 40),
    st.integers(0, 40),
    st.integers(1, 4),
    st.integers(0, 10_000),
    st.sampled_from([3, 10**6]),
)
def test_those_of_all_pairs_in_chunks(n: int, m: int, groups: int, seed: int, chunk: int) -> None:
    random = np.random.default_rng(seed)
    one, other = boxes(n, groups, random), boxes(m, groups, random)
    with mock.patch.object(meeting_boxes, "CHUNK", chunk):
        chunks = list(meeting(one, other))
    found = [pair for a, b in chunks for pair in zip(a.tolist(), b.tolist(), strict=True)]
    assert len(found) == len(set(found))
    assert set(found) == all_pairs(one, other)
    assert max((len(a) for a, _ in chunks), default=0) <= 2 * chunk


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_stacks_along_any_axis_look_at_few(axis: int) -> None:
    """Two stacks of 100,000 slats each: all pairs would be 10,000,000,000."""
    low = np.zeros((3, 100_000))
    low[axis] = np.arange(100_000) * 0.001
    high = low + 1.0
    high[axis] = low[axis] + 0.0005
    stack = Boxes(low, high, np.zeros(100_000, dtype=np.int64))
    found = [(a, b) for a, b in meeting(stack, stack)]
    assert sorted(np.concatenate([a for a, _ in found]).tolist()) == list(range(100_000))
    assert all((a == b).all() for a, b in found)


@given(st.lists(st.integers(0, 30), max_size=30), st.integers(1, 20))
def test_pieces_are_all_in_order_and_bounded(sizes: list[int], most: int) -> None:
    found = [sizes[piece] for piece in segments.pieces(np.array(sizes, dtype=np.int64), most)]
    assert [size for piece in found for size in piece] == sizes
    assert all(sum(piece) < most + max(piece) for piece in found)
