"""Which features and levels of detail of a file are wanted: ``--only`` and ``--lod``."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from twin.errors import InvalidParameter
from twin.model.cityobject import CityFeature, CityObject
from twin.model.geometry import Floats

Box = tuple[float, float, float, float]
_KEYS = "type=Building, id=abc or bbox=west,south,east,north in degrees"


@dataclass(frozen=True, slots=True)
class Selection:
    """Empty sets and None choose everything. ``bbox`` is west, south, east, north in degrees."""

    types: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    bbox: Box | None = None
    lods: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, only: Sequence[str], lods: Sequence[str]) -> "Selection":
        """From what a person wrote, ``type=Bridge``; InvalidParameter names what cannot be meant."""
        given: dict[str, list[str]] = {"type": [], "id": [], "bbox": []}
        for text in only:
            key, separator, value = text.partition("=")
            if key not in given or not separator or not value:
                raise InvalidParameter(f"--only {text}: use {_KEYS}")
            given[key].append(value)
        if len(given["bbox"]) > 1:
            raise InvalidParameter("--only bbox= can be given once")
        for lod in lods:
            if not lod.replace(".", "", 1).isdecimal():
                raise InvalidParameter(f"--lod {lod}: a level of detail is a number such as 2 or 2.2")
        bbox = _box(given["bbox"][0]) if given["bbox"] else None
        return cls(frozenset(given["type"]), frozenset(given["id"]), bbox, frozenset(lods))

    def __bool__(self) -> bool:
        return bool(self.types or self.ids or self.bbox or self.lods)

    def key(self) -> tuple[object, ...]:
        """The same for the same selection, in every process."""
        return sorted(self.types), sorted(self.ids), self.bbox, sorted(self.lods)

    def takes(self, feature: CityFeature, lonlat: Callable[[Floats], Floats]) -> bool:
        """Whether a feature is wanted; ``lonlat`` turns points of the file into degrees."""
        if self.types and feature.root.type not in self.types:
            return False
        if self.ids and self.ids.isdisjoint(item.id for item in feature):
            return False
        return self.bbox is None or _meets(self.bbox, feature, lonlat)

    def narrowed(self, feature: CityFeature) -> CityFeature:
        """The feature with the wanted levels of detail only; LoD 2 stands for 2.0 to 2.3 as well."""
        if not self.lods:
            return feature
        return replace(feature, objects=tuple(map(self._narrowed, feature.objects)))

    def _narrowed(self, item: CityObject) -> CityObject:
        kept = tuple(g for g in item.geometries if not self.lods.isdisjoint({g.lod, g.lod.split(".")[0]}))
        return replace(item, geometries=kept)


EVERYTHING = Selection()


def _box(text: str) -> Box:
    try:
        west, south, east, north = map(float, text.split(","))
    except ValueError:
        raise InvalidParameter(f"--only bbox={text}: four numbers are needed; use {_KEYS}") from None
    if not all(map(math.isfinite, (west, south, east, north))) or west > east or south > north:
        raise InvalidParameter(f"--only bbox={text}: west,south,east,north with west <= east, south <= north")
    return west, south, east, north


def _meets(box: Box, feature: CityFeature, lonlat: Callable[[Floats], Floats]) -> bool:
    """Whether the bounds of a feature and a box have a point in common; without a place there is none."""
    points = [g.xyz for item in feature for g in item.geometries if len(g.xyz)]
    if not points:
        return False
    xyz = np.concatenate(points)
    (x0, y0, z), (x1, y1, _) = xyz.min(axis=0), xyz.max(axis=0)
    corners = lonlat(np.array([[x0, y0, z], [x1, y0, z], [x1, y1, z], [x0, y1, z]]))
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    return bool(west <= box[2] and east >= box[0] and south <= box[3] and north >= box[1])
