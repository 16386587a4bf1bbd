"""How objects are divided into tiles: a quadtree over the cells that hold any.

Objects belong to the cell of their centroid, whole. One grouped query tells what lies in the cells
of one level, by size; the levels above are sums and extremes of it. Everything here is pure.

Three levels of content replace one another. A *leaf* has the meshes of its objects. Above the
leaves lie the coarsest cells whose objects all fit into one tile as blocks. Above those, a tile has
the blocks of the largest objects, as many as fit, and its error is the size of the largest object
that it leaves out. What is left out of a cell is left out of the cells around it too, so errors
never grow downwards.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal, TypeAlias

import numpy as np

from twin.model.cells import LEAST_M, Cell
from twin.model.geometry import Floats, Ints, offsets

Kind: TypeAlias = Literal["branch", "leaf", "nested"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When a cell is small enough to be one tile, and where one tileset hands over to the next.

    ``nested_at`` are the levels whose cells get a tileset of their own: about 20 km, then 2.4 km at
    60 degrees north. ``coarsest_leaf`` keeps far objects out of one tile, ``finest_leaf`` ends the
    division where many objects share a place. A tile of blocks holds as many objects and points of
    footprints as make less than 256 kB, at up to 109 bytes a point; without ``blocks`` there are none:
    nothing but buildings resembles its footprint pulled up.
    """

    objects: int = 120
    triangles: int = 20_000
    block_objects: int = 440
    block_points: int = 2_300
    coarsest_leaf: int = 10
    finest_leaf: int = 18
    nested_at: tuple[int, ...] = (10, 13)
    blocks: bool = True

    def is_leaf(self, level: int, objects: int, triangles: int) -> bool:
        """Whether what a cell holds goes into one tile."""
        if level < self.coarsest_leaf:
            return False
        small = objects <= self.objects and triangles <= self.triangles
        return small or objects == 1 or level >= self.finest_leaf

    def is_servable(self, level: int, objects: int) -> bool:
        """Whether a tile is built when asked for: wider than `is_leaf`, since a client may hold a
        tileset from before the cell grew, yet far from all objects of a city."""
        if level < self.coarsest_leaf:
            return False
        return level >= self.finest_leaf or objects <= 8 * self.objects

    def fits_as_blocks(self, objects: int, points: int) -> bool:
        """Whether objects with as many points of footprints go into one tile as blocks."""
        return self.blocks and objects <= self.block_objects and points <= self.block_points

    def is_servable_as_blocks(self, level: int, objects: int, points: int) -> bool:
        """Whether a tile of blocks is built when asked for; wider than `fits_as_blocks`, as above."""
        small = objects <= 8 * self.block_objects and points <= 8 * self.block_points
        return small or objects == 1 or level >= self.finest_leaf

    def resolution(self, level: int) -> int:
        """The level whose cells have to be counted for a tileset that starts at ``level``."""
        deeper = (nested for nested in self.nested_at if nested > level)
        return max(level, min(deeper, default=self.finest_leaf))


DEFAULT_LIMITS = Limits()

COLUMNS = (
    "code", "size_class", "objects", "triangles", "points",
    "west", "south", "z_min", "east", "north", "z_max", "size_m", "block_m",
)  # fmt: skip
"""What is known of the objects of a size in a cell: its Morton code, the place of the size in
`LEAST_M`, counts of objects, triangles and points of footprints, bounds in degrees and metres, the
largest object, and how far a block differs from its mesh at most."""


@dataclass(frozen=True, slots=True)
class Region:
    """A box on the ellipsoid: degrees, and metres above the ellipsoid."""

    west: float
    south: float
    east: float
    north: float
    z_min: float
    z_max: float


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What lies in the cells of one level; arrays of shape (cells,) by ascending ``code``.

    ``low`` (cells, 3) is west, south, lowest height and ``high`` (cells, 3) east, north, highest.
    ``objects``, ``points`` and ``size_m``, the largest height or width of any one object, are of each
    class of `LEAST_M` (cells, classes). ``block_m`` is how far a block differs from its mesh at most.
    ``start`` (cells + 1,) are offsets into the summary of the next finer level, empty at the finest.
    """

    level: int
    code: Ints
    objects: Ints
    points: Ints
    size_m: Floats
    triangles: Ints
    low: Floats
    high: Floats
    block_m: Floats
    start: Ints

    @classmethod
    def from_rows(cls, level: int, rows: Iterable[Mapping[str, Any]]) -> "Summary":
        """From rows with the columns of `COLUMNS`, in any order."""
        cells = [[row[name] for name in COLUMNS] for row in rows]
        table = np.array(cells, dtype=np.float64).reshape(-1, len(COLUMNS))
        size_class = table[:, 1].astype(np.int64)
        by_class = np.zeros((3, len(table), len(LEAST_M)))
        by_class[:, np.arange(len(table)), size_class] = table[:, [2, 4, 11]].T
        each = cls(
            level=level + 1,
            code=table[:, 0].astype(np.int64) << 2,
            objects=by_class[0].astype(np.int64),
            points=by_class[1].astype(np.int64),
            size_m=by_class[2],
            triangles=table[:, 3].astype(np.int64),
            low=table[:, 5:8],
            high=table[:, 8:11],
            block_m=table[:, 12],
            start=np.zeros(0, dtype=np.int64),
        )
        return replace(each.ordered().coarser(), start=np.zeros(0, dtype=np.int64))

    def ordered(self) -> "Summary":
        """The same by ascending code."""
        order = np.argsort(self.code, kind="stable")
        arrays = {f.name: getattr(self, f.name)[order] for f in fields(self)[1:-1]}
        return replace(self, **arrays)

    def missing(self, detail_m: float) -> "Summary":
        """The same where blocks miss details of meshes as large as this, but not larger than an object."""
        largest = self.size_m.max(axis=1, initial=0.0)
        return replace(self, block_m=np.maximum(self.block_m, np.minimum(detail_m, largest)))

    def coarser(self) -> "Summary":
        """The same one level up."""
        code, lengths = np.unique(self.code >> 2, return_counts=True)
        start = offsets(lengths.astype(np.int64))
        first = start[:-1]
        return Summary(
            level=self.level - 1,
            code=code,
            objects=np.add.reduceat(self.objects, first),
            points=np.add.reduceat(self.points, first),
            size_m=np.maximum.reduceat(self.size_m, first),
            triangles=np.add.reduceat(self.triangles, first),
            low=np.minimum.reduceat(self.low, first, axis=0),
            high=np.maximum.reduceat(self.high, first, axis=0),
            block_m=np.maximum.reduceat(self.block_m, first),
            start=start,
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A cell that holds objects: a tile with their meshes, a tileset of its own, or a parent of both.

    ``error_m`` is what a picture of the node misses, at most, where it is not refined; ``size_m`` the
    largest height or width of the objects in it, which is missing where it is not shown at all.
    A branch shows the blocks of objects of ``least_m`` or more, or nothing where that is None.
    """

    cell: Cell
    region: Region
    size_m: float
    error_m: float
    objects: int
    kind: Kind
    least_m: int | None = None
    children: tuple["Node", ...] = ()

    def __iter__(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child


def divide(finest: Summary, cell: Cell, limits: Limits = DEFAULT_LIMITS) -> Node | None:
    """The tree of a tileset that starts at ``cell``; None where there are no objects in it.

    ``finest`` summarises the cells of ``limits.resolution(cell.level)`` that lie in ``cell``. A
    parent with a single child gives way to that child.
    """
    if len(finest.code) == 0:
        return None
    summaries = [finest]
    while summaries[-1].level > cell.level:
        summaries.append(summaries[-1].coarser())
    return _Tree(summaries[::-1], limits).node(0, 0)


@dataclass(frozen=True, slots=True)
class _Tree:
    """Builds nodes from summaries, coarsest first; nodes are named by depth and place in a summary."""

    summaries: Sequence[Summary]
    limits: Limits

    def node(self, depth: int, index: int) -> Node:
        """The node of a cell, or of the only cell in it that has objects."""
        here = self.summaries[depth]
        if self._is_leaf(depth, index):
            leaf = _leaf(here, index)
            return self._branch(here, index, 0, (leaf,)) if self.limits.blocks else leaf
        if depth == len(self.summaries) - 1:
            return _made(here, index, self._error(here, index, self._least(here, index)), "nested")
        below = self._below(depth, index)
        if len(below) == 1:
            return self.node(depth + 1, below[0])
        least_m = self._least(here, index)
        children = self._leaves(depth, index) if least_m == 0 else None
        if children is None:
            children = tuple(self.node(depth + 1, child) for child in below)
        return self._branch(here, index, least_m, children)

    def _below(self, depth: int, index: int) -> range:
        start = self.summaries[depth].start
        return range(int(start[index]), int(start[index + 1]))

    def _is_leaf(self, depth: int, index: int) -> bool:
        here = self.summaries[depth]
        return self.limits.is_leaf(here.level, int(here.objects[index].sum()), int(here.triangles[index]))

    def _leaves(self, depth: int, index: int) -> tuple[Node, ...] | None:
        """All leaves in a cell; None if some are in tilesets of their own."""
        if self._is_leaf(depth, index):
            return (_leaf(self.summaries[depth], index),)
        if depth == len(self.summaries) - 1:
            return None
        found: list[Node] = []
        for child in self._below(depth, index):
            leaves = self._leaves(depth + 1, child)
            if leaves is None:
                return None
            found += leaves
        return tuple(found)

    def _branch(self, here: Summary, index: int, least_m: int | None, children: tuple[Node, ...]) -> Node:
        return _made(here, index, self._error(here, index, least_m), "branch", least_m, children)

    def _least(self, here: Summary, index: int) -> int | None:
        """The least size from which on all objects of a cell fit into a tile as blocks; None: none do."""
        objects, points = (np.cumsum(each[index][::-1])[::-1] for each in (here.objects, here.points))
        fitting = [
            size
            for size, *counts in zip(LEAST_M, objects.tolist(), points.tolist(), strict=True)
            if counts[0] and self.limits.fits_as_blocks(*counts)
        ]
        return fitting[0] if fitting else None

    def _error(self, here: Summary, index: int, least_m: int | None) -> float:
        """What the blocks of a cell miss: of those shown how far they are off, of the others their size."""
        left_out = len(LEAST_M) if least_m is None else LEAST_M.index(least_m)
        return max(float(here.block_m[index]), float(here.size_m[index][:left_out].max(initial=0.0)))


def _leaf(summary: Summary, index: int) -> Node:
    return _made(summary, index, 0.0, "leaf")


def _made(
    summary: Summary,
    index: int,
    error_m: float,
    kind: Kind,
    least_m: int | None = None,
    children: tuple[Node, ...] = (),
) -> Node:
    west, south, z_min = summary.low[index].tolist()
    east, north, z_max = summary.high[index].tolist()
    return Node(
        cell=Cell.from_code(summary.level, int(summary.code[index])),
        region=Region(west, south, east, north, z_min, z_max),
        size_m=float(summary.size_m[index].max()),
        error_m=error_m,
        objects=int(summary.objects[index].sum()),
        kind=kind,
        least_m=least_m,
        children=children,
    )
