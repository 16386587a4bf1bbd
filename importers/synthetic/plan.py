"""What a synthetic city is planned with: districts, blocks and the lots that buildings stand on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from random import Random
from typing import Literal, TypeAlias

from importers.synthetic import shapes
from importers.synthetic.chance import pick, stream
from importers.synthetic.frames import Frame
from importers.synthetic.shapes import Form, Heights

Use: TypeAlias = Literal[
    "apartments", "house", "two_homes", "row_house", "student_home", "office", "shop", "hotel", "school",
    "kindergarten", "library", "church", "hospital", "factory", "warehouse", "outbuilding",
]  # fmt: skip
"""What a building is for, in words that each city translates into its own codes."""

Terrain: TypeAlias = Callable[[float, float], float]
"""Easting and northing in metres to the height of the ground in metres."""

MINIMUM_GROUND_M = 3.0
MAXIMUM_GROUND_M = 25.0


@dataclass(frozen=True, slots=True)
class Lot:
    """One building in its place. ``side`` is the side of the block whose street it belongs to."""

    frame: Frame
    form: Form
    use: Use
    years: tuple[int, int]
    storeys: int
    side: int = 0
    number: int = 0
    shape: str = ""


@dataclass(frozen=True, slots=True)
class District:
    """The character of a part of a city; lengths in metres, ``pitch`` is rise over run.

    ``storeys`` and ``years`` run from the edge of the district to its centre.
    """

    fill: "Callable[[Site], Iterator[Lot]]"
    storeys: tuple[int, int]
    years: tuple[int, int]
    uses: Mapping[str, float]
    roofs: Mapping[str, float]
    depth: float = 12.0
    frontage: tuple[float, float] = (13.0, 22.0)
    storey: float = 3.1
    pitch: float = 0.6


@dataclass(frozen=True, slots=True)
class Block:
    """Land between streets. ``frame`` has its origin in one corner, sizes are its units.

    ``streets`` are those along q = 0, p = width, q = depth and p = 0, as (family, index);
    ``nearness`` is 1 in the centre of its district and 0 at the edge.
    """

    key: tuple[int, int, int]
    frame: Frame
    width: int
    depth: int
    district: District
    nearness: float
    streets: tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]


class Site:
    """A block being built on: its land, its chance and the ground under it."""

    def __init__(self, block: Block, terrain: Terrain, seed: int) -> None:
        self.block = block
        self.district = block.district
        self.frame = block.frame
        self.chance: Random = stream(seed, *block.key)
        self._terrain = terrain
        self._number = [0, 0, 0, 0]

    def units(self, low: float, high: float | None = None) -> int:
        """A length in units: as given, or by chance between two; in metres."""
        return self.frame.units(low if high is None else self.chance.uniform(low, high))

    def even(self, low: float, high: float | None = None) -> int:
        return self.frame.even(low if high is None else self.chance.uniform(low, high))

    def happens(self, probability: float) -> bool:
        return self.chance.random() < probability

    def storeys(self, spread: float = 1.0) -> int:
        """Storeys of the next building, more towards the centre of the district."""
        low, high = self.district.storeys
        wanted = low + (high - low) * self.block.nearness + self.chance.uniform(-spread, spread)
        return max(1, round(wanted))

    def roof(self) -> str:
        return pick(self.chance.random(), self.district.roofs)

    def use(self) -> Use:
        chosen: str = pick(self.chance.random(), self.district.uses)
        return chosen  # pyright: ignore[reportReturnType] - the tables of districts are tested

    def ground(self, frame: Frame, width: int, depth: int) -> int:
        """Height of the ground in the middle of a footprint, in mm and whole centimetres."""
        x, y = frame.point(width // 2, depth // 2)
        height = self._terrain(x / 1000, y / 1000)
        return round(min(max(height, MINIMUM_GROUND_M), MAXIMUM_GROUND_M) * 100) * 10

    def heights(self, frame: Frame, size: tuple[int, int], storeys: float, rise: float = 0.0) -> Heights:
        """Heights over a footprint for a number of storeys and a rise of the roof in metres."""
        ground = self.ground(frame, *size)
        plinth = 0.3 + 0.1 * self.chance.randrange(6)
        eave = ground + round((plinth + storeys * self.district.storey) * 100) * 10
        return Heights(ground, eave, eave + round(rise * 100) * 10)

    def lot(self, frame: Frame, form: Form, use: Use, storeys: int, side: int = 0) -> Lot:
        """A building on this site, with the next number of its street."""
        self._number[side] += 1
        return Lot(frame, form, use, self.district.years, storeys, side, self._number[side])

    def outbuilding(self, frame: Frame, width: float, depth: float) -> Lot:
        """A small shed; sizes in metres."""
        w, d = frame.units(width), frame.even(depth)
        ground = self.ground(frame, w, d)
        eave = ground + 10 * self.chance.randrange(210, 260)
        heights = Heights(ground, eave, eave + 10 * self.chance.randrange(30, 90))
        form = shapes.shed(w, d, heights, frame.unit / 1000)
        return Lot(frame, form, "outbuilding", self.district.years, 1, 0, max(1, self._number[0]))


def roofed(site: Site, frame: Frame, size: tuple[int, int], storeys: int, roof: str | None = None) -> Form:
    """A rectangular building with a roof of the district; depth (second size) is even."""
    width, depth = size
    unit = frame.unit / 1000
    roof = roof or site.roof()
    half = depth * unit / 2
    pitch = site.district.pitch
    rise = {"flat": 0.0, "shed": 0.36, "mansard": 1.0, "gable": pitch, "hip": pitch * 0.9}[roof] * half
    heights = site.heights(frame, size, storeys, rise)
    if roof == "flat":
        return shapes.flat(width, depth, heights, unit)
    if roof == "shed":
        return shapes.shed(width, depth, heights, unit)
    if roof == "mansard":
        return shapes.mansard(width, depth, heights, unit)
    if roof == "hip" and width >= depth:
        return shapes.hip(width, depth, min(depth // 2, width // 2), heights, unit)
    return shapes.gable(width, depth, heights, unit)
