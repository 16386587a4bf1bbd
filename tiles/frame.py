"""Local frames of tiles: east, north and up at a point of the WGS 84 ellipsoid."""

import math
from dataclasses import dataclass

import numpy as np

from twin.model.cells import Cell, cell_bounds
from twin.model.geometry import Floats

_SEMI_MAJOR_M = 6378137.0
_FLATTENING = 1 / 298.257223563
_ECCENTRICITY_2 = _FLATTENING * (2 - _FLATTENING)


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """``origin`` (3,) in EPSG:4978 metres; the rows of ``axes`` (3, 3) are east, north and up.

    Both are rounded as they are written to JSON, so that what a client multiplies is what the
    vertices were divided by.
    """

    origin: Floats
    axes: Floats

    @classmethod
    def at(cls, longitude: float, latitude: float, height: float = 0.0) -> "Frame":
        """The frame at a point in degrees and metres above the ellipsoid."""
        lon, lat = math.radians(longitude), math.radians(latitude)
        east = [-math.sin(lon), math.cos(lon), 0.0]
        north = [-math.sin(lat) * math.cos(lon), -math.sin(lat) * math.sin(lon), math.cos(lat)]
        up = [math.cos(lat) * math.cos(lon), math.cos(lat) * math.sin(lon), math.sin(lat)]
        radius = _SEMI_MAJOR_M / math.sqrt(1 - _ECCENTRICITY_2 * math.sin(lat) ** 2)
        polar_radius = radius * (1 - _ECCENTRICITY_2)
        reach = (radius + height, radius + height, polar_radius + height)
        origin = [round(part * far, 4) for part, far in zip(up, reach, strict=True)]
        axes = [[round(part, 11) for part in axis] for axis in (east, north, up)]
        return cls(np.array(origin, dtype=np.float64), np.array(axes, dtype=np.float64))

    @classmethod
    def of_cell(cls, cell: Cell) -> "Frame":
        """The frame at the centre of a cell, on the ellipsoid.

        It depends on nothing but the cell, so that a tile and the tileset that refers to it agree
        even if the data change between the two requests.
        """
        west, south, east, north = cell_bounds(cell.level, cell.x, cell.y)
        return cls.at((west + east) / 2, (south + north) / 2)

    @property
    def axes_of_gltf(self) -> Floats:
        """Rows (3, 3) east, up and south: what glTF calls x, y and z."""
        east, north, up = self.axes
        return np.array([east, up, -north])

    def local(self, ecef: Floats) -> Floats:
        """Points (n, 3) in EPSG:4978 metres as east, north, up in metres."""
        return (ecef - self.origin) @ self.axes.T

    def matrix(self, parent: "Frame | None" = None) -> list[float]:
        """The transform from this frame to its parent's, or to EPSG:4978: 4 x 4, column by column.

        A tile's transform is relative to that of the tile around it (3D Tiles 1.1, 7.3.1).
        """
        around = EARTH if parent is None else parent
        affine = np.eye(4)
        affine[:3, :3] = around.axes @ self.axes.T
        affine[:3, 3] = around.axes @ (self.origin - around.origin)
        return affine.T.ravel().tolist()


def to_ecef(place: Floats) -> Floats:
    """EPSG:4978 in metres (n, 3) of longitude and latitude in degrees and ellipsoidal height (n, 3)."""
    lon, lat = np.radians(place[:, :2]).T
    normal = _SEMI_MAJOR_M / np.sqrt(1 - _ECCENTRICITY_2 * np.sin(lat) ** 2)
    across = (normal + place[:, 2]) * np.cos(lat)
    along = (normal * (1 - _ECCENTRICITY_2) + place[:, 2]) * np.sin(lat)
    return np.column_stack([across * np.cos(lon), across * np.sin(lon), along])


def upwards(place: Floats) -> Floats:
    """Unit vectors (n, 3) in EPSG:4978 that point up from places as in `to_ecef`."""
    lon, lat = np.radians(place[:, :2]).T
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


EARTH = Frame(np.zeros(3), np.eye(3))
"""EPSG:4978 itself."""
