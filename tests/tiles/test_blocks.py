"""Blocks: footprints of any shape, pulled up; walls and roofs of the right size that face outwards."""

from typing import Any

import numpy as np
import pytest
import shapely
from shapely.geometry import MultiPolygon, Polygon
from shapely.geometry.base import BaseGeometry

from tiles import blocks
from tiles.frame import Frame
from twin.model.geometry import SurfaceType

LONGITUDE, LATITUDE = 24.94, 60.17
FRAME = Frame.at(LONGITUDE, LATITUDE)
METRE_EAST, METRE_NORTH = 1 / (111_320.0 * np.cos(np.radians(LATITUDE))), 1 / 111_320.0

SHAPES: dict[str, BaseGeometry] = {
    "rectangle": Polygon([(0, 0), (20, 0), (20, 10), (0, 10)]),
    "clockwise": Polygon([(0, 0), (0, 10), (20, 10), (20, 0)]),
    "with a point on an edge": Polygon([(0, 0), (10, 0), (20, 0), (20, 10), (0, 10)]),
    "L seen whole from its first point": Polygon([(0, 0), (20, 0), (20, 5), (8, 5), (8, 12), (0, 12)]),
    "U, seen whole from nowhere": Polygon(
        [(0, 0), (30, 0), (30, 20), (22, 20), (22, 8), (8, 8), (8, 20), (0, 20)]
    ),
    "courtyard": Polygon([(0, 0), (30, 0), (30, 30), (0, 30)], [[(10, 10), (20, 10), (20, 20), (10, 20)]]),
    "two": MultiPolygon([shapely.box(0, 0, 5, 5), shapely.box(10, 0, 14, 6)]),
}


def row(shape: BaseGeometry) -> dict[str, Any]:
    """A row of an object 12 m high with a footprint in metres from a place in Helsinki."""
    degrees = shapely.transform(shape, lambda xy: xy * [METRE_EAST, METRE_NORTH] + [LONGITUDE, LATITUDE])
    return {"footprint": shapely.to_wkb(degrees), "z_min": 20.0, "top": 32.0}


def areas(shapes: list[BaseGeometry]) -> np.ndarray[Any, Any]:
    """The areas of walls and roofs of each (shapes, 2), each triangle measured along its normal."""
    mesh = blocks.build([row(shape) for shape in shapes])
    local = FRAME.local(mesh.positions / 100.0)
    a, b, c = (local[mesh.triangles[:, corner]] for corner in range(3))
    along = np.cross(b - a, c - a) @ FRAME.axes  # back to EPSG:4978, where normals are
    first = mesh.triangles[:, 0]
    seen = np.einsum("ij,ij->i", along, mesh.normals[first].astype(np.float64)) / 2.0
    found = np.zeros((len(shapes), 2))
    roof = mesh.surface_type[first] == int(SurfaceType.ROOF)
    np.add.at(found, (mesh.object_of_vertex[first], roof.astype(np.int64)), seen)
    return found


@pytest.mark.parametrize("name", SHAPES)
def test_walls_and_roofs_measure_what_the_footprint_does(name: str) -> None:
    (wall, roof), shape = areas([SHAPES[name]])[0], SHAPES[name]
    assert roof == pytest.approx(shape.area, rel=0.01)
    assert wall == pytest.approx(shape.length * 12.0, rel=0.01)


def test_objects_of_one_tile_do_not_mix() -> None:
    together = areas(list(SHAPES.values()))
    alone = np.concatenate([areas([shape]) for shape in SHAPES.values()])
    assert together == pytest.approx(alone, rel=1e-3)
