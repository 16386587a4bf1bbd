"""Area, slope and azimuth of the faces of stored meshes, beside the meshes and in the same order.

They are measured in native coordinates before those become centimetres, and read only where a tile
is to have them. Each face takes 12 bytes: three little-endian 32-bit floats, NaN for no value.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from twin.model.catalogue.surfaces import AREA, AZIMUTH, SLOPE
from twin.model.geometry import Floats, Ints
from twin.processing.surfaces import Integrals, azimuth_deg, slope_deg

_NAMES = (AREA.name, SLOPE.name, AZIMUTH.name)


def encode(faces: Integrals, chosen: Ints, start: Ints) -> list[bytes]:
    """The measures of the chosen faces, one blob for each object; ``start`` (objects + 1,) divides them."""
    table = np.column_stack([column[chosen] for column in (faces.area, slope_deg(faces), azimuth_deg(faces))])
    data = table.astype("<f4").tobytes()
    width = 4 * len(_NAMES)
    return [data[a:b] for a, b in pairwise((start * width).tolist())]


def of_areas(vectors: Floats) -> dict[str, Floats]:
    """The measures (faces,) by name of faces with these area vectors (faces, 3), in native axes."""
    faces = Integrals(np.vstack([vectors.T, np.zeros((2, len(vectors)))]))
    return dict(zip(_NAMES, (faces.area, slope_deg(faces), azimuth_deg(faces)), strict=True))


def decode(blobs: Sequence[bytes | None], counts: Sequence[int]) -> dict[str, Floats]:
    """The measures (faces,) by name; of an object without a blob NaN for each of its ``counts`` faces."""
    nothing = np.full(len(_NAMES), np.nan, dtype="<f4").tobytes()
    data = b"".join(
        nothing * count if blob is None else blob for blob, count in zip(blobs, counts, strict=True)
    )
    table = np.frombuffer(data, dtype="<f4").reshape(-1, len(_NAMES)).astype(np.float64)
    return dict(zip(_NAMES, table.T, strict=True))
