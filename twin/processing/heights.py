"""Heights of ground, eaves, ridge and top."""

from dataclasses import dataclass

import numpy as np

from twin.model.geometry import Bools, Floats, Ints, SurfaceType
from twin.processing import segments
from twin.processing.orientation import Boundary
from twin.processing.roof import RoofEdges


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
    faces, start = boundary.faces, boundary.batch.object_start
    roof = types == SurfaceType.ROOF
    lowest = segments.minima(faces.z_min, start)
    ground = segments.minima(_only(faces.z_min, types == SurfaceType.GROUND, np.inf), start)
    eave = segments.minima(_only(faces.z_min, roof, np.inf), start)
    roof_top = segments.maxima(_only(faces.z_max, roof, -np.inf), start)
    return Heights(
        ground=_finite(np.where(np.isfinite(ground), ground, lowest)),
        eave=_finite(eave),
        ridge=_finite(np.where(np.isfinite(roof_edges.ridge_z), roof_edges.ridge_z, roof_top)),
        top=_finite(segments.maxima(faces.z_max, start)),
    )


def _only(values: Floats, chosen: Bools, otherwise: float) -> Floats:
    return np.where(chosen, values, otherwise)


def _finite(values: Floats) -> Floats:
    return np.where(np.isfinite(values), values, np.nan)
