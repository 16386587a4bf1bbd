"""What tiles need from the database, as statements: counts per cell, members, digests, MVT.

Meshes are joined by the feature's own LoD, or by the LoD that a request names; a feature without a
mesh at that LoD is in no 3D tile.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    Subquery,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by

from twin.db.query import AnySelect, Selection, Statement, statement
from twin.db.queryables import Queryable
from twin.db.schema import dataset, object_mesh
from twin.model.cells import LEVEL, Cell, cell_range

_METRES_PER_DEGREE = 111_700
"""At least what a degree of latitude measures anywhere on the ellipsoid."""

_MVT_EXTENT = 4096
_MVT_BUFFER = 64
_MVT_PIXELS = 256
_MVT_COMPLETE_FROM = 14
"""From this zoom on a vector tile holds every footprint; above it, those of at least one pixel."""

_FIELDS = {"integer": "Number", "number": "Number", "boolean": "Boolean"}

_LEAST_BLOCK_M = 0.5
"""What a block misses even of a flat building: what its surfaces are, and openings in them."""

Geometry: TypeAlias = Literal["mesh", "faces", "blocks"]

_m = object_mesh.alias("m")


def cell_counts(
    selection: Selection, cell: Cell, level: int, lod: str | None = None, *, least_m: Sequence[int]
) -> Statement:
    """What the cells of ``level`` inside ``cell`` hold, a row for each class of size that is there.

    Columns: code, size_class, objects, triangles, points (of footprints), west, south, z_min, east,
    north, z_max, size_m, block_m. ``size_m`` is the largest height or horizontal diagonal of one
    object, which bounds every width of it; its class is how many of ``least_m`` it reaches, less one.
    ``block_m`` is how far the block of an object differs from its mesh, at most.
    """
    values = {
        **_cell_values(cell, lod),
        "shift": 2 * (LEVEL - level),
        "least_sizes": [float(m) for m in least_m],
    }
    return statement("cell_counts", lambda: _counts(selection, lod), selection, lod is None, **values)


def _counts(selection: Selection, lod: str | None) -> AnySelect:
    o = _measured(selection, lod)
    classes = bindparam("least_sizes", type_=ARRAY(Double))
    columns: list[ColumnElement[Any]] = [
        o.code,
        (func.width_bucket(o.size_m, classes, type_=Integer) - 1).label("size_class"),
        func.count().label("objects"),
        func.sum(o.triangles).label("triangles"),
        func.sum(o.points).label("points"),
        *(func.min(o[name]).label(name) for name in ("west", "south", "z_min")),
        *(func.max(o[name]).label(name) for name in ("east", "north", "z_max", "size_m")),
        func.max(_block_m(o)).label("block_m"),
    ]
    return select(*columns).group_by(literal_column("1"), literal_column("2"))


def _measured(selection: Selection, lod: str | None) -> Any:
    """The columns of a table with the objects of a cell, all that is measured of one computed once."""
    f = selection.source.c
    plan = func.Box3D(f.footprint, type_=LargeBinary)
    columns: list[ColumnElement[Any]] = [
        f.quadkey.op(">>")(bindparam("shift", type_=Integer)).label("code"),
        *(f[name] for name in ("west", "south", "z_min", "east", "north", "z_max")),
        _m.c.triangles,
        _points(f).label("points"),
        _size_m(f).label("size_m"),
        (f.height_max_m - f.height_eave_m).label("roof_m"),
        plan.label("plan"),
    ]
    rows = select(*columns).select_from(_with_mesh(selection, lod)).where(selection.where(), _in_cell(f))
    # With OFFSET the planner keeps the subquery; else it would measure anew wherever a column is named.
    return rows.offset(literal_column("0")).subquery("o").c


def tile_members(
    selection: Selection,
    cell: Cell,
    properties: Sequence[str],
    lod: str | None = None,
    *,
    least_m: int = 0,
    geometry: Geometry | None = "mesh",
) -> Statement:
    """The objects of a tile, of a least size, in the order of their feature ids.

    Columns: id, type, quadkey, mesh_hash, row_hash, the named properties, and those of the ``geometry``:
    ``mesh``, with ``faces`` the measures of its faces too, or what a block is made of: ``footprint``
    as WKB in degrees, the bounds and the ellipsoidal height of its ``top``.
    """
    shape = (lod is None, least_m > 0, geometry, tuple(properties))

    def made() -> AnySelect:
        f = selection.source.c
        named = [f[name] for name in properties]
        columns: list[ColumnElement[Any]] = [f.id, f.type, f.quadkey, _m.c.mesh_hash, f.row_hash, *named]
        columns += _geometry_columns(f, geometry)
        rows = select(*columns).select_from(_with_mesh(selection, lod))
        return rows.where(selection.where(), *_in_tile(f, least_m)).order_by(f.quadkey, f.id)

    return statement("tile_members", made, selection, shape, **_cell_values(cell, lod, least_m))


def _geometry_columns(f: Any, geometry: Geometry | None) -> list[ColumnElement[Any]]:
    if geometry == "blocks":
        footprint = func.ST_AsBinary(f.footprint, type_=LargeBinary).label("footprint")
        return [
            footprint,
            f.west,
            f.south,
            f.east,
            f.north,
            f.z_min,
            (f.z_max - _roof_m(f) * _float(0.5)).label("top"),
        ]
    return [_m.c[name] for name in {"mesh": ["mesh"], "faces": ["mesh", "faces"], None: []}[geometry]]


def tile_digest(selection: Selection, cell: Cell, lod: str | None = None, *, least_m: int = 0) -> Statement:
    """What a tile holds, without fetching it: one row of digest, objects, triangles and points.

    ``digest`` is SHA-256 over mesh hash and row hash of the objects in order, null without any.
    """
    shape = (lod is None, least_m > 0)

    def made() -> AnySelect:
        f = selection.source.c
        each = _m.c.mesh_hash.op("||")(f.row_hash)
        ordered = aggregate_order_by(literal_column("''::bytea", LargeBinary), f.quadkey, f.id)
        joined = func.string_agg(each, ordered, type_=LargeBinary)
        columns: list[ColumnElement[Any]] = [
            func.sha256(joined, type_=LargeBinary).label("digest"),
            func.count().label("objects"),
            func.sum(_m.c.triangles).label("triangles"),
            func.sum(_points(f)).label("points"),
        ]
        rows = select(*columns).select_from(_with_mesh(selection, lod))
        return rows.where(selection.where(), *_in_tile(f, least_m))

    return statement("tile_digest", made, selection, shape, **_cell_values(cell, lod, least_m))


@cache
def revisions() -> Statement:
    """Id, role and revision of every dataset: what changes when anything that tilesets show does."""
    columns: list[ColumnElement[Any]] = [dataset.c.id, dataset.c.role, dataset.c.revision]
    return Statement(select(*columns).order_by(dataset.c.id), ("revisions",), {})


def bounds(selection: Selection) -> Statement:
    """West, south, east and north in degrees of each feature that has a footprint."""

    def made() -> AnySelect:
        f = selection.source.c
        sides: list[ColumnElement[Any]] = [f.west, f.south, f.east, f.north]
        rows = select(*sides).select_from(selection.source)
        return rows.where(selection.where(), f.footprint_3857.is_not(None))

    return statement("bounds", made, selection)


def field_type(queryable: Queryable) -> str:
    """The type of a property in a vector tile, by its name in TileJSON 3.0."""
    return _FIELDS.get(queryable.type, "String")


def vector_tile(selection: Selection, layer: str, cell: Cell, properties: Sequence[str]) -> Statement:
    """One Mapbox Vector Tile of the footprints that touch a cell: id and the named properties."""

    def made() -> AnySelect:
        rows = _outlines_in_tile(selection, properties)
        whole: ColumnElement[Any] = literal_column("tile.*")
        name = bindparam("layer", type_=Text)
        encoded: list[ColumnElement[Any]] = [
            func.ST_AsMVT(whole, name, _MVT_EXTENT, "geom", type_=LargeBinary)
        ]
        return select(*encoded).select_from(rows).where(rows.c.geom.is_not(None))

    return statement(
        "vector_tile",
        made,
        selection,
        tuple(properties),
        layer=layer,
        tile_z=cell.level,
        tile_x=cell.x,
        tile_y=cell.y,
        pixel_deg=_pixel_deg(cell.level),
    )


def _outlines_in_tile(selection: Selection, properties: Sequence[str]) -> Subquery:
    f = selection.source.c
    x, y, z = (bindparam(name, type_=Integer) for name in ("tile_x", "tile_y", "tile_z"))
    envelope = func.ST_TileEnvelope(z, x, y, type_=LargeBinary)
    margin = literal_column(str(_MVT_BUFFER / _MVT_EXTENT), Double)
    world = literal_column("ST_TileEnvelope(0, 0, 0)", LargeBinary)
    reach = func.ST_TileEnvelope(z, x, y, world, margin, type_=LargeBinary)
    shape = func.ST_AsMVTGeom(f.footprint_3857, envelope, _MVT_EXTENT, _MVT_BUFFER, True, type_=LargeBinary)
    visible = func.greatest(f.east - f.west, f.north - f.south) >= bindparam("pixel_deg", type_=Double)
    return (
        select(f.id, *(f[name] for name in properties), shape.label("geom"))
        .select_from(selection.source)
        .where(selection.where(), f.footprint_3857.op("&&")(reach), visible)
        # With OFFSET each outline is clipped once, not again for the condition that something is left of it.
        .offset(literal_column("0"))
        .subquery("tile")
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


def _in_tile(f: Any, least_m: int) -> list[ColumnElement[bool]]:
    large = [_size_m(f) >= bindparam("least_size", type_=Double)] if least_m else []
    return [_in_cell(f), *large]


def _cell_values(cell: Cell, lod: str | None, least_m: int = 0) -> dict[str, Any]:
    first, behind = cell_range(cell.level, cell.x, cell.y)
    values: dict[str, Any] = {"cell_first": first, "cell_behind": behind}
    values |= {"least_size": float(least_m)} if least_m else {}
    return values if lod is None else {**values, "lod": lod}


def _float(value: float) -> ColumnElement[Any]:
    """A constant that PostgreSQL does not take for a numeric, which is slow."""
    return literal_column(f"{float(value)}::float8", Double)


def _points(f: Any) -> ColumnElement[Any]:
    return func.coalesce(func.ST_NPoints(f.footprint, type_=Integer), 5)


def _size_m(f: Any) -> ColumnElement[Any]:
    return func.greatest(f.z_max - f.z_min, _diagonal_m(f))


def _roof_m(f: Any) -> ColumnElement[Any]:
    """How high the roof rises above its eaves; 0 where that is not known, as the block goes to the top."""
    return func.greatest(func.coalesce(f.height_max_m - f.height_eave_m, _float(0)), _float(0))


def _block_m(o: Any) -> ColumnElement[Any]:
    """How far a block differs from the mesh, at most: by half the roof, or by what reaches over its edges."""
    roof = func.coalesce(o.roof_m, (o.z_max - o.z_min) * _float(2)) * _float(0.5)
    return func.greatest(roof, _overhang_m(o), _float(_LEAST_BLOCK_M))


def _overhang_m(o: Any) -> ColumnElement[Any]:
    """How far an object reaches over the bounds of its footprint."""
    scale = func.cos(func.radians(o.south))
    over = [
        (func.ST_XMin(o.plan, type_=Double) - o.west) * scale,
        func.ST_YMin(o.plan, type_=Double) - o.south,
        (o.east - func.ST_XMax(o.plan, type_=Double)) * scale,
        o.north - func.ST_YMax(o.plan, type_=Double),
    ]
    return func.coalesce(func.greatest(*over), _float(0)) * _float(_METRES_PER_DEGREE)


def _diagonal_m(f: Any) -> ColumnElement[Any]:
    width = (f.east - f.west) * func.cos(func.radians(f.south))
    return func.sqrt(width * width + (f.north - f.south) * (f.north - f.south)) * _float(_METRES_PER_DEGREE)
