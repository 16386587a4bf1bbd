"""From the database to tilesets and tiles: the only module of tiles that meets statements.

The API awaits the statements of a `TileRequest` on asyncpg and hands the rows over; `tiles.batch`
runs them in a snapshot.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import orjson

from tiles import blocks, glb, sidecar
from tiles.frame import Frame
from tiles.ground import without_ground
from tiles.instances import Group, groups_of, joined, measures
from tiles.metadata import DEFAULT_PROPERTIES, FeatureTable
from tiles.skin import painted
from tiles.tileset import Addresses, Tile, cell_tileset, joint_tileset
from tiles.tiling import DEFAULT_LIMITS, Limits, Node, Summary, divide
from twin.db import cell_query, tile_query
from twin.db.cell_query import changed_since, present
from twin.db.collections import BUILDINGS
from twin.db.query import Collection, Selection, Statement, View
from twin.db.snapshot import Prepared, Snapshot, connected, snapshot
from twin.model.cells import Cell
from twin.model.geometry import Floats
from twin.processing import face_measures, skins
from twin.processing.mesh import MeshBatch, decode

__all__ = [
    "WORLD", "Prepared", "Snapshot", "TileRequest", "changed_since", "connected", "present", "snapshot",
]  # fmt: skip

Row: TypeAlias = Mapping[str, Any]

ENCODER_VERSION = 8
"""Raise it when the same objects are encoded otherwise, so that no client keeps old bytes."""

SKIN_VERSION = 1
"""The same for what only textured tiles have."""

_TEXTURE_M = 5.0
"""Blocks have no textures: they miss what these show of a wall, such as its windows and doors."""

_STEP_OF_SIZE = 0.01
_COARSEST_STEP_M = 0.15
"""Blocks may be rounded to a share of the least size that is shown, yet stay inside of their region."""

WORLD = Cell(0, 0, 0)


def limits_of(collection: Collection) -> Limits:
    """How the objects of a collection are divided into tiles."""
    return replace(DEFAULT_LIMITS, blocks=collection is BUILDINGS)


@dataclass(frozen=True, slots=True, eq=False)
class TileRequest:
    """Which objects of one collection are shown, at which LoD (None: the highest of each), with
    which properties of theirs and of their surfaces, in which profile; ``theme`` is that of textures,
    ``query`` what nested addresses have to carry, names and values."""

    selection: Selection
    lod: str | None = None
    properties: tuple[str, ...] = DEFAULT_PROPERTIES
    surface_properties: tuple[str, ...] = ()
    profile: glb.Profile = "standard"
    theme: str | None = None
    query: tuple[tuple[str, str], ...] = ()
    limits: Limits = DEFAULT_LIMITS

    @property
    def encoding(self) -> "TileRequest":
        """What `build_tile` and `etag` need of it, without conditions: those cannot be sent to processes."""
        return replace(self, selection=Selection(View(), self.selection.collection), query=())

    @property
    def kind(self) -> str:
        """The name of the class of the features in tile metadata."""
        return self.selection.collection.kind

    @property
    def is_stored(self) -> bool:
        """Whether its tiles are kept by content: all of a collection, as it comes without parameters."""
        standard = self.profile == "standard" and self.lod is None and not self.surface_properties
        return standard and self.properties == DEFAULT_PROPERTIES and self.selection.is_whole

    def counts(self, cell: Cell) -> Statement:
        """The statement whose rows `tree` takes."""
        level = self.limits.resolution(cell.level)
        return cell_query.cell_counts(self.selection, cell, level, self.lod)

    def meshes(self, tile: Tile) -> tuple[Statement, ...]:
        """The statements whose rows `build_tile` takes, each to be asked if those before it `lack_templates`.

        Buildings seldom have templates, and to look for them is a third of what the database does for a tile.
        """
        whole = self.members(tile, mesh=True)
        if self.selection.collection is not BUILDINGS or tile.least_m is not None:
            return (whole,)
        return self._members(tile, tile_query.Alone(self._shown(tile))), whole

    def members(self, tile: Tile, *, mesh: bool) -> Statement:
        """The statement whose rows `build_tile` (with meshes) and `build_sidecar` take."""
        return self._members(tile, self._shown(tile) if mesh else None)

    def _shown(self, tile: Tile) -> tile_query.Shown:
        if tile.least_m is not None:
            return "blocks"
        if self.profile == "textured":
            return tile_query.Skinned(self.theme, faces=bool(self.surface_properties))
        return "faces" if self.surface_properties else "mesh"

    def _members(self, tile: Tile, geometry: tile_query.Geometry | None) -> Statement:
        return tile_query.tile_members(
            self.selection,
            tile.cell,
            self.properties,
            self.lod,
            least_m=tile.least_m or 0,
            geometry=geometry,
        )

    def digest(self, tile: Tile) -> Statement:
        """The statement whose ``digest`` equals `digest_of` the members."""
        return tile_query.tile_digest(self.selection, tile.cell, self.lod, least_m=tile.least_m or 0)

    def is_servable(self, tile: Tile, row: Row) -> bool:
        """Whether a tile with the row of `digest` is built when asked for."""
        if tile.least_m is None:
            return self.limits.is_servable(tile.cell.level, row["objects"])
        return self.limits.is_servable_as_blocks(tile.cell.level, row["objects"], row["points"])

    def tree(self, cell: Cell, rows: Sequence[Row]) -> Node | None:
        """The tree of the tileset that starts at a cell, from the rows of `counts`."""
        summary = Summary.from_rows(self.limits.resolution(cell.level), rows)
        if self.profile == "textured":
            summary = summary.missing(_TEXTURE_M)
        return divide(summary, cell, self.limits)

    def etag(self, content: str, tile: Tile, digest: bytes) -> str:
        """The ETag of a tile's GLB or sidecar (``content``) whose members have a digest.

        It is weak, since the tile may travel compressed in several ways. The digest covers which
        objects there are and all that is served of them, so that neither the filter nor the time
        of the request has to be part of it.
        """
        properties = self.properties, self.surface_properties
        shape = [ENCODER_VERSION, content, tile.path, self.kind, self.lod, *properties, self.profile]
        shape += [SKIN_VERSION, self.theme] if self.profile == "textured" else []
        return f'W/"{hashlib.blake2b(orjson.dumps(shape) + digest, digest_size=16).hexdigest()}"'


@dataclass(frozen=True, slots=True, eq=False)
class VectorRequest:
    """Whose footprints are shown, with which properties, as vector tiles of one layer."""

    selection: Selection
    properties: tuple[str, ...] = DEFAULT_PROPERTIES

    @property
    def description(self) -> dict[str, Any]:
        """What archives tell of their tiles: the layer and its fields, as TileJSON 3.0 names them."""
        collection, queryables = self.selection.collection, self.selection.queryables
        fields = {name: tile_query.field_type(queryables.get(name)) for name in ("id", *self.properties)}
        return {
            "name": collection.title,
            "description": collection.description,
            "vector_layers": [{"id": collection.name, "fields": fields}],
        }

    def bounds(self) -> Statement:
        """The statement with west, south, east and north of each feature."""
        return tile_query.bounds(self.selection)

    def tile(self, cell: Cell) -> Statement:
        """The statement whose one value is the tile of a cell, empty where nothing is in it."""
        return tile_query.vector_tile(self.selection, self.selection.collection.name, cell, self.properties)


def build_tileset(request: TileRequest, cell: Cell, rows: Sequence[Row], *, nested: bool) -> bytes:
    """The JSON of a tileset that starts at a cell; ``nested`` if it is served at the cell's address."""
    return tileset_of(request, cell, request.tree(cell, rows), nested=nested)


def tileset_of(request: TileRequest, cell: Cell, tree: Node | None, *, nested: bool) -> bytes:
    """As `build_tileset`, from the tree that `TileRequest.tree` gives."""
    addresses = Addresses("../../../" if nested else "", request.query)
    return orjson.dumps(cell_tileset(tree, cell, addresses))


def build_joint_tileset(parts: Sequence[tuple[TileRequest, str, Sequence[Row]]]) -> bytes:
    """One tileset over several requests, each with the relative address of its own tilesets' folder
    and the rows of its `TileRequest.counts` of the world."""
    nodes = [
        (node, Addresses(up, request.query))
        for request, up, rows in parts
        if (node := request.tree(WORLD, rows)) is not None
    ]
    return orjson.dumps(joint_tileset(nodes))


def lack_templates(rows: Sequence[Row]) -> bool:
    """Whether some objects have templates whose meshes do not come with the rows."""
    return bool(rows) and "template_mesh" not in rows[0] and any(row.get("templates") for row in rows)


def images_of(rows: Sequence[Row]) -> Statement | None:
    """The statement with the images that members of a tile show, columns hash and image; None without any."""
    shown = skins.images([row.get("skin") for row in rows])
    return tile_query.tile_images(shown) if shown else None


def build_tile(request: TileRequest, tile: Tile, rows: Sequence[Row], images: Sequence[Row] = ()) -> bytes:
    """The GLB of a tile from one row or more of `TileRequest.members` with meshes and of `images_of`."""
    frame, table = Frame.of_cell(tile.cell), _table(request, rows)
    if tile.least_m is not None:
        mesh = blocks.build(rows)
        unknown = np.full(int(mesh.face.max()) + 1, np.nan)
        model = glb.Model(mesh, dict.fromkeys(request.surface_properties, unknown))
        step_m = min(tile.least_m * _STEP_OF_SIZE, _COARSEST_STEP_M)
        return glb.encode(model, frame, table, step_m=step_m, profile=request.profile)
    model = _model(request, rows)
    if request.profile == "lean":
        model = _lean(model)
    elif request.profile == "textured":
        model = _painted(model, table, rows, images)
    return glb.encode(model, frame, table, profile=request.profile)


def _painted(model: glb.Model, table: FeatureTable, rows: Sequence[Row], images: Sequence[Row]) -> glb.Model:
    """Meshes in their skins; templates have none, wherever they are shown."""
    counts = decode([row["mesh"] for row in rows]).faces_of_objects(len(rows))
    spread = int(model.mesh.face.max(initial=-1)) + 1 - sum(counts)
    found = skins.decode([*(row.get("skin") for row in rows), None], [*counts, spread])
    known = {bytes(image["hash"]): bytes(image["image"]) for image in images}
    return replace(model, paint=painted(model.mesh, table.types, found, known))


def _model(request: TileRequest, rows: Sequence[Row]) -> glb.Model:
    """Meshes, and templates as such where that saves bytes and nobody asks what each surface measures."""
    mesh, groups = decode([row["mesh"] for row in rows]), groups_of(rows)
    wanted = request.surface_properties
    apart = [group for group in groups if group.is_worth_it and not wanted]
    spread = [group for group in groups if not group.is_worth_it or wanted]
    measured = _measures(request, mesh, spread, rows)
    return glb.Model(joined(mesh, spread) if spread else mesh, measured, apart)


def _lean(model: glb.Model) -> glb.Model:
    mesh, faces = without_ground(model.mesh)
    measured = {name: values[faces] for name, values in model.measures.items()}
    return glb.Model(mesh, measured, [group.without_ground() for group in model.groups])


def build_object(request: TileRequest, row: Row, middle: tuple[float, float]) -> bytes:
    """The GLB of one object alone, from its row of `TileRequest.members` with meshes: in metres from a
    point on the ellipsoid, given as longitude and latitude."""
    model = glb.Model(joined(decode([row["mesh"]]), groups_of([row])))
    return glb.encode(model, Frame.at(*middle), _table(request, [row]), profile=request.profile)


def _measures(
    request: TileRequest, mesh: MeshBatch, spread: Sequence[Group], rows: Sequence[Row]
) -> dict[str, Floats]:
    """The properties of surfaces that a request asks for (faces,), of meshes and of templates behind them."""
    if not request.surface_properties:
        return {}
    own = face_measures.decode([row["faces"] for row in rows], mesh.faces_of_objects(len(rows)))
    parts = [own, *map(measures, spread)]
    return {name: np.concatenate([part[name] for part in parts]) for name in request.surface_properties}


def build_sidecar(request: TileRequest, rows: Sequence[Row]) -> bytes:
    """The Arrow stream of a tile from one row or more of `TileRequest.members`."""
    return sidecar.encode(_table(request, rows))


def _table(request: TileRequest, rows: Sequence[Row]) -> FeatureTable:
    return FeatureTable.from_rows(request.kind, request.properties, rows)


def digest_of(rows: Sequence[Row]) -> bytes:
    """SHA-256 over the hashes of the members in order, as `twin.db.tile_query.tile_digest` has it."""
    return hashlib.sha256(b"".join([part for r in rows for part in (r["mesh_hash"], r["row_hash"])])).digest()
