"""Where the objects of a plain CityJSON document stand and which belong together, by numbers only.

An id is kept as its hash. All numbers are in temporary files and looked at some at a time, so that
memory does not depend on how many objects there are.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import orjson

from importers import spill
from importers.json_scan import LARGEST_PIECE, Content, without_separator
from importers.json_values import Json, as_list, as_object
from importers.spill import Spill
from twin.model.geometry import Ints, offsets

_KEY = re.compile(rb'\s*,?\s*("(?:[^"\\]|\\.)*")\s*:\s*\{', re.DOTALL)
_GROUP = "CityObjectGroup"
_CIRCLE, _REPEATED = -1, -2
_NOT_THERE = -1


class ObjectIndex:
    """Filled by ``take`` while the document is scanned, then asked for its families."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._objects = Spill(np.int64, 3)  # the first byte, the byte behind, the hash of the id
        self._said = Spill(np.int64, 4)  # hashes of child and parent, later their rows
        self._listed = Spill(np.int64, 4)
        self._groups: set[int] = set()
        self._root = Spill(np.int64, 1)
        self.too_large: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._objects.rows)

    def take(self, cuts: Ints) -> None:
        """Note the objects between these offsets of the document."""
        for start, stop in pairwise(cuts.tolist()):
            if stop - start > LARGEST_PIECE:
                self.too_large.append((start, stop))
                continue
            text = self._content.read(start, stop)
            if text.strip():
                self._note(text, start, stop)

    def _note(self, text: bytes, start: int, stop: int) -> None:
        match = _KEY.match(text)
        identifier = orjson.loads(match[1]) if match else list(self._parse(text, start))[-1]
        number = hash(identifier)
        self._objects.add(start, stop, number)
        if b'"parents"' in text or b'"children"' in text:
            self._note_family(number, as_object(self._parse(text, start).get(identifier)) or {})

    def _note_family(self, number: int, item: Mapping[str, Json]) -> None:
        if item.get("type") == _GROUP:
            self._groups.add(number)
            return
        for parent in _texts(item.get("parents")):
            self._said.add(number, hash(parent), _NOT_THERE, _NOT_THERE)
        for child in _texts(item.get("children")):
            self._listed.add(hash(child), number, _NOT_THERE, _NOT_THERE)

    def _parse(self, text: bytes, start: int) -> dict[str, Json]:
        """The objects of a piece; UnreadableFile with the line where it is not well-formed."""
        try:
            found = orjson.loads(b"{" + without_separator(text) + b"}")
        except orjson.JSONDecodeError as error:
            raise self._content.not_well_formed(start, error) from error
        return cast("dict[str, Json]", found)

    def resolve(self) -> None:
        """Find the row of each object's root, or why it has none; after the last ``take``."""
        for spilled in (self._objects, self._said, self._listed):
            spilled.finish()
        repeated = self._find_rows()
        parent = self._parents()
        self._root = _roots(parent)
        for first, block in self._root.blocks():
            circular = parent.rows[block[:, 0], 0] != block[:, 0]
            block[circular] = _CIRCLE
            block[repeated.rows[first : first + len(block), 0] == 1] = _REPEATED
            parent.release()

    def _find_rows(self) -> Spill[np.int64]:
        """Replace hashes in links by rows, a share of all ids at a time; says which ids occurred before."""
        repeated = spill.zeros(len(self))
        shares = len(self) // spill.BLOCK + 1
        for share in range(shares):
            rows = np.concatenate(
                [
                    first + np.flatnonzero(block[:, 2] % shares == share)
                    for first, block in _some(self._objects)
                ]
            )
            ids, first = np.unique(self._objects.rows[rows, 2], return_index=True)
            again = np.ones(len(rows), dtype=np.bool_)
            again[first] = False
            repeated.rows[rows[again]] = 1
            for links in (self._said, self._listed):
                for _, block in links.blocks():
                    self._find_some(block, ids, rows[first])
        return repeated

    def _find_some(self, links: Ints, ids: Ints, rows: Ints) -> None:
        """Rows of those ids (sorted) in the links; groups are no parents."""
        if not len(ids):
            return
        for side in (0, 1):
            hashes = links[:, side]
            place = np.minimum(np.searchsorted(ids, hashes), len(ids) - 1)
            known = ids[place] == hashes
            if side == 1 and self._groups:
                known &= ~np.isin(hashes, np.array(sorted(self._groups), dtype=np.int64))
            links[known, 2 + side] = rows[place[known]]

    def _parents(self) -> Spill[np.int64]:
        """The row of each object's parent, or its own; what a child says goes before what a parent says."""
        parent = spill.zeros(len(self))
        for first, block in parent.blocks():
            block[:, 0] = np.arange(first, first + len(block))
        for links in (self._listed, self._said):
            for _, block in links.blocks(backwards=True):
                known = block[(block[:, 2:] != _NOT_THERE).all(axis=1)][::-1]
                parent.rows[known[:, 2], 0] = known[:, 3]
                parent.release()
        return parent

    def families(self) -> Iterator[list[int]]:
        """Row numbers of objects that make a feature together, in the order of their roots.

        Objects whose parent is not in the document stand alone.
        """
        for low in range(0, len(self), spill.BLOCK):
            rows = self._rows_with(low, low + spill.BLOCK)
            root = self._root.rows[rows, 0]
            order = np.argsort(root, kind="stable")
            sizes = np.diff(np.flatnonzero(np.diff(root[order], prepend=-1, append=-1)))
            for first, last in pairwise(offsets(sizes).tolist()):
                yield rows[order[first:last]].tolist()

    def batches(self, size: int) -> Iterator[list[list[int]]]:
        """Families together until they take more than ``size`` bytes."""
        batch: list[list[int]] = []
        taken = 0
        for rows in self.families():
            batch.append(rows)
            taken += int((self._objects.rows[rows, 1] - self._objects.rows[rows, 0]).sum())
            if taken > size:
                yield batch
                batch, taken = [], 0
                self._objects.release()
        if batch:
            yield batch

    def _rows_with(self, low: int, high: int) -> Ints:
        """Rows of objects whose root is one of some rows, or that have none for one of the reasons."""
        found = [
            first + np.flatnonzero((block[:, 0] >= low) & (block[:, 0] < high))
            for first, block in self._root.blocks()
        ]
        return np.concatenate([np.zeros(0, dtype=np.int64), *found])

    def unrooted(self) -> list[int]:
        """Row numbers of objects whose parents lead in a circle."""
        return self._rows_with(_CIRCLE, _CIRCLE + 1).tolist()

    def repeated(self) -> list[int]:
        """Row numbers of objects whose id stood in the document before."""
        return self._rows_with(_REPEATED, _REPEATED + 1).tolist()

    def load(self, rows: Sequence[int]) -> dict[str, Json]:
        """The objects of some rows by id, without links to groups, which are no parents."""
        found: dict[str, Json] = {}
        for start, stop in self._objects.rows[rows, :2].tolist():
            found.update(self._parse(self._content.read(start, stop), start))
        if self._groups:
            for item in found.values():
                self._forget_groups(item)
        return found

    def _forget_groups(self, raw: Json) -> None:
        item = as_object(raw) or {}
        if "parents" in item and (listed := as_list(item["parents"])):
            item["parents"] = [name for name in listed if hash(name) not in self._groups]

    def end(self, row: int) -> int:
        """The byte behind an object, for progress."""
        return int(self._objects.rows[row, 1])


def _some(spilled: Spill[np.int64]) -> Iterator[tuple[int, Ints]]:
    yield 0, np.zeros((0, 3), dtype=np.int64)
    yield from spilled.blocks()


def _roots(parent: Spill[np.int64]) -> Spill[np.int64]:
    """Where the parents of each row lead; in a circle to any row of it."""
    root = spill.zeros(len(parent.rows))
    for first, block in parent.blocks():
        root.rows[first : first + len(block)] = block
        root.release()
    for _ in range(max(len(root.rows), 2).bit_length()):
        moved = False
        for _, block in root.blocks():
            further = root.rows[block[:, 0]]
            moved = moved or bool((further != block).any())
            block[:] = further
        if not moved:
            break
    return root


def _texts(raw: Json) -> list[str]:
    return [name for name in as_list(raw) or [] if isinstance(name, str)]
