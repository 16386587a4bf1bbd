"""All computed attributes of a batch of objects."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, SurfaceType
from twin.processing import footprint, segments
from twin.processing.classification import classify
from twin.processing.heights import heights
from twin.processing.orientation import Boundary, orient
from twin.processing.roof import roof_edges, roof_types
from twin.processing.solid import volumes
from twin.processing.surfaces import azimuth_deg, is_flat, slope_deg

VERSION = 1
"""Raised whenever a definition changes, so that stored values are computed again."""


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Computed attributes by their names in the catalogue, and what belongs to single faces.

    ``values`` hold one entry for each object: numbers with NaN and texts with None where they
    cannot be measured. ``footprints`` (objects,) are shapely MultiPolygons in native 2D
    coordinates, or None. ``surface_type``, ``face_area_m2``, ``face_slope_deg`` and
    ``face_azimuth_deg`` (NaN on flat faces) have the shape (surfaces,).
    """

    values: dict[str, npt.NDArray[Any] | list[Any]]
    footprints: footprint.Polygons
    surface_type: Ints
    face_area_m2: Floats
    face_slope_deg: Floats
    face_azimuth_deg: Floats


def measure(batch: GeometryBatch) -> Measures:
    """Measure every object of a batch; nothing here depends on another object."""
    boundary = orient(batch)
    types = classify(batch, boundary.faces)
    outlines = footprint.footprints(boundary, types)
    return Measures(
        values={
            **_dimensions(boundary, types, outlines),
            **_areas(boundary, types),
            "surfaces": np.diff(batch.object_start),
        },
        footprints=outlines,
        surface_type=types,
        face_area_m2=boundary.faces.area,
        face_slope_deg=slope_deg(boundary.faces),
        face_azimuth_deg=azimuth_deg(boundary.faces),
    )


def _dimensions(
    boundary: Boundary, types: Ints, outlines: footprint.Polygons
) -> dict[str, npt.NDArray[Any] | list[Any]]:
    edges = roof_edges(boundary, types)
    height = heights(boundary, types, edges)
    volume = volumes(boundary, types, height.ground)
    area, perimeter = footprint.measured(outlines)
    base = boundary.batch.origin[:, 2]
    empty = np.diff(boundary.batch.object_start) == 0
    return {
        "height_m": height.top - height.ground,
        "height_ground_m": height.ground + base,
        "height_eave_m": height.eave + base,
        "height_ridge_m": height.ridge + base,
        "height_max_m": height.top + base,
        "volume_m3": volume.value,
        "footprint_area_m2": area,
        "footprint_perimeter_m": perimeter,
        "roof_type": roof_types(boundary, types, edges),
        "closed": [None if none else bool(c) for none, c in zip(empty, boundary.closed, strict=True)],
        "volume_method": volume.methods(),
        "volume_disagreement": volume.disagreement,
        "quality": volume.quality(),
    }


def _areas(boundary: Boundary, types: Ints) -> dict[str, npt.NDArray[Any] | list[Any]]:
    start, area, flat = boundary.batch.object_start, boundary.faces.area, is_flat(boundary.faces)
    roof = types == SurfaceType.ROOF
    chosen: dict[str, Bools] = {
        "roof_area_m2": roof,
        "roof_area_flat_m2": roof & flat,
        "roof_area_sloped_m2": roof & ~flat,
        "wall_area_m2": types == SurfaceType.WALL,
        "ground_area_m2": types == SurfaceType.GROUND,
    }
    summed = segments.sums(np.stack([np.where(mask, area, 0.0) for mask in chosen.values()]), start)
    summed[:, np.diff(start) == 0] = np.nan
    return dict(zip(chosen, summed, strict=True))
