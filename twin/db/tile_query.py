"""What tiles need from the database, as statements: counts per cell, members, digests, MVT.

Meshes are joined by the feature's own LoD, or by the LoD that a request names; a feature without a
mesh at that LoD is in no 3D tile.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by

from twin.db.query import Selection, Statement, statement
from twin.db.schema import dataset, object_mesh
from twin.model.cells import LEVEL, Cell, cell_range

_METRES_PER_DEGREE = 111_700
"""At least what a degree of latitude measures anywhere on the ellipsoid."""

_MVT_EXTENT = 4096
_MVT_BUFFER = 64
_MVT_PIXELS = 256
_MVT_COMPLETE_FROM = 14
"""From this zoom on a vector tile holds every footprint; above it, those of at least one pixel."""

_m = object_mesh.alias("m")


def cell_counts(selection: Selection, cell: Cell, level: int, lod: str | None = None) -> Statement:
    """What the cells of ``level`` inside ``cell`` hold, one row each, those without objects left out.

    Columns: code, objects, triangles, west, south, z_min, east, north, z_max, size_m; the last is
    the largest height or horizontal diagonal of one object, which bounds every width of it.
    """
    f = selection.source.c
    code = f.quadkey.op(">>")(bindparam("shift", type_=Integer))
    columns: list[ColumnElement[Any]] = [
        code.label("code"),
        func.count().label("objects"),
        func.sum(_m.c.triangles).label("triangles"),
        func.min(f.west).label("west"),
        func.min(f.south).label("south"),
        func.min(f.z_min).label("z_min"),
        func.max(f.east).label("east"),
        func.max(f.north).label("north"),
        func.max(f.z_max).label("z_max"),
        func.max(func.greatest(f.z_max - f.z_min, _diagonal_m(f))).label("size_m"),
    ]
    clause = (
        select(*columns)
        .select_from(_with_mesh(selection, lod))
        .where(selection.where(), _in_cell(f))
        .group_by(literal_column("1"))
    )
    values = {**_cell_values(cell, lod), "shift": 2 * (LEVEL - level)}
    return statement("cell_counts", clause, selection, lod is None, **values)


def tile_members(
    selection: Selection,
    cell: Cell,
    properties: Sequence[str],
    lod: str | None = None,
    *,
    mesh: bool = True,
    faces: bool = False,
) -> Statement:
    """The objects of a tile in the order of their feature ids.

    Columns: id, mesh_hash, row_hash, the named properties, ``mesh`` unless it is declined, and
    ``faces``, the measures of its faces, where they are asked for.
    """
    f = selection.source.c
    columns: list[ColumnElement[Any]] = [f.id, _m.c.mesh_hash, f.row_hash, *(f[name] for name in properties)]
    columns += [column for column, wanted in ((_m.c.mesh, mesh), (_m.c.faces, faces)) if wanted]
    clause = (
        select(*columns)
        .select_from(_with_mesh(selection, lod))
        .where(selection.where(), _in_cell(f))
        .order_by(f.quadkey, f.id)
    )
    shape = (lod is None, mesh, faces, tuple(properties))
    return statement("tile_members", clause, selection, shape, **_cell_values(cell, lod))


def tile_digest(selection: Selection, cell: Cell, lod: str | None = None) -> Statement:
    """What a tile holds, without fetching it: one row of digest, objects and triangles.

    ``digest`` is SHA-256 over mesh hash and row hash of the objects in order, null without any.
    """
    f = selection.source.c
    each = _m.c.mesh_hash.op("||")(f.row_hash)
    ordered = aggregate_order_by(literal_column("''::bytea", LargeBinary), f.quadkey, f.id)
    joined = func.string_agg(each, ordered, type_=LargeBinary)
    columns: list[ColumnElement[Any]] = [
        func.sha256(joined, type_=LargeBinary).label("digest"),
        func.count().label("objects"),
        func.sum(_m.c.triangles).label("triangles"),
    ]
    clause = select(*columns).select_from(_with_mesh(selection, lod)).where(selection.where(), _in_cell(f))
    return statement("tile_digest", clause, selection, lod is None, **_cell_values(cell, lod))


def revisions() -> Statement:
    """Id, role and revision of every dataset: what changes when anything that tilesets show does."""
    columns: list[ColumnElement[Any]] = [dataset.c.id, dataset.c.role, dataset.c.revision]
    return Statement(select(*columns).order_by(dataset.c.id), ("revisions",), {})


def vector_tile(selection: Selection, layer: str, cell: Cell, properties: Sequence[str]) -> Statement:
    """One Mapbox Vector Tile of the footprints that touch a cell: id and the named properties."""
    f = selection.source.c
    x, y, z = (bindparam(name, type_=Integer) for name in ("tile_x", "tile_y", "tile_z"))
    envelope = func.ST_TileEnvelope(z, x, y, type_=LargeBinary)
    margin = literal_column(str(_MVT_BUFFER / _MVT_EXTENT), Double)
    world = literal_column("ST_TileEnvelope(0, 0, 0)", LargeBinary)
    reach = func.ST_TileEnvelope(z, x, y, world, margin, type_=LargeBinary)
    shape = func.ST_AsMVTGeom(f.footprint_3857, envelope, _MVT_EXTENT, _MVT_BUFFER, True, type_=LargeBinary)
    visible = func.greatest(f.east - f.west, f.north - f.south) >= bindparam("pixel_deg", type_=Double)
    rows = (
        select(f.id, *(f[name] for name in properties), shape.label("geom"))
        .select_from(selection.source)
        .where(selection.where(), f.footprint_3857.op("&&")(reach), visible)
        .subquery("tile")
    )
    whole: ColumnElement[Any] = literal_column("tile.*")
    name = bindparam("layer", type_=Text)
    encoded: list[ColumnElement[Any]] = [func.ST_AsMVT(whole, name, _MVT_EXTENT, "geom", type_=LargeBinary)]
    return statement(
        "vector_tile",
        select(*encoded).select_from(rows).where(rows.c.geom.is_not(None)),
        selection,
        tuple(properties),
        layer=layer,
        tile_z=cell.level,
        tile_x=cell.x,
        tile_y=cell.y,
        pixel_deg=_pixel_deg(cell.level),
    )


def _pixel_deg(level: int) -> float:
    return 0.0 if level >= _MVT_COMPLETE_FROM else 360.0 / (_MVT_PIXELS << level)


def _with_mesh(selection: Selection, lod: str | None) -> FromClause:
    f = selection.source
    wanted = f.c.lod if lod is None else bindparam("lod", type_=Text)
    same = and_(_m.c.dataset_id == f.c.dataset_id, _m.c.object_id == f.c.object_id, _m.c.lod == wanted)
    if selection.view.as_of is not None:
        # Superseded meshes are not kept: an object with another shape since is left out, not shown wrong.
        same = and_(same, _m.c.mesh_hash == f.c.mesh_hash)
    return f.join(_m, same)


def _in_cell(f: Any) -> ColumnElement[bool]:
    first, behind = bindparam("cell_first", type_=BigInteger), bindparam("cell_behind", type_=BigInteger)
    return and_(f.quadkey >= first, f.quadkey < behind)


def _cell_values(cell: Cell, lod: str | None) -> dict[str, Any]:
    first, behind = cell_range(cell.level, cell.x, cell.y)
    values: dict[str, Any] = {"cell_first": first, "cell_behind": behind}
    return values if lod is None else {**values, "lod": lod}


def _diagonal_m(f: Any) -> ColumnElement[Any]:
    width = (f.east - f.west) * func.cos(func.radians(f.south))
    return func.sqrt(width * width + (f.north - f.south) * (f.north - f.south)) * _METRES_PER_DEGREE
