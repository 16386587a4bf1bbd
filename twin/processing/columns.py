"""Columns of values, one entry for each object: numbers with NaN and texts with None where unknown."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Bools

Column: TypeAlias = npt.NDArray[Any] | list[Any]


def named(names: Sequence[str], index: npt.NDArray[Any], known: Bools) -> list[str | None]:
    """The name that each ``index`` (objects,) chooses, None where it is not ``known`` (objects,)."""
    chosen = np.array(names, dtype=object)[index]
    chosen[~known] = None
    return chosen.tolist()


def only(column: Column, known: Bools) -> Column:
    """The column with NaN or None where an object is not ``known`` (objects,)."""
    if isinstance(column, list):
        return [value if there else None for value, there in zip(column, known, strict=True)]
    return np.where(known, column, np.nan)
