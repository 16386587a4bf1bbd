"""Street patterns: a bent grid without end, and rings of blocks around a hill.

Blocks come outward from the centre, so that a larger city is the smaller one with more around it.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from importers.synthetic.chance import fraction
from importers.synthetic.frames import Frame, frame_near

_GRID, _RING = 0, 1


@dataclass(frozen=True, slots=True)
class Land:
    """A block between streets that nobody has planned yet; lengths in metres.

    ``x`` and ``y`` are its middle relative to the centre of the city, ``angle`` in radians.
    """

    key: tuple[int, int, int]
    x: float
    y: float
    angle: float
    width: float
    depth: float

    @property
    def distance(self) -> float:
        """Metres from the centre of the city."""
        return math.hypot(self.x, self.y)

    def frame(self, centre: tuple[int, int]) -> tuple[Frame, int, int]:
        """The exact frame with its origin in a corner, and the sizes in its units."""
        middle = frame_near(centre[0] + self.x, centre[1] + self.y, self.angle)
        width, depth = middle.units(self.width), middle.even(self.depth)
        return middle.at(-(width // 2), -(depth // 2)), width, depth

    @property
    def streets(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]:
        """The streets along its four sides, as (family, index)."""
        pattern, column, row = self.key
        along, across = 2 * pattern, 2 * pattern + 1
        return (along, row), (across, column + 1), (along, row + 1), (across, column)


@dataclass(frozen=True, slots=True)
class BentGrid:
    """Two families of streets that cross, drawn on a sheet that is bent a little.

    ``pitch`` is the distance of streets, ``street`` their width from house to house. The bend shears
    blocks by up to ``bend`` (radians) at ``wavelength`` metres; streets are wide enough to take it.
    """

    angle: float
    pitch: tuple[float, float] = (104.0, 80.0)
    street: float = 17.0
    jitter: float = 7.0
    bend: float = 0.07
    wavelength: float = 1500.0

    def lands(self, seed: int) -> Iterator[Land]:
        """Blocks without end, by distance from the centre."""
        radius = 0
        while True:
            for column, row in _annulus(radius, self.pitch):
                yield self._land(column, row, seed)
            radius += 1

    def _land(self, column: int, row: int, seed: int) -> Land:
        west, east = (self._edge(0, column + i, seed) for i in (0, 1))
        south, north = (self._edge(1, row + i, seed) for i in (0, 1))
        p, q = (west + east) / 2, (south + north) / 2
        wave = 2 * math.pi / self.wavelength
        amplitude = self.bend / wave
        bent_p, bent_q = p + amplitude * math.sin(q * wave + 1.0), q + amplitude * math.sin(p * wave + 2.0)
        turn = self.bend * (math.cos(p * wave + 2.0) - math.cos(q * wave + 1.0)) / 2
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return Land(
            (_GRID, column, row),
            bent_p * cos - bent_q * sin,
            bent_p * sin + bent_q * cos,
            self.angle + turn,
            east - west - self.street,
            north - south - self.street,
        )

    def _edge(self, axis: int, index: int, seed: int) -> float:
        """Where a street runs, in metres from the centre across it; block 0 lies over the centre."""
        shift = self.jitter * (2 * fraction(seed, 11, axis, index) - 1)
        return (index - 0.5) * self.pitch[axis] + shift


def _annulus(radius: int, pitch: tuple[float, float]) -> Iterator[tuple[int, int]]:
    """Cells (column, row) at a distance of ``radius`` steps, a step being the shorter pitch.

    A distance is rounded to steps, so each cell is in one annulus only.
    """
    step = min(pitch)
    across, along = pitch[0] / step, pitch[1] / step
    highest = int((radius + 1) / along)
    for row in range(-highest, highest + 1):
        outermost = int(math.sqrt((radius + 1) ** 2 - (row * along) ** 2) / across)
        for column in range(outermost, -1, -1):
            distance = round(math.hypot(column * across, row * along))
            if distance < radius:
                break
            if distance == radius:
                yield from ((column, row), (-column, row))[: 1 + bool(column)]


@dataclass(frozen=True, slots=True)
class Rings:
    """Rings of blocks around a hill: ``count`` of them, the first at ``first`` metres."""

    first: float = 56.0
    pitch: float = 40.0
    depth: float = 30.0
    count: int = 4
    frontage: float = 46.0
    lane: float = 5.0

    def lands(self) -> Iterator[Land]:
        """The hill itself, the blocks ring by ring, and last the sites of the town wall's towers."""
        yield Land((_RING, 0, 0), 0.0, 0.0, 0.3, 50.0, 30.0)
        for ring in range(self.count):
            yield from self._ring(ring + 1, self.first + ring * self.pitch, self.frontage, self.depth)
        yield from self._ring(self.count + 1, self.first + self.count * self.pitch - 8, 44.0, 12.0)

    def _ring(self, number: int, radius: float, frontage: float, depth: float) -> Iterator[Land]:
        """Blocks as wide as the inner edge of their sector allows."""
        blocks: Final = int(2 * math.pi * radius / frontage)
        width = 2 * (radius - depth / 2) * math.tan(math.pi / blocks) - self.lane
        for index in range(blocks):
            angle = 2 * math.pi * (index + number / 3) / blocks
            x, y = radius * math.cos(angle), radius * math.sin(angle)
            yield Land((_RING, index, number), x, y, angle + math.pi / 2, width, depth)


def urban_distance(land: Land, seed: int, spacing: float = 1500.0) -> float:
    """Metres to the city's centre, or to a lesser centre of its own far out, whichever is nearer."""
    lesser_by: Final = 190.0
    column, row = round(land.x / spacing), round(land.y / spacing)
    if column == 0 and row == 0:
        return land.distance
    x, y = (
        (index + (fraction(seed, 12, axis, column, row) - 0.5) * 0.4) * spacing
        for axis, index in enumerate((column, row))
    )
    return min(land.distance, lesser_by + math.hypot(land.x - x, land.y - y))
