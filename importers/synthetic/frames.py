"""Exact rotation: frames whose lattice points fall on whole millimetres.

A building that is rotated and then rounded to millimetres is no longer the rectangle that its
closed form describes. With a Pythagorean triple (a² + b² = c²) as cosine and sine and lengths in
units of c millimetres every corner is a whole number of millimetres, so that the truth of a
rotated building holds to the last digit.
"""

import math
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

_LONGEST_UNIT_MM: Final = 200


@dataclass(frozen=True, slots=True)
class Frame:
    """A rotated local lattice: origin in whole millimetres of the projected CRS, unit in mm.

    ``cos`` and ``sin`` are multiplied by ``unit``: cos² + sin² = unit².
    """

    x: int
    y: int
    cos: int
    sin: int
    unit: int

    @property
    def angle(self) -> float:
        """Direction of the first axis in radians, counter-clockwise from east."""
        return math.atan2(self.sin, self.cos)

    def point(self, p: int, q: int) -> tuple[int, int]:
        """Lattice coordinates to easting and northing in millimetres."""
        return self.x + self.cos * p - self.sin * q, self.y + self.sin * p + self.cos * q

    def at(self, p: int, q: int, quarter_turns: int = 0) -> "Frame":
        """A frame with its origin at a lattice point, turned counter-clockwise by quarters."""
        x, y = self.point(p, q)
        cos, sin = self.cos, self.sin
        for _ in range(quarter_turns % 4):
            cos, sin = -sin, cos
        return Frame(x, y, cos, sin, self.unit)

    def units(self, metres: float) -> int:
        """The nearest length in lattice units."""
        return round(metres * 1000 / self.unit)

    def even(self, metres: float) -> int:
        """The nearest even length: its half is a lattice length too."""
        return 2 * round(metres * 500 / self.unit)

    def metres(self, units: int) -> float:
        """A lattice length in metres."""
        return units * self.unit / 1000


def _rotations() -> list[tuple[float, int, int, int]]:
    """(angle, cos, sin, unit) from 0 up to 90 degrees, by angle."""
    found = [(0.0, 100, 0, 100), (math.pi / 2, 0, 100, 100)]
    for m in range(2, math.isqrt(_LONGEST_UNIT_MM) + 1):
        for n in range(1 + m % 2, m, 2):
            unit = m * m + n * n
            if math.gcd(m, n) > 1 or not 60 <= unit <= _LONGEST_UNIT_MM:
                continue
            for cos, sin in ((m * m - n * n, 2 * m * n), (2 * m * n, m * m - n * n)):
                found.append((math.atan2(sin, cos), cos, sin, unit))
    return sorted(found)


_ROTATIONS: Final = _rotations()
_ANGLES: Final = [angle for angle, *_ in _ROTATIONS]


def frame_near(x: float, y: float, angle: float) -> Frame:
    """The exact frame nearest to a position in metres and an angle in radians from east."""
    quarters, rest = divmod(angle, math.pi / 2)
    after = min(max(bisect_left(_ANGLES, rest), 1), len(_ANGLES) - 1)
    nearest = min(_ROTATIONS[after - 1 : after + 1], key=lambda rotation: abs(rotation[0] - rest))
    _, cos, sin, unit = nearest
    return Frame(round(x * 1000), round(y * 1000), cos, sin, unit).at(0, 0, int(quarters))
