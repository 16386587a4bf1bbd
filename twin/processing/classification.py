"""Surface types by geometry, where the source names none (LoD1, MultiSurfaces)."""

import numpy as np

from twin.model.geometry import GeometryBatch, Ints, SurfaceType
from twin.processing import segments
from twin.processing.orientation import WALL_NORMAL_Z
from twin.processing.surfaces import Integrals, Levels

GROUND_STEP_M = 2.0
"""Downward faces this far above the lowest one have passable room below: outer ceilings."""


def classify(batch: GeometryBatch, faces: Integrals) -> Ints:
    """SurfaceType of every surface, shape (surfaces,): the source's own, else by normal and place.

    ``faces`` look outward. Upward faces are roofs, upright ones walls, downward ones ground where
    they lie low in their object, else outer ceilings (CityGML 2.0, 10.3.3).
    """
    types = batch.surface_type.copy()
    unnamed = types == SurfaceType.UNKNOWN
    if not unnamed.any():
        return types
    normal_z = faces.normal_z
    downward = normal_z < -WALL_NORMAL_Z
    z = np.full(batch.surfaces, np.inf)
    z[downward], _ = Levels(batch).of_surfaces(np.flatnonzero(downward))
    low = z <= segments.minima(z, batch.object_start)[batch.object_of_surface()] + GROUND_STEP_M
    by_geometry = np.select(
        [normal_z > WALL_NORMAL_Z, downward & low, downward],
        [SurfaceType.ROOF, SurfaceType.GROUND, SurfaceType.OUTER_CEILING],
        SurfaceType.WALL,
    )
    types[unnamed] = by_geometry[unnamed]
    return types
