"""All attributes computed of each object of a batch by itself; ``neighbours`` adds the others."""

from dataclasses import dataclass, replace

import numpy as np

from twin.model.attributes import FOOTPRINT_METHODS
from twin.model.geometry import Bools, Floats, GeometryBatch, Ints, SurfaceType
from twin.processing import footprint, planar, segments, shape
from twin.processing.classification import classify
from twin.processing.columns import Column, named, only
from twin.processing.heights import heights
from twin.processing.orientation import Boundary, orient
from twin.processing.planar import Shapes
from twin.processing.roof import roof_edges, roof_types
from twin.processing.solid import volumes
from twin.processing.surfaces import azimuth_deg, is_flat, slope_deg

VERSION = 6
"""Raised whenever a definition changes, so that stored values are computed again."""


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Computed attributes by their names in the catalogue, and what belongs to single faces.

    ``values`` hold one entry for each object: numbers with NaN and texts with None where they
    cannot be measured. ``footprints`` (objects,) are shapely MultiPolygons in native 2D
    coordinates, or None. ``boundary`` are the faces as they were measured, turned outward.
    ``surface_type``, ``face_area_m2``, ``face_slope_deg`` and ``face_azimuth_deg`` (NaN on level
    faces) have the shape (surfaces,).
    """

    values: dict[str, Column]
    footprints: Shapes
    boundary: Boundary
    surface_type: Ints
    face_area_m2: Floats
    face_slope_deg: Floats
    face_azimuth_deg: Floats


def measure(batch: GeometryBatch) -> Measures:
    """All attributes of every object of a batch; nothing here depends on another object."""
    core = measure_core(batch)
    return replace(core, values={**core.values, **_shape(core)})


def measure_core(batch: GeometryBatch) -> Measures:
    """Dimensions, areas and what tells of their quality; not the shape measures, which take longer."""
    boundary = orient(batch)
    types = classify(boundary.batch, boundary.faces)
    outlines = footprint.footprints(boundary, types)
    values = {**_dimensions(boundary, types, outlines), **_areas(boundary, types)}
    known = {name: only(column, boundary.measurable) for name, column in values.items()}
    return Measures(
        values={**known, "surfaces": np.diff(batch.object_start)},
        footprints=outlines,
        boundary=boundary,
        surface_type=types,
        face_area_m2=boundary.faces.area,
        face_slope_deg=slope_deg(boundary.faces),
        face_azimuth_deg=azimuth_deg(boundary.faces),
    )


def _dimensions(boundary: Boundary, types: Ints, outlines: Shapes) -> dict[str, Column]:
    edges = roof_edges(boundary, types)
    height = heights(boundary, types, edges)
    volume = volumes(boundary, types, height.ground)
    area, perimeter = footprint.measured(outlines)
    base = boundary.batch.origin[:, 2]
    return {
        "height_m": height.top - height.ground,
        "height_ground_m": height.ground + base,
        "height_eave_m": height.eave + base,
        "height_ridge_m": height.ridge + base,
        "height_max_m": height.top + base,
        "volume_m3": volume.value,
        "footprint_area_m2": area,
        "footprint_perimeter_m": perimeter,
        "footprint_method": _footprint_methods(boundary, types, outlines),
        "roof_type": roof_types(boundary, types, edges),
        "closed": volume.by_divergence.tolist(),
        "volume_method": volume.methods(),
        "volume_disagreement": volume.disagreement,
        "quality": volume.quality(),
    }


def _shape(core: Measures) -> dict[str, Column]:
    boundary = core.boundary
    area, perimeter, height, volume = (
        np.asarray(core.values[name], dtype=np.float64)
        for name in ("footprint_area_m2", "footprint_perimeter_m", "height_m", "volume_m3")
    )
    storeys = shape.storeys(height)
    plan = shape.plan_measures(core.footprints, area, perimeter)
    shell = shape.shell_measures(boundary, volume)
    return {
        **{name: only(column, boundary.measurable) for name, column in (plan | shell).items()},
        "storeys_estimated": [int(number) if number > 0.0 else None for number in storeys.tolist()],
        "floor_area_estimated_m2": area * storeys,
    }


def _footprint_methods(boundary: Boundary, types: Ints, outlines: Shapes) -> list[str | None]:
    by_roof = ~footprint.grounded(boundary, types)
    return named(FOOTPRINT_METHODS, by_roof.astype(np.int64), ~planar.missing(outlines))


def _areas(boundary: Boundary, types: Ints) -> dict[str, Column]:
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
    return dict(zip(chosen, summed, strict=True))
