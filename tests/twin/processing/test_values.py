"""Computed columns as plain values."""

import numpy as np

from twin.processing.values import plain, plain_column, plain_rows


def test_whole_columns_are_rounded_as_single_values() -> None:
    random = np.random.default_rng(5)
    spread = random.normal(size=4000) * 10.0 ** random.integers(-8, 16, size=4000)
    halves = np.array([n / 2_000_000.0 for n in range(1, 400, 2)])
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1e-9, 2.0**53, 1e300, 0.9999995, 1.0000005])
    column = np.concatenate([spread, halves, -halves, special])
    assert list(map(repr, plain_column(column))) == [repr(plain(value)) for value in column]


def test_rows_hold_python_values() -> None:
    columns = {"a": np.array([1.25, np.nan]), "b": ["x", None], "c": np.array([1, 2]), "d": [True, False]}
    first, second = plain_rows(columns)
    assert first == {"a": 1.25, "b": "x", "c": 1, "d": True}
    assert second == {"a": None, "b": None, "c": 2, "d": False}
    assert [type(value) for value in first.values()] == [float, str, int, bool]
