"""`twin process`: measure again what is stored. The only module of processing that touches the database."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy import Connection, Engine

from twin.db.load import DatasetSpec, Loader, Row, stored_specs
from twin.db.objects import features, fetch, geometry_rows, object_rows, outdated_roots
from twin.errors import NotFound
from twin.model.attributes import Origin, of_origin
from twin.model.cityobject import CityFeature
from twin.model.crs import Placer, ReferenceSystem
from twin.processing.compute import VERSION
from twin.processing.derive import Derived, derive
from twin.processing.rows import Entry, Membership, rows_of

SOURCE_NAMES = tuple(attribute.name for attribute in of_origin(Origin.SOURCE))
BATCH_FEATURES = 500
Progress: TypeAlias = Callable[[int, int], None]
"""Called with features done and features in all."""


@dataclass(slots=True)
class ProcessReport:
    """What `process` did with one dataset."""

    dataset: str
    outdated: int = 0
    rows_written: int = 0
    problems: list[str] = field(default_factory=list[str])


def process(
    engine: Engine, name: str | None = None, *, force: bool = False, progress: Progress | None = None
) -> list[ProcessReport]:
    """Measure again what another version of the measuring has measured, or everything.

    Each dataset is one transaction. NotFound where there is no dataset of that name.
    """
    with engine.connect() as connection:
        datasets = stored_specs(connection, name)
    if name is not None and not datasets:
        raise NotFound(f"There is no dataset '{name}'; `twin datasets` lists them.")
    return [_process_dataset(engine, spec, force, progress or _silent) for _, spec in datasets]


def _silent(_done: int, _all: int) -> None: ...


def _process_dataset(engine: Engine, spec: DatasetSpec, force: bool, progress: Progress) -> ProcessReport:
    report = ProcessReport(spec.name)
    placer = Placer.create(
        ReferenceSystem(spec.horizontal_epsg, spec.vertical_epsg),
        undulation_m=spec.heights.get("given_undulation_m"),
    )
    with engine.begin() as connection:
        loader = Loader(connection, spec)
        outdated = list(
            connection.execute(outdated_roots(loader.dataset_id, None if force else VERSION)).scalars()
        )
        report.outdated = len(outdated)
        for start in range(0, len(outdated), BATCH_FEATURES):
            _process_batch(connection, loader, placer, outdated[start : start + BATCH_FEATURES], report)
            progress(min(start + BATCH_FEATURES, len(outdated)), len(outdated))
        report.rows_written = loader.rows_written
        if loader.rows_written:
            loader.revise()
    return report


def _process_batch(
    connection: Connection, loader: Loader, placer: Placer, roots: Sequence[str], report: ProcessReport
) -> None:
    rows = fetch(connection, object_rows(loader.dataset_id, roots))
    stored = {row["object_id"]: row for row in rows}
    batch = features(rows, fetch(connection, geometry_rows(loader.dataset_id, roots)))
    entries = [_stored_entry(f, d, stored) for f, d in zip(batch, derive(batch, placer), strict=True)]
    loader.refresh(rows_of(entries, Membership.of(loader.dataset_id, loader.spec)))
    report.problems.extend(f"{e.feature.root.id}: {e.derived.problem}" for e in entries if e.derived.problem)


def _stored_entry(feature: CityFeature, derived: Derived, stored: Mapping[str, Row]) -> Entry:
    read = {item.id: {name: stored[item.id][name] for name in SOURCE_NAMES} for item in feature}
    root = stored[feature.root.id]
    return Entry(feature, read, derived, bytes(root["content_hash"]), root["run_id"])
