"""Whole tilesets as files, from one snapshot, in any number of processes; see `tiles.output`."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, TypeAlias

from tiles.build import (
    WORLD,
    Prepared,
    Snapshot,
    TileRequest,
    build_tile,
    build_tileset,
    connected,
    digest_of,
    snapshot,
)
from tiles.output import TileOutput
from tiles.places import Out, place
from tiles.tileset import Tile, tile_of, tile_path
from twin.model.cells import Cell
from twin.processing.scale_out import Workers

Progress: TypeAlias = Callable[[int, int], None]
"""Called with the objects written so far and the objects in all."""

TASK_OBJECTS = 1_000


@dataclass(slots=True)
class Written:
    """What `write_tileset` wrote, and the tiles that were there already."""

    tilesets: int = 0
    tiles: int = 0
    objects: int = 0
    size: int = 0
    kept: int = 0


@dataclass(frozen=True, slots=True)
class _Planned:
    """A tile to write: its objects, their digest and members as statements, and the ETag it has now."""

    tile: Tile
    objects: int
    digest: Prepared
    members: Prepared
    known: str | None

    @property
    def path(self) -> str:
        return f"{self.tile.path}.glb"


@dataclass(slots=True)
class _Plan:
    tiles: list[_Planned] = field(default_factory=list[_Planned])
    tilesets: list[tuple[str, bytes]] = field(default_factory=list[tuple[str, bytes]])
    objects: int = 0


@dataclass(frozen=True, slots=True)
class _Task:
    """Tiles for one process; ``shared`` names the snapshot."""

    url: Any
    shared: str
    out: Out
    variants: tuple[str, ...]
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
    target, files = TileOutput(out, variants), place(out, variants)
    with snapshot(engine) as state:
        plan = _plan(state, replace(request, query=()), target.known())
        written = Written(tilesets=len(plan.tilesets), tiles=len(plan.tiles))
        shape = engine.url, state.share(), out, tuple(variants), request.encoding
        tasks = [_Task(*shape, tiles) for tiles in _portions(plan.tiles)]
        etags: dict[str, str] = {}
        with Workers(jobs) as workers:
            for done in workers.run(partial(_here, state) if workers.are_here else _elsewhere, tasks):
                etags.update(done.etags)
                target.note(done.etags)
                written.objects += done.objects
                written.size += done.size
                written.kept += done.kept
                (progress or _silent)(written.objects, plan.objects)
    for path, body in plan.tilesets:
        written.size += len(body)
        files.put(path, body)
    target.finish(etags, [path for path, _ in plan.tilesets])
    return written


def _plan(state: Snapshot, request: TileRequest, known: dict[str, str]) -> _Plan:
    """All tiles and tilesets; a tileset comes after those that it refers to."""
    plan = _Plan()
    _plan_tileset(plan, state, request, known, WORLD)
    return plan


def _plan_tileset(
    plan: _Plan, state: Snapshot, request: TileRequest, known: dict[str, str], cell: Cell
) -> None:
    rows = state(request.counts(cell))
    for node in request.tree(cell, rows) or ():
        tile = tile_of(node)
        if tile is not None:
            found = known.get(f"{tile.path}.glb")
            digest = state.prepare(request.digest(tile))
            members = state.prepare(request.members(tile, mesh=True))
            plan.tiles.append(_Planned(tile, node.objects, digest, members, found))
            plan.objects += node.objects if tile.least_m is None else 0
        elif node.kind == "nested":
            _plan_tileset(plan, state, request, known, node.cell)
    nested = cell != WORLD
    path = f"{tile_path(cell)}/tileset.json" if nested else "tileset.json"
    plan.tilesets.append((path, build_tileset(request, cell, rows, nested=nested)))


def _portions(tiles: Sequence[_Planned]) -> Iterator[list[_Planned]]:
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
    with connected(task.url) as engine, snapshot(engine, task.shared) as state:
        return _here(state, task)


def _here(state: Snapshot, task: _Task) -> _Done:
    files = place(task.out, task.variants)
    etags: list[tuple[str, str]] = []
    objects = size = kept = 0
    for planned in task.tiles:
        etag = _unchanged(state, task.request, planned)
        if etag is None:
            rows = state.run(planned.members)
            etag = task.request.etag("glb", planned.tile, digest_of(rows))
            body = build_tile(task.request, planned.tile, rows)
            files.put(planned.path, body)
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
