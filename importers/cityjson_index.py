"""Where the objects of a plain CityJSON document stand and which belong together, by numbers only.

An id is kept as its hash, so that a million objects take tens of megabytes.
"""

import re
from array import array
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import cast

import numpy as np
import orjson

from importers.json_scan import LARGEST_PIECE, Content, without_separator
from importers.json_values import Json, as_list, as_object
from twin.model.geometry import Ints, offsets

_KEY = re.compile(rb'\s*,?\s*("(?:[^"\\]|\\.)*")\s*:\s*\{', re.DOTALL)
_GROUP = "CityObjectGroup"


class ObjectIndex:
    """Filled by ``take`` while the document is scanned, then asked for its families."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._start, self._stop, self._id = array("q"), array("q"), array("q")
        self._child, self._parent = array("q"), array("q")
        self._listed_child, self._listing_parent = array("q"), array("q")
        self._groups: set[int] = set()
        self._root: Ints = np.zeros(0, dtype=np.int64)
        self.too_large: list[tuple[int, int]] = []

    def __len__(self) -> int:
        return len(self._id)

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
        self._start.append(start)
        self._stop.append(stop)
        self._id.append(number)
        if b'"parents"' in text or b'"children"' in text:
            self._note_family(number, as_object(self._parse(text, start).get(identifier)) or {})

    def _note_family(self, number: int, item: Mapping[str, Json]) -> None:
        if item.get("type") == _GROUP:
            self._groups.add(number)
            return
        for parent in _texts(item.get("parents")):
            self._child.append(number)
            self._parent.append(hash(parent))
        for child in _texts(item.get("children")):
            self._listed_child.append(hash(child))
            self._listing_parent.append(number)

    def _parse(self, text: bytes, start: int) -> dict[str, Json]:
        """The objects of a piece; UnreadableFile with the line where it is not well-formed."""
        try:
            found = orjson.loads(b"{" + without_separator(text) + b"}")
        except orjson.JSONDecodeError as error:
            raise self._content.not_well_formed(start, error) from error
        return cast("dict[str, Json]", found)

    def resolve(self) -> None:
        """Find the row of each object's root, or why it has none; after the last ``take``."""
        ids = np.array(self._id, dtype=np.int64)
        unique, first = np.unique(ids, return_index=True)
        parent = np.arange(len(ids))
        child_rows, parent_rows = self._links(unique, first)
        parent[child_rows] = parent_rows
        root = parent
        for _ in range(max(len(ids), 2).bit_length()):
            root = root[root]
        root = np.where(parent[root] == root, root, _CIRCLE)
        repeated = np.ones(len(ids), dtype=np.bool_)
        repeated[first] = False
        self._root = np.where(repeated, _REPEATED, root)

    def families(self) -> Iterator[list[int]]:
        """Row numbers of objects that make a feature together, in the order of their roots.

        Objects whose parent is not in the document stand alone.
        """
        root = self._root
        rows = np.flatnonzero(root >= 0)
        order = rows[np.lexsort((rows, root[rows]))]
        sizes = np.diff(np.flatnonzero(np.diff(root[order], prepend=-1, append=-1)))
        for first, last in pairwise(offsets(sizes).tolist()):
            yield order[first:last].tolist()

    def batches(self, size: int) -> Iterator[list[list[int]]]:
        """Families together until they take more than ``size`` bytes."""
        batch: list[list[int]] = []
        taken = 0
        for rows in self.families():
            batch.append(rows)
            taken += sum(self._stop[row] - self._start[row] for row in rows)
            if taken > size:
                yield batch
                batch, taken = [], 0
        if batch:
            yield batch

    def unrooted(self) -> list[int]:
        """Row numbers of objects whose parents lead in a circle."""
        return np.flatnonzero(self._root == _CIRCLE).tolist()

    def repeated(self) -> list[int]:
        """Row numbers of objects whose id stood in the document before."""
        return np.flatnonzero(self._root == _REPEATED).tolist()

    def _links(self, unique: Ints, first: Ints) -> tuple[Ints, Ints]:
        """Rows of children and of their parents; what a child says goes before what a parent says."""
        pairs = [(self._listed_child, self._listing_parent), (self._child, self._parent)]
        child = np.concatenate([np.array(a, dtype=np.int64)[::-1] for a, _ in pairs])
        parent = np.concatenate([np.array(b, dtype=np.int64)[::-1] for _, b in pairs])
        groups = np.array(sorted(self._groups), dtype=np.int64)
        known = np.isin(child, unique) & np.isin(parent, unique) & ~np.isin(parent, groups)
        at = [first[np.searchsorted(unique, side[known])] for side in (child, parent)]
        return at[0], at[1]

    def load(self, rows: Sequence[int]) -> dict[str, Json]:
        """The objects of some rows by id, without links to groups, which are no parents."""
        found: dict[str, Json] = {}
        for row in rows:
            start, stop = self._start[row], self._stop[row]
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
        return self._stop[row]


_CIRCLE, _REPEATED = -1, -2


def _texts(raw: Json) -> list[str]:
    return [name for name in as_list(raw) or [] if isinstance(name, str)]
