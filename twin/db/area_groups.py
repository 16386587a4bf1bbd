"""Features grouped by uploaded areas, such as districts: by cells that areas cover, by shape on edges."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    CTE,
    Boolean,
    ColumnElement,
    Double,
    FromClause,
    Integer,
    LargeBinary,
    Text,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    nulls_last,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.sql.elements import Grouping as Parentheses

from twin.db.collection_tables import collection_feature
from twin.db.groupings import VALUE, Columns, Grouping, Step, of_column
from twin.db.places import centre, lonlat
from twin.db.query import AnySelect, Selection, Statement
from twin.db.uploads import Uploaded, slot_of
from twin.model.coverage import EDGE, SIDE, Coverage

_GRID = ("west", "south", "width", "height")


@dataclass(frozen=True, slots=True)
class Covered:
    """The coverage of areas as it is bound: codes of cells, ids of areas with numbers, values by number."""

    grid: Mapping[str, float]
    codes: bytes
    ids: list[str]
    numbers: list[int | None]
    values: Sequence[Any]

    @classmethod
    def of(
        cls, coverage: Coverage, ids: Sequence[str], numbers: Sequence[int], values: Sequence[Any]
    ) -> "Covered":
        grid = {side: getattr(coverage, side) for side in _GRID}
        codes = coverage.codes.astype(">u2").tobytes()
        return cls(grid, codes, list(ids), [number or None for number in numbers], values)

    def value(self, number: int | None) -> Any:
        """The id of an area or what its property says."""
        return None if number is None else self.values[number - 1]

    def bound(self, name: str) -> dict[str, Any]:
        """The values of `_by_cell`."""
        values = {**self.grid, "codes": self.codes, "ids": self.ids, "numbers": self.numbers}
        return {f"{name}_{kind}": value for kind, value in values.items()}


def area_shapes(areas: Uploaded, label: str | None) -> Statement:
    """``id``, ``shape`` as WKB and ``area``, the id or a property, of all with a geometry, in its order."""
    a = collection_feature.alias("a")
    value = _value(a, areas, label)
    own = a.c.collection_id == bindparam("collection", type_=Integer)
    shape = func.ST_AsBinary(a.c.geometry, type_=LargeBinary).label("shape")
    columns: list[ColumnElement[Any]] = [a.c.id, shape, value.label("area")]
    clause = select(*columns).where(own, a.c.geometry.is_not(None)).order_by(nulls_last(value), a.c.id)
    return Statement(clause, ("shapes of areas", areas.id, areas.revision, label), {"collection": areas.id})


def by_area(
    selection: Selection, areas: Uploaded, label: str | None, index: int, covered: Covered | None
) -> Grouping:
    """The areas of an uploaded collection, named by their id or by a property.

    A feature counts to the area in which the middle of its bounding box stands; where areas
    overlap, to each. With ``covered`` geometries are asked only where an edge is near.
    """
    name = f"areas_{index}"
    title = f"area({areas.name})" if label is None else f"area({areas.name},{label})"
    values, outlines = {name: areas.id}, _outlines(areas, label)
    if covered is not None:
        return Grouping(
            title,
            _by_cell(selection, name),
            "areas by cells",
            {**values, **covered.bound(name)},
            covered.value,
            beside=lambda of: _around(of, name),
            areas=outlines,
        )
    standing = _standing(selection, areas, label, name)

    def join(features: FromClause) -> FromClause:
        return features.outerjoin(standing, standing.c.id == selection.source.c.id)

    key = ("area", areas.id, areas.revision, label)
    return Grouping(title, of_column(standing.c.area), key, values, join=join, areas=outlines)


def _value(a: FromClause, areas: Uploaded, label: str | None) -> ColumnElement[Any]:
    """What areas under the alias ``a`` are named by."""
    return a.c.id if label is None else slot_of(areas, label, "a")


def _by_cell(selection: Selection, name: str) -> Sequence[Step]:
    """The number of the area of each feature: that of its cell, on edges those of all that it stands in."""
    lng, lat = lonlat(selection.collection, selection.view)
    side = literal_column(str(SIDE), Integer)
    codes = bindparam(f"{name}_codes", type_=LargeBinary)

    def along(angle: ColumnElement[Any], start: str, size: str) -> ColumnElement[Any]:
        first, step = (bindparam(f"{name}_{kind}", type_=Double) for kind in (start, size))
        return func.floor((angle - first) / step, type_=Double)

    def place(of: Columns) -> Columns:
        return {**of, "x": along(of["lng"], "west", "width"), "y": along(of["lat"], "south", "height")}

    def code(of: Columns) -> Columns:
        within = and_(of["x"] >= 0, of["x"] < side, of["y"] >= 0, of["y"] < side)
        at = cast((of["y"] * side + of["x"]) * 2, Integer)
        high, low = (func.get_byte(codes, at + byte, type_=Integer) for byte in (0, 1))
        return {"lng": of["lng"], "lat": of["lat"], "code": case((within, high * 256 + low), else_=0)}

    return (lambda _: {"lng": lng, "lat": lat}, place, code, lambda of: {VALUE: _number(of, name)})


def _number(of: Columns, name: str) -> ColumnElement[Any]:
    """The number of the area of a point: that of its cell, on edges of one that it stands in."""
    numbers, ids = _array(f"{name}_numbers", Integer()), bindparam(f"{name}_ids", type_=ARRAY(Text))
    on_edge = numbers[func.array_position(ids, of["around"])]
    return case((of["code"] == EDGE, on_edge), else_=func.nullif(of["code"], 0))


def _around(of: Columns, name: str) -> AnySelect:
    """The ids of the areas that a point on an edge stands in; of other points none are looked for."""
    a = collection_feature.alias("a")
    point = func.ST_SetSRID(func.ST_MakePoint(of["lng"], of["lat"]), literal_column("4326", Integer))
    meets = func.ST_Intersects(a.c.geometry, point, type_=Boolean)
    # Plus 0, so that they are found by the index on geometries and not one after the other by the key.
    own = a.c.collection_id + literal_column("0", Integer) == bindparam(name, type_=Integer)
    return select(a.c.id.label("around")).where(of["code"] == EDGE, own, meets)


def _array(name: str, kind: Any) -> Any:
    """An array that is bound, to be asked by place: in parentheses, for behind it stands its type."""
    return Parentheses(bindparam(name, type_=ARRAY(kind)))


def _outlines(areas: Uploaded, label: str | None) -> Statement:
    """One row for each value of a label, with all areas that have it as one geometry."""
    a = collection_feature.alias("a")
    value = _value(a, areas, label)
    shape: ColumnElement[Any] = a.c.geometry if label is None else func.ST_Union(a.c.geometry)
    columns = [value.label("area"), func.ST_AsGeoJSON(shape, literal_column("7", Integer)).label("geometry")]
    clause = select(*columns).where(a.c.collection_id == bindparam("collection", type_=Integer))
    if label is not None:
        clause = clause.group_by(value)
    return Statement(clause, ("outlines of areas", areas.id, areas.revision, label), {"collection": areas.id})


def _standing(selection: Selection, areas: Uploaded, label: str | None, name: str) -> CTE:
    """The ids of features with the area of each; found from the areas, by the index on footprints."""
    a = collection_feature.alias("a")
    asked, view = selection.collection, selection.view
    within = and_(
        a.c.collection_id == bindparam(name, type_=Integer),
        asked.outline(view).op("&&", is_comparison=True)(a.c.geometry),
        func.ST_Intersects(a.c.geometry, centre(asked, view), type_=Boolean),
    )
    area = _value(a, areas, label).label("area")
    columns: list[ColumnElement[Any]] = [selection.source.c.id.label("id"), area]
    clause = select(*columns).select_from(selection.source.join(a, within)).where(selection.where())
    return clause.cte(name)
