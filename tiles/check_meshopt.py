"""Decodes EXT_meshopt_compression, by its specification and without the library that encodes.

Part of the checker: slower than the library, so that a mistake is not made twice. Modes ATTRIBUTES
and INDICES are read, without filters.
"""

from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

_BLOCK_BYTES = 8192
_BLOCK_ELEMENTS = 256
_GROUP = 16
_VERTICES, _INDICES = 0xA0, 0xD1
_PAIRS = [bytes(each) for each in product(range(4), repeat=4)]
"""The four values of two bits in each byte, the first in the highest bits."""

_NIBBLES = [bytes((byte >> 4, byte & 15)) for byte in range(256)]


class Undecodable(ValueError):
    """The code is none of its mode."""


def decode(code: bytes, count: int, size: int, mode: str) -> bytes:
    """``count`` elements of ``size`` bytes; raises Undecodable."""
    try:
        if mode == "ATTRIBUTES":
            return _Vertices(code, count, size).decode()
        if mode == "INDICES":
            return _sequence(code, count).astype(f"<u{size}").tobytes()
    except IndexError as error:
        raise Undecodable("the code ends too early") from error
    raise Undecodable(f"mode {mode!r} is not understood")


class _Vertices:
    """Mode ATTRIBUTES: bytes of one place in all elements of a block, as differences, in groups of 16."""

    def __init__(self, code: bytes, count: int, size: int) -> None:
        if not code or code[0] != _VERTICES or size % 4:
            raise Undecodable("the code of vertices has another header, or elements not of whole words")
        self._code, self._count, self._size, self._at = code, count, size, 1

    def decode(self) -> bytes:
        tail = max(self._size, 32)
        last = np.frombuffer(self._code[-self._size :], dtype=np.uint8)
        most = min(_BLOCK_BYTES // self._size // _GROUP * _GROUP, _BLOCK_ELEMENTS)
        blocks: list[Array] = []
        for first in range(0, self._count, most):
            block = self._block(min(most, self._count - first), last)
            blocks.append(block)
            last = block[-1]
        if self._at + tail != len(self._code):
            raise Undecodable("the code of vertices has another length")
        return np.concatenate(blocks).tobytes()

    def _block(self, elements: int, last: Array) -> Array:
        groups = -(-elements // _GROUP)
        columns = [self._column(groups) for _ in range(self._size)]
        code = np.frombuffer(b"".join(columns), dtype=np.uint8).reshape(self._size, -1)[:, :elements]
        difference = (code >> 1) ^ (0 - (code & 1)).astype(np.uint8)
        return (np.cumsum(difference, axis=1, dtype=np.uint8) + last[:, None]).T

    def _column(self, groups: int) -> bytes:
        header = b"".join(_PAIRS[byte][::-1] for byte in self._take(-(-groups // 4)))
        return b"".join([self._group(mode) for mode in header[:groups]])

    def _group(self, mode: int) -> bytes:
        if mode == 0:
            return bytes(_GROUP)
        if mode == 3:
            return self._take(_GROUP)
        table, sentinel = (_PAIRS, 3) if mode == 1 else (_NIBBLES, 15)
        values = b"".join(table[byte] for byte in self._take(4 if mode == 1 else 8))
        escaped = values.count(sentinel)
        if not escaped:
            return values
        rest = iter(self._take(escaped))
        return bytes(next(rest) if value == sentinel else value for value in values)

    def _take(self, count: int) -> bytes:
        found = self._code[self._at : self._at + count]
        if len(found) < count:
            raise IndexError
        self._at += count
        return found


def _sequence(code: bytes, count: int) -> Array:
    """Mode INDICES: differences from one of two earlier indices, as numbers of 7 bits a byte."""
    if len(code) < 5 or code[0] != _INDICES:
        raise Undecodable("the code of indices has another header")
    data = np.frombuffer(code, dtype=np.uint8)[1:-4].astype(np.int64)
    ends = np.flatnonzero(data < 128)
    if len(ends) != count or (len(data) and data[-1] >= 128):
        raise Undecodable(f"the code has {len(ends)} indices, not {count}")
    if count == 0:
        return data
    first = np.append(0, ends[:-1] + 1)
    place = np.arange(len(data)) - np.repeat(first, ends - first + 1)
    value = np.add.reduceat((data & 127) << (7 * place), first)
    difference = (value >> 2) ^ -((value >> 1) & 1)
    found = np.zeros(count, dtype=np.int64)
    for baseline in (0, 1):
        chosen = (value & 1) == baseline
        found[chosen] = np.cumsum(difference[chosen])
    return found & 0xFFFFFFFF
