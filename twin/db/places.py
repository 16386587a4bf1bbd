"""Where a feature stands: the point that counts it to one area, and geometries to count it by."""

from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Double,
    Integer,
    LargeBinary,
    Text,
    and_,
    bindparam,
    func,
    literal_column,
    select,
)

from twin.db.query import Collection, Condition, Statement, View

_HALF = literal_column("2.0", Double)
_WGS84 = literal_column("4326", Integer)


def centre(collection: Collection, view: View) -> ColumnElement[Any]:
    """A point of each feature, so that it stands in one of several areas side by side.

    Where the bounds of features are columns it is the middle of them, which is read without the geometry.
    """
    f = collection.rows(view).c
    if "west" not in f:
        return func.ST_PointOnSurface(collection.outline(view))
    return func.ST_Point((f.west + f.east) / _HALF, (f.south + f.north) / _HALF, _WGS84)


def lonlat(collection: Collection, view: View) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Longitude and latitude of `centre` in degrees, without making a point where columns do."""
    f = collection.rows(view).c
    if "west" not in f:
        point = centre(collection, view)
        return func.ST_X(point, type_=Double), func.ST_Y(point, type_=Double)
    return (f.west + f.east) / _HALF, (f.south + f.north) / _HALF


def geometry_of(view: View, collection: Collection, id: str) -> Statement:
    """The geometry of one feature as EWKB: one row, one column."""
    f = collection.rows(view).c
    clause = select(func.ST_AsEWKB(collection.outline(view), type_=LargeBinary)).where(
        f.id == bindparam("id", type_=Text), *collection.members(view)
    )
    values = {**collection.values(view), "id": id}
    return Statement(clause, ("geometry_of", view.shape, collection.key), values)


def within(collection: Collection, view: View, area: bytes) -> Condition:
    """Features that stand within an area, given as EWKB in EPSG:4326."""
    bound = func.geometry(bindparam("within", type_=LargeBinary))
    # The first condition uses the index on geometries.
    near = collection.outline(view).op("&&", is_comparison=True)(bound)
    stands = func.ST_Intersects(bound, centre(collection, view), type_=Boolean)
    return Condition(and_(near, stands), ("within",), {"within": area})
