"""City objects as CityJSON names them (section 2): features, parents and children."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from twin.model.geometry import Floats, Geometry, Instance, offsets
from twin.model.rings import ranges, without_degenerate

FIRST_LEVEL_BUILDING = "Building"
BUILDING_PART = "BuildingPart"


@dataclass(frozen=True, slots=True)
class Address:
    """A postal address as far as the source gives it; nothing is guessed.

    ``fields`` are the source's own names and values, whole; ``location`` is a MultiPoint in native
    coordinates.
    """

    street: str | None = None
    house_number: str | None = None
    postal_code: str | None = None
    locality: str | None = None
    country: str | None = None
    fields: dict[str, Any] = field(default_factory=dict[str, Any], compare=False)
    location: Geometry | None = field(default=None, compare=False)

    @classmethod
    def of(
        cls, parts: Mapping[str, str], fields: dict[str, Any] | None = None, location: Geometry | None = None
    ) -> "Address":
        """An address from its parts by name."""
        known = (parts.get(name) for name in ADDRESS_PARTS)
        return cls(*known, fields=fields or {}, location=location)

    def parts(self) -> dict[str, str]:
        """The parts that are known, by name."""
        known = {name: getattr(self, name) for name in ADDRESS_PARTS}
        return {name: value for name, value in known.items() if value is not None}


ADDRESS_PARTS = ("street", "house_number", "postal_code", "locality", "country")


@dataclass(frozen=True, slots=True)
class CityObject:
    """One city object: its id in the source file, original attributes and geometries.

    ``attributes`` keep the source's own names and values, whole. Standard attributes of CityGML
    carry CityJSON's names (``measuredHeight``, ``storeysAboveGround``, ``roofType``). ``extra`` are
    further members of the object in CityJSON (of Extensions, of groups), by their names.
    """

    id: str
    type: str
    attributes: dict[str, Any] = field(default_factory=dict[str, Any])
    geometries: tuple[Geometry, ...] = ()
    parent: str | None = None
    addresses: tuple[Address, ...] = ()
    extra: dict[str, Any] = field(default_factory=dict[str, Any])


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


def with_part(feature: CityFeature, part_id: str) -> CityFeature:
    """A part with all below it, and what it is a part of, up to the root, without geometry.

    CityJSON 2.0 (section 3.1) has no part without its building, whose geometry would be that of all parts.
    """
    above: set[str] = set()
    below = {part_id}
    parents = {item.id: item.parent for item in feature}
    while (parent := parents[part_id]) is not None:
        above.add(parent)
        part_id = parent
    chosen: list[CityObject] = []
    for item in feature:
        if item.id in above:
            chosen.append(replace(item, geometries=()))
        elif item.id in below or item.parent in below:
            below.add(item.id)
            chosen.append(item)
    return CityFeature(tuple(chosen), feature.place)


def highest_lod(objects: Sequence[CityObject]) -> str | None:
    """The highest LoD among the objects' surface geometries; None where there is no geometry."""
    lods = {geometry.lod for item in objects for geometry in item.geometries if _has_surfaces(geometry)}
    return max(lods, key=float, default=None)


def _has_surfaces(geometry: Geometry) -> bool:
    shape = geometry.instance.template if geometry.instance is not None else geometry
    return shape.dimension == 2


@dataclass(frozen=True, slots=True)
class Shapes:
    """The surfaces and solids of a feature at one LoD, object by object.

    Templates are in their places, degenerate surfaces left out.
    """

    by_object: tuple[tuple[Geometry, ...], ...]

    def whole(self) -> tuple[Geometry, ...]:
        """Those of the feature as they are measured.

        Where the root and its parts both have geometry, the parts win: the root's would repeat them.
        Where an object has solids, they win over its surfaces, which mostly repeat them.
        """
        return tuple(g for geometries in self._shown() for g in measured(geometries))

    def beside_solids(self) -> tuple[Geometry, ...]:
        """What else is to be shown: surfaces of objects with solids that no solid has, such as overhangs."""
        return tuple(g for geometries in self._shown() for g in _overhangs(geometries))

    def _shown(self) -> Sequence[tuple[Geometry, ...]]:
        return [part for part in self.by_object[1:] if part] or self.by_object[:1]


def shapes_at(features: Sequence[CityFeature], lods: Sequence[str | None]) -> list[Shapes]:
    """The shapes of many features, each at a LoD of its own."""
    placed = [
        [list(_placed(item, lod)) for item in feature.objects]
        for feature, lod in zip(features, lods, strict=True)
    ]
    cleaned = iter(without_degenerate([g for objects in placed for item in objects for g in item]))
    return [
        Shapes(
            tuple(tuple(g for g in islice(cleaned, len(item)) if g is not None) for item in objects)
        )
        for objects in placed
    ]  # fmt: skip


def _placed(item: CityObject, lod: str | None) -> Iterator[Geometry]:
    for geometry in item.geometries:
        if geometry.lod == lod and _has_surfaces(geometry):
            yield geometry if geometry.instance is None else _in_place(geometry.instance, geometry.xyz[0])


def _in_place(instance: Instance, at: Floats) -> Geometry:
    """A template in its place, which knows how it came there."""
    return replace(instance.placed(at), instance=replace(instance, at=at))


def geometries_at(feature: CityFeature, lod: str | None) -> tuple[Geometry, ...]:
    """The surfaces and solids of one feature at one LoD, as they are measured."""
    return shapes_at([feature], [lod])[0].whole()


def measured(geometries: Sequence[Geometry]) -> tuple[Geometry, ...]:
    """The solids among the geometries of an object; all where there is no solid."""
    return tuple(g for g in geometries if g.is_solid) or tuple(geometries)


def _overhangs(geometries: Sequence[Geometry]) -> Iterator[Geometry]:
    solids = [g for g in geometries if g.is_solid]
    others = [g for g in geometries if not g.is_solid and not any(same_faces(g, s) for s in solids)]
    if not solids or not others:
        return
    known = {key for solid in solids for key in _face_keys(solid)}
    for geometry in others:
        kept = np.array([key not in known for key in _face_keys(geometry)], dtype=np.bool_)
        if kept.all():
            yield geometry
        elif kept.any():
            yield _faces(geometry, kept)


def same_faces(geometry: Geometry, solid: Geometry) -> bool:
    """Whether they have the same faces in the same order, as where one was made of the other."""
    if geometry.xyz is solid.xyz and geometry.ring_start is solid.ring_start:
        return geometry.surface_start is solid.surface_start
    return (
        len(geometry.xyz) == len(solid.xyz)
        and len(geometry.ring_start) == len(solid.ring_start)
        and bool((geometry.xyz == solid.xyz).all())
        and bool((geometry.ring_start == solid.ring_start).all())
        and np.array_equal(geometry.surface_start, solid.surface_start)
    )


def _face_keys(geometry: Geometry) -> list[frozenset[tuple[float, ...]]]:
    """The same for faces with the same points, wherever they start and whichever way round."""
    first = geometry.ring_start[geometry.surface_start].tolist()
    # Sets of Python: numpy's unique of a face takes thirty times as long.
    rounded = cast("list[list[float]]", np.round(geometry.xyz, _MILLIMETRES).tolist())
    points = [tuple(point) for point in rounded]
    return [frozenset(points[a:b]) for a, b in pairwise(first)]


_MILLIMETRES = 3


def _faces(geometry: Geometry, kept: npt.NDArray[np.bool_]) -> Geometry:
    """A MultiSurface of some of the faces of a geometry."""
    chosen = np.flatnonzero(kept)
    rings = np.diff(geometry.surface_start)[chosen]
    ring = ranges(geometry.surface_start[chosen], rings)
    length = np.diff(geometry.ring_start)[ring]
    points = ranges(geometry.ring_start[ring], length)
    return replace(
        geometry,
        type="MultiSurface",
        xyz=geometry.xyz[points],
        ring_start=offsets(length),
        surface_start=offsets(rings),
        shell_start=np.array([0, len(chosen)], dtype=np.int64),
        solid_start=np.array([0, 1], dtype=np.int64),
        semantic=geometry.semantic[chosen],
        appearance=geometry.appearance and geometry.appearance.of_part(chosen, ring, points),
        instance=None,
    )
