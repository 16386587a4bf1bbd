"""The cells of a coverage say of every point what the areas themselves say, or that they have to be asked."""

from typing import Any

import numpy as np
import pytest
import shapely
from shapely import MultiPolygon, Point, Polygon, box

from twin.model.coverage import EDGE, SIDE, Coverage
from twin.model.geometry import Floats

_shapely: Any = shapely

RING = Polygon(box(24.0, 60.0, 24.4, 60.3).exterior, [box(24.1, 60.1, 24.2, 60.2).exterior])
STAR = Polygon([(24.5, 60.0), (24.6, 60.2), (24.8, 60.21), (24.62, 60.25), (24.9, 60.4), (24.55, 60.3)])
ISLANDS = MultiPolygon([box(24.41, 60.05, 24.47, 60.1), box(25.0, 60.0, 25.00004, 60.0001)])
OVER = box(24.3, 60.05, 24.7, 60.29)
AREAS = [RING, STAR, ISLANDS, OVER]


def _coverage(areas: list[Any], numbers: list[int] | None = None) -> Coverage:
    found = Coverage.of([area.wkb for area in areas], numbers or list(range(1, len(areas) + 1)))
    assert found is not None
    return found


def _codes(of: Coverage, points: Floats) -> Any:
    """The code of each point (n, 2) as the database finds it; 0 outside of the grid."""
    x = np.floor((points[:, 0] - of.west) / of.width).astype(int)
    y = np.floor((points[:, 1] - of.south) / of.height).astype(int)
    within = (x >= 0) & (x < SIDE) & (y >= 0) & (y < SIDE)
    found = np.zeros(len(points), dtype=int)
    found[within] = of.codes[y[within], x[within]]
    return found


def _expected(points: Floats) -> list[set[int]]:
    places = _shapely.points(points)
    inside = [_shapely.intersects(area, places) for area in AREAS]
    return [{n + 1 for n, each in enumerate(inside) if each[i]} for i in range(len(points))]


def test_points_anywhere_are_in_the_area_of_their_cell() -> None:
    chance = np.random.default_rng(1)
    points: Floats = chance.uniform((23.9, 59.9), (25.1, 60.5), (100_000, 2))
    codes = _codes(_coverage(AREAS), points)
    for code, areas in zip(codes.tolist(), _expected(points), strict=True):
        assert code == EDGE or areas == ({code} if code else set())
    # Nearly all of the world is said by the cells alone, and overlaps are asked.
    assert 0.05 < np.mean(codes == EDGE) < 0.15


def test_points_on_edges_and_beside_them_are_asked() -> None:
    found = _coverage(AREAS)
    corners = np.concatenate([_shapely.get_coordinates(area) for area in AREAS])
    lines = _shapely.boundary(np.array([RING, STAR, OVER], dtype=object))
    along = _shapely.get_coordinates(_shapely.line_interpolate_point(lines[:, None], np.linspace(0, 3, 5000)))
    for points in (corners, along):
        for off in (0.0, 1e-12, -1e-12):
            assert set(_codes(found, points + off).tolist()) == {EDGE}


def test_areas_of_one_number_and_of_none() -> None:
    found = _coverage([box(24, 60, 25, 61), box(25, 60, 26, 61), box(26, 60, 27, 61)], [1, 1, 0])
    points = np.array([(24.5, 60.5), (25.5, 60.5), (26.5, 60.5), (25.0, 60.5), (28.0, 60.5)])
    assert _codes(found, points).tolist() == [1, 1, 0, EDGE, 0]


def test_slivers_between_neighbours_do_not_matter() -> None:
    found = _coverage([box(24, 60, 24.5 + 1e-12, 61), box(24.5, 60, 25, 61)])
    assert _codes(found, np.array([(24.25, 60.5), (24.75, 60.5), (24.5, 60.5)])).tolist() == [1, 2, EDGE]


@pytest.mark.parametrize(
    "area",
    [
        Point(24, 60),
        shapely.LineString([(24, 60), (25, 61)]),
        Polygon([(24, 60), (25, 61), (25, 60), (24, 61)]),
        Polygon(),
    ],
)
def test_what_is_no_plain_area_has_no_coverage(area: Any) -> None:
    assert Coverage.of([RING.wkb, area.wkb], [1, 2]) is None
    assert Coverage.of([], []) is None
