"""The two cities as one kind of value, and their buildings one after the other."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from types import MappingProxyType
from typing import Final, TypeAlias

from importers.synthetic import helsinki, tallinn
from importers.synthetic.plan import Block, Lot, Site, Terrain
from importers.synthetic.register import Entry, Record, entries
from importers.synthetic.shells import Face

Corner: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """One closed shell in the projected CRS: easting, northing and height in whole millimetres."""

    corners: tuple[Corner, ...]
    faces: tuple[Face, ...]


@dataclass(frozen=True, slots=True)
class Building:
    """A building as it is written; several parts make it a root without geometry of its own."""

    entry: Entry
    record: Record
    parts: tuple[Part, ...]

    def part_id(self, index: int) -> str:
        """The id of one of several parts."""
        return f"{self.record.object_id}_{index + 1}"


@dataclass(frozen=True, slots=True)
class City:
    """How a city is laid out and how it words what it knows of its buildings."""

    name: str
    title: str
    epsg: int
    centre: tuple[int, int]
    locality: str
    country: str
    streets: Mapping[int, Sequence[str]]
    blocks: Callable[[int], Iterator[Block]]
    terrain: Terrain
    record: Callable[[Entry], Record]

    def buildings(self, count: int, seed: int) -> Iterator[Building]:
        """The first ``count`` buildings from the centre outward."""
        for entry in islice(entries(self._lots(seed), self.streets, seed), count):
            yield Building(entry, self.record(entry), tuple(_placed(entry.lot)))

    def _lots(self, seed: int) -> Iterator[tuple[Block, Iterator[Lot]]]:
        for block in self.blocks(seed):
            yield block, block.district.fill(Site(block, self.terrain, seed))


def _placed(lot: Lot) -> Iterator[Part]:
    point = lot.frame.point
    for shell in lot.form.shells:
        yield Part(tuple((*point(p, q), z) for p, q, z in shell.vertices), shell.faces)


CITIES: Final = MappingProxyType(
    {
        module.NAME: City(
            name=module.NAME,
            title=module.TITLE,
            epsg=module.EPSG,
            centre=module.CENTRE,
            locality=locality,
            country=country,
            streets=module.STREETS,
            blocks=module.blocks,
            terrain=module.terrain,
            record=module.record,
        )
        for module, locality, country in ((helsinki, "Helsinki", "Finland"), (tallinn, "Tallinn", "Eesti"))
    }
)
