"""What the City of Helsinki states about each face: area, pitch, orientation and levels."""

import math
from collections.abc import Sequence

from importers.synthetic.city import Corner, Part
from importers.synthetic.register import Attribute
from importers.synthetic.shells import GROUND, ROOF, Face

_LEVEL = 1e-9


def face_attributes(part: Part, face: Face, ground: int, decimals: int) -> list[Attribute]:
    """The attributes of one face as the delivery has them; ``ground`` in mm is that of the building.

    ``RoofPitch`` is the elevation of the normal (90 is level), ``RoofOrientation`` its compass
    direction, -1 on a level roof.
    """
    corners = [part.corners[index] for index in face.rings[0]]
    nx, ny, nz = _area_vector([[part.corners[i] for i in ring] for ring in face.rings])
    area = math.sqrt(nx * nx + ny * ny + nz * nz)
    low, high = min(z for _, _, z in corners), max(z for _, _, z in corners)
    found: list[Attribute] = [("double", "Area", round(area, decimals))]
    if face.kind == ROOF:
        horizontal = math.hypot(nx, ny)
        level = horizontal < _LEVEL * area
        orientation = -1.0 if level else round(math.degrees(math.atan2(nx, ny)) % 360, decimals)
        found.append(("double", "RoofPitch", round(math.degrees(math.atan2(nz, horizontal)), decimals)))
        found.append(("double", "RoofOrientation", orientation))
    if face.kind != GROUND:
        found.append(("double", "ZMax", round((high - ground) / 1000, decimals)))
        found.append(("double", "ZMaxASL", round(high / 1000, decimals)))
    found.append(("double", "ZMin", round((low - ground) / 1000, decimals)))
    found.append(("double", "ZMinASL", round(low / 1000, decimals)))
    return found


def _area_vector(rings: Sequence[Sequence[Corner]]) -> tuple[float, float, float]:
    """Half the sum of cross products around each ring, in m²; a hole runs the other way round."""
    x = y = z = 0
    for ring in rings:
        ox, oy, oz = ring[0]
        px, py, pz = 0, 0, 0
        for cx, cy, cz in ring[1:]:
            qx, qy, qz = cx - ox, cy - oy, cz - oz
            x += py * qz - pz * qy
            y += pz * qx - px * qz
            z += px * qy - py * qx
            px, py, pz = qx, qy, qz
    return x / 2e6, y / 2e6, z / 2e6


def face_id(object_id: str, part: int, face: int) -> str:
    """A UUID for a face, made from that of its building; the same in every format."""
    return f"{object_id.removeprefix('BID_')[:-6]}{part:02x}{face:04x}"
