"""How objects are divided into tiles: a quadtree over the cells that hold any.

Objects belong to the cell of their centroid, whole. One grouped query tells what lies in the cells
of one level; the levels above are sums and extremes of it. Everything here is pure.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np

from twin.model.cells import Cell
from twin.model.geometry import Floats, Ints, offsets

Kind: TypeAlias = Literal["branch", "leaf", "nested"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When a cell is small enough to be one tile, and where one tileset hands over to the next.

    ``nested_at`` are the levels whose cells get a tileset of their own: about 20 km, then 2.4 km at
    60 degrees north. ``coarsest_leaf`` keeps far objects out of one tile, ``finest_leaf`` ends the
    division where many objects share a place.
    """

    objects: int = 120
    triangles: int = 20_000
    coarsest_leaf: int = 10
    finest_leaf: int = 18
    nested_at: tuple[int, ...] = (10, 13)

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

    def resolution(self, level: int) -> int:
        """The level whose cells have to be counted for a tileset that starts at ``level``."""
        deeper = (nested for nested in self.nested_at if nested > level)
        return max(level, min(deeper, default=self.finest_leaf))


DEFAULT_LIMITS = Limits()

COLUMNS = (
    "code", "objects", "triangles", "west", "south", "z_min", "east", "north", "z_max", "size_m",
)  # fmt: skip
"""What is known of a cell: its Morton code, counts, bounds in degrees and metres, largest object."""


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

    ``low`` (cells, 3) is west, south, lowest height and ``high`` (cells, 3) east, north, highest;
    ``size_m`` is the largest height or width of any one object. ``start`` (cells + 1,) are offsets
    into the summary of the next finer level, empty at the finest.
    """

    level: int
    code: Ints
    objects: Ints
    triangles: Ints
    low: Floats
    high: Floats
    size_m: Floats
    start: Ints

    @classmethod
    def from_rows(cls, level: int, rows: Iterable[Mapping[str, Any]]) -> "Summary":
        """From rows with the columns of `COLUMNS`, in any order."""
        cells = [[row[name] for name in COLUMNS] for row in rows]
        table = np.array(cells, dtype=np.float64).reshape(-1, len(COLUMNS))
        table = table[np.argsort(table[:, 0], kind="stable")]
        whole = table[:, :3].astype(np.int64)
        return cls(
            level=level,
            code=whole[:, 0],
            objects=whole[:, 1],
            triangles=whole[:, 2],
            low=table[:, 3:6],
            high=table[:, 6:9],
            size_m=table[:, 9],
            start=np.zeros(0, dtype=np.int64),
        )

    def coarser(self) -> "Summary":
        """The same one level up."""
        code, lengths = np.unique(self.code >> 2, return_counts=True)
        start = offsets(lengths.astype(np.int64))
        first = start[:-1]
        return Summary(
            level=self.level - 1,
            code=code,
            objects=np.add.reduceat(self.objects, first),
            triangles=np.add.reduceat(self.triangles, first),
            low=np.minimum.reduceat(self.low, first, axis=0),
            high=np.maximum.reduceat(self.high, first, axis=0),
            size_m=np.maximum.reduceat(self.size_m, first),
            start=start,
        )


@dataclass(frozen=True, slots=True)
class Node:
    """A cell that holds objects: a tile with content, a tileset of its own, or a parent of both.

    ``size_m`` is what a picture misses, at most, where the node is not refined: the largest height
    or width of the objects in it, since parents are empty.
    """

    cell: Cell
    region: Region
    size_m: float
    objects: int
    kind: Kind
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
    return _node(summaries[::-1], 0, 0, limits)


def _node(summaries: Sequence[Summary], depth: int, index: int, limits: Limits) -> Node:
    here = summaries[depth]
    objects, triangles = int(here.objects[index]), int(here.triangles[index])
    if limits.is_leaf(here.level, objects, triangles):
        return _made(here, index, "leaf")
    if depth == len(summaries) - 1:
        return _made(here, index, "nested")
    below = range(int(here.start[index]), int(here.start[index + 1]))
    children = tuple(_node(summaries, depth + 1, child, limits) for child in below)
    return children[0] if len(children) == 1 else _made(here, index, "branch", children)


def _made(summary: Summary, index: int, kind: Kind, children: tuple[Node, ...] = ()) -> Node:
    west, south, z_min = summary.low[index].tolist()
    east, north, z_max = summary.high[index].tolist()
    return Node(
        cell=Cell.from_code(summary.level, int(summary.code[index])),
        region=Region(west, south, east, north, z_min, z_max),
        size_m=float(summary.size_m[index]),
        objects=int(summary.objects[index]),
        kind=kind,
        children=children,
    )
