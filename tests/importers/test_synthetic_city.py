"""The layout of the synthetic cities: a city that could be, without two buildings in one place."""

from collections import Counter
from collections.abc import Callable
from itertools import islice
from typing import Any, get_args

import numpy as np
import pytest
import shapely
from pyproj import Transformer

from importers.synthetic import helsinki, tallinn
from importers.synthetic.chance import fraction, pick
from importers.synthetic.city import CITIES, Building, Part
from importers.synthetic.plan import MAXIMUM_GROUND_M, MINIMUM_GROUND_M, Use
from importers.synthetic.streets import BentGrid

DEMO = 2000
BOTH = pytest.mark.parametrize("city", CITIES)


@pytest.fixture(scope="module")
def demo() -> dict[str, list[Building]]:
    return {name: list(city.buildings(DEMO, 1)) for name, city in CITIES.items()}


areas: Callable[[Any], Any] = shapely.area  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
lengths: Callable[[Any], Any] = shapely.length  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]


def footprint(part: Part, centre: tuple[int, int]) -> shapely.Polygon:
    """The ground of a part in metres from the city's centre."""
    corners = [((x - centre[0] * 1000) / 1000, (y - centre[1] * 1000) / 1000) for x, y, _ in part.corners]
    rings = [[corners[i] for i in ring] for ring in part.faces[0].rings]
    return shapely.Polygon(rings[0], rings[1:])


@BOTH
@pytest.mark.parametrize("seed", [1, 2, 77])
def test_no_two_buildings_overlap(city: str, seed: int) -> None:
    plan = CITIES[city]
    polygons = np.array(
        [footprint(part, plan.centre) for b in plan.buildings(2500, seed) for part in b.parts], dtype=object
    )
    assert shapely.is_valid(polygons).all()
    left, right = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pairs = left < right
    overlaps = areas(shapely.intersection(polygons[left[pairs]], polygons[right[pairs]]))
    assert overlaps.max() < 1e-6


@BOTH
def test_walls_are_shared(city: str, demo: dict[str, list[Building]]) -> None:
    """Row houses and closed blocks touch: there are party walls to measure."""
    polygons = np.array([footprint(b.parts[0], CITIES[city].centre) for b in demo[city]], dtype=object)
    left, right = shapely.STRtree(polygons).query(polygons, predicate="intersects")
    pairs = left < right
    shared = lengths(shapely.intersection(polygons[left[pairs]], polygons[right[pairs]]))
    assert (shared > 3).sum() > 300


@BOTH
def test_the_city_lies_where_it_should(city: str, demo: dict[str, list[Building]]) -> None:
    plan = CITIES[city]
    corners = np.array([b.parts[0].corners[0] for b in demo[city]]) / 1000
    lon, lat = Transformer.from_crs(plan.epsg, 4326, always_xy=True).transform(corners[:, 0], corners[:, 1])
    west, south, east, north = {
        "helsinki": (24.92, 60.16, 24.99, 60.19),
        "tallinn": (24.72, 59.42, 24.78, 59.45),
    }[city]
    assert west < lon.min() < lon.max() < east
    assert south < lat.min() < lat.max() < north


@BOTH
def test_ground_undulates_gently(city: str, demo: dict[str, list[Building]]) -> None:
    grounds = np.array([b.entry.lot.form.truth.heights.ground for b in demo[city]]) / 1000
    assert grounds.min() >= MINIMUM_GROUND_M
    assert grounds.max() <= MAXIMUM_GROUND_M
    assert np.ptp(grounds) > 8


@BOTH
def test_ids_are_unique(city: str, demo: dict[str, list[Building]]) -> None:
    records = [b.record for b in demo[city]]
    assert len({record.object_id for record in records}) == DEMO
    national = [
        r.harmonised["national_building_id"] for r in records if r.harmonised.get("national_building_id")
    ]
    assert len(national) == len(set(national)) > DEMO / 2


@BOTH
def test_it_has_every_kind_of_quarter(city: str, demo: dict[str, list[Building]]) -> None:
    shapes = Counter(b.entry.lot.shape or b.entry.lot.form.shape for b in demo[city])
    expected = {
        "flat", "shed", "gable", "hip", "mansard", "l_shape", "u_shape", "courtyard", "corner_gable",
        "stepped", "tower", "church", "row_house",
    }  # fmt: skip
    assert expected <= shapes.keys()
    uses = Counter(b.record.harmonised.get("current_use") for b in demo[city])
    assert {
        "moreThanTwoDwellings", "individualResidence", "office", "trade", "publicServices", "industrial",
        "ancillary",
    } <= uses.keys()  # fmt: skip


def test_heights_fall_from_the_centre_of_helsinki(demo: dict[str, list[Building]]) -> None:
    plan = CITIES["helsinki"]
    heights: dict[bool, list[float]] = {True: [], False: []}
    for building in demo["helsinki"]:
        x, y, _ = building.parts[0].corners[0]
        distance = np.hypot(x / 1000 - plan.centre[0], y / 1000 - plan.centre[1])
        truth = building.entry.lot.form.truth.heights
        if building.entry.lot.use != "outbuilding" and (distance < 250 or distance > 480):
            heights[bool(distance < 250)].append((truth.top - truth.ground) / 1000)
    assert np.mean(heights[True]) > 2.5 * np.mean(heights[False])
    assert max(heights[True]) > 55


@BOTH
def test_years_are_plausible(city: str, demo: dict[str, list[Building]]) -> None:
    years = [b.entry.year for b in demo[city]]
    assert min(years) >= 1890
    assert max(years) <= 2024
    assert np.ptp(years) > 100


@BOTH
def test_a_larger_city_begins_with_the_smaller(city: str, demo: dict[str, list[Building]]) -> None:
    few = [b.record for b in CITIES[city].buildings(137, 1)]
    assert few == [b.record for b in demo[city][:137]]
    assert [b.parts for b in CITIES[city].buildings(1, 1)] == [demo[city][0].parts]


@BOTH
def test_another_seed_is_another_city(city: str, demo: dict[str, list[Building]]) -> None:
    other = next(iter(CITIES[city].buildings(1, 2)))
    assert other.parts != demo[city][0].parts


def test_every_use_has_codes_in_both_cities() -> None:
    assert helsinki.USES.keys() == tallinn.USES.keys() == set(get_args(Use))
    for district in (*helsinki.DISTRICTS, *tallinn.DISTRICTS):
        assert set(district.uses) <= set(get_args(Use))
        assert set(district.roofs) <= {"flat", "shed", "gable", "hip", "mansard"}


def test_blocks_come_once_and_outward() -> None:
    lands = list(islice(BentGrid(angle=0.3).lands(5), 3000))
    cells = {land.key for land in lands}
    assert len(cells) == len(lands)
    assert {(0, c, r) for c in range(-15, 16) for r in range(-15, 16)} <= cells
    distances = np.array([land.distance for land in lands])
    assert (np.maximum.accumulate(distances) - distances).max() < 200


def test_chance_belongs_to_its_keys() -> None:
    assert fraction(1, 2, 3) == fraction(1, 2, 3)
    assert len({fraction(1, i, -j) for i in range(50) for j in range(50)}) == 2500
    assert 0.45 < np.mean([fraction(9, i) for i in range(2000)]) < 0.55


@pytest.mark.parametrize(
    ("chance", "key"), [(0.0, "a"), (0.24, "a"), (0.26, "b"), (0.999999, "b"), (1.0, "b")]
)
def test_pick_follows_the_weights(chance: float, key: str) -> None:
    assert pick(chance, {"a": 1, "b": 3}) == key
