"""Blocks: objects as their footprints, pulled up from the lowest point to the middle of the roof.

They stand for meshes in the tiles above the leaves and are made when a tile is asked for, from what
the read model has of an object: footprint, lowest and highest point, and eaves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from tiles.frame import to_ecef, upwards
from twin.model.geometry import Floats, Ints, SurfaceType
from twin.processing import earcut, planar, segments
from twin.processing.fans import fans
from twin.processing.mesh import MeshBatch

Row: TypeAlias = Mapping[str, Any]

_BOUNDS = ("west", "south", "east", "north")
_CENTIMETRES = 100.0
_METRES_PER_DEGREE = 111_700.0
_NO_AREA_M2 = 1e-4


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """Rings of footprints: points (n, 2) in degrees, offsets of rings and polygons, and their objects."""

    xy: Floats
    ring_start: Ints
    polygon_start: Ints
    object_of_polygon: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """Faces of one kind that own their vertices in order.

    ``place`` (vertices, 3) in degrees and metres, ``normal`` (vertices, 3) in EPSG:4978, triangles
    (triangles, 3) and the number of the face and the object of each vertex.
    """

    place: Floats
    normal: Floats
    triangles: Ints
    face: Ints
    object_of_vertex: Ints


def build(rows: Sequence[Row]) -> MeshBatch:
    """Blocks of one row or more, row i the object i of the batch.

    Rows have ``footprint`` (WKB in degrees; without one the bounds ``west`` to ``north`` do) and the
    ellipsoidal heights ``z_min`` and ``top``. Walls and roofs only: nobody looks from below.
    """
    shapes = planar.from_wkb([row["footprint"] for row in rows])
    lacking = planar.missing(shapes)
    if lacking.any():
        bounds = np.array([[row[name] for name in _BOUNDS] for row in rows], dtype=np.float64)
        shapes[lacking] = planar.boxes(bounds[lacking])
    plan = _Plan(*planar.outlines(shapes))
    heights = np.array([[row["z_min"], row["top"]] for row in rows], dtype=np.float64)
    walls, roofs = _walls(plan, heights), _roofs(plan, heights)
    faces = int(walls.face.max()) + 1
    place = np.concatenate([walls.place, roofs.place])
    types = np.repeat([int(SurfaceType.WALL), int(SurfaceType.ROOF)], [len(walls.place), len(roofs.place)])
    return MeshBatch(
        positions=np.rint(to_ecef(place) * _CENTIMETRES).astype(np.int32),
        normals=np.concatenate([walls.normal, roofs.normal]).astype(np.float32),
        triangles=np.concatenate([walls.triangles, roofs.triangles + len(walls.place)]).astype(np.uint32),
        object_of_vertex=np.concatenate([walls.object_of_vertex, roofs.object_of_vertex]),
        surface_type=types.astype(np.uint8),
        face=np.concatenate([walls.face, roofs.face + faces]),
    )


def _walls(plan: _Plan, heights: Floats) -> _Faces:
    """A rectangle above each edge of a ring, seen from outside."""
    ring = segments.owner(plan.ring_start)
    here = np.arange(len(plan.xy))
    following = np.where(here + 1 == plan.ring_start[ring + 1], plan.ring_start[ring], here + 1)
    owner = plan.object_of_polygon[segments.owner(plan.polygon_start)[ring]]
    around = plan.xy[np.column_stack([here, following, following, here])]
    place = np.concatenate([around, heights[owner][:, [0, 0, 1, 1], None]], axis=2).reshape(-1, 3)
    ground = to_ecef(place.reshape(-1, 4, 3)[:, :2].reshape(-1, 3)).reshape(-1, 2, 3)
    outwards = np.cross(ground[:, 1] - ground[:, 0], upwards(place[::4]))
    length = np.linalg.norm(outwards, axis=1, keepdims=True)
    normal = np.divide(outwards, length, out=upwards(place[::4]), where=length > 0.0)
    corners = 4 * here[:, None, None] + np.array([[0, 1, 2], [0, 2, 3]])
    return _Faces(
        place, np.repeat(normal, 4, axis=0), corners.reshape(-1, 3), np.repeat(here, 4), np.repeat(owner, 4)
    )


def _roofs(plan: _Plan, heights: Floats) -> _Faces:
    """The footprint, level, at the top."""
    first = plan.ring_start[plan.polygon_start]
    polygon = segments.owner(first)
    owner = plan.object_of_polygon[polygon]
    ends = plan.ring_start[1:] - np.repeat(first[:-1], np.diff(plan.polygon_start))
    # Areas are compared, so that lengths must not differ by direction more than a cosine.
    plane = (plan.xy - plan.xy[:1]) * _METRES_PER_DEGREE
    up = np.zeros((len(first) - 1, 3))
    up[:, 2] = 1.0
    flat = np.column_stack([plane, np.zeros(len(plane))])
    simple = np.diff(plan.polygon_start) == 1
    fan = fans(flat, first[:-1], np.where(simple, np.diff(first), 0), up, 0, _NO_AREA_M2)
    rest, _ = earcut.triangulate(plane, ends, first, plan.polygon_start, np.flatnonzero(~fan.covered))
    corners = np.concatenate([fan.corners, _counter_clockwise(plane, rest)])
    place = np.column_stack([plan.xy, heights[owner, 1]])
    return _Faces(place, upwards(place), corners, polygon, owner)


def _counter_clockwise(xy: Floats, corners: Ints) -> Ints:
    (ax, ay), (bx, by) = ((xy[corners[:, i]] - xy[corners[:, 0]]).T for i in (1, 2))
    clockwise = ax * by - ay * bx < 0.0
    return np.where(clockwise[:, None], corners[:, ::-1], corners)
