"""Everything that follows from the geometry of a batch of features: measures, place and mesh.

Pure: features in, plain values out. Importing and later processing both call ``derive``, so that a
value never depends on which of them computed it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np

from twin.model.cells import quadkeys
from twin.model.cityobject import (
    BUILDING_PART,
    FIRST_LEVEL_BUILDING,
    CityFeature,
    CityObject,
    Shapes,
    highest_lod,
    measured,
    shapes_at,
)
from twin.model.crs import Located, Placer
from twin.model.geometry import Floats, Geometry, GeometryBatch, Ints, concatenate
from twin.model.heights import PLACEMENTS, UNPLACED
from twin.processing import planar
from twin.processing.compute import measure, measure_core
from twin.processing.instances import Parted, parted, shares_templates
from twin.processing.mesh import MeshFailure, ObjectMesh, build_meshes
from twin.processing.orientation import Boundary
from twin.processing.template_meshes import Template
from twin.processing.values import Values, plain, plain_rows


@dataclass(frozen=True, slots=True)
class Place:
    """Where a feature lies: bounds in degrees, ellipsoidal heights in metres where known."""

    west: float
    south: float
    east: float
    north: float
    z_min: float | None
    z_max: float | None
    quadkey: int


@dataclass(slots=True)
class Outline:
    """Where something stands: ``footprint`` in longitude and latitude."""

    place: Place | None = None
    footprint: Any = None


@dataclass(slots=True)
class Derived(Outline):
    """What was computed for one feature; ``values`` are by object id, the root's for the whole.

    ``parts`` are the outlines of the parts of a building that have a geometry; a single one's is that of the
    whole. ``templates`` are those that the mesh refers to. ``problem`` says why there is no mesh where one
    was expected.
    """

    values: dict[str, Values] = field(default_factory=dict[str, Values])
    parts: dict[str, Outline] = field(default_factory=dict[str, Outline])
    mesh: ObjectMesh | None = None
    templates: tuple[Template, ...] = ()
    problem: str | None = None


def derive(features: Sequence[CityFeature], placer: Placer) -> list[Derived]:
    """Measure, place and mesh each feature at its highest LoD."""
    lods = [highest_lod(feature.objects) for feature in features]
    shapes = shapes_at(features, lods)
    groups = [shape.whole() for shape in shapes]
    batch = concatenate(groups)
    measures = measure(batch)
    results = [Derived() for _ in features]
    located = placer.located(native(batch))
    ranks = _ranks(batch, located)
    columns = zip(features, lods, groups, plain_rows(measures.values), ranks.tolist(), results, strict=True)
    for feature, lod, group, values, rank, result in columns:
        known: Values = {"lod": lod, "placement": PLACEMENTS[rank]}
        result.values[feature.root.id] = {**values, **known} if group else known
    _measure_parts(features, lods, shapes, results, _Ground(batch, located, placer))
    if batch.surfaces:
        _place(measures.footprints, _extremes(batch, located), placer, results)
        beside = [shape.beside_solids() for shape in shapes]
        _widen(beside, placer, results)
        placed: list[int] = np.flatnonzero(ranks != UNPLACED).tolist()
        plain_meshes = not any(beside) and not shares_templates(groups)
        if plain_meshes and len(placed) == len(features):
            _mesh(measures.boundary, measures.surface_type, placer.earth_centred(located), groups, results)
        elif placed:
            types = np.split(measures.surface_type, batch.object_start[1:-1])
            shown, named = _shown(groups, types, beside)
            parts = parted([shown[i] for i in placed], [named[i] for i in placed], placer)
            _mesh_parts(parts, placer, [results[i] for i in placed])
    return results


def _mesh_parts(parts: Parted, placer: Placer, results: Sequence[Derived]) -> None:
    """Meshes of what features have of their own, and beside them the templates that they share."""
    own = [number for number, shapes in enumerate(parts.shapes) if shapes or not parts.instances[number]]
    if own:
        chosen = concatenate([parts.shapes[number] for number in own])
        types = np.concatenate([parts.types[number] for number in own])
        shapes = [parts.shapes[number] for number in own]
        _mesh(chosen, types, placer.ecef(native(chosen)), shapes, [results[number] for number in own])
    for result, instances in zip(results, parts.instances, strict=True):
        if instances is not None:
            result.mesh, result.templates = instances.added_to(result.mesh), instances.templates


def _shown(
    groups: Sequence[Sequence[Geometry]], types: Sequence[Ints], beside: Sequence[Sequence[Geometry]]
) -> tuple[list[Sequence[Geometry]], list[Ints]]:
    """What meshes show: what is measured, and the surfaces that stand beside the solids."""
    if not any(beside):
        return list(groups), list(types)
    others = concatenate(beside)
    named = np.split(measure_core(others).surface_type, others.object_start[1:-1])
    return (
        [(*own, *more) for own, more in zip(groups, beside, strict=True)],
        [np.concatenate(pair) for pair in zip(types, named, strict=True)],
    )


def _ranks(batch: GeometryBatch, located: Located) -> Ints:
    """Index into PLACEMENTS (objects,): an object is placed as well as its worst point."""
    ranks = np.full(batch.objects, UNPLACED)
    if batch.surfaces:
        present, start = _spans(batch)
        ranks[present] = np.maximum.reduceat(located.rank, start)
    return ranks


def _spans(batch: GeometryBatch) -> tuple[Ints, Ints]:
    """The objects that have points, and the first point of each."""
    present = np.flatnonzero(np.diff(batch.object_start) > 0)
    first_ring = batch.surface_start[batch.object_start[present]]
    return present, batch.ring_start[first_ring]


def _extremes(batch: GeometryBatch, located: Located) -> tuple[Ints, Floats, Floats]:
    """The objects that have points, and their bounds (n, 3) in degrees and metres."""
    present, start = _spans(batch)
    bounds = np.column_stack([located.lonlat, located.height])
    return present, np.minimum.reduceat(bounds, start), np.maximum.reduceat(bounds, start)


@dataclass(frozen=True, slots=True)
class _Ground:
    """Whole features, one object each, and where their points lie."""

    batch: GeometryBatch
    located: Located
    placer: Placer

    def of(self, features: Ints) -> Located:
        """Where the points of some features lie, given in order."""
        chosen = np.zeros(self.batch.objects, dtype=np.bool_)
        chosen[features] = True
        present, start = _spans(self.batch)
        counts = np.diff(np.append(start, len(self.batch.xyz)))
        points = np.repeat(chosen[present], counts)
        located = self.located
        return Located(located.lonlat[points], located.height[points], located.rank[points])


def _measure_parts(
    features: Sequence[CityFeature],
    lods: Sequence[str | None],
    shapes: Sequence[Shapes],
    results: Sequence[Derived],
    ground: _Ground,
) -> None:
    """Parts are measured by themselves as well; their sum stands at the root, which a single part is."""
    owned: list[_Owned] = []
    for index, (feature, lod, shape, result) in enumerate(zip(features, lods, shapes, results, strict=True)):
        parts = zip(feature.objects[1:], shape.by_object[1:], strict=True)
        found = [(item, measured(geometries)) for item, geometries in parts]
        shaped = [item for item, geometries in found if geometries]
        if len(shaped) == 1:
            whole = result.values[feature.root.id]
            values = {name: value for name, value in whole.items() if name != "placement"}
            result.values.update({item.id: values if item is shaped[0] else {} for item, _ in found})
            if _is_part(shaped[0], feature):
                result.parts[shaped[0].id] = result
        else:
            owned.extend(_Owned(index, item, geometries, lod) for item, geometries in found)
    if not owned:
        return
    batch = concatenate([own.geometries for own in owned])
    measures = measure(batch)
    for own, values in zip(owned, plain_rows(measures.values), strict=True):
        results[own.feature].values[own.item.id] = {**values, "lod": own.lod} if own.geometries else {}
    parts = [
        results[own.feature].parts.setdefault(own.item.id, Outline())
        if own.geometries and _is_part(own.item, features[own.feature])
        else None
        for own in owned
    ]
    if any(parts):
        located = ground.of(np.unique([own.feature for own in owned if own.geometries]))
        _place(measures.footprints, _extremes(batch, located), ground.placer, parts)


class _Owned(NamedTuple):
    """An object below the root of a feature, given by its number."""

    feature: int
    item: CityObject
    geometries: tuple[Geometry, ...]
    lod: str | None


def _is_part(item: CityObject, feature: CityFeature) -> bool:
    return item.type == BUILDING_PART and feature.root.type == FIRST_LEVEL_BUILDING


def _place(
    footprints: planar.Shapes,
    extremes: tuple[Ints, Floats, Floats],
    placer: Placer,
    results: Sequence[Outline | None],
) -> None:
    """Bounds, heights, cell and footprints of every object that has a place on the map and is asked for.

    ``footprints`` (objects,) are in native coordinates; ``extremes`` are as `_extremes` gives them.
    """
    present, low, high = extremes
    wanted = np.array([result is not None for result in results], dtype=np.bool_)
    on_map = np.isfinite(low[:, :2]).all(axis=1) & wanted[present]
    present, low, high = present[on_map], low[on_map], high[on_map]
    plans = planar.transformed(footprints[present], placer.lonlat)
    keys = quadkeys(_middles(plans, low, high))
    indices: list[int] = present.tolist()
    for row, index in enumerate(indices):
        if (result := results[index]) is not None:
            result.place = _place_of(low[row].tolist(), high[row].tolist(), int(keys[row]))
            result.footprint = plans[row]


def _place_of(low: list[float], high: list[float], quadkey: int) -> Place:
    return Place(low[0], low[1], high[0], high[1], plain(low[2]), plain(high[2]), quadkey)


def _widen(beside: Sequence[Sequence[Geometry]], placer: Placer, results: Sequence[Derived]) -> None:
    """Let bounds reach around what stands beside the solids too, since meshes show it."""
    wider: list[Derived] = [result for shapes, result in zip(beside, results, strict=True) if shapes]
    if not wider:
        return
    batch = concatenate([shapes for shapes in beside if shapes])
    present, low, high = _extremes(batch, placer.located(native(batch)))
    chosen: list[int] = present.tolist()
    for row, index in enumerate(chosen):
        result = wider[index]
        if result.place is not None and np.isfinite([low[row], high[row]]).all():
            result.place = _around(result.place, low[row].tolist(), high[row].tolist())


def _around(place: Place, low: list[float], high: list[float]) -> Place:
    return replace(
        place,
        west=min(place.west, low[0]),
        south=min(place.south, low[1]),
        east=max(place.east, high[0]),
        north=max(place.north, high[1]),
        z_min=None if place.z_min is None else min(place.z_min, low[2]),
        z_max=None if place.z_max is None else max(place.z_max, high[2]),
    )


def _middles(footprints: planar.Shapes, low: Floats, high: Floats) -> Floats:
    """Centroids (n, 2) of footprints; the middle of the bounds where there is no footprint."""
    middle = (low[:, :2] + high[:, :2]) / 2
    has_area = ~planar.missing(footprints)
    middle[has_area] = planar.centroids(footprints[has_area])
    return middle


def native(batch: GeometryBatch) -> Floats:
    """Native coordinates (points, 3) of a batch, origins added back."""
    present, start = _spans(batch)
    counts = np.diff(np.append(start, len(batch.xyz)))
    return batch.xyz + np.repeat(batch.origin[present], counts, axis=0)


def _mesh(
    shown: GeometryBatch | Boundary,
    surface_type: Ints,
    ecef: Floats,
    groups: Sequence[Sequence[Geometry]],
    results: Sequence[Derived],
) -> None:
    """Meshes of objects that all have a place on the ellipsoid; ``surface_type`` (surfaces,)."""
    for result, mesh in zip(results, build_meshes(shown, surface_type, ecef, groups=groups), strict=True):
        if isinstance(mesh, MeshFailure):
            result.problem = mesh.reason
        elif mesh.triangles:
            result.mesh = mesh
