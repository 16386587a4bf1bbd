"""From features, easting first, to rows: harmonise, measure, mesh.

Pure, so that batches can be prepared in several processes.
"""

import os
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Literal

from importers.harmonise import harmonise
from importers.port import Refused
from importers.report import Tally
from importers.sources import Source
from twin.db.load import Rows
from twin.model.cityobject import CityFeature
from twin.model.crs import Placer
from twin.processing.derive import Derived, Values, derive
from twin.processing.rows import Entry, Membership, rows_of

_WATCH_S = 2.0


@dataclass(frozen=True, slots=True)
class Understanding:
    """How the features of one file are to be understood."""

    source: Source
    placer: Placer
    membership: Membership
    run_id: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A feature that is new or changed, easting first, with its content hash."""

    feature: CityFeature
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Change:
    """Why a candidate has to be written."""

    candidate: Candidate
    kind: Literal["added", "geometry_changed", "attributes_changed"]


@dataclass(slots=True)
class Prepared:
    """Rows of a batch and what there is to say about it."""

    rows: Rows
    refused: list[Refused] = field(default_factory=list[Refused])
    problems: list[Refused] = field(default_factory=list[Refused])
    unknown_codes: Counter[str] = field(default_factory=Counter[str])


@dataclass(slots=True)
class Batch:
    """Features that have to be written, by the id of their root, and what else was read up to there.

    ``entries`` counts what was read of the source from its start.
    """

    changes: dict[str, Change]
    entries: int
    tally: Tally


def prepared_batches(
    batches: Iterator[Batch], understanding: Understanding, jobs: int
) -> Iterator[tuple[Batch, Prepared]]:
    """Each batch with its rows, in order; ``jobs`` processes share the work where there are several."""
    if jobs <= 1:
        for batch in batches:
            yield batch, prepare(_candidates(batch), understanding)
        return
    waiting: deque[tuple[Batch, Future[Prepared]]] = deque()
    workers = ProcessPoolExecutor(
        jobs, mp_context=get_context("spawn"), initializer=_end_with, initargs=(os.getpid(),)
    )
    with workers:
        for batch in batches:
            waiting.append((batch, workers.submit(prepare, _candidates(batch), understanding)))
            # A short queue keeps the workers busy and the memory flat.
            while len(waiting) > jobs:
                first, rows = waiting.popleft()
                yield first, rows.result()
        for batch, rows in waiting:
            yield batch, rows.result()


def _end_with(parent: int) -> None:
    """Let a worker end when the program that started it was killed and can no longer tell it."""
    threading.Thread(target=_watch, args=(parent,), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_WATCH_S)
    os._exit(1)


def _candidates(batch: Batch) -> list[Candidate]:
    return [change.candidate for change in batch.changes.values()]


def prepare(candidates: Sequence[Candidate], understanding: Understanding) -> Prepared:
    """The rows of a batch. A feature that cannot be measured is refused by itself."""
    derived, refused = _derive_each([c.feature for c in candidates], understanding.placer)
    prepared = Prepared(Rows(), refused=refused)
    entries: list[Entry] = []
    for candidate, result in zip(candidates, derived, strict=True):
        if result is None:
            continue
        values = _harmonised(candidate.feature, understanding.source, prepared.unknown_codes)
        entries.append(Entry(candidate.feature, values, result, candidate.content_hash, understanding.run_id))
        if result.problem:
            prepared.problems.append(_without_mesh(candidate.feature, result.problem))
    prepared.rows = rows_of(entries, understanding.membership)
    return prepared


def _derive_each(
    features: Sequence[CityFeature], placer: Placer
) -> tuple[list[Derived | None], list[Refused]]:
    """Derive a batch at once; if that fails, one by one, so that one bad feature costs one feature."""
    try:
        return list[Derived | None](derive(features, placer)), []
    except Exception as error:  # whatever the cause, the others are to be kept
        if len(features) > 1:
            halves = [_derive_each([feature], placer) for feature in features]
            return [d for ds, _ in halves for d in ds], [r for _, rs in halves for r in rs]
        return [None], [_unmeasurable(features[0], error)]


def _unmeasurable(feature: CityFeature, error: Exception) -> Refused:
    reason = f"its geometry cannot be measured ({type(error).__name__}: {error})"
    return Refused("not-measurable", feature.root.id, feature.place, reason, "check it with a validator")


def _without_mesh(feature: CityFeature, reason: str) -> Refused:
    suggestion = "it is stored and can be queried, but tiles do not show it"
    return Refused("no-mesh", feature.root.id, feature.place, reason, suggestion)


def _harmonised(feature: CityFeature, source: Source, unknown: Counter[str]) -> dict[str, Values]:
    values: dict[str, Values] = {}
    for item in feature:
        harmonised = harmonise(source, item)
        values[item.id] = harmonised.values
        unknown.update(f"{name} {code}" for name, code in harmonised.unknown_codes)
    return values
