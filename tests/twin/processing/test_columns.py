"""Columns of values with what is not known left out."""

import numpy as np

from twin.processing.columns import named, only

KNOWN = np.array([True, False, True])


def test_names_are_chosen_by_index() -> None:
    found = named(["flat", "shed"], np.array([1, 0, 0]), KNOWN)
    assert found == ["shed", None, "flat"]
    assert named(["flat"], np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.bool_)) == []


def test_names_given_stay_as_they_are() -> None:
    names = ["flat", "shed"]
    named(names, np.array([0, 1, 0]), KNOWN)
    assert names == ["flat", "shed"]


def test_numbers_become_nan_and_others_none() -> None:
    numbers = only(np.array([1.5, 2.5, 3.5]), KNOWN)
    assert np.isnan(numbers[1])
    assert [numbers[0], numbers[2]] == [1.5, 3.5]
    assert only(["a", "b", None], KNOWN) == ["a", None, None]


def test_whole_numbers_can_be_unknown_too() -> None:
    numbers = only(np.array([1, 2, 3]), KNOWN)
    assert np.isnan(numbers[1])
