"""Outlines seen from above as the shapes of an SVG, north up."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

Position: TypeAlias = Sequence[float]
Geometry: TypeAlias = Mapping[str, Any]

_METRES_PER_DEGREE = 111_320.0
_PADDING = 14.0
_FOOT = 20.0
"""For the bar of the scale below the shapes."""

_SMALL = 5.0
"""A shape of less than this is drawn as a dot, in units of the drawing."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One feature as a path in the drawing, or as a dot where it would be too small to see."""

    id: str
    path: str
    closed: bool
    x: float
    y: float
    dot: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """A drawing of ``width`` and ``height`` units with a bar of ``bar`` units that is ``bar_m`` metres."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
    bar: float
    bar_m: float


def plan(features: Iterable[tuple[str, Geometry | None]], width: int = 960, height: int = 340) -> Plan | None:
    """A drawing of features in longitude and latitude; None where none has a place."""
    placed = [(id, geometry) for id, geometry in features if geometry is not None]
    every = [position for _, geometry in placed for line, _ in _lines(geometry) for position in line]
    if not every:
        return None
    frame = _Frame.around(every, width, height)
    shapes = tuple(shape for id, geometry in placed if (shape := _shape(id, geometry, frame)) is not None)
    metres = _round_length(width / 4 / frame.scale)
    return Plan(width, height, shapes, round(metres * frame.scale, 1), metres)


@dataclass(frozen=True, slots=True)
class _Frame:
    """From degrees to the drawing: ``scale`` units for a metre."""

    west: float
    north: float
    east_m: float
    scale: float
    left: float
    top: float

    @classmethod
    def around(cls, positions: Sequence[Position], width: int, height: int) -> "_Frame":
        xs, ys = [position[0] for position in positions], [position[1] for position in positions]
        east_m = _METRES_PER_DEGREE * max(0.01, math.cos(math.radians((min(ys) + max(ys)) / 2)))
        # A point alone stands in a plan of some metres.
        wide = max((max(xs) - min(xs)) * east_m, 20.0)
        high = max((max(ys) - min(ys)) * _METRES_PER_DEGREE, 20.0)
        scale = min((width - 2 * _PADDING) / wide, (height - 2 * _PADDING - _FOOT) / high)
        left = (width - (max(xs) - min(xs)) * east_m * scale) / 2
        top = (height - _FOOT - (max(ys) - min(ys)) * _METRES_PER_DEGREE * scale) / 2
        return cls(min(xs), max(ys), east_m, scale, left, top)

    def place(self, position: Position) -> tuple[float, float]:
        x = self.left + (position[0] - self.west) * self.east_m * self.scale
        y = self.top + (self.north - position[1]) * _METRES_PER_DEGREE * self.scale
        return round(x, 1), round(y, 1)


def _shape(id: str, geometry: Geometry, frame: _Frame) -> Shape | None:
    lines = [([frame.place(position) for position in line], closed) for line, closed in _lines(geometry)]
    points = [point for line, _ in lines for point in line]
    if not points:
        return None
    xs, ys = [x for x, _ in points], [y for _, y in points]
    path = "".join(
        "M" + "L".join(f"{x:g} {y:g}" for x, y in line) + ("Z" if closed else "") for line, closed in lines
    )
    return Shape(
        id=id,
        path=path,
        closed=any(closed for _, closed in lines),
        x=round((min(xs) + max(xs)) / 2, 1),
        y=round((min(ys) + max(ys)) / 2, 1),
        dot=max(xs) - min(xs) < _SMALL and max(ys) - min(ys) < _SMALL,
    )


def _lines(geometry: Geometry) -> Iterator[tuple[Sequence[Position], bool]]:
    """The rings, lines and points of a geometry, and whether each is closed."""
    if geometry["type"] == "GeometryCollection":
        for member in cast(list[Geometry], geometry["geometries"]):
            yield from _lines(member)
        return
    yield from _of_depth(geometry["coordinates"], geometry["type"].endswith("Polygon"))


def _of_depth(coordinates: Any, closed: bool) -> Iterator[tuple[Sequence[Position], bool]]:
    if not coordinates:
        return
    if isinstance(coordinates[0], int | float):
        yield [coordinates], False
    elif isinstance(coordinates[0][0], int | float):
        yield coordinates, closed
    else:
        for part in coordinates:
            yield from _of_depth(part, closed)


def _round_length(metres: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not longer."""
    power = 10.0 ** math.floor(math.log10(metres))
    return next(factor * power for factor in (5.0, 2.0, 1.0) if factor * power <= metres * (1 + 1e-9))
