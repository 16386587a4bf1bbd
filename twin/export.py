"""A dataset, or part of it, as CityJSON 2.0, CityJSONSeq or CityGML 2.0.

What was imported from CityJSON comes back as it was, down to appearances, templates and members of
Extensions (``twin.formats.canonical`` says what counts as the same).
"""

from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

import numpy as np
import orjson

from twin.db.engine import Database
from twin.db.load import DatasetSpec, stored_specs
from twin.db.query import Selection
from twin.db.stored_features import stored_features, stored_image
from twin.errors import InputError, NotFound, UnknownReferenceSystem
from twin.export_images import ExportedImages
from twin.formats import Format, citygml
from twin.formats.cityjson import Transform, cityjson_document, cityjson_feature, cityjson_header, groups_of
from twin.formats.cityjson_geometry import Templates
from twin.model.cityobject import CityFeature
from twin.model.crs import ReferenceSystem, parse_reference_system
from twin.model.geometry import Floats, Geometry

Features: TypeAlias = Callable[[], Iterator[CityFeature]]
"""Gives the features from the beginning, each time it is called."""
_EPSG = "https://www.opengis.net/def/crs/EPSG/0/"
_FORMATS: dict[str, Format] = {
    ".jsonl": "cityjsonseq",
    ".json": "cityjson",
    ".gml": "citygml",
    ".xml": "citygml",
}
_COARSEST, _FINEST = 3, 9
"""Decimals of a metre: coordinates are written with as many as they need, at least millimetres."""


def format_of(path: Path) -> Format:
    """The format that a file name asks for; InputError where it asks for none."""
    try:
        return _FORMATS[path.suffix.lower()]
    except KeyError:
        known = ", ".join(_FORMATS)
        raise InputError(f"{path}: the format is not clear from the name ({known}); say --format") from None


def write_features(
    opened: Database,
    out: Path,
    selection: Selection,
    format: Format,
    *,
    repaired: bool = False,
    ledger: Counter[str] | None = None,
) -> "Written":
    """Write the selected features of one dataset, and beside them the images of their textures.

    Raises NotFound where there are none, InputError where other files have the names of images.
    ``repaired`` writes repaired geometries in place of the invalid ones; what was done is in the
    attribute ``geometryRepaired``. ``ledger`` takes up what the format has no place for.
    """
    # One snapshot, so that both passes see the same whatever is imported meanwhile.
    engine = opened.engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        name = selection.datasets[0]
        found = stored_specs(connection, name)
        if not found:
            raise NotFound(f"There is no dataset '{name}'; `twin datasets` lists them.")
        whole = _Whole(found[0][1], lambda: stored_features(connection, selection, repaired=repaired))
        whole.survey()
        if not whole.count and (selection.conditions or selection.view.valid_at):
            raise NotFound("No feature fits the filter or time; nothing was written.")
        images = whole.images.write(out.parent, partial(stored_image, connection))
        with _replaced(out) as file:
            is_part = bool(selection.conditions or selection.view.valid_at)
            _WRITERS[format](whole, file, partial=is_part)
    if ledger is not None:
        ledger.update(whole.ledger)
    return Written(whole.count, images)


@dataclass(frozen=True, slots=True)
class Written:
    """How many features there are, and how many images beside them."""

    features: int
    images: int


@contextmanager
def _replaced(out: Path) -> Generator[BinaryIO, None, None]:
    """A file that takes its name when it is whole."""
    partial = out.with_name(f"{out.name}.partial")
    try:
        with partial.open("wb") as file:
            yield file
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)


@dataclass(slots=True)
class _Whole:
    """A selection with what has to be known of all features before the first is written."""

    spec: DatasetSpec
    stored: Features
    count: int = 0
    groups: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    templates: Templates = field(default_factory=Templates)
    transform: Transform = field(default_factory=Transform)
    bounds: citygml.Bounds | None = None
    ledger: Counter[str] = field(default_factory=Counter[str])
    images: ExportedImages = field(default_factory=ExportedImages)

    def features(self) -> Iterator[CityFeature]:
        """The features, with the names of images under which these are written."""
        return map(self.images.taken, self.stored())

    def survey(self) -> None:
        """The first pass: images, bounds, needed decimals, templates, groups."""
        grid = _Grid(_stored_transform(self.spec.document))
        for feature in self.features():
            self.count += 1
            for member, groups in groups_of(feature).items():
                self.groups.setdefault(member, []).extend(groups)
            for geometry in _geometries(feature):
                grid.take(geometry.xyz)
                if geometry.instance is not None:
                    self.templates.number(geometry.instance.template)
        self.transform = grid.transform()
        self.bounds = grid.bounds()

    def head(self, *, partial: bool) -> dict[str, Any]:
        """The source's own members of the document; a part of the model has another extent."""
        head = dict(self.spec.document)
        metadata = dict(head.get("metadata") or {})
        if partial:
            metadata.pop("geographicalExtent", None)
        return head | {"metadata": metadata}

    def _stated(self, key: str) -> str | None:
        """A text of the source's own metadata."""
        metadata: dict[str, Any] = self.spec.document.get("metadata") or {}
        value = metadata.get(key)
        return value if isinstance(value, str) else None

    def reference(self) -> str | None:
        """The reference system as the source states it, unless the import was told another."""
        stated = self._stated("referenceSystem")
        known = ReferenceSystem(self.spec.horizontal_epsg, self.spec.vertical_epsg)
        if known.horizontal is None or (stated and _same(stated, known)):
            return stated
        return f"{_EPSG}{known.horizontal}"

    def title(self) -> str | None:
        """A title where the source gave none; synthetic cities must always say what they are."""
        return None if self._stated("title") or self.spec.document else self.spec.title


def _same(stated: str, known: ReferenceSystem) -> bool:
    try:
        found = parse_reference_system(stated)
    except UnknownReferenceSystem:
        return False
    return found.horizontal == known.horizontal and found.vertical in (None, known.vertical)


def _geometries(feature: CityFeature) -> Iterator[Geometry]:
    for item in feature:
        yield from item.geometries
        yield from (a.location for a in item.addresses if a.location is not None)


def _stored_transform(document: Mapping[str, Any]) -> Transform | None:
    stored = document.get("transform")
    if stored is None or not all(stored["scale"]):
        return None
    (a, b, c), (x, y, z) = stored["scale"], stored["translate"]
    return Transform((a, b, c), (x, y, z))


class _Grid:
    """Finds the coarsest grid that every coordinate lies on: the source's own, else decimals."""

    def __init__(self, stored: Transform | None) -> None:
        self._stored = stored
        self._decimals = _COARSEST
        self._low = np.full(3, np.inf)
        self._high = np.full(3, -np.inf)

    def take(self, xyz: Floats) -> None:
        if not len(xyz):
            return
        self._low = np.minimum(self._low, xyz.min(axis=0))
        self._high = np.maximum(self._high, xyz.max(axis=0))
        noise = np.spacing(np.abs(xyz).max()) * 4
        if self._stored is not None and np.abs(_rounded(xyz, self._stored) - xyz).max() > noise:
            self._stored = None
        while self._decimals < _FINEST and np.abs(np.round(xyz, self._decimals) - xyz).max() > noise:
            self._decimals += 1

    def bounds(self) -> citygml.Bounds | None:
        if not np.isfinite(self._low).all():
            return None
        (west, south, low), (east, north, high) = self._low.tolist(), self._high.tolist()
        return (west, south, low), (east, north, high)

    def transform(self) -> Transform:
        if self._stored is not None:
            return self._stored
        low = np.where(np.isfinite(self._low), np.floor(self._low), 0.0)
        x, y, z = low.tolist()
        step = float(f"1e-{self._decimals}")
        return Transform((step, step, step), (x, y, z))


def _rounded(xyz: Floats, transform: Transform) -> Floats:
    scale, translate = np.array(transform.scale), np.array(transform.translate)
    return transform.quantise(xyz).astype(np.float64) * scale + translate


def _write_document(whole: _Whole, file: BinaryIO, *, partial: bool) -> None:
    objects = [item for feature in whole.features() for item in feature]
    document = cityjson_document(
        objects,
        whole.reference(),
        title=whole.title(),
        transform=whole.transform,
        head=whole.head(partial=partial),
    )
    file.write(orjson.dumps(document))


def _write_sequence(whole: _Whole, file: BinaryIO, *, partial: bool) -> None:
    header = cityjson_header(
        whole.reference(),
        whole.transform,
        title=whole.title(),
        head=whole.head(partial=partial),
        templates=whole.templates,
    )
    file.write(orjson.dumps(header) + b"\n")
    for feature in whole.features():
        line = cityjson_feature(
            feature.objects, whole.transform, templates=whole.templates, groups=whole.groups
        )
        file.write(orjson.dumps(line) + b"\n")


def _write_citygml(whole: _Whole, file: BinaryIO, *, partial: bool) -> None:
    del partial
    spec = whole.spec
    head = citygml.Head(spec.title, spec.horizontal_epsg, spec.vertical_epsg, whole.bounds)
    whole.ledger = citygml.write(file, whole.features(), head)


_WRITERS: dict[Format, Callable[..., None]] = {
    "cityjson": _write_document,
    "cityjsonseq": _write_sequence,
    "citygml": _write_citygml,
}
