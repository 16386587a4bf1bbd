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

from twin.db.query import Condition, Statement, View, collection_type, source, uploaded_features
from twin.db.uploads import Uploaded

_HALF = literal_column("2.0", Double)
_WGS84 = literal_column("4326", Integer)


def outline(view: View, *, uploaded: bool) -> ColumnElement[Any]:
    """The indexed geometry of each feature."""
    return uploaded_features().c.geometry if uploaded else source(view).c.footprint


def centre(view: View, *, uploaded: bool) -> ColumnElement[Any]:
    """A point of each feature, so that it stands in one of several areas side by side.

    Of a building it is the middle of its bounding box, which is read without its footprint.
    """
    if uploaded:
        return func.ST_PointOnSurface(uploaded_features().c.geometry)
    f = source(view).c
    middle = func.ST_MakePoint((f.west + f.east) / _HALF, (f.south + f.north) / _HALF)
    return func.ST_SetSRID(middle, _WGS84)


def geometry_of(view: View, collection: str, uploaded: Uploaded | None, id: str) -> Statement:
    """The geometry of one feature as EWKB: one row, one column."""
    if uploaded is None:
        f = source(view).c
        clause = select(func.ST_AsEWKB(f.footprint, type_=LargeBinary)).where(
            f.id == bindparam("id", type_=Text), f.type == bindparam("collection_type", type_=Text)
        )
        values = {**view.values, "id": id, "collection_type": collection_type(collection)}
        return Statement(clause, ("geometry_of", view.shape), values)
    f = uploaded_features().c
    clause = select(func.ST_AsEWKB(f.geometry, type_=LargeBinary)).where(
        f.collection_id == bindparam("uploaded", type_=f.collection_id.type),
        f.id == bindparam("id", type_=Text),
    )
    return Statement(clause, ("geometry_of", "uploaded"), {"uploaded": uploaded.id, "id": id})


def within(view: View, area: bytes, *, uploaded: bool) -> Condition:
    """Features that stand within an area, given as EWKB in EPSG:4326."""
    bound = func.geometry(bindparam("within", type_=LargeBinary))
    # The first condition uses the index on geometries.
    near = outline(view, uploaded=uploaded).op("&&", is_comparison=True)(bound)
    stands = func.ST_Intersects(bound, centre(view, uploaded=uploaded), type_=Boolean)
    return Condition(and_(near, stands), ("within",), {"within": area})
