"""What tiles need from the database, as statements: members, digests, MVT.

Meshes are joined by the feature's own LoD, or by the LoD that a request names; a feature without a
mesh at that LoD is in no 3D tile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, TypeAlias

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    Subquery,
    Text,
    and_,
    any_,
    bindparam,
    case,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by, distinct_on

from twin.db.query import AnySelect, Selection, Statement, statement
from twin.db.queryables import Queryable
from twin.db.schema import dataset
from twin.db.skin_tables import object_skin, texture_image
from twin.db.tile_grid import GRID_ZOOMS, HALF_WORLD_M, MVT_EXTENT
from twin.db.tile_measures import cell_values, in_cell, mesh, number, points, roof_m, size_m, with_mesh
from twin.model.cells import Cell, cell_bounds

_MVT_BUFFER = 64
_MVT_PIXELS = 256
_MVT_COMPLETE_FROM = 14
"""From this zoom on a vector tile holds every footprint; above it, those of at least one pixel."""

_FIELDS = {"integer": "Number", "number": "Number", "boolean": "Boolean"}


@dataclass(frozen=True, slots=True)
class Skinned:
    """Meshes with their skins in a theme, None for that of each object by default; ``faces``: also the
    measures of their faces."""

    theme: str | None = None
    faces: bool = False


Shown: TypeAlias = Literal["mesh", "faces", "blocks"] | Skinned


@dataclass(frozen=True, slots=True)
class Alone:
    """What is shown, without the meshes of templates."""

    shown: Shown


Geometry: TypeAlias = Shown | Alone


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
    ``mesh``, with ``faces`` the measures of its faces too, with a skin that as ``skin`` (null without any),
    or what a block is made of: ``footprint`` as WKB in degrees, the bounds and the ellipsoidal height of
    its ``top``. With a mesh come ``templates`` and ``instances``; the meshes of those templates, and their
    faces, with the first object that has them, unless it is `Alone`.
    """
    templates = not isinstance(geometry, Alone)
    geometry = geometry.shown if isinstance(geometry, Alone) else geometry
    theme = geometry.theme if isinstance(geometry, Skinned) else None
    shape = (lod is None, least_m > 0, _named(geometry), templates, tuple(properties))

    def made() -> AnySelect:
        f = selection.source.c
        named = [f[name] for name in properties]
        found, mesh_hash = _hashed(selection, lod, read=geometry not in (None, "blocks"))
        columns: list[ColumnElement[Any]] = [f.id, f.type, f.quadkey, mesh_hash, f.row_hash, *named]
        columns += _geometry_columns(f, geometry, templates=templates)
        rows = select(*columns).select_from(_with_skin(found, theme) if "skin" in _named(geometry) else found)
        rows = rows.where(selection.where(), mesh_hash.is_not(None), *_in_tile(f, least_m))
        return rows.order_by(f.quadkey, f.id)

    values = cell_values(cell, lod, least_m) | ({} if theme is None else {"theme": theme})
    return statement("tile_members", made, selection, shape, **values)


def _hashed(selection: Selection, lod: str | None, *, read: bool) -> tuple[FromClause, ColumnElement[Any]]:
    """The features with the hashes of their meshes; the meshes themselves are joined if they are to be read.

    Of its own LoD a feature knows the hash.
    """
    if read or lod is not None or selection.view.as_of is not None:
        return with_mesh(selection, lod), mesh.c.mesh_hash
    return selection.source, selection.source.c.mesh_hash


def _named(geometry: Shown | None) -> tuple[str, ...]:
    """The columns of a geometry by name, or the word for it; the same wherever statements are the same."""
    if isinstance(geometry, Skinned):
        themed = ("mesh", "skin") if geometry.theme is None else ("mesh", "skin", "themed")
        return (*themed, "faces") if geometry.faces else themed
    return {"mesh": ("mesh",), "faces": ("mesh", "faces"), "blocks": ("blocks",), None: ()}[geometry]


def _with_skin(found: FromClause, theme: str | None) -> FromClause:
    skin, chosen = object_skin.c, bindparam("theme", type_=Text)
    wanted = skin.ordinal == literal_column("0") if theme is None else skin.theme == chosen
    of_mesh = (skin[name] == mesh.c[name] for name in ("dataset_id", "object_id", "lod"))
    return found.outerjoin(object_skin, and_(*of_mesh, wanted))


def tile_images(hashes: Sequence[bytes]) -> Statement:
    """The images with those hashes: columns hash and image."""
    return Statement(_images(), ("tile_images",), {"hashes": list(hashes)})


@cache
def _images() -> AnySelect:
    i = texture_image.c
    wanted = bindparam("hashes", type_=ARRAY(LargeBinary))
    columns: list[ColumnElement[Any]] = [i.hash, i.image]
    return select(*columns).where(i.hash == any_(wanted)).ext(distinct_on(i.hash))


def _geometry_columns(f: Any, geometry: Shown | None, *, templates: bool) -> list[ColumnElement[Any]]:
    if geometry == "blocks":
        footprint = func.ST_AsBinary(f.footprint, type_=LargeBinary).label("footprint")
        return [
            footprint,
            f.west,
            f.south,
            f.east,
            f.north,
            f.z_min,
            (f.z_max - roof_m(f) * number(0.5)).label("top"),
        ]
    columns = {"mesh": mesh.c.mesh, "faces": mesh.c.faces, "skin": object_skin.c.skin}
    wanted = [name for name in _named(geometry) if name in columns]
    if not wanted:
        return []
    of_templates = [_of_templates(f, name) for name in wanted if name != "skin"] if templates else []
    return [*(columns[name] for name in wanted), mesh.c.templates, mesh.c.instances, *of_templates]


def _of_templates(f: Any, name: str) -> ColumnElement[Any]:
    """A column of the templates of an object, in the order of their ids: null but for the first object of
    those with the same ones, so that each travels once."""
    found = literal_column(
        f"ARRAY(SELECT t.{name} FROM generate_series(1, length(m.templates), 16) place "  # noqa: S608
        "JOIN template_mesh t ON t.dataset_id = m.dataset_id "
        "AND t.template_id = substr(m.templates, place, 16) ORDER BY place)",
        ARRAY(LargeBinary),
    )
    number = func.row_number().over(partition_by=mesh.c.templates, order_by=(f.quadkey, f.id))
    is_first = and_(mesh.c.templates.is_not(None), number == literal_column("1"))
    return case((is_first, found)).label(f"template_{name}")


def tile_digest(selection: Selection, cell: Cell, lod: str | None = None, *, least_m: int = 0) -> Statement:
    """What a tile holds, without fetching it: one row of digest, objects and points.

    ``digest`` is SHA-256 over mesh hash and row hash of the objects in order, null without any.
    """
    shape = (lod is None, least_m > 0)

    def made() -> AnySelect:
        f = selection.source.c
        found, mesh_hash = _hashed(selection, lod, read=False)
        each = mesh_hash.op("||")(f.row_hash)
        ordered = aggregate_order_by(literal_column("''::bytea", LargeBinary), f.quadkey, f.id)
        joined = func.string_agg(each, ordered, type_=LargeBinary)
        columns: list[ColumnElement[Any]] = [
            func.sha256(joined, type_=LargeBinary).label("digest"),
            func.count().label("objects"),
            func.sum(points(f)).label("points"),
        ]
        rows = select(*columns).select_from(found)
        return rows.where(selection.where(), mesh_hash.is_not(None), *_in_tile(f, least_m))

    return statement("tile_digest", made, selection, shape, **cell_values(cell, lod, least_m))


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
        return rows.where(selection.where(), f.footprint.is_not(None))

    return statement("bounds", made, selection)


def field_type(queryable: Queryable) -> str:
    """The type of a property in a vector tile, by its name in TileJSON 3.0."""
    return _FIELDS.get(queryable.type, "String")


def vector_tile(selection: Selection, layer: str, cell: Cell, properties: Sequence[str]) -> Statement:
    """One Mapbox Vector Tile of the footprints that touch a cell: id and the named properties."""

    def made() -> AnySelect:
        rows = _outlines_in_tile(selection, cell, properties)
        whole: ColumnElement[Any] = literal_column("tile.*")
        name = bindparam("layer", type_=Text)
        encoded: list[ColumnElement[Any]] = [
            func.ST_AsMVT(whole, name, MVT_EXTENT, "geom", type_=LargeBinary)
        ]
        return select(*encoded).select_from(rows).where(rows.c.geom.is_not(None))

    return statement(
        "vector_tile",
        made,
        selection,
        (tuple(properties), cell.level in GRID_ZOOMS),
        layer=layer,
        tile_z=cell.level,
        tile_x=cell.x,
        tile_y=cell.y,
        pixel_deg=_pixel_deg(cell.level),
        **_origin(cell),
        **_reach(cell),
    )


_TILE = tuple(bindparam(name, type_=Integer) for name in ("tile_x", "tile_y", "tile_z"))
_REACH_NAMES = ("reach_west", "reach_south", "reach_east", "reach_north")
_REACH = tuple(bindparam(name, type_=Double) for name in _REACH_NAMES)
_ORIGIN = tuple(bindparam(name, type_=Double) for name in ("origin_x", "origin_y", "steps_a_metre"))


def _stays_valid(f: Any) -> ColumnElement[bool]:
    return f.grid_zooms.op(">>")(_TILE[2]).op("&")(1) == 1


def _on_grid(outline: ColumnElement[Any]) -> ColumnElement[Any]:
    """An outline in steps of the tile's grid, y downwards.

    It takes a fifth of the time of ST_AsMVTGeom, which would clip it and look for what crosses itself.
    """
    x, y, steps = _ORIGIN
    moved = func.ST_TransScale(outline, -x, -y, steps, -steps)
    return func.ST_SnapToGrid(moved, 1, type_=LargeBinary)


def _origin(cell: Cell) -> dict[str, float]:
    """The upper left corner of a tile in metres of Web Mercator, and steps of its grid a metre."""
    side = 2 * HALF_WORLD_M / (1 << cell.level)
    return {
        "origin_x": cell.x * side - HALF_WORLD_M,
        "origin_y": HALF_WORLD_M - cell.y * side,
        "steps_a_metre": MVT_EXTENT / side,
    }


def _outlines_in_tile(selection: Selection, cell: Cell, properties: Sequence[str]) -> Subquery:
    f = selection.source.c
    x, y, z = _TILE
    envelope = func.ST_TileEnvelope(z, x, y, type_=LargeBinary)
    margin = literal_column(str(_MVT_BUFFER / MVT_EXTENT), Double)
    world = literal_column("ST_TileEnvelope(0, 0, 0)", LargeBinary)
    reach = func.ST_TileEnvelope(z, x, y, world, margin, type_=LargeBinary)
    outline, touches = _mercator(f, reach)
    shape: ColumnElement[Any] = func.ST_AsMVTGeom(
        outline, envelope, MVT_EXTENT, _MVT_BUFFER, True, type_=LargeBinary
    )
    if cell.level in GRID_ZOOMS and "grid_zooms" in f:
        whole = reach.op("~", return_type=Boolean())(outline)
        shape = case((and_(_stays_valid(f), whole), _on_grid(outline)), else_=shape)
    visible = func.greatest(f.east - f.west, f.north - f.south) >= bindparam("pixel_deg", type_=Double)
    return (
        select(f.id, *(f[name] for name in properties), shape.label("geom"))
        .select_from(selection.source)
        .where(selection.where(), touches, visible)
        # With OFFSET each outline is clipped once, not again for the condition that something is left of it.
        .offset(literal_column("0"))
        .subquery("tile")
    )


def _mercator(f: Any, reach: ColumnElement[Any]) -> tuple[ColumnElement[Any], ColumnElement[bool]]:
    """The outline in EPSG:3857, and the condition that it touches a box there, which an index answers.

    Parts of buildings have none stored, as their tiles are seldom asked for.
    """
    if "footprint_3857" in f:
        return f.footprint_3857, f.footprint_3857.op("&&", return_type=Boolean())(reach)
    box = func.ST_MakeEnvelope(*_REACH, 4326, type_=LargeBinary)
    outline = func.ST_Transform(f.footprint, 3857, type_=LargeBinary)
    return outline, f.footprint.op("&&", return_type=Boolean())(box)


def _reach(cell: Cell) -> dict[str, float]:
    """The bounds in degrees of a tile with what is drawn around it."""
    west, south, east, north = cell_bounds(cell.level, cell.x, cell.y)
    # Twice as far, since a degree of latitude is longer on the map towards the poles.
    around = 2 * _MVT_BUFFER / MVT_EXTENT
    across, up = (east - west) * around, (north - south) * around
    return dict(zip(_REACH_NAMES, (west - across, south - up, east + across, north + up), strict=True))


def _pixel_deg(level: int) -> float:
    return 0.0 if level >= _MVT_COMPLETE_FROM else 360.0 / (_MVT_PIXELS << level)


def _in_tile(f: Any, least_m: int) -> list[ColumnElement[bool]]:
    large = [size_m(f) >= bindparam("least_size", type_=Double)] if least_m else []
    return [in_cell(f), *large]
