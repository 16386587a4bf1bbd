"""`twin process`: compute what is missing or out of date. The only module of processing with the database.

A *job* is one stage of one partition of a dataset. A worker reads the partition and the halo that
the stage declares, computes what is out of date, and writes only what the partition owns, in one
transaction. Jobs of a stage know nothing of each other; stages follow one another.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from twin.db import jobs
from twin.db.jobs import JobKey
from twin.db.load import DatasetSpec, Row, stored_specs
from twin.db.objects import features
from twin.db.refresher import Refresher
from twin.errors import NotFound
from twin.memory import collecting_later
from twin.model.attributes import Origin, of_origin
from twin.model.cells import LEVEL
from twin.model.cityobject import CityFeature
from twin.model.crs import Placer, ReferenceSystem, web_mercator
from twin.processing import explain as explaining
from twin.processing import planar
from twin.processing.compute import VERSION
from twin.processing.derive import Derived, derive
from twin.processing.neighbourhood import MARGIN, Members, map_scale
from twin.processing.partition import FEATURES, UNPLACED, Partition, divide
from twin.processing.refresh import refreshed
from twin.processing.report import Done, ProcessReport, Progress
from twin.processing.rows import Entry, Membership, changed, computed_rows
from twin.processing.scale_out import Workers
from twin.processing.stages import LATER_STAGES, Site, Stage

IMPORT = "import"
SOURCE_NAMES = tuple(attribute.name for attribute in of_origin(Origin.SOURCE))
BATCH_FEATURES = 500
_DEADLOCK = "40P01"


@dataclass(frozen=True, slots=True)
class Task:
    """A job for a worker, which may be on another machine: how to reach the database, and what to do."""

    url: URL
    key: JobKey
    force: bool

    @property
    def partition(self) -> Partition:
        return Partition(self.key.level, self.key.cell)

    def __str__(self) -> str:
        return f"stage {self.key.stage}, partition {self.partition}"


def process(
    engine: Engine,
    name: str | None = None,
    *,
    force: bool = False,
    workers: Workers = Workers(),
    partitions: int | None = None,
    progress: Progress | None = None,
) -> list[ProcessReport]:
    """Compute what is missing or out of date in one dataset or all, or everything by ``force``.

    ``partitions`` is how many parts a dataset is divided into, by default one for each thousand
    features. NotFound where there is no dataset of that name. Interrupted or failed, it leaves
    whole jobs behind, and the next call does the others.
    """
    with engine.connect() as connection:
        datasets = stored_specs(connection, name)
    if name is not None and not datasets:
        raise NotFound(f"There is no dataset '{name}'; `twin datasets` lists them.")
    run = _Run(engine, workers, force, partitions, progress or _silent)
    return [run.dataset(dataset_id, spec) for dataset_id, spec in datasets]


def _silent(_done: int, _all: int) -> None: ...


@dataclass(slots=True)
class _Run:
    engine: Engine
    workers: Workers
    force: bool
    partitions: int | None
    progress: Progress

    def dataset(self, dataset_id: int, spec: DatasetSpec) -> ProcessReport:
        report = ProcessReport(spec.name)
        with jobs.alone(self.engine, dataset_id):
            with self.engine.connect() as connection:
                keys = jobs.quadkeys(connection, dataset_id)
            parts = _divided(keys, self.partitions)
            report.partitions = len(parts)
            whole = len(keys) * (1 + len(LATER_STAGES))
            for number, (stage, algorithm) in enumerate(_algorithms().items()):
                tasks = self._planned(dataset_id, stage, algorithm, parts)
                self._stage(tasks, report, number * len(keys), whole)
            with self.engine.connect() as connection:
                report.invalid, report.repaired = jobs.verdicts(connection, dataset_id)
        return report

    def _planned(self, dataset_id: int, stage: str, algorithm: str, parts: Sequence[Partition]) -> list[Task]:
        served = [p for p in parts if stage == IMPORT or LATER_STAGES[stage].serves(p)]
        keys = [JobKey(dataset_id, stage, part.level, part.code) for part in served]
        if keys:
            with self.engine.begin() as connection:
                jobs.plan(connection, keys, algorithm)
        url = self.engine.url
        return [Task(url, key, self.force) for key in keys]

    def _stage(self, tasks: Sequence[Task], report: ProcessReport, before: int, whole: int) -> None:
        done = before
        # Without other processes, the connections of the caller serve.
        function = partial(_job, self.engine) if self.workers.are_here else run_job
        for result in self.workers.run(function, tasks):
            done += result.features
            report.computed[result.stage] = report.computed.get(result.stage, 0) + result.computed
            report.rows_written += result.rows_written
            report.problems.extend(result.problems)
            self.progress(done, whole)


def _algorithms() -> dict[str, str]:
    """The stages in their order, each with its name and version as one text."""
    return {IMPORT: f"{IMPORT} {VERSION}"} | {name: s.algorithm for name, s in LATER_STAGES.items()}


def _divided(keys: Sequence[int | None], count: int | None) -> list[Partition]:
    placed = np.array([key for key in keys if key is not None], dtype=np.int64)
    parts = divide(placed, count or -(-len(placed) // FEATURES))
    return parts if len(placed) == len(keys) else [UNPLACED, *parts]


def run_job(task: Task) -> Done:
    """Do a job, on whatever machine; it is done whole or not at all, and may be repeated."""
    return _job(_engine(task.url), task)


@cache
def _engine(url: URL) -> Engine:
    """One for the life of a worker, as connecting takes longer than many a job."""
    return create_engine(url, pool_size=1, pool_pre_ping=True)


def _job(engine: Engine, task: Task) -> Done:
    with engine.connect() as connection:
        with connection.begin():
            jobs.begin(connection, task.key)
        try:
            return _done(connection, task)
        except Exception as error:
            with suppress(DBAPIError), engine.begin() as another:
                jobs.fail(another, task.key, f"{type(error).__name__}: {error}")
            raise


def _done(connection: Connection, task: Task) -> Done:
    work = _import_again if task.key.stage == IMPORT else _compute
    try:
        with connection.begin(), collecting_later():
            return work(connection, task)
    except OperationalError as error:
        # A job that outlived a killed run may hold the same rows; one of both is told to try again.
        if getattr(error.orig, "sqlstate", None) != _DEADLOCK:
            raise
        with connection.begin(), collecting_later():
            return work(connection, task)


def _import_again(connection: Connection, task: Task) -> Done:
    """What an import computes: measures, place and mesh of each feature by itself."""
    refresher = Refresher(connection, task.key.dataset_id)
    placer = placer_of(refresher.spec)
    members = jobs.members(connection, task.key, quadkeys=task.partition.quadkeys)
    outdated = sorted(m["object_id"] for m in members if task.force or m["measured_with"] != VERSION)
    problems: list[str] = []
    stream = iter(outdated)
    while batch := list(islice(stream, BATCH_FEATURES)):
        problems.extend(_refresh_batch(connection, refresher, placer, batch))
    hashes = (bytes(m["content_hash"]) for m in sorted(members, key=lambda m: m["object_id"]))
    return _finish(
        connection, task, refresher, jobs.combined(hashes), (len(members), len(outdated)), problems
    )


def placer_of(spec: DatasetSpec) -> Placer:
    """The placer of a stored dataset, as its import had it."""
    reference = ReferenceSystem(spec.horizontal_epsg, spec.vertical_epsg)
    return _placer(reference, spec.heights.get("given_undulation_m"))


@cache
def _placer(reference: ReferenceSystem, undulation_m: float | None) -> Placer:
    """Made once for a process: looking for the best transformation takes a tenth of a second."""
    return Placer.create(reference, undulation_m=undulation_m)


def _refresh_batch(
    connection: Connection, refresher: Refresher, placer: Placer, roots: Sequence[str]
) -> list[str]:
    objects = jobs.whole_objects(connection, refresher.dataset_id, roots)
    stored = {row["object_id"]: row for row in objects}
    batch = features(objects, jobs.whole_geometries(connection, refresher.dataset_id, roots))
    entries = [_stored_entry(f, d, stored) for f, d in zip(batch, derive(batch, placer), strict=True)]
    rows = computed_rows(entries, Membership.of(refresher.dataset_id, refresher.spec))
    refresher.refresh(changed(rows, stored, refresher.features(roots)))
    return [f"{e.feature.root.id}: {e.derived.problem}" for e in entries if e.derived.problem]


def _stored_entry(feature: CityFeature, derived: Derived, stored: Mapping[str, Row]) -> Entry:
    read = {item.id: {name: stored[item.id][name] for name in SOURCE_NAMES} for item in feature}
    root = stored[feature.root.id]
    return Entry(feature, read, derived, bytes(root["content_hash"]), root["run_id"])


def _finish(
    connection: Connection,
    task: Task,
    refresher: Refresher,
    input_hash: bytes,
    counts: tuple[int, int],
    problems: list[str],
) -> Done:
    jobs.finish(connection, task.key, input_hash, *counts)
    if refresher.rows_written:
        refresher.revise()
    return Done(task.key.stage, *counts, refresher.rows_written, problems)


def _compute(connection: Connection, task: Task) -> Done:
    """A stage after the import: values of its own, in a side table and in the read model."""
    stage = LATER_STAGES[task.key.stage]
    refresher = Refresher(connection, task.key.dataset_id)
    members = _members(connection, task.key, stage)
    inputs = members.input_hashes(stage.halo_m, stage.algorithm)
    outdated = [i for i, found in inputs.items() if task.force or members.stored[i] != found]
    if outdated:
        site = _site(connection, (refresher.dataset_id, refresher.spec), stage, members, outdated)
        _store(connection, refresher, stage, site, {members.ids[i]: inputs[i] for i in outdated})
    counts = len(inputs), len(outdated)
    return _finish(connection, task, refresher, jobs.combined(inputs.values()), counts, [])


def _members(connection: Connection, key: JobKey, stage: Stage) -> Members:
    """The features of a partition, and those within the halo of any of them."""
    partition = Partition(key.level, key.cell)
    return Members.of(_member_rows(connection, key, stage, partition.quadkeys), partition)


def _member_rows(
    connection: Connection, key: JobKey, stage: Stage, quadkeys: tuple[int, int] | None
) -> list[Row]:
    if stage.halo_m is None or quadkeys is None:
        return jobs.members(connection, key, quadkeys=quadkeys)
    found = jobs.extent(connection, key, quadkeys)
    if found is None:
        return []
    degrees = np.array(found).reshape(2, 2)
    reach = stage.halo_m * MARGIN * map_scale(degrees[:, 1]).max()
    low, high = web_mercator(degrees)
    return jobs.members(connection, key, box=[*(low - reach).tolist(), *(high + reach).tolist()])


def _site(
    connection: Connection,
    dataset: tuple[int, DatasetSpec],
    stage: Stage,
    members: Members,
    wanted: Sequence[int],
) -> Site:
    """What a stage needs of the features that are to be computed and of those around them."""
    dataset_id, spec = dataset
    near: list[int] = []
    touching: list[int] = []
    outline_ids: list[str] = []
    if stage.halo_m is not None:
        near = members.around(wanted, stage.halo_m)
        touching = members.around(wanted, stage.touch_m)
        outline_ids = [members.ids[i] for i in [*wanted, *near]]
    lods = {members.ids[i]: members.lods[i] for i in [*wanted, *touching]}
    found, ordinals = _read(connection, dataset_id, lods)
    batch = {feature.root.id: feature for feature in found}
    placer = placer_of(spec)
    outlines = jobs.outlines_of(connection, dataset_id, outline_ids)
    shapes = planar.from_wkb([outlines.get(i) for i in outline_ids])
    return Site(
        features=[batch[root] for root in lods],
        lods=list(lods.values()),
        wanted=len(wanted),
        placer=placer,
        membership=Membership.of(dataset_id, spec),
        outlines=planar.transformed(shapes, placer.native),
        outline_ids=outline_ids,
        ordinals=ordinals,
    )


def _read(
    connection: Connection, dataset_id: int, lods: Mapping[str, str]
) -> tuple[list[CityFeature], dict[str, list[int]]]:
    """Features at one LoD each, and the numbers of each object's geometries among all that it has."""
    objects = jobs.objects_of(connection, dataset_id, list(lods))
    geometries = jobs.geometries_of(connection, dataset_id, lods)
    ordinals: dict[str, list[int]] = {}
    for row in geometries:
        ordinals.setdefault(row["object_id"], []).append(row["ordinal"])
    return features(objects, geometries), ordinals


def _store(
    connection: Connection, refresher: Refresher, stage: Stage, site: Site, inputs: Mapping[str, bytes]
) -> None:
    """Write the values of the wanted features."""
    wanted = site.roots
    computed = stage.compute(site)
    sides = [
        {
            "dataset_id": refresher.dataset_id,
            "object_id": root,
            **computed.values[root],
            "algorithm": stage.algorithm,
            "input_hash": inputs[root],
        }
        for root in wanted
    ]
    shown: list[Row] = []
    if names := stage.shown:
        for row in jobs.texts_of(connection, refresher.dataset_id, wanted):
            values = computed.values[row["object_id"]]
            fresh = refreshed(row, {name: values[name] for name in names})
            if fresh["geojson"] != row["geojson"]:
                shown.append(fresh)
    if stage.name in jobs.DETAIL_TABLES:
        refresher.replace_details(stage.name, wanted, computed.details)
    refresher.store(stage.name, sides, shown)


def explain(engine: Engine, id: str, dataset: str | None = None) -> explaining.Explanation:
    """How each value of one building came to be; by the feature's id, or by that in the source.

    NotFound where there is none, or where several datasets have it.
    """
    with engine.connect() as connection:
        found = jobs.named(connection, id, dataset)
        if not found:
            raise NotFound(f"There is no building '{id}'; ids are like dataset.object.")
        if len(found) > 1:
            raise NotFound(f"'{id}' is in several datasets: {', '.join(row['id'] for row in found)}.")
        stored = found[0]
        if stored["surfaces"] is None:
            raise NotFound(f"'{stored['id']}' has no geometry to measure.")
        return _explained(connection, stored)


def _explained(connection: Connection, stored: Mapping[str, Any]) -> explaining.Explanation:
    dataset_id, object_id = stored["dataset_id"], stored["object_id"]
    outdated = stored["measured_with"] != VERSION
    states: list[Row] = [
        {"stage": IMPORT, "algorithm": f"{IMPORT} {stored['measured_with']}", "outdated": outdated}
    ]
    spec = jobs.spec_of(connection, dataset_id)
    sections: dict[str, Any] = {}
    for stage in LATER_STAGES.values():
        members = _members_around(connection, stage, stored)
        index = members.ids.index(object_id) if object_id in members.ids else None
        algorithm = jobs.computed_by(connection, stage.name, dataset_id, object_id)
        if index is None:
            states.append({"stage": stage.name, "algorithm": algorithm, "outdated": False})
            continue
        inputs = members.input_hashes(stage.halo_m, stage.algorithm)
        late = members.stored[index] != inputs[index]
        states.append({"stage": stage.name, "algorithm": algorithm, "outdated": late})
        if stage.explain is not None:
            sections |= stage.explain(_site(connection, (dataset_id, spec), stage, members, [index]))
    [feature], _ = _read(connection, dataset_id, {object_id: stored["lod"]})
    return explaining.explain(feature, stored["lod"], stored, states, sections)


def _members_around(connection: Connection, stage: Stage, stored: Mapping[str, Any]) -> Members:
    """A feature and those within the halo of a stage."""
    quadkey = stored["quadkey"]
    cell = UNPLACED if quadkey is None else Partition(LEVEL, quadkey)
    return _members(connection, JobKey(stored["dataset_id"], stage.name, cell.level, cell.code), stage)
