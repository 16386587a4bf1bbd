"""Squares of a size in metres in a projected reference system, named by their lower left corners."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from twin.errors import InvalidParameter
from twin.model.offered import to_degrees

SYSTEMS = (3067, 3301, 3879)
"""EPSG codes: ETRS-TM35FIN, which reaches over both cities and is the default, L-EST97, ETRS-GK25."""

SMALLEST_M, LARGEST_M = 1.0, 1_000_000.0
_STRAIGHT_M = 2_000.0
"""Sides up to this are straight in degrees too, to a centimetre; longer ones are bent."""


@dataclass(frozen=True, slots=True)
class SquareGrid:
    """Squares with sides of ``size_m`` along the axes of a system, counted east and north from its origin."""

    size_m: float
    code: int = SYSTEMS[0]

    def __post_init__(self) -> None:
        if self.code not in SYSTEMS:
            raise InvalidParameter(f"'square' takes one of the systems {', '.join(map(str, SYSTEMS))}.")
        if not SMALLEST_M <= self.size_m <= LARGEST_M:
            raise InvalidParameter(
                f"'square' takes a size from {SMALLEST_M:g} to {LARGEST_M:.0f} metres, such as square(250)."
            )

    def name(self, column: int, row: int) -> str:
        """Easting and northing of the lower left corner, in metres: ``E385000N6671000``."""
        return f"E{column * self.size_m:.10g}N{row * self.size_m:.10g}"

    def outlines(self, squares: Sequence[tuple[int, int]]) -> list[list[tuple[float, float]]]:
        """The corners of each as longitudes and latitudes, the first one again at the end."""
        steps = 1 if self.size_m <= _STRAIGHT_M else 16
        share = np.arange(steps) / steps
        none, all_ = np.zeros(steps), np.ones(steps)
        places = np.array(squares, dtype=np.float64).reshape(-1, 2, 1)
        x = (np.concatenate([share, all_, 1 - share, none, [0.0]]) + places[:, 0]) * self.size_m
        y = (np.concatenate([none, share, all_, 1 - share, [0.0]]) + places[:, 1]) * self.size_m
        lng, lat = to_degrees(self.code).transform(x, y)
        rings: list[list[list[float]]] = np.round(np.stack([lng, lat], axis=-1), 7).tolist()
        return [[(lon, lat) for lon, lat in ring] for ring in rings]
