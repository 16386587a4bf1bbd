"""Where an object has templates, as it is stored, and the corners of templates in their places.

One little-endian record of 92 bytes for each place: number u4 among the object's templates; position
of the template's middle in EPSG:4978 in metres f8[3]; rotation of its axes, quaternion x, y, z, w f4[4];
metres for a step of its mesh along each of its axes f4[3]; matrix from its mesh, in its own units, to the
axes of the reference system f4[3, 3], for what is measured there.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats
from twin.processing import rotations

RECORD = np.dtype(
    [
        ("template", "<u4"),
        ("position", "<f8", (3,)),
        ("rotation", "<f4", (4,)),
        ("scale", "<f4", (3,)),
        ("native", "<f4", (3, 3)),
    ]
)
ID_BYTES = 16


def decode(data: bytes) -> npt.NDArray[Any]:
    """The records of one object."""
    return np.frombuffer(data, dtype=RECORD)


def placed(records: npt.NDArray[Any], points: npt.NDArray[Any]) -> Floats:
    """Points (n, 3) of a template in steps, in each of its places (records, n, 3): EPSG:4978 in metres."""
    sized = points[None].astype(np.float64) * records["scale"].astype(np.float64)[:, None]
    turned = sized @ rotations.matrices(records["rotation"].astype(np.float64)).transpose(0, 2, 1)
    return turned + records["position"][:, None]
