"""What statements of tiles measure of an object: its size, and how far the block of it is from its mesh."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
)

from twin.db.query import Selection
from twin.db.schema import object_mesh
from twin.model.cells import Cell, cell_range

_METRES_PER_DEGREE = 111_700
"""At least what a degree of latitude measures anywhere on the ellipsoid."""

_LEAST_BLOCK_M = 0.5
"""What a block misses even of a flat building: what its surfaces are, and openings in them."""

mesh = object_mesh.alias("m")
"""The meshes that statements join."""


def number(value: float) -> ColumnElement[Any]:
    """A constant that PostgreSQL does not take for a numeric, which is slow."""
    return literal_column(f"{float(value)}::float8", Double)


def points(f: Any) -> ColumnElement[Any]:
    """Points of the outline from which a block is pulled up; five where it is the box around the object."""
    return func.coalesce(func.ST_NPoints(f.footprint, type_=Integer), 5)


def size_m(f: Any) -> ColumnElement[Any]:
    """The larger of height and horizontal diagonal of an object in metres."""
    return func.greatest(f.z_max - f.z_min, _diagonal_m(f))


def roof_m(f: Any) -> ColumnElement[Any]:
    """How high the roof rises above its eaves; 0 where that is not known, as the block goes to the top."""
    return func.greatest(func.coalesce(f.height_max_m - f.height_eave_m, number(0)), number(0))


def block_m(o: Any) -> ColumnElement[Any]:
    """How far a block differs from the mesh, at most: by half the roof, or by what reaches over its edges."""
    roof = func.coalesce(o.roof_m, (o.z_max - o.z_min) * number(2)) * number(0.5)
    return func.greatest(roof, _overhang_m(o), number(_LEAST_BLOCK_M))


def _overhang_m(o: Any) -> ColumnElement[Any]:
    """How far an object reaches over the bounds of its footprint."""
    scale = func.cos(func.radians(o.south))
    over = [
        (func.ST_XMin(o.plan, type_=Double) - o.west) * scale,
        func.ST_YMin(o.plan, type_=Double) - o.south,
        (o.east - func.ST_XMax(o.plan, type_=Double)) * scale,
        o.north - func.ST_YMax(o.plan, type_=Double),
    ]
    return func.coalesce(func.greatest(*over), number(0)) * number(_METRES_PER_DEGREE)


def _diagonal_m(f: Any) -> ColumnElement[Any]:
    width = (f.east - f.west) * func.cos(func.radians(f.south))
    return func.sqrt(width * width + (f.north - f.south) * (f.north - f.south)) * number(_METRES_PER_DEGREE)


def with_mesh(selection: Selection, lod: str | None) -> FromClause:
    """The features of a selection, each with its mesh of the LoD: its own one, or ``:lod``."""
    f = selection.source
    wanted = f.c.lod if lod is None else bindparam("lod", type_=Text)
    same = and_(mesh.c.dataset_id == f.c.dataset_id, mesh.c.object_id == f.c.object_id, mesh.c.lod == wanted)
    if selection.view.as_of is not None:
        # Superseded meshes are not kept: an object with another shape since is left out, not shown wrong.
        same = and_(same, mesh.c.mesh_hash == f.c.mesh_hash)
    return f.join(mesh, same)


def in_cell(f: Any) -> ColumnElement[bool]:
    """The condition that an object belongs to the cell that `cell_values` binds."""
    first, behind = bindparam("cell_first", type_=BigInteger), bindparam("cell_behind", type_=BigInteger)
    return and_(f.quadkey >= first, f.quadkey < behind)


def cell_values(cell: Cell, lod: str | None, least_m: int = 0) -> dict[str, Any]:
    """What statements of a cell bind."""
    first, behind = cell_range(cell.level, cell.x, cell.y)
    values: dict[str, Any] = {"cell_first": first, "cell_behind": behind}
    values |= {"least_size": float(least_m)} if least_m else {}
    return values if lod is None else {**values, "lod": lod}
