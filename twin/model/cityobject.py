"""City objects as CityJSON names them (section 2): features, parents and children."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from twin.model.geometry import Geometry

FIRST_LEVEL_BUILDING = "Building"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as far as the source gives it; nothing is guessed."""

    street: str | None = None
    house_number: str | None = None
    postal_code: str | None = None
    locality: str | None = None
    country: str | None = None

    def as_dict(self) -> dict[str, str | None]:
        """The parts by name. `dataclasses.asdict` would copy deeply, which costs ten times as much."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True)
class CityObject:
    """One city object: its id in the source file, original attributes and geometries.

    ``attributes`` keep the source's own names and values, whole. Standard attributes of CityGML
    carry CityJSON's names (``measuredHeight``, ``storeysAboveGround``, ``roofType``).
    """

    id: str
    type: str
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    geometries: tuple[Geometry, ...] = ()
    parent: str | None = None
    addresses: tuple[Address, ...] = ()


@dataclass(frozen=True, slots=True)
class CityFeature:
    """A first-level object with all objects below it, as in CityJSONFeature; the root comes first.

    ``place`` tells where in the file it stands (``line 812``, ``byte 40211``), for reports.
    """

    objects: tuple[CityObject, ...]
    place: str = ""

    @property
    def root(self) -> CityObject:
        return self.objects[0]

    def __iter__(self) -> Iterator[CityObject]:
        return iter(self.objects)


def highest_lod(objects: Sequence[CityObject]) -> str | None:
    """The highest LoD among the objects' surface geometries; None where there is no geometry."""
    lods = {geometry.lod for item in objects for geometry in item.geometries}
    return max(lods, key=float, default=None)


def geometries_at(feature: CityFeature, lod: str | None) -> tuple[Geometry, ...]:
    """The geometries that show the feature at one LoD.

    Where the root and its parts both have geometry, the parts win: the root's would repeat them.
    """
    parts = tuple(g for item in feature.objects[1:] for g in item.geometries if g.lod == lod)
    return parts or tuple(g for g in feature.root.geometries if g.lod == lod)
