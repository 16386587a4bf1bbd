"""What every computed attribute of a synthetic city must be, and how far values may be from it.

The truth of the generator (``OUT.truth.csv``) is made of closed forms. What has none there follows
here from the generator's own corners, pair by pair: distances, numbers of neighbours, convex hulls.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false
# shapely's functions take untyped keywords, scipy has no types.

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import yaml
from scipy import spatial

from importers.synthetic import CityName, truth_path
from importers.synthetic.city import CITIES, Building
from tests.fixtures import ROOT
from twin.model.attributes import BY_NAME
from twin.model.geometry import Floats

MEASURES = ROOT / "docs" / "measures.yaml"
"""What the documentation says of each computed attribute, its tolerance among it."""

FAR_M = 100.0
TIE = 1e-6
"""Metres or radians that decide nothing: streets are straight, and blocks stand just 50 m apart."""

HALF_CIRCLE = ("box_azimuth_deg",)
"""Directions without a sense: 179.99 and 0.01 are near each other."""


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How far a number may be from the truth: ``absolute``, or this share of the truth if that is more."""

    absolute: float
    relative: float = 0.0


@cache
def tolerances() -> dict[str, Tolerance]:
    """The tolerance of each attribute that is a number; all others have to be the same."""
    declared = yaml.safe_load(MEASURES.read_text())
    return {name: Tolerance(**about["tolerance"]) for name, about in declared.items() if "tolerance" in about}


def deviation(name: str, truth: Any, value: Any) -> float:
    """How far a value is from the truth, as a share of what is allowed: above 1 it is wrong.

    ``truth`` may be the text of a truth file, where nothing is written of what is not known, or the
    set of the values that are right.
    """
    if isinstance(truth, frozenset):
        return 0.0 if value in truth else np.inf
    if truth == value:
        return 0.0
    if truth is None or truth == "" or value is None:
        return 0.0 if truth == "" and value is None else np.inf
    tolerance = tolerances().get(name)
    if tolerance is None:
        return 0.0 if _text(truth) == _text(value) else np.inf
    return difference(name, truth, value) / max(tolerance.absolute, tolerance.relative * abs(float(truth)))


def agrees(name: str, truth: Any, value: Any) -> bool:
    """Whether a value is as near the truth as it has to be."""
    return deviation(name, truth, value) <= 1.0


def difference(name: str, truth: Any, value: Any) -> float:
    """How far a number is from the truth, in its unit."""
    apart = float(value) - float(truth)
    return abs((apart + 90.0) % 180.0 - 90.0 if name in HALF_CIRCLE else apart)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(float(value)) if isinstance(value, int) or _is_number(value) else str(value)


def _is_number(value: Any) -> bool:
    return isinstance(value, str) and value.lstrip("-").isdigit()


@dataclass(slots=True)
class Comparison:
    """Values beside their truth: of each attribute how many, the largest difference, and the wrong ones."""

    compared: dict[str, int] = field(default_factory=dict[str, int])
    largest: dict[str, float] = field(default_factory=dict[str, float])
    wrong: list[tuple[str, str, Any, Any]] = field(default_factory=list[tuple[str, str, Any, Any]])

    def take(self, object_id: str, truth: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Compare one building in every attribute that the truth knows."""
        for name, expected in truth.items():
            if name not in BY_NAME:
                continue
            self.compared[name] = self.compared.get(name, 0) + 1
            if not agrees(name, expected, values[name]):
                self.wrong.append((object_id, name, expected, values[name]))
            elif name in tolerances():
                found = difference(name, expected, values[name])
                self.largest[name] = max(self.largest.get(name, 0.0), found)


def truth_rows(path: Path) -> Iterator[dict[str, str]]:
    """The rows of the truth beside a model, in the order of the model."""
    with truth_path(path).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


FLAGS: dict[str, Any] = {
    "quality": "exact",
    "placement": "exact",
    "volume_disagreement": 0.0,
    "valid": True,
    "validity_codes": "",
    "repair": "none",
}
"""What is the same of all synthetic buildings: they are closed and sound, and their cities on the map."""


def neighbourhood(city: CityName, count: int, seed: int) -> list[dict[str, Any]]:
    """What depends on the plan and on the corners of each building, as the generator has them."""
    plan = CITIES[city]
    buildings = list(plan.buildings(count, seed))
    centre = np.array([*plan.centre, 0]) * 1000
    corners = [
        (np.array([c for part in building.parts for c in part.corners]) - centre) / 1000.0
        for building in buildings
    ]
    grounds = np.array([_ground(building, centre[:2]) for building in buildings], dtype=object)
    hulls = map(_hull, corners)
    return [
        {**around, "convexity": building.entry.lot.form.truth.volume / hull}
        for building, around, hull in zip(buildings, _around(grounds), hulls, strict=True)
    ]


def _ground(building: Building, centre: Any) -> Any:
    """The ground of a building in metres; its parts touch and do not overlap."""
    polygons: list[Any] = []
    for part in building.parts:
        rings = [
            (np.array([part.corners[i][:2] for i in ring]) - centre) / 1000.0 for ring in part.faces[0].rings
        ]
        polygons.append(shapely.Polygon(rings[0], rings[1:]))
    return shapely.MultiPolygon(polygons) if len(polygons) > 1 else polygons[0]


def _hull(points: Floats) -> float:
    """Volume of the convex hull."""
    hull: Any = spatial.ConvexHull(points)
    return float(hull.volume)


def _around(grounds: Any) -> Iterator[dict[str, Any]]:
    tree = shapely.STRtree(grounds)
    pairs: Any = tree.query(grounds, predicate="dwithin", distance=FAR_M + TIE)
    own, other = pairs[:, pairs[0] != pairs[1]]
    apart: Any = shapely.distance(grounds[own], grounds[other])  # pyright: ignore[reportUnknownVariableType]
    nearest = np.full(len(grounds), FAR_M)
    np.minimum.at(nearest, own, apart)
    near, far = (_between(own, apart, limit, len(grounds)) for limit in (50.0, FAR_M))
    flags = _flags(grounds, own, other, apart)
    for index in range(len(grounds)):
        yield {
            "nearest_distance_m": float(nearest[index]),
            "neighbours_50m": frozenset(range(int(near[0][index]), int(near[1][index]) + 1)),
            "neighbours_100m": frozenset(range(int(far[0][index]), int(far[1][index]) + 1)),
            "neighbours_quality": flags[index],
        }


def _between(own: Any, apart: Any, limit: float, count: int) -> list[Any]:
    """How many others are surely, and how many perhaps, within a distance of each."""
    return [np.bincount(own[apart <= limit + more], minlength=count) for more in (-TIE, TIE)]


def _flags(grounds: Any, own: Any, other: Any, apart: Any) -> list[frozenset[str]]:
    """Whether neighbours are on all sides: no straight line through the middle has all of them on one."""
    bounds: Any = shapely.bounds(grounds)
    middle: Floats = (bounds[:, :2] + bounds[:, 2:]) / 2.0
    around: list[list[int]] = [[] for _ in range(len(grounds))]
    for a, b in zip(own[apart <= FAR_M].tolist(), other[apart <= FAR_M].tolist(), strict=True):
        around[a].append(b)
    widest = [_widest(middle[others] - middle[index]) for index, others in enumerate(around)]
    names = np.array(["exact", "edge"])
    return [frozenset(names[[int(gap + more >= np.pi) for more in (-TIE, TIE)]].tolist()) for gap in widest]


def _widest(steps: Floats) -> float:
    """The widest angle without a neighbour."""
    if not len(steps):
        return 2.0 * np.pi
    angle = np.sort(np.arctan2(steps[:, 1], steps[:, 0]))
    return float(np.diff(angle, append=angle[0] + 2.0 * np.pi).max())


def expected(path: Path, city: CityName, count: int, seed: int) -> Iterable[tuple[str, dict[str, Any]]]:
    """Object id and the truth of every computed attribute of each building of a model."""
    for row, more in zip(truth_rows(path), neighbourhood(city, count, seed), strict=True):
        yield row["object_id"], {**row, **FLAGS, **more}
