"""Solids checked for validity per second on one core, beside a naive loop over faces.

Run ``python -m benchmarks.bench_validity``. The input is the 3DBAG sample of Delft at its three levels
of detail where the shared data is there (477 solids), else canonical houses.
"""

import time
from collections import Counter
from collections.abc import Callable

import numpy as np
import shapely

from benchmarks.bench_processing import houses
from importers.reader import open_model
from tests.fixtures import SHARED_DATA
from twin.model.cityobject import CityFeature
from twin.model.geometry import Floats, Geometry
from twin.processing.validity import validate

GOAL = 500.0
REPEATS = 5
NAIVE_SOLIDS = 120


def delft() -> list[list[Geometry]]:
    path = SHARED_DATA / "cityjson" / "3dbag_delft_319.city.json"
    features = [item for item in open_model(path) if isinstance(item, CityFeature)]
    return [
        [g for item in feature for g in item.geometries if g.lod == lod and g.is_solid]
        for feature in features
        for lod in ("1.2", "1.3", "2.2")
    ]


def naive(solid: Geometry) -> bool:
    """The checks of rings, faces, edges and crossings as one would first write them: face by face."""
    edges: Counter[tuple[bytes, bytes]] = Counter()
    triangles: list[tuple[Floats, set[bytes]]] = []
    for a, b in zip(solid.surface_start[:-1], solid.surface_start[1:], strict=True):
        rings = [solid.xyz[solid.ring_start[r] : solid.ring_start[r + 1]] for r in range(a, b)]
        for ring in rings:
            keys = [np.round(point, 3).tobytes() for point in ring]
            if len(ring) < 3 or any(p == q for p, q in zip(keys, [*keys[1:], keys[0]], strict=True)):
                return False
            edges.update(zip(keys, [*keys[1:], keys[0]], strict=True))
        face = naive_face(rings)
        if face is None:
            return False
        triangles += [(corners, {np.round(p, 3).tobytes() for p in corners}) for corners in face]
    if any(count != 1 or edges[q, p] != 1 for (p, q), count in list(edges.items())):
        return False
    return not naive_crossings(triangles)


def naive_face(rings: list[Floats]) -> list[Floats] | None:
    """The triangles of a face; None if it is not valid."""
    points = np.concatenate(rings)
    centre = points.mean(axis=0)
    u, v, normal = np.linalg.svd(points - centre)[2]
    if np.abs((points - centre) @ normal).max() > 0.01:
        return None
    flat = [np.column_stack([(r - centre) @ u, (r - centre) @ v, (r - centre) @ normal]) for r in rings]
    polygon = shapely.Polygon(flat[0], flat[1:])
    if not polygon.is_valid:
        return None
    frame = np.stack([u, v, normal])
    return [
        shapely.get_coordinates(triangle, include_z=True)[:3] @ frame + centre
        for triangle in shapely.constrained_delaunay_triangles(polygon).geoms
    ]


def naive_crossings(triangles: list[tuple[Floats, set[bytes]]]) -> bool:
    """Whether an edge of a triangle goes through another one that it shares no vertex with."""
    boxes = [(corners.min(axis=0), corners.max(axis=0)) for corners, _ in triangles]
    for i, (one, vertices) in enumerate(triangles):
        for j in range(i):
            other, of_other = triangles[j]
            if vertices & of_other or (boxes[i][0] > boxes[j][1]).any() or (boxes[j][0] > boxes[i][1]).any():
                continue
            if naive_pierces(one, other) or naive_pierces(other, one):
                return True
    return False


def naive_pierces(one: Floats, other: Floats) -> bool:
    a, b, c = one
    normal = np.cross(b - a, c - a)
    off = (other - a) @ normal
    for p in range(3):
        q = (p + 1) % 3
        if off[p] * off[q] < 0:
            x = other[p] + off[p] / (off[p] - off[q]) * (other[q] - other[p])
            if all(np.cross(s - r, x - r) @ normal > 0 for r, s in ((a, b), (b, c), (c, a))):
                return True
    return False


def seconds(work: Callable[[], object], repeats: int) -> float:
    """The least CPU time of some runs."""
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def main() -> None:
    real = SHARED_DATA.is_dir()
    solids = delft() if real else houses()
    some = solids[:NAIVE_SOLIDS]
    verdict = validate(some)
    same = sum(
        ok == naive(solid) for ok, (solid, *_) in zip(verdict.valid, (s for s in some if s), strict=True)
    )
    loop = len(some) / seconds(lambda: [naive(solid) for (solid, *_) in some], 1)
    fast = len(solids) / seconds(lambda: validate(solids), REPEATS)
    print(f"{'3DBAG Delft' if real else 'houses'}: {len(solids)} solids in one batch, one core")
    print(f"{'naive loop over faces':35} {loop:10,.0f} solids/s {1.0:7.1f} x")
    print(f"{'validity':35} {fast:10,.0f} solids/s {fast / loop:7.1f} x  goal {GOAL:,.0f}")
    print(f"verdicts of both ways agree on {same} of {len(some)}")


if __name__ == "__main__":
    main()
