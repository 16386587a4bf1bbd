"""From files to the database: the only module of the importers that touches it.

A file is in the database whole, or not at all: its batches are committed to a stage, which is published
in one transaction at the end. An import that was interrupted goes on where it was. Features that are as
they were are not written again; changed ones become a new version and the old one goes to history.
"""

import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from sqlalchemy import Connection, Engine

from importers.batches import Batch, Candidate, Kind, Prepared, Understanding
from importers.grasp import Grasp, ImportOptions, first_of, grasp
from importers.identity import HALF, VERSION, content_hash, file_hash, seed
from importers.image_sources import Folder, ImageSource
from importers.images import Images, used
from importers.orient import east_first
from importers.port import Model, Refusal, Refused
from importers.reader import open_model
from importers.report import Report, Tally
from importers.workers import prepared_batches
from twin.db.load import DatasetSpec, Loader, PackedRows
from twin.db.runs import same_import
from twin.db.stage import Begun, Stage, staging
from twin.errors import InputError, InvalidParameter, UnreadableFile
from twin.model.cityobject import CityFeature
from twin.model.geometry import Floats

_EMPTY = Refused(
    "empty-model", None, "CityObjects", "the model holds no city objects; only its metadata are stored",
    "check that the export was complete",
)  # fmt: skip
_UNDERSTOOD = (
    "format", "dataset", "city", "reference_system", "axis_order", "axis_reason", "placement", "heights",
    "bytes",
)  # fmt: skip
"""Members of a report that tell how the file was understood."""
BATCH_FEATURES = 200
BATCH_POINTS = 50_000
_IMAGES = 1
"""Counted up when more is kept of images: what was imported before is looked through once more."""

Progress = Callable[[int, int], None]
"""Called with bytes read and bytes in all."""


@dataclass(slots=True)
class Ingest:
    """Imports the files of one command; ``seen`` remembers the ids of each dataset among them."""

    engine: Engine
    options: ImportOptions = field(default_factory=ImportOptions)
    progress: Progress = lambda _done, _size: None
    waits: Callable[[str], None] = lambda _message: None
    seen: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    specs: dict[str, DatasetSpec] = field(default_factory=dict[str, DatasetSpec])

    def run(self, path: Path, name: str | None = None, images: ImageSource | None = None) -> Report:
        """Import one file; ``name`` is what the report calls it, ``images`` are beside it as a rule.

        Raises InputError where the file cannot be used at all; the database is then as it was.
        """
        if self.options.complete and self.options.selection:
            raise InvalidParameter("--complete with --only or --lod would end all that was not asked for")
        started = time.monotonic()
        digest = file_hash(path)
        how = version("finest-twin"), self.options.described(), _IMAGES
        given = seed(digest, VERSION, *how).hex()
        report = self._again(given, name or str(path)) or self._import(
            path, name or str(path), (digest, given), images or Folder(path.parent)
        )
        report.seconds = time.monotonic() - started
        return report

    def _again(self, given: str, name: str) -> Report | None:
        """The report of the same import done before, which need not be done again; None if it has to be.

        A complete delivery is read for its ids, one with images for these: they may be others now.
        """
        before = None if self.options.complete else same_import(self.engine, given)
        if before is None or (self.options.fail_fast and before["refused"]):
            return None
        if before["images"] or before["images_lost"]:
            return None
        report = Report(
            **{key: before[key] for key in _UNDERSTOOD}, source=name, dry_run=self.options.dry_run
        )
        report.repeat(before)
        self.progress(report.bytes, report.bytes)
        return report

    def _import(self, path: Path, name: str, keys: tuple[bytes, str], images: ImageSource) -> Report:
        digest, given = keys
        model = open_model(path)
        stream = iter(model)
        head = first_of(stream)
        understood = grasp(path, model, [e for e in head if isinstance(e, CityFeature)], self.options)
        report = _new_report(name, model, understood, self.options)
        self.specs[understood.spec.name] = understood.spec
        # An id may return in another file of the delivery, as on the border of two sheets; not in one.
        seen: set[str] = set()
        found = Images(images, _default_themes(model))
        with staging(self.engine, understood.spec, dry_run=self.options.dry_run, waits=self.waits) as stage:
            try:
                _FileImport(self, model, stage, understood, report, seen, given, found).store(
                    digest, chain(_taken_from(head), stream)
                )
            except InputError:
                stage.discard()
                raise
        self.seen.setdefault(understood.spec.name, set()).update(seen)
        return report

    def end_absent(self) -> dict[str, int]:
        """End the features that none of the files held; how many, by dataset."""
        ended: dict[str, int] = {}
        for name, seen in self.seen.items():
            with _transaction(self.engine, keep=not self.options.dry_run) as connection:
                loader = Loader(connection, self.specs[name])
                absent = loader.absent_from(seen)
                if absent:
                    loader.end(absent)
                    loader.finish({"source": "complete delivery", "report": {"removed": len(absent)}})
                ended[name] = len(absent)
        return ended


def _default_themes(model: Model) -> tuple[str | None, str | None]:
    """The themes that the head of a CityJSON file wants to be shown (2.0, section 5)."""
    stated = model.metadata.document.get("appearance", {})
    texture, material = (stated.get(f"default-theme-{kind}") for kind in ("texture", "material"))
    return texture, material


def _taken_from(head: deque[CityFeature | Refused]) -> Iterator[CityFeature | Refused]:
    """What was read to understand the file, each entry kept no longer than it is needed."""
    while head:
        yield head.popleft()


@contextmanager
def _transaction(engine: Engine, *, keep: bool) -> Generator[Connection, None, None]:
    with engine.connect() as connection, connection.begin() as transaction:
        yield connection
        if not keep:
            transaction.rollback()


def _new_report(name: str, model: Model, grasp: Grasp, options: ImportOptions) -> Report:
    return Report(
        source=name,
        format=model.metadata.format,
        dataset=grasp.spec.name,
        city=grasp.spec.city,
        reference_system=str(grasp.placer.reference),
        axis_order=grasp.axis_order,
        axis_reason=grasp.axis_reason,
        placement=grasp.spec.placement,
        heights=grasp.spec.heights,
        bytes=model.size,
        dry_run=options.dry_run,
    )


@dataclass(slots=True)
class _FileImport:
    """One file on its way into one dataset."""

    ingest: Ingest
    model: Model
    stage: Stage
    grasp: Grasp
    report: Report
    seen: set[str]
    given: str
    images: Images
    waiting: Tally = field(default_factory=Tally)
    seed: bytes = b""

    def __post_init__(self) -> None:
        # What else decides how a feature is stored: the same bytes elsewhere are another feature.
        grasp = self.grasp
        source = (grasp.source.name, grasp.spec.city, grasp.source.described())
        self.seed = seed(VERSION, grasp.placer.reference, *source)

    def store(self, digest: bytes, entries: Iterable[CityFeature | Refused]) -> None:
        """Read everything and write what is new, from where an interrupted import of the same ended."""
        how = seed(self.seed, self.grasp.axis_order, self.ingest.options.selection.key(), _IMAGES)
        begun = self.stage.begin(digest[:HALF] + how)
        for tally in begun.tallies:
            self.report.take(Tally.from_dict(tally))
        self.report.resumed_after = self.report.read
        self._read(entries, begun)

    def _read(self, entries: Iterable[CityFeature | Refused], begun: Begun) -> None:
        batches = self._batches(entries, begun.entries)
        understanding = self._understanding(begun)
        for batch, prepared in prepared_batches(batches, understanding, self.ingest.options.jobs):
            self._write(batch, prepared)
        self.report.not_stored.update(self.model.ledger)
        self.report.images, self.report.images_lost = self.images.kept, self.images.lost
        if self._is_empty():
            self.report.refused.append(_EMPTY)
            self.stage.write(PackedRows(), 0, self.waiting.as_dict())
        elif not self.report.read and not self.report.left_out:
            raise UnreadableFile(self._nothing_read())
        stored = {k: v for k, v in self.report.as_dict().items() if k not in ("changes", "resumed_after")}
        self.stage.publish(stored | {"given": self.given})

    def _understanding(self, begun: Begun) -> Understanding:
        grasp = self.grasp
        return Understanding(grasp.source, grasp.placer, begun.dataset_id, grasp.spec, begun.run_id)

    def _batches(self, entries: Iterable[CityFeature | Refused], stored: int) -> Iterator[Batch]:
        """New and changed features, some hundreds at a time; what is stored is only remembered."""
        waiting: list[Candidate] = []
        tally = Tally()
        number = points = 0
        for number, read in enumerate(entries, 1):
            is_feature = isinstance(read, CityFeature)
            entry = east_first(read, self.grasp.axis_order) if is_feature else read
            if number <= stored:
                self._remember(entry)
                continue
            candidate = self._candidate(entry, tally)
            if candidate is None:
                continue
            waiting.append(candidate)
            points += sum(len(g.xyz) for item in candidate.feature for g in item.geometries)
            if len(waiting) >= BATCH_FEATURES or points >= BATCH_POINTS:
                yield self._batch(waiting, number, tally)
                waiting, points, tally = [], 0, Tally()
        yield self._batch(waiting, number, tally)

    def _remember(self, entry: CityFeature | Refused) -> None:
        """Take the ids of a feature that an interrupted import stored, as it did."""
        selection = self.ingest.options.selection
        if isinstance(entry, CityFeature) and (not selection or selection.takes(entry, self._lonlat)):
            ids = [item.id for item in entry]
            if self.seen.isdisjoint(ids) and len(set(ids)) == len(ids):
                self.seen.update(ids)
                self.images.of(entry)

    def _candidate(self, entry: CityFeature | Refused, tally: Tally) -> Candidate | None:
        if isinstance(entry, Refused):
            self._refuse(tally, entry)
            return None
        selection = self.ingest.options.selection
        if selection and not selection.takes(entry, self._lonlat):
            tally.left_out += 1
            return None
        entry = self.images.of(selection.narrowed(entry))
        try:
            self._take_ids(entry)
            return Candidate(entry, content_hash(entry, self.seed))
        except Refusal as refusal:
            self._refuse(tally, refusal.refused(entry.root.id, entry.place))
            return None

    def _refuse(self, tally: Tally, entry: Refused) -> None:
        """Note a feature that is not stored, or end the import there if that is wanted."""
        if self.ingest.options.fail_fast:
            who = f" {entry.object_id}" if entry.object_id else ""
            raise InputError(
                f"{self.report.source}: {entry.place}{who}: {entry.reason} [{entry.code}]."
                f" {entry.suggestion}; nothing was imported, as --fail-fast asks"
            )
        tally.refused.append(entry)

    def _lonlat(self, xyz: Floats) -> Floats:
        return self.grasp.placer.lonlat(xyz)

    def _take_ids(self, feature: CityFeature) -> None:
        ids = [item.id for item in feature]
        twice = next((i for i in ids if i in self.seen), None) or (len(set(ids)) < len(ids) and ids[0])
        if twice:
            raise Refusal(
                "duplicate-id", f"the id '{twice}' occurs twice", "the first object with it was kept"
            )
        self.seen.update(ids)

    def _batch(self, candidates: Sequence[Candidate], entries: int, tally: Tally) -> Batch:
        self.ingest.progress(self.model.position, self.model.size)
        tally.read += len(candidates)
        known = self.stage.known([item.id for c in candidates for item in c.feature])
        batch = Batch([], {}, entries, tally)
        for candidate in candidates:
            kind = self._kind(candidate, known, tally)
            if kind is not None:
                batch.candidates.append(candidate)
                batch.images.update(used(candidate.feature))
                batch.kinds[candidate.feature.root.id] = kind
        return batch

    def _kind(self, candidate: Candidate, known: dict[str, tuple[str, bytes]], tally: Tally) -> Kind | None:
        root = candidate.feature.root
        stranger = next((i.id for i in candidate.feature if known.get(i.id, (root.id,))[0] != root.id), None)
        if stranger is not None:
            reason = f"the object '{stranger}' belongs to '{known[stranger][0]}' in the database"
            refused = Refusal("id-in-other-feature", reason, "import the delivery as a dataset of its own")
            self._refuse(tally, refused.refused(root.id, candidate.feature.place))
            return None
        if root.id not in known:
            return "added"
        before = known[root.id][1]
        if before == candidate.content_hash:
            tally.unchanged += 1
            return None
        same_geometry = before[:HALF] == candidate.content_hash[:HALF]
        return "attributes_changed" if same_geometry else "geometry_changed"

    def _write(self, batch: Batch, prepared: Prepared) -> None:
        """Commit a batch with what it adds to the report."""
        tally = batch.tally
        refused = {entry.object_id for entry in prepared.refused}
        for key, kind in batch.kinds.items():
            if key not in refused:
                tally.count(kind, key, listed=not self.stage.is_new)
        for entry in prepared.refused:
            self._refuse(tally, entry)
        tally.problems.extend(prepared.problems)
        tally.unknown_codes.update(prepared.unknown_codes)
        tally.read -= len(prepared.refused)
        tally.rows_written = len(prepared.rows)
        self.report.take(tally)
        # What was unchanged is committed with the next rows: it is quick to read again.
        self.waiting.add(tally)
        if tally.rows_written:
            images = self.images.rows(batch.images, self.stage.dataset_id)
            self.stage.write(prepared.rows.with_images(list(images)), batch.entries, self.waiting.as_dict())
            self.waiting = Tally()
        self.ingest.progress(self.model.position, self.model.size)

    def _is_empty(self) -> bool:
        """Whether the model is sound and holds nothing but metadata, which are stored."""
        counted = self.report.read or self.report.left_out or self.report.refused
        return not counted and bool(self.model.metadata.document)

    def _nothing_read(self) -> str:
        if not self.report.refused:
            return f"{self.report.source}: holds no city objects; nothing was imported"
        first = self.report.refused[0]
        more = f" ({len(self.report.refused)} features were refused)" if len(self.report.refused) > 1 else ""
        reason = f"{first.reason}{more}; {first.suggestion}; nothing was imported"
        return f"{self.report.source}: {first.place}: {reason}"
