"""What walls of a synthetic block share, by whole numbers.

Corners are whole millimetres, so walls that stand against each other lie on the very same line. Along
it every wall reaches from one height to another, both linear between corners, and what two walls
share is the integral of where both are.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import gcd, hypot
from typing import Final, TypeAlias

from importers.synthetic.city import Building, Corner, Part
from importers.synthetic.shells import WALL

TOUCHING_M2: Final = 0.1
"""Buildings that share less meet in a corner."""

Line: TypeAlias = tuple[int, int, int]
Point: TypeAlias = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wall:
    """A wall of a part of a building: its outline as (along its line, height), and the way it looks."""

    building: int
    part: int
    ahead: bool
    outline: tuple[Point, ...]
    scale: float
    """Millimetres for one unit along the line."""


@dataclass(frozen=True, slots=True)
class SharedWalls:
    """Areas in m² and the number of other buildings that a building shares walls with."""

    party: float
    inner: float
    touching: int


def shared_walls(buildings: Sequence[Building]) -> list[SharedWalls]:
    """What each building shares with the others of its block, and its parts with each other."""
    party: list[defaultdict[int, float]] = [defaultdict(float) for _ in buildings]
    inner = [0.0] * len(buildings)
    for walls in _by_line(buildings).values():
        for one, other in _facing(walls):
            area = _shared(one, other) * one.scale / 1e6
            if one.building != other.building:
                party[one.building][other.building] += area
            elif one.part != other.part:
                inner[one.building] += area
    return [
        SharedWalls(sum(areas.values()), within, sum(area > TOUCHING_M2 for area in areas.values()))
        for areas, within in zip(party, inner, strict=True)
    ]


def _by_line(buildings: Sequence[Building]) -> dict[Line, list[Wall]]:
    lines: defaultdict[Line, list[Wall]] = defaultdict(list)
    for number, building in enumerate(buildings):
        for index, part in enumerate(building.parts):
            for line, wall in _walls(part, number, index):
                lines[line].append(wall)
    return lines


def _walls(part: Part, building: int, index: int) -> Iterator[tuple[Line, Wall]]:
    for face in part.faces:
        if face.kind == WALL:
            yield _wall([part.corners[i] for i in face.rings[0]], building, index)


def _wall(ring: Sequence[Corner], building: int, index: int) -> tuple[Line, Wall]:
    """The line that a wall stands on, by direction and distance from the origin, and the wall on it."""
    (x0, y0, _), (x1, y1, _) = min(ring), max(ring)
    steps = gcd(x1 - x0, y1 - y0)
    dx, dy = (x1 - x0) // steps, (y1 - y0) // steps
    outline = tuple((x * dx + y * dy, z) for x, y, z in ring)
    # Seen from outside a ring runs counter-clockwise: then its foot runs to the right.
    ahead = sum(a * d - c * b for (a, b), (c, d) in pairwise((*outline, outline[0]))) > 0
    return (dx, dy, x0 * dy - y0 * dx), Wall(building, index, ahead, outline, 1 / hypot(dx, dy))


def _facing(walls: Sequence[Wall]) -> Iterator[tuple[Wall, Wall]]:
    for one in walls:
        for other in walls:
            if one.ahead != other.ahead:
                yield one, other


def _shared(one: Wall, other: Wall) -> float:
    """The area that both outlines cover, in units of the line times millimetres."""
    stops = sorted({t for wall in (one, other) for t, _ in wall.outline})
    total = 0.0
    for low, high in pairwise(stops):
        a, b = _span(one, low, high), _span(other, low, high)
        if a and b:
            total += (high - low) * _common(a, b)
    return total


Span: TypeAlias = tuple[tuple[float, float], tuple[float, float]]
"""Lower and upper edge, each by its heights at both ends of an interval."""


def _span(wall: Wall, low: int, high: int) -> Span | None:
    """The edges of a wall over an interval without corners of it; None where the wall is not."""
    edges: list[tuple[float, float]] = []
    for (t0, z0), (t1, z1) in pairwise((*wall.outline, wall.outline[0])):
        if min(t0, t1) <= low and high <= max(t0, t1) and t0 != t1:
            slope = (z1 - z0) / (t1 - t0)
            edges.append((z0 + (low - t0) * slope, z0 + (high - t0) * slope))
    return (min(edges), max(edges)) if edges else None


def _common(a: Span, b: Span) -> float:
    """The mean over an interval of the height that both spans have."""
    borders = (*a, *b)
    cuts = {0.0, 1.0}
    for p in borders:
        for q in borders:
            at_start, at_end = p[0] - q[0], p[1] - q[1]
            if at_start * at_end < 0:
                cuts.add(at_start / (at_start - at_end))

    def height(t: float) -> float:
        lows = [lower[0] + t * (lower[1] - lower[0]) for lower, _ in (a, b)]
        highs = [upper[0] + t * (upper[1] - upper[0]) for _, upper in (a, b)]
        return max(0.0, min(highs) - max(lows))

    return sum((t1 - t0) * (height(t0) + height(t1)) / 2 for t0, t1 in pairwise(sorted(cuts)))
