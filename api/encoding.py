"""What each format of features needs from the database, and how its rows become bytes."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson

from api import solids
from api.feature_memory import FeatureMemory
from api.feature_text import Names, check_names, hidden, shape
from api.formats import (
    ARROW,
    CITYJSON_SEQUENCE,
    CSV,
    FLATGEOBUF,
    GEOJSON_SEQUENCE,
    GEOPARQUET,
    JSON_FG,
    Format,
)
from twin.db.feature_query import (
    HASH,
    Output,
    Sort,
    original_attributes,
    outline_text,
    outline_wkb,
    outline_wkt,
    property_value,
)
from twin.db.pool import ReadPool, Row
from twin.db.query import Selection
from twin.db.queryables import Queryable
from twin.errors import InvalidParameter
from twin.formats import geojson, jsonfg, tables
from twin.formats.flatgeobuf import FlatGeobufWriter
from twin.formats.tables import Field, Table
from twin.model.offered import CRS84, CRS84H, OfferedSystem

Members = Mapping[str, Any]


class Writer(Protocol):
    """Writes one answer, in parts."""

    def start(self) -> bytes: ...
    def part(self, rows: Any, /) -> bytes: ...
    def finish(self) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Encoding:
    """A format for a selection: the columns that it reads, and its writer.

    ``writer`` takes what a FeatureCollection tells beside its features. ``fetch`` finds what else of the
    rows is stored, where they are not all; ``read`` makes of that what the writer takes. ``order`` is the
    one that a whole file has to have, ``root`` what is told by the outermost object alone.
    """

    columns: tuple[str, ...]
    outputs: tuple[Output, ...]
    writer: Callable[[Members], Writer]
    read: Callable[[Sequence[Any]], Any]
    fetch: Callable[[Sequence[Row]], Awaitable[Sequence[Any]]] | None = None
    order: tuple[Sort, ...] = ()
    root: Members = field(default_factory=dict[str, Any])


async def encoding(
    form: Format,
    selection: Selection,
    system: OfferedSystem,
    names: Names,
    pool: ReadPool,
    memory: FeatureMemory | None = None,
) -> Encoding:
    """How to write a selection in a reference system, with the named properties or all that are open.

    With a memory, what is in it is not read again.
    """
    if form in _TABLES:
        return _tabular(form, selection, system, names)
    if form.solids:
        return await _city_model(form, selection, system, names, pool)
    if form is JSON_FG:
        solid = system is CRS84 and selection.collection.solids
        places = await solids.places(pool, selection) if solid else None
        return _features_and_places(selection, system, names, pool, places)
    writer = _sequence if form is GEOJSON_SEQUENCE else geojson.CollectionWriter
    if memory is not None and system is CRS84 and HASH in selection.source.c:
        shaped = shape(selection.view, selection.collection, names)
        return Encoding(
            columns=("id", HASH),
            outputs=(),
            writer=writer,
            read=list,
            fetch=lambda rows: memory.texts(pool, selection, shaped, rows),
        )
    text = _text(selection, system, names)
    return Encoding(
        columns=("id", "geojson"),
        outputs=outlines(selection, system),
        writer=writer,
        read=lambda rows: list(map(text, rows)),
    )


def _text(selection: Selection, system: OfferedSystem, names: Names) -> Callable[[Row], bytes]:
    """How a row of the read model becomes the text of a feature."""
    apply = shape(selection.view, selection.collection, names).apply
    if system is CRS84:
        return lambda row: apply(row["geojson"].encode())
    return lambda row: geojson.with_geometry(apply(row["geojson"].encode()), row["geometry"])


async def _city_model(
    form: Format, selection: Selection, system: OfferedSystem, names: Names, pool: ReadPool
) -> Encoding:
    if system is not CRS84 or names is not None:
        raise InvalidParameter("CityJSON comes whole, as it was delivered; leave 'crs' and 'properties' out.")
    reference = await solids.one_reference(pool, selection)
    kind = solids.SequenceWriter if form is CITYJSON_SEQUENCE else solids.DocumentWriter
    return Encoding(
        columns=solids.columns(selection),
        outputs=(),
        writer=lambda _: kind(reference),
        read=list,
        fetch=lambda rows: solids.whole_features(pool, selection.view, rows),
        order=(Sort(selection.queryables.get("building")),) if solids.are_parts(selection) else (),
    )


def _features_and_places(
    selection: Selection, system: OfferedSystem, names: Names, pool: ReadPool, places: solids.Places | None
) -> Encoding:
    """JSON-FG; with another reference system, or of what has no solids, places are outlines.

    Outlines in degrees are no places (``/req/core/place``), also with heights: they are ``geometry``.
    """
    collection = selection.collection
    in_degrees = system in {CRS84, CRS84H}
    text = _text(selection, system if in_degrees else CRS84, names)
    kind = collection.title if not collection.attributes else collection.kind
    plain = None if in_degrees else system.uri
    root = jsonfg.root_members(plain if places is None else places.system)

    def outlined(row: Row) -> bytes:
        place = None if in_degrees or row["geometry"] is None else orjson.Fragment(row["geometry"])
        return jsonfg.feature_text(text(row), kind, place)

    def writer(members: Members) -> Writer:
        return geojson.CollectionWriter({**root, "featureType": kind, **members})

    if places is None:
        return Encoding(
            columns=("id", "geojson"),
            outputs=outlines(selection, system),
            writer=writer,
            read=lambda rows: list(map(outlined, rows)),
            root=root,
        )
    return Encoding(
        columns=(*solids.columns(selection), "geojson"),
        outputs=solids.reference_outputs(selection),
        writer=writer,
        read=lambda found: [jsonfg.feature_text(text(each[0]), kind, places.of(each)) for each in found],
        fetch=lambda rows: solids.whole_features(pool, selection.view, rows),
        root=root,
    )


def item_with_place(selection: Selection, system: OfferedSystem, row: Row, pool: ReadPool) -> Encoding:
    """JSON-FG of one feature, of which a row tells what an item has."""
    solid = system is CRS84 and selection.collection.solids
    return _features_and_places(selection, system, None, pool, solids.common_places([row]) if solid else None)


def _sequence(_: Members) -> Writer:
    return geojson.SequenceWriter()


def outlines(selection: Selection, system: OfferedSystem) -> tuple[Output, ...]:
    """What is to be read beside stored features, whose outlines are in CRS84."""
    return () if system is CRS84 else (outline_text(selection, system),)


_TABLES: dict[Format, tuple[Callable[[Table], tables.TableWriter], Callable[..., Output]]] = {
    CSV: (tables.CsvWriter, outline_wkt),
    ARROW: (tables.ArrowWriter, outline_wkb),
    FLATGEOBUF: (FlatGeobufWriter, outline_wkb),
    GEOPARQUET: (tables.GeoParquetWriter, outline_wkb),
}


def _tabular(form: Format, selection: Selection, system: OfferedSystem, names: Names) -> Encoding:
    """A table: the id, properties in the order of the catalogue or the request, the outline."""
    writer, outline = _TABLES[form]
    fields, outputs = _properties(selection, names)
    table = Table(
        selection.collection.name,
        (Field("id", "text", "Dataset and source id"), *fields),
        system,
        multipolygons=bool(selection.collection.attributes),
    )
    width = len(table.fields) + 1
    return Encoding(
        columns=("id",),
        outputs=(*outputs, outline(selection, system)),
        writer=lambda _: writer(table),
        read=lambda rows: tables.column_values((row.values() for row in rows), width),
    )


def _properties(selection: Selection, names: Names) -> tuple[tuple[Field, ...], tuple[Output, ...]]:
    """The columns of a table between id and outline; original attributes only where they are named."""
    view, collection = selection.view, selection.collection
    out = hidden(view, collection)
    if names is None:
        wanted = _named(selection)
    else:
        wanted = tuple(dict.fromkeys(names))
        check_names(view, collection, wanted, out)
    fields: list[Field] = []
    outputs: list[Output] = []
    for index, name in enumerate(name for name in wanted if name not in _ALWAYS):
        if collection.attributes and name == geojson.ORIGINALS:
            fields.append(Field(name, "text", "The source's own attributes, as JSON"))
            outputs.append(original_attributes(selection, index))
            continue
        queryable = selection.queryables.get(name, InvalidParameter)
        if queryable.type != "geometry":
            fields.append(Field(name, queryable.type, _meaning(queryable)))
            outputs.append(property_value(queryable, index))
    return tuple(fields), tuple(outputs)


_ALWAYS = {"id", tables.GEOMETRY}


def _named(selection: Selection) -> tuple[str, ...]:
    declared = bool(selection.collection.attributes)
    return tuple(q.name for q in selection.queryables if not declared or q.attribute is not None)


def _meaning(queryable: Queryable) -> str | None:
    attribute = queryable.attribute
    if attribute is None:
        return None
    return attribute.meaning.en if attribute.unit is None else f"{attribute.meaning.en} [{attribute.unit}]"
