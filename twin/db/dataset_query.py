"""What datasets there are and what they hold, as a statement."""

from typing import Any

from sqlalchemy import ColumnElement, func, select

from twin.db.part_tables import building_part
from twin.db.query import Statement
from twin.db.schema import dataset, feature, object_roof
from twin.db.skin_tables import object_skin


def datasets() -> Statement:
    """Every dataset in order of name, with the number, the extent and the age of its features.

    Columns: name, title, city, role, synthetic, placement, heights (JSON text), horizontal_epsg,
    vertical_epsg, publisher, licence, count, west, south, east, north, recorded_from, types (of
    first-level objects, with duplicates removed), roof_faces (how many are known), themes (of textures and
    materials), building_parts (1 where there are some).
    """
    d, f = dataset.c, feature.c
    described: list[ColumnElement[Any]] = [
        d.name, d.title, d.city, d.role, d.synthetic, d.placement, d.heights, d.horizontal_epsg,
        d.vertical_epsg, d.publisher, d.licence,
    ]  # fmt: skip
    measured: list[ColumnElement[Any]] = [
        func.count(f.id).label("count"),
        func.min(f.west).label("west"),
        func.min(f.south).label("south"),
        func.max(f.east).label("east"),
        func.max(f.north).label("north"),
        func.min(f.recorded_from).label("recorded_from"),
        func.array_agg(f.type.distinct()).label("types"),
    ]
    faces = select(func.sum(object_roof.c.roof_faces)).where(object_roof.c.dataset_id == d.id)
    known: ColumnElement[Any] = func.coalesce(faces.scalar_subquery(), 0).label("roof_faces")
    skin = object_skin.c
    themes = select(skin.theme).distinct().where(skin.dataset_id == d.id, skin.theme.is_not(None))
    looks: ColumnElement[Any] = func.array(themes.order_by(skin.theme).scalar_subquery()).label("themes")
    some = select(1).where(building_part.c.dataset_id == d.id).limit(1)
    parts: ColumnElement[Any] = func.coalesce(some.scalar_subquery(), 0).label("building_parts")
    clause = (
        select(*described, *measured, known, looks, parts)
        .select_from(dataset.outerjoin(feature, f.dataset_id == d.id))
        .group_by(d.id)
        .order_by(d.name)
    )
    return Statement(clause, ("datasets",), {})
