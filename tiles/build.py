"""From the database to tilesets and tiles: the only module of tiles that meets statements.

The API awaits the statements of a `TileRequest` on asyncpg and hands the rows over; the command
line writes a whole tileset to a folder from one snapshot.
"""

import hashlib
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import orjson
from sqlalchemy import Engine

from tiles import glb, sidecar
from tiles.frame import Frame
from tiles.metadata import DEFAULT_PROPERTIES, FeatureTable
from tiles.tileset import Addresses, cell_tileset, joint_tileset, tile_path
from tiles.tiling import DEFAULT_LIMITS, Limits, Node, Summary, divide
from twin.db import tile_query
from twin.db.query import Selection, Statement
from twin.errors import InputError
from twin.model.cells import Cell
from twin.model.geometry import Floats
from twin.processing import face_measures
from twin.processing.mesh import MeshBatch, decode

Row: TypeAlias = Mapping[str, Any]
Fetch: TypeAlias = Callable[[Statement], Sequence[Row]]
Progress: TypeAlias = Callable[[int, int], None]
"""Called with the objects written so far and the objects in all."""

ENCODER_VERSION = 2
"""Raise it when the same objects are encoded otherwise, so that no client keeps old bytes."""

WORLD = Cell(0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class TileRequest:
    """Which objects of one collection are shown, at which LoD (None: the highest of each), with
    which properties of theirs and of their surfaces; ``query`` is what nested addresses have to
    carry, names and values."""

    selection: Selection
    lod: str | None = None
    properties: tuple[str, ...] = DEFAULT_PROPERTIES
    surface_properties: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    limits: Limits = DEFAULT_LIMITS

    @property
    def kind(self) -> str:
        """The name of the class of the features in tile metadata."""
        return self.selection.collection.kind

    def counts(self, cell: Cell) -> Statement:
        """The statement whose rows `tree` takes."""
        level = self.limits.resolution(cell.level)
        return tile_query.cell_counts(self.selection, cell, level, self.lod)

    def members(self, cell: Cell, *, mesh: bool) -> Statement:
        """The statement whose rows `build_tile` (with meshes) and `build_sidecar` take."""
        faces = mesh and bool(self.surface_properties)
        return tile_query.tile_members(
            self.selection, cell, self.properties, self.lod, mesh=mesh, faces=faces
        )

    def digest(self, cell: Cell) -> Statement:
        """The statement whose ``digest`` equals `digest_of` the members."""
        return tile_query.tile_digest(self.selection, cell, self.lod)

    def tree(self, cell: Cell, rows: Sequence[Row]) -> Node | None:
        """The tree of the tileset that starts at a cell, from the rows of `counts`."""
        return divide(Summary.from_rows(self.limits.resolution(cell.level), rows), cell, self.limits)

    def etag(self, content: str, cell: Cell, digest: bytes) -> str:
        """The ETag of a tile's GLB or sidecar (``content``) whose members have a digest.

        It is weak, since the tile may travel compressed in several ways. The digest covers which
        objects there are and all that is served of them, so that neither the filter nor the time
        of the request has to be part of it.
        """
        properties = self.properties, self.surface_properties
        shape = [ENCODER_VERSION, content, tile_path(cell), self.kind, self.lod, *properties]
        return f'W/"{hashlib.blake2b(orjson.dumps(shape) + digest, digest_size=16).hexdigest()}"'


def build_tileset(request: TileRequest, cell: Cell, rows: Sequence[Row], *, nested: bool) -> bytes:
    """The JSON of a tileset that starts at a cell; ``nested`` if it is served at the cell's address."""
    addresses = Addresses("../../../" if nested else "", request.query)
    return orjson.dumps(cell_tileset(request.tree(cell, rows), cell, addresses))


def build_joint_tileset(parts: Sequence[tuple[TileRequest, str, Sequence[Row]]]) -> bytes:
    """One tileset over several requests, each with the relative address of its own tilesets' folder
    and the rows of its `TileRequest.counts` of the world."""
    nodes = [
        (node, Addresses(up, request.query))
        for request, up, rows in parts
        if (node := request.tree(WORLD, rows)) is not None
    ]
    return orjson.dumps(joint_tileset(nodes))


def build_tile(request: TileRequest, cell: Cell, rows: Sequence[Row]) -> bytes:
    """The GLB of a tile from one row or more of `TileRequest.members` with meshes."""
    mesh = decode([row["mesh"] for row in rows])
    return glb.encode(mesh, Frame.of_cell(cell), _table(request, rows), _measures(request, mesh, rows))


def _measures(request: TileRequest, mesh: MeshBatch, rows: Sequence[Row]) -> dict[str, Floats]:
    """The properties of surfaces that a request asks for (faces,)."""
    if not request.surface_properties:
        return {}
    found = face_measures.decode([row["faces"] for row in rows], mesh.faces_of_objects(len(rows)))
    return {name: found[name] for name in request.surface_properties}


def build_sidecar(request: TileRequest, rows: Sequence[Row]) -> bytes:
    """The Arrow stream of a tile from one row or more of `TileRequest.members`."""
    return sidecar.encode(_table(request, rows))


def _table(request: TileRequest, rows: Sequence[Row]) -> FeatureTable:
    return FeatureTable.from_rows(request.kind, request.properties, rows)


def digest_of(rows: Sequence[Row]) -> bytes:
    """SHA-256 over the hashes of the members in order, as `twin.db.tile_query.tile_digest` has it."""
    return hashlib.sha256(b"".join(bytes(r["mesh_hash"]) + bytes(r["row_hash"]) for r in rows)).digest()


@dataclass(slots=True)
class Written:
    """What `write_tileset` wrote."""

    tilesets: int = 0
    tiles: int = 0
    objects: int = 0
    size: int = 0


@contextmanager
def snapshot(engine: Engine) -> Generator[Fetch, None, None]:
    """Runs statements that all see the same state of the database, whoever imports meanwhile."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:

        def fetch(statement: Statement) -> Sequence[Row]:
            found = connection.execute(statement.clause, dict(statement.values)).mappings()
            return [{str(name): value for name, value in row.items()} for row in found]

        yield fetch


def write_tileset(
    engine: Engine, folder: Path, request: TileRequest, progress: Progress | None = None
) -> Written:
    """Write a whole tileset into a folder, its tileset.json last.

    Addresses carry no query string, since files have none. Raises InputError if the folder is not
    empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise InputError(f"{folder} is not empty. Name a folder that does not exist yet.")
    folder.mkdir(parents=True, exist_ok=True)
    with snapshot(engine) as fetch:
        writer = _Writer(fetch, folder, replace(request, query=()), progress or _silent)
        writer.write(WORLD, nested=False)
    return writer.written


class _Writer:
    def __init__(self, fetch: Fetch, folder: Path, request: TileRequest, progress: Progress) -> None:
        self._fetch = fetch
        self._folder = folder
        self._request = request
        self._progress = progress
        self._total = 0
        self.written = Written()

    def write(self, cell: Cell, *, nested: bool) -> None:
        """Write the tileset that starts at a cell, after all that it refers to."""
        rows = self._fetch(self._request.counts(cell))
        root = self._request.tree(cell, rows)
        if not nested:
            self._total = root.objects if root else 0
        for node in root or ():
            if node.kind == "leaf":
                self._write_tile(node.cell)
            elif node.kind == "nested":
                self.write(node.cell, nested=True)
        body = build_tileset(self._request, cell, rows, nested=nested)
        self._put(f"{tile_path(cell)}/tileset.json" if nested else "tileset.json", body)
        self.written.tilesets += 1

    def _write_tile(self, cell: Cell) -> None:
        rows = self._fetch(self._request.members(cell, mesh=True))
        self._put(f"{tile_path(cell)}.glb", build_tile(self._request, cell, rows))
        self.written.tiles += 1
        self.written.objects += len(rows)
        self._progress(self.written.objects, self._total)

    def _put(self, path: str, body: bytes) -> None:
        target = self._folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(body)
        self.written.size += len(body)


def _silent(_done: int, _total: int) -> None:
    return None
