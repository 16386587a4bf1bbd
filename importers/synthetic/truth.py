"""The truth beside the model: one CSV row a building, by closed form and from the register.

Columns are ``object_id``, ``shape`` and attributes of the catalogue. An empty field is a value that
the delivery does not state.
"""

import csv
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from importers.synthetic.city import Building, City
from importers.synthetic.shapes import Form
from twin.model.attributes import CATALOGUE

_NOT_KNOWN_HERE: Final = frozenset({"dataset", "placement", "quality", "volume_disagreement"})
"""Properties of an import or of a method, not of a building."""

COLUMNS: Final = (
    "object_id",
    "shape",
    *(a.name for a in CATALOGUE if a.name not in _NOT_KNOWN_HERE and a.name != "object_id"),
)


def computed(form: Form) -> dict[str, Any]:
    """The computed attributes of the catalogue by closed form; lengths in metres."""
    truth = form.truth
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
    }


class TruthWriter:
    """Writes the truth of buildings as they come."""

    def __init__(self, path: Path, city: City) -> None:
        self._city = city
        self._file = path.open("w", encoding="utf-8", newline="")
        self._rows = csv.writer(self._file, lineterminator="\n")

    def __enter__(self) -> Self:
        self._rows.writerow(COLUMNS)
        return self

    def write(self, building: Building) -> None:
        """Append one building."""
        lot = building.entry.lot
        values: dict[str, Any] = {
            "object_id": building.record.object_id,
            "shape": lot.shape or lot.form.shape,
            "city": self._city.name,
            "synthetic": True,
            **building.record.harmonised,
            **computed(lot.form),
        }
        self._rows.writerow([_text(values.get(column)) for column in COLUMNS])

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def _text(value: Any) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
