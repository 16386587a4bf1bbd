"""Roof faces one by one: slope, azimuth, area and outline, for those who plan solar panels."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from twin.model.cells import quadkeys
from twin.model.cityobject import CityFeature, shapes_at
from twin.model.crs import Placer, web_mercator
from twin.model.geometry import Floats, Geometry, GeometryBatch, Ints, SurfaceType, concatenate
from twin.processing import footprint, planar, segments
from twin.processing.compute import measure_core
from twin.processing.planar import Shapes
from twin.processing.rows import Membership, feature_text
from twin.processing.values import Values, plain_column

SMALLEST_M2 = 0.01
"""Faces below ten by ten centimetres are seams of the model, not roofs."""

GEOJSON_DECIMALS = 7

_MEASURES = ("slope_deg", "azimuth_deg", "area_m2", "plan_area_m2", "height_min_m", "height_max_m")


@dataclass(frozen=True, slots=True, eq=False)
class _Faces:
    """The roof faces of a batch: their surfaces, measures (faces, 6) and outlines in degrees.

    ``heights`` (faces, 2) are ellipsoidal, of the lowest and the highest point; NaN where unknown.
    """

    surface: Ints
    measures: Floats
    outlines: Shapes
    heights: Floats


def roof_face_rows(
    features: Sequence[CityFeature], lods: Sequence[str], placer: Placer, membership: Membership
) -> dict[str, list[Values]]:
    """Rows of ``roof_face`` for each feature at its LoD, by the id of its root object."""
    groups = [shapes.whole() for shapes in shapes_at(features, lods)]
    batch = concatenate(groups)
    faces = _faces(batch, placer)
    rows: dict[str, list[Values]] = {feature.root.id: [] for feature in features}
    owner: list[int] = batch.object_of_surface()[faces.surface].tolist()
    ordinal: list[int] = (faces.surface - batch.object_start[owner]).tolist()
    attributes = _attributes(groups)
    measured = zip(*(plain_column(column) for column in faces.measures.T), strict=True)
    places = _places(faces.outlines, faces.heights)
    for face, (place, numbers) in enumerate(zip(places, measured, strict=True)):
        root = features[owner[face]].root.id
        values = dict(zip(_MEASURES, numbers, strict=True))
        about = {**_identity(root, ordinal[face], membership), **values}
        rows[root].append(_row(about, attributes[int(faces.surface[face])], place, membership))
    return rows


def _faces(batch: GeometryBatch, placer: Placer) -> _Faces:
    measures = measure_core(batch)
    chosen = np.flatnonzero(
        (measures.surface_type == SurfaceType.ROOF) & (measures.face_area_m2 >= SMALLEST_M2)
    )
    plans = planar.as_multipolygons(planar.moved(footprint.plans(batch, chosen), _offsets(batch, chosen)))
    points = batch.ring_start[batch.surface_start]
    base = batch.origin[batch.object_of_surface()[chosen], 2]
    z = batch.xyz[:, 2]
    area = planar.area(plans)
    measured = (
        measures.face_slope_deg[chosen],
        measures.face_azimuth_deg[chosen],
        measures.face_area_m2[chosen],
        np.where(np.isfinite(area), area, 0.0),
        segments.minima(z, points)[chosen] + base,
        segments.maxima(z, points)[chosen] + base,
    )
    outlines = planar.transformed(plans, placer.lonlat)
    return _Faces(chosen, np.column_stack(measured), outlines, _ellipsoidal(outlines, measured[4:], placer))


def _ellipsoidal(outlines: Shapes, levels: Sequence[Floats], placer: Placer) -> Floats:
    """Ellipsoidal heights (faces, 2) of levels in the native system, by the geoid at each centroid."""
    found = np.full((len(outlines), 2), np.nan)
    there = ~planar.missing(outlines)
    lonlat = planar.centroids(outlines[there])
    points = np.zeros((len(lonlat), 3))
    for column, level in enumerate(levels):
        points[:, 2] = level[there]
        found[there, column] = placer.ellipsoidal_heights(points, lonlat)
    return found


def _offsets(batch: GeometryBatch, chosen: Ints) -> Floats:
    return batch.origin[batch.object_of_surface()[chosen], :2]


def _attributes(groups: Sequence[Sequence[Geometry]]) -> list[dict[str, Any] | None]:
    """What the source says of the semantic surface of each surface of the batch."""
    found: list[dict[str, Any] | None] = []
    for group in groups:
        for geometry in group:
            known = [surface.attributes or None for surface in geometry.semantics]
            semantic: list[int] = geometry.semantic.tolist()
            found.extend(known[i] if i >= 0 else None for i in semantic)
    return found


_BOUNDS = ("west", "south", "east", "north", "z_min", "z_max")


def _places(outlines: Shapes, heights: Floats) -> Iterator[dict[str, Any]]:
    mercator = planar.transformed(outlines, web_mercator)
    keys: list[int | None] = [None] * len(outlines)
    there = np.flatnonzero(~planar.missing(outlines))
    if len(there):
        for index, key in zip(there.tolist(), quadkeys(planar.centroids(outlines[there])), strict=True):
            keys[index] = int(key)
    columns = (
        planar.ewkb(outlines, 4326),
        planar.ewkb(mercator, 3857),
        planar.geojson(outlines, GEOJSON_DECIMALS),
        keys,
        np.column_stack([planar.bounds(outlines), heights]),
    )
    for plain_, web, text, key, box in zip(*columns, strict=True):
        bounds = {name: None if v != v else float(v) for name, v in zip(_BOUNDS, box, strict=True)}
        yield {"footprint": plain_, "footprint_3857": web, "text": text, "quadkey": key, **bounds}


def _identity(root: str, ordinal: int, membership: Membership) -> Values:
    building = f"{membership.dataset}.{root}"
    return {
        "id": f"{building}.{ordinal}",
        "dataset": membership.dataset,
        "object_id": root,
        "building": building,
        "city": membership.city,
        "synthetic": membership.synthetic,
        "face": ordinal,
    }


def _row(
    about: Values, attributes: dict[str, Any] | None, place: dict[str, Any], membership: Membership
) -> Values:
    properties = {name: value for name, value in about.items() if name != "id"}
    text = feature_text(about["id"], place["text"], {**properties, "attributes": attributes or {}})
    return {
        **about,
        "dataset_id": membership.dataset_id,
        "attributes": attributes,
        **{name: place[name] for name in ("footprint", "footprint_3857", "quadkey", *_BOUNDS)},
        "row_hash": hashlib.blake2b(text, digest_size=16).digest(),
        "geojson": text.decode(),
    }
