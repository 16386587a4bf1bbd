"""Blocks in Helsinki as stored meshes, with the coordinates that they were made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyproj

from tests.geometries import prism
from twin.model.geometry import Floats, concatenate
from twin.processing.derive import native
from twin.processing.mesh import ObjectMesh, build_meshes

LONGITUDE, LATITUDE = 24.97, 60.185
"""South-west corner of the blocks."""

DEGREES = np.array([1 / 55_300, 1 / 111_400])
"""Of longitude and latitude for a metre here; any scale near to it would do."""

_TO_ECEF: Any = pyproj.Transformer.from_crs("EPSG:4979", "EPSG:4978", always_xy=True)


def geodetic(xyz: Floats) -> Floats:
    """Longitude, latitude, ellipsoidal height (n, 3) of metres east, north, up from the corner."""
    place = np.array([LONGITUDE, LATITUDE]) + xyz[:, :2] * DEGREES
    return np.column_stack([place, xyz[:, 2]])


def ecef(xyz: Floats) -> Floats:
    """EPSG:4978 (n, 3) by PROJ."""
    return np.column_stack(_TO_ECEF.transform(*geodetic(xyz).T))


@dataclass(frozen=True)
class Block:
    """An upright block: south-west corner, edges and heights in metres."""

    x: float
    y: float
    width: float = 10.0
    depth: float = 8.0
    low: float = 20.0
    high: float = 32.0

    def corners(self) -> Floats:
        """The eight corners (8, 3)."""
        return np.array(
            [
                (self.x + a * self.width, self.y + b * self.depth, self.low if c == 0 else self.high)
                for a in (0, 1)
                for b in (0, 1)
                for c in (0, 1)
            ]
        )

    def outline(self) -> list[tuple[float, float]]:
        east, north = self.x + self.width, self.y + self.depth
        return [(self.x, self.y), (east, self.y), (east, north), (self.x, north)]


def street(count: int, step: float = 15.0) -> list[Block]:
    """Blocks of different heights in rows of ten."""
    return [
        Block(step * (i % 10), step * (i // 10), high=32.0 + i % 7, depth=8.0 + i % 3) for i in range(count)
    ]


def meshes(blocks: Sequence[Block]) -> list[bytes]:
    """The stored mesh of each block."""
    return [mesh.data for mesh in built(blocks)]


def built(blocks: Sequence[Block]) -> list[ObjectMesh]:
    """The mesh of each block, made as an import makes it."""
    batch = concatenate([[prism(block.outline(), block.low, block.high)] for block in blocks])
    made = build_meshes(batch, batch.surface_type, ecef(native(batch)))
    assert all(isinstance(mesh, ObjectMesh) for mesh in made), made
    return [mesh for mesh in made if isinstance(mesh, ObjectMesh)]
