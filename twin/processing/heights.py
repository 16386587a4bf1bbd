"""Heights of ground, eaves, ridge and top."""

from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Floats, Ints, SurfaceType
from twin.processing.orientation import Boundary
from twin.processing.roof import RoofEdges
from twin.processing.surfaces import Levels


@dataclass(frozen=True, slots=True, eq=False)
class Heights:
    """Heights above each object's local origin in m, shape (objects,); NaN without geometry."""

    ground: Floats
    eave: Floats
    ridge: Floats
    top: Floats


def heights(boundary: Boundary, types: Ints, roof_edges: RoofEdges) -> Heights:
    """Measure every object.

    ``ground`` is the lowest point of the ground surfaces, of all faces where there is no ground;
    ``eave`` the lowest point of the roof; ``ridge`` the higher end of the longest ridge, the top
    of the roof where there is no ridge; ``top`` the highest point of all.
    """
    levels = Levels(boundary.batch)
    lowest, top = levels.of_objects()
    ground, _ = levels.of_objects(np.flatnonzero(types == SurfaceType.GROUND))
    eave, roof_top = levels.of_objects(np.flatnonzero(types == SurfaceType.ROOF))
    return Heights(
        ground=_finite(np.where(np.isfinite(ground), ground, lowest)),
        eave=_finite(eave),
        ridge=_finite(np.where(np.isfinite(roof_edges.ridge_z), roof_edges.ridge_z, roof_top)),
        top=_finite(top),
    )


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
