"""`twin process`: compute what is missing or out of date. The only module of processing with the database.

A *job* is one stage of one partition of a dataset. A worker reads the partition and the halo that
the stage declares, computes what is out of date, and writes only what the partition owns, in one
transaction. Jobs of a stage know nothing of each other. Stages that look at nothing but the feature
itself follow one another within a partition, so that they read it once; those with a halo come after.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import islice
from typing import Any

import numpy as np
from sqlalchemy import URL, Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError, OperationalError

from twin.db import jobs
from twin.db.jobs import JobKey
from twin.db.load import DatasetSpec, Row, stored_specs
from twin.db.objects import Stored, stored_features
from twin.db.refresher import Refresher
from twin.errors import NotFound
from twin.memory import collecting_later
from twin.model.cells import LEVEL
from twin.model.crs import Placer, ReferenceSystem, web_mercator
from twin.processing import explain as explaining
from twin.processing import planar
from twin.processing.compute import VERSION
from twin.processing.derive import derive
from twin.processing.neighbourhood import MARGIN, Members, map_scale
from twin.processing.partition import UNPLACED, Partition, divided
from twin.processing.refresh import refreshed
from twin.processing.report import Done, ProcessReport, Progress
from twin.processing.rows import Entry, Membership, StoredRows, changed, computed_rows
from twin.processing.scale_out import Workers
from twin.processing.stages import IMPORT, LATER_STAGES, Site, Stage, algorithm_of, served, together

BATCH_FEATURES = 500
_DEADLOCK = "40P01"


@dataclass(frozen=True, slots=True)
class Task:
    """Jobs of one partition for a worker, which may be on another machine, and how to reach the database."""

    url: URL
    keys: tuple[JobKey, ...]
    force: bool

    def __str__(self) -> str:
        stages = ", ".join(key.stage for key in self.keys)
        return f"stage {stages}, partition {_partition(self.keys[0])}"


@dataclass(slots=True)
class _Work:
    """What the jobs of a task have in common: the features of the partition, those already read by id."""

    task: Task
    ids: list[str] | None = None
    read: dict[str, Stored] = field(default_factory=dict[str, Stored])


def process(
    engine: Engine,
    name: str | None = None,
    *,
    force: bool = False,
    workers: Workers | None = None,
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
    with workers or Workers() as started:
        run = _Run(engine, started, force, partitions, progress or (lambda _done, _all: None))
        return [run.dataset(dataset_id, spec) for dataset_id, spec in datasets]


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
            parts = divided(keys, self.partitions)
            report.partitions = len(parts)
            whole = len(keys) * (1 + len(LATER_STAGES))
            done = 0
            for stages in together():
                self._stages(self._planned(dataset_id, stages, parts), report, done, whole)
                done += len(keys) * len(stages)
            with self.engine.connect() as connection:
                report.invalid, report.repaired = jobs.verdicts(connection, dataset_id)
        return report

    def _planned(self, dataset_id: int, stages: Sequence[str], parts: Sequence[Partition]) -> list[Task]:
        keys = [[JobKey(dataset_id, stage, p.level, p.code) for stage in served(stages, p)] for p in parts]
        with self.engine.begin() as connection:
            for stage in stages:
                planned = [key for of_part in keys for key in of_part if key.stage == stage]
                if planned:
                    jobs.plan(connection, planned, algorithm_of(stage))
        return [Task(self.engine.url, tuple(of_part), self.force) for of_part in keys if of_part]

    def _stages(self, tasks: Sequence[Task], report: ProcessReport, before: int, whole: int) -> None:
        done = before
        # Without other processes, the connections of the caller serve.
        function = partial(_jobs, self.engine) if self.workers.are_here else run_jobs
        for result in (result for results in self.workers.run(function, tasks) for result in results):
            done += result.features
            report.computed[result.stage] = report.computed.get(result.stage, 0) + result.computed
            report.rows_written += result.rows_written
            report.problems.extend(result.problems)
            self.progress(done, whole)


def _partition(key: JobKey) -> Partition:
    return Partition(key.level, key.cell)


def run_jobs(task: Task) -> list[Done]:
    """Do jobs, on whatever machine; each is done whole or not at all, and may be repeated."""
    return _jobs(_engine(task.url), task)


@cache
def _engine(url: URL) -> Engine:
    """One for the life of a worker, as connecting takes longer than many a job."""
    return create_engine(url, pool_size=1, pool_pre_ping=True)


def _jobs(engine: Engine, task: Task) -> list[Done]:
    work = _Work(task)
    return [_job(engine, work, key) for key in task.keys]


def _job(engine: Engine, work: _Work, key: JobKey) -> Done:
    with engine.connect() as connection:
        with connection.begin():
            jobs.begin(connection, key)
        try:
            return _done(connection, work, key)
        except Exception as error:
            with suppress(DBAPIError), engine.begin() as another:
                jobs.fail(another, key, f"{type(error).__name__}: {error}")
            raise


def _done(connection: Connection, work: _Work, key: JobKey) -> Done:
    function = _import_again if key.stage == IMPORT else _compute
    try:
        with connection.begin(), collecting_later():
            return function(connection, work, key)
    except OperationalError as error:
        # A job that outlived a killed run may hold the same rows; one of both is told to try again.
        if getattr(error.orig, "sqlstate", None) != _DEADLOCK:
            raise
        with connection.begin(), collecting_later():
            return function(connection, work, key)


def _import_again(connection: Connection, work: _Work, key: JobKey) -> Done:
    """What an import computes: measures, place and mesh of each feature by itself."""
    refresher = Refresher(connection, key.dataset_id)
    members = jobs.members(connection, key, quadkeys=_partition(key).quadkeys)
    # The stages that follow take the same ones, even if a new measurement moves one to another partition.
    work.ids = sorted(m["object_id"] for m in members)
    outdated = sorted(m["object_id"] for m in members if work.task.force or m["measured_with"] != VERSION)
    problems: list[str] = []
    stream = iter(outdated)
    while batch := list(islice(stream, BATCH_FEATURES)):
        problems.extend(_refresh_batch(connection, refresher, work, batch))
    hashes = (bytes(m["content_hash"]) for m in sorted(members, key=lambda m: m["object_id"]))
    return _finish(connection, key, refresher, jobs.combined(hashes), (len(members), len(outdated)), problems)


_placer = cache(Placer.create)
"""Made once for a process: looking for the best transformation takes a tenth of a second."""


def placer_of(spec: DatasetSpec) -> Placer:
    """The placer of a stored dataset, as its import had it."""
    reference = ReferenceSystem(spec.horizontal_epsg, spec.vertical_epsg)
    return _placer(reference, undulation_m=spec.heights.get("given_undulation_m"))


def _refresh_batch(
    connection: Connection, refresher: Refresher, work: _Work, roots: Sequence[str]
) -> list[str]:
    objects = jobs.whole_objects(connection, refresher.dataset_id, roots)
    stored = {row["object_id"]: row for row in objects}
    batch = stored_features(objects, jobs.whole_geometries(connection, refresher.dataset_id, roots))
    work.read.update(batch)
    found = [item.feature for item in batch.values()]
    derived = derive(found, placer_of(refresher.spec))
    entries = [Entry.stored(f, d, stored) for f, d in zip(found, derived, strict=True)]
    rows = computed_rows(entries, Membership.of(refresher.dataset_id, refresher.spec))
    known = refresher.features(roots), refresher.mesh_hashes(roots), refresher.parts(roots)
    refresher.refresh(changed(rows, StoredRows(stored, *known)))
    return [f"{e.feature.root.id}: {e.derived.problem}" for e in entries if e.derived.problem]


def _finish(
    connection: Connection,
    key: JobKey,
    refresher: Refresher,
    input_hash: bytes,
    counts: tuple[int, int],
    problems: list[str],
) -> Done:
    jobs.finish(connection, key, input_hash, *counts)
    if refresher.rows_written:
        refresher.revise()
    return Done(key.stage, *counts, refresher.rows_written, problems)


def _compute(connection: Connection, work: _Work, key: JobKey) -> Done:
    """A stage after the import: values of its own, in a side table and in the read model."""
    stage = LATER_STAGES[key.stage]
    refresher = Refresher(connection, key.dataset_id)
    members = _members(connection, key, stage, work.ids)
    inputs = members.input_hashes(stage.halo_m, stage.algorithm)
    outdated = [i for i, found in inputs.items() if work.task.force or members.stored[i] != found]
    if outdated:
        site = _site(connection, (refresher.dataset_id, refresher.spec), stage, members, outdated, work.read)
        _store(connection, refresher, stage, site, {members.ids[i]: inputs[i] for i in outdated})
    counts = len(inputs), len(outdated)
    return _finish(connection, key, refresher, jobs.combined(inputs.values()), counts, [])


def _members(connection: Connection, key: JobKey, stage: Stage, ids: Sequence[str] | None = None) -> Members:
    """The features of a partition, or those of the given ids, and those within the halo of any of them."""
    if stage.halo_m is None and ids is not None:
        return Members.of(jobs.members(connection, key, ids=ids), None)
    partition = _partition(key)
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
    read: dict[str, Stored],
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
    _read(connection, dataset_id, lods, read)
    placer = placer_of(spec)
    outlines = jobs.outlines_of(connection, dataset_id, outline_ids)
    shapes = planar.from_wkb([outlines.get(i) for i in outline_ids])
    return Site(
        features=[read[root].feature for root in lods],
        lods=list(lods.values()),
        wanted=len(wanted),
        placer=placer,
        membership=Membership.of(dataset_id, spec),
        outlines=planar.transformed(shapes, placer.native),
        outline_ids=outline_ids,
        ordinals={object_id: found for root in lods for object_id, found in read[root].ordinals.items()},
    )


def _read(connection: Connection, dataset_id: int, lods: Mapping[str, str], read: dict[str, Stored]) -> None:
    """Read features at one LoD each, but for those that were read as they still are."""
    objects = jobs.objects_of(connection, dataset_id, list(lods))
    hashes = {row["root_id"]: bytes(row["content_hash"]) for row in objects}
    fresh = {root for root, found in hashes.items() if root in read and read[root].content_hash == found}
    wanted = {root: lod for root, lod in lods.items() if root not in fresh}
    if wanted:
        geometries = jobs.geometries_of(connection, dataset_id, wanted)
        read.update(stored_features([o for o in objects if o["root_id"] in wanted], geometries))


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
    read: dict[str, Stored] = {}
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
            sections |= stage.explain(_site(connection, (dataset_id, spec), stage, members, [index], read))
    _read(connection, dataset_id, {object_id: stored["lod"]}, read)
    return explaining.explain(read[object_id].feature, stored["lod"], stored, states, sections)


def _members_around(connection: Connection, stage: Stage, stored: Mapping[str, Any]) -> Members:
    """A feature and those within the halo of a stage."""
    quadkey = stored["quadkey"]
    cell = UNPLACED if quadkey is None else Partition(LEVEL, quadkey)
    return _members(connection, JobKey(stored["dataset_id"], stage.name, cell.level, cell.code), stage)
