"""Whether slope and area in the table of surfaces agree with the triangles of each surface."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
Json: TypeAlias = dict[str, Any]

_AREA_TOLERANCE = 0.1
_EDGE_TOLERANCE_M = 0.05
"""Vertices are rounded to centimetres, so a surface that is long and narrow has some other area."""

_SMALLEST_M2 = 1.0
_SLOPE_TOLERANCE_DEG = 1.0
"""Normals are stored in steps of half a degree, and the vertical is that of the middle of the tile."""


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """Triangles (t, 3, 3) in metres, y up, with a normal (t, 3) and the surface (t,) of each."""

    triangles: Array
    normal: Array
    surface: Array


def check_surfaces(
    metadata: Json, table: int, shown: Shown, view: Callable[[int], bytes]
) -> Iterator[tuple[str, str]]:
    """Faults as code and words."""
    columns = _columns(metadata, table, view)
    area = _areas(shown, metadata["propertyTables"][table]["count"])
    large = area >= _SMALLEST_M2
    if "area_m2" in columns:
        off = np.abs(columns["area_m2"] - area)
        wrong = large & (off > _AREA_TOLERANCE * area + _EDGE_TOLERANCE_M * np.sqrt(area))
        yield from _told("surface-area", wrong, "area_m2", columns["area_m2"], area)
    if "slope_deg" in columns:
        slope = np.full(len(area), np.nan)
        x, y, z = shown.normal.T
        slope[shown.surface] = np.degrees(np.arctan2(np.hypot(x, z), y))
        wrong = large & (np.abs(columns["slope_deg"] - slope) > _SLOPE_TOLERANCE_DEG)
        yield from _told("surface-slope", wrong, "slope_deg", columns["slope_deg"], slope)
    if "azimuth_deg" in columns:
        known = columns["azimuth_deg"][~np.isnan(columns["azimuth_deg"])]
        outside = int(np.count_nonzero((known < 0.0) | (known >= 360.0)))
        if outside:
            yield "surface-azimuth", f"{outside} values of azimuth_deg are not from 0 up to 360."


def _told(code: str, wrong: Array, name: str, stated: Array, found: Array) -> Iterator[tuple[str, str]]:
    if wrong.any():
        first = int(np.flatnonzero(wrong)[0])
        yield (
            code,
            f"{int(wrong.sum())} values of {name} are not those of the triangles: surface {first} states "
            f"{stated[first]:.2f}, its triangles have {found[first]:.2f}.",
        )


def _columns(metadata: Json, table: int, view: Callable[[int], bytes]) -> dict[str, Array]:
    """The columns of 32-bit floats, NaN for noData; those of a wrong length are reported elsewhere."""
    found: Json = metadata["propertyTables"][table]
    declared: Json = metadata["schema"]["classes"][found["class"]]["properties"]
    columns: dict[str, Array] = {}
    for name, column in found.get("properties", {}).items():
        item: Json = declared.get(name, {})
        data = view(column["values"])
        if item.get("componentType") == "FLOAT32" and len(data) == 4 * found["count"]:
            values = np.frombuffer(data, dtype="<f4")
            missing = values == np.float32(item.get("noData", np.nan))
            columns[name] = np.where(missing, np.nan, values.astype(np.float64))
    return columns


def _areas(shown: Shown, surfaces: int) -> Array:
    """The length of the summed area vectors of the triangles of each surface (surfaces,)."""
    origin, second, third = np.moveaxis(shown.triangles, 1, 0)
    cross = np.cross(second - origin, third - origin) / 2.0
    summed = [np.bincount(shown.surface, cross[:, axis], surfaces)[:surfaces] for axis in range(3)]
    return np.linalg.norm(np.column_stack(summed), axis=1)
