"""Computed columns as plain values of Python, as rows and JSON take them."""

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

import numpy as np

from twin.model.geometry import Floats
from twin.processing.columns import Column

Values: TypeAlias = dict[str, Any]

_DECIMALS = 6
"""Micrometres, and cubic centimetres: finer than any source."""

_SCALE = 10.0**_DECIMALS
_LARGEST = 1e12
"""Scaled numbers up to here have binary digits left for the halves that decide how they are rounded."""
_NEAR_HALF = 1e-3


def plain(value: Any) -> Any:
    """A numpy scalar as Python's own; NaN as None, and no digits that only rounding made."""
    if isinstance(value, np.generic):
        value = cast("Any", value).item()
    if isinstance(value, float):
        return round(value, _DECIMALS) if np.isfinite(value) else None
    return value


def plain_column(column: Column) -> list[Any]:
    """``plain`` of every value of a column, whole columns at a time."""
    if isinstance(column, list):
        return list(map(plain, column))
    return _rounded(column) if column.dtype.kind == "f" else column.tolist()


def plain_rows(columns: Mapping[str, Column]) -> list[Values]:
    """The plain values of each object by name; all columns have as many entries."""
    names = tuple(columns)
    listed = (plain_column(column) for column in columns.values())
    return [dict(zip(names, row, strict=True)) for row in zip(*listed, strict=True)]


def _rounded(column: Floats) -> list[float | None]:
    """As ``round`` does it, which looks at decimal digits: numbers near a half are left to it."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled = column * _SCALE
        whole = np.rint(scaled)
        sure = (np.abs(scaled) < _LARGEST) & (np.abs(np.abs(scaled - whole) - 0.5) > _NEAR_HALF)
    result: list[float | None] = (whole / _SCALE).tolist()
    for index in np.flatnonzero(~sure).tolist():
        result[index] = plain(column[index])
    return result
