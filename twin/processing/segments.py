"""Reductions over the segments of flat arrays, such as the points of every ring.

``start`` (segments + 1) are offsets as in ``twin.model.geometry``. ``ufunc.reduceat`` repeats an
element for an empty segment, so every reduction here states what an empty one gives.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats, Ints, offsets


def owner(start: Ints) -> Ints:
    """The segment that each element belongs to, shape (elements,)."""
    return np.repeat(np.arange(len(start) - 1, dtype=np.int64), np.diff(start))


def sums(values: Floats, start: Ints) -> Floats:
    """Sum of each segment along the last axis; 0 for an empty one."""
    return _reduce(np.add, values, start, 0.0)


def minima(values: Floats, start: Ints) -> Floats:
    """Least value of each segment along the last axis; infinity for an empty one."""
    return _reduce(np.minimum, values, start, np.inf)


def maxima(values: Floats, start: Ints) -> Floats:
    """Greatest value of each segment along the last axis; minus infinity for an empty one."""
    return _reduce(np.maximum, values, start, -np.inf)


def wrapping_sums(values: npt.NDArray[np.uint64], start: Ints) -> npt.NDArray[np.uint64]:
    """Sum modulo 2**64 of each segment; 0 for an empty one."""
    return _reduce(np.add, values, start, 0)


_MANY = 8
"""Where most segments are single elements, only the others are reduced."""


def _reduce(ufunc: np.ufunc, values: npt.NDArray[Any], start: Ints, empty: float) -> npt.NDArray[Any]:
    size = np.diff(start)
    if len(size) == values.shape[-1] and (size == 1).all():
        return values
    few = np.flatnonzero(size != 1)
    if len(few) * _MANY < len(size):
        reduced = np.take(values, np.minimum(start[:-1], values.shape[-1] - 1), axis=-1)
        several = np.take(values, expand(start, few), axis=-1)
        reduced[..., few] = _reduce(ufunc, several, offsets(size[few]), empty)
        return reduced
    if size.all() and len(size):
        return ufunc.reduceat(values, start[:-1], axis=-1)
    reduced = np.full((*values.shape[:-1], len(size)), empty, dtype=values.dtype)
    if size.any():
        reduced[..., size > 0] = ufunc.reduceat(values, start[:-1][size > 0], axis=-1)
    return reduced


def totals(owner: Ints, weights: npt.NDArray[Any], count: int) -> Floats:
    """Sum of the weights of each of ``count`` owners, in any order."""
    return np.bincount(owner, weights=weights, minlength=count).astype(np.float64)


def grouped(keys: npt.NDArray[Any]) -> tuple[Ints, Ints]:
    """Indices that put equal keys side by side, and offsets (groups + 1) of the groups in them."""
    order = np.argsort(keys)
    ordered = keys[order]
    first = np.ones(len(keys) + 1, dtype=np.bool_)
    first[1:-1] = ordered[1:] != ordered[:-1]
    return order, np.flatnonzero(first[: len(keys) + 1]) if len(keys) else np.zeros(1, dtype=np.int64)


def expand(start: Ints, chosen: Ints) -> Ints:
    """Indices of all elements of the chosen segments, one segment after the other."""
    return ranges(start[chosen], start[chosen + 1] - start[chosen])


def ranges(first: Ints, length: Ints) -> Ints:
    """``first[0], first[0] + 1, …`` for ``length[0]`` elements, then the same for the next."""
    end = np.cumsum(length)
    total = int(end[-1]) if len(end) else 0
    return np.arange(total, dtype=np.int64) + np.repeat(first - end + length, length)


def pieces(size: Ints, most: int) -> Iterator[slice]:
    """Runs of elements, in order, whose sizes add up to about ``most`` each."""
    run = np.cumsum(size) // most
    first: list[int] = np.flatnonzero(np.diff(run, prepend=-1) != 0).tolist()
    return (slice(a, b) for a, b in pairwise([*first, len(size)]))
