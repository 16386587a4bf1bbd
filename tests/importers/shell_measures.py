"""Measures of a building from the rings of its faces, written without regard to the shapes' formulas."""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

Ring = npt.NDArray[np.float64]
Faces = list[list[Ring]]


@dataclass(frozen=True)
class Measured:
    volume: float
    ground_area: float
    perimeter: float
    wall_area: float
    roof_flat: float
    roof_sloped: float
    ground_z: float
    eave_z: float
    top_z: float
    ridge_z: float
    surfaces: int
    closed: bool


def area_vector(face: list[Ring]) -> npt.NDArray[np.float64]:
    """Newell: half the sum of cross products of successive points, over all rings."""
    total = np.zeros(3)
    for ring in face:
        local = ring - ring[0]
        total += np.cross(local, np.roll(local, -1, axis=0)).sum(axis=0) / 2
    return total


def measure(shells: list[Faces]) -> Measured:
    """Measure a building of one or more shells; roof, wall and ground by the face's normal."""
    origin = np.floor(shells[0][0][0][0])
    faces = [[ring - origin for ring in face] for shell in shells for face in shell]
    vectors = np.array([area_vector(face) for face in faces])
    areas = np.linalg.norm(vectors, axis=1)
    up = vectors[:, 2] / areas
    roof, ground = up > 0.01, up < -0.01
    roof_z = np.concatenate(
        [ring[:, 2] for face, is_roof in zip(faces, roof, strict=True) if is_roof for ring in face]
    )
    everything = np.concatenate([ring for face in faces for ring in face])
    outline = shapely.union_all(
        [_polygon(face) for face, is_ground in zip(faces, ground, strict=True) if is_ground], grid_size=0.001
    )
    return Measured(
        volume=float(sum(v @ face[0][0] for v, face in zip(vectors, faces, strict=True)) / 3),
        ground_area=float(areas[ground].sum()),
        perimeter=float(outline.length),
        wall_area=float(areas[~roof & ~ground].sum()),
        roof_flat=float(areas[up > np.cos(np.radians(3))].sum()),
        roof_sloped=float(areas[roof & (up <= np.cos(np.radians(3)))].sum()),
        ground_z=float(everything[:, 2].min() + origin[2]),
        eave_z=float(roof_z.min() + origin[2]),
        top_z=float(everything[:, 2].max() + origin[2]),
        ridge_z=_ridge([face for face, is_roof in zip(faces, roof, strict=True) if is_roof])
        + float(origin[2]),
        surfaces=len(faces),
        closed=all(_is_closed(shell) for shell in shells),
    )


def _polygon(face: list[Ring]) -> shapely.Polygon:
    return shapely.Polygon(face[0][:, :2], [ring[:, :2] for ring in face[1:]])


def _edges(ring: Ring) -> list[tuple[tuple[int, ...], tuple[int, ...]]]:
    points = [tuple(point) for point in np.rint(ring * 1000).astype(int).tolist()]
    return list(zip(points, points[1:] + points[:1], strict=True))


def _is_closed(shell: Faces) -> bool:
    """Every directed edge once, and once the other way round."""
    edges = Counter(edge for face in shell for ring in face for edge in _edges(ring))
    return all(count == 1 and edges[(b, a)] == 1 for (a, b), count in edges.items())


def _ridge(roofs: Faces) -> float:
    """Height of the longest level edge between two roof faces, the highest of equals, else the top."""
    edges = {edge for face in roofs for ring in face for edge in _edges(ring)}
    level = [(a, b) for a, b in edges if (b, a) in edges and a[2] == b[2]]
    if not level:
        return float(max(ring[:, 2].max() for face in roofs for ring in face))
    return max((int(np.subtract(a, b) @ np.subtract(a, b)), a[2]) for a, b in level)[1] / 1000
