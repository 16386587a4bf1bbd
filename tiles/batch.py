"""Whole tilesets as files, from one snapshot, in any number of processes; see `tiles.output`."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from tiles.build import (
    ENCODER_VERSION,
    SKIN_VERSION,
    WORLD,
    Prepared,
    Snapshot,
    TileRequest,
    build_tile,
    changed_since,
    connected,
    digest_of,
    images_of,
    lack_templates,
    present,
    snapshot,
    tileset_of,
)
from tiles.output import Destination, TileOutput
from tiles.places import Out
from tiles.tileset import Tile, tile_of, tile_path
from twin.model.cells import LEVEL, SUMMARY_LEVEL, Cell, cell_range
from twin.model.geometry import Ints
from twin.processes import prepare
from twin.processing.scale_out import Workers

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the objects written so far and the objects in all."""

TASK_OBJECTS = 2_000


@dataclass(slots=True)
class Written:
    """What was written, the tiles that were there already, and of how many the content was looked at."""

    tilesets: int = 0
    tiles: int = 0
    objects: int = 0
    size: int = 0
    kept: int = 0
    looked_at: int = 0


@dataclass(frozen=True, slots=True)
class _Planned:
    """A tile to write: its objects, their digest and meshes as statements, and the ETag it has now."""

    tile: Tile
    objects: int
    digest: Prepared
    meshes: Sequence[Prepared]
    known: str | None

    @property
    def path(self) -> str:
        return f"{self.tile.path}.glb"


@dataclass(slots=True)
class _Plan:
    """What is known once all tiles are planned: how many are to be looked at, the ETags of those that
    cannot have changed, tilesets. The objects in all are known from the first one on."""

    looked_at: int = 0
    unchanged: dict[str, str] = field(default_factory=dict[str, str])
    tilesets: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    objects: int = 0
    unchanged_objects: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    """Tiles for one process; ``shared`` names the snapshot."""

    url: Any
    shared: str
    destination: Destination
    request: TileRequest
    tiles: Sequence[_Planned]


@dataclass(frozen=True, slots=True)
class _Done:
    etags: list[tuple[str, str]]
    objects: int
    size: int
    kept: int


def write_tileset(
    engine: Any,
    out: Out,
    request: TileRequest,
    progress: Progress | None = None,
    *,
    jobs: int = 1,
    variants: Sequence[str] = (),
) -> Written:
    """Write a whole tileset into a place, or bring one up to date, its tileset.json last.

    ``out`` and ``variants`` are those of `tiles.places.place`. All is of the data of one moment.
    Addresses carry no query string, since files have none. Raises InputError if the place holds
    anything else.
    """
    return _write(engine, Destination(out, tuple(variants)), request, progress or _silent, jobs)


def update_store(
    engine: Any, folder: Path, request: TileRequest, progress: Progress | None = None, *, jobs: int = 1
) -> Written:
    """Bring the tiles of a store by content up to date, for a server to read; see `tiles.store`.

    Tiles in cells that nothing changed in since the last run are not looked at. What no tile of now is
    goes at the end, so that a server has the old tiles until the new ones are there.
    """
    return _write(engine, Destination(folder, by_content=True), request, progress or _silent, jobs)


def _write(
    engine: Any, destination: Destination, request: TileRequest, progress: Progress, jobs: int
) -> Written:
    target, files = TileOutput(destination), destination.place
    if jobs > 1:
        prepare(__name__)
    with snapshot(engine) as state:
        seen = _seen(state, request) if request.selection.is_whole else None
        known = Known(target.known(), _changed(state, seen, target.seen()))
        if known.changed is None:
            target.forget_seen()
        plan, etags = _Plan(), dict[str, str]()
        written = Written()
        shape = engine.url, state.share(), destination, request.encoding
        planned = _plan_tileset(plan, state, replace(request, query=()), known, WORLD)
        tasks = (_Task(*shape, tiles) for tiles in _portions(planned))
        with Workers(jobs) as workers:
            for done in workers.run(partial(_here, state) if workers.are_here else _elsewhere, tasks):
                etags.update(done.etags)
                target.note(done.etags)
                written.objects += done.objects
                written.size += done.size
                written.kept += done.kept
                progress(written.objects + plan.unchanged_objects, plan.objects)
    etags.update(plan.unchanged)
    written.tiles, written.looked_at = len(etags), plan.looked_at
    written.objects += plan.unchanged_objects
    written.kept += len(plan.unchanged)
    tilesets = [] if destination.by_content else plan.tilesets
    for path, body in tilesets:
        written.size += len(body)
        files.put(path, body)
    written.tilesets = len(tilesets)
    target.finish(etags, [path for path, _ in tilesets], seen)
    return written


def _seen(state: Snapshot, request: TileRequest) -> dict[str, Any]:
    """What the data are that a run shows, and how it shows them, as JSON."""
    (row,) = state(present())
    how = [ENCODER_VERSION, SKIN_VERSION, request.selection.digest().hex(), request.lod]
    how += [request.profile, request.theme]
    properties = [*request.properties], [*request.surface_properties]
    return {**row, "how": [*how, *properties, repr(request.limits)]}


def _changed(state: Snapshot, now: Mapping[str, Any] | None, before: Any) -> Ints | None:
    """The cells that changed since an earlier run; None where that cannot be told."""
    if now is None or before is None or {**now, "seen": None} != {**before, "seen": None}:
        return None
    rows = state(changed_since(before["seen"]))
    return np.array([row["cell"] for row in rows], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """The ETags of tiles that are there, by path, and the cells that changed since (n,), ascending.

    Cells are Morton codes at `SUMMARY_LEVEL`; None where all may have changed.
    """

    etags: Mapping[str, str]
    changed: Ints | None

    def unchanged(self, path: str, cell: Cell) -> str | None:
        """The ETag of a tile if nothing in its cell changed."""
        if self.changed is None or path not in self.etags:
            return None
        first, behind = (key >> 2 * (LEVEL - SUMMARY_LEVEL) for key in cell_range(cell.level, cell.x, cell.y))
        # A cell finer than those lies in one of them.
        found = np.searchsorted(self.changed, [first, max(behind, first + 1)])
        return self.etags[path] if found[0] == found[1] else None


def _plan_tileset(
    plan: _Plan, state: Snapshot, request: TileRequest, known: Known, cell: Cell
) -> Iterator[_Planned]:
    """The tiles to look at of a tileset and those in it, as they are found, so that others may build them.

    A tileset comes after those that it refers to.
    """
    tree = request.tree(cell, state(request.counts(cell)))
    if tree is not None and cell == WORLD:
        plan.objects = tree.objects
    for node in tree or ():
        tile = tile_of(node)
        if tile is not None:
            yield from _plan_tile(plan, state, request, known, tile, node.objects)
        elif node.kind == "nested":
            yield from _plan_tileset(plan, state, request, known, node.cell)
    nested = cell != WORLD
    path = f"{tile_path(cell)}/tileset.json" if nested else "tileset.json"
    plan.tilesets.append((path, tileset_of(request, cell, tree, nested=nested)))


def _plan_tile(
    plan: _Plan, state: Snapshot, request: TileRequest, known: Known, tile: Tile, objects: int
) -> Iterator[_Planned]:
    path = f"{tile.path}.glb"
    etag = known.unchanged(path, tile.cell)
    if etag is not None:
        plan.unchanged[path] = etag
        plan.unchanged_objects += objects if tile.least_m is None else 0
        return
    plan.looked_at += 1
    meshes = [state.prepare(statement) for statement in request.meshes(tile)]
    yield _Planned(tile, objects, state.prepare(request.digest(tile)), meshes, known.etags.get(path))


def _portions(tiles: Iterable[_Planned]) -> Iterator[list[_Planned]]:
    """Tiles in order, with about `TASK_OBJECTS` objects each time."""
    portion: list[_Planned] = []
    objects = 0
    for tile in tiles:
        portion.append(tile)
        objects += tile.objects
        if objects >= TASK_OBJECTS:
            yield portion
            portion, objects = [], 0
    if portion:
        yield portion


def _elsewhere(task: _Task) -> _Done:
    """Write tiles in a process of its own, in the snapshot of the first one."""
    state, _ = _joined(task.url, task.shared)
    return _here(state, task)


@lru_cache(maxsize=1)
def _joined(url: Any, shared: str) -> tuple[Snapshot, ExitStack]:
    """A snapshot by its name, and what ends it: the process keeps both for all its tasks, and ends with them.

    A connection for each task took the database more time than the tiles of it.
    """
    opened = ExitStack()
    engine = opened.enter_context(connected(url))
    return opened.enter_context(snapshot(engine, shared)), opened


def _here(state: Snapshot, task: _Task) -> _Done:
    files = task.destination.place
    etags: list[tuple[str, str]] = []
    objects = size = kept = 0
    for planned in task.tiles:
        etag = _unchanged(state, task.request, planned)
        if etag is None:
            rows = next(rows for rows in map(state.run, planned.meshes) if not lack_templates(rows))
            etag = task.request.etag("glb", planned.tile, digest_of(rows))
            shown = images_of(rows)
            body = build_tile(task.request, planned.tile, rows, state(shown) if shown else ())
            files.put(task.destination.name(planned.path, etag), body)
            size += len(body)
        else:
            kept += 1
        etags.append((planned.path, etag))
        objects += planned.objects if planned.tile.least_m is None else 0
    return _Done(etags, objects, size, kept)


def _unchanged(state: Snapshot, request: TileRequest, planned: _Planned) -> str | None:
    """The ETag of a tile that is there already and would be written the same."""
    if planned.known is None:
        return None
    (row,) = state.run(planned.digest)
    etag = request.etag("glb", planned.tile, row["digest"])
    return etag if etag == planned.known else None


def _silent(_done: int, _total: int) -> None:
    return None
