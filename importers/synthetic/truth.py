"""The truth beside the model: one CSV row a building, by closed form and from the register.

Columns are ``object_id``, ``shape`` and attributes of the catalogue. An empty field is a value that
the delivery does not state.
"""

import csv
from math import degrees, pi, sqrt
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from importers.synthetic.city import Building, City
from importers.synthetic.plan import Lot
from importers.synthetic.walls import SharedWalls, shared_walls
from twin.model.attributes import CATALOGUE, Stage

_NOT_KNOWN_HERE: Final = frozenset(
    {
        "dataset", "placement", "quality", "volume_disagreement", "neighbours_quality",
        "convexity", "nearest_distance_m", "neighbours_50m", "neighbours_100m",
    }
)  # fmt: skip
"""Properties of an import or of a method, not of a building, and what has no short closed form."""

STOREY_MM: Final = 3000
"""Height of a storey where nobody tells how many there are."""

COLUMNS: Final = (
    "object_id",
    "shape",
    *(
        a.name
        for a in CATALOGUE
        if a.name not in _NOT_KNOWN_HERE and a.name != "object_id" and a.stage is not Stage.VALIDITY
    ),
)


def computed(lot: Lot) -> dict[str, Any]:
    """The computed attributes of the catalogue by closed form; lengths in metres."""
    truth = lot.form.truth
    heights = truth.heights
    return {
        "height_m": (heights.top - heights.ground) / 1000,
        "height_ground_m": heights.ground / 1000,
        "height_eave_m": heights.eave / 1000,
        "height_ridge_m": truth.ridge / 1000,
        "height_max_m": heights.top / 1000,
        "volume_m3": truth.volume,
        "footprint_area_m2": truth.ground_area,
        "footprint_perimeter_m": truth.perimeter,
        "roof_type": truth.roof_type,
        "roof_area_m2": truth.roof_flat + truth.roof_sloped,
        "roof_area_flat_m2": truth.roof_flat,
        "roof_area_sloped_m2": truth.roof_sloped,
        "wall_area_m2": truth.wall_area,
        "ground_area_m2": truth.ground_area,
        "closed": True,
        "volume_method": "divergence",
        "lod": "2",
        "surfaces": truth.surfaces,
        "footprint_method": "ground surfaces",
        **_shape(lot),
    }


def _shape(lot: Lot) -> dict[str, Any]:
    """Measures of shape; the least rectangle is the extent along the axes of the frame."""
    truth, unit = lot.form.truth, lot.frame.unit / 1000
    sides = lot.form.width * unit, lot.form.depth * unit
    length, width = max(sides), min(sides)
    storeys = max(1, (truth.heights.top - truth.heights.ground) // STOREY_MM)
    shell = truth.roof_flat + truth.roof_sloped + truth.wall_area + truth.ground_area
    return {
        "box_length_m": length,
        "box_width_m": width,
        "box_azimuth_deg": _azimuth(lot),
        "storeys_estimated": storeys,
        "floor_area_estimated_m2": truth.ground_area * storeys,
        "elongation": 1 - width / length,
        "rectangularity": truth.ground_area / (length * width),
        "circularity": 4 * pi * truth.ground_area / truth.perimeter**2,
        "hemisphericality": 3 * sqrt(2 * pi) * truth.volume / shell**1.5,
        "cubeness": 6 * truth.volume ** (2 / 3) / shell,
    }


def _azimuth(lot: Lot) -> float:
    """Direction of the longer side, clockwise from north; the first of both sides of a square."""
    of_width = (90 - degrees(lot.frame.angle)) % 180
    of_depth = (of_width + 90) % 180
    if lot.form.width == lot.form.depth:
        return min(of_width, of_depth)
    return of_width if lot.form.width > lot.form.depth else of_depth


def around(building: Building, shared: SharedWalls) -> dict[str, Any]:
    """The attributes that depend on neighbours; other blocks are a street away."""
    truth = building.entry.lot.form.truth
    exterior = truth.wall_area - shared.party - shared.inner
    envelope = truth.roof_flat + truth.roof_sloped + exterior + truth.ground_area
    return {
        "party_wall_area_m2": shared.party,
        "inner_wall_area_m2": shared.inner,
        "exterior_wall_area_m2": exterior,
        "envelope_area_m2": envelope,
        "surface_to_volume": envelope / truth.volume,
        "touching_neighbours": shared.touching,
    }


class TruthWriter:
    """Writes the truth of buildings as they come, block by block."""

    def __init__(self, path: Path, city: City) -> None:
        self._city = city
        self._file = path.open("w", encoding="utf-8", newline="")
        self._block: list[Building] = []
        self._rows = csv.writer(self._file, lineterminator="\n")

    def __enter__(self) -> Self:
        self._rows.writerow(COLUMNS)
        return self

    def write(self, building: Building) -> None:
        """Take one building; its row follows when its block is complete."""
        if self._block and self._block[0].entry.block != building.entry.block:
            self._flush()
        self._block.append(building)

    def _flush(self) -> None:
        for building, shared in zip(self._block, shared_walls(self._block), strict=True):
            self._write(building, shared)
        self._block.clear()

    def _write(self, building: Building, shared: SharedWalls) -> None:
        lot = building.entry.lot
        values: dict[str, Any] = {
            "object_id": building.record.object_id,
            "shape": lot.shape or lot.form.shape,
            "city": self._city.name,
            "synthetic": True,
            **building.record.harmonised,
            **computed(lot),
            **around(building, shared),
        }
        self._rows.writerow([_text(values.get(column)) for column in COLUMNS])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._flush()
        self._file.close()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
