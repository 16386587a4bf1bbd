"""H3 cells of points, in a form that a database can compute by itself.

Every cell of H3 but twelve is a hexagon of a lattice in the gnomonic plane of a face of an icosahedron. So
the cell of a point is a rounding of two fractions of linear forms of its unit vector. Faces side by side are
unfolded into one plane, where the lattice goes on. The geometry is derived from the vertices, which are the
centres of the library's pentagons; names and outlines of cells are the library's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from itertools import combinations
from typing import Any

import h3 as _untyped
import numpy as np
from numpy.typing import NDArray

from twin.errors import InvalidParameter

_h3: Any = _untyped
Vectors = NDArray[np.float64]
Box = tuple[float, float, float, float]

FINEST = 15
_MARGIN_DEG = 0.1
_REMEMBERED = 50_000
_SAME = 1e-12
_SAMPLES = 9
_CLASS_III_TURN = math.asin(math.sqrt(3 / 28))
"""Lattices of odd resolutions are turned by this against those of even ones."""

_ROOT_3 = math.sqrt(3)


@dataclass(frozen=True, slots=True)
class Face:
    """What one face of the icosahedron adds: the forms ``first`` and ``third`` over ``centre``.

    Each is of the vector (cos λ, sin λ, tan φ) of a point, which is near to the face whose ``centre`` is
    the greatest. ``first`` counts lines of the lattice across it, ``third`` those turned by 120°; the sum of
    both, the second, counts those turned by 60°.
    """

    first: tuple[float, ...]
    third: tuple[float, ...]
    centre: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class HexagonGrid:
    """The cells of one resolution around some places; ``faces`` are those that the places lie in.

    A cell is a pair of whole numbers: for the floors a, b, c, d of first, -third, first + third and third,
    each over centre, (a + b + 2) / 3 and (c + d + 2) / 3, rounded down.
    """

    resolution: int
    faces: tuple[Face, ...]
    _places: tuple[tuple[Vectors, Vectors], ...]
    """Of the first face and those beside it: from the plane to a vector, and the centre."""

    _names: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])

    @classmethod
    @lru_cache(maxsize=64)
    def around(cls, boxes: tuple[Box, ...], resolution: int) -> "HexagonGrid":
        """The grid for what lies in boxes of degrees; InvalidParameter where those are too far apart."""
        if not 0 <= resolution <= FINEST:
            raise InvalidParameter(
                f"'h3' takes a resolution from 0 to {FINEST}; 8 are hexagons of about 1 km."
            )
        near = _faces_of(boxes)
        base = near[0]
        beside = [face for face in range(20) if len(_shared(base, face)) == 2]
        if not {*near} <= {base, *beside}:
            raise InvalidParameter("'h3' groups what lies in neighbouring faces of its icosahedron alone.")
        planes = tuple(_unfolded(base, face, resolution) for face in (base, *beside))
        used = [planes[[base, *beside].index(face)] for face in near]
        places = tuple((_inverse(plane), plane[2]) for plane in planes)
        return cls(resolution, tuple(map(_face, used)), places)

    def cell(self, m: int, n: int) -> str:
        """The name of a cell, as the library writes it: 15 digits of base 16."""
        if (m, n) not in self._names:
            if len(self._names) >= _REMEMBERED:
                self._names.clear()
            self._names[m, n] = self._named(np.array([m + n / 2, n * _ROOT_3 / 2, 1.0]))
        return self._names[m, n]

    def _named(self, place: Vectors) -> str:
        found = 2.0, [0.0, 0.0, 1.0]
        for back, centre in self._places:
            off, point = _placed(back, centre, place)
            found = min(found, (off, point))
            # On its own face a point is nearest to the centre of that; elsewhere the plane means nothing.
            if off == 0.0:
                break
        x, y, z = found[1]
        latitude, longitude = math.degrees(math.asin(z)), math.degrees(math.atan2(y, x))
        return str(_h3.latlng_to_cell(latitude, longitude, self.resolution))


def _inverse(plane: Vectors) -> Vectors:
    return np.asarray(np.linalg.inv(plane), dtype=np.float64)


def _placed(back: Vectors, centre: Vectors, place: Vectors) -> tuple[float, list[float]]:
    """The unit vector of a place in a plane, and by how much another face is nearer to it."""
    point = back @ place
    point = point / math.sqrt(float(point @ point))
    nearness: Vectors = _icosahedron()[1] @ point
    nearest = float(nearness.max()) - float(centre @ point)
    return (0.0 if nearest < _SAME else nearest), [float(part) for part in point]


def outline(cell: str) -> list[tuple[float, float]]:
    """The corners of a cell as longitudes and latitudes, the first one again at the end."""
    ring = [(round(lng, 7), round(lat, 7)) for lat, lng in _h3.cell_to_boundary(cell)]
    return [*ring, ring[0]]


def _face(plane: Vectors) -> Face:
    x, y, centre = plane
    first, third, over = (tuple(map(float, form)) for form in (2 * x, _ROOT_3 * y - x, centre))
    return Face(first, third, over)


def _vectors(lng: Vectors, lat: Vectors) -> Vectors:
    lng, lat = np.radians(lng), np.radians(lat)
    return np.stack([np.cos(lat) * np.cos(lng), np.cos(lat) * np.sin(lng), np.sin(lat)], axis=-1)


@cache
def _icosahedron() -> tuple[Vectors, Vectors, tuple[tuple[int, ...], ...]]:
    """Vertices (12, 3), centres of faces (20, 3), and the vertices of each face."""
    places = np.array([_h3.cell_to_latlng(cell) for cell in sorted(_h3.get_pentagons(0))])
    vertices = _vectors(places[:, 1], places[:, 0])
    # Neighbouring vertices are 63.4° apart, others more than 116°.
    near = vertices @ vertices.T > 0.4
    faces = tuple(t for t in combinations(range(12), 3) if all(near[a, b] for a, b in combinations(t, 2)))
    sums = np.array([vertices[list(face)].sum(axis=0) for face in faces])
    return vertices, sums / np.linalg.norm(sums, axis=1)[:, None], faces


def _shared(a: int, b: int) -> list[int]:
    faces = _icosahedron()[2]
    return sorted({*faces[a]} & {*faces[b]})


def _faces_of(boxes: Sequence[Box]) -> list[int]:
    """The faces that boxes touch, that of the most of them first."""
    share = np.linspace(0.0, 1.0, _SAMPLES)
    points = [np.zeros((0, 3))]
    for west, south, east, north in boxes:
        lng = west - _MARGIN_DEG + share * (east - west + 2 * _MARGIN_DEG)
        lat = south - _MARGIN_DEG + share * (north - south + 2 * _MARGIN_DEG)
        points.append(_vectors(*(axis.ravel() for axis in np.meshgrid(lng, np.clip(lat, -90, 90)))))
    nearest = (np.concatenate(points) @ _icosahedron()[1].T).argmax(axis=1)
    numbers = np.bincount(nearest, minlength=20)
    order = np.argsort(-numbers, kind="stable")
    return [int(face) for face in order if numbers[face]] or [0]


@cache
def _plane(face: int, resolution: int) -> Vectors:
    """Of a face: rows x and y of the lattice in its gnomonic plane, and the centre, which divides them."""
    vertices, centres, faces = _icosahedron()
    centre, vertex = centres[face], vertices[faces[face][0]]
    along = vertex - centre * (vertex @ centre)
    along /= np.linalg.norm(along)
    across = np.cross(centre, along)
    turn = _CLASS_III_TURN if resolution % 2 else 0.0
    # At resolution 0 a vertex is two cells from the centre.
    scale = 7.0 ** (resolution / 2) * 2 * (vertex @ centre) / math.sqrt(1 - float(vertex @ centre) ** 2)
    x = along * math.cos(turn) + across * math.sin(turn)
    y = across * math.cos(turn) - along * math.sin(turn)
    return np.stack([x * scale, y * scale, centre])


def _unfolded(base: int, face: int, resolution: int) -> Vectors:
    """The plane of a face in the coordinates of the base, turned about the edge that both share."""
    plane = _plane(face, resolution)
    if face == base:
        return plane
    edge = _icosahedron()[0][_shared(base, face)]
    (p, q), (there, here) = (_complex(_plane(base, resolution), edge), _complex(plane, edge))
    turn = (q - p) / (here - there)
    moved = p - turn * there
    x, y, centre = plane
    return np.stack([
        turn.real * x - turn.imag * y + moved.real * centre,
        turn.imag * x + turn.real * y + moved.imag * centre,
        centre,
    ])  # fmt: skip


def _complex(plane: Vectors, points: Vectors) -> list[complex]:
    placed = points @ plane.T
    return [complex(x / over, y / over) for x, y, over in placed]
