"""Divisions of a dataset: whole, without overlap, and even."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.model.cells import LEVEL
from twin.processing.partition import UNPLACED, Partition, divide

KEYS = st.lists(st.integers(0, (1 << 2 * LEVEL) - 1), min_size=1, max_size=60)


@given(KEYS, st.integers(1, 80))
def test_every_feature_belongs_to_exactly_one_partition(keys: list[int], count: int) -> None:
    ranges = [cell.quadkeys for cell in divide(np.array(keys), count)]
    for key in keys:
        assert sum(low <= key < high for low, high in filter(None, ranges)) == 1


@given(KEYS, st.integers(1, 80))
def test_there_are_as_many_partitions_as_asked_for_if_features_can_be_told_apart(
    keys: list[int], count: int
) -> None:
    assert len(divide(np.array(keys), count)) >= min(count, len(set(keys)))


def test_partitions_are_about_as_full() -> None:
    keys = np.random.default_rng(1).integers(0, 1 << 2 * LEVEL, 64_000)
    full = [
        int(((keys >= low) & (keys < high)).sum())
        for low, high in filter(None, (c.quadkeys for c in divide(keys, 64)))
    ]
    assert max(full) < 2_000


def test_features_on_one_spot_stay_together() -> None:
    [cell] = divide(np.full(5, 77), 4)
    assert cell == Partition(LEVEL, 77)


def test_nothing_is_divided_into_nothing() -> None:
    assert divide(np.zeros(0, dtype=np.int64), 4) == []


@pytest.mark.parametrize(("cell", "words"), [(Partition(3, 5), "3/5"), (UNPLACED, "unplaced")])
def test_partitions_have_names(cell: Partition, words: str) -> None:
    assert str(cell) == words
