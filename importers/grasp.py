"""How a file is understood: its source, reference system, axis order, place and dataset.

Decided once, on the first features, and by what a person says.
"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from importers.port import Model, ModelMetadata, Refused
from importers.selection import EVERYTHING, Selection
from importers.sources import SOURCES, Source, recognise
from twin.db.load import DatasetSpec
from twin.errors import AxisOrderUnclear, InvalidParameter, UnknownReferenceSystem
from twin.model.axis import AxisOrder, decide_axis_order, swap
from twin.model.cityobject import CityFeature
from twin.model.crs import Placer, ReferenceSystem, parse_reference_system
from twin.model.geometry import Floats


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What a person may say about an import; each setting overrides what the file says."""

    city: str | None = None
    dataset: str | None = None
    crs: str | None = None
    axis_order: AxisOrder | None = None
    undulation_m: float | None = None
    allow_unplaced: bool = False
    dry_run: bool = False
    complete: bool = False
    jobs: int = 1
    fail_fast: bool = False
    selection: Selection = EVERYTHING
    sources: tuple[Source, ...] = ()

    def described(self) -> tuple[object, ...]:
        """All that decides what becomes of a file; the same for the same options, in every process."""
        said = (self.city, self.dataset, self.crs, self.axis_order, self.undulation_m, self.allow_unplaced)
        sources = [
            (replace(source, mapping=None, signs=frozenset()), sorted(source.signs), source.described())
            for source in self.sources
        ]
        return (*said, self.selection.key(), sources)


@dataclass(frozen=True, slots=True)
class Grasp:
    """How a file is understood, decided on its first features."""

    source: Source
    placer: Placer
    axis_order: AxisOrder
    axis_reason: str
    spec: DatasetSpec


def grasp(path: Path, model: Model, features: Sequence[CityFeature], options: ImportOptions) -> Grasp:
    """Decide by the first features of a file; InputError where it cannot be understood."""
    stated = _reference(path, options.crs or model.metadata.reference_system, options)
    try:
        return _grasp_in(stated, model, features, options)
    except (AxisOrderUnclear, UnknownReferenceSystem):
        if not options.allow_unplaced:
            raise
        return _grasp_in(ReferenceSystem(None), model, features, options)


def _grasp_in(
    stated: ReferenceSystem, model: Model, features: Sequence[CityFeature], options: ImportOptions
) -> Grasp:
    metadata = model.metadata
    roots = [feature.root for feature in features]
    known = (*options.sources, *SOURCES)
    likely = recognise(metadata, stated, roots, None, options.city, known)
    reference = likely.complete(stated)
    sample = _sample(features)
    axis = decide_axis_order(reference, sample, options.axis_order or likely.axis_order)
    points = swap(sample, axis.order)
    undulation_m = likely.undulation_m if options.undulation_m is None else options.undulation_m
    placer = Placer.create(reference, undulation_m=undulation_m)
    # Only now is it known where the model lies, which may tell the city.
    source = recognise(metadata, stated, roots, _middle(placer.lonlat(points)), options.city, known)
    spec = _spec(source, metadata, placer, points, options)
    return Grasp(source, placer, axis.order, axis.reason, spec)


def _reference(path: Path, stated: str | None, options: ImportOptions) -> ReferenceSystem:
    try:
        return parse_reference_system(stated)
    except UnknownReferenceSystem as error:
        if options.allow_unplaced:
            return ReferenceSystem(None)
        raise UnknownReferenceSystem(
            f"{path}: {error}, or import it without a place by --allow-unplaced"
        ) from error


def first_of(stream: Iterable[CityFeature | Refused]) -> deque[CityFeature | Refused]:
    """The entries that a file is understood by: as many as have enough points, but not too many."""
    head: deque[CityFeature | Refused] = deque()
    points = 0
    for entry in stream:
        head.append(entry)
        if isinstance(entry, CityFeature):
            points += sum(len(g.xyz) for item in entry for g in item.geometries)
        if len(head) >= _MOST_FEATURES or points >= _MOST_POINTS:
            break
    return head


_MOST_FEATURES, _MOST_POINTS = 200, 20_000


def _sample(features: Iterable[CityFeature]) -> Floats:
    """Coordinates (n, 3) of the first features, in file order."""
    geometries = (g.xyz for feature in features for item in feature for g in item.geometries)
    return np.concatenate([np.zeros((0, 3)), *geometries])[:_MOST_POINTS]


def _middle(lonlat: Floats) -> tuple[float, float] | None:
    placed = lonlat[np.isfinite(lonlat).all(axis=1)]
    if not len(placed):
        return None
    lon, lat = np.median(placed, axis=0).tolist()
    return lon, lat


def _spec(
    source: Source, metadata: ModelMetadata, placer: Placer, points: Floats, options: ImportOptions
) -> DatasetSpec:
    synthetic = metadata.synthetic
    name = options.dataset or source.name + ("_synthetic" if synthetic else "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,62}", name):
        raise InvalidParameter(
            f"'{name}' is no name for a dataset; use lower-case letters, digits, '-' and '_'"
        )
    return DatasetSpec(
        name=name,
        title=f"SYNTHETIC {source.title}" if synthetic else source.title,
        city=source.city,
        synthetic=synthetic,
        horizontal_epsg=placer.reference.horizontal,
        vertical_epsg=placer.reference.vertical,
        placement=placer.place(points),
        heights=placer.heights_at(points),
        publisher=None if synthetic else source.publisher,
        licence=None if synthetic else source.licence,
        document=metadata.document,
    )
