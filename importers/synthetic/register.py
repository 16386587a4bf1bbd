"""What a building register knows about each building, before a city words it in its own schema."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Literal, TypeAlias

from importers.synthetic.chance import stream
from importers.synthetic.plan import Block, Lot

Value: TypeAlias = str | int | float
AttributeKind: TypeAlias = Literal["string", "int", "double", "date"]
Attribute: TypeAlias = tuple[AttributeKind, str, Value | None]
"""A generic attribute as CityGML types it; the value None is written as an empty one."""

NEWEST_YEAR = 2024


@dataclass(frozen=True, slots=True)
class Entry:
    """One building of the register. ``index`` counts from 0 through the whole model.

    ``block`` is the key of the block that it stands in: buildings of one block follow one another.
    """

    index: int
    block: tuple[int, int, int]
    lot: Lot
    street: str
    house_number: str
    year: int
    floor_area_m2: int
    measured_height_m: float
    chance: Random


@dataclass(frozen=True, slots=True)
class Record:
    """A building as its city delivers it.

    ``standard`` are attributes that CityGML itself defines, by their CityJSON names; ``generic`` are
    the city's own; ``harmonised`` is what they say in the words of the catalogue.
    """

    object_id: str
    standard: dict[str, Value]
    generic: tuple[Attribute, ...]
    harmonised: dict[str, Any]
    sets: dict[str, tuple[Attribute, ...]] = field(default_factory=dict[str, tuple[Attribute, ...]])
    decimals: int = 2


def entries(
    blocks: Iterator[tuple[Block, Iterator[Lot]]], streets: Mapping[int, Sequence[str]], seed: int
) -> Iterator[Entry]:
    """Number the buildings of a city and give each its entry in the register."""
    index = 0
    for block, lots in blocks:
        for lot in lots:
            yield _entry(index, block, lot, streets, seed)
            index += 1


def _entry(index: int, block: Block, lot: Lot, streets: Mapping[int, Sequence[str]], seed: int) -> Entry:
    chance = stream(seed, 21, index)
    oldest, newest = lot.years
    year = chance.randint(oldest, newest)
    family, number = block.streets[lot.side]
    names = streets[family % 2]
    floor_area = round(lot.form.truth.ground_area * lot.storeys * chance.uniform(0.86, 0.97))
    return Entry(
        index,
        block.key,
        lot,
        names[number % len(names)],
        _house_number(block, lot),
        min(year, NEWEST_YEAR),
        max(floor_area, 1),
        _stated_height(lot, chance),
        chance,
    )


def _house_number(block: Block, lot: Lot) -> str:
    """Odd on one side, even on the other, rising along the street from block to block."""
    along = block.key[1] if lot.side % 2 == 0 else block.key[2]
    blocks_before = 2 * along if along >= 0 else -2 * along - 1
    return str(2 * (blocks_before * 9 + lot.number) - (lot.side < 2))


def _stated_height(lot: Lot, chance: Random) -> float:
    """The height in the source, right on most buildings and off by metres on some, as in reality."""
    heights = lot.form.truth.heights
    true = (heights.top - heights.ground) / 1000
    if chance.random() < 0.7:
        return round(true, 2)
    return round(max(1.0, true + chance.uniform(-3.0, 3.0)), 2)
