"""Parks: trees of a few templates in CityJSON, turned, sized and scattered by a seed."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from twin.model.geometry import Floats
from twin.processing import rotations

Json = dict[str, Any]

PLACES = {
    "helsinki": ("https://www.opengis.net/def/crs/EPSG/0/3879", (25_497_000.0, 6_673_500.0, 12.0)),
    "tallinn": ("https://www.opengis.net/def/crs/EPSG/0/3301", (542_500.0, 6_589_000.0, 8.0)),
}
"""Reference system and corner of a park: ETRS-GK25 and the Estonian Coordinate System of 1997."""

SPACING_M = 6.0


def crown(
    sides: int, levels: Sequence[tuple[float, float]]
) -> tuple[list[list[float]], list[list[list[int]]]]:
    """Vertices and faces of a body of revolution: radius and height of each level, the last one a point."""
    angles = np.arange(sides) * 2 * np.pi / sides
    vertices = [[float(r * np.cos(a)), float(r * np.sin(a)), h] for r, h in levels[:-1] for a in angles]
    top = len(vertices)
    vertices.append([0.0, 0.0, levels[-1][1]])
    faces = [[list(range(sides))[::-1]]]
    for level in range(len(levels) - 2):
        low, high = level * sides, (level + 1) * sides
        faces += [[[low + i, low + (i + 1) % sides, high + (i + 1) % sides, high + i]] for i in range(sides)]
    last = (len(levels) - 2) * sides
    return vertices, [*faces, *([[last + i, last + (i + 1) % sides, top]] for i in range(sides))]


TEMPLATES = (
    crown(8, [(0.15, 0.0), (0.12, 1.5), (2.0, 1.6), (0.0, 9.0)]),
    crown(12, [(0.2, 0.0), (0.2, 2.5), (2.0, 3.2), (3.1, 5.0), (2.6, 7.0), (1.2, 8.4), (0.0, 9.0)]),
    crown(6, [(0.4, 0.0), (0.8, 0.5), (0.5, 1.1), (0.0, 1.4)]),
)
"""A conifer, a tree with leaves, and a bush; the middle of the foot is the reference point."""


def park(
    city: str, trees: int, seed: int = 0, *, kind: str = "SolitaryVegetationObject", upright: bool = True
) -> Json:
    """A city model of trees in rows, turned and sized by the seed; ``kind`` is what they are called."""
    crs, corner = PLACES[city]
    random = np.random.default_rng(seed)
    found = _matrices(random, trees, upright=upright)
    kinds = random.integers(0, len(TEMPLATES), trees)
    across = int(np.ceil(np.sqrt(trees)))
    cells = np.column_stack([np.arange(trees) % across, np.arange(trees) // across, np.zeros(trees)])
    jitter = random.uniform([-1.5, -1.5, -0.5], [1.5, 1.5, 0.5], (trees, 3))
    vertices = np.rint((cells * SPACING_M + jitter) * 1000).astype(int).tolist()
    objects = {
        f"tree-{city}-{i}": {
            "type": kind,
            "attributes": {"species": ("Picea", "Tilia", "Rosa")[int(kinds[i])]},
            "geometry": [
                {
                    "type": "GeometryInstance",
                    "template": int(kinds[i]),
                    "boundaries": [i],
                    "transformationMatrix": found[i].ravel().tolist(),
                }
            ],
        }
        for i in range(trees)
    }
    return {
        "type": "CityJSON",
        "version": "2.0",
        "metadata": {"referenceSystem": crs},
        "transform": {"scale": [0.001] * 3, "translate": list(corner)},
        "geometry-templates": _templates(),
        "CityObjects": objects,
        "vertices": vertices,
    }


def _matrices(random: np.random.Generator, count: int, *, upright: bool) -> Floats:
    turned = random.normal(size=(count, 4))
    if upright:
        turned[:, :2] = 0.0
    found = np.tile(np.eye(4), (count, 1, 1))
    found[:, :3, :3] = rotations.matrices(turned) * random.uniform(0.5, 1.6, (count, 3))[:, None]
    found[:, :3, 3] = random.uniform(-0.2, 0.2, (count, 3))
    return found


def _templates() -> Json:
    vertices: list[list[float]] = []
    templates: list[Json] = []
    for points, faces in TEMPLATES:
        first = len(vertices)
        vertices += points
        boundaries = [[[corner + first for corner in ring] for ring in face] for face in faces]
        templates.append({"type": "MultiSurface", "lod": "2", "boundaries": boundaries})
    return {"templates": templates, "vertices-templates": vertices}


def written(folder: Path, model: Json, name: str = "park") -> Path:
    """A model as a file."""
    path = folder / f"{name}.city.json"
    path.write_text(json.dumps(model), encoding="utf-8")
    return path
