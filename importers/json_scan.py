"""Finds the members of a large JSON document without having it in memory.

Brackets are found and counted by numpy, a chunk at a time; what stands between them is parsed by
the caller, piece by piece, so that every byte is checked by a JSON parser in the end.
"""

import json
import os
import re
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

import numpy as np

from twin.errors import UnreadableFile
from twin.model.geometry import Bools, Ints

CHUNK = 1 << 20
LARGEST_PIECE = 1 << 26
"""Bytes; a single member beyond it is a mistake or an attack."""

_ESCAPE = re.compile(rb"\\.", re.DOTALL)
_BRACKETS = {ord("{"): 1, ord("["): 1, ord("}"): -1, ord("]"): -1}
_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_DELTA = np.zeros(256, dtype=np.int8)
_DELTA[list(_BRACKETS)] = list(_BRACKETS.values())
_MARKS = _DELTA != 0
_MARKS[_QUOTE] = True


@dataclass(frozen=True, slots=True)
class Brackets:
    """Brackets of a chunk that lead to, or back to, one of the two upper levels.

    ``at`` are byte offsets in the file, ``depth`` the level behind the bracket.
    """

    at: Ints
    depth: Ints
    opening: Bools


def brackets(path: Path, file: BinaryIO) -> Iterator[Brackets]:
    """The brackets of the upper levels, chunk by chunk; UnreadableFile where they do not match."""
    state = _State(path)
    start, rest = 0, b""
    while block := file.read(CHUNK):
        chunk = rest + block
        yield state.read(chunk, start)
        rest = state.held_back(chunk)
        start += len(chunk) - len(rest)
    if state.depth or state.quoted or rest:
        raise UnreadableFile(f"{path}: the JSON is not well-formed, it ends too early; fetch it again")


@dataclass(slots=True)
class _State:
    path: Path
    depth: int = 0
    quoted: bool = False

    def read(self, chunk: bytes, start: int) -> Brackets:
        usable = len(chunk) - len(self.held_back(chunk))
        data = np.frombuffer(chunk, dtype=np.uint8, count=usable)
        marked = _MARKS[data]
        if _BACKSLASH in chunk:
            marked[[match.end() - 1 for match in _ESCAPE.finditer(chunk, 0, usable)]] = False
        at = np.flatnonzero(marked)
        mark = data[at]
        quotes = mark == _QUOTE
        inside = (np.cumsum(quotes) + self.quoted) & 1
        delta = np.where(inside == 1, 0, _DELTA[mark]).astype(np.int64)
        depth = self.depth + np.cumsum(delta)
        if len(depth):
            self._advance(depth, bool(inside[-1]), at, start)
        upper = (delta != 0) & (depth <= 2)
        return Brackets(at[upper] + start, depth[upper], delta[upper] > 0)

    def _advance(self, depth: Ints, quoted: bool, at: Ints, start: int) -> None:
        if depth.min() < 0:
            place = start + int(at[int(np.argmax(depth < 0))])
            raise UnreadableFile(f"{self.path}: byte {place}: a bracket closes that was not opened")
        self.depth, self.quoted = int(depth[-1]), quoted

    def held_back(self, chunk: bytes) -> bytes:
        """A backslash at the end that escapes what comes next, left for the next chunk."""
        trailing = len(chunk) - len(chunk.rstrip(b"\\"))
        return chunk[-1:] if trailing % 2 else b""


class Content:
    """The bytes of a file by their offsets; the file is closed with the last use of this."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._number = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._number)

    def read(self, start: int, stop: int) -> bytes:
        """The bytes from ``start`` to before ``stop``."""
        return os.pread(self._number, stop - start, start)

    def not_well_formed(self, start: int, error: json.JSONDecodeError) -> UnreadableFile:
        """What to raise for a piece that begins at ``start`` and is no JSON."""
        steps = range(0, start, CHUNK)
        lines = sum(self.read(at, min(at + CHUNK, start)).count(b"\n") for at in steps)
        return UnreadableFile(
            f"{self.path}: line {lines + error.lineno}: {error.msg}: the JSON is not well-formed;"
            " fetch the file again"
        )


Taker: TypeAlias = Callable[[Ints], None]
"""Called with offsets: a piece is between each of them and the next."""


class Outline:
    """Walks through a document: members named in ``takers`` are handed on in pieces.

    The names are those of the members with the bracket that their value has to begin with. A taker
    gets the pieces of its member as they are found, each ending with a closing bracket, or with the
    member. ``walk`` gives the document without them, for the JSON parser.
    """

    def __init__(self, content: Content, takers: Mapping[tuple[str, str], Taker]) -> None:
        self._content = content
        self._takers = takers
        self._taker: Taker | None = None
        self._mark = 0
        self._rest: list[bytes] = []
        self._rest_size = 0

    def walk(self) -> bytes:
        """Read the file once; returns the rest."""
        path = self._content.path
        with path.open("rb") as file:
            for found in brackets(path, file):
                self._chunk(found)
        self._keep(path.stat().st_size)
        return b"".join(self._rest)

    def _chunk(self, found: Brackets) -> None:
        outer = np.flatnonzero((found.opening & (found.depth == 2)) | (~found.opening & (found.depth == 1)))
        first = 0
        for index in outer.tolist():
            self._members(found.at[first:index])
            self._outer(int(found.at[index]), opening=bool(found.opening[index]))
            first = index + 1
        self._members(found.at[first:])

    def _members(self, ends: Ints) -> None:
        """Pieces that end at brackets on the level of the member's own members."""
        if self._taker is None or not len(ends):
            return
        cuts = np.concatenate([[self._mark], ends + 1])
        self._taker(cuts)
        self._mark = int(cuts[-1])

    def _outer(self, at: int, *, opening: bool) -> None:
        if opening:
            self._keep(at + 1)
            self._taker = self._named()
        elif self._taker is not None:
            if at > self._mark:
                self._taker(np.array([self._mark, at]))
            self._taker, self._mark = None, at

    def _named(self) -> Taker | None:
        """The taker of the member whose value begins at the end of what was kept."""
        tail = b"".join(self._rest[-2:])[-100:]
        for (name, bracket), taker in self._takers.items():
            if re.search(rb'"%s"\s*:\s*%s$' % (re.escape(name.encode()), re.escape(bracket.encode())), tail):
                return taker
        return None

    def _keep(self, stop: int) -> None:
        self._rest_size += stop - self._mark
        if self._rest_size > LARGEST_PIECE:
            raise UnreadableFile(
                f"{self._content.path}: more than {LARGEST_PIECE} bytes are neither city objects nor vertices"
            )
        self._rest.append(self._content.read(self._mark, stop))
        self._mark = stop


def without_separator(piece: bytes) -> bytes:
    """A piece without the comma before it."""
    return piece.lstrip().removeprefix(b",")
